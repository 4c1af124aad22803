"""What a database has to offer. SQLite and PostgreSQL do; the repositories know only this."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from sqlalchemy import Executable

from bot.store.prepared import Prepared

Row = Mapping[str, Any]
Heard = Callable[[str], None]
"""Called with what was notified; with nothing in it, notifications may have been missed."""


class Transaction(Protocol):
    """What a repository may do inside a transaction.

    PostgreSQL runs transactions beside each other (READ COMMITTED): who reads a row to write it reads it `with_for_update()`,
    which SQLite, where one transaction follows the other, leaves out; who reads that there is none to add one takes a `lock`.
    """

    @property
    def wrote(self) -> bool:
        """Tell whether it ran anything that writes."""
        ...

    async def execute(self, statement: Executable, rows: Row | Sequence[Row] | None = None) -> int:
        """Run a statement, once or for each row; how many rows it changed. For many rows ask `run`: -1 is `not known`."""
        ...

    async def fetch(self, statement: Executable) -> Sequence[Mapping[Any, Any]]:
        """All rows of a query."""
        ...

    async def run(self, statement: Prepared, rows: Sequence[Sequence[Any]]) -> int:
        """Run a prepared statement for each row; how many rows it changed."""
        ...

    async def read(self, query: Prepared, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """All rows of a prepared query, with the driver's own values: a truth equals 1, and may be True."""
        ...

    async def lock(self, name: str) -> None:
        """Wait until no other transaction holds this name, and hold it to this one's end."""
        ...

    async def notify(self, channel: str, payload: str = "") -> None:
        """Let all who listen hear it, in every process, as soon as this is committed; a payload has up to 7,999 bytes."""
        ...

    async def now(self) -> float:
        """The database's own clock, in seconds since 1970: the same for every process, for leases."""
        ...


class Driver(Protocol):
    """An open database, brought to this version's schema."""

    @property
    def shared(self) -> bool:
        """Tell whether other processes may work on the same database."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """All or nothing; committed when the block ends, undone when it raises. Raise StoreAway or StoreUnusable."""
        ...

    async def listen(self, channel: str, heard: Heard) -> None:
        """Hear what is notified from now on, until the database is closed."""
        ...

    async def close(self) -> None:
        """Close; whatever was committed stays."""
        ...
