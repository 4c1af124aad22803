"""How words stand together in the language that is spoken: inside of a sentence, in a row, counted."""

from __future__ import annotations

from collections.abc import Sequence

from babel.lists import format_list
from babel.units import format_unit

from bot.languages.speaking import locale, spoken

_NOUNS_ARE_TALL = frozenset({"de"})


def inside(words: str) -> str:
    """Words of a label as they stand inside of a sentence: `Goals` in lower case, `VAR checks` and every German noun as it is."""
    if spoken() in _NOUNS_ARE_TALL or words[1:2].isupper():
        return words
    return words[:1].lower() + words[1:]


def row(words: Sequence[str]) -> str:
    """Things one after the other, as after a colon."""
    return ", ".join(words)


def listed(words: Sequence[str]) -> str:
    """Things as a sentence names them: the last two are joined by an and."""
    return format_list(words, locale=locale())


def hours(number: int) -> str:
    """`3 hours`."""
    return format_unit(number, "duration-hour", locale=locale())
