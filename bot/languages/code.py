"""For Babel's extraction, what the code says: Babel's own extractor does not look into f-strings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, BinaryIO

_FUNCTIONS = {"_": "gettext", "N_": "gettext", "ngettext": "ngettext", "pgettext": "pgettext"}
_NOTE = "# Translators:"

Texts = str | tuple[str, ...]


def extract(file: BinaryIO, keywords: Any, comment_tags: Any, options: Any) -> Iterator[tuple[int, str, Texts, list[str]]]:
    """Every text that is given to one of gettext's functions, with what a comment in the line above tells translators."""
    source = file.read().decode("utf-8")
    lines = source.splitlines()
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _FUNCTIONS:
            texts = tuple(argument.value for argument in call.args if isinstance(argument, ast.Constant))
            if said := tuple(text for text in texts if isinstance(text, str)):
                yield call.lineno, _FUNCTIONS[call.func.id], said if len(said) > 1 else said[0], _note(lines, call.lineno)


def _note(lines: list[str], line: int) -> list[str]:
    above = lines[line - 2].strip() if line > 1 else ""
    return [above.removeprefix(_NOTE).strip()] if above.startswith(_NOTE) else []
