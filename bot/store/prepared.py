"""Statements compiled once, for what runs for every message: SQLAlchemy's work for each row costs more than SQLite's own."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import ClauseElement, Executable
from sqlalchemy.dialects import sqlite


class Prepared:
    """A statement with named parameters, taken in the order of `names`; values go to the driver as they are."""

    def __init__(self, statement: Executable, names: Sequence[str]) -> None:
        """Its parameters, two or more, are named, or values of the statement itself."""
        compiled: Any = cast(ClauseElement, statement).compile(dialect=sqlite.dialect(), column_keys=list(names))
        order: list[str] = compiled.positiontup or []
        fixed = [name for name in order if name not in names]
        self.sql = str(compiled)
        self._fixed = tuple(compiled.params[name] for name in fixed)
        given = [*names, *fixed]
        self._arranged = itemgetter(*(given.index(name) for name in order))

    def row(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """The driver's parameters for one run."""
        arranged: tuple[Any, ...] = self._arranged((*values, *self._fixed))
        return arranged
