"""The 256 colours of a picture: those of its theme and teams exactly, and the steps between them for smooth edges."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain

from PIL import Image

from bot.pictures.theme import BLACK, GREEN, RED, WHITE, YELLOW, Theme, mix
from rules.colours import Colour

_ON_GROUND, _ON_CARD, _ON_SIGNS = 13, 11, 6


@lru_cache(32)
def palette(theme: Theme, home: Colour, away: Colour) -> Image.Image:
    """An image of one pixel with the palette, as Pillow wants it."""
    teams, words, signs = (home, away), (theme.ink, theme.muted), (YELLOW, RED, GREEN, BLACK, WHITE)
    exact = (theme.ground, theme.card, theme.faint, *teams, *words, *signs)
    between = chain(
        _steps(words, (theme.ground,), _ON_GROUND),
        _steps(words, (theme.card,), _ON_CARD),
        _steps((*teams, *signs, theme.card), (theme.ground,), _ON_SIGNS),
        _steps((*teams, theme.ground), (theme.card,), _ON_SIGNS),
        _steps((*teams,), (theme.faint,), _ON_SIGNS),
        _steps((WHITE,), (RED, GREEN, BLACK), _ON_SIGNS),
    )
    steps = (step for step in between if all(_apart(step, colour) for colour in exact))
    colours = list(dict.fromkeys((*exact, *steps)))[:256]
    image = Image.new("P", (1, 1))
    image.putpalette(bytes(chain.from_iterable(colours)))
    return image


def _apart(one: Colour, other: Colour) -> bool:
    """Pillow looks colours up in cells of four: a step in the cell of an exact colour would take its place."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) > 6


def _steps(fronts: tuple[Colour, ...], grounds: tuple[Colour, ...], count: int) -> list[Colour]:
    """The colours between each front and each ground."""
    shares = [step / (count + 1) for step in range(1, count + 1)]
    return [mix(front, ground, share) for front in fronts for ground in grounds for share in shares]
