"""Draws with Pillow: texts, boxes and lines on a canvas, and the icons of events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw

from bot.media.fonts import FittedText, load_font
from bot.media.theme import BLACK, GREEN, RED, WHITE, YELLOW, Theme
from rules.football.action import Side
from rules.football.colours import Colour
from rules.football.timeline import EventKind

Point = tuple[float, float]

_SUPERSAMPLING = 4
"""Pillow draws shapes without smooth edges: they are drawn this many times larger, then reduced."""


class Canvas:
    """An image that is being drawn, with its theme and the colours of the two sides. Coordinates are in pixels."""

    def __init__(self, width: int, height: int, theme: Theme, team_colours: dict[Side, Colour]) -> None:
        self.theme, self.team_colours = theme, team_colours
        self.image = Image.new("RGB", (width, height), theme.background)
        self._draw = ImageDraw.Draw(self.image)

    def draw_text(self, text: FittedText, x: float, y: float, align: str = "left", colour: Colour | None = None) -> None:
        """Draw a text with its left edge, middle or right edge at x, and the middle of its capital letters at y.

        Of capital letters, whatever letters there are, so that neighbouring texts share a baseline.
        """
        font = load_font(text.file, text.size)
        # The baseline ("ls") is a third of the size below the middle of the capital letters.
        left = x - {"left": 0.0, "middle": text.width / 2, "right": text.width}[align]
        self._draw.text((left, y + text.size * 0.33), text.text, colour or self.theme.text, font, "ls")

    def draw_box(self, edges: tuple[float, float, float, float], radius: int, colour: Colour) -> None:
        """Draw a box with round corners. `edges` are left, top, right and bottom."""
        left, top, right, bottom = map(round, edges)
        shape = draw_rounded_box(right - left, bottom - top, radius, colour)
        self.image.paste(shape, (left, top), shape)

    def draw_stroke(self, points: Sequence[tuple[float, float]], width: int, colour: Colour) -> None:
        """Draw a line through points at any angle, with smooth edges."""
        left, top = (round(min(point[axis] for point in points)) - width for axis in (0, 1))
        right, bottom = (round(max(point[axis] for point in points)) + width for axis in (0, 1))
        mask = Image.new("L", ((right - left) * _SUPERSAMPLING, (bottom - top) * _SUPERSAMPLING))
        enlarged = [((x - left) * _SUPERSAMPLING, (y - top) * _SUPERSAMPLING) for x, y in points]
        ImageDraw.Draw(mask).line(enlarged, 255, width * _SUPERSAMPLING, joint="curve")
        # As a mask, so that the smooth edge blends into whatever lies below.
        mask = mask.reduce(_SUPERSAMPLING)
        self.image.paste(colour, (left, top), mask)

    def draw_line(self, points: tuple[tuple[float, float], ...], colour: Colour, width: int) -> None:
        """Draw a horizontal or vertical line, which needs no smooth edges."""
        self._draw.line(points, colour, width)

    def draw_image(self, image: Image.Image, x: float, y: float) -> None:
        """Draw an image with its middle at x, y."""
        self.image.paste(image, (round(x - image.width / 2), round(y - image.height / 2)), image)

    def draw_dot(self, x: float, y: float, radius: int, colour: Colour) -> None:
        """Draw a filled circle."""
        self.draw_box((round(x) - radius, round(y) - radius, round(x) + radius, round(y) + radius), radius, colour)


# A match has the same few icons at one size: each is drawn once and pasted.
@lru_cache(256)
def draw_icon(kind: EventKind, size: int, theme: Theme) -> Image.Image:
    """Return the icon of an event: a square on a transparent background."""
    image = Image.new("RGBA", (size * _SUPERSAMPLING, size * _SUPERSAMPLING))
    draw = ImageDraw.Draw(image)
    _ICON_DRAWERS[kind](draw, size * _SUPERSAMPLING, theme)
    return image.resize((size, size), Image.Resampling.LANCZOS)


@lru_cache(64)
def draw_kick_icon(size: int, theme: Theme, *, scored: bool) -> Image.Image:
    """Return the icon of a kick in a shootout: a tick on green, or a cross on red."""
    image = Image.new("RGBA", (size * _SUPERSAMPLING, size * _SUPERSAMPLING))
    draw, unit = ImageDraw.Draw(image), size * _SUPERSAMPLING
    _draw_disc(draw, unit, 0.5, 0.5, 0.44, GREEN if scored else RED)
    if scored:
        _draw_line(draw, unit, ((0.3, 0.52), (0.44, 0.66), (0.7, 0.36)), 0.1, WHITE)
    else:
        _draw_cross(draw, unit, 0.33, 0.67, 0.1, WHITE)
    return image.resize((size, size), Image.Resampling.LANCZOS)


@lru_cache(64)
def draw_rounded_box(width: int, height: int, radius: int, colour: Colour) -> Image.Image:
    """Return a box with round corners. Only the corners are drawn large and reduced."""
    image = Image.new("RGBA", (width, height), (*colour, 255))
    # A box as wide as the picture, four times as large, would take 30 MB for its four corners.
    corner = Image.new("L", (radius * _SUPERSAMPLING, radius * _SUPERSAMPLING))
    ImageDraw.Draw(corner).ellipse((0, 0, 2 * radius * _SUPERSAMPLING - 1, 2 * radius * _SUPERSAMPLING - 1), fill=255)
    corner = corner.resize((radius, radius), Image.Resampling.LANCZOS)
    for quarter_turns, place in enumerate(((0, 0), (0, height - radius), (width - radius, height - radius), (width - radius, 0))):
        piece = Image.new("RGBA", (radius, radius), (*colour, 255))
        piece.putalpha(corner.rotate(90 * quarter_turns))
        image.paste(piece, place)
    return image


def _draw_ball(draw: ImageDraw.ImageDraw, unit: int, theme: Theme) -> None:
    """Draw a white ball with black patches: a pentagon in the middle and five at the rim."""
    # A rim, or the white ball would have no edge on a white ground.
    _draw_disc(draw, unit, 0.5, 0.5, 0.47, WHITE if theme.is_dark else BLACK)
    _draw_disc(draw, unit, 0.5, 0.5, 0.43, WHITE)
    corners = [_point_on_circle(0.17, -90 + 72 * number) for number in range(5)]
    draw.polygon([(x * unit, y * unit) for x, y in corners], fill=BLACK)
    for number, (x, y) in enumerate(corners):
        _draw_line(draw, unit, ((x, y), _point_on_circle(0.33, -90 + 72 * number)), 0.045, BLACK)
        rim = [_point_on_circle(0.41, -90 + 72 * number + turn) for turn in (-24, -12, 0, 12, 24)]
        draw.polygon([(a * unit, b * unit) for a, b in (*rim, _point_on_circle(0.31, -90 + 72 * number))], fill=BLACK)


def _draw_own_goal(draw: ImageDraw.ImageDraw, unit: int, theme: Theme) -> None:
    _draw_ball(draw, unit, theme)
    _draw_disc(draw, unit, 0.74, 0.74, 0.25, theme.background)
    _draw_disc(draw, unit, 0.74, 0.74, 0.21, RED)
    _draw_line(draw, unit, ((0.86, 0.74), (0.63, 0.74)), 0.07, WHITE)
    _draw_line(draw, unit, ((0.73, 0.63), (0.62, 0.74), (0.73, 0.85)), 0.07, WHITE)


def _draw_disallowed(draw: ImageDraw.ImageDraw, unit: int, theme: Theme) -> None:
    _draw_ball(draw, unit, theme)
    # An edge in the colour of the ground, as around the discs of the other icons, parts the line from the ball.
    _draw_line(draw, unit, ((0.08, 0.92), (0.92, 0.08)), 0.2, theme.background)
    _draw_line(draw, unit, ((0.08, 0.92), (0.92, 0.08)), 0.11, RED)


def _draw_missed(draw: ImageDraw.ImageDraw, unit: int, theme: Theme) -> None:
    _draw_ball(draw, unit, theme)
    _draw_disc(draw, unit, 0.74, 0.74, 0.25, theme.background)
    _draw_disc(draw, unit, 0.74, 0.74, 0.21, RED)
    _draw_cross(draw, unit, 0.66, 0.82, 0.07, WHITE)


def _draw_card(draw: ImageDraw.ImageDraw, unit: int, left: float, colour: Colour, edge: Colour | None = None) -> None:
    box = (left * unit, 0.1 * unit, (left + 0.52) * unit, 0.9 * unit)
    # Between the two cards of a second yellow: without it they would be one shape.
    if edge:
        grown = (box[0] - 0.04 * unit, box[1] - 0.04 * unit, box[2] + 0.04 * unit, box[3] + 0.04 * unit)
        draw.rounded_rectangle(grown, 0.12 * unit, fill=edge)
    draw.rounded_rectangle(box, 0.09 * unit, fill=colour)


def _draw_second_yellow(draw: ImageDraw.ImageDraw, unit: int, theme: Theme) -> None:
    _draw_card(draw, unit, 0.08, YELLOW)
    _draw_card(draw, unit, 0.38, RED, edge=theme.background)


def _draw_substitution(draw: ImageDraw.ImageDraw, unit: int, _: Theme) -> None:
    """Draw a green arrow up and a red arrow down."""
    for x, tip, foot, colour in ((0.3, 0.08, 0.9, GREEN), (0.7, 0.92, 0.1, RED)):
        wing = 0.32 if tip < foot else 0.68
        _draw_line(draw, unit, ((x, foot), (x, (tip + wing) / 2)), 0.13, colour)
        points = (
            (x, tip),
            (x - 0.22, wing + 0.06 * (1 if tip < foot else -1)),
            (x + 0.22, wing + 0.06 * (1 if tip < foot else -1)),
        )
        draw.polygon([(a * unit, b * unit) for a, b in points], fill=colour)


def _draw_disc(draw: ImageDraw.ImageDraw, unit: int, x: float, y: float, radius: float, colour: Colour) -> None:
    draw.ellipse(((x - radius) * unit, (y - radius) * unit, (x + radius) * unit, (y + radius) * unit), fill=colour)


def _draw_cross(draw: ImageDraw.ImageDraw, unit: int, near: float, far: float, width: float, colour: Colour) -> None:
    _draw_line(draw, unit, ((near, near), (far, far)), width, colour)
    _draw_line(draw, unit, ((near, far), (far, near)), width, colour)


def _draw_line(draw: ImageDraw.ImageDraw, unit: int, points: tuple[Point, ...], width: float, colour: Colour) -> None:
    """Draw a line with round ends. Coordinates and width are shares of `unit`, the size of the icon."""
    draw.line([(x * unit, y * unit) for x, y in points], fill=colour, width=round(width * unit), joint="curve")
    # Pillow ends lines square.
    for x, y in (points[0], points[-1]):
        _draw_disc(draw, unit, x, y, width / 2, colour)


def _point_on_circle(radius: float, degrees: float) -> Point:
    """Return a point on a circle around the middle of the icon."""
    return 0.5 + radius * math.cos(math.radians(degrees)), 0.5 + radius * math.sin(math.radians(degrees))


_ICON_DRAWERS = {
    EventKind.GOAL: _draw_ball,
    EventKind.PENALTY_GOAL: _draw_ball,
    EventKind.OWN_GOAL: _draw_own_goal,
    EventKind.DISALLOWED: _draw_disallowed,
    EventKind.PENALTY_MISSED: _draw_missed,
    EventKind.PENALTY_SAVED: _draw_missed,
    EventKind.YELLOW_CARD: lambda draw, unit, _theme: _draw_card(draw, unit, 0.24, YELLOW),
    EventKind.SECOND_YELLOW: _draw_second_yellow,
    EventKind.RED_CARD: lambda draw, unit, _theme: _draw_card(draw, unit, 0.24, RED),
    EventKind.SUBSTITUTION: _draw_substitution,
}
