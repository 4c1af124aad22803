"""Opens what `storage.url` names and gives transactions."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL
from sqlalchemy.sql.schema import Table

from bot.errors import StorageConflict, StorageError, StorageUnavailable, StorageUnusable, UserMistake
from bot.storage.driver import Driver, NotificationHandler, Transaction
from bot.storage.sqlite import SQLiteDriver

if TYPE_CHECKING:
    from bot.storage.postgres import PostgresDriver


log = structlog.get_logger()


def _ignore_failure(_trouble: str | None) -> None:
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
        self.on_trouble: Callable[[str | None], None] = _ignore_failure

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open and migrate; `sqlite://` is memory. Raise StoreTooNew, StoreAway or StoreUnusable, each with a sentence."""
        parts = read_storage_url(url)
        if parts.get_backend_name() == "sqlite":
            return cls(await SQLiteDriver.open(parts))
        return cls(await _import_postgres_driver().open(parts))

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
        except StorageConflict:
            raise
        except StorageError as error:
            self._note(str(error), isinstance(error, StorageUnavailable))
            raise
        if self.trouble is not None and (self._away or tx.wrote):
            self._note(None)

    async def listen(self, channel: str, heard: NotificationHandler) -> None:
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


def _import_postgres_driver() -> type[PostgresDriver]:
    try:
        import greenlet  # noqa: F401 (SQLAlchemy would miss it later, and less clearly)

        from bot.storage.postgres import PostgresDriver as Postgres
    except ImportError as error:
        raise UserMistake("PostgreSQL needs asyncpg: install it with pip install 'touchline[postgres]'") from error
    return Postgres


def read_storage_url(url: str) -> URL:
    """The parts of an address; what is wrong is not repeated, for it may hold a password."""
    try:
        return parse_database_url(url)
    except ValueError as error:
        raise StorageUnusable(f"storage.url: {error}") from error


_URL_EXAMPLES = "sqlite:///touchline.db or postgresql://USER:PASSWORD@HOST/NAME"

_MULTIPLE_HOSTS = re.compile(r"(postgresql://(?:[^@/?]*@)?)([^@/?]*,[^@/?]*)(?=[/?]|$)")

_HOST = re.compile(r"([^:\[\]]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?")


def parse_database_url(url: str) -> URL:
    """Take an address apart, several hosts into its query; raise ValueError with a sentence."""
    from sqlalchemy.exc import ArgumentError

    try:
        parts = _split_url(re.sub("^postgres://", "postgresql://", url))
        name = parts.get_backend_name()
        urlsplit(url)
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"this is not a database's address; write {_URL_EXAMPLES}") from error
    if name not in ("sqlite", "postgresql"):
        raise ValueError(f"{name} is no database that can be used; write {_URL_EXAMPLES}")
    return parts


def _split_url(url: str) -> URL:
    from sqlalchemy import make_url

    several = _MULTIPLE_HOSTS.match(url)
    if several is None:
        return make_url(url)
    return make_url(several[1] + url[several.end() :]).update_query_dict(_hosts_to_query(several[2]))


def _hosts_to_query(text: str) -> dict[str, str]:
    """As PostgreSQL's tools and the driver read them in a query; SQLAlchemy reads but one host before it."""
    hosts = [host for host in map(_HOST.fullmatch, text.split(",")) if host]
    if len(hosts) <= text.count(","):
        raise ValueError("one of the hosts is none")
    return {"host": ",".join(unquote(host[1]) for host in hosts), "port": ",".join(host[2] or "5432" for host in hosts)}
