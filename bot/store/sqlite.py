"""SQLite, called directly under an asynchronous interface: one writer, WAL, a commit takes microseconds."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Executable, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from bot.errors import StoreAway, StoreError, StoreUnusable
from bot.store.driver import Heard, Row, Transaction
from bot.store.migrate import migrate
from bot.store.prepared import Prepared

_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 67108864",
)
_NOW = text("SELECT (julianday('now') - 2440587.5) * 86400.0 AS now")


class SQLite:
    """An open file, or memory."""

    shared = False

    def __init__(self, url: URL, engine: Engine, connection: Connection) -> None:
        self._url, self._engine, self._connection = url, engine, connection
        self._turn = asyncio.Lock()
        self._heard: defaultdict[str, list[Heard]] = defaultdict(list)

    @classmethod
    async def open(cls, url: URL) -> SQLite:
        """Open and migrate; without a file it is memory."""
        engine = _engine(url)
        try:
            connection = engine.connect()
            migrate(connection)
        except StoreError:
            engine.dispose()
            raise
        except (SQLAlchemyError, sqlite3.Error) as error:
            engine.dispose()
            raise meaning(url, error) from error
        return cls(url, engine, connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One after the other."""
        notes: list[tuple[str, str]] = []
        async with self._turn:
            try:
                with self._connection.begin():
                    yield _Direct(self._connection, notes)
            except DBAPIError as error:
                raise meaning(self._url, error) from error
        for channel, payload in notes:
            for heard in self._heard.get(channel, ()):
                heard(payload)

    async def listen(self, channel: str, heard: Heard) -> None:
        """Hear what this process notifies: there is no other."""
        self._heard[channel].append(heard)

    async def close(self) -> None:
        """Close; whatever was committed stays."""
        self._connection.close()
        self._engine.dispose()


class _Direct:
    """A transaction, called without a thread."""

    def __init__(self, connection: Connection, notes: list[tuple[str, str]]) -> None:
        self._connection, self._notes = connection, notes
        self.wrote = False

    async def execute(self, statement: Executable, rows: Row | Sequence[Row] | None = None) -> int:
        self.wrote = True
        return self._connection.execute(statement, rows).rowcount

    async def fetch(self, statement: Executable) -> Sequence[Mapping[Any, Any]]:
        return self._connection.execute(statement).mappings().all()

    async def run(self, statement: Prepared, rows: Sequence[Sequence[Any]]) -> int:
        sql, row = statement.sqlite
        self.wrote = True
        return self._connection.exec_driver_sql(sql, [row(values) for values in rows]).rowcount

    async def read(self, query: Prepared, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        sql, row = query.sqlite
        return self._connection.exec_driver_sql(sql, row(values)).all()

    async def lock(self, name: str) -> None:
        """One transaction follows the other: it is held."""

    async def notify(self, channel: str, payload: str = "") -> None:
        self._notes.append((channel, payload))

    async def now(self) -> float:
        return float((await self.fetch(_NOW))[0]["now"])


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


_MEANINGS: Mapping[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_FULL: (StoreUnusable, "the disk is full; make room where {where} lies, nothing is lost meanwhile"),
    sqlite3.SQLITE_READONLY: (StoreUnusable, "{where} is read-only; let the bot write the file and its directory"),
    sqlite3.SQLITE_BUSY: (StoreAway, "{where} is locked by another process; let only one Touchline run on it"),
    sqlite3.SQLITE_NOTADB: (StoreUnusable, "{where} is not a database; name another file"),
    sqlite3.SQLITE_CANTOPEN: (StoreUnusable, "{where} cannot be opened; the directory must exist and be writable"),
    sqlite3.SQLITE_CORRUPT: (StoreUnusable, "{where} is damaged; put a backup in its place"),
    sqlite3.SQLITE_IOERR: (StoreUnusable, "{where} cannot be read or written; the disk or its file system fails"),
}
_PRIMARY = 0xFF
"""An extended code of SQLite carries its primary one in the lowest byte."""


def meaning(url: URL, error: Exception) -> StoreError:
    """An error of the driver as ours, with a sentence that says what to do."""
    cause = getattr(error, "orig", None) or error
    kind, sentence = _MEANINGS.get((getattr(cause, "sqlite_errorcode", None) or 0) & _PRIMARY, (StoreUnusable, ""))
    where = url.database or "memory"
    return kind("storage.url: " + (sentence.format(where=where) if sentence else f"{where} cannot be used: {cause}"))
