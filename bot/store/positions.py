"""How far each match's feed has been read, and how the match stood there."""

from __future__ import annotations

import datetime as dt

import msgspec
from sqlalchemy import delete, select

from bot.clock import Clock
from bot.store.engine import Database, upsert
from bot.store.schema import positions, seconds


class Position(msgspec.Struct, frozen=True):
    """Packets read, the last sequence number, and the match as bytes whose form its writer knows."""

    position: int
    seq: int | None
    snapshot: bytes


class Positions:
    """The repository of places in feeds."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def get(self, fixture_id: str) -> Position | None:
        """How far a match was read; None for a match never read."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(positions).where(positions.c.fixture_id == fixture_id))
        return Position(rows[0]["position"], rows[0]["seq"], rows[0]["snapshot"]) if rows else None

    async def unfinished(self, since: dt.datetime) -> frozenset[str]:
        """The fixtures whose feed was read after this instant, and not to the end."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(positions.c.fixture_id).where(positions.c.updated_at > seconds(since)))
        return frozenset(row["fixture_id"] for row in rows)

    async def instants(self) -> dict[str, float]:
        """By fixture, when its place was written last."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(positions.c.fixture_id, positions.c.updated_at))
        return {row["fixture_id"]: row["updated_at"] for row in rows}

    async def save(self, fixture_id: str, place: Position) -> None:
        """Remember how far a match was read."""
        row = {"fixture_id": fixture_id, "updated_at": seconds(self._clock.now()), **msgspec.structs.asdict(place)}
        async with self._db.transaction() as tx:
            await tx.execute(upsert(positions), row)

    async def forget(self, fixture_id: str) -> None:
        """The match is over."""
        async with self._db.transaction() as tx:
            await tx.execute(delete(positions).where(positions.c.fixture_id == fixture_id))
