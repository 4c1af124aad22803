"""Match snapshots: a restart resumes from them, and processes that follow no match read them."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Callable
from hashlib import blake2b

import msgspec
import structlog

from bot.clock import Clock
from bot.config.models import ScheduleSettings
from bot.errors import FeedError, StorageError
from bot.feed.sequence import FeedPosition
from bot.feed.source import FixtureSource
from bot.matches.schedule import LOOK_AHEAD, LOOK_BACK
from bot.retry import Backoff, OutageLog
from bot.storage.fixtures import FeedPositionRepository, StoredFeedPosition
from rules.football.action import Fixture
from rules.football.match import Match


class MatchSnapshot(msgspec.Struct, frozen=True):
    """A match and where its feed goes on. `form` is that of the types it was written with."""

    format: str
    match: Match
    position: FeedPosition


SNAPSHOT_FORMAT = blake2b(json.dumps(msgspec.json.schema(MatchSnapshot), sort_keys=True).encode(), digest_size=8).hexdigest()

_SNAPSHOT_DECODER = msgspec.json.Decoder(MatchSnapshot)


class SnapshotStore:
    """Writes a match only when it has moved on; one that cannot be read is as if there were none."""

    def __init__(self, positions: FeedPositionRepository) -> None:
        self._positions = positions
        self._last: dict[str, Match] = {}

    async def load_for(self, fixture: Fixture) -> MatchSnapshot | None:
        """The match as it was kept, with what the fixtures say now; None where its history is to be read from the start."""
        kept = await self.read(fixture.id)
        if kept is None:
            return None
        match = msgspec.structs.replace(kept.match, fixture=_merge_teams(fixture, kept.match.fixture))
        return msgspec.structs.replace(kept, match=match)

    async def read(self, fixture_id: str) -> MatchSnapshot | None:
        """The match exactly as it was kept."""
        found = await self._positions.get(fixture_id)
        if found is None:
            return None
        try:
            kept = _SNAPSHOT_DECODER.decode(found.snapshot)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            kept = None
        if kept is None or kept.format != SNAPSHOT_FORMAT:
            log.info("snapshot_format_changed", fixture=fixture_id)
            return None
        return kept

    async def save(self, match: Match, place: FeedPosition) -> None:
        """Keep how a match stands at this place."""
        if self._last.get(match.fixture.id) is match:
            return
        body = msgspec.json.encode(MatchSnapshot(SNAPSHOT_FORMAT, match, place))
        await self._positions.save(match.fixture.id, StoredFeedPosition(place.position, place.seq, body))
        self._last[match.fixture.id] = match

    async def delete(self, fixture_id: str) -> None:
        """The match is over."""
        await self._positions.delete(fixture_id)
        self.drop_cached(fixture_id)

    def drop_cached(self, fixture_id: str) -> None:
        """Keep nothing of it in memory."""
        self._last.pop(fixture_id, None)


def _merge_teams(fixture: Fixture, before: Fixture) -> Fixture:
    """The fixture with the teams that packets had told of."""
    home, away = fixture.home if fixture.home.name else before.home, fixture.away if fixture.away.name else before.away
    return msgspec.structs.replace(fixture, home=home, away=away)


log = structlog.get_logger()

_READ_INTERVAL = 2.0
"""Seconds between two looks at the matches that are kept."""

_LATEST_INSTANT = dt.datetime.max.replace(tzinfo=dt.UTC)


class MatchDirectory:
    """The fixtures as the feed lists them, the matches as they are kept."""

    def __init__(
        self, source: FixtureSource, positions: FeedPositionRepository, settings: Callable[[], ScheduleSettings], clock: Clock
    ) -> None:
        self._source, self._settings, self._clock = source, settings, clock
        self._positions, self._snapshots = positions, SnapshotStore(positions)
        self._fixtures: tuple[Fixture, ...] = ()
        self._matches: dict[str, Match] = {}
        self._seen: dict[str, float] = {}

    def fixtures(self) -> tuple[Fixture, ...]:
        """The fixtures known now, by kick-off."""
        return self._fixtures

    def match(self, fixture_id: str) -> Match | None:
        """How a match that some process follows stood a moment ago; None for any other."""
        return self._matches.get(fixture_id)

    async def run(self) -> None:
        """Refresh fixtures and matches until cancelled."""
        await asyncio.gather(self._list(), self._look())

    async def _list(self) -> None:
        backoff = Backoff(1.0, 60.0)
        while True:
            try:
                await self._refresh()
            except FeedError as error:
                log.warning("fixtures_not_refreshed", reason=str(error))
                await asyncio.sleep(backoff.next())
            else:
                backoff.reset()
                await asyncio.sleep(self._settings().refresh_fixtures_every.total_seconds())

    async def _refresh(self) -> None:
        today = self._clock.now().date()
        found = await self._source.fetch_fixtures(today - LOOK_BACK, today + LOOK_AHEAD)
        self._fixtures = tuple(sorted(found, key=lambda fixture: (fixture.kickoff or _LATEST_INSTANT, fixture.title)))
        log.info("fixtures_refreshed", count=len(found))

    async def _look(self) -> None:
        outage = OutageLog()
        while True:
            try:
                await self.look()
            except StorageError as error:
                if outage.on_failure():
                    log.warning("matches_not_read", reason=str(error))
            else:
                if (lasted := outage.on_success()) is not None:
                    log.info("matches_read_again", after=lasted)
            await asyncio.sleep(_READ_INTERVAL)

    async def look(self) -> None:
        """Read the matches that have moved on since the last look; those that are over are kept no more."""
        instants = await self._positions.get_update_times()
        self._matches = {fixture_id: match for fixture_id, match in self._matches.items() if fixture_id in instants}
        for fixture_id, instant in instants.items():
            if self._seen.get(fixture_id) != instant and (kept := await self._snapshots.read(fixture_id)):
                self._matches[fixture_id] = kept.match
        self._seen = instants
