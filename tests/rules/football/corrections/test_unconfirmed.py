"""What is pending and never confirmed, at breaks in play."""

import pytest

from rules.engine.alert import Alert, State
from rules.engine.evaluate import evaluate
from rules.football.match import Moment
from rules.loading.loader import load_pack
from tests.packets import Story

RULES = load_pack("default")


def end_half(story: Story, **more: object) -> Moment:
    return story.add("End Period", minute=46, period=1, **more)


def alerts_of(moment: Moment, notified: str = "goals") -> list[tuple[str, str, str]]:
    """The action, state and reason of every alert about an earlier action, for a chat that has a message of each."""
    alerts = evaluate(RULES, moment, {action: {notified} for action in moment.before.records})
    return [(a.key.action_id, a.state.value, a.facts.reason) for a in alerts if a.key.action_id != moment.action.id]


def test_a_pending_goal_is_taken_back_at_half_time_with_the_reason() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=20)

    assert alerts_of(end_half(story)) == [("g", "retracted", "Was not confirmed")]
    assert str(story.match.score) == "0–0"


def test_it_is_taken_back_once() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=20)
    end_half(story)
    second_half = story.add("Start Period", minute=46)
    end = story.add("End Match", minute=93, status="Completed")

    assert [alerts_of(moment) for moment in (second_half, end)] == [[], []]


@pytest.mark.parametrize("kind", ["Red Card", "Penalty Awarded", "Substitution In", "Corner", "Video Check Underway"])
def test_any_type_of_action_is_taken_back(kind: str) -> None:
    story = Story()
    story.add(kind, "Pending", "x", "home", minute=20)

    assert alerts_of(end_half(story)) == [("x", "retracted", "Was not confirmed")]


def test_a_goal_of_the_last_minute_has_until_the_restart() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=45)
    whistle, restart = end_half(story), story.add("Start Period", minute=46, period=2)

    assert (alerts_of(whistle), alerts_of(restart)) == ([], [("g", "retracted", "Was not confirmed")])


def test_a_goal_that_is_confirmed_in_the_break_stands() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=45)
    end_half(story)
    story.goal("g", score=(1, 0), minute=45)

    assert alerts_of(story.add("Start Period", minute=46, period=2)) == []
    assert str(story.match.score) == "1–0"


def test_what_is_pending_at_the_end_of_the_match_is_taken_back_with_it() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=90)

    assert alerts_of(story.add("End Match", minute=91, status="Completed")) == [("g", "retracted", "Was not confirmed")]


def test_an_abandoned_match_takes_back_what_was_pending() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=60)
    moment = story.add("Status Updated", minute=60, period=0, status="Abandoned")

    assert ("g", "retracted", "Was not confirmed") in alerts_of(moment)


def test_a_period_that_begins_without_the_end_of_the_one_before_is_a_break_too() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=45)

    assert alerts_of(story.add("Corner", minute=47)) == [("g", "retracted", "Was not confirmed")]


def test_what_is_pending_in_the_break_itself_waits_for_the_next_one() -> None:
    story = Story()
    story.add("Corner", minute=40)
    end_half(story)
    story.add("Red Card", "Pending", "r", "home", minute=46)
    restart = story.add("Start Period", minute=46)

    assert alerts_of(restart) == []
    assert alerts_of(story.add("End Period", minute=92)) == [("r", "retracted", "Was not confirmed")]


def test_a_goal_that_the_score_has_at_the_break_stands() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=20, score=(1, 0))
    moment = end_half(story)

    assert alerts_of(moment) == [("g", "confirmed", "")]
    assert str(moment.after.score) == "1–0"


def test_of_two_goals_the_score_decides_how_many_stand() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=20, score=(1, 0))
    story.goal("h", send="Pending", minute=30)

    assert alerts_of(end_half(story)) == [("g", "confirmed", ""), ("h", "retracted", "Was not confirmed")]
    assert str(story.match.score) == "1–0"


def test_a_score_that_has_fallen_again_confirms_nothing() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=20, score=(1, 0))
    story.add("Corner", minute=25, score=(0, 0))

    assert alerts_of(end_half(story)) == [("g", "retracted", "Was not confirmed")]
    assert str(story.match.score) == "0–0"


def test_a_goal_whose_confirmation_was_lost_stands_by_the_score_and_is_no_news_to_others() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=20)
    story.add("Corner", minute=25, score=(1, 0))
    moment = end_half(story)

    (alert,) = (a for a in evaluate(RULES, moment, {"g": {"goals"}}) if a.key.action_id == "g")
    assert (alert.state, alert.is_follow_up) == (State.CONFIRMED, True)
    assert [a for a in evaluate(RULES, moment, {}) if a.key.action_id == "g"] == []


def test_a_penalty_that_was_taken_stands() -> None:
    story = Story()
    story.add("Penalty Awarded", "Pending", "p", "home", minute=20)
    story.goal("g", sub="Penalty", minute=22, score=(1, 0))

    assert alerts_of(end_half(story), notified="penalties awarded") == [("p", "confirmed", "")]


def confirm_late(story: Story, **more: object) -> tuple[Alert, ...]:
    """The confirmation comes with the number that it was missed with."""
    moment = story.add("Goal", "Confirmed", "g", "home", minute=20, **more)
    return tuple(a for a in evaluate(RULES, moment, {"g": {"goals"}}) if a.key.action_id == "g")


def test_a_late_confirmation_restores_it_although_its_number_is_lower_than_that_of_the_break() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=20, seq=10)
    break_ = end_half(story, seq=20)
    story.add("Corner", minute=47, score=(1, 0))

    (struck,) = (a for a in evaluate(RULES, break_, {"g": {"goals"}}) if a.key.action_id == "g")
    (alert,) = confirm_late(story, seq=12)
    assert alert.state is State.CONFIRMED
    assert alert.seq > struck.seq


def test_a_pending_revision_does_not_restore_it() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=20)
    end_half(story)
    goal = story.goal("g", send="Pending", minute=20, player="Saka")
    card = Story()
    card.add("Red Card", "Pending", "r", "home", minute=20)
    end_half(card)

    assert evaluate(RULES, goal, {})[0].state is State.RETRACTED
    assert evaluate(RULES, card.add("Red Card", "Pending", "r", "home", minute=20), {})[0].state is State.RETRACTED


def test_confirmed_later_than_the_break_it_counts_again() -> None:
    story = Story()
    story.goal("g", send="Pending", minute=20)
    end_half(story)
    moment = story.goal("g", minute=20, score=(1, 0))

    (alert,) = evaluate(RULES, moment, {"g": {"goals"}})
    assert (alert.state, alert.facts.score) == (State.CONFIRMED, "1–0")
    assert alerts_of(story.add("Start Period", minute=46, period=2)) == []


def test_a_goal_that_the_feed_sends_twice_is_taken_back_once() -> None:
    story = Story()
    story.goal("g", send="Pending", sub="Penalty", minute=20)
    story.add("Penalty Scored", "Pending", "s", "home", minute=20)

    assert alerts_of(end_half(story)) == [("g", "retracted", "Was not confirmed")]
    assert story.add("Penalty Scored", "Confirmed", "s", "home", minute=20, score=(1, 0)).after.score.home == 1


def test_small_actions_are_kept_only_while_they_are_pending() -> None:
    story = Story()
    story.add("Corner", "Pending", "c", "home", minute=20)
    assert "c" in story.match.records

    story.add("Corner", "Confirmed", "c", "home", minute=20)
    assert "c" not in story.match.records


def test_a_kick_of_the_shootout_that_was_never_confirmed_is_taken_back_at_the_end() -> None:
    story = Story()
    story.add("Corner", minute=90)
    story.add("Start Period", period=5)
    story.add("Goal", "Pending", "k", "home", period=5)

    assert ("k", "retracted", "Was not confirmed") in alerts_of(story.add("End Match", period=5, status="Completed"))
