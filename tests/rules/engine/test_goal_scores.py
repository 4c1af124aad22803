"""A goal's alert shows the score that the goal makes, whatever becomes of this and other goals."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine.alert import Alert, State
from rules.engine.evaluate import evaluate
from rules.engine.rule import AlertSpec, Rule, RuleSet
from rules.engine.text import AlertText
from rules.football.action import SendType, Side
from rules.football.match import Moment, Score
from tests.packets import Story

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


class GoalHistory(msgspec.Struct, frozen=True):
    """The revisions of one goal, in their order."""

    side: Side
    revisions: tuple[str, ...]


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
        ]
    ),
)


@given(st.lists(goal_histories, min_size=1, max_size=5), st.booleans(), st.data())
def test_every_order_of_revisions_gives_every_message_the_score_of_its_goal(
    goals: list[GoalHistory], counts_pending: bool, data: st.DataObject
) -> None:
    story, chat = Story(), dict[str, Alert]()
    sent: dict[int, str] = {}
    left = {number: list(goal.revisions) for number, goal in enumerate(goals)}

    def count(numbers: list[int]) -> Score:
        sides = [goals[number].side for number in numbers]
        return Score(sides.count(Side.HOME), sides.count(Side.AWAY))

    while any(left.values()):
        # The feed sends goals in the order of play; what becomes of them comes in any order.
        not_sent = [number for number in left if number not in sent]
        possible = [n for n, revisions in left.items() if revisions and (n in sent or n == not_sent[0])]
        number = data.draw(st.sampled_from(possible))
        sent[number] = left[number].pop(0)
        live = [n for n, send in sent.items() if send not in ("Deleted", "Cancelled")]
        confirmed = [n for n in live if sent[n] != "Pending"]
        shown = count(live if counts_pending else confirmed)

        moment = story.goal(
            str(number), send=sent[number], side=goals[number].side, minute=10 + number, score=(shown.home, shown.away)
        )

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
