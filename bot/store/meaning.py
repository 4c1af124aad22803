"""What PostgreSQL, its driver or the network says, as an error of ours with a sentence. A password is never in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.errors import StoreAway, StoreConflict, StoreError, StoreUnusable

FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, SQLAlchemyError, OSError, TimeoutError)
"""Everything that a call of the database raises."""

_MEANINGS: dict[str, tuple[type[StoreError], str]] = {
    "53100": (StoreUnusable, "the disk of {where} is full; make room there, nothing is lost meanwhile"),
    "25006": (StoreUnusable, "{where} is read-only; name a server that takes writes"),
    "28": (StoreUnusable, "{where} refuses the user or the password"),
    "3D000": (StoreUnusable, "the database {name} does not exist; make it with: createdb --encoding=UTF8 {name}"),
    "42501": (StoreUnusable, "the user may not do this in {where}; make it the owner of the database"),
    "53300": (StoreAway, "{where} has no connection left; raise its max_connections"),
    "53": (StoreAway, "{where} has too little memory or too many connections"),
    "08": (StoreAway, "{where} cannot be reached"),
    "57P": (StoreAway, "{where} cannot be reached: it stops or starts"),
    "57014": (StoreAway, "{where} took too long"),
    "25P03": (StoreAway, "{where} gave up a transaction that stood still"),
    "40": (StoreConflict, "{where} undid a transaction for another's sake"),
    "55P03": (StoreConflict, "{where} undid a transaction for another's sake"),
    "0A000": (StoreConflict, "the schema of {where} has changed"),
}
"""By SQLSTATE, or its beginning."""


@contextmanager
def meant(url: URL) -> Iterator[None]:
    """Let what the database raises be our error."""
    try:
        yield
    except FAILURES as error:
        raise meaning(url, error) from error


def meaning(url: URL, error: Exception) -> StoreError:
    """One error of the database as ours."""
    cause = _cause(error)
    where = f"{url.host or _several(url) or 'the local server'}/{url.database or ''}"
    state = getattr(cause, "sqlstate", None) or ""
    found = next((_MEANINGS[state[:n]] for n in (5, 3, 2) if state[:n] in _MEANINGS), None)
    if found:
        return found[0]("storage.url: " + found[1].format(where=where, name=url.database))
    if state or isinstance(cause, ValueError):
        return StoreUnusable(f"storage.url: {where} failed: {_first_line(cause)}")
    return StoreAway(f"storage.url: {where} cannot be reached: {_first_line(cause)}")


def _several(url: URL) -> str:
    hosts = url.query.get("host")
    return hosts if isinstance(hosts, str) and "," in hosts else ""


def _cause(error: BaseException) -> BaseException:
    """SQLAlchemy wraps its adapter's error around the driver's."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
