"""A goal that the score takes back without a word is struck at the next break; a flap of the score changes nothing."""

from __future__ import annotations

import datetime as dt

import pytest

from rules.engine.alert import State
from rules.engine.evaluate import evaluate
from rules.football.corrections.unshown_goals import strike_unshown_goals
from rules.football.match import Moment, Score
from rules.loading.loader import load_rules
from tests.packets import Story

RULES = load_rules("""
rules:
  - name: goals
    match: {action_type: Goal, send_type: [Pending, Confirmed, Updated]}
    alert: {kind: goal, text: "{{ score }}"}
  - name: breaks
    match: {action_type: [End Period, End Match]}
    alert: {kind: full_time, text: "{{ score }}"}
""")
NOTIFIED_RULES = {"g": {"goals"}, "h": {"goals"}, "end": {"breaks"}, "break": {"breaks"}}


def list_alerts(moment: Moment) -> list[tuple[str, str]]:
    """Return the alerts of a moment: which action, and its text or what became of it."""
    alerts = evaluate(RULES, moment, NOTIFIED_RULES)
    return [(a.key.action_id, a.text if a.state is not State.RETRACTED else "struck") for a in alerts]


def play_goal_that_the_score_drops(minute: int = 20) -> Story:
    """Play a goal in a minute, and a score without it from two minutes later on."""
    story = Story()
    story.goal("g", score=(1, 0), minute=minute, player="Saka")
    story.add("Corner", score=(0, 0), minute=minute + 2)
    return story


@pytest.mark.parametrize(("kind", "minute", "period"), [("End Period", 46, 1), ("Start Period", 46, 2), ("End Match", 93, 2)])
def test_a_goal_that_only_the_score_takes_back_is_struck_at_the_next_break(kind: str, minute: int, period: int) -> None:
    story = play_goal_that_the_score_drops()
    quiet = [list_alerts(story.add("Corner", minute=other)) for other in range(23, 46)]
    moment = story.add(kind, action="x", minute=minute, period=period)

    assert quiet == [[]] * 23
    assert ("g", "struck") in list_alerts(moment)
    assert moment.after.records["g"].retracted_by == "score", "snapshots of earlier versions have this word"
    assert (moment.after.score, moment.after.list_standing_goals()) == (Score(0, 0), ())


def test_a_flap_of_the_score_changes_nothing_also_over_a_break() -> None:
    story = Story()
    story.goal("g", score=(1, 0), minute=45, player="Saka")
    story.add("Corner", score=(0, 0), minute=46, period=1)
    at_break = list_alerts(story.add("End Period", action="break", minute=46, period=1))
    back = list_alerts(story.add("Corner", score=(1, 0), minute=46, period=1))

    assert at_break == [("break", "0–0")]
    assert back == [("break", "1–0")]  # half time is put right, and the goal was never touched
    assert list_alerts(story.add("End Match", action="end", minute=93)) == [("end", "1–0")]


def test_a_goal_that_is_revised_during_a_flap_keeps_the_score_that_it_makes() -> None:
    story = Story()
    story.goal("g", score=(1, 0), minute=20)
    named = story.goal("g", send="Updated", score=(0, 0), minute=20, player="Saka")
    other = story.goal("h", "away", score=(0, 1), minute=20)
    back = story.add("Corner", score=(1, 1), minute=20)

    assert (list_alerts(named), list_alerts(other), list_alerts(back)) == ([("g", "1–0")], [("h", "1–1")], [])


def test_a_goal_after_one_that_the_score_has_left_out_for_long_shows_the_score_as_it_is() -> None:
    story = play_goal_that_the_score_drops(20)
    story.add("Corner", minute=24)

    assert story.match.unshown_goals["g"].has_lasted, "also a packet that says nothing of goals ends the minute"
    assert list_alerts(story.goal("h", "away", score=(0, 1), minute=30)) == [("h", "0–1")]


def test_a_goal_scored_since_is_not_taken_for_the_one_that_fell() -> None:
    story = play_goal_that_the_score_drops(20)
    story.goal("h", score=(1, 0), minute=30, player="Rice")

    moment = story.add("End Period", action="break", minute=46, period=1)
    assert [record.action.id for record in moment.affected] == ["g"]


def test_a_goal_that_the_score_gives_to_the_other_side_is_not_in_doubt() -> None:
    story = Story()
    story.goal("g", score=(1, 0), minute=20)

    assert not story.add("Corner", score=(0, 1), minute=22).after.unshown_goals


def test_the_last_of_two_goals_falls_with_the_score() -> None:
    story = Story()
    story.goal("g", score=(1, 0), minute=10)
    story.goal("h", score=(2, 0), minute=20)
    story.add("Corner", score=(1, 0), minute=22)

    assert [r.action.id for r in story.add("End Period", minute=46, period=1).affected] == ["h"]


def test_a_goal_that_the_score_shows_again_stands_again() -> None:
    story = play_goal_that_the_score_drops()
    story.add("End Period", action="break", minute=46, period=1)
    moment = story.add("Start Period", score=(1, 0), minute=46, period=2)

    assert ("g", "1–0") in list_alerts(moment)
    assert [record.is_standing for record in moment.affected] == [True]


def test_a_goal_that_the_feed_deletes_after_all_is_struck_once() -> None:
    story = play_goal_that_the_score_drops()
    story.add("End Period", action="break", minute=46, period=1)
    moment = story.goal("g", send="Deleted", minute=46, period=1)

    assert list_alerts(moment) == [("g", "struck")] and not story.match.unshown_goals


def test_a_score_that_never_showed_a_goal_and_one_of_the_other_side_take_none_back() -> None:
    unshown, own_goal = Story(), Story()
    unshown.goal("g", score=(0, 0), minute=20)
    own_goal.goal("g", "home", score=(0, 0), minute=20)
    own_goal.add("Corner", score=(0, 1), minute=21)
    for story in (unshown, own_goal):
        story.add("Corner", minute=40)
        assert story.add("End Period", minute=46, period=1).affected == ()


def test_without_a_packet_the_goal_is_struck_a_minute_after_the_end() -> None:
    story = Story()
    story.goal("g", score=(1, 0), minute=94)
    end = story.add("End Match", action="end", minute=94, score=(0, 0), status="Completed")
    early = strike_unshown_goals(story.match, end.action.at + dt.timedelta(seconds=59))
    moment = strike_unshown_goals(story.match, end.action.at + dt.timedelta(seconds=60))

    assert early is None and moment is not None
    assert list_alerts(moment) == [("g", "struck")] and not moment.after.unshown_goals
    assert strike_unshown_goals(moment.after, end.action.at, is_last=True) is None


def test_in_play_a_goal_is_struck_only_where_nothing_more_is_read() -> None:
    story = play_goal_that_the_score_drops()
    late = story.packets[-1].at + dt.timedelta(hours=1)

    assert strike_unshown_goals(story.match, late) is None
    assert strike_unshown_goals(story.match, late, is_last=True) is not None
