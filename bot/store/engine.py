"""Opens the database and gives transactions. SQLite is called directly under an asynchronous interface: one writer, WAL.

The interface is what another database has to offer: `async with db.transaction() as tx: await tx.execute(statement, rows)`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Executable, RowMapping, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool
from sqlalchemy.sql.schema import Table

from bot.errors import StoreError, StoreUnusable
from bot.store.migrate import migrate
from bot.store.prepared import Prepared

Row = Mapping[str, Any]

_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 67108864",
)


class Transaction(Protocol):
    """What a repository may do inside a transaction."""

    async def execute(self, statement: Executable, rows: Row | Sequence[Row] | None = None) -> int:
        """Run a statement, once or for each row; how many rows it changed."""
        ...

    async def fetch(self, statement: Executable) -> Sequence[RowMapping]:
        """All rows of a query."""
        ...

    async def run(self, statement: Prepared, rows: Sequence[Sequence[Any]]) -> int:
        """Run a prepared statement for each row; how many rows it changed."""
        ...

    async def read(self, query: Prepared, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """All rows of a prepared query, with the driver's own values: a truth is 0 or 1."""
        ...


class Database:
    """An open database, brought to this version's schema."""

    def __init__(self, engine: Engine, connection: Connection) -> None:
        self._engine, self._connection = engine, connection
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open and migrate; `sqlite://` is memory. Raise StoreTooNew or StoreUnusable, each with a sentence."""
        parsed = _parsed(url)
        engine = _engine(parsed)
        try:
            connection = engine.connect()
            migrate(connection)
        except StoreError:
            engine.dispose()
            raise
        except (SQLAlchemyError, sqlite3.Error) as error:
            engine.dispose()
            raise StoreUnusable(_sentence(parsed, error)) from error
        return cls(engine, connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """All or nothing; committed when the block ends, undone when it raises."""
        async with self._turn:
            try:
                with self._connection.begin():
                    yield _Direct(self._connection)
            except DBAPIError as error:
                raise StoreUnusable(f"the database failed: {error.orig}") from error

    async def close(self) -> None:
        """Close; whatever was committed stays."""
        self._connection.close()
        self._engine.dispose()


class _Direct:
    """SQLite's transaction, called without a thread: a commit takes microseconds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable, rows: Row | Sequence[Row] | None = None) -> int:
        return self._connection.execute(statement, rows).rowcount

    async def fetch(self, statement: Executable) -> Sequence[RowMapping]:
        return self._connection.execute(statement).mappings().all()

    async def run(self, statement: Prepared, rows: Sequence[Sequence[Any]]) -> int:
        return self._connection.exec_driver_sql(statement.sql, [statement.row(row) for row in rows]).rowcount

    async def read(self, query: Prepared, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        return self._connection.exec_driver_sql(query.sql, query.row(values)).all()


def upsert(table: Table, *, keep: bool = False) -> Executable:
    """Insert, or where the primary key exists replace all else; with `keep`, leave what exists. The same in both dialects."""
    insert = sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    if keep:
        return insert.on_conflict_do_nothing(index_elements=keys)
    others = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=others)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreUnusable("storage.url: this is not a database's address; write sqlite:///touchline.db") from error
    if parsed.get_backend_name() != "sqlite":
        raise StoreUnusable(f"storage.url: {parsed.get_backend_name()} cannot be used yet; write sqlite:///touchline.db")
    return parsed


def _engine(url: URL) -> Engine:
    engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    """Leave transactions to the engine: the driver's own would not cover a change of the schema."""
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _sentence(url: URL, error: Exception) -> str:
    cause = str(getattr(error, "orig", None) or error)
    where = url.database or "memory"
    if "not a database" in cause:
        return f"storage.url: {where} is not a database; name another file"
    if "unable to open" in cause:
        return f"storage.url: {where} cannot be opened; the directory must exist and be writable"
    return f"storage.url: {where} cannot be used: {cause}"
