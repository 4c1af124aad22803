"""Summaries of a half, of the match and of what lay between tell the score as it is known now."""

from __future__ import annotations

import pytest

from rules.engine.alert import Alert
from rules.engine.evaluate import NotifiedRules, evaluate
from rules.engine.rule import RuleSet
from rules.football.match import Moment
from rules.loading.loader import load_pack
from tests.packets import Story

RULES: RuleSet = load_pack("everything")

HALF_TIME = {"ht": {"half-time"}}
FULL_TIME = {"ft": {"full time"}}


def alert_of(moment: Moment, action: str, notified: NotifiedRules) -> Alert | None:
    """Return the alert of another action than the moment's own; None if it has none."""
    return next((alert for alert in evaluate(RULES, moment, notified) if alert.key.action_id == action), None)


def play_first_half(story: Story) -> None:
    story.goal("one", minute=10, player="Saka", score=(1, 0))
    story.goal("two", minute=44, player="Rice", score=(2, 0))
    story.add("End Period", action="ht", minute=45)


def test_a_goal_of_the_first_half_that_falls_after_it_corrects_half_time() -> None:
    story = Story()
    play_first_half(story)

    half_time = alert_of(story.goal("two", send="Cancelled", minute=44, score=(1, 0)), "ht", HALF_TIME)

    assert half_time
    assert "Arsenal 1–0 Chelsea" in half_time.text
    assert "Rice" not in half_time.text


def test_half_time_keeps_its_score_while_goals_of_the_second_half_come_and_fall() -> None:
    story = Story()
    play_first_half(story)

    rises = story.goal("three", minute=60, player="Havertz", score=(3, 0))
    falls = story.goal("three", send="Cancelled", minute=60, score=(2, 0))

    assert alert_of(rises, "ht", HALF_TIME) is alert_of(falls, "ht", HALF_TIME) is None


def test_half_time_is_corrected_without_the_goals_of_the_second_half() -> None:
    story = Story()
    play_first_half(story)
    story.goal("three", minute=60, player="Havertz", score=(3, 0))

    half_time = alert_of(story.goal("two", send="Cancelled", minute=44, score=(2, 0)), "ht", HALF_TIME)

    assert half_time
    assert "Arsenal 1–0 Chelsea" in half_time.text
    assert "Havertz" not in half_time.text


def test_a_goal_reported_after_the_whistle_belongs_to_its_half() -> None:
    story = Story()
    play_first_half(story)

    half_time = alert_of(story.goal("late", minute=45, player="White", score=(3, 0)), "ht", HALF_TIME)

    assert half_time
    assert "Arsenal 3–0 Chelsea" in half_time.text


def test_another_scorer_corrects_half_time_and_full_time() -> None:
    story = Story()
    play_first_half(story)
    story.add("End Match", action="ft", minute=90)

    moment = story.goal("two", send="Updated", minute=44, player="Timber", score=(2, 0))

    for action, notified in (("ht", HALF_TIME), ("ft", FULL_TIME)):
        corrected = alert_of(moment, action, notified)
        assert corrected
        assert "Timber 44'" in corrected.text


def test_a_goal_that_falls_after_full_time_corrects_the_winner() -> None:
    story = Story()
    story.goal("one", minute=89, player="Saka", score=(1, 0))
    won = story.add("End Match", action="ft", minute=90)
    assert evaluate(RULES, won)[0].facts.winner == "Arsenal"

    full_time = alert_of(story.goal("one", send="Cancelled", minute=89, score=(0, 0)), "ft", FULL_TIME)

    assert full_time
    assert (full_time.facts.winner, full_time.facts.score) == ("", "0–0")


def test_what_was_not_told_is_not_told_by_a_correction() -> None:
    story = Story()
    play_first_half(story)

    assert alert_of(story.goal("two", send="Cancelled", minute=44, score=(1, 0)), "ht", {}) is None


def test_a_card_after_a_goal_that_falls_shows_the_score_without_it() -> None:
    story = Story()
    story.goal("one", minute=10, score=(1, 0))
    story.add("Red Card", action="red", side="away", player="Caicedo", minute=12)
    story.goal("two", minute=13, score=(2, 0))
    red = {"red": {rule.name for rule in RULES.rules if rule.alert.kind == "red_card"}}

    card = alert_of(story.goal("one", send="Cancelled", minute=10, score=(1, 0)), "red", red)

    assert card
    assert card.facts.score == "0–0"


def test_a_card_beside_a_pending_goal_is_not_reworded_when_it_is_confirmed() -> None:
    story = Story()
    story.goal("one", send="Pending", minute=10)
    story.add("Red Card", action="red", side="away", player="Caicedo", minute=10)
    red = {"red": {rule.name for rule in RULES.rules if rule.alert.kind == "red_card"}}

    assert alert_of(story.goal("one", minute=10, score=(1, 0)), "red", red) is None


def test_a_goal_that_falls_to_the_other_side_corrects_full_time() -> None:
    story = Story()
    story.goal("one", minute=80, side="home", score=(1, 0))
    story.add("End Match", action="ft", minute=90)

    full_time = alert_of(story.goal("one", send="Updated", minute=80, side="away", score=(0, 1)), "ft", FULL_TIME)

    assert full_time
    assert (full_time.facts.winner, full_time.facts.score) == ("Chelsea", "0–1")


@pytest.mark.parametrize(
    ("action_type", "rule"),
    [
        ("Injury", "injuries"),
        ("Play Stopped", "play stopped"),
        ("Timeout", "play stopped"),
        ("Play Resumed", "play goes on"),
        ("Added Time", "stoppage time"),
    ],
)
def test_what_shows_a_score_beside_its_news_is_corrected_when_a_goal_falls(action_type: str, rule: str) -> None:
    story = Story()
    story.goal("one", minute=10, score=(1, 0))
    story.add(action_type, action="small", minute=20)

    alert = alert_of(story.goal("one", send="Deleted", minute=10, score=(0, 0)), "small", {"small": {rule}})

    assert alert and "Arsenal 0–0 Chelsea" in alert.text
