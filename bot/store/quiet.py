"""Quiet hours: a span of every day in a chat's time zone. Pure."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import msgspec

_SPAN = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)\s*[-–]\s*([01]?\d|2[0-3])[:.]([0-5]\d)")


class Quiet(msgspec.Struct, frozen=True):
    """From `start` to `end`, in minutes after midnight; with `hold`, news is not sent but summarised at the end."""

    start: int
    end: int
    hold: bool = False

    def __str__(self) -> str:
        return f"{_clock(self.start)}-{_clock(self.end)} {'hold' if self.hold else 'silent'}"

    def until(self, now: dt.datetime, timezone: str) -> dt.datetime | None:
        """When the quiet hours that it is now end; None outside of them."""
        here = now.astimezone(zone(timezone))
        minute = here.hour * 60 + here.minute
        today = self.start <= minute < self.end
        tonight = self.start > self.end and (minute >= self.start or minute < self.end)
        if not today and not tonight:
            return None
        day = here.date() + dt.timedelta(days=1 if minute >= self.end else 0)
        return dt.datetime.combine(day, dt.time(self.end // 60, self.end % 60), here.tzinfo).astimezone(dt.UTC)


def read_quiet(text: str) -> Quiet | None:
    """Read `23:00-07:00 hold`; None where it is not such a span. Without a word, news is silent."""
    span = _SPAN.match(text.strip())
    word = text.strip()[span.end() :].strip().casefold() if span else ""
    if span is None or word not in ("", "silent", "hold"):
        return None
    start, end = int(span[1]) * 60 + int(span[2]), int(span[3]) * 60 + int(span[4])
    return Quiet(start, end, word == "hold") if start != end else None


def zone(name: str) -> ZoneInfo:
    """A time zone by its name; UTC for one that is not known."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
