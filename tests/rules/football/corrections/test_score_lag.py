"""A score that the feed brings a packet or two after its goals: what chats read is right all the same."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from rules.football.action import PeriodScore, Side, Summary
from rules.football.corrections.unconfirmed import settle_at_last
from rules.football.match import Score
from tests.packets import KICKOFF, REGULAR, Story


def test_a_goal_that_the_score_counts_a_packet_later_is_told_with_the_score_that_it_makes() -> None:
    story = Story()
    goal = story.goal("g", score=(0, 0), minute=20)
    next_one = story.add("Corner", score=(1, 0), minute=21)

    assert (goal.score, next_one.after.score) == (Score(1, 0), Score(1, 0))
    assert not next_one.after.uncounted and next_one.after.records["g"].is_shown


def test_a_goal_that_the_score_still_counts_after_it_was_deleted_is_gone_at_once() -> None:
    story = Story()
    story.goal("g", score=(1, 0), minute=20)
    deleted = story.goal("g", send="Deleted", score=(1, 0), minute=20)
    next_one = story.add("Corner", score=(0, 0), minute=21)

    assert (deleted.after.score, next_one.after.score) == (Score(), Score())
    assert not next_one.after.uncounted


def test_a_score_that_catches_up_with_one_goal_does_not_change_the_side_of_the_next() -> None:
    story = Story()
    story.goal("g", "home", score=(0, 0), minute=20)
    other = story.goal("h", "away", score=(1, 0), minute=21)
    story.add("Corner", score=(1, 1), minute=22)

    assert other.score == Score(1, 1)
    assert [record.credited for record in story.match.records.values()] == [Side.HOME, Side.AWAY]
    assert story.match.score == Score(1, 1)


def test_the_side_of_an_own_goal_is_told_by_the_score_that_comes_later() -> None:
    story = Story()
    story.goal("g", "home", sub="Own Goal", score=(0, 0), minute=20, player="White")
    moment = story.add("Corner", score=(0, 1), minute=21)

    assert [(record.action.id, record.credited, record.action.team) for record in moment.affected] == [
        ("g", Side.AWAY, story.match.fixture.away)
    ]
    assert moment.after.score == Score(0, 1)


def test_a_score_that_has_not_counted_a_goal_for_a_minute_is_believed() -> None:
    story = Story()
    story.goal("g", score=(0, 0), minute=20)
    story.add("Corner", minute=20)
    soon = story.match.score
    story.add("Corner", minute=22)

    assert (soon, story.match.score) == (Score(1, 0), Score())


def test_a_goal_that_the_feed_sends_under_a_new_id_before_it_deletes_the_old_one_counts_once() -> None:
    story = Story()
    story.goal("g", score=(1, 0), minute=20)
    again = story.goal("h", score=(1, 0), minute=20)
    deleted = story.goal("g", send="Deleted", score=(1, 0), minute=20)

    assert (again.after.score, deleted.after.score) == (Score(1, 0), Score(1, 0))


def test_a_pending_goal_that_the_score_drops_without_a_word_is_not_taken_off_later_goals() -> None:
    story = Story()
    story.goal("g", send="Pending", score=(1, 0), minute=20)
    story.add("Corner", score=(0, 0), minute=21)
    other = story.goal("h", score=(1, 0), minute=30)
    end = story.add("End Period", minute=46, period=1)

    assert other.after.score == Score(1, 0)
    assert [(record.action.id, record.is_retracted) for record in end.settled] == [("g", True)]


def test_a_pending_goal_that_the_score_counts_a_packet_later_is_no_official_one() -> None:
    story = Story()
    story.goal("g", send="Pending", score=(0, 0), minute=20)
    counted = story.add("Corner", score=(1, 0), minute=20)
    confirmed = story.goal("g", score=(1, 0), minute=20)

    assert (counted.after.score, confirmed.after.score) == (Score(), Score(1, 0))


def test_kicks_of_a_shootout_are_told_with_their_score_too() -> None:
    story = Story()
    story.add("Start Period", period=5, minute=0)
    kick = story.goal("k", send="Confirmed", sub="Penalty", period=5, minute=0)

    assert kick.shootout == Score(1, 0)


@given(
    st.lists(st.tuples(st.sampled_from(Side), st.integers(0, 5), st.booleans(), st.booleans()), min_size=1, max_size=6),
    st.sampled_from([Summary(), Summary(status="Live"), Summary(period_id=1, status="Live", clock=60)]),
)
def test_a_feed_whose_summaries_give_no_score_has_that_of_its_goals(
    goals: list[tuple[Side, int, bool, bool]], summary: Summary
) -> None:
    story, standing = Story(), list[Side]()

    for number, (side, minutes, is_pending_first, is_deleted) in enumerate(goals):
        minute = story.minute + minutes
        for send in ["Pending"] * is_pending_first + ["Confirmed"] + ["Deleted"] * is_deleted:
            story.goal(str(number), side.value, send, minute=minute, summary=summary)
        standing += [] if is_deleted else [side]
        story.add("Throw In", minute=minute + 2, summary=summary)

        assert story.match.score == Score(standing.count(Side.HOME), standing.count(Side.AWAY))
    story.add("Yellow Card", "Pending", side="home", summary=summary)
    settled = settle_at_last(story.match, KICKOFF + dt.timedelta(hours=3))
    assert settled and settled.after.score == Score(standing.count(Side.HOME), standing.count(Side.AWAY))


def test_kicks_of_a_shootout_whose_score_is_not_given_are_counted_by_themselves() -> None:
    story = Story()
    summary = Summary(1, 1, 3, "Live", "CollectingLive", 0, (*REGULAR[:2], PeriodScore(3, "", "Shootout", 1, 1)))
    for number, kind in enumerate(["Goal", "Goal", "Goal", "Penalty Missed", "Goal"]):
        side = "away" if number % 2 else "home"
        story.add(kind, "Confirmed", str(number), side, minute=100 + 2 * number, period=3, clock=0, summary=summary)
    story.add("End Match", period=3, minute=120, summary=summary)

    assert story.match.shootout == Score(3, 1)


def test_the_first_score_that_is_given_after_a_minute_is_believed() -> None:
    story = Story()
    story.goal("g", minute=20, summary=Summary())
    story.add("Corner", minute=25, summary=Summary(None, 0))
    only_away = story.match.score
    story.add("Corner", minute=26, score=(0, 0))

    assert (only_away, story.match.score) == (Score(1, 0), Score())
