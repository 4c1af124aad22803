"""Statements compiled once, for what runs for every message: SQLAlchemy's work for each row costs more than SQLite's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple, cast

from sqlalchemy import ClauseElement, Dialect, Executable
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg


class Form(NamedTuple):
    """A statement as one driver takes it; `row` puts values into the driver's order."""

    sql: str
    row: Callable[[Sequence[Any]], tuple[Any, ...]]


class Prepared:
    """A statement with named parameters, taken in the order of `names`; values go to the driver as they are."""

    def __init__(self, statement: Executable, names: Sequence[str]) -> None:
        """Its parameters, two or more, are named, or values of the statement itself."""
        self._statement, self._names = statement, tuple(names)

    @cached_property
    def sqlite(self) -> Form:
        """As SQLite's driver takes it."""
        return self._form(sqlite.dialect())

    @cached_property
    def postgres(self) -> Form:
        """As asyncpg takes it."""
        return self._form(asyncpg.dialect())  # type: ignore[no-untyped-call]

    def _form(self, dialect: Dialect) -> Form:
        compiled: Any = cast(ClauseElement, self._statement).compile(dialect=dialect, column_keys=list(self._names))
        order: list[str] = compiled.positiontup or []
        fixed = [name for name in order if name not in self._names]
        given = [*self._names, *fixed]
        arranged = itemgetter(*(given.index(name) for name in order))
        always = tuple(compiled.params[name] for name in fixed)
        return Form(str(compiled), lambda values: arranged((*values, *always)))
