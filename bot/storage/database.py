"""Opens the database that `storage.url` names and gives transactions on it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy import Executable, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.sql.schema import Table

from bot.errors import StorageConflict, StorageDamaged, StorageError, StorageUnavailable, StorageUnusable, UserMistake
from bot.installation import advise_install
from bot.storage.driver import DamagedRow, Driver, NotificationHandler, Transaction
from bot.storage.sqlite import SQLiteDriver

if TYPE_CHECKING:
    from bot.storage.postgres import PostgresDriver

log = structlog.get_logger()


_WELL_AFTER = 10.0
"""Seconds without a failure after which a database that takes changes is well again: what failed is tried again every 2 s."""


_MAX_DAMAGED_ROWS = 100
"""Damaged rows that are remembered and logged: a file that has more needs a backup, whatever the rest is."""


class Database:
    """An open database with the schema of this version.

    `failure` is the sentence of what failed last; None while all is well. `on_failure_changed` is called with each new value.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._is_unreachable = False
        self._failed_at = 0.0
        self.failure: str | None = None
        self.is_damaged = False
        """True if what failed last met a damaged page of a SQLite file."""
        self.on_failure_changed: Callable[[str | None], None] | None = None
        self.damage_met = asyncio.Event()
        """Set when a damaged page of a SQLite file is met first."""
        self._damaged: dict[str, str] = {}
        self.on_damaged: Callable[[Mapping[str, str]], None] | None = None
        """Called with the rows met so far that cannot be read, each with why, whenever one is met again."""

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open and migrate; `sqlite://` is in memory. Raise StorageTooNew, StorageUnavailable or StorageUnusable."""
        parts = read_storage_url(url)
        if parts.get_backend_name() == "sqlite":
            return cls(await SQLiteDriver.open(parts))
        return cls(await _import_postgres_driver().open(parts))

    @property
    def is_shared(self) -> bool:
        """True if several processes may work on this database: on PostgreSQL."""
        return self._driver.is_shared

    @property
    def sqlite(self) -> SQLiteDriver | None:
        """The driver of a SQLite database, for `DatabaseFileGuard`; None on PostgreSQL."""
        return self._driver if isinstance(self._driver, SQLiteDriver) else None

    def on_repaired(self) -> None:
        """Note that the file or its log is another one now: what failed with the one before says nothing of it."""
        self._set_failure(None)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit when the block ends, undo all if it raises.

        Raise StorageUnavailable if the same may work when it is tried again, StorageUnusable if a person has to do something.
        """
        try:
            async with self._driver.transaction() as tx:
                yield tx
        except StorageConflict:
            raise  # the database is well: it undid this transaction for the sake of another one
        except StorageError as error:
            # Noted here and not by the callers, so that an outage is reported once and in the same words.
            self._set_failure(error)
            raise
        if tx.damaged:
            self._report_damage(tx.damaged)
        # A full disk can still be read: only a successful write ends such a failure. A database that could not be reached is back
        # with any transaction.
        if self.failure is not None and (self._is_unreachable or (tx.has_written and self._has_been_well())):
            self._set_failure(None)

    async def listen(self, channel: str, handler: NotificationHandler) -> None:
        """Call `handler` with the payload of each notification on a channel, from any process, until the database is closed.

        If the connection for notifications is lost, it comes back by itself. `handler("")` then says that some may be missing.
        """
        await self._driver.listen(channel, handler)

    async def hold_session_lock(self, name: str) -> None:
        """Hold a lock by which other processes see that this one lives: a server ends the session of a killed process at once.

        It is taken again after an interruption. Returns at the first attempt, whether the database could be reached or not.
        """
        await self._driver.hold_session_lock(name)

    @property
    def session_since(self) -> float | None:
        """Since when that lock is held without a break, on the loop's clock; None while it is not."""
        return self._driver.session_since

    async def close(self) -> None:
        """Close. Whatever was committed stays."""
        await self._driver.close()

    def _has_been_well(self) -> bool:
        """Return True if no transaction has failed for a while. Of a full disk, small changes may find room and others not: one
        that succeeds between two that fail is no recovery."""
        # A damaged file is met again by whatever reads the same page.
        may_fail_again = self.is_shared or self.is_damaged
        return not may_fail_again or asyncio.get_running_loop().time() - self._failed_at >= _WELL_AFTER

    def _report_damage(self, rows: Collection[DamagedRow]) -> None:
        """Report rows that cannot be read: each once in the log, since it may be met with every alert."""
        for row in rows:
            if row.place not in self._damaged and len(self._damaged) < _MAX_DAMAGED_ROWS:
                self._damaged[row.place] = row.reason
                log.error("damaged_row_left_out", row=row.place, reason=row.reason)
        if self.on_damaged:
            self.on_damaged(self._damaged)

    def _set_failure(self, error: StorageError | None) -> None:
        before, self.failure = self.failure, None if error is None else str(error)
        self._is_unreachable, self.is_damaged = isinstance(error, StorageUnavailable), isinstance(error, StorageDamaged)
        failure = self.failure
        if failure is not None:
            self._failed_at = asyncio.get_running_loop().time()
        if failure == before:
            return
        if failure is None:
            log.info("database_recovered")
        else:
            log.warning("database_failed", reason=failure)
            if self.is_damaged:
                self.damage_met.set()
        if self.on_failure_changed:
            self.on_failure_changed(failure)


@cache
def upsert(table: Table, *, keep_existing: bool = False, columns: Collection[str] = ()) -> Executable:
    """Insert a row; if its primary key exists, replace all other columns, or with `keep_existing` change nothing.

    `columns`: only these are replaced, and the others stay.
    """
    # PostgreSQL takes the same syntax, and its dialect writes SQLite's clause as its own.
    insert = sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    if keep_existing:
        return insert.on_conflict_do_nothing(index_elements=keys)
    others = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys}
    if columns:
        others = {name: value for name, value in others.items() if name in columns}
    return insert.on_conflict_do_update(index_elements=keys, set_=others)


def _import_postgres_driver() -> type[PostgresDriver]:
    try:
        # SQLAlchemy needs greenlet for asyncio. Without it, it would fail later and with a less clear message.
        import greenlet  # noqa: F401

        from bot.storage.postgres import PostgresDriver as Postgres
    except ImportError as error:
        raise UserMistake(f"PostgreSQL needs asyncpg: install it with {advise_install('postgres')}") from error
    return Postgres


def read_storage_url(url: str) -> URL:
    """Return the parts of `storage.url`; raise StorageUnusable if it is no address."""
    try:
        return parse_database_url(url)
    except ValueError as error:
        raise StorageUnusable(f"storage.url: {error}") from error


_URL_EXAMPLES = "sqlite:///touchline.db or postgresql://USER:PASSWORD@HOST/NAME"

_MULTIPLE_HOSTS = re.compile(r"(postgresql://(?:[^@/?]*@)?)([^@/?]*,[^@/?]*)(?=[/?]|$)")

_HOST = re.compile(r"([^:\[\]]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?")


def parse_database_url(url: str) -> URL:
    """Return the parts of an address, with several hosts in its query.

    Raise ValueError with a sentence. It never repeats what it could not read, because that may contain a password.
    """
    try:
        parts = _split_url(re.sub("^postgres://", "postgresql://", url))
        name = parts.get_backend_name()
        urlsplit(url)  # raises for a bracket without its pair, which SQLAlchemy accepts
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"this is not a database's address; write {_URL_EXAMPLES}") from error
    if "@" in (parts.host or ""):
        # The first @ ends the password, and the rest of it became a part of the host's name.
        raise ValueError("a @ in a password is written %40; or leave the password out, and set PGPASSWORD in the environment")
    if name not in ("sqlite", "postgresql"):
        raise ValueError(f"{name} is no database that can be used; write {_URL_EXAMPLES}")
    if name == "postgresql":
        _check_options(parts)
    return parts


_OPTION_VALUES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "primary", "read-write", "prefer-standby"),
}
"""Options of an address that have one of a few values. A server that takes no changes is of no use."""

_OPTIONS_OF_LIBPQ = frozenset(
    {"channel_binding", "connect_timeout", "fallback_application_name", "gssencmode", "keepalives", "keepalives_count"}
    | {"keepalives_idle", "keepalives_interval", "load_balance_hosts", "require_auth", "tcp_user_timeout"}
)
"""What psql knows and asyncpg does not: it would pass these on, and the server would refuse the connection."""

_OPTIONS_OF_OTHERS = frozenset({"pgbouncer", "connection_limit", "pool_timeout", "schema", "statement_cache_size"})
"""What other programs read, which hosting services write into the addresses that they show."""


def _check_options(parts: URL) -> None:
    """Raise ValueError for an option that the driver cannot use."""
    for option, given in parts.query.items():
        value = given if isinstance(given, str) else given[-1]
        if option in _OPTIONS_OF_LIBPQ | _OPTIONS_OF_OTHERS:
            raise ValueError(f"the option {option} of the address is not known here; leave it out")
        if option in _OPTION_VALUES and value not in _OPTION_VALUES[option]:
            raise ValueError(f"{option} is one of {', '.join(_OPTION_VALUES[option])}")
    given = parts.query.get("port", "")
    ports = [str(parts.port or ""), *(given if isinstance(given, str) else ",".join(given)).split(",")]
    if not all(port == "" or (port.isascii() and port.isdigit() and 0 < int(port) <= 65535) for port in ports):
        raise ValueError("a port of the address is no number from 1 to 65535")


def render_without_password(parts: URL) -> str:
    """Return an address that may be shown: without the passwords before its host and among its options."""
    return parts._replace(password=None).difference_update_query(["password", "sslpassword"]).render_as_string()


def list_certificate_files(url: str) -> tuple[Path, ...]:
    """Return the files that an address of PostgreSQL names: certificates and keys."""
    if url.startswith("sqlite"):
        return ()
    query = parse_database_url(url).query
    values = [query.get(option, "") for option in ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")]
    return tuple(Path(value) for value in values if isinstance(value, str) and value not in ("", "system"))


def _split_url(url: str) -> URL:
    several = _MULTIPLE_HOSTS.match(url)
    if several is None:
        return make_url(url)
    hosts = [host for host in map(_HOST.fullmatch, several[2].split(",")) if host]
    if len(hosts) <= several[2].count(","):
        raise ValueError("one of the hosts is none")
    # SQLAlchemy reads only one host before the path. PostgreSQL's own tools, and asyncpg, read several from the query.
    names, ports = ",".join(unquote(host[1]) for host in hosts), ",".join(host[2] or "5432" for host in hosts)
    return make_url(several[1] + url[several.end() :]).update_query_dict({"host": names, "port": ports})
