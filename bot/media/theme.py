"""The colours of a picture: themes, team colours that are visible and distinct, and the palette of the PNG."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain

import msgspec
from PIL import Image

from rules.football.action import Side
from rules.football.colours import Colour, Colours


class Theme(msgspec.Struct, frozen=True):
    """The colours of everything but the teams. `home` and `away` replace team colours that are unknown or unsuitable."""

    background: Colour
    card: Colour
    text: Colour
    muted: Colour
    faint: Colour
    home: Colour
    away: Colour
    away_alternative: Colour
    """For the away team if the home team's colour is close to `away`."""
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

# WCAG asks for 3 for large shapes. A little less keeps yellow teams yellow on the light ground.
MIN_CONTRAST = 2.6
"""The least contrast of a team's colour with the background. A colour below it is mixed with the text colour."""

MIN_TEAM_DISTANCE = 110.0
"""The least distance between the colours of the two teams, as `colour_distance` measures it."""

_BACKGROUND_STEPS, _CARD_STEPS, _ICON_STEPS = 13, 11, 6
"""Palette colours between two exact ones, for smooth edges. Text has the most of them."""

YELLOW: Colour = (250, 196, 21)

RED: Colour = (220, 38, 38)

GREEN: Colour = (22, 163, 74)

WHITE: Colour = (255, 255, 255)

BLACK: Colour = (24, 28, 36)


def choose_theme(*, dark: bool) -> Theme:
    """Return the dark or the light theme."""
    return DARK if dark else LIGHT


def team_colours(colours: Colours, theme: Theme) -> dict[Side, Colour]:
    """Return each side's colour: its own, changed if it is hardly visible. The home team keeps its colour if both are alike."""
    home = ensure_contrast(colours.home, theme) if colours.home else theme.home
    away = ensure_contrast(colours.away, theme) if colours.away else theme.away
    if colour_distance(home, away) < MIN_TEAM_DISTANCE:
        # Never the home team: one of the two keeps the colour that its supporters know.
        away = max((theme.away, theme.away_alternative), key=lambda colour: colour_distance(home, colour))
    return {Side.HOME: home, Side.AWAY: away}


def ensure_contrast(colour: Colour, theme: Theme) -> Colour:
    """Return the colour, or the nearest mixture with the text colour that is visible on the background and on the card."""
    # In small steps: the team's colour stays as recognisable as it can be.
    for tenths in range(11):
        mixed = mix_colours(colour, theme.text, tenths / 10)
        if min(contrast_ratio(mixed, theme.background), contrast_ratio(mixed, theme.card)) >= MIN_CONTRAST:
            return mixed
    return theme.text


def mix_colours(one: Colour, other: Colour, share: float) -> Colour:
    """Mix two colours. `share` is that of the second, from 0 to 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def contrast_ratio(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of WCAG 2, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colour_distance(one: Colour, other: Colour) -> float:
    """Return how different two colours look, from 0 to about 765: the "redmean" approximation of human perception."""
    mean = (one[0] + other[0]) / 2
    red, green, blue = (a - b for a, b in zip(one, other, strict=True))
    return float(((2 + mean / 256) * red**2 + 4 * green**2 + (2 + (255 - mean) / 256) * blue**2) ** 0.5)


def _luminance(colour: Colour) -> float:
    """Return the relative luminance of WCAG 2: the sRGB channels made linear, then weighted."""
    channels = (channel / 255 for channel in colour)
    red, green, blue = (c / 12.92 if c <= 0.04045 else float(((c + 0.055) / 1.055) ** 2.4) for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@lru_cache(32)
def build_palette(theme: Theme, home: Colour, away: Colour) -> Image.Image:
    """Return an image of one pixel that carries the palette, which is the form that `Image.quantize` takes.

    The palette is built and not computed from the image, so that the team colours stay exact.
    """
    teams, texts, icons = (home, away), (theme.text, theme.muted), (YELLOW, RED, GREEN, BLACK, WHITE)
    exact = (theme.background, theme.card, theme.faint, *teams, *texts, *icons)
    between = chain(
        _mix_steps(texts, (theme.background,), _BACKGROUND_STEPS),
        _mix_steps(texts, (theme.card,), _CARD_STEPS),
        _mix_steps((*teams, *icons, theme.card), (theme.background,), _ICON_STEPS),
        _mix_steps((*teams, theme.background), (theme.card,), _ICON_STEPS),
        _mix_steps((*teams,), (theme.faint,), _ICON_STEPS),
        _mix_steps((WHITE,), (RED, GREEN, BLACK), _ICON_STEPS),
    )
    # Exact colours first: a palette holds 256, and what does not fit is cut off.
    # Pillow looks colours up in cells of four, and a step in the same cell as an exact colour would replace it: only steps that
    # are more than 6 apart from each in some channel are kept.
    steps = (step for step in between if all(max(abs(a - b) for a, b in zip(step, colour, strict=True)) > 6 for colour in exact))
    colours = list(dict.fromkeys((*exact, *steps)))[:256]
    image = Image.new("P", (1, 1))
    image.putpalette(bytes(chain.from_iterable(colours)))
    return image


def _mix_steps(fronts: tuple[Colour, ...], backgrounds: tuple[Colour, ...], count: int) -> list[Colour]:
    """Return `count` colours between each front and each background."""
    shares = [step / (count + 1) for step in range(1, count + 1)]
    return [mix_colours(front, background, share) for front in fronts for background in backgrounds for share in shares]
