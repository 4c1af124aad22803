"""The only place that reads the time, and time zones by name."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from typing import Protocol
from zoneinfo import ZoneInfo


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


def find_zone(name: str) -> ZoneInfo:
    """Return a time zone by its name; UTC if it is not known."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a name, or the name of a directory of the zone database
        return ZoneInfo("UTC")
