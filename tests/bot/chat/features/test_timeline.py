"""/timeline: a match in a picture, for every member."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.chat.features.fixtures import draw_picked_timeline, draw_timeline, show_timeline
from bot.subscribers import Scope, Subscription
from rules.football.lineups import Lineup, LineupPlayer, Lineups
from rules.football.match import Match, Score
from rules.football.minute import Minute, Period
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import FIXTURES, data, is_outdated, labels, make_context

ALL = Subscription(Scope.ALL)
CUP = Match(FIXTURES[2], Score(2, 1), period=Period.SECOND_HALF, minute=Minute(67), status="Live")
PAST = Match(FIXTURES[3], Score(0, 0), period=Period.SECOND_HALF, minute=Minute(90), status="Completed")
SOON = Match(FIXTURES[0])


def test_the_one_match_that_is_followed_is_drawn_with_its_score_in_words() -> None:
    screen = show_timeline(make_context(ALL, matches=(CUP, SOON)), ()).screen

    assert screen.picture is CUP
    assert screen.html == "<b>Fenerbahçe 2–1 Galatasaray</b> · 67'"


def test_formations_and_captains_stand_below_where_the_feed_gives_them() -> None:
    home = Lineup((LineupPlayer("Džeko", "9", is_captain=True),), formation="4-2-3-1")
    match = replace(CUP, lineups=Lineups(home, Lineup(formation="4-4-2")))

    assert draw_timeline(make_context(), match).html.splitlines()[1:] == [
        "Fenerbahçe: 4-2-3-1, captain Džeko",
        "Galatasaray: 4-4-2",
    ]


def test_of_several_matches_one_is_chosen_and_those_in_play_come_first() -> None:
    screen = show_timeline(make_context(ALL, matches=(PAST, CUP)), ()).screen

    assert screen.picture is None
    assert labels(screen) == ["Fenerbahçe 2–1 Galatasaray", "Manchester United 0–0 Arsenal", "📅 Today", "🔴 Live"]
    assert data(screen, "Arsenal") == "p:f4"


def test_a_match_that_is_not_followed_is_drawn_where_it_is_named() -> None:
    context = make_context(matches=(PAST, CUP))

    assert show_timeline(context, ("galatasaray",)).screen.picture is CUP
    assert show_timeline(context, ()).screen.html == "None of your matches has begun yet."


@pytest.mark.parametrize("typed", ["gunners", "man utd", "EPL", "galatasaray sk"])
def test_a_match_is_drawn_by_the_nickname_of_a_team_or_competition(typed: str) -> None:
    match = CUP if typed.startswith("gala") else PAST

    assert show_timeline(make_context(matches=(PAST, CUP)), tuple(typed.split())).screen.picture is match


@pytest.mark.parametrize("match", [SOON, None])
def test_a_match_that_has_not_begun_is_not_drawn(match: Match | None) -> None:
    context = make_context(ALL, matches=(match,) if match else ())

    assert show_timeline(context, ("arsenal",)).screen.html == ("No match of “arsenal” is live or has just ended.")


def test_a_button_of_a_match_that_is_no_longer_known_is_out_of_date() -> None:
    assert is_outdated(make_context(ALL), "p:f3")


async def test_a_picture_comes_as_a_photo_with_words(world: World) -> None:
    world.directory.play(CUP)
    await world.ask(42, 42, "/subscribe all")
    answer = await world.ask(42, 42, "/timeline")

    assert answer.photo.startswith(b"\x89PNG") and answer.text == "Fenerbahçe 2–1 Galatasaray · 67'"


async def test_a_member_of_a_group_chooses_and_the_buttons_stay(world: World) -> None:
    world.directory.play(CUP, PAST)
    message = await world.ask(-100, 5, "/timeline a")
    for label in ("Arsenal", "Fenerbahçe"):
        await world.press(-100, 5, message, message.button(label).data)

    assert [bool(message.photo) for message in world.api.chat(-100).messages] == [False, True, True]
    assert message.edits == []


def test_a_button_of_a_match_draws_it() -> None:
    result = draw_picked_timeline(make_context(matches=(CUP,)), "f3")

    assert result.screen.picture is CUP
