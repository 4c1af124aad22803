"""A stream of conditions becomes a few sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.monitoring.incidents import INCIDENT_POLICIES, Incident, IncidentEvent, IncidentNotice, select_open, step_incidents
from tests.packets import KICKOFF

EVERY = 5
"""Seconds between two looks."""
BEGUN, OVER, LASTS, CHANGED = IncidentEvent.OPENED, IncidentEvent.RESOLVED, IncidentEvent.REMINDER, IncidentEvent.CHANGED


class Watcher:
    """Looks every few seconds; keeps what was told and when."""

    def __init__(self, name: str) -> None:
        self.name, self.seconds = name, 0
        self.standings: dict[str, Incident] = {}
        self.told: list[tuple[int, IncidentEvent]] = []
        self.tellings: list[IncidentNotice] = []

    def look(self, detail: str | None, seconds: int = EVERY) -> Watcher:
        for _ in range(seconds // EVERY):
            now = KICKOFF + dt.timedelta(seconds=self.seconds)
            self.standings, tellings = step_incidents(self.standings, {} if detail is None else {self.name: detail}, now)
            self.told += [(self.seconds, telling.event) for telling in tellings]
            self.tellings += tellings
            self.seconds += EVERY
        return self


def test_what_does_not_last_is_not_told() -> None:
    assert Watcher("database-away").look("gone", 10).look(None, 600).told == []


def test_what_lasts_is_told_once_and_its_end_once() -> None:
    watcher = Watcher("database-away").look("gone", 300).look(None, 3600)

    assert watcher.told == [(15, BEGUN), (355, OVER)]
    assert (watcher.tellings[1].since, watcher.tellings[1].until) == (KICKOFF, KICKOFF + dt.timedelta(seconds=295))


def test_a_short_gap_does_not_end_it() -> None:
    assert Watcher("feed-down").look("no frame", 60).look(None, 25).look("no frame", 60).told == [(0, BEGUN)]


def test_other_words_for_the_same_trouble_are_not_told_unless_people_make_it() -> None:
    feed = Watcher("feed-down").look("1 match").look("2 matches")
    rules = Watcher("rules-refused").look("line 3").look("line 3").look("line 4").look(None, 30)

    assert feed.told == [(0, BEGUN)]
    assert rules.told == [(0, BEGUN), (10, CHANGED), (25, OVER)]


def test_every_attempt_of_a_person_is_answered() -> None:
    rules = Watcher("rules-refused")
    for _ in range(20):
        rules.look("line 3").look(None, 20)

    assert [what for _, what in rules.told] == [BEGUN, OVER] * 20


def test_what_lasts_for_days_is_told_once_a_day() -> None:
    day = 24 * 3600

    assert Watcher("disk-low").look("full", 2 * day + 120).told == [(60, BEGUN), (60 + day, LASTS), (60 + 2 * day, LASTS)]


ONE_OF_EACH_POLICY = {policy: name for name, policy in INCIDENT_POLICIES.items() if not policy.is_manual}.values()


@pytest.mark.parametrize("name", ONE_OF_EACH_POLICY)
@pytest.mark.parametrize(("on", "off"), [(60, 90), (300, 300), (600, 3600), (3600, 5 * 3600)])
def test_what_comes_and_goes_all_day_is_no_stream(name: str, on: int, off: int) -> None:
    watcher = Watcher(name)
    while watcher.seconds < 24 * 3600:
        watcher.look("again", on).look(None, off)

    assert len(watcher.told) <= 12


def test_what_comes_back_after_a_quiet_day_is_told_as_soon_as_at_first() -> None:
    watcher = Watcher("feed-down")
    for _ in range(3):
        watcher.look("no frame", 60).look(None, 30 * 3600)

    assert [what for _, what in watcher.told] == [BEGUN, OVER] * 3
    assert [later - earlier for (earlier, _), (later, _) in zip(watcher.told, watcher.told[1:], strict=False)][::2] == [85] * 3


def test_what_is_over_does_not_last() -> None:
    watcher = Watcher("feed-down").look("no frame", 60)
    before = set(select_open(watcher.standings))
    watcher.look(None, 60)

    assert (before, set(select_open(watcher.standings))) == ({"feed-down"}, set())


def ends(told: Iterable[IncidentEvent]) -> list[IncidentEvent]:
    return [what for what in told if what in (BEGUN, OVER)]


@given(st.sampled_from(sorted(INCIDENT_POLICIES)), st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=30))
def test_an_end_is_told_only_after_its_beginning_and_never_twice(name: str, spells: list[tuple[bool, int]]) -> None:
    watcher = Watcher(name)
    for there, looks in spells:
        watcher.look("it is so" if there else None, looks * EVERY)
    told = ends(what for _, what in watcher.told)

    assert told == [BEGUN if number % 2 == 0 else OVER for number in range(len(told))]
    assert not (told and told[-1] is BEGUN and name not in select_open(watcher.standings))
