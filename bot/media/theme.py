"""Colours: light, dark, teams that can be told apart, the palette."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain

import msgspec
from PIL import Image

from rules.football.action import Side
from rules.football.match import Colour, Colours


class Theme(msgspec.Struct, frozen=True):
    """The colours of everything but the teams; `home` and `away` stand in for colours that will not do."""

    background: Colour
    card: Colour
    text: Colour
    muted: Colour
    faint: Colour
    home: Colour
    away: Colour
    away_alternative: Colour
    """For a guest where the home team wears something like `away`."""
    is_dark: bool = False


LIGHT = Theme(
    background=(255, 255, 255),
    card=(242, 244, 247),
    text=(17, 24, 39),
    muted=(95, 105, 120),
    faint=(214, 219, 226),
    home=(37, 99, 235),
    away=(219, 56, 44),
    away_alternative=(37, 99, 235),
)

DARK = Theme(
    background=(17, 22, 29),
    card=(28, 35, 45),
    text=(241, 244, 248),
    muted=(157, 168, 182),
    faint=(58, 68, 82),
    home=(96, 156, 255),
    away=(255, 107, 94),
    away_alternative=(96, 156, 255),
    is_dark=True,
)

MIN_CONTRAST = 2.6
"""The least contrast with the ground that a team's colour is shown at; below it, it is mixed with the ink."""

MIN_TEAM_DISTANCE = 110.0
"""The least distance between the colours of both teams."""

YELLOW: Colour = (250, 196, 21)

RED: Colour = (220, 38, 38)

GREEN: Colour = (22, 163, 74)

WHITE: Colour = (255, 255, 255)

BLACK: Colour = (24, 28, 36)


def choose_theme(*, dark: bool) -> Theme:
    """The theme by its name."""
    return DARK if dark else LIGHT


def team_colours(colours: Colours, theme: Theme) -> dict[Side, Colour]:
    """What each side is drawn in: its own colour where that can be seen, and told from the other's."""
    home = ensure_contrast(colours.home, theme) if colours.home else theme.home
    away = ensure_contrast(colours.away, theme) if colours.away else theme.away
    if colour_distance(home, away) < MIN_TEAM_DISTANCE:
        away = max((theme.away, theme.away_alternative), key=lambda colour: colour_distance(home, colour))
    return {Side.HOME: home, Side.AWAY: away}


def ensure_contrast(colour: Colour, theme: Theme) -> Colour:
    """The colour, or the nearest mixture with the ink that can be seen on the ground and on the card."""
    for tenths in range(11):
        mixed = mix_colours(colour, theme.text, tenths / 10)
        if min(contrast_ratio(mixed, theme.background), contrast_ratio(mixed, theme.card)) >= MIN_CONTRAST:
            return mixed
    return theme.text


def mix_colours(one: Colour, other: Colour, share: float) -> Colour:
    """One colour with a share of another."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def contrast_ratio(one: Colour, other: Colour) -> float:
    """The ratio of luminance, from 1 to 21, as WCAG 2 reckons it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colour_distance(one: Colour, other: Colour) -> float:
    """How unlike two colours look, from 0 to about 765."""
    mean = (one[0] + other[0]) / 2
    red, green, blue = (a - b for a, b in zip(one, other, strict=True))
    return float(((2 + mean / 256) * red**2 + 4 * green**2 + (2 + (255 - mean) / 256) * blue**2) ** 0.5)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linearise(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linearise(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


_STEPS_ON_GROUND, _STEPS_ON_CARD, _STEPS_ON_ICONS = 13, 11, 6


@lru_cache(32)
def build_palette(theme: Theme, home: Colour, away: Colour) -> Image.Image:
    """An image of one pixel with the palette, as Pillow wants it."""
    teams, words, signs = (home, away), (theme.text, theme.muted), (YELLOW, RED, GREEN, BLACK, WHITE)
    exact = (theme.background, theme.card, theme.faint, *teams, *words, *signs)
    between = chain(
        _mix_steps(words, (theme.background,), _STEPS_ON_GROUND),
        _mix_steps(words, (theme.card,), _STEPS_ON_CARD),
        _mix_steps((*teams, *signs, theme.card), (theme.background,), _STEPS_ON_ICONS),
        _mix_steps((*teams, theme.background), (theme.card,), _STEPS_ON_ICONS),
        _mix_steps((*teams,), (theme.faint,), _STEPS_ON_ICONS),
        _mix_steps((WHITE,), (RED, GREEN, BLACK), _STEPS_ON_ICONS),
    )
    steps = (step for step in between if all(_is_distinct(step, colour) for colour in exact))
    colours = list(dict.fromkeys((*exact, *steps)))[:256]
    image = Image.new("P", (1, 1))
    image.putpalette(bytes(chain.from_iterable(colours)))
    return image


def _is_distinct(one: Colour, other: Colour) -> bool:
    """Pillow looks colours up in cells of four: a step in the cell of an exact colour would take its place."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) > 6


def _mix_steps(fronts: tuple[Colour, ...], grounds: tuple[Colour, ...], count: int) -> list[Colour]:
    """The colours between each front and each ground."""
    shares = [step / (count + 1) for step in range(1, count + 1)]
    return [mix_colours(front, ground, share) for front in fronts for ground in grounds for share in shares]
