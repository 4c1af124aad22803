"""Emoji drawn as vectors, four times too large and then made small, so that their edges are smooth."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw

from bot.media.canvas import draw_icon
from bot.media.theme import LIGHT
from docs.screens.signs import SHAPES, Shape
from rules.football.timeline import EventKind

_LARGE = 4


@lru_cache(256)
def emoji(sign: str, size: int) -> Image.Image:
    """An emoji, square, on nothing; KeyError where none is drawn."""
    if sign == "⚽":
        return draw_icon(EventKind.GOAL, size, LIGHT)
    unit = size * _LARGE
    image = Image.new("RGBA", (unit, unit))
    draw = ImageDraw.Draw(image)
    for shape in SHAPES[sign]:
        _draw(draw, unit, shape)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _draw(draw: ImageDraw.ImageDraw, unit: int, shape: Shape) -> None:
    kind, colour, numbers = shape
    if kind in ("disc", "hole", "ring", "pie"):
        _round(draw, unit, shape)
    elif kind == "box":
        *edges, radius = (number * unit for number in numbers)
        draw.rounded_rectangle(tuple(edges), radius, fill=colour)
    elif kind == "area":
        draw.polygon([number * unit for number in numbers], fill=colour)
    else:
        width, *points = (number * unit for number in numbers)
        draw.line(points, fill=colour, width=round(width), joint="curve")
        for x, y in (points[:2], points[-2:]):
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)


def _round(draw: ImageDraw.ImageDraw, unit: int, shape: Shape) -> None:
    kind, colour, (x, y, radius, *more) = shape
    edges = tuple(number * unit for number in (x - radius, y - radius, x + radius, y + radius))
    if kind == "ring":
        draw.ellipse(edges, outline=colour, width=round(more[0] * unit))
    elif kind == "pie":
        draw.pieslice(edges, more[0], more[1], fill=colour)
    else:
        draw.ellipse(edges, fill=colour if kind == "disc" else (0, 0, 0, 0))
