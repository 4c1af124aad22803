"""An alert's text in other languages: the languages are data, and what a rule's text compares stays English."""

from __future__ import annotations

from collections.abc import Mapping


def said(word: str, words: Mapping[str, str]) -> str:
    """A word in the other language, beginning with a capital where it does in English; one that is not there as it is."""
    other = words.get(word.casefold())
    if other is None:
        return word
    return other[:1].upper() + other[1:] if word[:1].isupper() else other
