"""What the feed lists is kept fresh: what one answer forgets is known on, and what changes is reported once."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from msgspec.structs import replace

from bot.storage.fixtures import ListedStatus
from bot.subscribers import Scope, Subscription
from rules.football.action import Fixture, Team
from tests.bot.matches.test_clocks import LEAD, SteppingClock, TimedWorld
from tests.bot.matches.test_schedule import SEVERAL_LISTS, World, moved, running
from tests.fakes.feed import LoopClock
from tests.packets import FIXTURE
from tests.waiting import until

pytestmark = pytest.mark.virtual_time


async def test_a_refused_token_is_reported_once() -> None:
    world = World(FIXTURE)
    world.refusal = "The supplied authentication is invalid"
    async with running(world):
        await until(lambda: world.refused)
        await asyncio.sleep(SEVERAL_LISTS)
        world.refusal = None
        await until(lambda: world.followed)

        assert world.refused == ["The supplied authentication is invalid"]


async def test_that_the_feed_accepts_the_token_again_is_reported_once() -> None:
    world = World(FIXTURE)
    world.refusal = "HTTP 401"
    async with running(world):
        await until(lambda: world.refused)
        world.refusal = None
        await until(lambda: world.followed)
        await asyncio.sleep(SEVERAL_LISTS)
        world.refusal = "HTTP 401"
        await until(lambda: len(world.refused) == 2)

        assert world.accepted == 1


async def test_what_was_postponed_while_we_were_away_is_reported_once() -> None:
    world = World(moved(status="Postponed"))
    world.stored_statuses = {"f1": ListedStatus("Scheduled", "")}
    async with running(world):
        await until(lambda: world.updates)
        await asyncio.sleep(SEVERAL_LISTS)

        assert (world.updates, world.stored_statuses) == ([("Scheduled", "Postponed")], {"f1": ListedStatus("Postponed", "")})


@pytest.mark.slow
@pytest.mark.parametrize(("lists", "others"), [(1, 1), (1, 0), (3, 0)])
async def test_a_match_that_a_list_forgets_is_connected_in_time(lists: int, others: int) -> None:
    match = moved(kickoff=LoopClock.START + dt.timedelta(hours=lists, seconds=60) + LEAD)
    other = moved(id="later", kickoff=LoopClock.START + dt.timedelta(hours=9))
    world = TimedWorld(SteppingClock(), match, other)
    async with running(world):
        await asyncio.sleep(1800)
        world.listed = [other] * others
        await asyncio.sleep(lists * 3600.0)

    assert len(world.read_at) == 1 + lists
    assert world.followed == ["f1"] and world.followed_at[0] <= lists * 3600 + 62


@pytest.mark.slow
async def test_matches_that_leave_the_list_one_by_one_are_let_go() -> None:
    clock = SteppingClock()
    world = TimedWorld(clock, moved(kickoff=LoopClock.START + dt.timedelta(hours=9)), moved(id="over", status="Completed"))
    async with running(world):
        await asyncio.sleep(10)
        world.listed = [moved(id="over", status="Completed")]
        await asyncio.sleep(2 * 3600)
        world.listed = []
        await asyncio.sleep(2 * 3600)

        assert world.runner.fixtures.list_by_kickoff() == () and not world.runner.fixtures.refresh_failure


@pytest.mark.parametrize(
    "lost", [{"kickoff": None, "is_kickoff_known": False}, {"home": Team(), "away": Team(), "name": ""}, {"competition": Team()}]
)
async def test_a_match_of_which_a_list_leaves_something_out_is_connected_in_time(lost: dict[str, object]) -> None:
    whole = moved(kickoff=LoopClock.START + dt.timedelta(hours=1, seconds=60) + LEAD, competition=Team("c", "Premier League"))
    world = TimedWorld(SteppingClock(), whole)
    scope, key = (Scope.COMPETITION, "c") if "competition" in lost else (Scope.TEAM, whole.home.id)
    world.subscribed = [Subscription(scope, key)]
    async with running(world):
        await asyncio.sleep(1800)
        world.listed = [replace(whole, **lost)]
        await asyncio.sleep(3600)

    assert world.followed == ["f1"] and world.followed_at[0] <= 3662


async def test_a_refresh_that_is_requested_while_the_list_is_read_reads_it_again() -> None:
    world = TimedWorld(SteppingClock(), moved())
    is_answered, fetch = asyncio.Event(), world.fetch_fixtures

    async def fetch_slowly(date_from: dt.date, date_to: dt.date) -> tuple[Fixture, ...]:
        fetched = await fetch(date_from, date_to)
        await is_answered.wait()
        return fetched

    world.fetch_fixtures = fetch_slowly  # type: ignore[method-assign]
    async with running(world):
        await until(lambda: world.read_at)
        world.runner.fixtures.request_refresh()
        is_answered.set()
        await asyncio.sleep(10)
        assert len(world.read_at) == 2

        is_answered.clear()
        world.runner.fixtures.request_refresh()
        await until(lambda: len(world.read_at) == 3)
        world.runner.fixtures.request_refresh()
        is_answered.set()
        await asyncio.sleep(10)
        assert len(world.read_at) == 4


async def test_a_first_list_that_fails_unexpectedly_is_read_again() -> None:
    world = World(FIXTURE)
    fetch, failures = world.fetch_fixtures, [RuntimeError("a fault of our own")]

    async def fail_once(date_from: dt.date, date_to: dt.date) -> tuple[Fixture, ...]:
        if failures:
            raise failures.pop()
        return await fetch(date_from, date_to)

    world.fetch_fixtures = fail_once  # type: ignore[method-assign]
    async with running(world):
        await until(lambda: world.followed)

    assert not failures
