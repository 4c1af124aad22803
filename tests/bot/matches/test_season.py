"""The next matches of the coming months: read when they are wanted, by windows, and not again for half a day."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from bot.errors import FeedUnreachable
from bot.matches.connection_plan import LOOK_AHEAD
from bot.matches.season import RELOAD_AFTER, SEASON_AHEAD, SeasonFixtures, select_next_matches
from rules.football.action import Fixture, Team
from tests.bot.news import NOW
from tests.bot.telegram.conftest import LoopClock
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time


def fixture(number: int, home: str, away: str, days: float, competition: str = "League", **more: object) -> Fixture:
    teams = Team(f"id-{home}", home), Team(f"id-{away}", away)
    kickoff = NOW + dt.timedelta(days=days)
    return Fixture(f"f{number}", *teams, Team(f"id-{competition}", competition), kickoff, **more)  # type: ignore[arg-type]


class Source:
    """The feed's list, and what was asked of it."""

    def __init__(self, *fixtures: Fixture, takes: float = 1.0) -> None:
        self.listed, self.takes = fixtures, takes
        self.asked: list[tuple[dt.date, dt.date]] = []
        self.is_down = False

    async def fetch_fixtures(self, date_from: dt.date, date_to: dt.date) -> tuple[Fixture, ...]:
        self.asked.append((date_from, date_to))
        await asyncio.sleep(self.takes)
        if self.is_down:
            raise FeedUnreachable("away")
        return tuple(f for f in self.listed if f.kickoff and date_from <= f.kickoff.date() <= date_to)

    async def fetch_fixture(self, fixture_id: str) -> Fixture:
        raise NotImplementedError


def test_the_first_match_of_each_team_and_competition_is_kept() -> None:
    listed = [
        fixture(2, "A", "B", 41),
        fixture(1, "A", "B", 40),
        fixture(3, "A", "C", 42),
        fixture(4, "B", "C", 43, "Cup"),
        fixture(5, "B", "C", 44, "Cup"),
        fixture(6, "D", "E", 39, status="Cancelled"),
        fixture(7, "F", "G", 39, is_deleted=True),
    ]

    assert [one.id for one in select_next_matches(listed, set())] == ["f1", "f3", "f4"]


async def test_the_days_after_those_that_are_listed_anyway_are_read_whole_and_once() -> None:
    source = Source(fixture(1, "A", "B", 90), fixture(2, "A", "B", 97))
    season = SeasonFixtures(source, LoopClock())

    found = await asyncio.gather(season.load(), season.load())

    assert (found, [one.id for one in season.fixtures()]) == ([True, True], ["f1"])
    days = [day for first, last in source.asked for day in (first, last)]
    assert (days[0], days[-1]) == (NOW.date() + LOOK_AHEAD + dt.timedelta(days=1), NOW.date() + SEASON_AHEAD)
    assert len(source.asked) > 1
    assert days[2::2] == [last + dt.timedelta(days=1) for last in days[1:-1:2]]
    asked = len(source.asked)
    assert not await season.load() and len(source.asked) == asked
    await asyncio.sleep(RELOAD_AFTER)
    assert await season.load() and len(source.asked) == 2 * asked


async def test_a_feed_that_is_away_is_not_asked_at_every_name_and_what_was_read_stays() -> None:
    source = Source(fixture(1, "A", "B", 90))
    season = SeasonFixtures(source, LoopClock())
    source.is_down = True

    assert not await season.load() and not await season.load()
    assert len(source.asked) == 1
    await asyncio.sleep(60)
    source.is_down = False
    assert await season.load()
    await asyncio.sleep(RELOAD_AFTER)
    source.is_down = True
    await season.load()

    assert [one.id for one in season.fixtures()] == ["f1"]


async def test_nobody_waits_for_a_slow_feed_for_long_and_what_is_read_by_then_counts() -> None:
    season = SeasonFixtures(Source(fixture(1, "A", "B", 20), takes=15), LoopClock())
    begun = asyncio.get_running_loop().time()

    assert await season.load()
    assert asyncio.get_running_loop().time() - begun == 20
    assert [one.id for one in season.fixtures()] == ["f1"]
    await asyncio.sleep(600)


async def test_it_is_read_a_minute_after_the_start_and_twice_a_day() -> None:
    source = Source(fixture(1, "A", "B", 90))
    running = asyncio.create_task(SeasonFixtures(source, LoopClock()).run())

    await asyncio.sleep(59)
    assert source.asked == []
    await asyncio.sleep(86_400)
    firsts = [first for first, _ in source.asked if first <= NOW.date() + LOOK_AHEAD + dt.timedelta(days=2)]

    assert len(firsts) == 2
    await cancel_tasks(running)
