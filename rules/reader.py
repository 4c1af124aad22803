"""Reads the values of YAML nodes; what is not as it should be is reported at its place and read as None."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import yaml

from rules.document import Report, is_null, pairs, place_of, unknown

T = TypeVar("T")


class Reader:
    """Reads on behalf of one rule, or of none."""

    def __init__(self, report: Report, rule: str = "") -> None:
        self.report, self.rule = report, rule

    def mistake(self, node: yaml.Node, sentence: str) -> None:
        """Report a mistake at a node."""
        self.report.mistake(place_of(node), sentence, self.rule)

    def warn(self, node: yaml.Node, sentence: str) -> None:
        """Report a warning at a node."""
        self.report.warn(place_of(node), sentence, self.rule)

    def fields(self, node: yaml.Node, what: str, keys: Sequence[str]) -> dict[str, yaml.Node] | None:
        """The values of a mapping by key; unknown keys are mistakes."""
        if is_null(node):
            self.mistake(node, f"{what} is empty")
            return None
        if not isinstance(node, yaml.MappingNode):
            self.mistake(node, f"{what} must be a mapping with {_listed(keys)}")
            return None
        for key, _ in pairs(node):
            if key.value not in keys:
                self.mistake(key, unknown("key", str(key.value), keys))
        return {str(key.value): value for key, value in pairs(node) if key.value in keys}

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node] | None:
        """The members of a list."""
        if is_null(node):
            self.mistake(node, f"{what} is empty: write a list, or leave the line out")
        elif not isinstance(node, yaml.SequenceNode):
            self.mistake(node, f"{what} must be a list")
        else:
            return list(node.value)
        return None

    def text(self, node: yaml.Node, what: str) -> str | None:
        """One text; a number or true is the text that it looks like."""
        if not isinstance(node, yaml.ScalarNode):
            self.mistake(node, f"{what} must be one text, not a {_shape(node)}")
        elif is_null(node) or not node.value.strip():
            self.mistake(node, f"{what} is empty")
        else:
            return str(node.value)
        return None

    def texts(self, node: yaml.Node, what: str) -> list[tuple[str, yaml.Node]] | None:
        """One text or a list of texts, each with its node."""
        nodes = list(node.value) if isinstance(node, yaml.SequenceNode) else [node]
        if not nodes:
            self.mistake(node, f"{what} is an empty list")
            return None
        words = [(word, child) for child in nodes if (word := self.text(child, what)) is not None]
        return words if len(words) == len(nodes) else None

    def parsed(self, node: yaml.Node, what: str, parse: Callable[[str], T]) -> T | None:
        """One text as something else, by a function that raises ValueError with a sentence."""
        text = self.text(node, what)
        try:
            return None if text is None else parse(text)
        except ValueError as error:
            self.mistake(node, f"{what}: {error}")
            return None

    def choice(self, node: yaml.Node, what: str, choices: Sequence[str]) -> str | None:
        """One of few words, whatever its letter case."""
        text = self.text(node, what)
        found = next((choice for choice in choices if text and choice.casefold() == text.strip().casefold()), None)
        if text is not None and found is None:
            self.mistake(node, unknown(what, text, choices))
        return found


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + f" and {words[-1]}" if len(words) > 1 else "".join(words)


def _shape(node: yaml.Node) -> str:
    return "list" if isinstance(node, yaml.SequenceNode) else "mapping"
