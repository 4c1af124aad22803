"""SQLite called directly, WAL, one writer; its online backup."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Executable, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from bot.errors import StorageError, StorageUnavailable, StorageUnusable
from bot.storage.driver import NotificationHandler, PreparedStatement, Row, Transaction
from bot.storage.schema import migrate

_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 67108864",
)

_SELECT_NOW = text("SELECT (julianday('now') - 2440587.5) * 86400.0 AS now")


class SQLiteDriver:
    """An open file, or memory."""

    shared = False

    def __init__(self, url: URL, engine: Engine, connection: Connection) -> None:
        self._url, self._engine, self._connection = url, engine, connection
        self._turn = asyncio.Lock()
        self._heard: defaultdict[str, list[NotificationHandler]] = defaultdict(list)

    @classmethod
    async def open(cls, url: URL) -> SQLiteDriver:
        """Open and migrate; without a file it is memory."""
        engine = _create_engine(url)
        try:
            connection = engine.connect()
            migrate(connection)
        except StorageError:
            engine.dispose()
            raise
        except (SQLAlchemyError, sqlite3.Error) as error:
            engine.dispose()
            raise translate_sqlite_error(url, error) from error
        return cls(url, engine, connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One after the other."""
        notes: list[tuple[str, str]] = []
        async with self._turn:
            try:
                with self._connection.begin():
                    yield _SQLiteTransaction(self._connection, notes)
            except DBAPIError as error:
                raise translate_sqlite_error(self._url, error) from error
        for channel, payload in notes:
            for heard in self._heard.get(channel, ()):
                heard(payload)

    async def listen(self, channel: str, heard: NotificationHandler) -> None:
        """Hear what this process notifies: there is no other."""
        self._heard[channel].append(heard)

    async def close(self) -> None:
        """Close; whatever was committed stays."""
        self._connection.close()
        self._engine.dispose()


class _SQLiteTransaction:
    """A transaction, called without a thread."""

    def __init__(self, connection: Connection, notes: list[tuple[str, str]]) -> None:
        self._connection, self._notes = connection, notes
        self.wrote = False

    async def execute(self, statement: Executable, rows: Row | Sequence[Row] | None = None) -> int:
        self.wrote = True
        return self._connection.execute(statement, rows).rowcount

    async def fetch(self, statement: Executable) -> Sequence[Mapping[Any, Any]]:
        return self._connection.execute(statement).mappings().all()

    async def run(self, statement: PreparedStatement, rows: Sequence[Sequence[Any]]) -> int:
        sql, row = statement.sqlite
        self.wrote = True
        return self._connection.exec_driver_sql(sql, [row(values) for values in rows]).rowcount

    async def read(self, query: PreparedStatement, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        sql, row = query.sqlite
        return self._connection.exec_driver_sql(sql, row(values)).all()

    async def lock(self, name: str) -> None:
        """One transaction follows the other: it is held."""

    async def notify(self, channel: str, payload: str = "") -> None:
        self._notes.append((channel, payload))

    async def now(self) -> float:
        return float((await self.fetch(_SELECT_NOW))[0]["now"])


def _create_engine(url: URL) -> Engine:
    engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _prepare_connection(connection: sqlite3.Connection, _: object) -> None:
    """Leave transactions to the engine: the driver's own would not cover a change of the schema."""
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


_ERRORS_BY_CODE: Mapping[int, tuple[type[StorageError], str]] = {
    sqlite3.SQLITE_FULL: (StorageUnusable, "the disk is full; make room where {where} lies, nothing is lost meanwhile"),
    sqlite3.SQLITE_READONLY: (StorageUnusable, "{where} is read-only; let the bot write the file and its directory"),
    sqlite3.SQLITE_BUSY: (StorageUnavailable, "{where} is locked by another process; let only one Touchline run on it"),
    sqlite3.SQLITE_NOTADB: (StorageUnusable, "{where} is not a database; name another file"),
    sqlite3.SQLITE_CANTOPEN: (StorageUnusable, "{where} cannot be opened; the directory must exist and be writable"),
    sqlite3.SQLITE_CORRUPT: (StorageUnusable, "{where} is damaged; put a backup in its place"),
    sqlite3.SQLITE_IOERR: (StorageUnusable, "{where} cannot be read or written; the disk or its file system fails"),
}

_PRIMARY_CODE_MASK = 0xFF
"""An extended code of SQLite carries its primary one in the lowest byte."""


def translate_sqlite_error(url: URL, error: Exception) -> StorageError:
    """An error of the driver as ours, with a sentence that says what to do."""
    cause = getattr(error, "orig", None) or error
    kind, sentence = _ERRORS_BY_CODE.get(
        (getattr(cause, "sqlite_errorcode", None) or 0) & _PRIMARY_CODE_MASK, (StorageUnusable, "")
    )
    where = url.database or "memory"
    return kind("storage.url: " + (sentence.format(where=where) if sentence else f"{where} cannot be used: {cause}"))


def backup_to(source: Path, target: Path) -> None:
    """Write it to a new file and check that. Raise sqlite3.Error or OSError where either fails.

    One step reads one state; in WAL mode, who writes meanwhile is not held up.
    """
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=30)) as there, closing(sqlite3.connect(target)) as here:
        shutil.copymode(source, target)
        there.backup(here)
        here.execute("PRAGMA journal_mode = DELETE")
        (answer,) = here.execute("PRAGMA quick_check").fetchone()
    if answer != "ok":
        raise sqlite3.DatabaseError(answer)
