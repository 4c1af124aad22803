"""Comebacks: a goal that turns a match."""

import pytest

from rules.football.match import is_comeback
from tests.packets import Story


@pytest.mark.parametrize(
    ("goals", "comebacks"),
    [
        ("ah", ""),
        ("ahh", "3"),
        ("aahh", "4"),
        ("aahhh", "45"),
        ("ahhah", "3"),
        ("hhaaa", "45"),
        ("hhh", ""),
        ("haha", ""),
        ("ahhaaa", "35"),
    ],
)
def test_a_comeback_is_from_behind_to_the_front_or_from_two_behind_to_level(goals: str, comebacks: str) -> None:
    story, score, found = Story(), [0, 0], ""
    for number, letter in enumerate(goals, start=1):
        side = {"h": "home", "a": "away"}[letter]
        score[side == "away"] += 1
        moment = story.goal(f"g{number}", side, minute=number * 5, score=(score[0], score[1]))
        found += str(number) * is_comeback(moment)

    assert found == comebacks


def test_a_goal_that_was_disallowed_puts_nobody_behind() -> None:
    story = Story()
    story.goal("g1", "away", score=(0, 1))
    story.goal("g1", "away", "Deleted", score=(0, 0))
    story.goal("g2", "home", score=(1, 0), minute=9)

    assert not is_comeback(story.goal("g3", "home", score=(2, 0), minute=10))


def test_what_is_no_goal_is_no_comeback() -> None:
    assert not is_comeback(Story().tell("Red Card", side="home"))
