"""Fixtures beyond the two weeks that are planned: the next match of each team and competition, so that they can be followed."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from operator import itemgetter

import structlog

from bot.clock import Clock
from bot.errors import FeedError
from bot.feed.source import FixtureSource
from bot.matches.connection_plan import LOOK_AHEAD
from bot.subscribers import make_name_key
from rules.football.action import Fixture

log = structlog.get_logger()

SEASON_AHEAD = dt.timedelta(days=300)
"""How far ahead fixtures are looked for: over the longest break of any league, and into the next season."""

_WINDOW = dt.timedelta(days=60)
"""The days that one request covers: the first windows are already used while the others are read."""

RELOAD_AFTER = 12 * 3600.0
"""Seconds after which the season is read again: as often as the vendor recommends (feed documentation, section 1.4)."""

_RETRY_AFTER = 60.0
"""Seconds after which a feed that failed is asked again: a name that nobody knows must not cost requests each time."""

_FIRST_LOAD_AFTER = 60.0
"""Seconds after the start of the process before the season is read: the matches of today come first."""

WAIT = 20.0
"""Seconds for which somebody who searches a name waits for the feed."""


class SeasonFixtures:
    """Reads the fixtures of the coming months when they are asked for, and twice a day.

    Kept are only those that are the next match of a team or a competition: a feed has tens of thousands of others.
    """

    def __init__(self, source: FixtureSource, clock: Clock) -> None:
        self._source, self._clock = source, clock
        self._listed: tuple[Fixture, ...] = ()
        self._read_at: float | None = None
        self._failed_at = float("-inf")
        self._loading: asyncio.Task[None] | None = None

    def fixtures(self) -> tuple[Fixture, ...]:
        """Return the next match of each team and competition after the next two weeks, as far as it was read."""
        return self._listed

    async def run(self) -> None:
        """Read the season regularly, until cancelled."""
        try:
            await asyncio.sleep(_FIRST_LOAD_AFTER)
            while True:
                await self.load()  # most rounds find that it was read within the last twelve hours
                await asyncio.sleep(_RETRY_AFTER)
        finally:
            if self._loading:
                self._loading.cancel()

    async def load(self) -> bool:
        """Read the season unless it was read lately; callers at the same time share one request.

        Return True if it may bring something new: it was read just now, or a part of it within `WAIT`.
        """
        now = self._clock.monotonic()
        if self._read_at is not None and now - self._read_at < RELOAD_AFTER:
            return False
        if self._loading is None:
            if now - self._failed_at < _RETRY_AFTER:
                return False
            self._loading = asyncio.create_task(self._read())
            self._loading.add_done_callback(self._on_read)
        # Waited for without cancelling it: the next caller finds what it has read by then.
        await asyncio.wait([self._loading], timeout=WAIT)
        return bool(self._listed)

    def _on_read(self, task: asyncio.Task[None]) -> None:
        self._loading = None
        if not task.cancelled() and (error := task.exception()):
            self._failed_at = self._clock.monotonic()
            log.warning("season_not_read", reason=str(error) if isinstance(error, FeedError) else repr(error))

    async def _read(self) -> None:
        """Read one window after the other. Raise FeedError; what was read until then stays."""
        today = self._clock.now().date()
        # From where the schedule's own list ends.
        start, end = today + LOOK_AHEAD + dt.timedelta(days=1), today + SEASON_AHEAD
        found: dict[str, Fixture] = {}
        seen: set[tuple[str, str]] = set()
        while start <= end:
            last = min(start + _WINDOW - dt.timedelta(days=1), end)
            fetched = await self._source.fetch_fixtures(start, last)
            found |= {fixture.id: fixture for fixture in select_next_matches(fetched, seen)}
            # The list of before stays until the new one is complete; the very first one is shown as it grows.
            if self._read_at is None:
                self._listed = tuple(found.values())
            start = last + dt.timedelta(days=1)
        self._listed, self._read_at = tuple(found.values()), self._clock.monotonic()
        log.info("season_read", count=len(self._listed))


def select_next_matches(fixtures: Sequence[Fixture], seen: set[tuple[str, str]]) -> list[Fixture]:
    """Return the fixtures that are the first of a team or a competition that is not among `seen`, which is added to it."""
    chosen = []
    ahead = [(f.kickoff.timestamp(), f) for f in fixtures if f.kickoff and not f.is_deleted and not f.is_over]
    for _, fixture in sorted(ahead, key=itemgetter(0)):
        parts = (("team", fixture.home), ("team", fixture.away), ("competition", fixture.competition))
        # By id, else by name: what has neither is not known yet, and nobody could follow it.
        names = {(kind, one.id or make_name_key(one.name)) for kind, one in parts if one.id or one.name}
        if not seen.issuperset(names):
            seen |= names
            chosen.append(fixture)
    return chosen
