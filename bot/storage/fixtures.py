"""What is known of fixtures between two runs: how far each feed was read, and how each fixture was last listed."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import delete, select

from bot.clock import Clock
from bot.sharing import share_event_loop
from bot.storage.database import Database, upsert
from bot.storage.driver import PreparedStatement
from bot.storage.schema import positions, standings, to_timestamp
from rules.football.action import Fixture


class StoredFeedPosition(msgspec.Struct, frozen=True):
    """How far a feed was read: packets, the last sequence number, and the match as bytes that only their writer can read."""

    position: int
    seq: int | None
    snapshot: bytes


# Run after every alert, and at the heartbeats of every match.
_SAVE_POSITION = PreparedStatement(upsert(positions), ("fixture_id", "position", "seq", "snapshot", "updated_at"))


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
        values = fixture_id, position.position, position.seq, position.snapshot, to_timestamp(self._clock.now())
        async with self._database.transaction() as tx:
            await tx.execute_prepared(_SAVE_POSITION, [values])

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
        # The column `listing` is left alone: it holds what chats know, and not what the feed says.
        now = to_timestamp(self._clock.now())
        rows = (
            {"fixture_id": one.id, "status": one.status, "collection_status": one.collection_status, "updated_at": now}
            for one in fixtures
        )
        await _upsert_in_portions(self._database, ("status", "collection_status", "updated_at"), rows)


class StoredListing(msgspec.Struct, frozen=True):
    """A fixture as chats know it, and how many changes of it they were notified of."""

    fixture: Fixture
    revision: int = 0


_LISTING_DECODER = msgspec.json.Decoder(Fixture)


class FixtureListingRepository:
    """Reads and writes how chats know each fixture, so that each change makes one alert, across restarts and processes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def get_all(self) -> dict[str, StoredListing]:
        """Return every stored listing by the id of its fixture."""
        # Decoded in slices, since there may be twenty thousand fixtures.
        async with self._database.transaction() as tx:
            rows = await tx.fetch(select(standings).where(standings.c.listing != ""))
        return {
            row["fixture_id"]: listing
            async for row in share_event_loop(rows)
            if (listing := _read_listing(row["listing"], row["revision"]))
        }

    async def get(self, fixture_id: str) -> StoredListing | None:
        """Return one listing as it is stored now; None if there is none."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(select(standings).where(standings.c.fixture_id == fixture_id))
        return _read_listing(rows[0]["listing"], rows[0]["revision"]) if rows else None

    async def save(self, listings: Iterable[StoredListing]) -> None:
        """Store what chats know now. The status beside it stays, for it is compared by itself."""
        now = to_timestamp(self._clock.now())
        rows = (
            {
                "fixture_id": one.fixture.id,
                "status": one.fixture.status,
                "collection_status": one.fixture.collection_status,
                "updated_at": now,
                "listing": msgspec.json.encode(one.fixture).decode(),
                "revision": one.revision,
            }
            for one in listings
        )
        await _upsert_in_portions(self._database, ("listing", "revision", "updated_at"), rows)


_PORTION = 200
"""Rows that are stored in one transaction."""


async def _upsert_in_portions(database: Database, columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> None:
    """Store rows of the table `standings`, of which only these columns are replaced."""
    # The first list may have twenty thousand fixtures. In one transaction they would hold up every alert that comes meanwhile.
    remaining = iter(rows)
    while portion := list(islice(remaining, _PORTION)):
        async with database.transaction() as tx:
            await tx.execute(upsert(standings, columns=columns), portion)
        await asyncio.sleep(0)


def _read_listing(text: str, revision: int) -> StoredListing | None:
    try:
        return StoredListing(_LISTING_DECODER.decode(text), revision) if text else None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None  # written by a version with other fields: the next listing is the first one
