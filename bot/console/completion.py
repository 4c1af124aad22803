"""Completes keys and words in the editor of rules, by the JSON Schema of the file. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

_MAX_OPTIONS = 12
"""More would be a list to search and not a help: another letter makes it shorter."""

_MAX_HELP = 120
"""Characters that are shown of a description."""

_ITEM = "[]"
"""The step of a path into a list."""

_PAIRS = ("{}", "[]", '""', "''")
"""What an editor closes by itself: somebody who typed the first of them stands in the middle."""

Schema = Mapping[str, Any]


class Option(msgspec.Struct, frozen=True):
    """One completion that is offered."""

    text: str
    """What is inserted in place of the word that was begun."""
    help: str = ""

    @property
    def label(self) -> str:
        """Return the text as it is shown, without the space behind a key's colon."""
        return self.text.strip()


class Completions(msgspec.Struct, frozen=True):
    """What is offered at a place, the likeliest first. The word that was begun lies from `start` to `end`, the caret."""

    start: int = 0
    end: int = 0
    options: tuple[Option, ...] = ()


class _Place(msgspec.Struct, frozen=True):
    """Where the caret stands: the path from the top of the file, the word that was begun, and the keys that the mapping has."""

    path: tuple[str, ...]
    begun: str
    is_key: bool
    siblings: frozenset[str] = frozenset()


def find_caret(before: str, after: str) -> int:
    """Return the position of the caret, given the whole text before the last change and after it."""
    # The page sends whole texts and no position. What differs between two of them was typed just now.
    start, longest = 0, min(len(before), len(after))
    while start < longest and before[start] == after[start]:
        start += 1
    end = 0
    while end < longest - start and before[-1 - end] == after[-1 - end]:
        end += 1
    caret = len(after) - end
    return caret - 1 if after[start:caret] in _PAIRS else caret


def complete(text: str, caret: int, schema: Schema, words: Sequence[str] = ()) -> Completions:
    """Return the completions at the caret. `words` are the variables of texts: they are offered inside `{{ … }}`."""
    head = text[:caret]
    line = head.rpartition("\n")[2]
    variable = re.search(r"\{\{-?\s*(\w*)$", line)
    if variable:
        return _make_completions(caret, variable[1], [Option(word) for word in words])
    place = _find_place(text, caret)
    if place is None:
        return Completions()
    nodes = list(_resolve(schema, schema))
    for step in place.path:
        nodes = [found for node in nodes for found in _descend(node, step, schema)]
    options = list(_list_keys(nodes, place.siblings, schema)) if place.is_key else []
    if not place.is_key or not any("properties" in node for node in nodes):
        # What stands alone in a line of a list may be a word too.
        options = [Option(word) for word in dict.fromkeys(_list_values(nodes, schema))]
    return _make_completions(caret, place.begun, options)


def insert(text: str, completions: Completions, option: Option) -> str:
    """Return the text with an option in place of the word that was begun."""
    return text[: completions.start] + option.text + text[completions.end :]


def _make_completions(caret: int, begun: str, options: Sequence[Option]) -> Completions:
    wanted = begun.casefold()
    # What begins so first, then what has a word that does.
    first = [one for one in options if one.text.casefold().startswith(wanted)]
    later = [one for one in options if one not in first and re.search(rf"\b{re.escape(wanted)}", one.text.casefold())]
    fitting = [one for one in (*first, *later) if one.label != begun]
    return Completions(caret - len(begun), caret, tuple(fitting[:_MAX_OPTIONS]))


def _resolve(node: object, schema: Schema) -> Iterator[Schema]:
    """Yield the alternatives that a node stands for, references followed."""
    if not isinstance(node, Mapping):
        return
    if reference := node.get("$ref"):
        yield from _resolve(schema.get("definitions", {}).get(str(reference).rpartition("/")[2]), schema)
        return
    # All three alike: what is offered need not be valid in every way, the check below the editor says what is wrong.
    parts = [part for keyword in ("anyOf", "oneOf", "allOf") for part in node.get(keyword, ())]
    yield node
    for part in parts:
        yield from _resolve(part, schema)


def _descend(node: Schema, step: str, schema: Schema) -> Iterator[Schema]:
    if step == _ITEM:
        yield from _resolve(node.get("items"), schema)
    elif step in node.get("properties", {}):
        yield from _resolve(node["properties"][step], schema)
    else:
        yield from _resolve(node.get("additionalProperties"), schema)


def _list_keys(nodes: Sequence[Schema], siblings: frozenset[str], schema: Schema) -> Iterator[Option]:
    seen = set(siblings)
    for node in nodes:
        for key, value in node.get("properties", {}).items():
            if key not in seen:
                seen.add(key)
                described = next((one["description"] for one in _resolve(value, schema) if "description" in one), "")
                yield Option(f"{key}: ", described if len(described) <= _MAX_HELP else f"{described[: _MAX_HELP - 1]}…")


def _list_values(nodes: Sequence[Schema], schema: Schema) -> Iterator[str]:
    for node in nodes:
        yield from (str(word) for word in node.get("enum", ()) if isinstance(word, (str, int)) and not isinstance(word, bool))
        if isinstance(constant := node.get("const"), str):
            yield constant
        if "boolean" in (kinds := node.get("type", ())) or (isinstance(kinds, str) and kinds == "boolean"):
            yield from ("true", "false")
        # A list of words may be written as one word.
        yield from _list_values([part for part in _resolve(node.get("items"), schema) if part is not node], schema)


_DASHES = re.compile(r"(?:- +)*(?:-$)?")

_KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s#"'{}\[\],&*!|>%@`:][^#:{}\[\]]*?)\s*:(?:\s|$)""")

_LONG_TEXT = re.compile(r":\s+[|>][+-]?\d?\s*(#.*)?$")
"""The end of a line whose value is the text of the lines below."""


class _Line(msgspec.Struct, frozen=True):
    """A line up to the caret, without its indentation, joined with the next ones while brackets are open."""

    indent: int
    text: str
    is_last: bool


def _find_place(text: str, caret: int) -> _Place | None:
    """Return where the caret stands in the file; None where nothing can be offered, as in a comment or a long text."""
    # By lines and brackets, and not by a YAML reader: what is being typed is hardly ever valid YAML at that moment.
    stack: list[tuple[int, str]] = []
    """Indentation and step of what the line at hand lies in."""
    for line in _read_lines(text[:caret]):
        _close_levels(stack, line)
        length = match.end() if (match := _DASHES.match(line.text)) else 0
        stack += [(line.indent + dash.start(), _ITEM) for dash in re.finditer("-", line.text[:length])]
        rest, at = line.text[length:], line.indent + length
        key = _KEY.match(rest)
        path = [step for _, step in stack]
        if not line.is_last:
            if key:
                stack.append((at, _unquote(key[1])))
        elif key:
            # Behind a key there stands its value, which may open brackets.
            return _find_place_in_flow(rest[key.end() :], [*path, _unquote(key[1])])
        elif rest.startswith(("{", "[")):
            return _find_place_in_flow(rest, path)
        else:
            return _Place(tuple(path), rest, is_key=True, siblings=_find_siblings(text, caret, at, begins_item=length > 0))
    return None


def _read_lines(head: str) -> Iterator[_Line]:
    """Yield the lines that say where the caret is. The last one is left out if it is a comment, or part of a long text."""
    lines = head.split("\n")
    text_indent: int | None = None
    number = 0
    while number < len(lines):
        line, number = lines[number], number + 1
        bare = line.lstrip(" ")
        indent = len(line) - len(bare)
        # Lines of a text after `|` are no YAML, though they may look like it. The first that is indented no deeper ends the text.
        if text_indent is not None and (not bare or indent > text_indent):
            continue
        text_indent = indent if _LONG_TEXT.search(line) else None
        while number < len(lines) and _count_open(bare) > 0:
            bare, number = f"{bare} {lines[number].strip()}", number + 1
        is_last = number == len(lines)
        if not bare.startswith("#") and (bare or is_last):
            yield _Line(indent, bare, is_last)


def _close_levels(stack: list[tuple[int, str]], line: _Line) -> None:
    """Remove the levels from the stack that the line does not belong to."""
    # A list may begin at the indentation of its key.
    while stack and stack[-1][0] >= line.indent:
        if stack[-1][0] == line.indent and line.text.startswith("-") and stack[-1][1] != _ITEM:
            return
        stack.pop()


def _count_open(line: str) -> int:
    # Brackets in quotes, and those of `{{ … }}`, are part of a text.
    plain = re.sub(r'"[^"]*"|\'[^\']*\'|\{\{.*?\}\}', "", line)
    return sum(plain.count(sign) for sign in "{[") - sum(plain.count(sign) for sign in "}]")


def _unquote(word: str) -> str:
    return word.strip().strip("\"'")


_FLOW_TOKEN = re.compile(r""""[^"]*"?|'[^']*'?|[{}\[\],:]|[^{}\[\],:"']+""")


class _Flow:
    """Reads an unfinished flow mapping or list, such as `{a: b, c: [d`, and knows the path at its end."""

    def __init__(self, path: list[str]) -> None:
        self.steps, self.word, self.is_key = list(path), "", False
        self.stack: list[tuple[str, set[str]]] = []
        """The brackets that are open, each with the keys before."""

    def read(self, sign: str) -> None:
        """Take the next bracket, sign or word."""
        if sign in ("{", "["):
            self.stack.append((sign, set()))
            self.steps += [_ITEM] if sign == "[" else []
            self.word, self.is_key = "", sign == "{"
        elif sign in ("}", "]") and self.stack:
            opened, _ = self.stack.pop()
            self._end_value(is_list=opened == "[")
            self.word, self.is_key = "", False
        elif sign == "," and self.stack:
            is_mapping = self.stack[-1][0] == "{"
            if is_mapping:
                self._end_value(is_list=False)
            self.word, self.is_key = "", is_mapping
        elif sign == ":" and self.is_key:
            self.stack[-1][1].add(_unquote(self.word))
            self.steps.append(_unquote(self.word))
            self.word, self.is_key = "", False
        else:
            self.word += sign

    def _end_value(self, *, is_list: bool) -> None:
        # The step into the list, or the key that had the value.
        if is_list or not self.is_key:
            self.steps.pop()


def _find_place_in_flow(value: str, path: list[str]) -> _Place | None:
    flow = _Flow(path)
    for token in _FLOW_TOKEN.findall(value):
        flow.read(token)
    begun = flow.word.lstrip()
    # A quoted text, an anchor or the like: none of them is a word of the schema.
    if begun.startswith(('"', "'", "&", "*", "|", ">", "#")):
        return None
    return _Place(tuple(flow.steps), begun, flow.is_key, frozenset(flow.stack[-1][1]) if flow.stack else frozenset())


def _find_siblings(text: str, caret: int, indent: int, *, begins_item: bool) -> frozenset[str]:
    """Return the keys of the mapping that the caret stands in: those at its indentation, around its line.

    `begins_item`: the line has a dash, so that the mapping begins with it.
    """
    start = text.rfind("\n", 0, caret) + 1
    before, after = text[:start].split("\n")[:-1], text[caret:].split("\n")[1:]
    found: set[str] = set()
    for lines, is_before in (([] if begins_item else reversed(before), True), (after, False)):
        for line in lines:
            bare = line.lstrip(" ")
            if not bare or bare.startswith("#"):
                continue
            own = len(line) - len(bare)
            inner = bare.lstrip("- ") if is_before and bare.startswith("- ") else bare
            if own + len(bare) - len(inner) == indent and (key := _KEY.match(inner)):
                found.add(_unquote(key[1]))
            # A line that is indented less holds the mapping, and a dash begins it: either way the mapping ends there.
            if own < indent:
                break
    return frozenset(found)
