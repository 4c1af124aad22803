"""Telegram's HTML: whether it could show a text."""

from __future__ import annotations

from html.parser import HTMLParser

TAGS = (
    "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "a", "tg-emoji",
    "code", "pre", "blockquote",
)  # fmt: skip
"""The tags that Telegram knows."""


def fault_in(html: str) -> str:
    """Why Telegram would refuse the text, in one sentence; empty where it would not."""
    reading = _Reading()
    reading.feed(html)
    reading.close()
    return reading.fault or (f"the text leaves <{reading.open[-1]}> open" if reading.open else "")


class _Reading(HTMLParser):
    """Follows the tags as they open and close; keeps the first fault."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.fault = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self._fault(f"Telegram does not know the tag <{tag}>")
        elif tag == "a" and not dict(attrs).get("href"):
            self._fault("a link needs its address: <a href=…>")
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._fault(f"Telegram does not know the tag <{tag}/>")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self._fault(f"the text closes </{tag}> where it is not open")

    def handle_data(self, data: str) -> None:
        if "<" in data:
            self._fault("write &lt; for a < that is no tag")

    def handle_comment(self, data: str) -> None:
        del data
        self._fault("Telegram does not know comments in a text")

    def _fault(self, sentence: str) -> None:
        self.fault = self.fault or sentence
