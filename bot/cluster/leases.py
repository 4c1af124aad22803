"""Leases in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Executable, delete, or_, select, update
from sqlalchemy.dialects import postgresql

from bot.storage.database import Database
from bot.storage.driver import LEASES_CHANNEL, Transaction
from bot.storage.schema import leases

LEASE_DURATION = 10.0
"""Seconds that a lease lasts after it was taken or renewed."""

RETIREMENT_DURATION = 600.0
"""Seconds that nobody gets a lease whose work is done."""


def name_process_lease(holder: str) -> str:
    """The name of the lease that says that a process lives."""
    return f"process:{holder}"


class Lease(msgspec.Struct, frozen=True):
    """A lease in force. `holder` is empty where its work is done; `facts` are its holder's own words."""

    name: str
    holder: str
    facts: str = ""

    @property
    def retired(self) -> bool:
        """Tell whether its work is done."""
        return not self.holder


class LeaseRepository:
    """The repository of leases, for one process."""

    def __init__(self, db: Database, holder: str, lasts: float = LEASE_DURATION) -> None:
        """`holder` names the process, `lasts` is in seconds."""
        self._db, self.holder, self.lasts = db, holder, lasts

    async def take(self, names: Collection[str], facts: str = "") -> frozenset[str]:
        """Take what is free, or mine; which ones are mine now."""
        async with self._db.transaction() as tx:
            now = await tx.now()
            for name in sorted(names):
                await tx.execute(self._taking(now), self._row(name, now, facts))
            return await self._mine(tx, names, now)

    async def renew(self, names: Collection[str]) -> frozenset[str]:
        """Keep what is mine, where nobody else has taken it; which ones are mine still."""
        async with self._db.transaction() as tx:
            now = await tx.now()
            mine = leases.c.name.in_(names), leases.c.holder == self.holder
            await tx.execute(update(leases).where(*mine).values(until=now + self.lasts))
            return await self._mine(tx, names, now)

    async def release(self, names: Collection[str], *, done: bool = False) -> None:
        """Let others have what is mine; `done`: nobody, for its work is done."""
        mine = leases.c.name.in_(names), leases.c.holder == self.holder
        async with self._db.transaction() as tx:
            if done:
                await tx.execute(update(leases).where(*mine).values(holder="", until=await tx.now() + RETIREMENT_DURATION))
            else:
                await tx.execute(delete(leases).where(*mine))
            await tx.notify(LEASES_CHANNEL)

    async def all(self) -> Sequence[Lease]:
        """Every lease in force."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(leases).where(leases.c.until > await tx.now()).order_by(leases.c.name))
        return [Lease(row["name"], row["holder"], row["facts"]) for row in rows]

    async def sweep(self, older: float) -> None:
        """Erase what has been free for so many seconds."""
        async with self._db.transaction() as tx:
            await tx.execute(delete(leases).where(leases.c.until < await tx.now() - older))

    def _taking(self, now: float) -> Executable:
        insert = postgresql.insert(leases)
        others = {name: insert.excluded[name] for name in ("holder", "until", "facts")}
        free = or_(leases.c.until <= now, leases.c.holder == self.holder)
        return insert.on_conflict_do_update(index_elements=["name"], set_=others, where=free)

    def _row(self, name: str, now: float, facts: str) -> dict[str, object]:
        return {"name": name, "holder": self.holder, "until": now + self.lasts, "facts": facts}

    async def _mine(self, tx: Transaction, names: Collection[str], now: float) -> frozenset[str]:
        query = select(leases.c.name).where(leases.c.name.in_(names), leases.c.holder == self.holder, leases.c.until > now)
        return frozenset(row["name"] for row in await tx.fetch(query))
