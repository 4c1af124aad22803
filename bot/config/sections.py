"""Reads the sections of `config.yaml` as frozen structs, and reports what is wrong with them at `file:line:column`.

A section's fields have the types that the program uses. `Annotated` with a `Value` says how a field is read from what a person
wrote, and how its JSON Schema describes that. Types alone describe the rest: `X | None`, tuples, mappings and further sections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import NoneType
from typing import Annotated, Any, NamedTuple, TypeVar, cast, get_args, get_origin

import msgspec
import yaml

from rules.loading.document import Report, is_null, location_of, mapping_items
from rules.loading.values import describe_unknown

JsonSchema = dict[str, Any]

S = TypeVar("S", bound="Section")


class SecretStr:
    """A text that is never shown: printed, in an error or in a log it is a row of stars."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        """Return the text itself."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __str__(self) -> str:
        return "**********" if self._text else ""

    def __repr__(self) -> str:
        return f"SecretStr({str(self)!r})"


# Compared by identity: what stands beside `| None` must have a hash, and a schema has none.
class Value(msgspec.Struct, frozen=True, eq=False):
    """How one value is read and described. `read` gets texts, lists, mappings and None, and raises ValueError with a sentence."""

    read: Callable[[Any], Any]
    schema: JsonSchema


class OneOrMore(msgspec.Struct, frozen=True, eq=False):
    """Marks a tuple that the file may also write as a single value; an empty list is never meant."""

    schema: JsonSchema


class Check(msgspec.Struct, frozen=True, eq=False):
    """What a value must fulfil after it was read. `check` raises ValueError; the keywords are added to the JSON Schema."""

    check: Callable[[Any], None]
    keywords: JsonSchema = msgspec.field(default_factory=dict)


class Section(msgspec.Struct, frozen=True):
    """A mapping whose keys are all known; its values do not change."""

    # Class and field names are keys of the JSON Schema that editors use: a changed name is a change of docs/config.schema.json.
    # msgspec itself would stop at the first mistake, and a person wants to see them all: so it only holds the values.

    def check(self) -> None:
        """Raise ValueError if values contradict each other, of which each is allowed by itself."""


class Field(NamedTuple):
    """One setting of a section."""

    type: Any
    default: Any
    """`msgspec.NODEFAULT` for one that must be there."""


@cache
def list_fields(section: type[Section]) -> dict[str, Field]:
    """Return the settings of a section by name."""
    found: dict[str, Field] = {}
    for field in msgspec.structs.fields(section):
        has_factory = field.default_factory is not msgspec.NODEFAULT
        found[field.name] = Field(field.type, field.default_factory() if has_factory else field.default)
    return found


def find_section(hint: Any) -> type[Section] | None:
    """Return the section that a type is or contains, as `WebhookSettings | None` does."""
    if isinstance(hint, type) and issubclass(hint, Section):
        return hint
    return next((found for part in get_args(hint) if (found := find_section(part))), None)


def split_annotated(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type without its annotations, and the annotations."""
    return (get_args(hint)[0], get_args(hint)[1:]) if get_origin(hint) is Annotated else (hint, ())


def split_optional(hint: Any) -> tuple[Any, bool]:
    """Return a type without `| None`, and whether it had that."""
    parts = get_args(hint)
    if NoneType not in parts or get_origin(hint) is Annotated:
        return hint, False
    return next(part for part in parts if part is not NoneType), True


def read_section(section: type[S], node: yaml.Node, report: Report) -> S | None:
    """Read a node as a section; return None if it is invalid, and report every mistake."""
    value = _SectionReader(report).read_section(section, node, ())
    return None if value is _INVALID else cast(S, value)


_Path = tuple[int | str, ...]

_INVALID: Any = object()
"""In place of a value that is wrong, which is reported."""


class _SectionReader:
    """Goes through nodes and types together. A path such as ("feed", "stale_after") leads from the file to a node."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def read_section(self, section: type[Section], node: yaml.Node, path: _Path) -> Any:
        if not isinstance(node, yaml.MappingNode):
            return self._refuse_shape(node, path, "a mapping")
        fields = list_fields(section)
        found: dict[str, Any] = {}
        for key, value in mapping_items(node):
            if key.value in fields:
                found[key.value] = self._read(fields[key.value].type, value, (*path, key.value))
            else:
                # At the key and not at its value, which may be many lines long.
                self._report.add_mistake(location_of(key), describe_unknown("key", str(key.value), tuple(fields)))
                found[key.value] = _INVALID
        for name, field in fields.items():
            if field.default is msgspec.NODEFAULT and name not in found:
                found[name] = self._refuse(node, (*path, name), "this is needed and not there")
        if any(value is _INVALID for value in found.values()):
            return _INVALID
        made = section(**found)
        try:
            made.check()
        except ValueError as error:
            return self._refuse(node, path, str(error))
        return made

    def _read(self, hint: Any, node: yaml.Node, path: _Path) -> Any:
        """Return the value of a node as its type says."""
        hint, marks = split_annotated(hint)
        reader = next((mark for mark in marks if isinstance(mark, Value)), None)
        hint, is_optional = (hint, False) if reader else split_optional(hint)
        try:
            if is_optional:
                value = None if is_null(node) else self._read(hint, node, path)
            elif reader:
                value = reader.read(node_to_data(node))
            elif get_origin(hint) is tuple:
                value = self._read_list(get_args(hint)[0], node, path, may_be_single=any(isinstance(m, OneOrMore) for m in marks))
            elif get_origin(hint) is dict:
                value = self._read_mapping(get_args(hint)[1], node, path)
            else:
                value = self.read_section(hint, node, path)
            for mark in marks if value is not _INVALID else ():
                if isinstance(mark, Check):
                    mark.check(value)
        except ValueError as error:
            return self._refuse(node, path, str(error))
        return value

    def _read_list(self, hint: Any, node: yaml.Node, path: _Path, *, may_be_single: bool) -> Any:
        items: Sequence[yaml.Node]
        if isinstance(node, yaml.SequenceNode):
            items = node.value
        elif may_be_single:
            items = [node]
        else:
            return self._refuse_shape(node, path, "a list")
        if may_be_single and not items:
            return self._refuse(node, path, "the list is empty")
        values = [self._read(hint, item, (*path, at)) for at, item in enumerate(items)]
        return _INVALID if any(value is _INVALID for value in values) else tuple(values)

    def _read_mapping(self, hint: Any, node: yaml.Node, path: _Path) -> Any:
        if not isinstance(node, yaml.MappingNode):
            return self._refuse_shape(node, path, "a mapping")
        values = {key.value.strip(): self._read(hint, value, (*path, key.value)) for key, value in mapping_items(node)}
        return _INVALID if any(value is _INVALID for value in values.values()) else values

    def _refuse(self, node: yaml.Node, path: _Path, sentence: str) -> Any:
        words = ".".join(step for step in path if isinstance(step, str))
        self._report.add_mistake(location_of(node), f"{words}: {sentence}" if words else sentence)
        return _INVALID

    def _refuse_shape(self, node: yaml.Node, path: _Path, expected: str) -> Any:
        place = " (in a list)" if path and isinstance(path[-1], int) else ""
        return self._refuse(node, path, f"{expected} is expected here{place}")


def node_to_data(node: yaml.Node) -> Any:
    """Convert a node to mappings, lists, strings and None."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: node_to_data(value) for key, value in mapping_items(node)}
    if isinstance(node, yaml.SequenceNode):
        return [node_to_data(child) for child in node.value]
    return None if is_null(node) else node.value
