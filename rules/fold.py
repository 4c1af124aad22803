"""Names compared as people type them: without accents, letter case or stray space."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "’": "'"})


@lru_cache(maxsize=8192)
def fold(name: str) -> str:
    """`" Çalhanoğlu "` and `"calhanoglu"` give the same text."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LETTERS)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())
