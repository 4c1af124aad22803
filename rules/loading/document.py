"""YAML to nodes with file, line and column; all mistakes at once."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import yaml
from yaml.reader import Reader as YamlReader

from rules.engine.rule import SourceLocation

_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL_WORDS = frozenset({"", "~", "null", "Null", "NULL"})

_VARIABLE_PATTERN = re.compile(r"\$?\$\{(?!\{)([^}]*)\}")

_VARIABLE_NAME_PATTERN = re.compile(r"([A-Za-z_]\w*)(?::-(.*))?", re.DOTALL)

_MAX_DEPTH = 40


class Mistake(msgspec.Struct, frozen=True, order=True):
    """One sentence about one place; `rule` is the name of the rule it is about, empty outside rules."""

    location: SourceLocation
    sentence: str
    rule: str = ""

    def __str__(self) -> str:
        return f'{self.location}: rule "{self.rule}": {self.sentence}' if self.rule else f"{self.location}: {self.sentence}"


class Report:
    """What is wrong (mistakes) and what only looks wrong (warnings), gathered while reading."""

    def __init__(self) -> None:
        self._mistakes: dict[Mistake, None] = {}
        self._warnings: dict[Mistake, None] = {}
        self._ignored: set[SourceLocation] = set()

    def add_mistake(self, location: SourceLocation, sentence: str, rule: str = "") -> None:
        """Add what must be put right; nothing where the value is spoilt."""
        if location not in self._ignored:
            self._mistakes[Mistake(location, _join_lines(sentence), _join_lines(rule))] = None

    def ignore_location(self, location: SourceLocation) -> None:
        """Say no more of this place: its value is not the one that was meant."""
        self._ignored.add(location)

    def add_warning(self, location: SourceLocation, sentence: str, rule: str = "") -> None:
        """Add what may be meant so."""
        self._warnings[Mistake(location, f"warning: {_join_lines(sentence)}", _join_lines(rule))] = None

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Every mistake as `file:line:column: sentence`, in the order of the file."""
        return tuple(map(str, sorted(self._mistakes)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Every warning, written the same way."""
        return tuple(map(str, sorted(self._warnings)))


def _join_lines(words: str) -> str:
    return " ".join(words.split())


class _NamedText(io.StringIO):
    """A text whose YAML marks carry the file's name."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


def compose(text: str, file: str, report: Report) -> yaml.Node | None:
    """The root node; None for an empty text and for one that is not YAML, which is reported."""
    if found := YamlReader.NON_PRINTABLE.search(text):
        report.add_mistake(_location_at(text, found.start(), file), f"the character {found[0]!r} is not allowed in YAML")
        return None
    try:
        node = _compose_node(text, file)
    except RecursionError:
        report.add_mistake(SourceLocation(file, 1, 1), "this is nested too deeply")
        return None
    except yaml.YAMLError as error:
        report.add_mistake(_location_of_error(error, file), f"this is not YAML: {_describe_yaml_error(error)}")
        return None
    return node if node is None or _check_tree(node, report) else None


def _compose_node(text: str, file: str) -> yaml.Node | None:
    """The fast reader's answer; where it refuses, the plain one's, whose sentences are the same everywhere."""
    try:
        return _compose_with(_NamedText(text, file), _FAST_LOADER)
    except yaml.YAMLError:
        return _compose_with(_NamedText(text, file), yaml.SafeLoader)


def _compose_with(text: _NamedText, loader: Any) -> yaml.Node | None:
    node: yaml.Node | None = yaml.compose(text, Loader=loader)
    return node


def _location_at(text: str, index: int, file: str) -> SourceLocation:
    before = text[:index]
    return SourceLocation(file, before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


def _location_of_error(error: yaml.YAMLError, file: str) -> SourceLocation:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return SourceLocation(file, mark.line + 1, mark.column + 1) if mark else SourceLocation(file, 1, 1)


def _describe_yaml_error(error: yaml.YAMLError) -> str:
    problem, context = getattr(error, "problem", None), getattr(error, "context", None)
    return ", ".join(filter(None, (context, problem))) or str(error)


def location_of(node: yaml.Node) -> SourceLocation:
    """Where a node begins."""
    mark = node.start_mark
    return SourceLocation(str(mark.name), mark.line + 1, mark.column + 1)


def _check_tree(root: yaml.Node, report: Report) -> bool:
    """Refuse duplicate keys, keys that are not text, aliases, tags and great depth; tell whether the tree can be walked."""
    seen: set[int] = set()
    queue, walkable = [(root, 0)], True
    while queue:
        node, depth = queue.pop()
        if not isinstance(node, yaml.ScalarNode) and (id(node) in seen or depth > _MAX_DEPTH):
            why = "anchors and aliases are not understood here: write it out" if id(node) in seen else "this is nested too deeply"
            report.add_mistake(location_of(node), why)
            walkable = False
            continue
        seen.add(id(node))
        _check_tag(node, report)
        queue += [(child, depth + 1) for child in _list_children(node, report)]
    return walkable


def _check_tag(node: yaml.Node, report: Report) -> None:
    if not str(node.tag).startswith("tag:yaml.org,2002:"):
        report.add_mistake(location_of(node), f"the tag {node.tag} is not understood: take it out")


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
            report.add_mistake(location_of(key), f'the key "{key.value}" is written twice')
        else:
            keys.add(key.value)
    return [value for _, value in node.value]


def mapping_items(node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """The keys and values of a mapping; nothing for anything else."""
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]


def iterate_scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Every scalar value below a node; keys are not among them."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif node is not None:
        for child in [value for _, value in mapping_items(node)] or (node.value if isinstance(node, yaml.SequenceNode) else ()):
            yield from iterate_scalars(child)


def expand_variables(root: yaml.Node | None, variables: Mapping[str, str], report: Report) -> list[tuple[yaml.ScalarNode, str]]:
    """Put `${VAR}` and `${VAR:-default}` in place, in every value; the nodes whose variable is not set, with its name."""
    missing: list[tuple[yaml.ScalarNode, str]] = []
    for node in iterate_scalars(root):
        if "${" in node.value:
            missing += [(node, name) for name in _expand_node(node, variables, report)]
    return missing


def _expand_node(node: yaml.ScalarNode, variables: Mapping[str, str], report: Report) -> list[str]:
    missing: list[str] = []

    def value(found: re.Match[str]) -> str:
        if found[0].startswith("$$"):
            return found[0][1:]
        named = _VARIABLE_NAME_PATTERN.fullmatch(found[1])
        if named is None:
            report.add_mistake(location_of(node), f"{found[0]} is not understood: write ${{VAR}} or ${{VAR:-default}}")
            report.ignore_location(location_of(node))
            return ""
        if not variables.get(named[1]) and named[2] is None:
            missing.append(named[1])
        return variables.get(named[1]) or named[2] or ""

    node.value = _VARIABLE_PATTERN.sub(value, node.value)
    return missing


def is_null(node: yaml.Node) -> bool:
    """Tell whether nothing is written: an empty value, `~` or `null` without quotes."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NULL_WORDS
