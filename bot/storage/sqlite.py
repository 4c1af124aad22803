"""SQLite: the driver, its errors as sentences, and its online backup.

There is one connection, and it is called without a thread: most statements take less time than handing them to a thread and back.
While one runs, the event loop stands still, so no statement may take long.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, Executable, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from bot.errors import StorageDamaged, StorageError, StorageUnavailable, StorageUnusable
from bot.storage.damage import describe_key
from bot.storage.driver import DamagedRow, NotificationHandler, PreparedStatement, Row, Transaction
from bot.storage.migrate import migrate
from bot.storage.repair import copy_database, finish_repair, name_repaired, undo_repair
from bot.storage.schema import metadata

_LOCK_PATIENCE = 5.0
"""Seconds to wait for a file that a backup or another tool holds."""

_LOCK_RETRY_INTERVAL = 0.05

_PRAGMAS = (
    # While it is opened. Later the event loop would stand still meanwhile, so that no frame is read and no message sent.
    f"PRAGMA busy_timeout = {_LOCK_PATIENCE * 1000:.0f}",
    # With a write-ahead log, a backup reads while the bot writes.
    "PRAGMA journal_mode = WAL",
    # In WAL mode the file stays consistent with NORMAL. A power cut may undo the last commits, a crash of the process none.
    "PRAGMA synchronous = NORMAL",
    # After a long write the log would otherwise keep its largest size for ever.
    "PRAGMA journal_size_limit = 67108864",
)

# Takes the write lock at once. A transaction that began by reading could not become a writer if a tool wrote since.
_BEGIN = "BEGIN IMMEDIATE"

_PRIVATE = 0o600

_SELECT_NOW = text("SELECT (julianday('now') - 2440587.5) * 86400.0 AS now")


class SQLiteDriver:
    """An open file, or a database in memory. Transactions run one after the other."""

    is_shared = False

    def __init__(self, url: URL, connection: Connection) -> None:
        self._url, self._connection = url, connection
        self._raw = _driver_connection(connection)
        self._lock = asyncio.Lock()
        self._handlers: defaultdict[str, list[NotificationHandler]] = defaultdict(list)

    @classmethod
    async def open(cls, url: URL) -> SQLiteDriver:
        """Open and migrate; an address without a file is a database in memory."""
        refuse_folder(url.database)
        try:
            if url.database and ":" not in url.database:
                make_private(Path(url.database))
            connection = _connect(url)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise translate_sqlite_error(url, error) from error
        try:
            if url.database:
                migrate(connection)
            else:
                # Copied, since a database that was read by `deserialize` is slower than one that was written.
                with closing(sqlite3.connect(":memory:")) as empty:
                    empty.deserialize(_make_memory_image())
                    empty.backup(_driver_connection(connection))
        except StorageError:
            connection.close()
            raise
        except (SQLAlchemyError, sqlite3.Error) as error:
            connection.close()
            raise translate_sqlite_error(url, error) from error
        _forbid_waiting(connection)
        return cls(url, connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit when the block ends, undo all if it raises. Others wait: the block may await, and there is one connection."""
        notifications: list[tuple[str, str]] = []
        async with self._lock:
            try:
                if self._connection.closed:
                    self._connect_again()
                await self._begin()
                try:
                    yield SQLiteTransaction(self._connection, self._raw, notifications)
                    self._raw.commit()
                except BaseException:
                    # Of a database that was closed meanwhile nothing is left to undo.
                    with suppress(sqlite3.ProgrammingError):
                        self._raw.rollback()
                    raise
            except (DBAPIError, sqlite3.Error) as error:
                raise translate_sqlite_error(self._url, error) from error
        # As with PostgreSQL: after the commit, and outside the lock, so that a handler may start a transaction.
        for channel, payload in notifications:
            for handler in self._handlers.get(channel, ()):
                handler(payload)

    async def _begin(self) -> None:
        """Begin a transaction. While another program holds the file, other work of this process goes on.

        The driver begins, commits and rolls back, and SQLAlchemy takes all of them for one long transaction: to begin and commit
        with it takes longer than most transactions have to do.
        """
        give_up_at = asyncio.get_running_loop().time() + _LOCK_PATIENCE
        while True:
            try:
                self._raw.execute(_BEGIN)
                return
            except sqlite3.Error as error:
                is_held = _find_error_code(error) == sqlite3.SQLITE_BUSY
                if not is_held or asyncio.get_running_loop().time() >= give_up_at:
                    raise
            await asyncio.sleep(_LOCK_RETRY_INTERVAL)

    async def listen(self, channel: str, handler: NotificationHandler) -> None:
        """Call `handler` for what this process notifies. No other process works on the file."""
        self._handlers[channel].append(handler)

    # No other process works on the file, so nobody watches this session.
    session_since = None

    async def hold_session_lock(self, name: str) -> None:
        """Do nothing: nobody looks for it."""

    async def checkpoint(self) -> None:
        """Move what was committed from the write-ahead log into the file itself, as far as no reader is in the way."""
        async with self._lock:
            with self._translating_errors():
                self._raw.execute("PRAGMA wal_checkpoint(PASSIVE)")

    async def reopen(self) -> bool:
        """Close the file and open it anew, so that its log and the index of that are made again after somebody deleted them.

        Return False if the file was left open: it did not take all that is in the log.
        """
        async with self._lock:
            with self._translating_errors():
                # With the log everything that is in it would be lost, so it is emptied into the file first, and that is checked.
                cursor = self._raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                is_busy, in_log, _ = cursor.fetchone()
                if is_busy or in_log:
                    return False
                self._connection.close()
                self._connect_again()
        return True

    async def replace_damaged(self, file: Path) -> tuple[Path, list[str]]:
        """Go on with a new file of all that can be read of a damaged one. Return where that is kept, and the incomplete tables.

        Transactions wait meanwhile. If it fails, the damaged file stays in use. `file` has no links in its path.
        """
        partial_file = file.with_name(f"{file.name}.partial")
        async with self._lock:
            with self._translating_errors():
                try:
                    partial_file.unlink(missing_ok=True)
                    make_private(partial_file)
                    # In a thread: it reads everything, and frames and updates must be read meanwhile.
                    incomplete = await asyncio.to_thread(copy_database, file, partial_file)
                    # From here on a kill does not matter: whoever takes the lock of the database next finishes the repair.
                    partial_file.rename(name_repaired(file))
                except BaseException:
                    for ending in ("", "-journal"):
                        partial_file.with_name(partial_file.name + ending).unlink(missing_ok=True)
                    raise
                self._connection.close()
                try:
                    kept = finish_repair(file)
                except Exception:
                    undo_repair(file)
                    self._connect_again()
                    raise
                # The repair is done, even if the new file cannot be opened now: the next transaction tries again.
                with suppress(SQLAlchemyError, sqlite3.Error):
                    self._connect_again()
        return kept, incomplete

    def _connect_again(self) -> None:
        self._connection = _connect(self._url)
        self._raw = _driver_connection(self._connection)
        _forbid_waiting(self._connection)

    async def count_bytes(self) -> int:
        """Return how large the file is once everything committed is in it."""
        async with self._lock:
            with self._translating_errors():
                (pages,) = self._raw.execute("PRAGMA page_count").fetchone()
                (page_size,) = self._raw.execute("PRAGMA page_size").fetchone()
        return int(pages) * int(page_size)

    async def copy_to(self, target: Path) -> None:
        """Copy all that was committed into a new file, from the open handle: it works after the file was deleted or renamed."""
        partial = target.with_name(f"{target.name}.partial")
        async with self._lock:
            with self._translating_errors():
                partial.unlink(missing_ok=True)
                make_private(partial)
                with closing(sqlite3.connect(partial)) as copy:
                    self._raw.backup(copy)
                    # A copy is one file, without a log beside it that somebody may forget to move.
                    copy.execute("PRAGMA journal_mode = DELETE")
        # Renamed only when complete, so that an interrupted copy does not replace the one before.
        partial.replace(target)

    @contextmanager
    def _translating_errors(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise translate_sqlite_error(self._url, error) from error

    async def close(self) -> None:
        """Close. Whatever was committed stays."""
        self._connection.close()


class SQLiteTransaction:
    """See `Transaction`."""

    def __init__(self, connection: Connection, raw: sqlite3.Connection, notifications: list[tuple[str, str]]) -> None:
        self._connection, self._raw, self._notifications = connection, raw, notifications
        self.has_written = False
        self.damaged: list[DamagedRow] = []

    async def execute(self, statement: Executable, rows: Row | Sequence[Row] | None = None) -> int:
        self.has_written = True
        return self._connection.execute(statement, rows).rowcount

    async def fetch(self, statement: Executable, values: Row | None = None) -> Sequence[Mapping[Any, Any]]:
        try:
            return self._connection.execute(statement, values).mappings().all()
        except DBAPIError as error:
            if not _is_unreadable_text(error):
                raise
        with self._replacing_damaged_text():
            rows = self._connection.execute(statement, values).mappings().all()
        for row in rows:
            self._note_damaged_text(row)
        return rows

    async def execute_prepared(self, statement: PreparedStatement, rows: Sequence[Sequence[Any]]) -> int:
        sql, arrange = statement.sqlite
        self.has_written = True
        return self._raw.executemany(sql, [arrange(values) for values in rows]).rowcount

    async def fetch_prepared(self, query: PreparedStatement, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        # By the driver itself, which SQLAlchemy would take several times as long to call.
        sql, arrange = query.sqlite
        try:
            return self._raw.execute(sql, arrange(values)).fetchall()
        except sqlite3.OperationalError as error:
            if not _is_unreadable_text(error):
                raise
        with self._replacing_damaged_text():
            cursor = self._raw.execute(sql, arrange(values))
            rows = cursor.fetchall()
        for row in rows:
            self._note_damaged_text(dict(zip((column[0] for column in cursor.description), row, strict=True)))
        return rows

    @contextmanager
    def _replacing_damaged_text(self) -> Iterator[None]:
        """Read texts whose bytes are none with a replacement character for each, as one such text fails the whole query.

        Only for the query that has failed: a function of ours for each text is slow.
        """
        self._raw.text_factory = partial(str, encoding="utf-8", errors="replace")
        try:
            yield
        finally:
            self._raw.text_factory = str

    def _note_damaged_text(self, row: Mapping[Any, Any]) -> None:
        if columns := [name for name, value in row.items() if isinstance(value, str) and _REPLACEMENT in value]:
            place = f"the row with {describe_key(row, _KEY_NAMES)}"
            self.damaged.append(DamagedRow(place, f"no text in {', '.join(columns)}", values=row))

    async def lock(self, name: str) -> None:
        """Do nothing: transactions run one after the other, so this one holds every name."""

    async def notify(self, channel: str, payload: str = "") -> None:
        self._notifications.append((channel, payload))

    async def now(self) -> float:
        return float((await self.fetch(_SELECT_NOW))[0]["now"])


_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_KEY_NAMES = tuple(dict.fromkeys(column.name for table in metadata.sorted_tables for column in table.primary_key))
"""The columns that tell where a row is. Of a query's row it is not known which table it is from."""


@cache
def _get_engine() -> Engine:
    """Return the engine of all databases of this process.

    To compile a statement takes longer than to run it, and compiled statements are kept with the engine and its dialect: what one
    database has asked, another asks at once. Every recording, for one, is replayed with a database of its own.
    """
    engine = create_engine("sqlite://", poolclass=NullPool)
    event.listen(engine, "begin", _begin_if_needed)
    engine.connect().close()  # tells the dialect which SQLite this is
    return engine


def _begin_if_needed(connection: Connection) -> None:
    """Begin a migration. Of the driver's own transactions SQLAlchemy learns only with their first statement."""
    raw = _driver_connection(connection)
    if not raw.in_transaction:
        raw.execute(_BEGIN)


def _connect(url: URL) -> Connection:
    engine = _get_engine()
    words, options = engine.dialect.create_connect_args(url)
    options["check_same_thread"] = False
    pool = NullPool(lambda: engine.dialect.connect(*words, **options), dialect=engine.dialect)
    event.listen(pool, "connect", _prepare_connection)
    return Connection(engine, pool.connect())


@cache
def _make_memory_image() -> bytes:
    """Return an empty database in memory with today's schema. To make its tables takes ten times as long as to copy them."""
    with _connect(make_url("sqlite://")) as connection:
        migrate(connection)
        return _driver_connection(connection).serialize()


def _forbid_waiting(connection: Connection) -> None:
    """Let no statement wait for a lock, now that the event loop runs: see `_PRAGMAS`."""
    _driver_connection(connection).execute("PRAGMA busy_timeout = 0")


def _driver_connection(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def _prepare_connection(connection: sqlite3.Connection, _: object) -> None:
    # Python's driver begins transactions by itself, but not before a change of the schema: then a migration that fails would stay
    # half done. None turns that off, and the engine begins them.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


DAMAGED = "{where} is damaged; run `touchline restore` with your last backup while the bot is stopped"

_UNREADABLE_TEXT = "Could not decode to UTF-8"
"""How the driver's error begins for a text whose bytes are none: it has no code, and quotes the text."""

_ERRORS_BY_CODE: Mapping[int, tuple[type[StorageError], str]] = {
    sqlite3.SQLITE_FULL: (StorageUnusable, "the disk is full; make room where {where} lies, nothing is lost meanwhile"),
    sqlite3.SQLITE_READONLY: (StorageUnusable, "{where} is read-only; let the bot write the file and its directory"),
    sqlite3.SQLITE_BUSY: (StorageUnavailable, "{where} is locked by another process; let only one Touchline run on it"),
    sqlite3.SQLITE_NOTADB: (StorageUnusable, "{where} is not a database; name another file"),
    sqlite3.SQLITE_CANTOPEN: (StorageUnusable, "{where} cannot be opened; the directory must exist and be writable"),
    sqlite3.SQLITE_CORRUPT: (StorageDamaged, DAMAGED),
    # SQLite knows only one error of the system by name, that of a full disk.
    sqlite3.SQLITE_IOERR: (
        StorageUnusable,
        "{where} cannot be read or written; a quota or the limit on the size of files (ulimit -f) is reached, or the disk fails",
    ),
}


def _is_unreadable_text(error: Exception) -> bool:
    return str(getattr(error, "orig", None) or error).startswith(_UNREADABLE_TEXT)


_PRIMARY_CODE_MASK = 0xFF
"""An extended code of SQLite carries its primary one in the lowest byte."""


def _find_error_code(error: Exception) -> int:
    """Return SQLite's primary code of an error of the driver; 0 if it has none."""
    cause = getattr(error, "orig", None) or error
    return (getattr(cause, "sqlite_errorcode", None) or 0) & _PRIMARY_CODE_MASK


def translate_sqlite_error(url: URL, error: Exception) -> StorageError:
    """Return the error of ours that says what the driver's means and what to do about it."""
    cause = getattr(error, "orig", None) or error
    kind, sentence = _ERRORS_BY_CODE.get(_find_error_code(error), (StorageUnusable, ""))
    if _is_unreadable_text(error):
        kind, sentence = StorageDamaged, DAMAGED
    where = url.database or "memory"
    return kind("storage.url: " + (sentence.format(where=where) if sentence else f"{where} cannot be used: {cause}"))


def refuse_folder(path: str | Path | None) -> None:
    """Raise StorageUnusable if a folder is named where a database file belongs."""
    if path and Path(path).is_dir():
        raise StorageUnusable(f"storage.url: {path} is a folder; name a file in it")


def make_private(file: Path) -> None:
    """Let only the program's user read and write a database file, which is created if it is missing, and its logs.

    Chats, their members' words to the bot and the feed's data are nobody else's. SQLite gives its logs the rights of the file.
    """
    # Opening fails later with a sentence of its own if the folder is missing. The file may also belong to somebody else.
    with suppress(OSError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, _PRIVATE))
    # Not opened again where it exists: closing it would drop the locks that another connection of this process holds.
    for one in (file, *(file.with_name(file.name + suffix) for suffix in ("-wal", "-shm"))):
        with suppress(OSError):
            if one.stat().st_mode & 0o077:
                one.chmod(_PRIVATE)


def backup_to(source: Path, target: Path) -> None:
    """Copy a database that is in use to a new file and check the copy. Raise sqlite3.Error or OSError if either fails."""
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=30)) as there, closing(sqlite3.connect(target)) as here:
        target.chmod(_PRIVATE)
        there.backup(here)  # in one step, so that it is one state; in WAL mode this does not hold up the writer
        here.execute("PRAGMA journal_mode = DELETE")
        (answer,) = here.execute("PRAGMA quick_check").fetchone()
    if answer != "ok":
        raise sqlite3.DatabaseError(answer)
