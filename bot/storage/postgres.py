"""PostgreSQL: pool, errors with sentences, LISTEN/NOTIFY."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import asyncpg
import structlog
from sqlalchemy import Connection, Executable, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import StorageConflict, StorageError, StorageUnavailable, StorageUnusable
from bot.retry import OutageLog
from bot.storage.driver import NotificationHandler, PreparedStatement, Row, Transaction
from bot.storage.schema import migrate

_POOL_SIZE = 10
"""Connections of a process at most, without the one that listens."""

_CONNECT_TIMEOUT = 10.0
"""Seconds to connect, or to wait for a connection of the pool."""

_STATEMENT_TIMEOUT = 60.0
"""Seconds of a statement, after which the database counts as away."""

_MIGRATION_LOCK_ID = 0x746F7563
"""The advisory lock under which the schema is changed."""

_SERVER_SETTINGS = {"application_name": "touchline", "idle_in_transaction_session_timeout": "60000"}


class PostgresDriver:
    """A pool of connections."""

    shared = True

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = self._made(
            pool_size=_POOL_SIZE, max_overflow=0, pool_timeout=_CONNECT_TIMEOUT, isolation_level="AUTOCOMMIT"
        )
        event.listen(self._engine.sync_engine, "checkout", _reject_closed_connection)
        self._ear = NotificationListener(self._connect)

    @classmethod
    async def open(cls, url: URL) -> PostgresDriver:
        """Connect, and migrate under a lock."""
        made = cls(url)
        with translate_errors(url):
            await made._migrate()
        return made

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Beside others; the driver's own, so that SQLAlchemy's statements and prepared ones are in the same."""
        with translate_errors(self._url):
            connection = await self._engine.connect()
        raw: Any = None
        try:
            raw = (await connection.get_raw_connection()).driver_connection
            around = raw.transaction()
            with translate_errors(self._url):
                await around.start()
            try:
                yield _PostgresTransaction(self._url, connection, raw)
            except BaseException:
                await _roll_back(raw, around)
                raise
            with translate_errors(self._url):
                await around.commit()
        finally:
            await asyncio.shield(_return_connection(connection, raw))

    async def listen(self, channel: str, heard: NotificationHandler) -> None:
        """Hear every process."""
        await self._ear.listen(channel, heard)

    async def close(self) -> None:
        """Close; whatever was committed stays."""
        await self._ear.close()
        await self._engine.dispose()

    def _made(self, longest: float | None = _STATEMENT_TIMEOUT, **options: Any) -> AsyncEngine:
        return create_async_engine("postgresql+asyncpg://", async_creator=lambda: self._connect(longest), **options)

    async def _connect(self, longest: float | None = _STATEMENT_TIMEOUT) -> Any:
        """The driver reads the address: it knows every word of it that PostgreSQL's own tools know."""
        dsn = self._url.render_as_string(hide_password=False)
        try:
            return await asyncpg.connect(dsn, timeout=_CONNECT_TIMEOUT, command_timeout=longest, server_settings=_SERVER_SETTINGS)
        except ValueError as error:  # it may repeat what it cannot read, and so a password
            raise StorageUnusable("storage.url: PostgreSQL's driver cannot read this address") from error

    async def _migrate(self) -> None:
        engine = self._made(longest=None, poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                await connection.run_sync(_migrate_under_lock, self._url)
        finally:
            await engine.dispose()


class _PostgresTransaction:
    """A transaction that others run beside."""

    def __init__(self, url: URL, connection: AsyncConnection, raw: Any) -> None:
        self._url, self._connection, self._raw = url, connection, raw
        self.wrote = False

    async def execute(self, statement: Executable, rows: Row | Sequence[Row] | None = None) -> int:
        self.wrote = True
        with translate_errors(self._url):
            return (await self._connection.execute(statement, rows)).rowcount

    async def fetch(self, statement: Executable) -> Sequence[Mapping[Any, Any]]:
        with translate_errors(self._url):
            return (await self._connection.execute(statement)).mappings().all()

    async def run(self, statement: PreparedStatement, rows: Sequence[Sequence[Any]]) -> int:
        """Each row that was changed returns one: the driver does not count them."""
        sql, row = statement.postgres
        self.wrote = True
        with translate_errors(self._url):
            return len(await self._raw.fetchmany(f"{sql} RETURNING 1", [row(values) for values in rows]))

    async def read(self, query: PreparedStatement, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        sql, row = query.postgres
        with translate_errors(self._url):
            found: Sequence[Sequence[Any]] = await self._raw.fetch(sql, *row(values))
        return found

    async def lock(self, name: str) -> None:
        with translate_errors(self._url):
            await self._raw.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)

    async def notify(self, channel: str, payload: str = "") -> None:
        with translate_errors(self._url):
            await self._raw.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def now(self) -> float:
        with translate_errors(self._url):
            return float(await self._raw.fetchval("SELECT extract(epoch FROM clock_timestamp())"))


async def _roll_back(raw: Any, around: Any) -> None:
    """What cannot be undone over a lost connection is undone by the server."""
    if not raw.is_closed():
        try:
            await around.rollback()
        except DATABASE_ERRORS:
            raw.terminate()


async def _return_connection(connection: AsyncConnection, raw: Any) -> None:
    """Back into the pool; not with a transaction that nobody ended."""
    if raw is not None and not raw.is_closed() and raw.is_in_transaction():
        raw.terminate()
    await connection.close()


def _reject_closed_connection(connection: Any, *_: object) -> None:
    """A connection that was closed meanwhile is not handed out: the pool makes another."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _migrate_under_lock(connection: Connection, url: URL) -> None:
    """The lock ends with the connection."""
    encoding = connection.exec_driver_sql("SELECT getdatabaseencoding()").scalar_one()
    if encoding != "UTF8":
        raise StorageUnusable(f"storage.url: the database {url.database} is kept in {encoding}; make it with ENCODING 'UTF8'")
    connection.exec_driver_sql(f"SELECT pg_advisory_lock({_MIGRATION_LOCK_ID})")
    connection.commit()
    migrate(connection)


DATABASE_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    SQLAlchemyError,
    OSError,
    TimeoutError,
)
"""Everything that a call of the database raises."""

_ERRORS_BY_SQLSTATE: dict[str, tuple[type[StorageError], str]] = {
    "53100": (StorageUnusable, "the disk of {where} is full; make room there, nothing is lost meanwhile"),
    "25006": (StorageUnusable, "{where} is read-only; name a server that takes writes"),
    "28": (StorageUnusable, "{where} refuses the user or the password"),
    "3D000": (StorageUnusable, "the database {name} does not exist; make it with: createdb --encoding=UTF8 {name}"),
    "42501": (StorageUnusable, "the user may not do this in {where}; make it the owner of the database"),
    "53300": (StorageUnavailable, "{where} has no connection left; raise its max_connections"),
    "53": (StorageUnavailable, "{where} has too little memory or too many connections"),
    "08": (StorageUnavailable, "{where} cannot be reached"),
    "57P": (StorageUnavailable, "{where} cannot be reached: it stops or starts"),
    "57014": (StorageUnavailable, "{where} took too long"),
    "25P03": (StorageUnavailable, "{where} gave up a transaction that stood still"),
    "40": (StorageConflict, "{where} undid a transaction for another's sake"),
    "55P03": (StorageConflict, "{where} undid a transaction for another's sake"),
    "0A000": (StorageConflict, "the schema of {where} has changed"),
}
"""By SQLSTATE, or its beginning."""


@contextmanager
def translate_errors(url: URL) -> Iterator[None]:
    """Let what the database raises be our error."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise translate_postgres_error(url, error) from error


def translate_postgres_error(url: URL, error: Exception) -> StorageError:
    """One error of the database as ours."""
    cause = _find_cause(error)
    where = f"{url.host or _list_hosts(url) or 'the local server'}/{url.database or ''}"
    state = getattr(cause, "sqlstate", None) or ""
    found = next((_ERRORS_BY_SQLSTATE[state[:n]] for n in (5, 3, 2) if state[:n] in _ERRORS_BY_SQLSTATE), None)
    if found:
        return found[0]("storage.url: " + found[1].format(where=where, name=url.database))
    if state or isinstance(cause, ValueError):
        return StorageUnusable(f"storage.url: {where} failed: {_first_line(cause)}")
    return StorageUnavailable(f"storage.url: {where} cannot be reached: {_first_line(cause)}")


def _list_hosts(url: URL) -> str:
    hosts = url.query.get("host")
    return hosts if isinstance(hosts, str) and "," in hosts else ""


def _find_cause(error: BaseException) -> BaseException:
    """SQLAlchemy wraps its adapter's error around the driver's."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


log = structlog.get_logger()

RECONNECT_DELAY = 1.0
"""Seconds before the next attempt to connect."""

PROBE_INTERVAL = 10.0
"""Seconds of silence after which the connection has to answer, and within which it has to."""


class NotificationListener:
    """Listens as long as it is open; `connect` makes a connection of the driver."""

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        self._connect = connect
        self._heard: defaultdict[str, list[NotificationHandler]] = defaultdict(list)
        self._connection: Any = None
        self._task: asyncio.Task[None] | None = None
        self._tried, self._outage = asyncio.Event(), OutageLog()

    async def listen(self, channel: str, heard: NotificationHandler) -> None:
        """Hear a channel; when this returns it is listened to, unless the database is away."""
        new = channel not in self._heard
        self._heard[channel].append(heard)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        elif new and self._connection is not None:
            with suppress(*DATABASE_ERRORS):  # it is lost: the next one listens to every channel
                await self._connection.add_listener(channel, self._hear)
        await self._tried.wait()

    async def close(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._listening(await self._connect())
            except DATABASE_ERRORS as error:
                if self._outage.failed():
                    log.warning("listening_failed", reason=type(error).__name__)
            self._tried.set()
            await asyncio.sleep(RECONNECT_DELAY)

    async def _listening(self, connection: Any) -> None:
        """Until the connection is lost."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            for channel in list(self._heard):
                await connection.add_listener(channel, self._hear)
            self._connection = connection
            if (lasted := self._outage.over()) is not None:
                log.info("listening_again", after=lasted)
            self._missed()
            self._tried.set()
            await wait_until_lost(connection, lost)
        finally:
            self._connection = None
            connection.terminate()

    def _missed(self) -> None:
        """Whatever was notified before the connection stood was not heard."""
        for heard in [heard for channel in self._heard.values() for heard in channel]:
            heard("")

    def _hear(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        for heard in self._heard[channel]:
            heard(payload)


async def wait_until_lost(connection: Any, lost: asyncio.Event) -> None:
    """Wait until it is lost; one that is dead without a word is found out by asking."""
    while not lost.is_set():
        try:
            await asyncio.wait_for(lost.wait(), PROBE_INTERVAL)
        except TimeoutError:
            await connection.execute("SELECT 1", timeout=PROBE_INTERVAL)
