"""How far each feed was read, and how each fixture was last listed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import delete, select

from bot.clock import Clock
from bot.storage.database import Database, upsert
from bot.storage.schema import positions, standings, to_timestamp
from rules.football.action import Fixture


class StoredFeedPosition(msgspec.Struct, frozen=True):
    """Packets read, the last sequence number, and the match as bytes whose form its writer knows."""

    position: int
    seq: int | None
    snapshot: bytes


class FeedPositionRepository:
    """The repository of places in feeds."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def get(self, fixture_id: str) -> StoredFeedPosition | None:
        """How far a match was read; None for a match never read."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(positions).where(positions.c.fixture_id == fixture_id))
        return StoredFeedPosition(rows[0]["position"], rows[0]["seq"], rows[0]["snapshot"]) if rows else None

    async def unfinished(self, since: dt.datetime) -> frozenset[str]:
        """The fixtures whose feed was read after this instant, and not to the end."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(positions.c.fixture_id).where(positions.c.updated_at > to_timestamp(since)))
        return frozenset(row["fixture_id"] for row in rows)

    async def instants(self) -> dict[str, float]:
        """By fixture, when its place was written last."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(positions.c.fixture_id, positions.c.updated_at))
        return {row["fixture_id"]: row["updated_at"] for row in rows}

    async def save(self, fixture_id: str, place: StoredFeedPosition) -> None:
        """Remember how far a match was read."""
        row = {"fixture_id": fixture_id, "updated_at": to_timestamp(self._clock.now()), **msgspec.structs.asdict(place)}
        async with self._db.transaction() as tx:
            await tx.execute(upsert(positions), row)

    async def forget(self, fixture_id: str) -> None:
        """The match is over."""
        async with self._db.transaction() as tx:
            await tx.execute(delete(positions).where(positions.c.fixture_id == fixture_id))


ListedStatus = tuple[str, str]


class FixtureStatusRepository:
    """The repository of (status, collection status) by fixture."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def all(self) -> Mapping[str, ListedStatus]:
        """Every standing that was kept."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(standings))
        return {row["fixture_id"]: (row["status"], row["collection_status"]) for row in rows}

    async def save(self, fixtures: Iterable[Fixture]) -> None:
        """Keep how these fixtures are listed now."""
        now = to_timestamp(self._clock.now())
        rows = [_fixture_to_row(fixture, now) for fixture in fixtures]
        if rows:
            async with self._db.transaction() as tx:
                await tx.execute(upsert(standings), rows)


def _fixture_to_row(fixture: Fixture, now: float) -> dict[str, str | float]:
    found = {"fixture_id": fixture.id, "status": fixture.status, "collection_status": fixture.collection_status}
    return {**found, "updated_at": now}
