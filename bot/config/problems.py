"""Validates YAML nodes by pydantic models, and turns pydantic's errors into sentences at `file:line:column`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rules.engine.rule import SourceLocation
from rules.loading.document import Report, is_null, location_of, mapping_items
from rules.loading.secret_lines import quoted_key
from rules.loading.values import describe_unknown, suggest

M = TypeVar("M", bound=BaseModel)

NodePath = tuple[int | str, ...]


# pydantic knows the path of a value, such as ("feed", "stale_after"), and not its place in the file. So the error's path is
# followed through the YAML nodes, which know it.
def node_to_data(node: yaml.Node) -> Any:
    """Convert a node to mappings, lists, strings and None."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: node_to_data(value) for key, value in mapping_items(node)}
    if isinstance(node, yaml.SequenceNode):
        return [node_to_data(child) for child in node.value]
    return None if is_null(node) else node.value


def validate_node(model: type[M], node: yaml.Node, report: Report) -> M | None:
    """Validate a node as a model; return None and report every mistake if it is invalid."""
    try:
        return model.model_validate(node_to_data(node))
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            report.add_mistake(*_describe_error(details, model, node))
        return None


def _describe_error(details: ErrorDetails, model: type[BaseModel], root: yaml.Node) -> tuple[SourceLocation, str]:
    path = details["loc"]
    if details["type"] == "extra_forbidden":
        # At the key and not at its value, which may be many lines long.
        parent = _find_node(root, path[:-1])
        key = next((key for key, _ in mapping_items(parent) if key.value == path[-1]), parent)
        # The model of the mapping that has the key, whose fields are the keys that it may have.
        for step in path[:-1]:
            if isinstance(step, str) and step in model.model_fields:
                model = _find_model(model.model_fields[step].annotation) or model
        return location_of(key), describe_unknown_setting(str(path[-1]), tuple(model.model_fields))
    # As `feed.stale_after: …`; nothing before the sentence if it is about the whole file.
    setting = ".".join(step for step in path if isinstance(step, str))
    return location_of(_find_node(root, path)), f"{setting}{': ' if setting else ''}{_describe_cause(details, path)}"


def describe_unknown_setting(word: str, known: Sequence[str]) -> str:
    """Return the sentence about an unknown key; its word is marked as quoted, unless it is near a known one."""
    sentence = describe_unknown("key", word, known)
    return sentence if suggest(word, known) else sentence.replace(f'"{word}"', f'"{quoted_key(word)}"', 1)


def _find_node(node: yaml.Node, path: NodePath) -> yaml.Node:
    """Return the node at a path, or the last existing one on the way to it: a missing key has no place of its own."""
    for step in path:
        children: Mapping[int | str, yaml.Node] = (
            dict(enumerate(node.value))
            if isinstance(node, yaml.SequenceNode)
            else {key.value: value for key, value in mapping_items(node)}
        )
        if step not in children:
            break
        node = children[step]
    return node


def _find_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _find_model(part))), None)


def _describe_cause(details: ErrorDetails, path: NodePath) -> str:
    # Sentences of our own validators are complete; pydantic's are replaced by plainer ones where they are known.
    kind, facts = details["type"], details.get("ctx", {})
    if kind == "value_error":
        return str(facts.get("error", details["msg"]))
    if kind == "missing":
        return "this is needed and not there"
    if kind in _BOUND_SENTENCES:
        return f"must be {_BOUND_SENTENCES[kind][1]} {facts.get(_BOUND_SENTENCES[kind][0])}"
    return _ERROR_SENTENCES.get(kind, details["msg"].lower()) + (" (in a list)" if path and isinstance(path[-1], int) else "")


_BOUND_SENTENCES = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}

_ERROR_SENTENCES = {
    "model_type": "a mapping is expected here",
    "model_attributes_type": "a mapping is expected here",
    "dict_type": "a mapping is expected here",
    "tuple_type": "a list is expected here",
    "list_type": "a list is expected here",
    "string_type": "one text is expected here",
    "string_pattern_mismatch": "only letters, digits and underscores are allowed, 32 at most",
}
