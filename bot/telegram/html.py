"""Telegram's HTML as text: what a reader sees of it, its length, and shorter versions that are still whole. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Collection

LIMIT, CAPTION = 4096, 1024
"""Units of UTF-16 that a message, and the words below a picture, may have, their entities parsed."""

_TOKEN = re.compile(r"<(/?)([a-zA-Z][\w-]*)[^<>]*>|&(?:#\d+|#x[0-9a-fA-F]+|\w+);|[\s\S]")

_VEILED = re.compile(r"([^\n]*)\n<tg-spoiler>(.*)</tg-spoiler>", re.DOTALL)


def length(text: str) -> int:
    """Length as Telegram counts it: in units of UTF-16."""
    return len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def plain(source: str) -> str:
    """What a reader sees, without any entity but the spoiler that hides all from its second line on, ready to be sent as HTML."""
    veiled = _VEILED.fullmatch(source)
    if veiled is None:
        return html.escape(_seen(source), quote=False)
    return f"{plain(veiled[1])}\n<tg-spoiler>{plain(veiled[2])}</tg-spoiler>"


def without(source: str, tags: Collection[str]) -> str:
    """The same text without these tags; what they enclose stays."""
    return _TOKEN.sub(lambda found: "" if found[2] and found[2].lower() in tags else found[0], source)


def cut(source: str, limit: int = LIMIT) -> str:
    """At most so long, with an ellipsis where something is left out and every open tag closed."""
    if 2 * len(source) <= limit or length(source) <= limit or length(_seen(source)) <= limit:
        return source
    kept: list[str] = []
    open_tags: list[str] = []
    room = limit - 1
    for found in _TOKEN.finditer(source):
        room -= 0 if found[2] else length(html.unescape(found[0]))
        if room < 0:
            break
        kept.append(found[0])
        _follow(open_tags, found)
    return "".join(kept) + "…" + "".join(f"</{tag}>" for tag in reversed(open_tags))


def _follow(open_tags: list[str], found: re.Match[str]) -> None:
    if found[2] and not found[1]:
        open_tags.append(found[2])
    elif found[2] and open_tags:
        open_tags.pop()


def _seen(source: str) -> str:
    return "".join("" if found[2] else html.unescape(found[0]) for found in _TOKEN.finditer(source))
