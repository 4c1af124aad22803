"""Match snapshots: a restart resumes from them, and processes that follow no match show matches from them."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Callable
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
import structlog

from bot.clock import Clock
from bot.errors import FeedError, StorageError
from bot.feed.sequence import FeedPosition
from bot.feed.source import FixtureSource
from bot.matches.connection_plan import LOOK_AHEAD, LOOK_BACK
from bot.retry import Backoff, OutageLog
from bot.storage.fixtures import FeedPositionRepository, StoredFeedPosition
from rules.football.action import Fixture
from rules.football.match import Match

if TYPE_CHECKING:  # replays, which start often, do without the configuration
    from bot.config.models import ScheduleSettings


class MatchSnapshot(msgspec.Struct, frozen=True):
    """A match and the position in its feed. `format` is the SNAPSHOT_FORMAT of the version that wrote it."""

    format: str
    match: Match
    position: FeedPosition


# A hash of the types and not a number, because nobody would think of raising it: any change of a field of a match gives another
# hash, and snapshots of the version before are then not read.
SNAPSHOT_FORMAT = blake2b(json.dumps(msgspec.json.schema(MatchSnapshot), sort_keys=True).encode(), digest_size=8).hexdigest()

_SNAPSHOT_DECODER = msgspec.json.Decoder(MatchSnapshot)


class SnapshotStore:
    """Stores snapshots of matches. One that cannot be read counts as missing: the feed is then read from its start."""

    def __init__(self, positions: FeedPositionRepository) -> None:
        self._positions = positions
        self._last_saved: dict[str, Match] = {}

    async def load_for(self, fixture: Fixture) -> MatchSnapshot | None:
        """Return the snapshot to resume from, with the fixture as it is listed now; None to read its feed from the start."""
        snapshot = await self.read(fixture.id)
        if snapshot is None:
            return None
        # Packets tell which team is at home; the list of fixtures may not (feed documentation, section 9.1).
        before = snapshot.match.fixture
        home, away = fixture.home if fixture.home.name else before.home, fixture.away if fixture.away.name else before.away
        match = msgspec.structs.replace(snapshot.match, fixture=msgspec.structs.replace(fixture, home=home, away=away))
        return msgspec.structs.replace(snapshot, match=match)

    async def read(self, fixture_id: str) -> MatchSnapshot | None:
        """Return the snapshot exactly as it was stored; None if there is none, or one of another format."""
        found = await self._positions.get(fixture_id)
        if found is None:
            return None
        try:
            snapshot = _SNAPSHOT_DECODER.decode(found.snapshot)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            snapshot = None
        # A snapshot of another version may decode and still mean something else: its format is compared too.
        if snapshot is None or snapshot.format != SNAPSHOT_FORMAT:
            log.info("snapshot_format_changed", fixture=fixture_id)
            return None
        return snapshot

    async def save(self, match: Match, position: FeedPosition) -> None:
        """Store a match as it stands at a position in its feed. An unchanged match is not written again."""
        if self._last_saved.get(match.fixture.id) is match:
            return
        body = msgspec.json.encode(MatchSnapshot(SNAPSHOT_FORMAT, match, position))
        await self._positions.save(match.fixture.id, StoredFeedPosition(position.position, position.seq, body))
        self._last_saved[match.fixture.id] = match

    async def delete(self, fixture_id: str) -> None:
        """Delete the snapshot of a match that is over."""
        await self._positions.delete(fixture_id)
        self.drop_cached(fixture_id)

    def drop_cached(self, fixture_id: str) -> None:
        """Forget what was saved last: another process may follow the match from here, and this one again later."""
        self._last_saved.pop(fixture_id, None)


log = structlog.get_logger()

_READ_INTERVAL = 2.0
"""Seconds between two reads of the snapshots: a chat's `/score` is at most this far behind."""

_LATEST_INSTANT = dt.datetime.max.replace(tzinfo=dt.UTC)


class MatchDirectory:
    """Fixtures and matches for a process that follows none itself: from the feed's list, and from the others' snapshots."""

    def __init__(
        self, source: FixtureSource, positions: FeedPositionRepository, settings: Callable[[], ScheduleSettings], clock: Clock
    ) -> None:
        self._source, self._settings, self._clock = source, settings, clock
        self._positions, self._snapshots = positions, SnapshotStore(positions)
        self._fixtures: tuple[Fixture, ...] = ()
        self._matches: dict[str, Match] = {}
        self._update_times: dict[str, float] = {}

    def fixtures(self) -> tuple[Fixture, ...]:
        """Return the fixtures that the feed lists, by kick-off."""
        return self._fixtures

    def match(self, fixture_id: str) -> Match | None:
        """Return a match that some process follows, as it stood a moment ago; None for any other."""
        return self._matches.get(fixture_id)

    async def run(self) -> None:
        """Refresh fixtures and matches until cancelled."""
        await asyncio.gather(self._poll_fixtures(), self._poll_matches())

    async def _poll_fixtures(self) -> None:
        backoff = Backoff(1.0, 60.0)
        while True:
            today = self._clock.now().date()
            try:
                fetched = await self._source.fetch_fixtures(today - LOOK_BACK, today + LOOK_AHEAD)
            except FeedError as error:
                log.warning("fixtures_not_refreshed", reason=str(error))
                await asyncio.sleep(backoff.next())
            else:
                # A fixture without a kick-off comes last.
                self._fixtures = tuple(sorted(fetched, key=lambda f: (f.kickoff or _LATEST_INSTANT, f.title)))
                log.info("fixtures_refreshed", count=len(fetched))
                backoff.reset()
                await asyncio.sleep(self._settings().refresh_fixtures_every.total_seconds())

    async def _poll_matches(self) -> None:
        outage = OutageLog()  # one line in the log for an outage, and not one every two seconds
        while True:
            try:
                await self.refresh_matches()
            except StorageError as error:
                if outage.on_failure():
                    log.warning("matches_not_read", reason=str(error))
            else:
                if (lasted := outage.on_success()) is not None:
                    log.info("matches_read_again", after=lasted)
            await asyncio.sleep(_READ_INTERVAL)

    async def refresh_matches(self) -> None:
        """Read the snapshots that have changed since the last call. Matches without one, which are over, are dropped."""
        # The times first, in one small query: a snapshot is some tens of kilobytes.
        update_times = await self._positions.get_update_times()
        self._matches = {fixture_id: match for fixture_id, match in self._matches.items() if fixture_id in update_times}
        for fixture_id, updated_at in update_times.items():
            if self._update_times.get(fixture_id) != updated_at and (snapshot := await self._snapshots.read(fixture_id)):
                self._matches[fixture_id] = snapshot.match
        self._update_times = update_times
