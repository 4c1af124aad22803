"""What a database must offer to repositories: transactions, prepared statements, notifications.

Repositories know `Transaction` and no more. `sqlite.py` and `postgres.py` implement it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from operator import itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, cast

from sqlalchemy import ClauseElement, Dialect, Executable

# Names of notification channels. Processes of two versions listen to them during an upgrade: they must not change.

NEWS_CHANNEL = "touchline_news"
"""Alerts were stored in the outbox."""

CHATS_CHANNEL = "touchline_chats"
"""Somebody follows something else, or chats were suspended, resumed or moved."""

RULES_CHANNEL = "touchline_rules"
"""Other rules are in effect."""

LEASES_CHANNEL = "touchline_leases"
"""A lease became free."""

DELIVERIES_CHANNEL = "touchline_entries"
"""Something waits for chats of the sender that the payload names."""

TROUBLE_CHANNEL = "touchline_trouble"
"""A process cannot use the database; the payload is the sentence."""

UPDATES_CHANNEL = "touchline_updates"
"""An update from Telegram was handled: the next one of its chat may be."""

RATE_CHANNEL = "touchline_rate"
"""A process needs more of the messages that all may send in a second, gives up some, or all have to pause."""

Row = Mapping[str, Any]

NotificationHandler = Callable[[str], None]
"""Called with the payload of a notification. An empty payload may also say that notifications were missed."""


class DamagedRow(NamedTuple):
    """A row that cannot be read: where it is, by its primary key, and why. `values` are those that were found in it."""

    place: str
    reason: str
    table: str = ""
    values: Row = MappingProxyType({})


class Transaction(Protocol):
    """What a repository may do inside a transaction.

    PostgreSQL runs transactions beside each other (READ COMMITTED), SQLite one after the other. So code that reads a row in order
    to write it reads it `with_for_update()`, which SQLite ignores. Code that finds a row missing in order to add it takes
    a `lock` first: a row that is not there cannot be locked.
    """

    @property
    def has_written(self) -> bool:
        """True if it ran anything that writes."""
        ...

    @property
    def damaged(self) -> list[DamagedRow]:
        """The rows that it met and that cannot be read: see `bot.storage.damage`."""
        ...

    async def execute(self, statement: Executable, rows: Row | Sequence[Row] | None = None) -> int:
        """Run a statement, once or for each row, and return how many rows it changed.

        For many rows the count may be -1, "not known": use `execute_prepared` if it matters.
        """
        ...

    async def fetch(self, statement: Executable, values: Row | None = None) -> Sequence[Mapping[Any, Any]]:
        """Return all rows of a query. `values` are those of its parameters: a query that runs often is built once."""
        ...

    async def execute_prepared(self, statement: PreparedStatement, rows: Sequence[Sequence[Any]]) -> int:
        """Run a prepared statement for each row, and return how many rows it changed."""
        ...

    async def fetch_prepared(self, query: PreparedStatement, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return all rows of a prepared query, with the driver's own values: a boolean may come as 0 or 1."""
        ...

    async def lock(self, name: str) -> None:
        """Wait until no other transaction holds this name, and hold it until this one ends."""
        ...

    async def notify(self, channel: str, payload: str = "") -> None:
        """Notify the listeners of every process as soon as this is committed. A payload has up to 7,999 bytes."""
        ...

    async def now(self) -> float:
        """Return the time by the database's own clock, the same for every process, in seconds since 1970."""
        ...


class Driver(Protocol):
    """An open database with the schema of this version."""

    @property
    def is_shared(self) -> bool:
        """True if other processes may work on the same database."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Commit when the block ends, undo all if it raises. Raise StorageUnavailable or StorageUnusable."""
        ...

    async def listen(self, channel: str, handler: NotificationHandler) -> None:
        """Call `handler` for each notification from now on, until the database is closed."""
        ...

    async def hold_session_lock(self, name: str) -> None:
        """Hold a lock by this name for as long as this process keeps a session open, which ends at once if it is killed."""
        ...

    @property
    def session_since(self) -> float | None:
        """Since when the session with its locks is open, on the loop's clock; None while there is none."""
        ...

    async def close(self) -> None:
        """Close. Whatever was committed stays."""
        ...


class CompiledStatement(NamedTuple):
    """A statement as one driver takes it. `arrange` puts values into the driver's order."""

    sql: str
    arrange: Callable[[Sequence[Any]], tuple[Any, ...]]


PostgresForm = tuple[str, Callable[[Sequence[Any]], tuple[Any, ...]]]
"""SQL for PostgreSQL with `$1`, `$2` …, and what turns the values of a statement into those."""


class PostgresBatch(NamedTuple):
    """SQL for PostgreSQL that takes all rows at once: `$1` is JSON, a list of objects with the values under these names."""

    sql: str
    names: tuple[str, ...]


class PreparedStatement:
    """A statement that is compiled once, for what runs for every message. Its values go to the driver as they are."""

    def __init__(
        self,
        statement: Executable,
        parameters: Sequence[str],
        for_postgres: PostgresForm | None = None,
        postgres_batch: PostgresBatch | None = None,
    ) -> None:
        """Take values in the order of `parameters`. Other parameters have their value in the statement itself.

        `for_postgres`: PostgreSQL needs a form of its own to be quick. `postgres_batch`: one that writes many rows.
        """
        self._statement, self._parameters, self._for_postgres = statement, tuple(parameters), for_postgres
        self.postgres_batch = postgres_batch

    @cached_property
    def sqlite(self) -> CompiledStatement:
        """The statement for SQLite's driver."""
        from sqlalchemy.dialects import sqlite

        return self._compile(sqlite.dialect())

    @cached_property
    def postgres(self) -> CompiledStatement:
        """The statement for asyncpg."""
        if self._for_postgres:
            return CompiledStatement(*self._for_postgres)
        # Only here: with SQLite nobody needs it, and it takes 3 MB.
        from sqlalchemy.dialects.postgresql import asyncpg

        return self._compile(asyncpg.dialect())  # type: ignore[no-untyped-call]

    def _compile(self, dialect: Dialect) -> CompiledStatement:
        compiled: Any = cast(ClauseElement, self._statement).compile(dialect=dialect, column_keys=list(self._parameters))
        order: list[str] = compiled.positiontup or []
        # Parameters whose values are part of the statement, such as a status in its WHERE clause.
        fixed = [name for name in order if name not in self._parameters]
        given = [*self._parameters, *fixed]
        # itemgetter runs in C. With a single index it would return that item and no tuple, and with none it cannot be made.
        indexes = [given.index(name) for name in order]
        pick = itemgetter(*indexes) if len(indexes) > 1 else itemgetter(slice(0, len(indexes)))
        fixed_values = tuple(compiled.params[name] for name in fixed)
        return CompiledStatement(str(compiled), lambda values: pick((*values, *fixed_values)))
