"""A penalty that was scored is one goal, whether the feed reports it by a Penalty Scored, by a Goal, or by both."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine.alert import State
from rules.engine.evaluate import evaluate
from rules.football.action import Side
from rules.football.match import Match, Moment, Score
from rules.football.timeline import EventKind, build_timeline
from rules.loading.loader import load_pack
from tests.packets import Story

NAMES = [
    ("Penalty Scored", ""),
    ("Penalty Goal", ""),
    ("Penalty Kick", "Scored"),
    ("Penalty Awarded", "Scored"),
    ("Penalty", "Goal"),
]
ORDERS = [("p", "g"), ("g", "p")]


class GoalMessages:
    """The messages about goals that a chat has, by action: their state, and whose goal it was."""

    def __init__(self) -> None:
        self.messages: dict[str, tuple[State, str]] = {}
        self._rules: dict[str, set[str]] = {}

    def receive(self, moment: Moment) -> Moment:
        for alert in evaluate(load_pack(), moment, self._rules):
            action = alert.key.action_id
            if alert.rule in ("goals", "shootout kick scored"):
                self._rules.setdefault(action, set()).add(alert.rule)
            if action in self._rules:
                player = alert.facts.player or self.messages.get(action, ("", ""))[1]
                self.messages[action] = (alert.state, player)
        return moment


class RepeatedGoal(Story):
    """One penalty goal that is reported by two actions: `p` in the words of a dialect, and `g`, a Goal."""

    def __init__(self, name: tuple[str, str] = NAMES[0]) -> None:
        super().__init__()
        self.name, self.chat, self.minute = name, GoalMessages(), 30

    def revise(self, action: str, send: str = "Confirmed", **more: Any) -> Moment:
        kind, sub = ("Goal", "") if action.startswith("g") else self.name
        return self.chat.receive(self.add(kind, send, action, "home", **{"sub": sub, "player": "Kane"} | more))


def list_standing_goals(match: Match) -> list[tuple[str, Side | None]]:
    return [(record.action.sub_type, record.credited) for record in match.list_standing_goals()]


@pytest.mark.parametrize("name", [*NAMES, ("Penalty Kick", "")])
def test_a_penalty_scored_is_a_goal_in_every_dialect(name: tuple[str, str]) -> None:
    goal = RepeatedGoal(name)

    goal.revise("p", score=(1, 0))

    assert list_standing_goals(goal.match) == [("Penalty", Side.HOME)]
    assert goal.chat.messages == {"p": (State.CONFIRMED, "Kane")}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("pending_counts", [None, False, True])
def test_two_actions_for_one_change_of_score_are_one_goal(
    name: tuple[str, str], order: tuple[str, str], pending_counts: bool | None
) -> None:
    goal = RepeatedGoal(name)
    if pending_counts is not None:
        for action in order:
            goal.revise(action, "Pending", score=(1, 0) if pending_counts else (0, 0), player=None)
        assert (goal.match.score, list(goal.chat.messages)) == (Score(0, 0), [order[0]])

    for action in order:
        goal.revise(action, score=(1, 0))

    assert (goal.match.score, list_standing_goals(goal.match)) == (Score(1, 0), [("Penalty", Side.HOME)])
    assert goal.chat.messages == {order[0]: (State.CONFIRMED, "Kane")}
    assert [event.kind for event in build_timeline(goal.match).events] == [EventKind.PENALTY_GOAL]


@pytest.mark.parametrize("order", ORDERS)
def test_the_second_action_completes_what_the_first_left_out(order: tuple[str, str]) -> None:
    goal = RepeatedGoal()
    goal.revise(order[0], "Pending", player=None)

    moment = goal.revise(order[1], score=(1, 0), player="Kane")

    assert goal.chat.messages == {order[0]: (State.CONFIRMED, "Kane")}
    assert [record.action.id for record in moment.affected] == [order[0]]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("send", ["Deleted", "Cancelled"])
def test_one_of_two_that_is_retracted_leaves_the_goal_while_the_score_stands(
    order: tuple[str, str], first: int, send: str
) -> None:
    goal = RepeatedGoal()
    for action in order:
        goal.revise(action, score=(1, 0))

    goal.revise(order[first], send)
    assert (list_standing_goals(goal.match), goal.chat.messages) == (
        [("Penalty", Side.HOME)],
        {order[0]: (State.CONFIRMED, "Kane")},
    )

    goal.revise(order[1 - first], send, score=(0, 0))
    assert (list_standing_goals(goal.match), goal.chat.messages) == ([], {order[0]: (State.RETRACTED, "Kane")})


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("first", [0, 1])
def test_one_of_two_that_is_retracted_with_the_score_takes_the_goal_back(order: tuple[str, str], first: int) -> None:
    goal = RepeatedGoal()
    for action in order:
        goal.revise(action, score=(1, 0))

    goal.revise(order[first], "Deleted", score=(0, 0))
    assert (list_standing_goals(goal.match), goal.chat.messages[order[0]][0]) == ([], State.RETRACTED)

    goal.revise(order[first], "Updated", score=(1, 0))
    assert (list_standing_goals(goal.match), goal.chat.messages) == (
        [("Penalty", Side.HOME)],
        {order[0]: (State.CONFIRMED, "Kane")},
    )


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("related", [("g",), ("p",), ()])
def test_a_disallowance_of_either_takes_the_one_goal_back(order: tuple[str, str], related: tuple[str, ...]) -> None:
    goal = RepeatedGoal()
    for action in order:
        goal.revise(action, score=(1, 0))

    moment = goal.chat.receive(goal.add("Goal Disallowed", "Confirmed", "d", "home", related=related, score=(0, 0)))
    assert [record.action.id for record in moment.affected] == [order[0]]
    assert (list_standing_goals(goal.match), goal.chat.messages[order[0]][0]) == ([], State.RETRACTED)

    goal.chat.receive(goal.add("Goal Disallowed", "Deleted", "d", "home", related=related, score=(1, 0)))
    assert (list_standing_goals(goal.match), goal.chat.messages[order[0]][0]) == ([("Penalty", Side.HOME)], State.CONFIRMED)


@pytest.mark.parametrize(
    "second",
    [
        {"minute": 34, "score": (2, 0)},
        {"minute": 34, "score": (1, 0)},
        {"score": (2, 0)},
        {"score": (1, 0), "sub": "Header"},
        {"score": (1, 0), "sub": "Own Goal"},
        {"score": (1, 0), "minute": 46, "period": 2},
    ],
)
def test_a_goal_of_its_own_is_not_taken_for_the_penalty(second: dict[str, Any]) -> None:
    goal = RepeatedGoal()
    goal.revise("p", score=(1, 0))

    goal.revise("g", **second)

    assert set(goal.chat.messages) == {"p", "g"}


def test_a_goal_of_the_other_side_is_not_taken_for_the_penalty() -> None:
    goal = RepeatedGoal()
    goal.revise("p", score=(1, 0))

    goal.chat.receive(goal.add("Goal", "Confirmed", "g", "away", score=(1, 1)))

    assert set(goal.chat.messages) == {"p", "g"}


@pytest.mark.parametrize("order", ORDERS)
def test_two_that_both_raise_the_score_are_two_goals_after_all(order: tuple[str, str]) -> None:
    goal = RepeatedGoal()
    for action in order:
        goal.revise(action, "Pending", player=None)

    for goals, action in enumerate(order, start=1):
        goal.revise(action, score=(goals, 0))

    assert (goal.match.score, len(list_standing_goals(goal.match))) == (Score(2, 0), 2)
    assert set(goal.chat.messages) == {"p", "g"}


@pytest.mark.parametrize("order", ORDERS)
def test_a_penalty_goal_that_becomes_a_miss_falls_with_the_score(order: tuple[str, str]) -> None:
    goal = RepeatedGoal()
    for action in order:
        goal.revise(action, score=(1, 0))

    goal.add("Penalty Missed", "Updated", "p", "home", score=(0, 0))
    goal.revise("g", "Deleted")

    assert list_standing_goals(goal.match) == []


def test_kicks_of_a_shootout_are_counted_one_by_one() -> None:
    goal = RepeatedGoal()
    goal.add("Start Period", period=5)

    for number in range(3):
        goal.add("Penalty Scored", "Confirmed", f"p{number}", "home", period=5)

    assert sum(one.is_standing and one.action.type == "Goal" for one in goal.match.records.values()) == 3


# Section 4.1 of the feed documentation.
NEXT = {
    "": ("Pending", "Confirmed"),
    "Pending": ("Confirmed", "Cancelled", "Pending"),
    "Confirmed": ("Updated", "Deleted"),
    "Updated": ("Updated", "Deleted"),
    "Deleted": ("Updated",),
    "Cancelled": ("Cancelled",),
}


@given(st.lists(st.tuples(st.sampled_from(["p", "g"]), st.integers(0, 2)), min_size=1, max_size=14), st.booleans())
def test_whatever_becomes_of_the_two_a_chat_has_one_message_that_says_what_the_record_says(
    steps: list[tuple[str, int]], counts_pending: bool
) -> None:
    goal, now = RepeatedGoal(), {"p": "", "g": ""}
    for action, choice in steps:
        send = now[action] = NEXT[now[action]][choice % len(NEXT[now[action]])]
        live = [s for s in now.values() if s in ("Confirmed", "Updated") or (counts_pending and s == "Pending")]
        goal.revise(action, send, score=(1 if live else 0, 0))

        goals = [record for record in goal.match.records.values() if record.is_standing]
        confirmed = [action for action, (state, _) in goal.chat.messages.items() if state is State.CONFIRMED]
        assert len(goals) <= 1
        assert [record.action.id for record in goals] == confirmed
        assert goal.match.score == Score(len(goals), 0)
