"""A connection is made in time, whatever happens to the process and to the machine's clock."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from bot.config.models import ScheduleSettings
from bot.subscribers import Scope, Subscription
from rules.football.action import Fixture
from tests.bot.matches.test_schedule import World, moved, running
from tests.fakes.feed import LoopClock

pytestmark = pytest.mark.virtual_time
LEAD = dt.timedelta(minutes=15)
HOURLY = ScheduleSettings(connect_before_kickoff=LEAD, refresh_fixtures_every=dt.timedelta(hours=1))
CONNECT_AT = 1800.0
"""Seconds after the start at which the fixture is due."""


class SteppingClock(LoopClock):
    """A wall clock that can be set; the loop is the monotonic one."""

    def __init__(self) -> None:
        self.offset = dt.timedelta(0)

    def now(self) -> dt.datetime:
        return super().now() + self.offset


class TimedWorld(World):
    """A world that also records when each match was followed, and when the list was read."""

    def __init__(self, clock: SteppingClock, *fixtures: Fixture) -> None:
        super().__init__(*fixtures, clock=clock, settings=HOURLY)
        self.followed_at: list[float] = []
        self.read_at: list[float] = []

    async def follow(self, fixture: Fixture) -> None:
        self.followed_at.append(asyncio.get_running_loop().time())
        await super().follow(fixture)

    async def fetch_fixtures(self, date_from: dt.date, date_to: dt.date) -> tuple[Fixture, ...]:
        self.read_at.append(asyncio.get_running_loop().time())
        return await super().fetch_fixtures(date_from, date_to)


def make_due_fixture() -> Fixture:
    return moved(kickoff=LoopClock.START + dt.timedelta(seconds=CONNECT_AT) + LEAD)


async def test_a_connection_is_made_when_it_is_due() -> None:
    world = TimedWorld(SteppingClock(), make_due_fixture())
    async with running(world):
        await asyncio.sleep(CONNECT_AT + 2)

    assert len(world.followed_at) == 1 and 0 <= world.followed_at[0] - CONNECT_AT <= 1.5


async def test_a_connection_that_comes_due_while_the_process_stands_still_is_made_when_it_goes_on() -> None:
    world = TimedWorld(SteppingClock(), make_due_fixture())
    async with running(world):
        await asyncio.sleep(CONNECT_AT - 1)
        # As in a laptop that sleeps: nothing of the process runs, and all its timers are late.
        asyncio.get_running_loop()._selector.clock.advance(600.0)  # type: ignore[attr-defined]
        await asyncio.sleep(2)

    assert world.followed == ["f1"]


@pytest.mark.parametrize("hours", [-3, -1, 1, 3])
async def test_a_clock_that_is_set_makes_no_connection_late_and_the_list_is_read_at_once(hours: int) -> None:
    clock = SteppingClock()
    world = TimedWorld(clock, make_due_fixture())
    async with running(world):
        await asyncio.sleep(600)
        clock.offset = dt.timedelta(hours=hours)
        await asyncio.sleep(3)
        read_at = world.read_at[-1]
        await asyncio.sleep(CONNECT_AT - 603 + 2)

    assert 600 <= read_at <= 602
    assert len(world.followed_at) == 1 and world.followed_at[0] <= CONNECT_AT + 1.5


@pytest.mark.slow
async def test_a_list_is_read_at_its_interval_though_the_clock_was_set_back() -> None:
    clock = SteppingClock()
    world = TimedWorld(clock, make_due_fixture())
    async with running(world):
        await asyncio.sleep(10)
        clock.offset = dt.timedelta(hours=-5)
        await asyncio.sleep(7300)

    assert len(world.read_at) == 4  # at the start, after the step, and twice in two hours


async def test_after_a_sleep_of_the_machine_what_was_due_meanwhile_is_connected_at_once() -> None:
    clock = SteppingClock()
    world = TimedWorld(clock, make_due_fixture(), moved(id="later", kickoff=LoopClock.START + dt.timedelta(hours=9)))
    async with running(world):
        await asyncio.sleep(600)
        # The monotonic clock stands still while a machine sleeps, and the wall clock goes on.
        clock.offset = dt.timedelta(hours=2)
        await asyncio.sleep(2)

    assert world.followed == ["f1"]


async def test_a_crowd_of_matches_is_followed_some_each_second_and_the_chosen_ones_first() -> None:
    crowd = [moved(id=f"x{number}", kickoff=LoopClock.START) for number in range(200)]
    chosen = moved(id="chosen", kickoff=LoopClock.START - dt.timedelta(minutes=50))
    world = TimedWorld(SteppingClock(), *crowd, chosen)
    world.subscribed = [*world.subscribed, Subscription(Scope.MATCH, "chosen")]
    async with running(world):
        await asyncio.sleep(0.5)
        first = list(world.followed)
        await asyncio.sleep(12)

    assert first[0] == "chosen" and len(first) <= 50
    assert sorted(world.followed) == sorted([f.id for f in (*crowd, chosen)])
    assert world.runner.is_chosen("chosen") and not world.runner.is_chosen("x1")


class FailingWorld(TimedWorld):
    """A world in which looking for due matches may fail."""

    is_failing = False

    @property
    def max_matches(self) -> int | None:
        if self.is_failing:
            raise RuntimeError("the limit is not known")
        return None

    @max_matches.setter
    def max_matches(self, limit: int | None) -> None:
        assert limit is None


BETWEEN_PLANS = 10.0
"""Seconds: everything is planned anew every 30 s."""


async def test_an_error_between_two_plans_is_logged_and_makes_no_later_connection_late() -> None:
    due = make_due_fixture()
    assert due.kickoff
    world = FailingWorld(SteppingClock(), replace(due, kickoff=due.kickoff + dt.timedelta(seconds=BETWEEN_PLANS)))
    with capture_logs() as logs:
        async with running(world):
            await asyncio.sleep(900 + BETWEEN_PLANS)
            world.is_failing = True
            await asyncio.sleep(3)
            world.is_failing = False
            await asyncio.sleep(CONNECT_AT - 900)

    assert len(world.followed_at) == 1 and 0 <= world.followed_at[0] - CONNECT_AT - BETWEEN_PLANS <= 1.5
    assert {line["reason"] for line in logs if line["log_level"] == "error"} == {"RuntimeError('the limit is not known')"}


async def test_an_error_that_stays_ends_the_process_and_is_not_passed_over() -> None:
    world = FailingWorld(SteppingClock(), make_due_fixture())
    world.is_failing = True

    with pytest.raises(RuntimeError, match="the limit is not known"):
        await world.runner.run()
