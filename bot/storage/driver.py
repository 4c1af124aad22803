"""What a database must offer; prepared statements; names of notifications."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple, Protocol, cast

from sqlalchemy import ClauseElement, Dialect, Executable
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg

Row = Mapping[str, Any]

NotificationHandler = Callable[[str], None]
"""Called with what was notified; with nothing in it, notifications may have been missed."""


class Transaction(Protocol):
    """What a repository may do inside a transaction.

    PostgreSQL runs transactions beside each other (READ COMMITTED): who reads a row to write it reads it `with_for_update()`,
    which SQLite, where one transaction follows the other, leaves out; who reads that there is none to add one takes a `lock`.
    """

    @property
    def wrote(self) -> bool:
        """Tell whether it ran anything that writes."""
        ...

    async def execute(self, statement: Executable, rows: Row | Sequence[Row] | None = None) -> int:
        """Run a statement, once or for each row; how many rows it changed. For many rows ask `run`: -1 is `not known`."""
        ...

    async def fetch(self, statement: Executable) -> Sequence[Mapping[Any, Any]]:
        """All rows of a query."""
        ...

    async def run(self, statement: PreparedStatement, rows: Sequence[Sequence[Any]]) -> int:
        """Run a prepared statement for each row; how many rows it changed."""
        ...

    async def read(self, query: PreparedStatement, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """All rows of a prepared query, with the driver's own values: a truth equals 1, and may be True."""
        ...

    async def lock(self, name: str) -> None:
        """Wait until no other transaction holds this name, and hold it to this one's end."""
        ...

    async def notify(self, channel: str, payload: str = "") -> None:
        """Let all who listen hear it, in every process, as soon as this is committed; a payload has up to 7,999 bytes."""
        ...

    async def now(self) -> float:
        """The database's own clock, in seconds since 1970: the same for every process, for leases."""
        ...


class Driver(Protocol):
    """An open database, brought to this version's schema."""

    @property
    def shared(self) -> bool:
        """Tell whether other processes may work on the same database."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """All or nothing; committed when the block ends, undone when it raises. Raise StoreAway or StoreUnusable."""
        ...

    async def listen(self, channel: str, heard: NotificationHandler) -> None:
        """Hear what is notified from now on, until the database is closed."""
        ...

    async def close(self) -> None:
        """Close; whatever was committed stays."""
        ...


class CompiledStatement(NamedTuple):
    """A statement as one driver takes it; `row` puts values into the driver's order."""

    sql: str
    row: Callable[[Sequence[Any]], tuple[Any, ...]]


class PreparedStatement:
    """A statement with named parameters, taken in the order of `names`; values go to the driver as they are."""

    def __init__(self, statement: Executable, names: Sequence[str]) -> None:
        """Its parameters, two or more, are named, or values of the statement itself."""
        self._statement, self._names = statement, tuple(names)

    @cached_property
    def sqlite(self) -> CompiledStatement:
        """As SQLite's driver takes it."""
        return self._form(sqlite.dialect())

    @cached_property
    def postgres(self) -> CompiledStatement:
        """As asyncpg takes it."""
        return self._form(asyncpg.dialect())  # type: ignore[no-untyped-call]

    def _form(self, dialect: Dialect) -> CompiledStatement:
        compiled: Any = cast(ClauseElement, self._statement).compile(dialect=dialect, column_keys=list(self._names))
        order: list[str] = compiled.positiontup or []
        fixed = [name for name in order if name not in self._names]
        given = [*self._names, *fixed]
        arranged = itemgetter(*(given.index(name) for name in order))
        always = tuple(compiled.params[name] for name in fixed)
        return CompiledStatement(str(compiled), lambda values: arranged((*values, *always)))


NEWS_CHANNEL = "touchline_news"
"""Alerts were put."""

CHATS_CHANNEL = "touchline_chats"
"""Somebody follows something else, or chats were suspended, resumed or moved."""

RULES_CHANNEL = "touchline_rules"
"""Other rules are in effect."""

LEASES_CHANNEL = "touchline_leases"
"""A lease became free."""

DELIVERIES_CHANNEL = "touchline_entries"
"""Something waits for the chats of the sender that is named."""
