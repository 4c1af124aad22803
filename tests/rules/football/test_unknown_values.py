"""What the feed sends and nobody documented is never dropped."""

from __future__ import annotations

from typing import Any

import pytest

from rules.football.action import PeriodScore, SendType, Summary
from rules.football.catalogue import load_catalogue
from rules.football.match import Match, Score
from rules.football.minute import Period
from rules.football.unknown_values import find_unknown_values
from tests.packets import REGULAR, Story

SHOOTOUT = (*REGULAR[:2], PeriodScore(3, "penalty shootout", "Shootout", 0, 0, 0, 0))
SCORED = (*REGULAR[:2], PeriodScore(3, "penalty shootout", "Shootout", 0, 0, 1, 0))
FIRST = REGULAR[:1]
FIRST_ENDED = (PeriodScore(1, "1st half", "Regular", 0, 0, 0, 0, is_ended=True),)


def in_periods(periods: tuple[PeriodScore, ...], status: str = "Live") -> Summary:
    return Summary(0, 0, periods[-1].id if periods else 1, status, "CollectingLive", 0, periods)


@pytest.mark.parametrize(
    ("kind", "more", "counts_as"),
    [
        ("Goal", {"score": (1, 0)}, SendType.CONFIRMED),
        ("Goal", {}, SendType.PENDING),
        ("Penalty Scored", {"score": (1, 0)}, SendType.CONFIRMED),
        ("Penalty Kick", {"score": (1, 0)}, SendType.CONFIRMED),
        ("Penalty Scored", {}, SendType.PENDING),
        ("Goal", {"period": 3, "clock": 0, "summary": in_periods(SCORED)}, SendType.CONFIRMED),
        ("Goal", {"period": 3, "clock": 0, "summary": in_periods(SHOOTOUT)}, SendType.PENDING),
        ("Penalty Missed", {"period": 3, "clock": 0, "summary": in_periods(SHOOTOUT)}, SendType.CONFIRMED),
        ("Penalty Missed", {}, SendType.PENDING),
        ("Start Match", {"summary": in_periods(FIRST)}, SendType.CONFIRMED),
        ("Start Match", {"summary": in_periods((), "Scheduled")}, SendType.PENDING),
        ("Start Period", {"summary": in_periods(FIRST)}, SendType.CONFIRMED),
        ("Start Period", {"summary": in_periods(())}, SendType.PENDING),
        ("End Period", {"summary": in_periods(FIRST_ENDED)}, SendType.CONFIRMED),
        ("End Period", {"summary": in_periods(REGULAR[:2]), "period": 1}, SendType.CONFIRMED),
        ("End Period", {"summary": in_periods(FIRST)}, SendType.PENDING),
        ("End Match", {"status": "Completed"}, SendType.CONFIRMED),
        ("End Match", {}, SendType.PENDING),
        ("Red Card", {}, SendType.PENDING),
        ("Corner", {}, SendType.PENDING),
        ("Beach Ball", {}, SendType.PENDING),
    ],
)
def test_an_unknown_send_type_counts_by_what_the_summary_shows(kind: str, more: dict[str, Any], counts_as: SendType) -> None:
    moment = Story().add(kind, "Reconsidered", "x", "home", **more)

    assert moment.action.send_type is counts_as


def test_a_goal_with_an_unknown_send_type_is_in_the_score() -> None:
    story = Story()

    moment = story.goal(send="Reconsidered", score=(1, 0))

    assert (moment.after.score, len(moment.after.list_standing_goals())) == (Score(1, 0), 1)


def test_a_pending_goal_that_the_score_has_is_confirmed_by_an_unknown_send_type() -> None:
    story = Story()
    story.goal(send="Pending", score=(1, 0))

    assert story.goal(send="Reconsidered").after.score == Score(1, 0)


def test_a_goal_falls_with_the_score_whatever_the_send_type_is_called() -> None:
    story = Story()
    story.goal(score=(1, 0))

    moment = story.goal(send="Annulled", score=(0, 0))

    assert (moment.action.send_type, moment.after.list_standing_goals()) == (SendType.DELETED, ())


@pytest.mark.parametrize(
    ("before", "counts_as"),
    [
        ("Pending", SendType.PENDING),
        ("Confirmed", SendType.UPDATED),
        ("Updated", SendType.UPDATED),
        ("Deleted", SendType.DELETED),
        ("Cancelled", SendType.CANCELLED),
    ],
)
def test_a_known_action_stays_as_it_was(before: str, counts_as: SendType) -> None:
    story = Story()
    story.add("Yellow Card", before, "y", "home")

    assert story.add("Yellow Card", "Reconsidered", "y", "home", player="Rice").action.send_type is counts_as


def test_everything_of_a_usual_packet_is_known() -> None:
    story = Story()

    assert not list(find_unknown_values(story.packet("Goal", sub="Header", side="home"), load_catalogue()))


@pytest.mark.parametrize(("clock", "period"), [(0, Period.SHOOTOUT), (100 * 60, Period.EXTRA_SECOND)])
def test_a_period_that_nothing_describes_is_play_while_its_clock_runs(clock: int, period: Period) -> None:
    story = Story()
    summary = Summary(1, 0, 9, "Live", "CollectingLive", clock)

    moment = story.add("Goal", "Confirmed", "g", "home", period=9, clock=clock, summary=summary)

    assert moment.action.period is period
    assert [(value.field, value.name) for value in find_unknown_values(story.packets[-1], load_catalogue())] == [("period", "9")]


def test_an_unknown_status_means_nothing_in_particular() -> None:
    story = Story()
    story.add("Foul")

    after: Match = story.add("Status Updated", status="Interrupted").after

    assert (after.status, after.is_lost, after.is_completed) == ("Interrupted", False, False)
