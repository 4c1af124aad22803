"""Telegram's HTML measured, cut, and as text for a terminal."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Collection
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from bot.i18n.shorten import ELLIPSIS, shorten, text_length
from rules.engine.text import escape_html, visible_text

if TYPE_CHECKING:
    from rich.text import Text

TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024
"""How long a message and a caption may be, in UTF-16 units, without tags and with entities as characters."""

TELEGRAM_TAGS = frozenset(
    "a b blockquote code del em i ins pre s span strike strong tg-emoji tg-spoiler tg-time u".split()  # noqa: SIM905
)
"""The tags that Telegram documents. An older Bot API server may lack some; any other tag is the mistake of a rule's author."""

_HTML_TOKEN = re.compile(r"<(/?)([a-zA-Z][\w-]*)[^<>]*>|&(?:#\d+|#x[0-9a-fA-F]+|\w+);|[\s\S]")

# The form in which `render.hide_in_spoiler` makes messages of chats that hide scores.
_SPOILER_MESSAGE = re.compile(r"([^\n]*)\n<tg-spoiler>(.*)</tg-spoiler>", re.DOTALL)


_TERMINAL_STYLES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strike",
    "strike": "strike",
    "del": "strike",
    "code": "cyan",
    "pre": "cyan",
    "blockquote": "dim",
    "tg-spoiler": "reverse",
    "a": "blue underline",
}


def time_tag(instant: dt.datetime, html: str, *, with_day: bool = False) -> str:
    """Return HTML that Telegram shows as this time in the time zone of each reader. An older app shows `html` instead."""
    return f'<tg-time unix="{int(instant.timestamp())}" format="{"wdt" if with_day else "t"}">{html}</tg-time>'


def to_plain(source: str) -> str:
    """Return what a reader sees, as HTML without formatting. A spoiler that hides all from the second line on is kept."""
    # Without its markup the text would show the score that the chat asked to hide.
    spoiler = _SPOILER_MESSAGE.fullmatch(source)
    if spoiler is None:
        return escape_html(visible_text(source))
    return f"{to_plain(spoiler[1])}\n<tg-spoiler>{to_plain(spoiler[2])}</tg-spoiler>"


def mark_styles(source: str) -> str:
    """Return the text with ~~ around what is struck through and || around spoilers, for an output that shows no styles.

    Without them a text that is struck through would read as if it still counted.
    """
    for tag, mark in (("s", "~~"), ("tg-spoiler", "||")):
        source = source.replace(f"<{tag}>", f"<{tag}>{mark}").replace(f"</{tag}>", f"{mark}</{tag}>")
    return source


def remove_tags(source: str, tags: Collection[str]) -> str:
    """Return the text without these tags. What they enclose stays."""
    return _HTML_TOKEN.sub(lambda found: "" if found[2] and found[2].lower() in tags else found[0], source)


def cut(source: str, limit: int = TEXT_LIMIT) -> str:
    """Return at most so much of the text, with an ellipsis if something is left out, and with every open tag closed."""
    # Cheapest test first: nearly all texts are far below the limit, and even all characters of two units would fit.
    if 2 * len(source) <= limit or text_length(source) <= limit or text_length(visible_text(source)) <= limit:
        return source
    kept: list[str] = []
    open_tags: list[str] = []
    # One for the ellipsis.
    room = limit - 1
    for token in _HTML_TOKEN.finditer(source):
        closes, tag = token[1], token[2]
        room -= 0 if tag else text_length(html.unescape(token[0]))
        if room < 0:
            break
        kept.append(token[0])
        if tag and not closes:
            open_tags.append(tag)
        elif tag and open_tags:
            open_tags.pop()
    return "".join(kept) + ELLIPSIS + "".join(f"</{tag}>" for tag in reversed(open_tags))


def split_lines(text: str, limit: int = TEXT_LIMIT) -> list[str]:
    """Return plain text in parts of whole lines, each of at most so much. A line that is longer is cut."""
    parts: list[str] = []
    for line in text.split("\n"):
        line = shorten(line, limit)
        if parts and text_length(parts[-1]) + 1 + text_length(line) <= limit:
            parts[-1] = f"{parts[-1]}\n{line}"
        else:
            parts.append(line)
    return parts


class _TerminalTextParser(HTMLParser):
    """Collects text, each piece in the styles of the tags around it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        # Only here: a bot writes to no terminal, and rich takes 3 MB.
        from rich.text import Text

        self.text = Text()
        self._open: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        style = _TERMINAL_STYLES.get(tag, "")
        if tag == "span" and facts.get("class") == "tg-spoiler":
            style = _TERMINAL_STYLES["tg-spoiler"]
        if tag == "a" and facts.get("href"):
            style = f"{style} link {facts['href']}"
        self._open.append((tag, style))

    def handle_endtag(self, tag: str) -> None:
        # Tags may be closed in the wrong order: the innermost of this name ends.
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index][0] == tag:
                del self._open[index]
                return

    def handle_data(self, data: str) -> None:
        self.text.append(data, " ".join(style for _, style in self._open if style) or None)


def to_terminal(html: str) -> Text:
    """Return the text with its styles. Unknown tags are ignored."""
    parser = _TerminalTextParser()
    parser.feed(html)
    parser.close()
    return parser.text


def to_one_line(html: str) -> str:
    """Return the text in one line, for pipes and logs: lines joined by dots, what is struck through between ~~."""
    struck = html.replace("<s>", "<s>~~").replace("</s>", "~~</s>")
    return " · ".join(to_terminal(struck).plain.split("\n"))
