"""YAML events to nodes, with aliases and merge keys (`<<`) expanded where they are used.

PyYAML's own composer recurses, keeps the last of two equal keys, gives an alias the place of its anchor, and would expand a few
lines of nested aliases to millions of nodes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import yaml

from rules.loading.secret_lines import quoted

MAX_DEPTH = 40
"""Levels of nesting. Readers of nodes recurse, so the depth must stay far below Python's limit."""

NESTED_TOO_DEEPLY = "this is nested too deeply"

MAX_EXPANDED = 100_000
"""Values that all aliases of a file may expand to together."""

_MERGE_KEY = "<<"

_SPECIAL_ESCAPE = re.compile(r"[\x00\ud800-\udfff]")
"""What only an escape in double quotes can write: the character 0, which PostgreSQL does not store, and halves of letters."""

ReportMistake = Callable[[Any, str], None]
"""Reports a sentence at a mark."""


class AliasMark:
    """The place where an alias is used, for a node that is written at its anchor."""

    __slots__ = ("anchor", "column", "line", "name", "origin")

    def __init__(self, use: Any, anchor: str, origin: Any) -> None:
        """`use` is the mark of the alias, `origin` that of the node under the anchor."""
        self.name, self.line, self.column = use.name, use.line, use.column
        self.anchor, self.origin = anchor, origin


class Composer:
    """Builds the nodes of one document; `root` is None if the text is empty or is nested too deeply."""

    def __init__(self, report_mistake: ReportMistake, lines: Sequence[str]) -> None:
        self._lines = lines
        self.root: yaml.Node | None = None
        self.unused_anchors: dict[str, yaml.Node] = {}
        """The anchors that no alias has used so far."""
        self.unreadable: list[Any] = []
        """Where texts begin that are not what was meant, which is reported."""
        self.is_walkable = True
        """False where something had to be left out; its mistake is reported."""
        self._report = report_mistake
        self._open: list[tuple[yaml.CollectionNode, str | None]] = []
        self._anchors: dict[str, tuple[yaml.Node, int]] = {}
        self._expanded = 0

    def compose(self, events: Iterable[Any]) -> None:
        """Build the nodes. Raises what the parser raises."""
        documents = 0
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                # The C reader's marks are of another type and have the same attributes.
                begin: Any = event.start_mark
                end: Any = event.end_mark
                self._add(yaml.ScalarNode(event.tag or "", self._read_letters(event), begin, end, event.style), event.anchor)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                if len(self._open) > MAX_DEPTH:
                    self._report(event.start_mark, NESTED_TOO_DEEPLY)
                    self.root, self.is_walkable = None, False
                    return
                kind = yaml.MappingNode if isinstance(event, yaml.MappingStartEvent) else yaml.SequenceNode
                start: Any = event.start_mark
                node = kind(event.tag or "", [], start, None, event.flow_style)
                self._open.append((node, event.anchor))
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self._close(event)
            elif isinstance(event, yaml.AliasEvent):
                self._add(self._expand(event), None)
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    sentence = "a second document begins here, and one file is one document: take the line --- out"
                    self._report(event.start_mark, sentence)
                    return

    def _read_letters(self, event: yaml.ScalarEvent) -> str:
        """Return the text of a scalar. Report escapes in it that make no text which could be stored or sent."""
        text = str(event.value)
        if event.style != '"' or not _SPECIAL_ESCAPE.search(text):
            return text
        # JSON writes a letter such as an emoji as two escapes, which are one letter together.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        if found := _SPECIAL_ESCAPE.search(text):
            what = "is no part of a text" if found[0] == "\0" else "is half of a letter: write the letter itself"
            escape = "\\0" if found[0] == "\0" else f"\\u{ord(found[0]):04X}"
            self._report(event.start_mark, f"the escape {escape} {what}")
            self.unreadable.append(event.start_mark)
        return _SPECIAL_ESCAPE.sub("\N{REPLACEMENT CHARACTER}", text)

    def _add(self, node: yaml.Node, anchor: str | None) -> None:
        """Put a finished node into the innermost list or mapping that is open, or take it for the root."""
        self._check_tag(node)
        if anchor is not None:
            # Counted once, and not at each alias of it.
            self._anchors[anchor] = (node, _count(node))
            self.unused_anchors[anchor] = node
        if self._open:
            self._open[-1][0].value.append(node)
        else:
            self.root = node

    def _check_tag(self, node: yaml.Node) -> None:
        # A tag of one's own, such as !!python/object, would ask for code to be run.
        tag = node.tag
        if tag and tag != "!" and not tag.startswith("tag:yaml.org,2002:"):
            name = f"!!{quoted(tag.rpartition(':')[2])}" if tag.startswith("tag:") else f"!{quoted(tag.removeprefix('!'))}"
            self._report(
                node.start_mark,
                f"the tag {name} is not understood: take it out; a text that begins with ! goes in quotes",
            )

    def _close(self, event: Any) -> None:
        """Finish the innermost list or mapping."""
        node, anchor = self._open.pop()
        node.end_mark = event.end_mark
        if isinstance(node, yaml.MappingNode):
            # Until now its keys and values are in one list: an event does not say which of them a node is.
            children = node.value
            node.value = list(zip(children[::2], children[1::2], strict=True))
            if (text := self._read_unquoted_template(node)) is not None:
                self._add(text, anchor)
                return
            self._check_keys(node)
            node.value = self._merge(node.value)
        self._add(node, anchor)

    def _read_unquoted_template(self, node: yaml.MappingNode) -> yaml.ScalarNode | None:
        """Return the text that was meant by `{{ match }}` without quotes, which YAML reads as two mappings; None for others."""
        if not node.value or isinstance(node.value[0][0], yaml.ScalarNode):
            return None
        start, end = node.start_mark, node.end_mark
        line = self._lines[start.line] if start.line < len(self._lines) else ""
        # The node has lost the braces and the spaces, so the text is cut from its line.
        text = line[start.column : end.column] if start.line == end.line else line[start.column :]
        if not re.match(r"([&!]\w*\s+)?\{\{", text):
            return None
        sign = text[0] if text[0] in "&!" else "{{"
        self._report(start, f'a text that begins with {sign} goes in quotes: "{quoted(text)}"')
        return yaml.ScalarNode("tag:yaml.org,2002:str", text, start, end, '"')

    def _check_keys(self, node: yaml.MappingNode) -> None:
        keys: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._report(key.start_mark, "a key is a word, not a list or a mapping")
            elif key.value in keys:
                # YAML would keep the last one and say nothing.
                self._report(key.start_mark, f'the key "{quoted(key.value)}" is written twice')
            else:
                keys.add(key.value)

    def _merge(self, pairs: list[tuple[yaml.Node, yaml.Node]]) -> list[tuple[yaml.Node, yaml.Node]]:
        """Return the pairs of a mapping with those that `<<` brings; a key of its own outweighs a merged one."""
        if not any(_is_merge_key(key) for key, _ in pairs):
            return pairs
        # Its own keys first, wherever `<<` stands; of several merged mappings the first one that has a key gives its value.
        found = [pair for pair in pairs if not _is_merge_key(pair[0])]
        taken = {key.value for key, _ in found if isinstance(key, yaml.ScalarNode)}
        for key, value in pairs:
            if not _is_merge_key(key):
                continue
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(source, yaml.MappingNode):
                    self._report(source.start_mark, "<< takes a mapping, such as an alias *NAME, or a list of them")
                    continue
                for merged_key, merged in source.value:
                    if merged_key.value not in taken:
                        taken.add(merged_key.value)
                        found.append((merged_key, merged))
        return found

    def _expand(self, event: Any) -> yaml.Node:
        """Return a copy of the node under the anchor of an alias, which stands at the place of the alias."""
        name, mark = event.anchor, event.start_mark
        nothing = yaml.ScalarNode("tag:yaml.org,2002:null", "", mark, event.end_mark)
        # Before the anchors that are known: an anchor inside itself is not finished yet, and never would be.
        if any(anchor == name for _, anchor in self._open):
            self._report(mark, f"the alias *{quoted(name)} stands inside its own anchor &{quoted(name)}")
        elif name not in self._anchors:
            self._report(mark, f"there is no anchor &{quoted(name)} above this; a text that begins with * goes in quotes")
        else:
            self.unused_anchors.pop(name, None)
            node, size = self._anchors[name]
            # Counted before anything is copied: nine lines of aliases of aliases stand for a billion values.
            self._expanded += size
            if self._expanded > MAX_EXPANDED:
                self._report(mark, f"the aliases of this file expand to more than {MAX_EXPANDED:,} values")
            elif len(self._open) + _measure_depth(node) > MAX_DEPTH:
                self._report(mark, NESTED_TOO_DEEPLY)
            else:
                return _copy(node, mark, name)
        self.is_walkable = False
        return nothing


def _is_merge_key(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value == _MERGE_KEY and not key.style


def list_children(node: yaml.Node) -> list[yaml.Node]:
    """Return the items of a list, the keys and values of a mapping; nothing for a scalar."""
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _count(node: yaml.Node) -> int:
    return 1 + sum(map(_count, list_children(node)))


def _measure_depth(node: yaml.Node) -> int:
    children = list_children(node)
    return 1 + max(map(_measure_depth, children)) if children else 0


def _copy(node: yaml.Node, use: Any, anchor: str) -> yaml.Node:
    """Return a copy of a node, and of all below it, at the place of an alias."""
    # A copy and not the node itself: each use has its own place, and variables are expanded in the nodes. A node that an alias
    # brought before keeps the place where it is written.
    origin = node.start_mark.origin if isinstance(node.start_mark, AliasMark) else node.start_mark
    mark: Any = AliasMark(use, anchor, origin)
    if isinstance(node, yaml.MappingNode):
        pairs = [(_copy(key, use, anchor), _copy(value, use, anchor)) for key, value in node.value]
        return yaml.MappingNode(node.tag, pairs, mark, node.end_mark, node.flow_style)
    if isinstance(node, yaml.SequenceNode):
        return yaml.SequenceNode(
            node.tag, [_copy(child, use, anchor) for child in node.value], mark, node.end_mark, node.flow_style
        )
    style = node.style if isinstance(node, yaml.ScalarNode) else None
    return yaml.ScalarNode(node.tag, node.value, mark, node.end_mark, style)
