"""What PostgreSQL and its driver say when they fail, as errors of ours with a sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.errors import StorageConflict, StorageError, StorageUnavailable, StorageUnusable

NO_CONNECTION_LEFT = "53300"

DATABASE_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    SQLAlchemyError,
    OSError,
    TimeoutError,
)
"""Everything that a call of the driver or of SQLAlchemy raises."""

_ERRORS_BY_SQLSTATE: dict[str, tuple[type[StorageError], str]] = {
    "53100": (StorageUnusable, "the disk of {where} is full; make room there, nothing is lost meanwhile"),
    # After a failover, a pooled connection may still lead to the old server, which now is a replica: the next one may not.
    "25006": (StorageUnavailable, "{where} is read-only; name a server that takes writes"),
    "28": (StorageUnusable, "{where} refuses the user or the password"),
    "3D000": (StorageUnusable, "the database {name} does not exist; make it with: createdb --encoding=UTF8 {name}"),
    "42501": (StorageUnusable, "the user may not do this in {where}; make it the owner of the database"),
    NO_CONNECTION_LEFT: (StorageUnavailable, "{where} has no connection left; raise its max_connections"),
    "53": (StorageUnavailable, "{where} has too little memory or too many connections: {detail}"),
    "08": (StorageUnavailable, "{where} cannot be reached: {detail}"),
    "57P": (StorageUnavailable, "{where} cannot be reached, it stops or starts: {detail}"),
    "57014": (StorageUnavailable, "{where} took too long"),
    "25P03": (StorageUnavailable, "{where} gave up a transaction that stood still"),
    "40": (StorageConflict, "{where} undid a transaction for another's sake"),
    "55P03": (StorageConflict, "{where} undid a transaction for another's sake"),
    # "cached plan must not change result type": another process has migrated. Tried again, the statement is prepared anew.
    "0A000": (StorageConflict, "the schema of {where} has changed"),
}
"""By SQLSTATE, or its first two or three characters: the class of the error. The longest that fits counts."""


@contextmanager
def translate_errors(url: URL) -> Iterator[None]:
    """Raise our error instead of the driver's."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise translate_postgres_error(url, error) from error


def translate_postgres_error(url: URL, error: Exception) -> StorageError:
    """Return the error of ours that says what the driver's means and what to do about it."""
    cause = _unwrap_driver_error(error)
    where, state = describe_server(url), getattr(cause, "sqlstate", None) or ""
    # What the driver says about its own state after a lost connection does not help an operator.
    is_internal = isinstance(cause, asyncpg.InternalClientError)
    detail = "the connection was lost" if is_internal else (str(cause).splitlines() or [type(cause).__name__])[0][:200]
    if isinstance(cause, asyncpg.TargetServerAttributeNotMatched):
        kind, sentence = _ERRORS_BY_SQLSTATE["25006"]
        return kind("storage.url: " + sentence.format(where=where))
    found = next((_ERRORS_BY_SQLSTATE[state[:n]] for n in (5, 3, 2) if state[:n] in _ERRORS_BY_SQLSTATE), None)
    if found:
        kind, sentence = found
        return kind("storage.url: " + sentence.format(where=where, name=url.database, detail=detail))
    if state or isinstance(cause, ValueError):
        return StorageUnusable(f"storage.url: {where} failed: {detail}")
    return StorageUnavailable(f"storage.url: {where} cannot be reached: {detail}")


def describe_server(url: URL) -> str:
    """Return where a database is, as `host:port/name`: without the user and the password."""
    hosts, ports = url.query.get("host"), url.query.get("port")
    if isinstance(hosts, str) and "," in hosts:
        listed = zip(hosts.split(","), str(ports or "").split(","), strict=False)
        where = ",".join(f"{host}:{port}" if port else host for host, port in listed)
    else:
        where = f"{url.host}:{url.port or 5432}" if url.host else "the local server"
    return f"{where}/{url.database or ''}"


def find_sqlstate(error: StorageError) -> str:
    """Return the SQLSTATE behind an error of ours; empty if it has none."""
    return getattr(_unwrap_driver_error(error.__cause__), "sqlstate", None) or "" if error.__cause__ else ""


def _unwrap_driver_error(error: BaseException) -> BaseException:
    # SQLAlchemy wraps the error of its adapter, which wraps that of asyncpg.
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error
