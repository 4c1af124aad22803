"""The one allowance of messages a second that all senders share: who wants to send reserves slots in it, in small batches."""

from __future__ import annotations

import msgspec
from sqlalchemy import select, update

from bot.store.engine import Database, Transaction, upsert
from bot.store.schema import allowance

_NAME = "telegram"
_RAMP = 10.0
"""Seconds from half the rate to all of it after everybody was refused."""
_THIS = allowance.c.name == _NAME


class Slots(msgspec.Struct, frozen=True):
    """So many instants at which one message each may leave: the first in so many seconds, the others at this distance."""

    count: int
    wait: float
    step: float


class Allowed(msgspec.Struct, frozen=True):
    """How far the allowance is used, by the database's clock."""

    next_at: float = 0.0
    closed_until: float = 0.0


def spaced(allowed: Allowed, now: float, count: int, step: float) -> tuple[Allowed, Slots]:
    """Reserve slots at this distance, at twice as much just after everybody was refused; pure."""
    share = min(1.0, 0.5 + 0.5 * max(0.0, now - allowed.closed_until) / _RAMP)
    first, step = max(allowed.next_at, allowed.closed_until, now), step / share
    return msgspec.structs.replace(allowed, next_at=first + count * step), Slots(count, first - now, step)


class Allowance:
    """The repository of the allowance."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def reserve(self, count: int, step: float) -> Slots:
        """Reserve slots for this process alone, at least `step` seconds apart from each other and from everybody else's."""
        async with self._db.transaction() as tx:
            allowed = await _read(tx)
            after, slots = spaced(allowed, await tx.now(), count, step)
            await tx.execute(update(allowance).where(_THIS).values(**msgspec.structs.asdict(after)))
        return slots

    async def close(self, seconds: float) -> None:
        """Telegram asks everybody to wait so long."""
        async with self._db.transaction() as tx:
            allowed = await _read(tx)
            until = max(allowed.closed_until, await tx.now() + seconds)
            await tx.execute(update(allowance).where(_THIS).values(closed_until=until))


async def _read(tx: Transaction) -> Allowed:
    """Nobody else changes it until the transaction ends."""
    query = select(allowance).where(_THIS).with_for_update()
    rows = await tx.fetch(query)
    if not rows:
        await tx.execute(upsert(allowance, keep=True), {"name": _NAME} | msgspec.structs.asdict(Allowed()))
        rows = await tx.fetch(query)
    return Allowed(rows[0]["next_at"], rows[0]["closed_until"])
