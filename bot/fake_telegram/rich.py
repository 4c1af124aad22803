"""Rich messages: `InputRichMessage` read as strictly as Telegram documents it, with the words of its refusal."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

from bot.fake_telegram.html import Parsed

MAX_LENGTH, MAX_BLOCKS, MAX_DEPTH, MAX_COLUMNS = 32_768, 500, 16, 20

_FIELDS = frozenset({"html", "markdown", "blocks", "is_rtl", "skip_entity_detection", "media"})
_CONTENTS = ("html", "markdown", "blocks")

_INLINE = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "code": "code", "mark": "marked",
    "sub": "subscript", "sup": "superscript", "tg-spoiler": "spoiler", "a": "url", "tg-time": "date_time",
}  # fmt: skip
_BLOCKS = {
    **{f"h{size}": "heading" for size in range(1, 7)}, "p": "paragraph", "footer": "footer", "pre": "pre",
    "blockquote": "blockquote", "ul": "list", "ol": "list", "table": "table", "details": "details",
}  # fmt: skip
_PARTS = {"tr": ("table",), "td": ("tr",), "th": ("tr",), "caption": ("table",), "summary": ("details",), "li": ("ul", "ol")}
"""Tags that stand only inside of others."""

_VOID = frozenset({"br", "hr"})
_ATTRIBUTES = {
    "table": {"bordered", "striped"}, "details": {"open"}, "a": {"href", "name"}, "tg-time": {"unix", "format"},
    "td": {"colspan", "rowspan", "align", "valign"}, "th": {"colspan", "rowspan", "align", "valign"},
    "ol": {"start", "type", "reversed"}, "li": {"value", "type"},
}  # fmt: skip
_ATTRIBUTE = re.compile(r"([a-z-]+)(?:=\"([^\"]*)\")?")
_TOKEN = re.compile(
    r"<(?P<end>/?)(?P<name>[a-z][a-z0-9-]*)(?P<attributes>(?:\s+[a-z-]+(?:=\"[^\"]*\")?)*)\s*/?>"
    r"|(?P<entity>&(?:lt|gt|amp|quot|apos|nbsp|hellip|mdash|ndash|lsquo|rsquo|ldquo|rdquo|#\d+|#x[0-9a-fA-F]+);)"
    r"|[^<&]+"
)


class RichMessageError(Exception):
    """The message is not what Telegram documents; `str()` says why."""


@dataclass(slots=True)
class _Element:
    """An open tag with what has been read of it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    content: list[str | _Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What a reader sees of it, a line for each block."""
        parts = [part if isinstance(part, str) else part.text for part in self.content]
        text = "".join(parts)
        if self.name in ("td", "th"):
            return f"{text.strip()}\t"
        return f"\n{text.strip()}\n" if self.name in (*_BLOCKS, "tr", "li", "summary") else text

    def json(self) -> dict[str, Any]:
        """Return Telegram's RichBlock; the texts in it are plain."""
        block: dict[str, Any] = {"type": _BLOCKS[self.name]}
        elements = [part for part in self.content if isinstance(part, _Element)]
        if self.name == "table":
            rows = [element for element in elements if element.name == "tr"]
            block["cells"] = [[_cell_to_json(cell) for cell in row.content if isinstance(cell, _Element)] for row in rows]
            return block | {f"is_{name}": True for name in ("bordered", "striped") if name in self.attributes}
        if self.name == "details":
            summary, *others = elements
            block |= {"summary": summary.text.strip(), "blocks": [one.json() for one in others if one.name in _BLOCKS]}
            return block | ({"is_open": True} if "open" in self.attributes else {})
        if self.name in ("ul", "ol"):
            return block | {"items": [{"label": "•", "blocks": [_make_paragraph(one.text)]} for one in elements]}
        if self.name == "blockquote":
            return block | {"blocks": [_make_paragraph(self.text)]}
        return block | {"text": self.text.strip()} | ({"size": int(self.name[1])} if self.name[0] == "h" else {})


def _cell_to_json(cell: _Element) -> dict[str, Any]:
    body: dict[str, Any] = {"align": cell.attributes.get("align", "left"), "valign": cell.attributes.get("valign", "top")}
    text = cell.text.strip()
    return body | ({"text": text} if text else {}) | ({"is_header": True} if cell.name == "th" else {})


def _block_to_json(part: str | _Element) -> dict[str, Any]:
    # Text that stands beside the blocks is a paragraph of its own.
    if isinstance(part, _Element):
        return part.json() if part.name in _BLOCKS else _make_paragraph(part.text)
    return _make_paragraph(part)


def _make_paragraph(text: str) -> dict[str, Any]:
    return {"type": "paragraph", "text": text.strip()}


@dataclass(slots=True)
class RichContent:
    """A rich message as it was sent: its HTML, and its blocks as Telegram returns them."""

    html: str
    parsed: Parsed
    blocks: list[dict[str, Any]]


def read_rich_message(given: Any) -> RichContent:
    """Read an InputRichMessage. Raises RichMessageError where it is not one; only its `html` is understood here."""
    if not isinstance(given, dict) or set(given) - _FIELDS:
        raise RichMessageError("unsupported field")
    if sum(name in given for name in _CONTENTS) != 1:
        raise RichMessageError("exactly one of html, markdown and blocks must be used")
    if not isinstance(given.get("html"), str):
        raise RichMessageError("this server understands html alone")
    root = _read(given["html"])
    text = re.sub(r"\s*\n\s*", "\n", root.text).strip()
    if not text:
        raise RichMessageError("message is empty")
    if len(text) > MAX_LENGTH:
        raise RichMessageError("message is too long")
    blocks = [_block_to_json(part) for part in root.content if not isinstance(part, str) or part.strip()]
    return RichContent(given["html"], Parsed(text), blocks)


def _read(source: str) -> _Element:
    """Read the HTML to a tree; its root has no name."""
    open_tags, at = [_Element("")], 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise RichMessageError(f"unclosed tag or unsupported entity at {at}")
        if found["name"]:
            _read_tag(found, open_tags)
        elif found["entity"]:
            open_tags[-1].content.append(html.unescape(found[0]))
        else:
            # Line breaks of the source mean a blank, as in every HTML.
            open_tags[-1].content.append(re.sub(r"\s+", " ", found[0]))
        at = found.end()
    if len(open_tags) > 1:
        raise RichMessageError(f'can\'t find end tag for "{open_tags[-1].name}"')
    if len(re.findall(rf"<(?:{'|'.join(_BLOCKS)}|tr|li)\b", source)) > MAX_BLOCKS:
        raise RichMessageError("too many blocks")
    return open_tags[0]


def _read_tag(found: re.Match[str], open_tags: list[_Element]) -> None:
    name = found["name"]
    if found["end"]:
        if open_tags[-1].name != name:
            raise RichMessageError(f'unmatched end tag "{name}" at {found.start()}')
        _check_closed(open_tags.pop())
    elif name in _VOID:
        open_tags[-1].content.append("\n")
    else:
        element = _Element(name, {one[1]: one[2] or "" for one in _ATTRIBUTE.finditer(found["attributes"])})
        _check_opened(element, open_tags, found.start())
        open_tags[-1].content.append(element)
        open_tags.append(element)


def _check_opened(element: _Element, open_tags: list[_Element], at: int) -> None:
    name, parent = element.name, open_tags[-1].name
    if name not in _INLINE and name not in _BLOCKS and name not in _PARTS:
        raise RichMessageError(f'unsupported start tag "{name}" at {at}')
    if set(element.attributes) - _ATTRIBUTES.get(name, set()):
        raise RichMessageError(f'unsupported attribute of "{name}" at {at}')
    if len(open_tags) > MAX_DEPTH:
        raise RichMessageError("too many nested tags")
    if name in _PARTS and parent not in _PARTS[name]:
        raise RichMessageError(f'"{name}" is not allowed in "{parent}"')
    # Table cells, headings, paragraphs and summaries have inline formatting alone.
    if name in _BLOCKS and parent not in ("", "details", "blockquote", "li"):
        raise RichMessageError(f'"{name}" is not allowed in "{parent}"')
    if parent in ("table", "tr") and name not in _PARTS:
        raise RichMessageError(f'"{name}" is not allowed in "{parent}"')


def _check_closed(element: _Element) -> None:
    elements = [part for part in element.content if isinstance(part, _Element)]
    if element.name == "tr" and len(elements) > MAX_COLUMNS:
        raise RichMessageError("too many columns")
    if element.name == "details" and (not elements or elements[0].name != "summary"):
        raise RichMessageError("details need a summary")
