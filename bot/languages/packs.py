"""For Babel's extraction, what the packs of rules say: each alert's text whole, as its rule writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from rules.load import load_rules

Extracted = tuple[int, str, str, list[str]]
"""A line, gettext's function, the text, and what translators should know."""


def extract(file: BinaryIO, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Extracted]:
    """Every text of a pack's own rules; those that it extends are extracted from their own pack."""
    name = "pack.yaml"
    for rule in load_rules(file.read().decode("utf-8"), name).rules:
        if rule.place.file == name:
            yield rule.place.line, "_", rule.alert.text.source.strip(), [f"The rule: {rule.name}"]
