"""Telegram's HTML, read as strictly as Telegram reads it: what it refuses is refused with its own words."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "span": "spoiler", "tg-spoiler": "spoiler",
    "code": "code", "pre": "pre", "blockquote": "blockquote", "a": "text_link", "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}  # fmt: skip

_START = re.compile(r"<([^\s>=/\"'<]*)((?:\s+[a-zA-Z-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>]+))?)*)\s*>")
_END = re.compile(r"</([^\s>]*)\s*>")
OpenTag = tuple[str, int, dict[str, object]]
"""Its name, where its text begins, and what its entity has besides."""

_PLAIN = re.compile(r"[^<&]+")
_ENTITY = re.compile(r"&(lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")
_DATE_FORMAT = re.compile(r"r|w?[dD]?[tT]?")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+)))?")


class EntitiesError(Exception):
    """The text is not Telegram's HTML; `str()` is what Telegram says."""


@dataclass(slots=True)
class Parsed:
    """The text that a reader sees, and its entities with offsets in UTF-16 units."""

    text: str = ""
    entities: list[dict[str, object]] = field(default_factory=list)

    @property
    def struck(self) -> bool:
        """True if some of the text is struck through."""
        return any(entity["type"] == "strikethrough" for entity in self.entities)


def utf16(text: str) -> int:
    """Return the length of a text in UTF-16 units, as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def parse(source: str) -> Parsed:
    """Read Telegram's HTML; raise EntitiesError where Telegram would refuse it."""
    parsed, at = Parsed(), 0
    open_tags: list[OpenTag] = []
    while at < len(source):
        if source[at] == "<":
            at = _read_tag(source, at, parsed, open_tags)
        elif found := _PLAIN.match(source, at):
            parsed.text += found[0]
            at = found.end()
        elif found := _ENTITY.match(source, at):
            parsed.text += html.unescape(found[0])
            at = found.end()
        else:
            parsed.text += source[at]
            at += 1
    if open_tags:
        raise EntitiesError(f'Can\'t find end tag corresponding to start tag "{open_tags[-1][0]}"')
    return _strip_white_space(parsed)


def _read_tag(source: str, at: int, parsed: Parsed, open_tags: list[OpenTag]) -> int:
    if source.startswith("</", at):
        return _read_end_tag(source, at, parsed, open_tags)
    # Telegram's error messages count bytes of UTF-8, while its entities count UTF-16 units.
    where = f"at byte offset {len(source[:at].encode())}"
    found = _START.match(source, at)
    name = found[1].lower() if found else re.split(r"[\s>=]", source[at + 1 :], maxsplit=1)[0].lower()
    if name not in TAGS:
        raise EntitiesError(f'Unsupported start tag "{name}" {where}')
    if not found:
        raise EntitiesError(f"Unclosed start tag {where}")
    attributes = {a[1].lower(): a[2] or a[3] or a[4] or "" for a in _ATTRIBUTE.finditer(found[2])}
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise EntitiesError(f'Tag "span" must have class "tg-spoiler" {where}')
    more: dict[str, object] = {"url": attributes["href"]} if attributes.get("href") else {}
    if name == "tg-time":
        if not re.fullmatch(r"-?\d{1,12}", attributes.get("unix", "")) or not _DATE_FORMAT.fullmatch(
            attributes.get("format", "")
        ):
            raise EntitiesError(f'Tag "tg-time" must have a valid time and format {where}')
        more = {"unix_time": int(attributes["unix"]), "date_time_format": attributes.get("format", "")}
    open_tags.append((name, utf16(parsed.text), more))
    return found.end()


def _read_end_tag(source: str, at: int, parsed: Parsed, open_tags: list[OpenTag]) -> int:
    where = f"at byte offset {len(source[:at].encode())}"
    if not open_tags:
        raise EntitiesError(f"Unexpected end tag {where}")
    found = _END.match(source, at)
    if not found:
        raise EntitiesError(f"Unclosed end tag {where}")
    name, offset, more = open_tags.pop()
    if found[1] and found[1].lower() != name:
        raise EntitiesError(f'Unmatched end tag {where}, expected "</{name}>", found "</{found[1].lower()}>"')
    length = utf16(parsed.text) - offset
    # Telegram drops empty entities.
    if length:
        parsed.entities.append({"type": TAGS[name], "offset": offset, "length": length} | more)
    return found.end()


def _strip_white_space(parsed: Parsed) -> Parsed:
    """Strip white space at both ends, as Telegram does."""
    lead = utf16(parsed.text) - utf16(parsed.text.lstrip())
    text = parsed.text.strip()
    entities = []
    # Outer entities before those inside them, as Telegram returns them; one that had only white space is gone with it.
    for entity in sorted(parsed.entities, key=lambda e: (e["offset"], -int(str(e["length"])))):
        start = max(0, int(str(entity["offset"])) - lead)
        end = min(utf16(text), int(str(entity["offset"])) - lead + int(str(entity["length"])))
        if end > start:
            entities.append(entity | {"offset": start, "length": end - start})
    return Parsed(text, entities)
