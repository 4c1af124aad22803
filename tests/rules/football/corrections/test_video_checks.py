"""What a video check decided, as its alert says it."""

from __future__ import annotations

from rules.engine.evaluate import evaluate
from rules.engine.rule import AlertSpec, Rule, RuleSet
from rules.engine.text import AlertText
from rules.football.match import Moment
from tests.packets import Story


def outcome_of(moment: Moment) -> list[str]:
    rules = RuleSet([Rule("checks", AlertSpec("var", AlertText("{{ outcome }}")), action_types=frozenset({"video check over"}))])
    return [alert.text for alert in evaluate(rules, moment) if alert.rule == "checks" or alert.key.action_id == "check"]


def test_a_video_check_says_what_it_decided_also_when_the_goal_falls_after_it() -> None:
    story = Story()
    story.goal(minute=30, score=(1, 0))
    story.add("Video Check Underway", action="begin", sub="Potential Goal", minute=31)

    assert outcome_of(story.add("Video Check Over", action="check", minute=32)) == [""]
    assert outcome_of(story.add("Throw In", minute=33)) == []
    assert outcome_of(story.add("Throw In", minute=34)) == ["goal stands"]
    assert outcome_of(story.goal(send="Deleted", minute=30, score=(0, 0))) == ["no goal"]


def test_a_goal_that_is_confirmed_during_a_video_check_stands_at_once() -> None:
    story = Story()
    story.goal(send="Pending", minute=30)
    story.add("Video Check Underway", action="begin", sub="Potential Goal", minute=31)
    story.goal(minute=30, score=(1, 0))

    assert outcome_of(story.add("Video Check Over", action="check", minute=32)) == ["goal stands"]


def test_a_video_check_that_names_nothing_speaks_only_of_what_fell_since() -> None:
    story = Story()
    story.goal(minute=30, score=(1, 0))
    story.add("Video Check Underway", action="begin", sub="Other", minute=31)

    assert outcome_of(story.add("Video Check Over", action="check", minute=32)) == [""]
