"""YAML text -> nodes that know their places, without YAML 1.1's surprises: every scalar is the text that was written."""

from __future__ import annotations

import datetime as dt
import difflib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import yaml
from yaml.reader import Reader as YamlReader

from rules.rule import Place

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_LIKE_TRUE = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_VARIABLE = re.compile(r"\$?\$\{(?!\{)([^}]*)\}")
_VARIABLE_NAME = re.compile(r"([A-Za-z_]\w*)(?::-(.*))?", re.DOTALL)
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_DEEPEST = 40


class Mistake(msgspec.Struct, frozen=True, order=True):
    """One sentence about one place; `rule` is the name of the rule it is about, empty outside rules."""

    place: Place
    sentence: str
    rule: str = ""

    def __str__(self) -> str:
        return f'{self.place}: rule "{self.rule}": {self.sentence}' if self.rule else f"{self.place}: {self.sentence}"


class Report:
    """What is wrong (mistakes) and what only looks wrong (warnings), gathered while reading."""

    def __init__(self) -> None:
        self._mistakes: dict[Mistake, None] = {}
        self._warnings: dict[Mistake, None] = {}
        self._spoilt: set[Place] = set()

    def mistake(self, place: Place, sentence: str, rule: str = "") -> None:
        """Add what must be put right; nothing where the value is spoilt."""
        if place not in self._spoilt:
            self._mistakes[Mistake(place, _one_line(sentence), _one_line(rule))] = None

    def spoil(self, place: Place) -> None:
        """Say no more of this place: its value is not the one that was meant."""
        self._spoilt.add(place)

    def warn(self, place: Place, sentence: str, rule: str = "") -> None:
        """Add what may be meant so."""
        self._warnings[Mistake(place, f"warning: {_one_line(sentence)}", _one_line(rule))] = None

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Every mistake as `file:line:column: sentence`, in the order of the file."""
        return tuple(map(str, sorted(self._mistakes)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Every warning, written the same way."""
        return tuple(map(str, sorted(self._warnings)))


def _one_line(words: str) -> str:
    return " ".join(words.split())


class _Named(io.StringIO):
    """A text whose YAML marks carry the file's name."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


def compose(text: str, file: str, report: Report) -> yaml.Node | None:
    """The root node; None for an empty text and for one that is not YAML, which is reported."""
    if found := YamlReader.NON_PRINTABLE.search(text):
        report.mistake(_place_at(text, found.start(), file), f"the character {found[0]!r} is not allowed in YAML")
        return None
    try:
        node = _composed(text, file)
    except RecursionError:
        report.mistake(Place(file, 1, 1), "this is nested too deeply")
        return None
    except yaml.YAMLError as error:
        report.mistake(_place_of_error(error, file), f"this is not YAML: {_why(error)}")
        return None
    return node if node is None or _sound(node, report) else None


def _composed(text: str, file: str) -> yaml.Node | None:
    """The fast reader's answer; where it refuses, the plain one's, whose sentences are the same everywhere."""
    try:
        return _read(_Named(text, file), _LOADER)
    except yaml.YAMLError:
        return _read(_Named(text, file), yaml.SafeLoader)


def _read(text: _Named, loader: Any) -> yaml.Node | None:
    node: yaml.Node | None = yaml.compose(text, Loader=loader)
    return node


def _place_at(text: str, index: int, file: str) -> Place:
    before = text[:index]
    return Place(file, before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


def _place_of_error(error: yaml.YAMLError, file: str) -> Place:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)


def _why(error: yaml.YAMLError) -> str:
    problem, context = getattr(error, "problem", None), getattr(error, "context", None)
    return ", ".join(filter(None, (context, problem))) or str(error)


def place_of(node: yaml.Node) -> Place:
    """Where a node begins."""
    mark = node.start_mark
    return Place(str(mark.name), mark.line + 1, mark.column + 1)


def _sound(root: yaml.Node, report: Report) -> bool:
    """Refuse duplicate keys, keys that are not text, aliases, tags and great depth; tell whether the tree can be walked."""
    seen: set[int] = set()
    queue, walkable = [(root, 0)], True
    while queue:
        node, depth = queue.pop()
        if not isinstance(node, yaml.ScalarNode) and (id(node) in seen or depth > _DEEPEST):
            why = "anchors and aliases are not understood here: write it out" if id(node) in seen else "this is nested too deeply"
            report.mistake(place_of(node), why)
            walkable = False
            continue
        seen.add(id(node))
        _plain_tag(node, report)
        queue += [(child, depth + 1) for child in _children(node, report)]
    return walkable


def _plain_tag(node: yaml.Node, report: Report) -> None:
    if not str(node.tag).startswith("tag:yaml.org,2002:"):
        report.mistake(place_of(node), f"the tag {node.tag} is not understood: take it out")


def _children(node: yaml.Node, report: Report) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if not isinstance(node, yaml.MappingNode):
        return []
    keys: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            report.mistake(place_of(key), "a key is a word, not a list or a mapping")
        elif key.value in keys:
            report.mistake(place_of(key), f'the key "{key.value}" is written twice')
        else:
            keys.add(key.value)
    return [value for _, value in node.value]


def pairs(node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """The keys and values of a mapping; nothing for anything else."""
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]


def scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Every scalar value below a node; keys are not among them."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif node is not None:
        for child in [value for _, value in pairs(node)] or (node.value if isinstance(node, yaml.SequenceNode) else ()):
            yield from scalars(child)


def expand(root: yaml.Node | None, variables: Mapping[str, str], report: Report) -> list[tuple[yaml.ScalarNode, str]]:
    """Put `${VAR}` and `${VAR:-default}` in place, in every value; the nodes whose variable is not set, with its name."""
    missing: list[tuple[yaml.ScalarNode, str]] = []
    for node in scalars(root):
        if "${" in node.value:
            missing += [(node, name) for name in _expanded(node, variables, report)]
    return missing


def _expanded(node: yaml.ScalarNode, variables: Mapping[str, str], report: Report) -> list[str]:
    missing: list[str] = []

    def value(found: re.Match[str]) -> str:
        if found[0].startswith("$$"):
            return found[0][1:]
        named = _VARIABLE_NAME.fullmatch(found[1])
        if named is None:
            report.mistake(place_of(node), f"{found[0]} is not understood: write ${{VAR}} or ${{VAR:-default}}")
            report.spoil(place_of(node))
            return ""
        if not variables.get(named[1]) and named[2] is None:
            missing.append(named[1])
        return variables.get(named[1]) or named[2] or ""

    node.value = _VARIABLE.sub(value, node.value)
    return missing


def is_null(node: yaml.Node) -> bool:
    """Tell whether nothing is written: an empty value, `~` or `null` without quotes."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NULLS


def nearest(word: str, words: Iterable[str], cutoff: float = 0.6) -> str:
    """The known word that was most likely meant; empty where none is near."""
    known = {w.casefold(): w for w in words}
    found = difflib.get_close_matches(word.casefold(), known, 1, cutoff)
    return known[found[0]] if found else ""


def unknown(what: str, word: str, words: Sequence[str]) -> str:
    """`unknown key "macth", did you mean "match"?`, or what is known where nothing is near."""
    near = nearest(word, words)
    return f'unknown {what} "{word}"' + (f', did you mean "{near}"?' if near else f"; known: {', '.join(words)}")


def duration(text: str) -> dt.timedelta:
    """Read `25s`, `15m`, `2h`, `1h30m` or `14d`; raise ValueError with a sentence."""
    found = _DURATION.fullmatch(text.strip())
    if not found or not text.strip():
        raise ValueError(f'"{text}" is not a duration such as 25s, 15m, 2h or 1h30m')
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    try:
        return dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError as error:
        raise ValueError(f'"{text}" is too long a time') from error


def whole(text: str) -> int:
    """Read a whole number; raise ValueError with a sentence."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
        raise ValueError(f'"{text}" is not a whole number')
    return int(text)


def flag(text: str) -> bool:
    """Read true or false, the only booleans; raise ValueError with a sentence."""
    if text in ("true", "false"):
        return text == "true"
    meant = _LIKE_TRUE.get(text.casefold()) or (text.casefold() if text.casefold() in ("true", "false") else "")
    raise ValueError(f'write {meant}, not "{text}"' if meant else f'"{text}" is neither true nor false')
