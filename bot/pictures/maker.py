"""The way in: a picture of a match, drawn in a thread of its own so that no packet waits for it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from importlib.util import find_spec

from bot.errors import UserMistake
from bot.pictures.words import Words, spoken_words
from rules.match import Match
from rules.timeline import Stage, Timeline, timeline_of

_ONE_AT_A_TIME = ThreadPoolExecutor(1, "pictures")
"""At half time many chats want the same second; the machine has other things to do as well."""


def available() -> bool:
    """Tell whether the extra `pictures` is installed."""
    return all(find_spec(name) for name in ("PIL", "anyascii"))


def require(*, have: bool) -> None:
    """Raise UserMistake where the extra `pictures` is not there."""
    if not have:
        raise UserMistake("pictures need Pillow and what helps it: install them with pip install 'touchline[pictures]'")


def picture(timeline: Timeline, *, dark: bool = False, words: Words | None = None) -> bytes:
    """A time line as a PNG; raise UserMistake where the extra `pictures` is not installed."""
    require(have=available())
    return _drawn(timeline, dark, words or spoken_words())


@lru_cache(48)
def _drawn(timeline: Timeline, dark: bool, words: Words) -> bytes:
    """What one chat was shown the next is shown without drawing."""
    from bot.pictures.picture import draw

    return draw(timeline, dark=dark, words=words)


async def picture_of(match: Match, stage: Stage | None = None, *, dark: bool = False, words: Words | None = None) -> bytes:
    """A match as a PNG, as `drawn` makes it; `stage` as for `timeline_of`."""
    return await drawn(timeline_of(match, stage), dark=dark, words=words)


async def drawn(timeline: Timeline, *, dark: bool = False, words: Words | None = None) -> bytes:
    """A time line as a PNG, drawn while all else goes on. Raise UserMistake as `picture` does."""
    drawing = partial(picture, timeline, dark=dark, words=words or spoken_words())
    return await asyncio.get_running_loop().run_in_executor(_ONE_AT_A_TIME, drawing)
