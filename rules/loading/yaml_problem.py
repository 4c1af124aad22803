"""A mistake of form in YAML: what PyYAML says of it, and what is said instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import yaml

# A key may stand after dashes, and be in quotes; a value is what follows its colon and at least one space.
_ENTRY = re.compile(r"^(?P<indent>[ ]*(?:- +)*)(?P<key>[\w-]+|\"[^\"]*\"|'[^']*')[ ]*:[ ]+(?P<value>\S.*?)[ ]*$")

_ITEM = re.compile(r"^(?P<indent>[ ]*(?:- +)+)(?P<value>\S.*?)[ ]*$")


class SyntaxMistake(NamedTuple):
    """One mistake of YAML's syntax."""

    line: int
    """Counted from 0, as the column."""
    column: int
    sentence: str
    repaired: str | None = None
    """The whole text as it was probably meant; None where that is not known, and reading cannot go on."""


class YamlProblem(NamedTuple):
    """What PyYAML's Python reader says, with the lines of the text.

    The problem is where reading stopped, the context what was being read there. Each has a line and a column, counted from 0.
    """

    lines: list[str]
    problem: str
    context: str
    line: int
    column: int
    context_line: int
    context_column: int

    @property
    def text_line(self) -> str:
        """The line of the problem."""
        return self.line_at(self.line)

    def line_at(self, number: int) -> str:
        """Return a line of the text; empty after the last one, where PyYAML sees an end that comes too soon."""
        return self.lines[number] if number < len(self.lines) else ""

    def find_value(self, number: int) -> tuple[int, str] | None:
        """Return the value on a line after its key or dash, with its column; None where there is none."""
        line = self.line_at(number)
        found = _ENTRY.match(line) or _ITEM.match(line)
        return (found.start("value"), found["value"]) if found else None

    def replace_line(self, number: int, new: str) -> str:
        """Return the whole text with another line in the place of one."""
        return "\n".join([*self.lines[:number], new, *self.lines[number + 1 :]])

    def quote_value(self, number: int, column: int, value: str, rest: str = "") -> str:
        """Return the whole text with the value of a line in quotes; `rest` is what follows the value on that line."""
        return self.replace_line(number, self.lines[number][:column] + quote(value) + rest)

    def read_tokens(self) -> Iterator[yaml.Token]:
        """Yield the tokens of the text up to the first that cannot be read."""
        try:
            yield from yaml.scan("\n".join(self.lines), Loader=yaml.SafeLoader)
        except yaml.YAMLError:
            return


def quote(value: str) -> str:
    """Return a text in single quotes, in which nothing but the quote itself has to be escaped."""
    return "'" + value.replace("'", "''") + "'"


def shorten(text: str, length: int = 40) -> str:
    """Return at most so many letters of a text."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
