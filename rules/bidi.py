"""Names that are written from right to left, inside of text that is written from left to right."""

from __future__ import annotations

import unicodedata

_BEGIN, _END = "\u2068", "\u2069"
"""Unicode's isolates: what stands between them is laid out by itself, and moves nothing around it."""
_FROM_THE_RIGHT = frozenset({"R", "AL"})


def isolated(name: str) -> str:
    """The name, kept to itself where letters in it are written from right to left; any other, or what is kept so, as it is."""
    if name.isascii() or _BEGIN in name or not any(unicodedata.bidirectional(letter) in _FROM_THE_RIGHT for letter in name):
        return name
    return f"{_BEGIN}{name}{_END}"
