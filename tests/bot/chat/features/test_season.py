"""Teams whose next match is months away: the feed is asked for them, and they can be followed."""

from __future__ import annotations

from msgspec.structs import replace

from bot.chat.features.fixtures import show_day
from bot.chat.search.catalogue import FollowableCatalogue
from bot.subscribers import Scope, Subscription
from rules.football.action import Team
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import FIXTURES, NOW, fixture, make_context

LEEDS, HULL = Team("t20", "Leeds United"), Team("t21", "Hull City")
ROVERS = Team("t22", "Arsenal Rovers")
AUTUMN = fixture("far1", LEEDS, HULL, Team("c9", "Championship"), 24 * 95)


async def test_a_team_whose_next_match_is_three_months_away_can_be_followed(world: World) -> None:
    world.season.played = (AUTUMN,)

    answer = await world.ask(42, 42, "/subscribe leeds united")

    assert await world.list_followed(42) == ["Leeds United"]
    # 22 November and 95 days.
    assert "Next: 25 February Leeds United v Hull City" in answer.text


async def test_its_name_alone_is_enough_in_a_private_chat_and_so_is_its_league(world: World) -> None:
    world.season.played = (AUTUMN,)

    await world.ask(42, 42, "Leeds United")
    await world.ask(42, 42, "Championship")

    assert await world.list_followed(42) == ["Championship", "Leeds United"]


async def test_a_whole_name_of_these_days_does_not_ask_the_feed(world: World) -> None:
    await world.ask(42, 42, "/subscribe arsenal")
    await world.ask(42, 42, "/subscribe all")
    await world.ask(42, 42, "/subscribe")

    assert world.season.loads == 0


async def test_a_better_name_of_the_coming_months_comes_before_a_similar_one_of_today(world: World) -> None:
    world.directory.known = (fixture("f1", ROVERS, HULL, Team("c9", "Championship"), 2),)
    world.season.played = (fixture("far2", Team("t1", "Arsenal"), LEEDS, Team("c1", "Premier League"), 24 * 95),)

    await world.ask(42, 42, "/subscribe arsenal")

    assert await world.list_followed(42) == ["Arsenal"]


async def test_what_nobody_knows_is_said_to_be_unknown(world: World) -> None:
    answer = await world.ask(42, 42, "/subscribe Nowhere Town")

    assert "Nowhere Town" in answer.text and world.season.loads == 1
    assert await world.list_followed(42) == []


def test_the_matches_of_a_day_are_not_those_few_that_are_known_of_a_later_one() -> None:
    assert AUTUMN.kickoff
    context = make_context(Subscription(Scope.ALL))
    catalogue = FollowableCatalogue(FIXTURES, season=(AUTUMN, FIXTURES[0]))
    html = show_day(replace(context, catalogue=catalogue), AUTUMN.kickoff.date()).html

    assert "Leeds" not in html
    assert [choice.id for choice in catalogue.list_upcoming(NOW)] == ["f3", "f1", "f2"]
    assert [choice.id for choice in catalogue.list_followable(NOW)] == ["f3", "f1", "f2", "far1"]
