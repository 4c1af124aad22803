"""How far each match's feed has been read."""

from __future__ import annotations

from sqlalchemy import delete, select

from bot.clock import Clock
from bot.store.engine import Database, upsert
from bot.store.schema import positions, seconds


class Positions:
    """The repository of places in feeds: how many packets were read, and the last sequence number."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def get(self, fixture_id: str) -> tuple[int, int | None]:
        """Packets read and last sequence number; (0, None) for a match never read."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(positions).where(positions.c.fixture_id == fixture_id))
        return (rows[0]["position"], rows[0]["seq"]) if rows else (0, None)

    async def save(self, fixture_id: str, position: int, seq: int | None = None) -> None:
        """Remember how far a match was read."""
        row = {"fixture_id": fixture_id, "position": position, "seq": seq, "updated_at": seconds(self._clock.now())}
        async with self._db.transaction() as tx:
            await tx.execute(upsert(positions), row)

    async def forget(self, fixture_id: str) -> None:
        """The match is over."""
        async with self._db.transaction() as tx:
            await tx.execute(delete(positions).where(positions.c.fixture_id == fixture_id))
