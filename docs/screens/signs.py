"""Emoji as shapes in a square of one by one; what is not here, and no letter of a font, cannot be drawn."""

from __future__ import annotations

import math

from rules.football.colours import Colour

INK, GREY, PALE, WHITE = (58, 66, 78), (138, 148, 162), (222, 229, 237), (255, 255, 255)
RED, GREEN, BLUE, SKY = (221, 46, 68), (62, 175, 84), (59, 136, 195), (85, 172, 238)
GOLD, AMBER, SKIN, SHADE, BROWN = (255, 204, 77), (244, 144, 12), (255, 220, 93), (239, 150, 69), (154, 94, 64)

Shape = tuple[str, Colour, tuple[float, ...]]


def _disc(colour: Colour, x: float, y: float, radius: float) -> Shape:
    return "disc", colour, (x, y, radius)


def _ring(colour: Colour, x: float, y: float, radius: float, width: float) -> Shape:
    return "ring", colour, (x, y, radius, width)


def _pie(colour: Colour, x: float, y: float, radius: float, start: float, end: float) -> Shape:
    return "pie", colour, (x, y, radius, start, end)


def _box(colour: Colour, left: float, top: float, right: float, bottom: float, radius: float = 0.0) -> Shape:
    return "box", colour, (left, top, right, bottom, radius)


def _area(colour: Colour, *points: float) -> Shape:
    return "area", colour, points


def _line(colour: Colour, width: float, *points: float) -> Shape:
    return "line", colour, (width, *points)


def _speaker() -> list[Shape]:
    return [_box(GREY, 0.08, 0.36, 0.3, 0.64, 0.04), _area(INK, 0.26, 0.38, 0.54, 0.12, 0.54, 0.88, 0.26, 0.62)]


def _bell() -> list[Shape]:
    return [
        _disc(AMBER, 0.5, 0.84, 0.1),
        _disc(GOLD, 0.5, 0.16, 0.07),
        _pie(GOLD, 0.5, 0.43, 0.29, 180, 360),
        _area(GOLD, 0.21, 0.42, 0.79, 0.42, 0.84, 0.74, 0.16, 0.74),
        _box(AMBER, 0.1, 0.7, 0.9, 0.8, 0.05),
    ]


def _clock(hour: float) -> list[Shape]:
    turn = math.radians(hour * 30 - 90)
    hand = _line(INK, 0.07, 0.5, 0.5, 0.5 + 0.2 * math.cos(turn), 0.5 + 0.2 * math.sin(turn))
    return [_disc(GREY, 0.5, 0.5, 0.45), _disc(WHITE, 0.5, 0.5, 0.36), hand, _line(INK, 0.06, 0.5, 0.5, 0.5, 0.2)]


def _turning(ground: Colour) -> list[Shape]:
    arrows = [_line(WHITE, 0.09, 0.27, 0.52, 0.27, 0.36, 0.66, 0.36), _line(WHITE, 0.09, 0.73, 0.48, 0.73, 0.64, 0.34, 0.64)]
    tips = [_area(WHITE, 0.62, 0.22, 0.82, 0.36, 0.62, 0.5), _area(WHITE, 0.38, 0.5, 0.18, 0.64, 0.38, 0.78)]
    return [_box(ground, 0.04, 0.04, 0.96, 0.96, 0.16), *arrows, *tips]


def _sheet(head: Colour) -> list[Shape]:
    return [_box(PALE, 0.1, 0.12, 0.9, 0.94, 0.08), _box(head, 0.1, 0.12, 0.9, 0.34, 0.08)]


_SLASH = _line(RED, 0.1, 0.14, 0.14, 0.86, 0.86)
_CROSS = [_line(RED, 0.17, 0.18, 0.18, 0.82, 0.82), _line(RED, 0.17, 0.18, 0.82, 0.82, 0.18)]

SHAPES: dict[str, list[Shape]] = {
    "🟨": [_box(GOLD, 0.06, 0.06, 0.94, 0.94, 0.12)],
    "🟥": [_box(RED, 0.06, 0.06, 0.94, 0.94, 0.12)],
    "🟢": [_disc(GREEN, 0.5, 0.5, 0.44)],
    "✅": [_box(GREEN, 0.04, 0.04, 0.96, 0.96, 0.16), _line(WHITE, 0.13, 0.24, 0.52, 0.43, 0.72, 0.77, 0.29)],
    "❌": _CROSS,
    "❗": [_line(RED, 0.2, 0.5, 0.16, 0.5, 0.56), _disc(RED, 0.5, 0.85, 0.11)],
    "➕": [_line(INK, 0.15, 0.5, 0.16, 0.5, 0.84), _line(INK, 0.15, 0.16, 0.5, 0.84, 0.5)],
    "➖": [_line(INK, 0.15, 0.16, 0.5, 0.84, 0.5)],
    "⚠": [_area(GOLD, 0.5, 0.06, 0.98, 0.92, 0.02, 0.92), _line(INK, 0.1, 0.5, 0.36, 0.5, 0.62), _disc(INK, 0.5, 0.79, 0.06)],
    "🚫": [_ring(RED, 0.5, 0.5, 0.45, 0.11), _line(RED, 0.11, 0.2, 0.2, 0.8, 0.8)],
    "⏸": [_box(SKY, 0.04, 0.04, 0.96, 0.96, 0.16), _box(WHITE, 0.28, 0.24, 0.43, 0.76), _box(WHITE, 0.57, 0.24, 0.72, 0.76)],
    "⏳": [
        _box(AMBER, 0.16, 0.02, 0.84, 0.13, 0.05),
        _box(AMBER, 0.16, 0.87, 0.84, 0.98, 0.05),
        _area(PALE, 0.24, 0.13, 0.76, 0.13, 0.53, 0.5, 0.76, 0.87, 0.24, 0.87, 0.47, 0.5),
        _area(GOLD, 0.35, 0.3, 0.65, 0.3, 0.5, 0.5),
        _area(GOLD, 0.5, 0.6, 0.72, 0.87, 0.28, 0.87),
    ],
    "⏰": [
        _line(INK, 0.1, 0.26, 0.78, 0.16, 0.94),
        _line(INK, 0.1, 0.74, 0.78, 0.84, 0.94),
        _disc(RED, 0.2, 0.2, 0.15),
        _disc(RED, 0.8, 0.2, 0.15),
        _disc(RED, 0.5, 0.54, 0.38),
        _disc(WHITE, 0.5, 0.54, 0.29),
        _line(INK, 0.06, 0.5, 0.34, 0.5, 0.54, 0.64, 0.6),
    ],
    "⏱": [
        _box(INK, 0.42, 0.02, 0.58, 0.2),
        _disc(GREY, 0.5, 0.56, 0.41),
        _disc(WHITE, 0.5, 0.56, 0.32),
        _line(RED, 0.06, 0.5, 0.56, 0.66, 0.36),
    ],
    "🕑": _clock(2),
    "🕘": _clock(9),
    "🌙": [_disc(GOLD, 0.46, 0.5, 0.44), ("hole", WHITE, (0.66, 0.4, 0.38))],
    "🎚": [
        _box(PALE, 0.04, 0.04, 0.96, 0.96, 0.14),
        *(_line(GREY, 0.05, x, 0.18, x, 0.82) for x in (0.26, 0.5, 0.74)),
        *(_box(BLUE, x - 0.1, y - 0.07, x + 0.1, y + 0.07, 0.03) for x, y in ((0.26, 0.62), (0.5, 0.34), (0.74, 0.54))),
    ],
    "🌍": [
        _disc(SKY, 0.5, 0.5, 0.45),
        _area(GREEN, 0.3, 0.14, 0.56, 0.1, 0.5, 0.34, 0.34, 0.38, 0.22, 0.3),
        _area(GREEN, 0.36, 0.46, 0.7, 0.44, 0.76, 0.56, 0.6, 0.84, 0.5, 0.86, 0.48, 0.64, 0.34, 0.58),
        _area(GREEN, 0.72, 0.2, 0.9, 0.36, 0.74, 0.36),
    ],
    "🏁": [
        _line(BROWN, 0.07, 0.12, 0.08, 0.12, 0.94),
        _box(PALE, 0.16, 0.1, 0.94, 0.6),
        *(_box(INK, 0.16 + 0.195 * n, 0.1 + 0.1667 * (n % 2), 0.355 + 0.195 * n, 0.2667 + 0.1667 * (n % 2)) for n in range(4)),
        *(_box(INK, 0.16 + 0.195 * n, 0.4334, 0.355 + 0.195 * n, 0.6) for n in (0, 2)),
    ],
    "🏆": [
        _ring(GOLD, 0.24, 0.28, 0.16, 0.07),
        _ring(GOLD, 0.76, 0.28, 0.16, 0.07),
        _box(GOLD, 0.24, 0.06, 0.76, 0.32),
        _pie(GOLD, 0.5, 0.31, 0.26, 0, 180),
        _box(AMBER, 0.44, 0.54, 0.56, 0.76),
        _box(BROWN, 0.28, 0.76, 0.72, 0.94, 0.04),
    ],
    "👉": [
        _box(SKIN, 0.1, 0.34, 0.6, 0.84, 0.16),
        _line(SKIN, 0.17, 0.44, 0.42, 0.88, 0.42),
        _line(SHADE, 0.03, 0.5, 0.58, 0.6, 0.58),
        _line(SHADE, 0.03, 0.5, 0.7, 0.58, 0.7),
    ],
    "👋": [
        _disc(SKIN, 0.52, 0.64, 0.28),
        _line(SKIN, 0.14, 0.4, 0.6, 0.24, 0.26),
        _line(SKIN, 0.14, 0.5, 0.52, 0.42, 0.14),
        _line(SKIN, 0.14, 0.62, 0.52, 0.62, 0.16),
        _line(SKIN, 0.14, 0.72, 0.58, 0.8, 0.28),
        _line(SKIN, 0.14, 0.36, 0.72, 0.14, 0.56),
    ],
    "🔎": [
        _line(BROWN, 0.15, 0.6, 0.6, 0.88, 0.88),
        _disc(GREY, 0.4, 0.4, 0.34),
        _disc(PALE, 0.4, 0.4, 0.25),
    ],
    "❓": [
        _ring(RED, 0.5, 0.32, 0.22, 0.14),
        _box(WHITE, 0.2, 0.34, 0.5, 0.56),
        _line(RED, 0.15, 0.5, 0.5, 0.5, 0.66),
        _disc(RED, 0.5, 0.86, 0.1),
    ],
    "🔴": [_disc(RED, 0.5, 0.5, 0.44)],
    "📅": [*_sheet(RED), *(_disc(GREY, 0.28 + 0.22 * (n % 3), 0.5 + 0.2 * (n // 3), 0.06) for n in range(6))],
    "📋": [
        _box(BROWN, 0.12, 0.1, 0.88, 0.98, 0.08),
        _box(WHITE, 0.2, 0.2, 0.8, 0.9),
        _box(GREY, 0.34, 0.03, 0.66, 0.2, 0.05),
        *(_line(GREY, 0.04, 0.3, y, 0.7, y) for y in (0.4, 0.55, 0.7)),
    ],
    "📡": [
        _pie(GREY, 0.42, 0.5, 0.4, 20, 200),
        _line(INK, 0.06, 0.46, 0.44, 0.74, 0.16),
        _disc(RED, 0.76, 0.14, 0.09),
        _area(INK, 0.36, 0.72, 0.56, 0.94, 0.16, 0.94),
    ],
    "📣": [
        _area(RED, 0.3, 0.36, 0.84, 0.06, 0.84, 0.86, 0.3, 0.62),
        _box(PALE, 0.1, 0.36, 0.34, 0.62, 0.06),
        _box(GREY, 0.2, 0.6, 0.36, 0.92, 0.05),
    ],
    "📺": [
        _line(INK, 0.05, 0.34, 0.06, 0.5, 0.24, 0.66, 0.06),
        _box(INK, 0.04, 0.22, 0.96, 0.92, 0.1),
        _box(SKY, 0.13, 0.31, 0.72, 0.83, 0.06),
        _disc(PALE, 0.84, 0.42, 0.06),
        _disc(PALE, 0.84, 0.6, 0.06),
    ],
    "🔁": _turning(BLUE),
    "🔄": _turning(SKY),
    "🔇": [*_speaker(), _line(RED, 0.09, 0.64, 0.36, 0.92, 0.64), _line(RED, 0.09, 0.64, 0.64, 0.92, 0.36)],
    "🔊": [*_speaker(), _line(BLUE, 0.08, 0.66, 0.34, 0.73, 0.5, 0.66, 0.66), _line(BLUE, 0.08, 0.8, 0.22, 0.92, 0.5, 0.8, 0.78)],
    "🔔": _bell(),
    "🔕": [*_bell(), _SLASH],
    "🔥": [
        _disc(AMBER, 0.5, 0.62, 0.34),
        _area(AMBER, 0.5, 0.02, 0.8, 0.48, 0.2, 0.5),
        _disc(GOLD, 0.5, 0.74, 0.2),
        _area(GOLD, 0.5, 0.4, 0.66, 0.68, 0.34, 0.68),
    ],
    "🖼": [
        _box(AMBER, 0.04, 0.12, 0.96, 0.88, 0.04),
        _box(SKY, 0.14, 0.22, 0.86, 0.78),
        _disc(GOLD, 0.32, 0.38, 0.09),
        _area(GREEN, 0.14, 0.78, 0.42, 0.5, 0.58, 0.64, 0.7, 0.54, 0.86, 0.78),
    ],
    "🙈": [
        _disc(BROWN, 0.5, 0.52, 0.4),
        _disc(SHADE, 0.5, 0.66, 0.25),
        _disc(SKIN, 0.3, 0.44, 0.17),
        _disc(SKIN, 0.7, 0.44, 0.17),
        _line(INK, 0.05, 0.4, 0.74, 0.6, 0.74),
    ],
    "🛠": [
        _line(GREY, 0.13, 0.22, 0.8, 0.76, 0.22),
        _ring(GREY, 0.78, 0.2, 0.15, 0.1),
        _line(BROWN, 0.12, 0.3, 0.32, 0.8, 0.84),
        _box(INK, 0.1, 0.14, 0.46, 0.34, 0.04),
    ],
    "🥅": [
        _ring(PALE, 0.5, 0.5, 0.0, 0.0),
        *(_line(PALE, 0.025, x, 0.24, x, 0.84) for x in (0.2, 0.35, 0.5, 0.65, 0.8)),
        *(_line(PALE, 0.025, 0.1, y, 0.9, y) for y in (0.36, 0.5, 0.64, 0.78)),
        _line(INK, 0.07, 0.08, 0.86, 0.08, 0.2, 0.92, 0.2, 0.92, 0.86),
    ],
    "🧪": [
        _line(PALE, 0.3, 0.68, 0.22, 0.3, 0.76),
        _line(GREEN, 0.24, 0.52, 0.46, 0.32, 0.74),
        _line(GREY, 0.09, 0.54, 0.08, 0.84, 0.3),
    ],
    "✏": [
        _line(GOLD, 0.2, 0.28, 0.72, 0.74, 0.26),
        _area(INK, 0.1, 0.9, 0.18, 0.66, 0.34, 0.82),
        _line(RED, 0.2, 0.76, 0.24, 0.82, 0.18),
    ],
    "👕": [
        _area(
            SKY, 0.3, 0.1, 0.7, 0.1, 0.98, 0.3, 0.84, 0.48, 0.76, 0.42, 0.76, 0.92, 0.24, 0.92, 0.24, 0.42, 0.16, 0.48, 0.02, 0.3
        ),
        _disc(WHITE, 0.5, 0.1, 0.11),
    ],
    "📌": [
        _line(GREY, 0.06, 0.42, 0.58, 0.14, 0.88),
        _line(RED, 0.2, 0.4, 0.6, 0.68, 0.32),
        _line(RED, 0.16, 0.26, 0.46, 0.54, 0.74),
        _line(RED, 0.16, 0.58, 0.16, 0.84, 0.42),
    ],
}
