"""Alerts after the end of a match: full time is reworded where the result changes, and taken back where the match goes on."""

from __future__ import annotations

import pytest

from rules.engine.alert import Alert, State
from rules.engine.evaluate import evaluate
from rules.football.match import Moment, Score
from rules.football.timeline import Stage, determine_stage
from rules.loading.loader import load_rules
from tests.packets import Story

RULES = load_rules("""
rules:
  - name: goals
    match: {action_type: Goal, send_type: [Pending, Confirmed, Updated]}
    alert: {kind: goal, text: "{{ match }}"}
  - name: full time
    match: {action_type: End Match}
    alert: {kind: full_time, text: "FT {{ match }} {{ scorers }}"}
""")

NOTIFIED_RULES = {"g1": {"goals"}, "late": {"goals"}, "end": {"full time"}}


def ended(*, score: tuple[int, int] = (2, 2)) -> Story:
    story = Story()
    story.goal("g1", score=(1, 0), minute=3, player="Saka")
    story.add("End Match", action="end", minute=96, score=score, status="Completed")
    return story


def list_alerts(moment: Moment) -> list[tuple[str, State, str]]:
    return [(alert.key.action_id, alert.state, alert.text) for alert in evaluate(RULES, moment, NOTIFIED_RULES)]


def full_times(alerts: tuple[Alert, ...]) -> list[str]:
    return [alert.text for alert in alerts if alert.key.action_id == "end"]


def test_a_penalty_given_after_the_whistle_is_told_and_corrects_the_result() -> None:
    story = ended()

    pending = list_alerts(story.goal("late", "away", send="Pending", sub="Penalty", minute=100))
    given = list_alerts(story.goal("late", "away", sub="Penalty", score=(2, 3), status="Completed"))

    assert [key for key, *_ in pending] == ["late"]
    assert [(key, state) for key, state, _ in given] == [("late", State.CONFIRMED), ("end", State.CONFIRMED)]
    assert given[1][2].startswith("FT Arsenal 2–3 Chelsea")


def test_a_goal_taken_back_after_the_whistle_corrects_the_result_and_the_scorers() -> None:
    story = ended(score=(1, 0))

    retracted = list_alerts(story.goal("g1", send="Deleted", score=(0, 0), status="Completed"))

    assert [(key, state) for key, state, _ in retracted] == [("g1", State.RETRACTED), ("end", State.CONFIRMED)]
    assert retracted[1][2] == "FT Arsenal 0–0 Chelsea"


def test_another_scorer_changes_the_text_of_full_time() -> None:
    story = ended(score=(1, 0))

    corrected = list_alerts(story.goal("g1", send="Updated", player="Rice", minute=3, status="Completed"))

    assert corrected[-1][2] == "FT Arsenal 1–0 Chelsea Rice 3'"


def test_a_result_that_only_a_summary_or_a_second_end_corrects_is_told() -> None:
    story = ended(score=(1, 0))

    by_summary = evaluate(RULES, story.add("Status Updated", score=(1, 1), status="Completed"), NOTIFIED_RULES)
    by_second_end = evaluate(RULES, story.add("End Match", action="end2", score=(1, 2), status="Completed"), NOTIFIED_RULES)

    assert full_times(by_summary) == ["FT Arsenal 1–1 Chelsea Saka 3'"]
    assert full_times(by_second_end) == ["FT Arsenal 1–2 Chelsea Saka 3'"] and len(by_second_end) == 1


def test_what_changes_no_result_says_nothing() -> None:
    story = ended(score=(1, 0))

    assert list_alerts(story.add("Corner", minute=97, status="Completed")) == []
    assert list_alerts(story.add("End Match", action="end2", status="Completed")) == []


def test_an_end_that_is_taken_back_reopens_the_match_and_the_next_one_ends_it() -> None:
    story = ended()
    reopened = story.add("End Match", "Deleted", "end", status="Live")
    goal = story.goal("late", "away", score=(2, 3), minute=100)
    again = story.add("End Match", action="end2", status="Completed")

    assert [(key, state) for key, state, _ in list_alerts(reopened)] == [("end", State.RETRACTED)]
    assert reopened.after.ended_by == "" and [key for key, *_ in list_alerts(goal)] == ["late"]
    assert [key for key, *_ in list_alerts(again)] == ["end2"] and again.after.ended_by == "end2"


def test_where_the_feed_sent_two_ends_the_other_one_stands_when_one_is_taken_back() -> None:
    story = ended()
    story.add("End Match", action="end2", status="Completed")

    moment = story.add("End Match", "Deleted", "end", status="Completed")

    assert moment.after.ended_by == "end2"
    assert [(key, state) for key, state, _ in list_alerts(moment)] == [("end", State.RETRACTED), ("end2", State.CONFIRMED)]


def test_an_end_that_stands_again_after_all_is_the_end() -> None:
    story = ended()
    story.add("End Match", "Deleted", "end", status="Live")

    moment = story.add("End Match", "Updated", "end", status="Completed")

    assert (moment.after.ended_by, moment.after.score) == ("end", Score(2, 2))
    assert [state for _, state, _ in list_alerts(moment)] == [State.CONFIRMED]


def test_an_abandoned_match_gets_no_full_time_by_a_correction() -> None:
    story = Story()
    story.goal("g1", score=(1, 0), minute=3)
    story.add("End Match", action="end", minute=60, status="Abandoned")

    retracted = story.goal("g1", send="Deleted", score=(0, 0), status="Abandoned")

    assert [alert.key.action_id for alert in evaluate(RULES, retracted, {"g1": {"goals"}})] == ["g1"]


@pytest.mark.parametrize("status", ["Suspended", "Abandoned"])
@pytest.mark.parametrize("second", ["e2", "end"])
def test_a_match_that_is_resumed_after_an_end_has_its_full_time(status: str, second: str) -> None:
    story = Story()
    story.goal("g1", minute=3, score=(1, 0))
    broken_off = story.add("End Match", action="end", minute=60, status=status)
    resumed = story.add("Status Updated", period=0, clock=0)
    stage = determine_stage(resumed.after)
    full_time = story.add("End Match", "Updated" if second == "end" else "Confirmed", second, minute=95, status="Completed")
    deleted = story.add("End Match", "Deleted", second, minute=95)

    assert list_alerts(broken_off) == []
    assert (stage, resumed.after.ended_by) == (Stage.PLAY, "")
    assert [(key, text) for key, _, text in list_alerts(full_time)] == [(second, "FT Arsenal 1–0 Chelsea")]
    assert (deleted.after.ended_by, determine_stage(deleted.after)) == ("", Stage.PLAY)


def test_a_match_that_is_completed_while_it_is_suspended_has_no_end_yet() -> None:
    story = Story()
    story.add("Throw In", minute=60)
    story.add("End Match", action="end", minute=60, status="Suspended")
    completed = story.add("Status Updated", period=0, clock=0, status="Completed")

    # So that full time is made where the feed sends no other end.
    assert (completed.after.is_completed, completed.after.ended_by) == (True, "")


@pytest.mark.parametrize("send", ["Updated", "Deleted"])
def test_a_revision_of_the_end_itself_makes_one_alert(send: str) -> None:
    alerts = list_alerts(ended(score=(1, 0)).add("End Match", send, "end", score=(1, 1), status="Completed"))

    assert [key for key, *_ in alerts] == ["end"]
