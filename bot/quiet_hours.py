"""The hours of a chat in which no alert makes a sound: when they end, also on the nights when the clocks change, and as text."""

from __future__ import annotations

import datetime as dt
import re

import msgspec

from bot.time_zones import find_zone

_LONGEST_DAY = 25 * 3600
"""Seconds."""

# As people type it: with a dot or a colon, with or without blanks, with a hyphen or a dash.
_SPAN_PATTERN = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)\s*[-–]\s*([01]?\d|2[0-3])[:.]([0-5]\d)")


class QuietHours(msgspec.Struct, frozen=True):
    """From `start` to `end`, in minutes after midnight of the chat's time zone.

    With `holds_alerts`, alerts are not sent silently but together in one message when the quiet hours end.
    """

    start: int
    end: int
    holds_alerts: bool = False

    def __str__(self) -> str:
        """As it is stored and as a person types it: `23:00-07:00 hold`."""
        return f"{_format_minute(self.start)}-{_format_minute(self.end)} {'hold' if self.holds_alerts else 'silent'}"

    def ends_at(self, now: dt.datetime, timezone: str) -> dt.datetime | None:
        """Return the end of the quiet hours in which `now` lies, in UTC; None outside of them."""
        zone = find_zone(timezone)
        here = now.astimezone(zone)
        if not self._includes(here):
            return None
        end_time, today = dt.time(self.end // 60, self.end % 60), here.date()
        days = [today + dt.timedelta(days=here.time() >= end_time)]
        ends = []
        if (change := _find_offset_change(now, zone)) is not None:
            # Clocks that go forward may skip the end: then the quiet hours are over when they do. Those that go back may bring
            # today's end once more.
            ends.append(change)
            days.append(today)
        # From wall time, not by adding a duration: on the night when the clocks change, 07:00 stays 07:00. A time that comes
        # twice has two folds.
        for day in days:
            end = dt.datetime.combine(day, end_time, zone)
            ends += [end.astimezone(dt.UTC), end.replace(fold=1).astimezone(dt.UTC)]
        to_come = (at for at in ends if at > now and not self._includes(at.astimezone(zone)))
        return min(to_come, default=now + dt.timedelta(minutes=1))

    def _includes(self, here: dt.datetime) -> bool:
        minute = here.hour * 60 + here.minute
        if self.start > self.end:  # over midnight
            return minute >= self.start or minute < self.end
        return self.start <= minute < self.end


def _find_offset_change(now: dt.datetime, zone: dt.tzinfo) -> dt.datetime | None:
    """Return when the clocks of a zone change within the next 25 hours, in UTC; None if they do not."""
    before, offset = int(now.timestamp()), now.astimezone(zone).utcoffset()
    after = before + _LONGEST_DAY
    if dt.datetime.fromtimestamp(after, zone).utcoffset() == offset:
        return None
    while after - before > 1:
        middle = (before + after) // 2
        if dt.datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return dt.datetime.fromtimestamp(after, dt.UTC)


def parse_quiet_hours(text: str) -> QuietHours | None:
    """Read `23:00-07:00 hold`; return None if it is no such span. Without a last word alerts are silent."""
    span = _SPAN_PATTERN.match(text.strip())
    if span is None:
        return None
    word = text.strip()[span.end() :].strip().casefold()
    start, end = int(span[1]) * 60 + int(span[2]), int(span[3]) * 60 + int(span[4])
    # A span without length could mean never or all day.
    if word not in ("", "silent", "hold") or start == end:
        return None
    return QuietHours(start, end, word == "hold")


def _format_minute(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
