"""YAML to nodes with file, line and column; all mistakes at once.

Rules are read from nodes and not by `yaml.load`: nodes know their place, and their scalars are the text that was written.
YAML 1.1 would turn `on` into True and `12:30` into 750, and keep the last of two equal keys.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import yaml
from yaml.reader import Reader as YamlReader

from rules.engine.rule import SourceLocation

# The C reader is several times faster, and not in every installation of PyYAML.
_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL_WORDS = frozenset({"", "~", "null", "Null", "NULL"})

# `$${VAR}` is an escaped `${VAR}`; `${{` begins nothing, because alert texts contain `{{ … }}`.
_VARIABLE_PATTERN = re.compile(r"\$?\$\{(?!\{)([^}]*)\}")

_VARIABLE_NAME_PATTERN = re.compile(r"([A-Za-z_]\w*)(?::-(.*))?", re.DOTALL)

_MAX_DEPTH = 40
"""Levels of nesting. Readers of nodes recurse, so the depth must stay far below Python's limit."""


class Mistake(msgspec.Struct, frozen=True, order=True):
    """One sentence about one place. `rule` is the name of the rule that it belongs to; empty outside rules."""

    location: SourceLocation
    sentence: str
    rule: str = ""

    def __str__(self) -> str:
        return f'{self.location}: rule "{self.rule}": {self.sentence}' if self.rule else f"{self.location}: {self.sentence}"


class Report:
    """Collects mistakes, warnings about what only looks wrong, and notes, while a file is read."""

    def __init__(self) -> None:
        # Dictionaries as ordered sets: some nodes are read twice, and a mistake is reported once.
        self._mistakes: dict[Mistake, None] = {}
        self._warnings: dict[Mistake, None] = {}
        self._notes: dict[Mistake, None] = {}
        self._ignored: set[SourceLocation] = set()
        self._lines_by_file: dict[str, list[str]] = {}

    def add_source(self, file: str, text: str) -> None:
        """Remember the text of a file, for what nodes do not know: its comments."""
        self._lines_by_file[file] = text.splitlines()

    def line_at(self, file: str, line: int) -> str:
        """Return a line of a file, counted from 0; empty where there is none."""
        lines = self._lines_by_file.get(file, ())
        return lines[line] if line < len(lines) else ""

    def add_mistake(self, location: SourceLocation, sentence: str, rule: str = "") -> None:
        """Add what must be put right, unless the location is ignored."""
        if location not in self._ignored:
            self._mistakes[Mistake(location, _join_lines(sentence), _join_lines(rule))] = None

    def ignore_location(self, location: SourceLocation) -> None:
        """Report no further mistakes at a location: its value is not the one that was meant."""
        self._ignored.add(location)

    def add_warning(self, location: SourceLocation, sentence: str, rule: str = "") -> None:
        """Add what may be meant so, but probably is not."""
        self._warnings[Mistake(location, f"warning: {_join_lines(sentence)}", _join_lines(rule))] = None

    def add_note(self, location: SourceLocation, sentence: str, rule: str = "") -> None:
        """Add what is right, and worth knowing."""
        self._notes[Mistake(location, f"note: {_join_lines(sentence)}", _join_lines(rule))] = None

    @property
    def mistakes(self) -> tuple[str, ...]:
        """All mistakes as `file:line:column: sentence`, in the order of the file."""
        return tuple(map(str, sorted(self._mistakes)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings in the same form."""
        return tuple(map(str, sorted(self._warnings)))

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes in the same form."""
        return tuple(map(str, sorted(self._notes)))


def _join_lines(text: str) -> str:
    return " ".join(text.split())


class _NamedText(io.StringIO):
    """A text whose YAML marks carry the name of its file."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


def compose(text: str, file: str, report: Report) -> yaml.Node | None:
    """Return the root node; None for an empty text, and after reporting what is not YAML."""
    # Asked before: PyYAML gives no line and column for such a character, and its two readers word it differently.
    if found := YamlReader.NON_PRINTABLE.search(text):
        line, column = text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
        report.add_mistake(SourceLocation(file, line, column), f"the character {found[0]!r} is not allowed in YAML")
        return None
    report.add_source(file, text)
    if (deep := _find_depth(text, file)) is not None:
        report.add_mistake(deep, "this is nested too deeply")
        return None
    try:
        try:
            node = _compose_with(_NamedText(text, file), _FAST_LOADER)
        except yaml.YAMLError:
            # libyaml words its errors otherwise: the Python reader says the same everywhere.
            node = _compose_with(_NamedText(text, file), yaml.SafeLoader)
    except RecursionError:
        report.add_mistake(SourceLocation(file, 1, 1), "this is nested too deeply")
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        location = SourceLocation(file, mark.line + 1, mark.column + 1) if mark else SourceLocation(file, 1, 1)
        problem, context = getattr(error, "problem", None), getattr(error, "context", None)
        reason = ", ".join(filter(None, (context, problem))) or str(error)
        report.add_mistake(location, f"this is not YAML: {reason}")
        return None
    return node if node is None or _check_tree(node, report) else None


_MAX_COMPOSED_DEPTH = 200
"""Levels that are composed at all: libyaml's composer recurses in C, where 100,000 brackets end the whole process."""


def _find_depth(text: str, file: str) -> SourceLocation | None:
    """Return where a text is nested too deeply to be composed; None if it is not."""
    depth = 0
    try:
        # Events come from a parser that does not recurse.
        for event in yaml.parse(_NamedText(text, file), Loader=_FAST_LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_COMPOSED_DEPTH and (mark := event.start_mark) is not None:
                return SourceLocation(file, mark.line + 1, mark.column + 1)
    except yaml.YAMLError:
        pass  # the composer finds it too, and says where
    return None


def _compose_with(text: _NamedText, loader: Any) -> yaml.Node | None:
    node: yaml.Node | None = yaml.compose(text, Loader=loader)
    return node


def location_of(node: yaml.Node) -> SourceLocation:
    """Return where a node begins."""
    mark = node.start_mark
    return SourceLocation(str(mark.name), mark.line + 1, mark.column + 1)


def _check_tree(root: yaml.Node, report: Report) -> bool:
    """Report duplicate keys, keys that are not text, aliases, tags and great depth. Return True if the tree can be walked."""
    # An alias is the same node again. It could even contain itself, and a few lines of nested aliases expand to millions of
    # nodes, so aliases are not walked.
    seen: set[int] = set()
    queue, is_walkable = [(root, 0)], True
    while queue:
        node, depth = queue.pop()
        if not isinstance(node, yaml.ScalarNode) and (id(node) in seen or depth > _MAX_DEPTH):
            why = "anchors and aliases are not understood here: write it out" if id(node) in seen else "this is nested too deeply"
            report.add_mistake(location_of(node), why)
            is_walkable = False
            continue
        seen.add(id(node))
        # A tag of one's own, such as !!python/object, would ask for code to be run.
        if not str(node.tag).startswith("tag:yaml.org,2002:"):
            report.add_mistake(location_of(node), f"the tag {node.tag} is not understood: take it out")
        queue += [(child, depth + 1) for child in _list_children(node, report)]
    return is_walkable


def _list_children(node: yaml.Node, report: Report) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if not isinstance(node, yaml.MappingNode):
        return []
    keys: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            report.add_mistake(location_of(key), "a key is a word, not a list or a mapping")
        elif key.value in keys:
            # YAML would keep the last one and say nothing.
            report.add_mistake(location_of(key), f'the key "{key.value}" is written twice')
        else:
            keys.add(key.value)
    return [value for _, value in node.value]


def mapping_items(node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """Return the keys and values of a mapping; an empty list for any other node."""
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]


def iterate_scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Yield every scalar value below a node, without the keys."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif node is not None:
        for child in [value for _, value in mapping_items(node)] or (node.value if isinstance(node, yaml.SequenceNode) else ()):
            yield from iterate_scalars(child)


def expand_variables(root: yaml.Node | None, variables: Mapping[str, str], report: Report) -> list[tuple[yaml.ScalarNode, str]]:
    """Expand `${VAR}` and `${VAR:-default}` in every value, in place. Return the nodes of variables that are not set."""
    missing: list[tuple[yaml.ScalarNode, str]] = []
    for node in iterate_scalars(root):
        if "${" in node.value:
            missing += [(node, name) for name in _expand_node(node, variables, report)]
    return missing


def _expand_node(node: yaml.ScalarNode, variables: Mapping[str, str], report: Report) -> list[str]:
    missing: list[str] = []

    def expand(found: re.Match[str]) -> str:
        if found[0].startswith("$$"):
            return found[0][1:]
        named = _VARIABLE_NAME_PATTERN.fullmatch(found[1])
        if named is None:
            report.add_mistake(location_of(node), f"{found[0]} is not understood: write ${{VAR}} or ${{VAR:-default}}")
            report.ignore_location(location_of(node))
            return ""
        # An empty variable counts as not set, as `:-` has it in a shell.
        if not variables.get(named[1]) and named[2] is None:
            missing.append(named[1])
        return variables.get(named[1]) or named[2] or ""

    node.value = _VARIABLE_PATTERN.sub(expand, node.value)
    return missing


def is_null(node: yaml.Node) -> bool:
    """Return True if nothing is written: an empty value, or `~` or `null` without quotes."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NULL_WORDS
