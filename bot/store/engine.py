"""Opens the database that `storage.url` names, and gives transactions: `async with db.transaction() as tx`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL
from sqlalchemy.sql.schema import Table

from bot.errors import StoreAway, StoreConflict, StoreError, StoreUnusable, UserMistake
from bot.store.address import parsed
from bot.store.driver import Driver, Heard, Row, Transaction
from bot.store.sqlite import SQLite

if TYPE_CHECKING:
    from bot.store.postgres import Postgres

__all__ = ["Database", "Row", "Transaction", "upsert"]

log = structlog.get_logger()


def _nobody(_trouble: str | None) -> None:
    """Nobody wants to know."""


class Database:
    """An open database, brought to this version's schema.

    `trouble` is the sentence of what failed last, None while all is well; `on_trouble` hears every change of it. A full disk
    still reads, so that only what is written ends such trouble; a database that was away is back with any transaction.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._away = False
        self.trouble: str | None = None
        self.on_trouble: Callable[[str | None], None] = _nobody

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open and migrate; `sqlite://` is memory. Raise StoreTooNew, StoreAway or StoreUnusable, each with a sentence."""
        parts = address(url)
        if parts.get_backend_name() == "sqlite":
            return cls(await SQLite.open(parts))
        return cls(await _postgres().open(parts))

    @property
    def shared(self) -> bool:
        """Tell whether several processes may share this database: PostgreSQL."""
        return self._driver.shared

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """All or nothing; committed when the block ends, undone when it raises.

        Raise StoreAway where the same may work when it is tried again, StoreUnusable where a person has to do something.
        """
        try:
            async with self._driver.transaction() as tx:
                yield tx
        except StoreConflict:
            raise
        except StoreError as error:
            self._note(str(error), isinstance(error, StoreAway))
            raise
        if self.trouble is not None and (self._away or tx.wrote):
            self._note(None)

    async def listen(self, channel: str, heard: Heard) -> None:
        """Call `heard` with what any process notifies on a channel, from now on until this is closed.

        The connection for it comes back by itself; `heard("")` then says that something may have been missed.
        """
        await self._driver.listen(channel, heard)

    async def close(self) -> None:
        """Close; whatever was committed stays."""
        await self._driver.close()

    def _note(self, trouble: str | None, away: bool = False) -> None:
        before, self.trouble, self._away = self.trouble, trouble, away
        if trouble == before:
            return
        if trouble is None:
            log.info("database_well_again")
        else:
            log.warning("database_failed", reason=trouble)
        self.on_trouble(trouble)


def upsert(table: Table, *, keep: bool = False) -> Executable:
    """Insert, or where the primary key exists replace all else; with `keep`, leave what exists. The same in both dialects."""
    insert = postgresql.insert(table)
    keys = [column.name for column in table.primary_key]
    if keep:
        return insert.on_conflict_do_nothing(index_elements=keys)
    others = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=others)


def _postgres() -> type[Postgres]:
    try:
        import greenlet  # noqa: F401 (SQLAlchemy would miss it later, and less clearly)

        from bot.store.postgres import Postgres
    except ImportError as error:
        raise UserMistake("PostgreSQL needs asyncpg: install it with pip install 'touchline[postgres]'") from error
    return Postgres


def address(url: str) -> URL:
    """The parts of an address; what is wrong is not repeated, for it may hold a password."""
    try:
        return parsed(url)
    except ValueError as error:
        raise StoreUnusable(f"storage.url: {error}") from error
