"""PostgreSQL: transactions beside each other over a small pool, for one process or several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import Connection, Executable, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import StoreUnusable
from bot.store.driver import Heard, Row, Transaction
from bot.store.listening import Ear
from bot.store.meaning import FAILURES, meant
from bot.store.migrate import migrate
from bot.store.prepared import Prepared

_POOL = 10
"""Connections of a process at most, without the one that listens."""
_PATIENCE = 10.0
"""Seconds to connect, or to wait for a connection of the pool."""
_LONGEST = 60.0
"""Seconds of a statement, after which the database counts as away."""
_MIGRATING = 0x746F7563
"""The advisory lock under which the schema is changed."""
_SESSION = {"application_name": "touchline", "idle_in_transaction_session_timeout": "60000"}


class Postgres:
    """A pool of connections."""

    shared = True

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = self._made(pool_size=_POOL, max_overflow=0, pool_timeout=_PATIENCE, isolation_level="AUTOCOMMIT")
        event.listen(self._engine.sync_engine, "checkout", _refuse_dead)
        self._ear = Ear(self._connect)

    @classmethod
    async def open(cls, url: URL) -> Postgres:
        """Connect, and migrate under a lock."""
        made = cls(url)
        with meant(url):
            await made._migrate()
        return made

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Beside others; the driver's own, so that SQLAlchemy's statements and prepared ones are in the same."""
        with meant(self._url):
            connection = await self._engine.connect()
        raw: Any = None
        try:
            raw = (await connection.get_raw_connection()).driver_connection
            around = raw.transaction()
            with meant(self._url):
                await around.start()
            try:
                yield _Beside(self._url, connection, raw)
            except BaseException:
                await _undo(raw, around)
                raise
            with meant(self._url):
                await around.commit()
        finally:
            await asyncio.shield(_returned(connection, raw))

    async def listen(self, channel: str, heard: Heard) -> None:
        """Hear every process."""
        await self._ear.listen(channel, heard)

    async def close(self) -> None:
        """Close; whatever was committed stays."""
        await self._ear.close()
        await self._engine.dispose()

    def _made(self, longest: float | None = _LONGEST, **options: Any) -> AsyncEngine:
        return create_async_engine("postgresql+asyncpg://", async_creator=lambda: self._connect(longest), **options)

    async def _connect(self, longest: float | None = _LONGEST) -> Any:
        """The driver reads the address: it knows every word of it that PostgreSQL's own tools know."""
        dsn = self._url.render_as_string(hide_password=False)
        try:
            return await asyncpg.connect(dsn, timeout=_PATIENCE, command_timeout=longest, server_settings=_SESSION)
        except ValueError as error:  # it may repeat what it cannot read, and so a password
            raise StoreUnusable("storage.url: PostgreSQL's driver cannot read this address") from error

    async def _migrate(self) -> None:
        engine = self._made(longest=None, poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                await connection.run_sync(_migrated, self._url)
        finally:
            await engine.dispose()


class _Beside:
    """A transaction that others run beside."""

    def __init__(self, url: URL, connection: AsyncConnection, raw: Any) -> None:
        self._url, self._connection, self._raw = url, connection, raw
        self.wrote = False

    async def execute(self, statement: Executable, rows: Row | Sequence[Row] | None = None) -> int:
        self.wrote = True
        with meant(self._url):
            return (await self._connection.execute(statement, rows)).rowcount

    async def fetch(self, statement: Executable) -> Sequence[Mapping[Any, Any]]:
        with meant(self._url):
            return (await self._connection.execute(statement)).mappings().all()

    async def run(self, statement: Prepared, rows: Sequence[Sequence[Any]]) -> int:
        """Each row that was changed returns one: the driver does not count them."""
        sql, row = statement.postgres
        self.wrote = True
        with meant(self._url):
            return len(await self._raw.fetchmany(f"{sql} RETURNING 1", [row(values) for values in rows]))

    async def read(self, query: Prepared, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        sql, row = query.postgres
        with meant(self._url):
            found: Sequence[Sequence[Any]] = await self._raw.fetch(sql, *row(values))
        return found

    async def lock(self, name: str) -> None:
        with meant(self._url):
            await self._raw.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)

    async def notify(self, channel: str, payload: str = "") -> None:
        with meant(self._url):
            await self._raw.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def now(self) -> float:
        with meant(self._url):
            return float(await self._raw.fetchval("SELECT extract(epoch FROM clock_timestamp())"))


async def _undo(raw: Any, around: Any) -> None:
    """What cannot be undone over a lost connection is undone by the server."""
    if not raw.is_closed():
        try:
            await around.rollback()
        except FAILURES:
            raw.terminate()


async def _returned(connection: AsyncConnection, raw: Any) -> None:
    """Back into the pool; not with a transaction that nobody ended."""
    if raw is not None and not raw.is_closed() and raw.is_in_transaction():
        raw.terminate()
    await connection.close()


def _refuse_dead(connection: Any, *_: object) -> None:
    """A connection that was closed meanwhile is not handed out: the pool makes another."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _migrated(connection: Connection, url: URL) -> None:
    """The lock ends with the connection."""
    encoding = connection.exec_driver_sql("SELECT getdatabaseencoding()").scalar_one()
    if encoding != "UTF8":
        raise StoreUnusable(f"storage.url: the database {url.database} is kept in {encoding}; make it with ENCODING 'UTF8'")
    connection.exec_driver_sql(f"SELECT pg_advisory_lock({_MIGRATING})")
    connection.commit()
    migrate(connection)
