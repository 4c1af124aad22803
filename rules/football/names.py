"""Names compared and shown: accents, right-to-left isolation, nicknames to come."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_LETTER_REPLACEMENTS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "’": "'"}
)


@lru_cache(maxsize=8192)
def normalise(name: str) -> str:
    """`" Çalhanoğlu "` and `"calhanoglu"` give the same text."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LETTER_REPLACEMENTS)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


_ISOLATE_START, _ISOLATE_END = "\u2068", "\u2069"
"""Unicode's isolates: what stands between them is laid out by itself, and moves nothing around it."""

_RIGHT_TO_LEFT = frozenset({"R", "AL"})


def isolate(name: str) -> str:
    """The name, kept to itself where letters in it are written from right to left; any other, or what is kept so, as it is."""
    if (
        name.isascii()
        or _ISOLATE_START in name
        or not any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in name)
    ):
        return name
    return f"{_ISOLATE_START}{name}{_ISOLATE_END}"
