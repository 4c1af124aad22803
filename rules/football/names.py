"""Names compared and shown: accents folded, right-to-left names isolated."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Letters that Unicode does not decompose into a plain letter and an accent.
_LETTER_REPLACEMENTS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "’": "'"}
)

_ISOLATE_START, _ISOLATE_END = "\u2068", "\u2069"
"""Unicode's isolates: text between them is laid out by itself and does not reorder the text around it."""

_RIGHT_TO_LEFT = frozenset({"R", "AL"})


# Every packet compares the same few names with those of every rule. 8,192 names are several competitions' teams and players.
@lru_cache(maxsize=8192)
def normalise(name: str) -> str:
    """Return a name without accents, letter case and extra space, for comparing: `" Çalhanoğlu "` becomes `"calhanoglu"`."""
    if name.isascii():
        return " ".join(name.casefold().split())  # most names, and many times as fast
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LETTER_REPLACEMENTS)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def isolate(name: str) -> str:
    """Put a name that has right-to-left letters between Unicode isolates. Any other name, or an isolated one, stays as it is."""
    if name.isascii() or _ISOLATE_START in name:
        return name
    if not any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in name):
        return name
    return f"{_ISOLATE_START}{name}{_ISOLATE_END}"
