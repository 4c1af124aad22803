"""A stream of conditions becomes a few sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.monitoring.incidents import INCIDENT_POLICIES, Incident, IncidentEvent, IncidentNotice, select_open, step_incidents
from tests.packets import KICKOFF

CHECK_INTERVAL = 5
"""Seconds between two checks."""
OPENED, RESOLVED, REMINDER, CHANGED = IncidentEvent.OPENED, IncidentEvent.RESOLVED, IncidentEvent.REMINDER, IncidentEvent.CHANGED


class CheckedIncident:
    """One incident that is checked every few seconds; keeps the notices and when each was sent."""

    def __init__(self, name: str) -> None:
        self.name, self.seconds = name, 0
        self.incidents: dict[str, Incident] = {}
        self.notified: list[tuple[int, IncidentEvent]] = []
        self.notices: list[IncidentNotice] = []

    def check(self, detail: str | None, seconds: int = CHECK_INTERVAL) -> CheckedIncident:
        for _ in range(seconds // CHECK_INTERVAL):
            now = KICKOFF + dt.timedelta(seconds=self.seconds)
            self.incidents, notices = step_incidents(self.incidents, {} if detail is None else {self.name: detail}, now)
            self.notified += [(self.seconds, notice.event) for notice in notices]
            self.notices += notices
            self.seconds += CHECK_INTERVAL
        return self


def test_what_does_not_last_is_not_told() -> None:
    assert CheckedIncident("database-away").check("gone", 10).check(None, 600).notified == []


def test_what_lasts_is_told_once_and_its_end_once() -> None:
    incident = CheckedIncident("database-away").check("gone", 300).check(None, 3600)

    assert incident.notified == [(15, OPENED), (355, RESOLVED)]
    assert (incident.notices[1].since, incident.notices[1].until) == (KICKOFF, KICKOFF + dt.timedelta(seconds=295))


def test_a_short_gap_does_not_end_it() -> None:
    assert CheckedIncident("feed-down").check("no frame", 60).check(None, 25).check("no frame", 60).notified == [(0, OPENED)]


def test_other_words_for_the_same_trouble_are_not_told_unless_people_make_it() -> None:
    feed_down = CheckedIncident("feed-down").check("1 match").check("2 matches")
    rules_refused = CheckedIncident("rules-refused").check("line 3").check("line 3").check("line 4").check(None, 30)

    assert feed_down.notified == [(0, OPENED)]
    assert rules_refused.notified == [(0, OPENED), (10, CHANGED), (25, RESOLVED)]


def test_every_attempt_of_a_person_is_answered() -> None:
    rules_refused = CheckedIncident("rules-refused")
    for _ in range(20):
        rules_refused.check("line 3").check(None, 20)

    assert [what for _, what in rules_refused.notified] == [OPENED, RESOLVED] * 20


def test_what_lasts_for_days_is_told_once_a_day() -> None:
    day = 24 * 3600

    assert CheckedIncident("disk-low").check("full", 2 * day + 120).notified == [
        (60, OPENED),
        (60 + day, REMINDER),
        (60 + 2 * day, REMINDER),
    ]


ONE_OF_EACH_POLICY = {policy: name for name, policy in INCIDENT_POLICIES.items() if not policy.is_manual}.values()


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OF_EACH_POLICY)
@pytest.mark.parametrize(("on", "off"), [(60, 90), (300, 300), (600, 3600), (3600, 5 * 3600)])
def test_what_comes_and_goes_all_day_is_no_stream(name: str, on: int, off: int) -> None:
    incident = CheckedIncident(name)
    while incident.seconds < 24 * 3600:
        incident.check("again", on).check(None, off)

    assert len(incident.notified) <= 12


def test_what_comes_back_after_a_quiet_day_is_told_as_soon_as_at_first() -> None:
    incident = CheckedIncident("feed-down")
    for _ in range(3):
        incident.check("no frame", 60).check(None, 30 * 3600)

    assert [what for _, what in incident.notified] == [OPENED, RESOLVED] * 3
    assert [later - earlier for (earlier, _), (later, _) in zip(incident.notified, incident.notified[1:], strict=False)][::2] == [
        85
    ] * 3


def test_what_is_over_does_not_last() -> None:
    incident = CheckedIncident("feed-down").check("no frame", 60)
    before = set(select_open(incident.incidents))
    incident.check(None, 60)

    assert (before, set(select_open(incident.incidents))) == ({"feed-down"}, set())


def list_openings_and_ends(notified: Iterable[IncidentEvent]) -> list[IncidentEvent]:
    return [what for what in notified if what in (OPENED, RESOLVED)]


@given(st.sampled_from(sorted(INCIDENT_POLICIES)), st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=30))
def test_an_end_is_told_only_after_its_beginning_and_never_twice(name: str, spells: list[tuple[bool, int]]) -> None:
    incident = CheckedIncident(name)
    for there, checks in spells:
        incident.check("it is so" if there else None, checks * CHECK_INTERVAL)
    notified = list_openings_and_ends(what for _, what in incident.notified)

    assert notified == [OPENED if number % 2 == 0 else RESOLVED for number in range(len(notified))]
    assert not (notified and notified[-1] is OPENED and name not in select_open(incident.incidents))
