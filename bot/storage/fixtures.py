"""What is known of fixtures between two runs: how far each feed was read, and how each fixture was last listed."""

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
    """How far a feed was read: packets, the last sequence number, and the match as bytes that only their writer can read."""

    position: int
    seq: int | None
    snapshot: bytes


class FeedPositionRepository:
    """Reads and writes how far the feed of each match was read. A match that is over has no row."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def get(self, fixture_id: str) -> StoredFeedPosition | None:
        """Return how far a match was read; None if it was never read, or is over."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(select(positions).where(positions.c.fixture_id == fixture_id))
        return StoredFeedPosition(rows[0]["position"], rows[0]["seq"], rows[0]["snapshot"]) if rows else None

    async def get_unfinished(self, since: dt.datetime) -> frozenset[str]:
        """Return the ids of fixtures whose feed was read after `since`, and not to its end."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(select(positions.c.fixture_id).where(positions.c.updated_at > to_timestamp(since)))
        return frozenset(row["fixture_id"] for row in rows)

    async def get_update_times(self) -> dict[str, float]:
        """Return by fixture id when its position was last saved, in seconds since 1970."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(select(positions.c.fixture_id, positions.c.updated_at))
        return {row["fixture_id"]: row["updated_at"] for row in rows}

    async def save(self, fixture_id: str, position: StoredFeedPosition) -> None:
        """Store how far a match was read."""
        # In one row and one statement, so that a kill leaves the position and the match of one moment.
        row = {
            "fixture_id": fixture_id,
            "position": position.position,
            "seq": position.seq,
            "snapshot": position.snapshot,
            "updated_at": to_timestamp(self._clock.now()),
        }
        async with self._database.transaction() as tx:
            await tx.execute(upsert(positions), row)

    async def delete(self, fixture_id: str) -> None:
        """Delete the position of a match that is over."""
        async with self._database.transaction() as tx:
            await tx.execute(delete(positions).where(positions.c.fixture_id == fixture_id))


class ListedStatus(msgspec.Struct, frozen=True):
    """How the feed's list shows a fixture: its status, and whether its match is covered."""

    status: str
    collection_status: str


class FixtureStatusRepository:
    """Reads and writes how each fixture was last listed, so that a change is noticed across a restart."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def get_all(self) -> Mapping[str, ListedStatus]:
        """Return the stored status of every fixture by its id."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(select(standings))
        return {row["fixture_id"]: ListedStatus(row["status"], row["collection_status"]) for row in rows}

    async def save(self, fixtures: Iterable[Fixture]) -> None:
        """Store how these fixtures are listed now."""
        now = to_timestamp(self._clock.now())
        # One statement for all of them: the list has hundreds of fixtures at the first start.
        rows = [
            {"fixture_id": one.id, "status": one.status, "collection_status": one.collection_status, "updated_at": now}
            for one in fixtures
        ]
        if rows:
            async with self._database.transaction() as tx:
                await tx.execute(upsert(standings), rows)
