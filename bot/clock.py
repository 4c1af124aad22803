"""The only place that reads the time."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

import structlog

log = structlog.get_logger()

MIN_WAIT = 0.001
"""The shortest wait, in seconds. A clock may not move during a shorter one, and whoever waits for an instant would spin."""


class Clock(Protocol):
    """Gives decisions their `now`. The system's clock, or one that tests and replays set."""

    def now(self) -> dt.datetime:
        """Return the wall clock time, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run back, from any beginning."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        # The event loop's own clock, so that a test on a virtual loop has virtual time here too.
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return time.monotonic()


class CorrectedClock:
    """The machine's clock, set to a shared database's, and corrected if the feed and Telegram agree that it is wrong.

    Of several processes, one whose clock is 30 s ahead would keep everybody's news back for 30 s. So all of them go by the clock
    of their database.

    With a clock an hour ahead every goal would look an hour old, and nothing would be sent in time. One witness is not enough:
    a feed that is late looks like a clock that is ahead, and a proxy may answer with any date.

    What was measured is kept against the monotonic clock. So it holds on when the machine's clock is set while the bot runs.
    """

    def __init__(self, clock: Clock, telegram_skew: Callable[[], float | None]) -> None:
        """`telegram_skew` returns by how many seconds `clock` is ahead of Telegram's; None if that is not known."""
        self._clock, self._telegram_skew = clock, telegram_skew
        self._database_start: float | None = None
        """The database's time at the beginning of the monotonic clock; None without a shared database."""
        self._feed_leads: deque[float] = deque(maxlen=_FEED_SKEW_SAMPLES)
        """Seconds by which the monotonic clock was ahead of the latest packets' times; large negative numbers."""
        self.correction = 0.0
        """Seconds that are subtracted from it because the feed and Telegram say so."""

    def now(self) -> dt.datetime:
        return self._read_uncorrected() - dt.timedelta(seconds=self.correction)

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def _read_uncorrected(self) -> dt.datetime:
        if self._database_start is None:
            return self._clock.now()
        # Not the machine's clock: if it were set an hour ahead, everybody's news would be due in an hour until the database's
        # clock is read again.
        return dt.datetime.fromtimestamp(self._database_start + self._clock.monotonic(), dt.UTC)

    def on_database_time(self, database_time: float, round_trip: float) -> None:
        """Set the clock by that of a shared database.

        Its answer, in seconds since 1970, took `round_trip` seconds and has come just now.
        """
        if round_trip > _MAX_ROUND_TRIP:
            return  # too imprecise; the next answer will probably be quicker
        start = database_time + round_trip / 2 - self._clock.monotonic()
        # Small differences are left alone: a clock that is moved at each reading would run unevenly, and back now and then.
        if self._database_start is None or abs(start - self._database_start) > _MAX_DATABASE_SKEW:
            ahead = start + self._clock.monotonic() - self._clock.now().timestamp()
            log.info("database_clock_followed", seconds=round(ahead, 2))
            self._database_start = start

    def on_live_packet(self, sent_at: dt.datetime) -> None:
        """Compare the clock with the feed's, by a packet that was sent just now."""
        monotonic = self._clock.monotonic()
        self._feed_leads.append(monotonic - sent_at.timestamp())
        telegram_skew = self._telegram_skew()
        if telegram_skew is None:
            return  # what was found before still holds: a clock does not get right because Telegram is away
        now = self._read_uncorrected().timestamp()
        feed_skew = now - monotonic + min(self._feed_leads)
        correction = choose_clock_correction(feed_skew, telegram_skew + now - self._clock.now().timestamp())
        if abs(correction - self.correction) > MAX_CLOCK_SKEW or (not correction and self.correction):
            log.warning("clock_corrected", seconds=round(-correction, 1))
            self.correction = correction


_MAX_ROUND_TRIP = 2.0
"""Seconds in which the database has to answer: the time in its answer is known to half of this."""

_MAX_DATABASE_SKEW = 0.2
"""Seconds that the clock may differ from the database's before it is set again."""

_FEED_SKEW_SAMPLES = 20
"""The quickest of so many packets counts: each takes some time on its way, and now and then one takes long."""

MAX_CLOCK_SKEW = 5.0
"""Seconds that clocks may differ before one of them counts as wrong: more than the second to which Telegram's is known."""


def choose_clock_correction(feed_skew: float, telegram_skew: float) -> float:
    """Return by how many seconds the machine's clock is ahead, if the feed and Telegram agree that it is wrong; else 0."""
    if min(abs(feed_skew), abs(telegram_skew)) <= MAX_CLOCK_SKEW or abs(feed_skew - telegram_skew) > MAX_CLOCK_SKEW:
        return 0.0
    return telegram_skew


class ManualClock:
    """A clock that stands still until it is moved: for replays and tests."""

    def __init__(self, now: dt.datetime) -> None:
        self._start = self._now = now

    def now(self) -> dt.datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def move_to(self, now: dt.datetime) -> None:
        """Set the time. An earlier one changes nothing: the clock never runs back."""
        self._now = max(self._now, now)
