"""A goal's alert shows the score that the goal makes, whatever becomes of this and other goals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine.alert import Alert, State
from rules.engine.evaluate import evaluate
from rules.engine.rule import AlertSpec, Rule, RuleSet
from rules.engine.text import AlertText
from rules.football.action import PeriodScore, SendType, Side, Summary
from rules.football.match import Moment, Score
from tests.packets import REGULAR, Story

ALL = frozenset({SendType.PENDING, SendType.CONFIRMED, SendType.UPDATED})

GOALS = RuleSet([Rule("goals", AlertSpec("goal", AlertText("{{ match }}|{{ goal_score }}|{{ pending }}")), send_types=ALL)])


def text_of(moment: Moment) -> str:
    (alert,) = evaluate(GOALS, moment)
    return alert.text


@pytest.mark.parametrize("counts_pending", [True, False])
def test_a_pending_goal_shows_the_score_that_it_makes(counts_pending: bool) -> None:
    moment = Story().goal(send="Pending", side="away", score=(0, 1) if counts_pending else (0, 0))

    assert text_of(moment) == "Arsenal 0–1 Chelsea|0–[1]|True"


@pytest.mark.parametrize("counts_pending", [True, False])
def test_two_pending_goals_count_one_after_the_other(counts_pending: bool) -> None:
    story = Story()
    first = story.goal("one", send="Pending", minute=10, score=(1, 0) if counts_pending else (0, 0))
    second = story.goal("two", send="Pending", minute=11, score=(2, 0) if counts_pending else (0, 0))

    assert [text_of(first), text_of(second)] == ["Arsenal 1–0 Chelsea|[1]–0|True", "Arsenal 2–0 Chelsea|[2]–0|True"]


def test_a_late_correction_does_not_give_a_goal_the_score_of_the_next() -> None:
    story = Story()
    story.goal("one", minute=10, score=(1, 0))
    story.goal("two", minute=20, score=(2, 0))

    assert (
        text_of(story.goal("one", send="Updated", minute=10, player="B. Saka", score=(2, 0))) == "Arsenal 1–0 Chelsea|[1]–0|False"
    )


def test_a_goal_that_falls_corrects_the_goals_after_it() -> None:
    story = Story()
    story.goal("one", send="Pending", minute=10)
    story.goal("two", minute=11, score=(1, 0))

    retracted, second = evaluate(GOALS, story.goal("one", send="Cancelled", minute=10, score=(1, 0)))

    assert (retracted.state, retracted.home_score) == (State.RETRACTED, 1)
    assert (second.key.action_id, second.text) == ("two", "Arsenal 1–0 Chelsea|[1]–0|False")


def test_other_news_shows_the_official_score_while_a_goal_is_pending() -> None:
    story = Story()
    story.goal(send="Pending", score=(1, 0))

    assert text_of(story.add("Corner", score=(1, 0))) == "Arsenal 0–0 Chelsea|0–0|False"


def test_a_pending_kick_counts_in_the_score_of_the_shootout() -> None:
    story = Story()
    kick = story.goal("kick", send="Pending", period=5)

    (alert,) = evaluate(GOALS, kick)

    assert (alert.facts.score, alert.facts.shootout, alert.facts.goal_score) == ("0–0", "1–0", "0–0")


class Chat:
    """What a chat reads at last about each action, after every packet of a story."""

    def __init__(self) -> None:
        self.story = Story()
        self.alerts: dict[str, Alert] = {}

    def add(self, *words: str, **more: Any) -> None:
        """Add a packet to the story, as `Story.add` does, and read what is sent for it."""
        moment = self.story.add(*words, **more)
        sent = {alert.key.action_id: alert for alert in evaluate(GOALS, moment)}
        self.alerts |= {i: alert for i, alert in sent.items() if i in self.story.match.records}

    def read_scores(self) -> dict[str, str]:
        """Return the score in the message of each goal, of the shootout for its kicks."""
        return {i: str(alert.facts.shootout or alert.facts.goal_score) for i, alert in self.alerts.items()}


def test_a_score_that_rises_by_mistake_and_falls_in_one_minute_leaves_no_goal_with_it() -> None:
    chat = Chat()
    chat.add("Goal", "Confirmed", "g", "home", minute=10, score=(1, 0))
    chat.add("Throw In", minute=12, score=(2, 0))
    chat.add("Throw In", minute=12, score=(1, 0))

    assert chat.read_scores() == {"g": "[1]–0"}


def test_a_goal_that_the_score_shows_before_its_own_packet_changes_no_goal_before_it() -> None:
    chat = Chat()
    chat.add("Goal", "Confirmed", "g", "home", minute=10, score=(1, 0))
    chat.add("Shot", minute=12, score=(2, 0))
    chat.add("Yellow Card", "Confirmed", "y", "away", minute=12)
    chat.add("Goal", "Confirmed", "h", "home", minute=13)

    assert (chat.read_scores()["g"], chat.read_scores()["h"]) == ("[1]–0", "[2]–0")


def test_a_goal_that_only_the_score_shows_changes_no_goal_before_it_when_another_packet_comes_with_it() -> None:
    chat = Chat()
    chat.add("Goal", "Confirmed", "g", "home", minute=10, score=(1, 0))
    chat.add("Throw In", minute=20, score=(1, 1))
    chat.add("Goal", "Confirmed", "h", "home", minute=30, score=(3, 1))

    assert (chat.read_scores()["g"], chat.read_scores()["h"]) == ("[1]–0", "[3]–1")


@given(st.lists(st.tuples(st.sampled_from(Side), st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=5))
def test_goals_whose_score_comes_a_packet_later_have_their_own_score_at_last(goals: list[tuple[Side, int, int]]) -> None:
    chat, scores, shown = Chat(), [Score()], Score()

    for number, (side, minutes, others) in enumerate(goals):
        minute = chat.story.minute + minutes
        chat.add("Goal", "Confirmed", str(number), side.value, minute=minute, score=(shown.home, shown.away))
        scores.append(scores[-1].plus_one(side))
        shown = scores[-1]
        for _ in range(others):
            chat.add("Throw In", minute=minute, score=(shown.home, shown.away))

    assert [(alert.home_score, alert.away_score) for alert in chat.alerts.values()] == [(s.home, s.away) for s in scores[1:]]


@given(st.lists(st.booleans(), min_size=2, max_size=8), st.lists(st.integers(0, 7), max_size=6))
def test_kicks_whose_outcome_is_corrected_have_their_own_score_at_last(kicks: list[bool], corrected: list[int]) -> None:
    chat, scored = Chat(), list[bool]()
    sides = [side.value for side in Side] * 4

    def send(number: int, word: str) -> None:
        home, away = sum(scored[::2]), sum(scored[1::2])
        periods = (*REGULAR[:2], PeriodScore(3, "penalty shootout", "Shootout", 0, 0, home, away))
        summary = Summary(0, 0, 3, "Live", "CollectingLive", 0, periods)
        kind = "Goal" if scored[number] else "Penalty Missed"
        chat.add(kind, word, str(number), sides[number], period=3, clock=0, summary=summary, timeline=Decimal(number + 1))

    for number, is_goal in enumerate(kicks):
        scored.append(is_goal)
        send(number, "Confirmed")
    for number in corrected:
        if number < len(scored):
            scored[number] = not scored[number]
            send(number, "Updated")

    for number in (number for number, is_goal in enumerate(scored) if is_goal):
        so_far = scored[: number + 1]
        assert chat.read_scores()[str(number)] == f"{sum(so_far[::2])}–{sum(so_far[1::2])}"


class GoalHistory(msgspec.Struct, frozen=True):
    """The revisions of one goal, in their order, with its disallowance and the end of that."""

    side: Side
    revisions: tuple[str, ...]


DISALLOWANCES = {"Disallowed": "Confirmed", "Allowed": "Deleted"}

goal_histories = st.builds(
    GoalHistory,
    st.sampled_from(Side),
    st.sampled_from(
        [
            ("Confirmed",),
            ("Confirmed", "Updated"),
            ("Confirmed", "Deleted"),
            ("Confirmed", "Deleted", "Updated"),
            ("Pending",),
            ("Pending", "Confirmed"),
            ("Pending", "Confirmed", "Deleted"),
            ("Pending", "Cancelled"),
            ("Pending", "Pending", "Confirmed", "Updated", "Deleted"),
            ("Confirmed", "Disallowed", "Updated"),
            ("Confirmed", "Disallowed", "Updated", "Allowed", "Updated"),
            ("Pending", "Disallowed", "Confirmed", "Allowed"),
        ]
    ),
)


@given(st.lists(goal_histories, min_size=1, max_size=5), st.booleans(), st.data())
def test_every_order_of_revisions_gives_every_message_the_score_of_its_goal(
    goals: list[GoalHistory], counts_pending: bool, data: st.DataObject
) -> None:
    story, chat = Story(), dict[str, Alert]()
    sent: dict[int, str] = {}
    disallowed: set[int] = set()
    left = {number: list(goal.revisions) for number, goal in enumerate(goals)}

    def count(numbers: list[int]) -> Score:
        sides = [goals[number].side for number in numbers]
        return Score(sides.count(Side.HOME), sides.count(Side.AWAY))

    while any(left.values()):
        # The feed sends goals in the order of play; what becomes of them comes in any order.
        not_sent = [number for number in left if number not in sent]
        possible = [n for n, revisions in left.items() if revisions and (n in sent or n == not_sent[0])]
        number = data.draw(st.sampled_from(possible))
        word = left[number].pop(0)
        if word == "Disallowed":
            disallowed.add(number)
        elif word == "Allowed":
            disallowed.remove(number)
        else:
            sent[number] = word
        live = [n for n, send in sent.items() if send not in ("Deleted", "Cancelled") and n not in disallowed]
        confirmed = [n for n in live if sent[n] != "Pending"]
        shown = count(live if counts_pending else confirmed)

        more = {"minute": 10 + number, "score": (shown.home, shown.away)}
        if send := DISALLOWANCES.get(word):
            moment = story.add("Goal Disallowed", send, f"d{number}", goals[number].side, related=(str(number),), **more)
        else:
            moment = story.goal(str(number), goals[number].side, word, **more)

        chat |= {alert.key.action_id: alert for alert in evaluate(GOALS, moment)}
        assert moment.after.score == count(confirmed)
        for n in live:
            alert = chat[str(n)]
            made = count([other for other in live if other <= n])
            assert (alert.home_score, alert.away_score) == (made.home, made.away)
            assert alert.facts.pending is (sent[n] == "Pending")
        if number not in live:
            assert chat[str(number)].state is State.RETRACTED
            assert chat[str(number)].facts.score == str(count(confirmed))


def test_full_time_lists_the_scorers_of_both_sides_and_the_winner() -> None:
    story = Story()
    story.goal("one", minute=10, score=(1, 0), player="Saka")
    story.goal("two", minute=20, score=(1, 1), side="away", sub="Own Goal", player="Rice")
    story.goal("three", minute=30, score=(2, 1), sub="Penalty", player="Saka")

    rules = RuleSet([Rule("end", AlertSpec("full_time", AlertText("{{ winner }}: {{ scorers }}")))])
    (alert,) = evaluate(rules, story.add("End Match", minute=90))

    assert alert.text == "Arsenal: Saka 10', 30' (pen.) · Rice 20' (o.g.)"
