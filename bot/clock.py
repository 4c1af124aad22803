"""The only reader of the time; time zones by name."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Where decisions get their `now` from."""

    def now(self) -> dt.datetime:
        """The wall clock, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run back."""
        ...


class SystemClock:
    """The machine's clock. Seconds are the event loop's where one runs, so that virtual loops have virtual time."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return time.monotonic()


class ManualClock:
    """A clock that stands where it is put: for replays and tests."""

    def __init__(self, now: dt.datetime) -> None:
        self._start = self._now = now

    def now(self) -> dt.datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def move_to(self, now: dt.datetime) -> None:
        """Set the time; it never runs back."""
        self._now = max(self._now, now)


def find_zone(name: str) -> ZoneInfo:
    """A time zone by its name; UTC for one that is not known."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
