"""Texts measured as Telegram measures them, and shortened to fit a button, a note or a line. Start at `shorten`."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

ELLIPSIS = "…"

_ISOLATE_STARTS, _ISOLATE_END = "\u2066\u2067\u2068", "\u2069"

_JOINER = "\u200d"
"""Joins several emoji into one."""

_FIRST_PLACE = 0xE000
"""The first character for private use: they stand for names, since no text has them."""

_SHORTEST_NAME = 5
"""Units of a name that still says which team it is, with the ellipsis."""

_SHORTEST_WORD = 4
"""Units of a word in a name that is cut, with the ellipsis."""


def text_length(text: str) -> int:
    """Return the length as Telegram counts it: in UTF-16 units."""
    # Counting letter by letter takes ten times as long. A lone surrogate, which JSON may bring, is one unit.
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(text: str, room: float, measure: Callable[[str], float] = text_length) -> str:
    """Return a plain text that has at most `room`, with an ellipsis if something is left out.

    `measure` returns what a text takes, in UTF-16 units or, in a picture, in pixels. No letter loses its accent and no emoji
    its second half, and a name from right to left keeps the mark that ends it.
    """
    if measure(text) <= room:
        return text
    # A text that is much too long loses its end at once: no character takes less than one unit.
    end = min(len(text), int(room)) if measure is text_length else len(text)
    while end > 0:
        if _is_boundary(text, end):
            kept = text[:end].rstrip(f" \n{ELLIPSIS}")
            is_isolate_open = sum(map(kept.count, _ISOLATE_STARTS)) > kept.count(_ISOLATE_END)
            short = f"{kept}{ELLIPSIS}{_ISOLATE_END if is_isolate_open else ''}"
            if measure(short) <= room:
                return short
        end -= 1
    return ELLIPSIS


def shorten_names(text: str, names: Sequence[str], room: int) -> str:
    """Return a text in at most `room` UTF-16 units in which its names are shortened alike: of `A v B` both stay recognisable."""
    if text_length(text) <= room:
        return text
    # The longer name first: the other may be a part of it, as United is of Manchester United.
    places = {name: chr(_FIRST_PLACE + number) for number, name in enumerate(sorted(filter(None, names), key=len, reverse=True))}
    pattern = text
    for name, place in places.items():
        pattern = pattern.replace(name, place, 1)
    short = text
    for longest in range(max(map(text_length, places), default=0), _SHORTEST_NAME - 1, -1):
        short = pattern
        for name, place in places.items():
            short = short.replace(place, _shorten_name(name, longest))
        if text_length(short) <= room:
            return short
    # What stands after the names is lost before a name is.
    return shorten(short, room)


def _shorten_name(name: str, room: int) -> str:
    """Return a name in so many units. Its longest words are cut first: `Manc… City` and `Manc… United` are two teams."""
    words = name.split(" ")
    rooms = [text_length(word) for word in words]
    while sum(rooms) + len(words) - 1 > room and max(rooms) > _SHORTEST_WORD:
        longest = rooms.index(max(rooms))
        rooms[longest] -= 1
        words[longest] = shorten(name.split(" ")[longest], rooms[longest])
    short = " ".join(words)
    return short if text_length(short) <= room else shorten(name, room)


def _is_boundary(text: str, at: int) -> bool:
    """Return True if a text may be cut before this character: it is no accent, variation or part of a joined emoji."""
    if at >= len(text):
        return True
    # Accents and variation selectors are Mn, the tones of skin Sk.
    return unicodedata.category(text[at]) not in ("Mn", "Me", "Sk") and _JOINER not in (text[at], text[at - 1])
