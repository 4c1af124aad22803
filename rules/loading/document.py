"""YAML to nodes with file, line and column; all mistakes at once.

Rules are read from nodes and not by `yaml.load`: nodes know their place, and their scalars are the text that was written.
YAML 1.1 would turn `on` into True and `12:30` into 750, and keep the last of two equal keys.
"""

from __future__ import annotations

import enum
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import yaml
from yaml.reader import Reader as YamlReader

from rules.engine.rule import SourceLocation
from rules.loading.composer import NESTED_TOO_DEEPLY, AliasMark, Composer
from rules.loading.secret_lines import find_secret_lines, hide_quoted, hide_values, is_secret_name, quoted, show_quoted
from rules.loading.yaml_mistakes import explain_syntax

# The C reader is several times faster, and not in every installation of PyYAML.
_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL_WORDS = frozenset({"", "~", "null", "Null", "NULL"})

# `$${VAR}` is an escaped `${VAR}`; `${{` begins nothing, because alert texts contain `{{ … }}`.
_VARIABLE_PATTERN = re.compile(r"\$?\$\{(?!\{)([^}]*)\}")

_VARIABLE_NAME_PATTERN = re.compile(r"([A-Za-z_]\w*)(?::-(.*))?", re.DOTALL)


class Severity(enum.StrEnum):
    """How bad a finding is: a file with a mistake is refused, a warning is probably not meant, a note is worth knowing."""

    MISTAKE = "mistake"
    WARNING = "warning"
    NOTE = "note"


class Finding(msgspec.Struct, frozen=True, order=True):
    """One sentence about one place. `rule` is the name of the rule that it belongs to; empty outside rules."""

    location: SourceLocation
    sentence: str
    rule: str = ""
    severity: Severity = Severity.MISTAKE
    excerpt: tuple[str, ...] = ()
    """The line itself and a caret under the place, where the form of the line is the mistake."""

    def __str__(self) -> str:
        rule = f'rule "{self.rule}": ' if self.rule else ""
        severity = "" if self.severity is Severity.MISTAKE else f"{self.severity}: "
        origin = f" (in {self.location.origin})" if self.location.origin else ""
        return f"{self.location}: {rule}{severity}{self.sentence}{origin}"


class Report:
    """Collects mistakes, warnings about what only looks wrong, and notes, while a file is read."""

    def __init__(self, *, has_known_texts: bool = False) -> None:
        """`has_known_texts`: the texts are those that ship, of which the tests examine each. They are not examined again."""
        self.has_known_texts = has_known_texts
        # A dictionary as an ordered set: some nodes are read twice, and a mistake is reported once.
        self._findings: dict[Finding, None] = {}
        self._ignored: set[SourceLocation] = set()
        self._lines_by_file: dict[str, list[str]] = {}
        # Looked for when the first mistake of a file is found: most files have none.
        self._secret_lines: dict[str, frozenset[int]] = {}
        self._secret_values: list[str] = []

    def add_source(self, file: str, text: str) -> None:
        """Remember the text of a file, for what nodes do not know: its comments, and how a text is written."""
        self._lines_by_file[file] = text.splitlines()
        self._secret_lines.pop(file, None)

    def hide_value(self, value: str) -> None:
        """Leave a secret out of every sentence from now on, wherever it stands in the file."""
        self._secret_values.append(value)

    def line_at(self, file: str, line: int) -> str:
        """Return a line of a file, counted from 0; empty where there is none."""
        lines = self._lines_by_file.get(file, ())
        return lines[line] if line < len(lines) else ""

    def list_files(self) -> tuple[str, ...]:
        """Return the files that were read, in this order."""
        return tuple(self._lines_by_file)

    def add_mistake(self, location: SourceLocation, sentence: str, rule: str = "", excerpt: tuple[str, ...] = ()) -> None:
        """Add what must be put right, unless the location is ignored."""
        if location not in self._ignored:
            self._add(location, sentence, rule, Severity.MISTAKE, excerpt)

    def ignore_location(self, location: SourceLocation) -> None:
        """Report no further mistakes at a location: its value is not the one that was meant."""
        self._ignored.add(location)

    def add_warning(self, location: SourceLocation, sentence: str, rule: str = "") -> None:
        """Add what may be meant so, but probably is not."""
        self._add(location, sentence, rule, Severity.WARNING)

    def add_note(self, location: SourceLocation, sentence: str, rule: str = "") -> None:
        """Add what is right, and worth knowing."""
        self._add(location, sentence, rule, Severity.NOTE)

    def _add(self, location: SourceLocation, sentence: str, rule: str, severity: Severity, excerpt: tuple[str, ...] = ()) -> None:
        # Here, where every sentence passes: no caller has to know which lines hold secrets.
        if self._may_hold_secret(location):
            sentence, excerpt = hide_quoted(sentence), ()
            # The name of an anchor as well: a text that begins with & is read as one.
            location = SourceLocation(
                location.file, location.line, location.column, re.sub(r"&.*(?=, line)", "&…", location.origin)
            )
        sentence, rule = (_join_lines(hide_values(show_quoted(text), self._secret_values)) for text in (sentence, rule))
        self._findings[Finding(location, sentence, rule, severity, excerpt)] = None

    def _may_hold_secret(self, location: SourceLocation) -> bool:
        if location.file not in self._secret_lines:
            self._secret_lines[location.file] = find_secret_lines(self._lines_by_file.get(location.file, ()))
        return location.line - 1 in self._secret_lines[location.file]

    def list_findings(self, severity: Severity) -> tuple[Finding, ...]:
        """Return what was found of a severity, in the order of the file."""
        return tuple(sorted(one for one in self._findings if one.severity is severity))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All mistakes, then all warnings, then all notes; while there are mistakes, only what is worth knowing beside them."""
        mistakes, warnings, notes = map(self.list_findings, Severity)
        if not mistakes:
            return (*warnings, *notes)
        # A warning at the place of a mistake is about a value that has to be written anew.
        places = {one.location for one in mistakes}
        return (*mistakes, *(one for one in warnings if one.location not in places))

    @property
    def mistakes(self) -> tuple[str, ...]:
        """All mistakes as `file:line:column: sentence`, in the order of the file."""
        return tuple(map(str, self.list_findings(Severity.MISTAKE)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings in the same form."""
        return tuple(map(str, self.list_findings(Severity.WARNING)))

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes in the same form."""
        return tuple(map(str, self.list_findings(Severity.NOTE)))


class DocumentInvalid(ValueError):
    """A YAML text with mistakes; each is one line `file:line:column: sentence`, inside rules with the name of the rule."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


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
    for _ in range(_MAX_SYNTAX_MISTAKES):
        try:
            composer = _compose_once(text, file, report)
        except RecursionError:
            report.add_mistake(SourceLocation(file, 1, 1), NESTED_TOO_DEEPLY)
            return None
        except yaml.YAMLError as error:
            # Put right as it was probably meant, so that all mistakes of the file are found at once.
            mistake = explain_syntax(text, error)
            location = SourceLocation(file, mistake.line + 1, mistake.column + 1)
            # A second mistake at one place means that the repair was none.
            is_new = not any(found.location == location for found in report.list_findings(Severity.MISTAKE))
            excerpt = _cut_excerpt(report.line_at(file, mistake.line), mistake.column)
            report.add_mistake(location, mistake.sentence, excerpt=excerpt)
            report.ignore_location(location)  # what is read there now is not what was written
            if mistake.repaired is None or not is_new:
                return None
            text = mistake.repaired
            continue
        for name, node in composer.unused_anchors.items():
            # Nobody anchors a word that is never used; a text that begins with & loses its first word.
            if isinstance(node, yaml.ScalarNode) and not isinstance(node.start_mark, AliasMark):
                why = "which is no part of the text: a text that begins with & goes in quotes"
                report.add_warning(location_of(node), f"no alias uses the anchor &{quoted(name)}, {why}")
        return composer.root if composer.is_walkable else None
    return None


_MAX_SYNTAX_MISTAKES = 30
"""Mistakes of form that are put right in one file. For each the whole text is read anew."""


def _cut_excerpt(line: str, column: int) -> tuple[str, ...]:
    """Return a line and a caret under a column; nothing for an empty line."""
    if not line.strip():
        return ()
    # A long line is cut to what fits into a terminal, with the place in it.
    begin = max(0, column - 60)
    shown = line[begin : begin + 100]
    # A tab is shown as one space, so that the caret stands under its place.
    return (shown.replace("\t", " "), f"{' ' * (column - begin)}^")


def _compose_once(text: str, file: str, report: Report) -> Composer:
    """Compose a text. Raises what PyYAML's Python reader raises."""

    def read(loader: Any) -> Composer:
        # Kept until the whole text is read: what is found before a mistake of form is found again when that is put right.
        found: list[tuple[Any, str]] = []
        composer = Composer(lambda mark, sentence: found.append((mark, sentence)), text.splitlines())
        composer.compose(yaml.parse(_NamedText(text, file), Loader=loader))
        for mark, sentence in found:
            report.add_mistake(_location_at(mark), sentence)
        for mark in composer.unreadable:
            report.ignore_location(_location_at(mark))
        return composer

    try:
        return read(_FAST_LOADER)
    except yaml.YAMLError:
        # libyaml words its errors otherwise: the Python reader says the same everywhere.
        return read(yaml.SafeLoader)


def location_of(node: yaml.Node) -> SourceLocation:
    """Return where a node begins; for one that an alias brings, where the alias stands, with the place of its anchor."""
    return _location_at(node.start_mark)


def _location_at(mark: Any) -> SourceLocation:
    origin = ""
    if isinstance(mark, AliasMark):
        origin = f"&{mark.anchor}, line {mark.origin.line + 1}, column {mark.origin.column + 1}"
    return SourceLocation(str(mark.name), mark.line + 1, mark.column + 1, origin)


def locate_in_text(node: yaml.Node, offset: int, report: Report) -> SourceLocation:
    """Return where a letter of a text stands in its file; where the text begins if that is not certain."""
    start, end = node.start_mark, node.end_mark
    if offset < 0 or not isinstance(node, yaml.ScalarNode) or isinstance(start, AliasMark) or start is None or end is None:
        return location_of(node)
    file, text = str(start.name), str(node.value)
    # A text under `|` has the lines of the file without their indentation. Where that does not hold, its beginning is named.
    if node.style == "|":
        number, column = text.count("\n", 0, offset), offset - (text.rfind("\n", 0, offset) + 1)
        content = text.split("\n")[number]
        raw = report.line_at(file, start.line + 1 + number)
        if not raw.endswith(content):
            return location_of(node)
        return SourceLocation(file, start.line + 2 + number, len(raw) - len(content) + column + 1)
    if start.line != end.line or node.style == ">":
        return location_of(node)  # its lines are folded: a letter's line and column cannot be told from its number
    raw = report.line_at(file, start.line)[start.column : end.column]
    place = _find_in_scalar(raw, offset)
    return SourceLocation(file, start.line + 1, start.column + place + 1)


_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")


def _find_in_scalar(raw: str, offset: int) -> int:
    """Return the column of a letter within a scalar as it is written, with its quotes and escapes."""
    if raw[:1] not in ("'", '"'):
        return offset
    place = 1  # behind the opening quote
    for _ in range(offset):
        if raw.startswith("''", place) and raw[0] == "'":
            place += 2
        elif raw[0] == '"' and (escape := _ESCAPE.match(raw, place)):
            place = escape.end()
        else:
            place += 1
    return place


def mapping_items(node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """Return the keys and values of a mapping; an empty list for any other node."""
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]


def leave_out_extras(root: yaml.Node) -> yaml.Node:
    """Return the root of a file without the keys that begin with `x-`: as in Docker Compose they hold what aliases use."""
    pairs = [(key, value) for key, value in mapping_items(root) if not key.value.startswith("x-")]
    if not isinstance(root, yaml.MappingNode) or len(pairs) == len(root.value):
        return root
    return yaml.MappingNode(root.tag, pairs, root.start_mark, root.end_mark)


def iterate_scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Yield every scalar value below a node, without the keys."""
    waiting = [node] if node is not None else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode):
            yield node
        elif isinstance(node, yaml.SequenceNode):
            waiting += reversed(node.value)
        else:
            waiting += [value for _, value in reversed(mapping_items(node))]


_NO_TEXT = re.compile(r"[\ud800-\udfff]")
"""What Python makes of bytes of the environment that are not UTF-8."""


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
            return found[0][1:]  # `$${VAR}` is written for a text that shows `${VAR}`
        named = _VARIABLE_NAME_PATTERN.fullmatch(found[1])
        if named is None:
            # A name in capitals is that of a variable; anything else may be a part of a secret that has a $ in it.
            shown = found[0] if re.fullmatch(r"[A-Z][A-Z_.-]*", found[1]) else quoted(found[0])
            report.add_mistake(location_of(node), f"{shown} is not understood: write ${{VAR}} or ${{VAR:-default}}")
            report.ignore_location(location_of(node))  # the value is missing, and must not be called wrong as well
            return ""
        if is_secret_name(named[1]):
            report.hide_value(variables.get(named[1], ""))
        value = variables.get(named[1], "")
        if _NO_TEXT.search(value):
            report.add_mistake(location_of(node), f"the environment variable {named[1]} is not text in UTF-8")
            report.ignore_location(location_of(node))
            return ""
        # An empty variable counts as not set, as `:-` has it in a shell.
        if not value and named[2] is None:
            missing.append(named[1])
        return value or named[2] or ""

    node.value = _VARIABLE_PATTERN.sub(expand, node.value)
    return missing


def is_null(node: yaml.Node) -> bool:
    """Return True if nothing is written: an empty value, or `~` or `null` without quotes."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NULL_WORDS
