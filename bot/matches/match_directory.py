"""Fixtures and matches as a process shows them that follows none itself: the feed's list, and the snapshots of the others."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable

import structlog

from bot.clock import Clock
from bot.config.models import ScheduleSettings
from bot.errors import FeedError, StorageError
from bot.feed.source import FixtureSource
from bot.matches.connection_plan import LOOK_AHEAD, LOOK_BACK
from bot.matches.snapshots import SnapshotStore
from bot.retry import Backoff, OutageLog
from bot.storage.fixtures import FeedPositionRepository
from rules.football.action import Fixture
from rules.football.match import Match

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
