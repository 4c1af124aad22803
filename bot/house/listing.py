"""What a process without the feed's role knows: the fixtures by its own list, the matches as other processes have kept them."""

from __future__ import annotations

import asyncio
import datetime as dt

import structlog

from bot.clock import Clock
from bot.errors import FeedError, StoreError
from bot.schedule.runner import LOOK_AHEAD, LOOK_BACK, Fixtures, Settings
from bot.snapshots import Snapshots
from bot.store.outage import Outage
from bot.store.positions import Positions
from rules.action import Fixture
from rules.match import Match

log = structlog.get_logger()

_LOOK_EVERY = 2.0
"""Seconds between two looks at the matches that are kept."""
_LATEST = dt.datetime.max.replace(tzinfo=dt.UTC)


class Listing:
    """The fixtures as the feed lists them, the matches as they are kept."""

    def __init__(self, source: Fixtures, positions: Positions, settings: Settings, clock: Clock) -> None:
        self._source, self._settings, self._clock = source, settings, clock
        self._positions, self._snapshots = positions, Snapshots(positions)
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
        """Look again and again."""
        await asyncio.gather(self._list(), self._look())

    async def _list(self) -> None:
        delay = 1.0
        while True:
            try:
                await self._refresh()
            except FeedError as error:
                log.warning("fixtures_not_refreshed", reason=str(error))
                await asyncio.sleep(delay)
                delay = min(delay * 2, 60.0)
                continue
            delay = 1.0
            await asyncio.sleep(self._settings.refresh_fixtures_every.total_seconds())

    async def _refresh(self) -> None:
        today = self._clock.now().date()
        found = await self._source.fixtures(today - LOOK_BACK, today + LOOK_AHEAD)
        self._fixtures = tuple(sorted(found, key=lambda fixture: (fixture.kickoff or _LATEST, fixture.title)))
        log.info("fixtures_refreshed", count=len(found))

    async def _look(self) -> None:
        outage = Outage()
        while True:
            try:
                await self.look()
            except StoreError as error:
                if outage.failed():
                    log.warning("matches_not_read", reason=str(error))
            else:
                if (lasted := outage.over()) is not None:
                    log.info("matches_read_again", after=lasted)
            await asyncio.sleep(_LOOK_EVERY)

    async def look(self) -> None:
        """Read the matches that have moved on since the last look; those that are over are kept no more."""
        instants = await self._positions.instants()
        self._matches = {fixture_id: match for fixture_id, match in self._matches.items() if fixture_id in instants}
        for fixture_id, instant in instants.items():
            if self._seen.get(fixture_id) != instant and (kept := await self._snapshots.glance(fixture_id)):
                self._matches[fixture_id] = kept.match
        self._seen = instants
