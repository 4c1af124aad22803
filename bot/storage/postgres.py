"""PostgreSQL: a pool of connections, each for a transaction at a time, and one that only listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakSet

import asyncpg
import msgspec
import structlog
from sqlalchemy import Connection, Executable, event
from sqlalchemy.dialects.sqlite.dml import OnConflictDoNothing, OnConflictDoUpdate
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import StorageError, StorageUnavailable, StorageUnusable
from bot.storage.driver import DamagedRow, NotificationHandler, PreparedStatement, Row, Transaction
from bot.storage.migrate import migrate
from bot.storage.notification_listener import NotificationListener
from bot.storage.postgres_errors import DATABASE_ERRORS, NO_CONNECTION_LEFT, describe_server, find_sqlstate, translate_errors
from bot.storage.schema import POSTGRES_CONDITIONS

log = structlog.get_logger()

# Statements are written with SQLite's `ON CONFLICT` (see `upsert`), and this dialect asks its clause for a constraint's name.
OnConflictDoUpdate.constraint_target = OnConflictDoNothing.constraint_target = None  # type: ignore[attr-defined]

for _index, _condition in POSTGRES_CONDITIONS.items():
    _index.dialect_options["postgresql"]["where"] = _condition

_POOL_SIZE = 10
"""Connections of a process at most, besides the one that listens."""

_CONNECT_TIMEOUT = 10.0
"""Seconds to connect, or to wait for a connection of the pool."""

_STATEMENT_TIMEOUT = 60.0
"""Seconds of a statement after which the database counts as unreachable. Migrations have no limit: they may rewrite a table."""

_MIGRATION_LOCK_ID = 0x746F7563
"""The advisory lock under which the schema is changed. The same in every version: two may start at once."""

_SERVER_SETTINGS = {"application_name": "touchline"}

# By a statement, since PgBouncer refuses a connection that asks for it at its start.
_PREPARE_SESSION = "SET idle_in_transaction_session_timeout = 60000; SET enable_seqscan = off; SET jit = off"
"""If this process hangs in a transaction, the server gives its locks back after a minute.

A prepared statement keeps the plan that was best when its tables were small, until they are analysed again. Without
`enable_seqscan`, that plan is a look into an index, and not to read a table whole that has grown since. What has to read a whole
table still does, and would count as so expensive that the server compiled it each time (`jit`).
"""

_RETRY_CONNECTION_AFTER = 0.1
"""Seconds until a transaction looks again for a connection, where the server has none left: others of the pool become free."""

_ENDS_SESSION = ("25006", "57P01", "57P02", "57P03")
"""SQLSTATEs after which a session is of no more use: its server takes no changes any more since a failover, or stops."""

_POOLER_PROBE_TIMEOUT = 5.0

_BACKEND = "SELECT pg_backend_pid()"

_TRANSACTION_POOLING = (
    "is a pooler that gives each transaction another connection, and notifications and locks need one of their own: set "
    "pool_mode = session in PgBouncer, or name the server itself"
)


class PostgresDriver:
    """A pool of connections, and one that listens."""

    is_shared = True

    def __init__(self, url: URL) -> None:
        self._url = url
        # AUTOCOMMIT, because `transaction` begins and ends transactions on asyncpg's own connection: SQLAlchemy's statements and
        # prepared ones, which go past it, are then in the same transaction.
        self._engine = self._create_engine(
            pool_size=_POOL_SIZE, max_overflow=0, pool_timeout=_CONNECT_TIMEOUT, isolation_level="AUTOCOMMIT"
        )
        event.listen(self._engine.sync_engine, "checkout", self._reject_useless_connection)
        self._listener = NotificationListener(self._connect)
        self._useless: WeakSet[Any] = WeakSet()
        """Connections that were open when a server turned out to be read-only: they lead to it, too."""
        self._opened: WeakSet[Any] = WeakSet()

    @classmethod
    async def open(cls, url: URL) -> PostgresDriver:
        """Connect and migrate. Of several processes that start at once, one migrates and the others wait for it."""
        driver = cls(url)
        with translate_errors(url):
            await driver._refuse_transaction_pooling()
            engine = driver._create_engine(statement_timeout=None, poolclass=NullPool)
            try:
                async with engine.connect() as connection:
                    await connection.run_sync(_migrate_under_lock, url)
            finally:
                await engine.dispose()
        return driver

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit when the block ends, undo all if it raises. Several run beside each other."""
        connection = await self._take_connection()
        raw: Any = None
        try:
            raw = (await connection.get_raw_connection()).driver_connection
            transaction = raw.transaction()
            try:
                with translate_errors(self._url):
                    await transaction.start()
            except BaseException:
                # Cancelled before the server has answered: asyncpg would take the next transaction of this connection for one
                # within this, and what it stores would never be committed.
                raw.terminate()
                raise
            try:
                yield _PostgresTransaction(self._url, connection, raw)
            except BaseException:
                await _roll_back(raw, transaction)
                raise
            with translate_errors(self._url):
                await transaction.commit()
        except StorageError as error:
            if find_sqlstate(error) in _ENDS_SESSION:
                self._end_sessions()
            raise
        finally:
            # Shielded: a task that is cancelled here would otherwise keep the connection from the pool for ever.
            await asyncio.shield(_return_connection(connection, raw))

    async def _take_connection(self) -> AsyncConnection:
        """Take a connection from the pool. Where the server has none left, wait for one that another transaction returns."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _CONNECT_TIMEOUT
        while True:
            try:
                with translate_errors(self._url):
                    return await self._engine.connect()
            except StorageUnavailable as error:
                if find_sqlstate(error) != NO_CONNECTION_LEFT or loop.time() >= until:
                    raise
            await asyncio.sleep(_RETRY_CONNECTION_AFTER)

    def _end_sessions(self) -> None:
        """Use no connection again that is open now: after a failover they lead to a server that takes no changes."""
        self._useless.update(self._opened)
        self._listener.reconnect()

    def _reject_useless_connection(self, connection: Any, *_: object) -> None:
        # The pool does not notice that the server closed a connection. When this is raised, it opens another one.
        raw = connection.driver_connection
        if raw in self._useless:
            raw.terminate()
        if raw.is_closed():
            raise DisconnectionError

    async def _refuse_transaction_pooling(self) -> None:
        """Raise StorageUnusable behind a pooler that assigns a server connection per transaction instead of per session."""
        first, second = await self._connect(), None
        try:
            # A pooler invents the process id that it reports for the server. If the id is the real one, there is no pooler.
            if first.get_server_pid() == await first.fetchval(_BACKEND):
                return
            second = await self._connect()
            found = set()
            # While one is in a transaction, a pooler gives the other one another server process. The next to begin gets the
            # process that was used last, which was the other's. Real sessions would each keep their own.
            for one, other in ((first, second), (second, first), (first, second)):
                await one.execute("BEGIN")
                try:
                    async with asyncio.timeout(_POOLER_PROBE_TIMEOUT):
                        found.add((one is first, await one.fetchval(_BACKEND)))
                        found.add((other is first, await other.fetchval(_BACKEND)))
                finally:
                    await one.execute("COMMIT")
                # Otherwise a pooler that hands out the longest idle process would repeat the same order for ever.
                await one.execute("SELECT 1")
            if len(found) > 2:
                raise StorageUnusable(f"storage.url: {describe_server(self._url)} {_TRANSACTION_POOLING}")
        except TimeoutError:
            return  # a pool of one connection, which fails later with an error of its own
        except asyncpg.PostgresError as error:
            # Prepared statements of another client, or BEGIN refused: a pooler of transactions or of statements.
            if (error.sqlstate or "")[:2] in ("26", "42", "08", "58"):
                raise StorageUnusable(f"storage.url: {describe_server(self._url)} {_TRANSACTION_POOLING}") from error
            raise
        finally:
            for connection in (first, second):
                if connection is not None:
                    connection.terminate()

    async def listen(self, channel: str, handler: NotificationHandler) -> None:
        """Call `handler` for what any process notifies."""
        await self._listener.listen(channel, handler)

    async def hold_session_lock(self, name: str) -> None:
        """Hold a lock by this name on the connection that listens: it lasts as long as the process."""
        await self._listener.hold_lock(name)

    @property
    def session_since(self) -> float | None:
        """Since when the connection that listens is open, on the loop's clock; None while it is not."""
        return self._listener.connected_since

    async def close(self) -> None:
        """Close. Whatever was committed stays."""
        await self._listener.close()
        await self._engine.dispose()

    def _create_engine(self, statement_timeout: float | None = _STATEMENT_TIMEOUT, **options: Any) -> AsyncEngine:
        return create_async_engine("postgresql+asyncpg://", async_creator=lambda: self._connect(statement_timeout), **options)

    async def _connect(self, statement_timeout: float | None = _STATEMENT_TIMEOUT) -> Any:
        # asyncpg reads the address itself, not SQLAlchemy. It knows nearly every option that PostgreSQL's own tools know: the
        # others are refused where the address is read.
        dsn = self._url.render_as_string(hide_password=False)
        # After a failover, an address may still lead to the old server, which takes no changes any more; of several hosts the
        # one that does is meant, unless the address says otherwise.
        wanted = None if "target_session_attrs" in self._url.query else "read-write"
        try:
            connection = await asyncpg.connect(
                dsn,
                timeout=_CONNECT_TIMEOUT,
                command_timeout=statement_timeout,
                server_settings=_SERVER_SETTINGS,
                target_session_attrs=wanted,
            )
            await connection.execute(_PREPARE_SESSION)
            self._opened.add(connection)
            return connection
        except ValueError as error:
            # The sentence of the error is left out: it may repeat what cannot be read, and so a password.
            raise StorageUnusable("storage.url: PostgreSQL's driver cannot read this address") from error


class _PostgresTransaction:
    """See `Transaction`."""

    def __init__(self, url: URL, connection: AsyncConnection, raw: Any) -> None:
        self._url, self._connection, self._raw = url, connection, raw
        self.has_written = False
        self.damaged: list[DamagedRow] = []

    async def execute(self, statement: Executable, rows: Row | Sequence[Row] | None = None) -> int:
        self.has_written = True
        with translate_errors(self._url):
            return (await self._connection.execute(statement, rows)).rowcount

    async def fetch(self, statement: Executable, values: Row | None = None) -> Sequence[Mapping[Any, Any]]:
        with translate_errors(self._url):
            return (await self._connection.execute(statement, values)).mappings().all()

    async def execute_prepared(self, statement: PreparedStatement, rows: Sequence[Sequence[Any]]) -> int:
        self.has_written = True
        with translate_errors(self._url):
            if batch := statement.postgres_batch:
                # As JSON: the server reads it in half the time that it takes to run a statement for each row, and to write it
                # takes less than to encode arrays.
                records = msgspec.json.encode([dict(zip(batch.names, values, strict=True)) for values in rows])
                status = await self._raw.execute(batch.sql, records.decode())
                return int(status.rpartition(" ")[2])  # such as "INSERT 0 96"
            sql, arrange = statement.postgres
            # asyncpg does not count the rows of a batch. Each row that was changed returns a 1 instead.
            return len(await self._raw.fetchmany(f"{sql} RETURNING 1", [arrange(values) for values in rows]))

    async def fetch_prepared(self, query: PreparedStatement, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        sql, arrange = query.postgres
        with translate_errors(self._url):
            found: Sequence[Sequence[Any]] = await self._raw.fetch(sql, *arrange(values))
        return found

    async def lock(self, name: str) -> None:
        # An advisory lock: it needs no table, and PostgreSQL releases it at the end of the transaction, however that ends.
        with translate_errors(self._url):
            await self._raw.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)

    async def notify(self, channel: str, payload: str = "") -> None:
        with translate_errors(self._url):
            await self._raw.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def now(self) -> float:
        # clock_timestamp(), not now(): that one is the time at which the transaction began.
        with translate_errors(self._url):
            return float(await self._raw.fetchval("SELECT extract(epoch FROM clock_timestamp())"))


async def _roll_back(raw: Any, transaction: Any) -> None:
    # Over a lost connection nothing can be undone, and need not be: the server does it.
    if not raw.is_closed():
        try:
            await transaction.rollback()
        except DATABASE_ERRORS:
            raw.terminate()


async def _return_connection(connection: AsyncConnection, raw: Any) -> None:
    if raw is not None and not raw.is_closed() and raw.is_in_transaction():
        raw.terminate()  # a transaction that could not be ended must not reach the next user of this connection
    await connection.close()


def _migrate_under_lock(connection: Connection, url: URL) -> None:
    encoding = connection.exec_driver_sql("SELECT getdatabaseencoding()").scalar_one()
    if encoding != "UTF8":
        raise StorageUnusable(f"storage.url: the database {url.database} is kept in {encoding}; make it with ENCODING 'UTF8'")
    # A lock of the session, because a migration may take several transactions. It ends with the connection.
    connection.exec_driver_sql(f"SELECT pg_advisory_lock({_MIGRATION_LOCK_ID})")
    connection.commit()
    migrate(connection)
