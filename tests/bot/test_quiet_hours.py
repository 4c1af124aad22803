"""Quiet hours in a chat's time zone."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.quiet_hours import QuietHours, parse_quiet_hours

NIGHT, LUNCH = QuietHours(23 * 60, 7 * 60), QuietHours(12 * 60, 13 * 60)

EARLY = QuietHours(23 * 60, 2 * 60 + 30, holds_alerts=True)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-{text}:00+00:00")


@pytest.mark.parametrize(
    ("quiet", "timezone", "now", "end"),
    [
        (NIGHT, "UTC", "08-15T22:59", None),
        (NIGHT, "UTC", "08-15T23:00", "08-16T07:00"),
        (NIGHT, "UTC", "08-16T06:59", "08-16T07:00"),
        (NIGHT, "UTC", "08-16T07:00", None),
        (NIGHT, "Europe/Berlin", "08-15T21:30", "08-16T05:00"),
        (NIGHT, "Europe/Berlin", "10-24T22:30", "10-25T06:00"),  # the clocks go back that night
        (EARLY, "Europe/Berlin", "10-25T00:10", "10-25T00:30"),  # 02:10 for the first time
        (EARLY, "Europe/Berlin", "10-25T00:40", None),
        (EARLY, "Europe/Berlin", "10-25T01:10", "10-25T01:30"),  # 02:10 for the second time
        (EARLY, "Europe/Berlin", "10-25T01:30", None),
        (EARLY, "Europe/Berlin", "03-29T00:30", "03-29T01:00"),  # 02:30 does not come: at 02:00 it is 03:00
        (EARLY, "Europe/Berlin", "03-29T01:00", None),
        (EARLY, "Australia/Lord_Howe", "10-03T15:10", "10-03T15:30"),  # at 02:00 it is 02:30
        (EARLY, "Australia/Lord_Howe", "04-04T14:40", "04-04T16:00"),  # 02:00 is 01:30 once more
        (QuietHours(80, 70), "America/New_York", "11-01T05:30", "11-01T06:10"),  # all day but ten minutes, which come twice
        (LUNCH, "UTC+5:30", "08-15T07:00", "08-15T07:30"),
        (NIGHT, "nowhere", "08-15T23:30", "08-16T07:00"),
        (LUNCH, "UTC", "08-15T12:30", "08-15T13:00"),
        (LUNCH, "UTC", "08-15T13:30", None),
    ],
)
def test_quiet_hours_end_by_the_clock_of_the_chat(quiet: QuietHours, timezone: str, now: str, end: str | None) -> None:
    assert quiet.ends_at(at(now), timezone) == (at(end) if end else None)


@pytest.mark.parametrize("quiet", [NIGHT, QuietHours(0, 1, holds_alerts=True)])
def test_they_are_stored_as_they_are_written(quiet: QuietHours) -> None:
    assert parse_quiet_hours(str(quiet)) == quiet


@given(
    now=st.integers(0, 366 * 24 * 60).map(lambda minute: at("01-01T00:00") + dt.timedelta(minutes=minute)),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "UTC-3:30"]),
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
)
@example(now=dt.datetime(2026, 10, 25, 1, 10, tzinfo=dt.UTC), zone="Europe/Berlin", start=1380, end=150)
@example(now=dt.datetime(2026, 3, 29, 0, 30, tzinfo=dt.UTC), zone="Europe/Berlin", start=1380, end=150)
@example(now=dt.datetime(2026, 11, 1, 6, 10, tzinfo=dt.UTC), zone="America/New_York", start=60, end=75)
@example(now=dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC), zone="America/New_York", start=80, end=70)
@example(now=dt.datetime(2026, 3, 8, 4, 30, tzinfo=dt.UTC), zone="America/Havana", start=1380, end=30)
def test_the_end_is_the_first_minute_outside_of_them_and_within_a_day(now: dt.datetime, zone: str, start: int, end: int) -> None:
    quiet = QuietHours(start, end, holds_alerts=True)
    ends_at = quiet.ends_at(now, zone)

    if ends_at is not None:
        assert now < ends_at <= now + dt.timedelta(hours=25) and quiet.ends_at(ends_at, zone) is None
        minutes = int((ends_at - now).total_seconds()) // 60
        for minute in {*range(0, minutes, 7), *range(max(0, minutes - 62), minutes)}:
            assert quiet.ends_at(now + dt.timedelta(minutes=minute), zone) == ends_at
