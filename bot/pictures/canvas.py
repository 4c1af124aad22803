"""The sheet that a picture is drawn on: text, boxes, lines and signs, by the colours of its theme."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from bot.pictures.fonts import Text, face
from bot.pictures.icons import rounded
from bot.pictures.theme import Theme
from rules.action import Side
from rules.colours import Colour

_LARGE = 4


class Canvas:
    """`teams` are the colours that the sides are drawn in."""

    def __init__(self, width: int, height: int, theme: Theme, teams: dict[Side, Colour]) -> None:
        self.theme, self.teams = theme, teams
        self.image = Image.new("RGB", (width, height), theme.ground)
        self._draw = ImageDraw.Draw(self.image)

    def write(self, text: Text, x: float, y: float, align: str = "left", colour: Colour | None = None) -> None:
        """Put words with their left edge, their middle or their right edge at x, on a line whose middle is y.

        The line is that of capital letters, whatever letters there are, so that neighbours stand level.
        """
        font = face(text.file, text.size)
        left = x - {"left": 0.0, "middle": text.width / 2, "right": text.width}[align]
        self._draw.text((left, y + text.size * 0.33), text.words, colour or self.theme.ink, font, "ls")

    def box(self, edges: tuple[float, float, float, float], radius: int, colour: Colour) -> None:
        """A box with round corners: left, top, right, bottom."""
        left, top, right, bottom = map(round, edges)
        shape = rounded(right - left, bottom - top, radius, colour)
        self.image.paste(shape, (left, top), shape)

    def stroke(self, points: Sequence[tuple[float, float]], width: int, colour: Colour) -> None:
        """A line through points, at any slant, with smooth edges."""
        left, top = (round(min(point[axis] for point in points)) - width for axis in (0, 1))
        right, bottom = (round(max(point[axis] for point in points)) + width for axis in (0, 1))
        mask = Image.new("L", ((right - left) * _LARGE, (bottom - top) * _LARGE))
        enlarged = [((x - left) * _LARGE, (y - top) * _LARGE) for x, y in points]
        ImageDraw.Draw(mask).line(enlarged, 255, width * _LARGE, joint="curve")
        mask = mask.reduce(_LARGE)
        self.image.paste(colour, (left, top), mask)

    def line(self, points: tuple[tuple[float, float], ...], colour: Colour, width: int) -> None:
        """A straight line, level or upright."""
        self._draw.line(points, colour, width)

    def paste(self, sign: Image.Image, x: float, y: float) -> None:
        """A sign with its middle at a place."""
        self.image.paste(sign, (round(x - sign.width / 2), round(y - sign.height / 2)), sign)

    def dot(self, x: float, y: float, radius: int, colour: Colour) -> None:
        """A filled circle."""
        self.box((round(x) - radius, round(y) - radius, round(x) + radius, round(y) + radius), radius, colour)
