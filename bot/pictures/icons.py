"""Signs drawn as vectors, four times too large and then made small, so that their edges are smooth."""

from __future__ import annotations

import math
from functools import lru_cache

from PIL import Image, ImageDraw

from bot.pictures.theme import BLACK, GREEN, RED, WHITE, YELLOW, Theme
from rules.colours import Colour
from rules.timeline import Kind

_LARGE = 4
Point = tuple[float, float]


@lru_cache(256)
def icon(kind: Kind, size: int, theme: Theme) -> Image.Image:
    """The sign of an event, square, on nothing."""
    image = Image.new("RGBA", (size * _LARGE, size * _LARGE))
    draw = ImageDraw.Draw(image)
    _DRAWN[kind](draw, size * _LARGE, theme)
    return image.resize((size, size), Image.Resampling.LANCZOS)


@lru_cache(64)
def kick_icon(size: int, theme: Theme, *, scored: bool) -> Image.Image:
    """A kick of a shootout: a tick on green, or a cross on red."""
    image = Image.new("RGBA", (size * _LARGE, size * _LARGE))
    draw, unit = ImageDraw.Draw(image), size * _LARGE
    _disc(draw, unit, 0.5, 0.5, 0.44, GREEN if scored else RED)
    if scored:
        _line(draw, unit, ((0.3, 0.52), (0.44, 0.66), (0.7, 0.36)), 0.1, WHITE)
    else:
        _cross(draw, unit, 0.33, 0.67, 0.1, WHITE)
    return image.resize((size, size), Image.Resampling.LANCZOS)


@lru_cache(64)
def rounded(width: int, height: int, radius: int, colour: Colour) -> Image.Image:
    """A box with round corners."""
    image = Image.new("RGBA", (width, height), (*colour, 255))
    corner = Image.new("L", (radius * _LARGE, radius * _LARGE))
    ImageDraw.Draw(corner).ellipse((0, 0, 2 * radius * _LARGE - 1, 2 * radius * _LARGE - 1), fill=255)
    corner = corner.resize((radius, radius), Image.Resampling.LANCZOS)
    for turns, place in enumerate(((0, 0), (0, height - radius), (width - radius, height - radius), (width - radius, 0))):
        piece = Image.new("RGBA", (radius, radius), (*colour, 255))
        piece.putalpha(corner.rotate(90 * turns))
        image.paste(piece, place)
    return image


def _ball(draw: ImageDraw.ImageDraw, unit: int, theme: Theme) -> None:
    """White with black patches, as in a box of sweets: a pentagon in the middle, five at the rim."""
    _disc(draw, unit, 0.5, 0.5, 0.47, WHITE if theme.dark else BLACK)
    _disc(draw, unit, 0.5, 0.5, 0.43, WHITE)
    corners = [_at(0.17, -90 + 72 * number) for number in range(5)]
    draw.polygon([(x * unit, y * unit) for x, y in corners], fill=BLACK)
    for number, (x, y) in enumerate(corners):
        _line(draw, unit, ((x, y), _at(0.33, -90 + 72 * number)), 0.045, BLACK)
        rim = [_at(0.41, -90 + 72 * number + turn) for turn in (-24, -12, 0, 12, 24)]
        draw.polygon([(a * unit, b * unit) for a, b in (*rim, _at(0.31, -90 + 72 * number))], fill=BLACK)


def _own_goal(draw: ImageDraw.ImageDraw, unit: int, theme: Theme) -> None:
    _ball(draw, unit, theme)
    _disc(draw, unit, 0.74, 0.74, 0.25, theme.ground)
    _disc(draw, unit, 0.74, 0.74, 0.21, RED)
    _line(draw, unit, ((0.86, 0.74), (0.63, 0.74)), 0.07, WHITE)
    _line(draw, unit, ((0.73, 0.63), (0.62, 0.74), (0.73, 0.85)), 0.07, WHITE)


def _disallowed(draw: ImageDraw.ImageDraw, unit: int, theme: Theme) -> None:
    _ball(draw, unit, theme)
    _line(draw, unit, ((0.08, 0.92), (0.92, 0.08)), 0.2, theme.ground)
    _line(draw, unit, ((0.08, 0.92), (0.92, 0.08)), 0.11, RED)


def _missed(draw: ImageDraw.ImageDraw, unit: int, theme: Theme) -> None:
    _ball(draw, unit, theme)
    _disc(draw, unit, 0.74, 0.74, 0.25, theme.ground)
    _disc(draw, unit, 0.74, 0.74, 0.21, RED)
    _cross(draw, unit, 0.66, 0.82, 0.07, WHITE)


def _card(draw: ImageDraw.ImageDraw, unit: int, left: float, colour: Colour, edge: Colour | None = None) -> None:
    box = (left * unit, 0.1 * unit, (left + 0.52) * unit, 0.9 * unit)
    if edge:
        grown = (box[0] - 0.04 * unit, box[1] - 0.04 * unit, box[2] + 0.04 * unit, box[3] + 0.04 * unit)
        draw.rounded_rectangle(grown, 0.12 * unit, fill=edge)
    draw.rounded_rectangle(box, 0.09 * unit, fill=colour)


def _yellow(draw: ImageDraw.ImageDraw, unit: int, _: Theme) -> None:
    _card(draw, unit, 0.24, YELLOW)


def _red(draw: ImageDraw.ImageDraw, unit: int, _: Theme) -> None:
    _card(draw, unit, 0.24, RED)


def _second_yellow(draw: ImageDraw.ImageDraw, unit: int, theme: Theme) -> None:
    _card(draw, unit, 0.08, YELLOW)
    _card(draw, unit, 0.38, RED, edge=theme.ground)


def _swap(draw: ImageDraw.ImageDraw, unit: int, _: Theme) -> None:
    """Up in green, down in red."""
    for x, tip, foot, colour in ((0.3, 0.08, 0.9, GREEN), (0.7, 0.92, 0.1, RED)):
        wing = 0.32 if tip < foot else 0.68
        _line(draw, unit, ((x, foot), (x, (tip + wing) / 2)), 0.13, colour)
        points = (
            (x, tip),
            (x - 0.22, wing + 0.06 * (1 if tip < foot else -1)),
            (x + 0.22, wing + 0.06 * (1 if tip < foot else -1)),
        )
        draw.polygon([(a * unit, b * unit) for a, b in points], fill=colour)


def _disc(draw: ImageDraw.ImageDraw, unit: int, x: float, y: float, radius: float, colour: Colour) -> None:
    draw.ellipse(((x - radius) * unit, (y - radius) * unit, (x + radius) * unit, (y + radius) * unit), fill=colour)


def _cross(draw: ImageDraw.ImageDraw, unit: int, near: float, far: float, width: float, colour: Colour) -> None:
    _line(draw, unit, ((near, near), (far, far)), width, colour)
    _line(draw, unit, ((near, far), (far, near)), width, colour)


def _line(draw: ImageDraw.ImageDraw, unit: int, points: tuple[Point, ...], width: float, colour: Colour) -> None:
    """A line with round ends."""
    draw.line([(x * unit, y * unit) for x, y in points], fill=colour, width=round(width * unit), joint="curve")
    for x, y in (points[0], points[-1]):
        _disc(draw, unit, x, y, width / 2, colour)


def _at(radius: float, degrees: float) -> Point:
    """A point around the middle."""
    return 0.5 + radius * math.cos(math.radians(degrees)), 0.5 + radius * math.sin(math.radians(degrees))


_DRAWN = {
    Kind.GOAL: _ball,
    Kind.PENALTY_GOAL: _ball,
    Kind.OWN_GOAL: _own_goal,
    Kind.DISALLOWED: _disallowed,
    Kind.PENALTY_MISSED: _missed,
    Kind.PENALTY_SAVED: _missed,
    Kind.YELLOW_CARD: _yellow,
    Kind.SECOND_YELLOW: _second_yellow,
    Kind.RED_CARD: _red,
    Kind.SUBSTITUTION: _swap,
}
