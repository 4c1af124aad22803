"""The table of leases: each gives one process the right to do something alone for a while, such as follow a match."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import ColumnElement, and_, delete, or_, select, text, update
from sqlalchemy.dialects import sqlite

from bot.storage.database import Database
from bot.storage.driver import DELIVERIES_CHANNEL, LEASES_CHANNEL, Transaction
from bot.storage.schema import leases

LEASE_DURATION = 10.0
"""Seconds that a lease lasts after it was acquired or renewed: how long a process may be slow before it loses its work.

The work of one that was killed is taken over sooner, since its session in the database has ended.
"""

FINISHED_DURATION = 600.0
"""Seconds for which a finished lease is kept without a holder, from which the processes that wait for it learn this."""


# pg_locks shows a lock's 64 bits as two numbers of 32. `objsubid` 1: of locks with one key.
_SELECT_GONE = """
SELECT holder FROM unnest(CAST(:holders AS text[])) AS holder WHERE NOT EXISTS (
    SELECT 1 FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((CAST(l.classid AS bigint) << 32) | CAST(l.objid AS bigint)) = hashtextextended(:prefix || holder, 0)
)
"""
_FIND_GONE = text(_SELECT_GONE)
_END_LEASES_OF_GONE = text(f"""
UPDATE leases SET until = :now WHERE until > :now AND holder IN ({_SELECT_GONE}) RETURNING holder
""")  # noqa: S608  # no value of a user is in it


def name_process_lease(holder: str) -> str:
    """Return the name of the lease that says that a process is alive; also of the lock that its session holds."""
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

    @property
    def session_since(self) -> float | None:
        """Since when this process's session shows the others that it lives, on the loop's clock; None while it does not."""
        return self._database.session_since

    async def open_session(self) -> None:
        """Open the session whose end shows the others at once that this process is dead."""
        await self._database.hold_session_lock(name_process_lease(self.holder))

    async def acquire(self, names: Collection[str], process_info: str = "", *, reopened: Collection[str] = ()) -> frozenset[str]:
        """Acquire the leases that are free or already held by this process, and return those that it holds now.

        Of those that are `reopened`, a lease whose work was finished counts as free: there is more work.
        """
        async with self._database.transaction() as tx:
            now = await tx.now()
            # One statement decides: a row is replaced only if its lease has ended or is ours, so that of two processes at the
            # same moment the second changes nothing.
            insert = sqlite.insert(leases)  # written as PostgreSQL's own, as in `upsert`
            is_finished = and_(leases.c.holder == "", leases.c.name.in_(reopened))
            statement = insert.on_conflict_do_update(
                index_elements=["name"],
                set_={column: insert.excluded[column] for column in ("holder", "until", "facts")},
                where=or_(leases.c.until <= now, leases.c.holder == self.holder, is_finished),
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

    async def release_all(self) -> None:
        """Release every lease of this process, its own one included."""
        async with self._database.transaction() as tx:
            await tx.execute(delete(leases).where(leases.c.holder == self.holder))
            await tx.notify(LEASES_CHANNEL)

    async def transfer(self, name: str, holder: str) -> None:
        """Give a lease of this process to another one, so that no third one gets it in between."""
        async with self._database.transaction() as tx:
            handed_over = {"holder": holder, "until": await tx.now() + self.duration}
            await tx.execute(update(leases).where(self._is_held([name])).values(**handed_over))
            await tx.notify(LEASES_CHANNEL)

    async def announce(self, name: str, process_info: str) -> None:
        """Change what a lease of this process says, and notify the others of it."""
        async with self._database.transaction() as tx:
            changed = {"facts": process_info, "until": await tx.now() + self.duration}
            await tx.execute(update(leases).where(self._is_held([name])).values(**changed))
            await tx.notify(LEASES_CHANNEL)

    async def find_gone(self, holders: Collection[str]) -> frozenset[str]:
        """Return those of these processes that have no session: each has been killed, or has lost its connection just now."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(_FIND_GONE.bindparams(holders=sorted(holders), prefix=name_process_lease("")))
        return frozenset(row["holder"] for row in rows)

    async def end_leases(self, holders: Collection[str]) -> frozenset[str]:
        """End all leases of those of these processes that still have no session, and return these processes."""
        async with self._database.transaction() as tx:
            values = {"holders": sorted(holders), "prefix": name_process_lease(""), "now": await tx.now()}
            rows = await tx.fetch(_END_LEASES_OF_GONE.bindparams(**values))
            if rows:
                await tx.notify(LEASES_CHANNEL)
                # Their chats are free now: a sender that waits for nothing else would only look at its next poll.
                await tx.notify(DELIVERIES_CHANNEL)
        return frozenset(row["holder"] for row in rows)

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
