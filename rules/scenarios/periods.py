"""The periods of a scenario: how long each is, and when its clock shows which minute."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rules.football.minute import LAST_MINUTE, Minute, Period
from rules.football.timeline import EventKind
from rules.scenarios.scenario import PERIOD_END_MINUTES, VIDEO_CHECK_DURATION, Scenario, ScenarioEvent

KICK_INTERVAL = 40
"""Seconds from one kick of a shootout to the next."""

_BREAK_SECONDS = {2: 15 * 60, 3: 5 * 60, 4: 2 * 60, 5: 5 * 60}
"""Seconds of the break before the second half, before each half of extra time, and before a shootout."""

# Added time where the scenario does not say when a period ends.
_ADDED_MINUTES = {Period.FIRST_HALF: 2, Period.SECOND_HALF: 5, Period.EXTRA_FIRST: 1, Period.EXTRA_SECOND: 1}


class PlayedPeriod(msgspec.Struct, frozen=True):
    """A period as it is played: its clock runs from `first_clock` to `last_clock`, from `starts_at` seconds after kick-off on."""

    id: int
    label: str
    type: str
    first_clock: int
    last_clock: int
    starts_at: int

    def time_of(self, clock: int) -> int:
        """Return when the clock shows a value, in seconds after kick-off."""
        return self.starts_at + clock - self.first_clock

    @property
    def ends_at(self) -> int:
        """When the period is over, in seconds after kick-off."""
        return self.time_of(self.last_clock)


def lay_out_periods(scenario: Scenario) -> Iterator[PlayedPeriod]:
    """Yield the periods of the match, which follow from what happens in it."""
    starts_at = 0
    events = scenario.events
    has_extra_time = any(e.minute.base > 90 or e.kind is EventKind.EXTRA_TIME for e in events)
    has_shootout = bool(scenario.kicks) or any(e.kind is EventKind.SHOOTOUT for e in events)
    regular = [Period.FIRST_HALF, Period.SECOND_HALF, Period.EXTRA_FIRST, Period.EXTRA_SECOND]
    played_periods = regular[: 4 if has_extra_time else 2] + ([Period.SHOOTOUT] if has_shootout else [])
    for number, period in enumerate(played_periods, start=1):
        # The break before a shootout is the same whether it is period 3 or 5.
        starts_at += _BREAK_SECONDS.get(5 if period is Period.SHOOTOUT else number, 0)
        played = _lay_out_period(scenario, number, period, starts_at)
        yield played
        starts_at = played.ends_at


def _lay_out_period(scenario: Scenario, number: int, period: Period, starts_at: int) -> PlayedPeriod:
    """Return the period that is the `number`th of the match and begins `starts_at` seconds after kick-off."""
    # Ids, labels and types are those of the feed documentation, sections 3.3 and 14; a shootout without extra time is period 3.
    if period is Period.SHOOTOUT:
        return PlayedPeriod(number, "penalty shootout", "Shootout", 0, (len(scenario.kicks) + 1) * KICK_INTERVAL, starts_at)
    label = "1st half" if number % 2 else "2nd half"
    first = {1: 0, 2: 45, 3: 90, 4: 105}[number] * 60
    last = _find_last_clock(scenario, period)
    if number > 2:
        return PlayedPeriod(number, f"{label} extra time", "ExtraTime", first, last, starts_at)
    return PlayedPeriod(number, label, "Regular", first, last, starts_at)


def _find_last_clock(scenario: Scenario, period: Period) -> int:
    """Return the clock at the end of a period: as the scenario says, else as usual, and not before its last event is settled."""
    inside = [e for e in scenario.events if find_period(e.minute) is period]
    # Five seconds before the minute is over: `find_clock` is its fifth second, and the clock must not show the next minute.
    ends = [find_clock(e.minute) + 50 for e in inside if e.kind in PERIOD_END_MINUTES]
    usual = (LAST_MINUTE[period] + _ADDED_MINUTES[period]) * 60 - 20
    # With room for the ten seconds between events of one minute: a revision after the end of its period would look late.
    settled = max((find_clock(e.minute) + _measure_event(e) + 30 for e in inside if e.kind not in PERIOD_END_MINUTES), default=0)
    return max(max(ends, default=usual), settled)


def find_period(minute: Minute) -> Period:
    """Return the period in which a minute is played."""
    return next(period for period, last in LAST_MINUTE.items() if minute.base <= last)


def _measure_event(event: ScenarioEvent) -> int:
    """Return the seconds from an event to its last revision; never less than a video check lasts."""
    lifecycle = event.lifecycle
    # The video check is in it for every event: the times of the shipped matches depend on it, and golden files keep them.
    ends = (
        VIDEO_CHECK_DURATION,
        lifecycle.confirmed_after,
        lifecycle.cancelled_after,
        lifecycle.disallowed_after,
        lifecycle.deleted_after,
        lifecycle.restored_after,
        lifecycle.red_card_after,
    )
    return max(filter(None, (*ends, lifecycle.correction[1] if lifecycle.correction else 0)))


def find_clock(minute: Minute) -> int:
    """Return the clock of a minute, in seconds."""
    # The clock runs on through added time (feed documentation, section 8): 45+2 is 46:05, in the first half.
    return (minute.base + minute.added - 1) * 60 + 5
