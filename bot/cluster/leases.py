"""The table of leases: each gives one process the right to do something alone for a while, such as follow a match."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql

from bot.storage.database import Database
from bot.storage.driver import LEASES_CHANNEL, Transaction
from bot.storage.schema import leases

LEASE_DURATION = 10.0
"""Seconds that a lease lasts after it was acquired or renewed. A match whose process died is followed again after that time."""

FINISHED_DURATION = 600.0
"""Seconds for which a finished lease is kept without a holder, from which the processes that wait for it learn this."""


def name_process_lease(holder: str) -> str:
    """Return the name of the lease that says that a process is alive."""
    return f"process:{holder}"


class Lease(msgspec.Struct, frozen=True):
    """A lease in force. `process_info` is a ProcessInfo as JSON; empty for all but the leases that stand for a process."""

    name: str
    holder: str
    process_info: str = ""

    @property
    def is_finished(self) -> bool:
        """Return True if the work is finished, so that nobody needs the lease."""
        return not self.holder


class LeaseRepository:
    """The leases as one process, the `holder`, acquires and renews them.

    All times are by the database's clock: those of the machines may differ by more than a lease lasts.
    """

    def __init__(self, database: Database, holder: str, duration: float = LEASE_DURATION) -> None:
        self._database, self.holder, self.duration = database, holder, duration

    async def acquire(self, names: Collection[str], process_info: str = "") -> frozenset[str]:
        """Acquire the leases that are free or already held by this process, and return those that it holds now."""
        async with self._database.transaction() as tx:
            now = await tx.now()
            # One statement decides: a row is replaced only if its lease has ended or is ours, so that of two processes at the
            # same moment the second changes nothing.
            insert = postgresql.insert(leases)
            statement = insert.on_conflict_do_update(
                index_elements=["name"],
                set_={column: insert.excluded[column] for column in ("holder", "until", "facts")},
                where=or_(leases.c.until <= now, leases.c.holder == self.holder),
            )
            # Sorted, so that two processes that want the same leases lock the rows in the same order and never deadlock.
            for name in sorted(names):
                row = {"name": name, "holder": self.holder, "until": now + self.duration, "facts": process_info}
                await tx.execute(statement, row)
            return await self._select_held(tx, names, now)

    async def renew(self, names: Collection[str]) -> frozenset[str]:
        """Extend the leases that this process holds, and return them. Missing are those that another process acquired since."""
        async with self._database.transaction() as tx:
            now = await tx.now()
            await tx.execute(update(leases).where(self._is_held(names)).values(until=now + self.duration))
            return await self._select_held(tx, names, now)

    async def release(self, names: Collection[str], *, is_finished: bool = False) -> None:
        """Release leases that this process holds. With `is_finished` no process gets them again: the work is done."""
        async with self._database.transaction() as tx:
            if is_finished:
                finished = {"holder": "", "until": await tx.now() + FINISHED_DURATION}
                await tx.execute(update(leases).where(self._is_held(names)).values(**finished))
            else:
                await tx.execute(delete(leases).where(self._is_held(names)))
            await tx.notify(LEASES_CHANNEL)

    async def get_active(self) -> Sequence[Lease]:
        """Return every lease in force, of all processes, by name."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(select(leases).where(leases.c.until > await tx.now()).order_by(leases.c.name))
        return [Lease(row["name"], row["holder"], row["facts"]) for row in rows]

    async def delete_expired(self, age: float) -> None:
        """Delete the leases that ended at least `age` seconds ago."""
        async with self._database.transaction() as tx:
            await tx.execute(delete(leases).where(leases.c.until < await tx.now() - age))

    def _is_held(self, names: Collection[str]) -> ColumnElement[bool]:
        return and_(leases.c.name.in_(names), leases.c.holder == self.holder)

    async def _select_held(self, tx: Transaction, names: Collection[str], now: float) -> frozenset[str]:
        rows = await tx.fetch(select(leases.c.name).where(self._is_held(names), leases.c.until > now))
        return frozenset(row["name"] for row in rows)
