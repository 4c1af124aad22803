"""Telegram's HTML -> styled text for a terminal."""

from __future__ import annotations

from html.parser import HTMLParser

from rich.text import Text

_STYLES = {
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


class _Painter(HTMLParser):
    """Collects text, each piece in the styles of the tags that are open around it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = Text()
        self._open: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        style = _STYLES.get(tag, "")
        if tag == "span" and facts.get("class") == "tg-spoiler":
            style = _STYLES["tg-spoiler"]
        if tag == "a" and facts.get("href"):
            style = f"{style} link {facts['href']}"
        self._open.append((tag, style))

    def handle_endtag(self, tag: str) -> None:
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index][0] == tag:
                del self._open[index]
                return

    def handle_data(self, data: str) -> None:
        self.text.append(data, " ".join(style for _, style in self._open if style) or None)


def painted(html: str) -> Text:
    """The text with its styles; unknown tags are passed over, entities are themselves again."""
    painter = _Painter()
    painter.feed(html)
    painter.close()
    return painter.text


def in_one_line(html: str) -> str:
    """The words alone, for pipes and logs: lines joined by a dot, what is struck through between ~~."""
    struck = html.replace("<s>", "<s>~~").replace("</s>", "~~</s>")
    return " · ".join(painted(struck).plain.split("\n"))
