"""Quiet hours in a chat's time zone."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.subscribers import QuietHours, parse_quiet_hours

NIGHT, LUNCH = QuietHours(23 * 60, 7 * 60), QuietHours(12 * 60, 13 * 60)


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
