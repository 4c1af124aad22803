"""Tells the chats of matches in play that their live data cannot be read here, when it has been missing for too long."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping

import msgspec
import structlog

from bot.clock import Clock
from bot.feed.connection import FeedConnection
from bot.matches.connection_plan import LONGEST_MATCH, find_known_kickoff
from bot.matches.pipeline import Pipeline
from rules.football.action import Fixture
from rules.football.match import Match

log = structlog.get_logger()

NOTIFY_AFTER_SILENCE = 120.0
"""Seconds without data, while a match is in play, after which its chats get an alert. Shorter interruptions are over by then."""

UNREACHABLE, REFUSED, NO_STREAM = REASONS = (
    "no connection to the feed",
    "the feed refuses the connection",
    "the feed has no stream of this match",
)
"""Why live data cannot be read here, as chats see it: terms that are translated."""

_CHECK_INTERVAL = 5.0


class _Silence(msgspec.Struct):
    """How long a connection has brought neither packets nor heartbeats. `data_signs` is its count of them then."""

    data_signs: int = -1
    seconds: float = 0.0


class SilenceWatch:
    """Watches the connections of the matches that this process follows."""

    def __init__(
        self, pipeline: Pipeline, clock: Clock, connections: Mapping[str, FeedConnection], fixtures: Mapping[str, Fixture]
    ) -> None:
        """`connections` and `fixtures`, by fixture id, are those of the follower, which changes them."""
        self._pipeline, self._clock, self._connections, self._fixtures = pipeline, clock, connections, fixtures
        self._silences: dict[str, _Silence] = {}

    async def run(self) -> None:
        """Watch until cancelled."""
        before = self._clock.monotonic()
        while True:
            await asyncio.sleep(_CHECK_INTERVAL)
            now = self._clock.monotonic()
            # A process that was asleep has not waited for data: what counts is the time in which it would have read some.
            passed, before = min(now - before, 2 * _CHECK_INTERVAL), now
            for fixture_id in list(self._connections):
                if fixture_id not in self._connections:
                    continue  # while others were told, it came to its end
                try:
                    await self._check(fixture_id, passed)
                except Exception as error:  # a fault of our own costs one check of one match, and not the watch over all
                    log.exception("silence_check_failed", fixture=fixture_id, reason=repr(error))

    def drop(self, fixture_id: str) -> None:
        """Forget a match that is not followed any more."""
        self._silences.pop(fixture_id, None)

    async def _check(self, fixture_id: str, passed: float) -> None:
        connection, silence = self._connections[fixture_id], self._silences.setdefault(fixture_id, _Silence())
        # By data and not by the state: a server that accepts the token and closes, again and again, is live now and then.
        if silence.data_signs != connection.data_signs:
            silence.data_signs, silence.seconds = connection.data_signs, 0.0
            return
        silence.seconds += passed
        match = self._pipeline.match(fixture_id)
        if silence.seconds < NOTIFY_AFTER_SILENCE or match is None:
            return
        status = connection.status(lags=False)
        if not _is_in_play(self._fixtures[fixture_id], match, self._clock.now(), is_not_open=status.is_not_open):
            return
        # Again at each check; the pipeline tells it once, until live data has been read again.
        reason = REFUSED if status.refusal else NO_STREAM if status.is_not_open else UNREACHABLE
        await self._pipeline.report_connection_lost(fixture_id, reason, self._clock.now())
        # Snapshots are otherwise saved on heartbeats, and none arrive. Without this, a restart would send the alert again. An
        # unchanged match is not written again.
        await self._pipeline.save_snapshot(fixture_id, connection.resume_position)


def _is_in_play(fixture: Fixture, match: Match, now: dt.datetime, *, is_not_open: bool) -> bool:
    """Return True if a match is in play by what its stream said, else by what the list of fixtures says, else by the time.

    `is_not_open`: the feed can be reached and has no stream of it, so that a match that is not listed as live has not begun.
    """
    if match.has_begun or fixture.status.casefold() != "scheduled":
        return match.has_begun or fixture.is_live
    kickoff = find_known_kickoff(fixture)
    return not is_not_open and kickoff is not None and kickoff < now < kickoff + LONGEST_MATCH
