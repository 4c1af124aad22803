"""Light and dark, and team colours that can be told apart and seen on either. Pure."""

from __future__ import annotations

import msgspec

from rules.action import Side
from rules.colours import Colour, Colours


class Theme(msgspec.Struct, frozen=True):
    """The colours of everything but the teams; `home` and `away` stand in for colours that will not do."""

    ground: Colour
    card: Colour
    ink: Colour
    muted: Colour
    faint: Colour
    home: Colour
    away: Colour
    away_too: Colour
    """For a guest where the home team wears something like `away`."""
    dark: bool = False


LIGHT = Theme(
    ground=(255, 255, 255),
    card=(242, 244, 247),
    ink=(17, 24, 39),
    muted=(95, 105, 120),
    faint=(214, 219, 226),
    home=(37, 99, 235),
    away=(219, 56, 44),
    away_too=(37, 99, 235),
)
DARK = Theme(
    ground=(17, 22, 29),
    card=(28, 35, 45),
    ink=(241, 244, 248),
    muted=(157, 168, 182),
    faint=(58, 68, 82),
    home=(96, 156, 255),
    away=(255, 107, 94),
    away_too=(96, 156, 255),
    dark=True,
)

SEEN = 2.6
"""The least contrast with the ground that a team's colour is shown at; below it, it is mixed with the ink."""
APART = 110.0
"""The least distance between the colours of both teams."""

YELLOW: Colour = (250, 196, 21)
RED: Colour = (220, 38, 38)
GREEN: Colour = (22, 163, 74)
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (24, 28, 36)


def themed(*, dark: bool) -> Theme:
    """The theme by its name."""
    return DARK if dark else LIGHT


def team_colours(colours: Colours, theme: Theme) -> dict[Side, Colour]:
    """What each side is drawn in: its own colour where that can be seen, and told from the other's."""
    home = visible(colours.home, theme) if colours.home else theme.home
    away = visible(colours.away, theme) if colours.away else theme.away
    if distance(home, away) < APART:
        away = max((theme.away, theme.away_too), key=lambda colour: distance(home, colour))
    return {Side.HOME: home, Side.AWAY: away}


def visible(colour: Colour, theme: Theme) -> Colour:
    """The colour, or the nearest mixture with the ink that can be seen on the ground and on the card."""
    for tenths in range(11):
        mixed = mix(colour, theme.ink, tenths / 10)
        if min(contrast(mixed, theme.ground), contrast(mixed, theme.card)) >= SEEN:
            return mixed
    return theme.ink


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """One colour with a share of another."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """The ratio of luminance, from 1 to 21, as WCAG 2 reckons it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def distance(one: Colour, other: Colour) -> float:
    """How unlike two colours look, from 0 to about 765."""
    mean = (one[0] + other[0]) / 2
    red, green, blue = (a - b for a, b in zip(one, other, strict=True))
    return float(((2 + mean / 256) * red**2 + 4 * green**2 + (2 + (255 - mean) / 256) * blue**2) ** 0.5)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
