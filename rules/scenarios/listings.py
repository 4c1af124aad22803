"""How a scenario's fixture is listed as its day goes on: a new kick-off, another ground.

The feed has these in its list of fixtures alone, and in no packet.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

import msgspec

from rules.football.action import Fixture

LISTING_FORM = "11:40 kick-off 15:30, or 11:40 venue NAME"

_LINE_PATTERN = re.compile(r"(?P<at>\S+) (?:kick-?off (?P<kickoff>\S+)|venue (?P<venue>.+))", re.IGNORECASE)


class ListingChange(msgspec.Struct, frozen=True):
    """What the list of fixtures says from an instant on; None and an empty text for what stays as it was."""

    at: dt.datetime
    kickoff: dt.datetime | None = None
    venue: str = ""


def parse_listing(line: str, kickoff: dt.datetime) -> ListingChange:
    """Read one line of `listings:`. Times without a date are on the day of the first kick-off, in UTC. Raises ValueError."""
    found = _LINE_PATTERN.fullmatch(" ".join(line.split()))
    if not found:
        raise ValueError(f"{line!r} is not of the form: {LISTING_FORM}")
    at = _parse_time(found["at"], kickoff)
    if found["venue"]:
        return ListingChange(at, venue=found["venue"])
    return ListingChange(at, kickoff=_parse_time(found["kickoff"], kickoff))


def _parse_time(text: str, kickoff: dt.datetime) -> dt.datetime:
    # One reader for both: a time of day is made an instant of the day of the kick-off.
    is_time_of_day = re.fullmatch(r"\d{1,2}:\d{2}", text)
    instant = parse_instant(f"{kickoff.date().isoformat()}T{text:0>5}Z" if is_time_of_day else text)
    if instant is None:
        raise ValueError(f"{text!r} is neither a time in UTC such as 15:30 nor an instant such as {kickoff:%Y-%m-%dT%H:%M:%SZ}")
    return instant


def parse_instant(text: str) -> dt.datetime | None:
    """Read an instant such as 2022-11-22T10:00:00Z, and return it in UTC; None if it is none or names no offset."""
    try:
        instant = dt.datetime.fromisoformat(text)
        return instant.astimezone(dt.UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):  # OverflowError: in UTC it is before year 1
        return None


def list_fixtures_in_time(fixture: Fixture, changes: Sequence[ListingChange]) -> Iterator[tuple[dt.datetime, Fixture]]:
    """Yield the fixture as it is listed after each change, with the instant of the change."""
    # Each change is added to the ones before: the feed always lists the whole fixture.
    for change in changes:
        fixture = msgspec.structs.replace(fixture, kickoff=change.kickoff or fixture.kickoff, venue=change.venue or fixture.venue)
        yield change.at, fixture


def find_listing_mistake(fixture: Fixture, changes: Sequence[ListingChange]) -> tuple[int, str] | None:
    """Return the index of the first change that is impossible, with a sentence that says why; None if all are possible."""
    before, changed_at = fixture, None
    for number, (at, now) in enumerate(list_fixtures_in_time(fixture, changes)):
        if changed_at and at <= changed_at:
            times = f"{_format_time(at, fixture)} does not come after {_format_time(changed_at, fixture)}"
            return number, f"{times}: write them in order"
        if now == before:
            return number, "the fixture is listed like that already"
        # Once a match is in play, its packets tell what changes.
        if now.kickoff and at >= now.kickoff:
            return (
                number,
                f"{_format_time(at, fixture)} is not before the kick-off, which is at {_format_time(now.kickoff, fixture)}",
            )
        before, changed_at = now, at
    return None


def _format_time(at: dt.datetime, fixture: Fixture) -> str:
    """Return a time, with its date if that is not the day of the fixture."""
    is_same_day = fixture.kickoff and at.date() == fixture.kickoff.date()
    return f"{at:%H:%M}" if is_same_day else f"{at:%Y-%m-%d %H:%M}"
