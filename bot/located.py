"""Pydantic's errors as sentences at the places of the YAML nodes that they are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rules.document import Report, is_null, pairs, place_of, unknown
from rules.rule import Place

M = TypeVar("M", bound=BaseModel)
Path = tuple[int | str, ...]


def data_of(node: yaml.Node) -> Any:
    """The node as mappings, lists, texts and None."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: data_of(value) for key, value in pairs(node)}
    if isinstance(node, yaml.SequenceNode):
        return [data_of(child) for child in node.value]
    return None if is_null(node) else node.value


def validated(model: type[M], node: yaml.Node, report: Report) -> M | None:
    """The node as a model; None where it is not one, which is reported."""
    try:
        return model.model_validate(data_of(node))
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            report.mistake(*_told(details, model, node))
        return None


def _told(details: ErrorDetails, model: type[BaseModel], root: yaml.Node) -> tuple[Place, str]:
    path = details["loc"]
    if details["type"] == "extra_forbidden":
        return _place_of_key(root, path), unknown("key", str(path[-1]), _keys(model, path[:-1]))
    return place_of(_at(root, path)), f"{_written(path)}{_sentence(details, path)}"


def _at(node: yaml.Node, path: Path) -> yaml.Node:
    """The node at a path, or the last one on the way to it."""
    for step in path:
        children = _children(node)
        if step not in children:
            break
        node = children[step]
    return node


def _children(node: yaml.Node) -> Mapping[int | str, yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return dict(enumerate(node.value))
    return {key.value: value for key, value in pairs(node)}


def _place_of_key(root: yaml.Node, path: Path) -> Place:
    parent = _at(root, path[:-1])
    return place_of(next((key for key, _ in pairs(parent) if key.value == path[-1]), parent))


def _keys(model: type[BaseModel], path: Path) -> tuple[str, ...]:
    """The keys that a mapping at a path may have."""
    for step in path:
        if isinstance(step, str) and step in model.model_fields:
            model = _model_in(model.model_fields[step].annotation) or model
    return tuple(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _model_in(part))), None)


def _written(path: Path) -> str:
    """`feed.stale_after: `; nothing for the whole file."""
    words = ".".join(str(step) for step in path if isinstance(step, str))
    return f"{words}: " if words else ""


def _sentence(details: ErrorDetails, path: Path) -> str:
    kind, facts = details["type"], details.get("ctx", {})
    if kind == "value_error":
        return str(facts.get("error", details["msg"]))
    if kind == "missing":
        return "this is needed and not there"
    if kind in _BOUNDS:
        return f"must be {_BOUNDS[kind][1]} {facts.get(_BOUNDS[kind][0])}"
    return _SENTENCES.get(kind, details["msg"].lower()) + (" (in a list)" if path and isinstance(path[-1], int) else "")


_BOUNDS = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}
_SENTENCES = {
    "model_type": "a mapping is expected here",
    "model_attributes_type": "a mapping is expected here",
    "dict_type": "a mapping is expected here",
    "tuple_type": "a list is expected here",
    "list_type": "a list is expected here",
    "string_type": "one text is expected here",
    "string_pattern_mismatch": "only letters, digits and underscores are allowed, 32 at most",
}
