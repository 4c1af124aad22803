"""The questions that rules ask of a match: comebacks, first goals, hat tricks, and whose cards and goals stand."""

import pytest

from rules.football.action import Player, Side
from rules.football.match import Score
from rules.football.match_facts import is_comeback, is_first_goal, is_hat_trick, is_same_player, list_cards
from rules.football.minute import Period
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
    assert not is_comeback(Story().add("Red Card", side="home"))


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (Player("1", "B. Saka"), Player("1", "Bukayo Saka"), True),
        (Player("1", "B. Saka"), Player("2", "B. Saka"), False),
        (Player("1", "Çalhanoğlu"), Player("", "calhanoglu"), True),
        (Player("", "B. Saka"), Player("2", "b. saka"), True),
        (Player("", "B. Saka"), Player("", "D. Rice"), False),
        (Player("1", ""), Player("", ""), False),
        (Player("", ""), Player("", ""), False),
    ],
)
def test_players_are_the_same_by_id_or_by_name_where_one_has_no_id(one: Player, other: Player, is_same: bool) -> None:
    assert is_same_player(one, other) is is_same


@pytest.mark.parametrize(
    ("before", "after", "side"),
    [
        ((0, 0), (1, 0), Side.HOME),
        ((1, 0), (1, 1), Side.AWAY),
        ((1, 1), (1, 1), None),
        ((0, 0), (1, 1), None),
        ((0, 0), (2, 0), Side.HOME),
        ((1, 0), (0, 0), None),
        ((1, 0), (0, 1), Side.AWAY),
        ((1, 1), (3, 2), None),
    ],
)
def test_the_side_that_scored_is_the_only_one_with_more_goals_than_before(
    before: tuple[int, int], after: tuple[int, int], side: Side | None
) -> None:
    assert Score(*after).find_scoring_side(Score(*before)) is side


def test_a_score_counts_goals_up_and_down_by_side_and_never_below_zero() -> None:
    score = Score(1, 2)

    assert [score.goals_of(side) for side in Side] == [1, 2]
    assert [score.plus_one(side) for side in Side] == [Score(2, 2), Score(1, 3)]
    assert [score.minus_one(side) for side in Side] == [Score(0, 2), Score(1, 1)]
    assert [Score().minus_one(side) for side in Side] == [Score(), Score()]
    assert str(score) == "1–2"


def test_the_first_goal_is_the_earliest_that_stands_also_while_it_is_pending() -> None:
    story = Story()
    story.goal("g0", minute=3, score=(1, 0))
    story.goal("g0", send="Deleted", minute=4, score=(0, 0))

    assert is_first_goal(story.goal("g1", send="Pending", minute=5))
    assert is_first_goal(story.goal("g1", minute=6, score=(1, 0)))
    assert not is_first_goal(story.goal("g2", "away", minute=7, score=(1, 1)))
    assert not is_first_goal(story.add("Yellow Card", side="home"))


def test_no_goal_is_the_first_where_there_is_none() -> None:
    assert not is_first_goal(Story().add("Yellow Card", side="home"))


def test_goals_that_come_late_are_counted_in_the_order_of_play() -> None:
    story = Story()
    story.goal("g1", minute=60, score=(1, 0), player="Saka")
    story.goal("g2", minute=30, score=(2, 0), player="Saka", seq=9)

    assert is_first_goal(story.goal("g2", send="Updated", minute=30, player="Saka", seq=10))
    assert not is_first_goal(story.goal("g1", send="Updated", minute=60, player="Saka", seq=11))


def test_a_hat_trick_is_the_third_goal_of_a_player_without_own_goals_and_kicks_of_a_shootout() -> None:
    story, found = Story(), []
    for number, (player, sub) in enumerate(
        [("Kane", ""), ("Kane", "Own Goal"), ("Saka", ""), ("Kane", ""), ("Kane", ""), ("Kane", "")], start=1
    ):
        moment = story.goal(f"g{number}", minute=number, sub=sub, player=player, score=(number, 0))
        found.append(is_hat_trick(moment))

    assert found == [False, False, False, False, True, False]


def test_an_unnamed_goal_is_no_hat_trick() -> None:
    story = Story()

    assert [is_hat_trick(story.goal(f"g{n}", minute=n, score=(n, 0))) for n in (1, 2, 3)] == [False] * 3


def test_standing_goals_are_those_of_play_in_the_order_of_their_last_revisions() -> None:
    story = Story()
    story.goal("g1", minute=5, score=(1, 0))
    story.goal("g2", minute=9, score=(2, 0))
    story.goal("g3", minute=11, send="Pending", score=(3, 0))
    story.goal("g1", send="Updated", minute=12)
    story.goal("k1", period=5, clock=0)
    story.add("Yellow Card", side="home")

    goals = story.match.list_standing_goals()

    assert [record.action.id for record in goals] == ["g2", "g1"]
    assert Period.SHOOTOUT not in {record.action.period for record in goals}


def test_a_players_cards_are_his_alone_and_in_order() -> None:
    story = Story()
    story.add("Yellow Card", action="y1", side="home", player="Rice", minute=10)
    story.add("Yellow Card", action="y2", side="away", player="Palmer", minute=20)
    story.add("Red Card", action="r1", side="home", player="Rice", minute=30)
    story.add("Yellow Card", action="y3", side="home", minute=40)
    story.goal("g1", player="Rice", score=(1, 0))
    story.add("Yellow Card", "Updated", "y1", "home", player="Rice")

    assert [card.id for card in list_cards(story.match, Player("id-Rice", "Rice"))] == ["r1", "y1"]
