"""Leases of several processes on the virtual loop: who works at what, and how soon another goes on."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial

import pytest

from bot.cluster.balance import name_fixture_lease
from bot.cluster.lease_manager import LeaseManager
from bot.cluster.leased_work import run_while_leased
from bot.cluster.roles import Role
from tests.fakes.leases import FakeLeases, Table

pytestmark = pytest.mark.virtual_time
TEN = [str(number) for number in range(10)]


class World:
    """Processes that all want to follow the same matches; `at_work` says who follows what, `both` what two did at once."""

    def __init__(self, *names: str) -> None:
        self.table = Table()
        self.at_work: defaultdict[str, set[str]] = defaultdict(set)
        self.both: list[str] = []
        self.ends = asyncio.Event()
        self.calm = True
        self.prepares_for = 3.0
        """Seconds until a process is ready to take a match over."""
        self.moves: list[tuple[str, str]] = []
        """Each match that was begun, and by whom."""
        self.managers: dict[str, LeaseManager] = {}
        self.leases = {name: FakeLeases(self.table, name) for name in names}
        self.processes = {name: self.start(name) for name in names}

    def start(self, name: str) -> asyncio.Task[object]:
        manager = self.managers[name] = LeaseManager(self.leases[name], [Role.FEED])
        manager.hand_over.prepare = self.prepare
        self.table.released.append(manager.check_now)
        works = [self.work(manager, name, match) for match in TEN]
        return asyncio.ensure_future(asyncio.gather(manager.run(), *works))

    async def work(self, manager: LeaseManager, name: str, match: str, *, is_reopened: bool = False) -> None:
        work = partial(self.follow, name, match)
        lease = name_fixture_lease(match)
        await run_while_leased(manager, lease, work, is_calm=lambda: self.calm, is_reopened=is_reopened)

    async def prepare(self, _: str) -> bool:
        await asyncio.sleep(self.prepares_for)
        return True

    async def follow(self, name: str, match: str) -> None:
        if self.who(match):
            self.both.append(match)
        self.moves.append((match, name))
        self.at_work[name].add(match)
        try:
            await self.ends.wait()
        finally:
            self.at_work[name].discard(match)

    def who(self, match: str) -> list[str]:
        return [name for name, matches in self.at_work.items() if match in matches]

    async def die(self, name: str) -> None:
        """As after kill -9: nothing is released."""
        self.leases[name].dead = True
        self.leases[name].lose_session()
        await self.stop(name)

    def join(self, name: str) -> None:
        """Another process."""
        self.leases[name] = FakeLeases(self.table, name)
        self.processes[name] = self.start(name)

    def shares(self, names: str) -> list[int]:
        """How many matches each of them follows."""
        return [len(self.at_work[name]) for name in names]

    async def stop(self, name: str) -> None:
        self.processes[name].cancel()
        await asyncio.gather(self.processes[name], return_exceptions=True)
        await self.managers[name].unregister()
        self.leases[name].lose_session()

    async def over(self) -> None:
        for name in self.processes:
            await self.stop(name)


async def test_ten_matches_spread_evenly_over_two_processes_within_seconds() -> None:
    world = World("a", "b")
    await asyncio.sleep(5)
    shares = [len(world.at_work[name]) for name in "ab"]
    await world.over()

    assert shares == [5, 5] and world.both == []


async def test_a_process_that_stops_in_order_is_followed_at_once() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    await world.stop("a")
    await asyncio.sleep(0.1)
    followed = world.at_work["b"] == set(TEN)
    await world.over()

    assert followed and world.both == []


async def test_what_a_process_could_not_release_at_its_stop_is_followed_soon() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    world.leases["a"].releases = False
    await world.stop("a")
    await asyncio.sleep(3.5)
    followed = world.at_work["b"] == set(TEN)
    await world.over()

    assert followed and world.both == []


@pytest.mark.parametrize("after", [60.0, 61.3, 62.9])
async def test_the_matches_of_a_process_that_was_killed_are_followed_within_three_seconds(after: float) -> None:
    world = World("a", "b")
    await asyncio.sleep(after)
    await world.die("a")
    await asyncio.sleep(3.0)
    followed = world.at_work["b"] == set(TEN)
    await world.over()

    assert followed and world.both == []


async def test_a_process_that_is_only_slow_keeps_its_matches_until_its_leases_end() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    world.leases["a"].is_stopped = True
    await asyncio.sleep(7.0)
    before = world.shares("ab")
    await asyncio.sleep(6.0)
    taken = world.shares("ab")
    world.leases["a"].is_stopped = False
    await asyncio.sleep(60)
    after = world.shares("ab")
    await world.over()

    assert before == [5, 5] and taken == [0, 10] and after == [5, 5] and world.both == []


async def test_a_process_that_lost_its_connection_for_a_second_keeps_its_matches() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    for _ in range(5):
        world.leases["a"].lose_session()
        await asyncio.sleep(1.2)
        await world.leases["a"].open_session()
        await asyncio.sleep(3.7)
    begun = len(world.moves)
    await world.over()

    assert begun == len(TEN)


async def test_after_the_database_was_away_nobody_is_taken_for_dead() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    for leases in world.leases.values():
        leases.lose_session()
    world.table.away = True
    await asyncio.sleep(3.0)
    world.table.away = False
    await world.leases["b"].open_session()
    await asyncio.sleep(1.3)
    await world.leases["a"].open_session()
    await asyncio.sleep(30)
    begun = len(world.moves)
    await world.over()

    assert begun == len(TEN)


async def test_a_process_that_joins_is_handed_its_share_of_the_matches_one_after_the_other() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    world.join("c")
    await asyncio.sleep(60)
    shares, begun = world.shares("abc"), len(world.moves)
    await asyncio.sleep(600)
    later = len(world.moves)
    await world.over()

    assert sorted(shares) == [3, 3, 4] and world.both == []
    assert later == begun == len(TEN) + 3


async def test_matches_that_stayed_on_one_process_are_shared_again_when_another_comes_back() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    await world.die("a")
    await asyncio.sleep(10)
    world.join("c")
    await asyncio.sleep(60)
    shares = world.shares("bc")
    await world.over()

    assert shares == [5, 5] and world.both == []


async def test_a_match_is_handed_over_in_a_calm_moment_and_stays_where_it_is_until_then() -> None:
    world = World("a")
    await asyncio.sleep(10)
    world.calm = False
    world.join("b")
    await asyncio.sleep(20)
    before = world.shares("ab")
    world.calm = True
    await asyncio.sleep(1.0)
    after = world.shares("ab")
    await world.over()

    assert before == [10, 0] and after == [9, 1]


async def test_a_process_that_never_gets_ready_takes_no_match_and_one_that_dies_while_it_gets_ready_loses_none() -> None:
    world = World("a")
    await asyncio.sleep(10)
    world.prepares_for = 3600.0
    world.join("b")
    await asyncio.sleep(60)
    await world.die("b")
    await asyncio.sleep(60)
    shares = world.shares("ab")
    await world.over()

    assert shares == [10, 0] and len(world.moves) == len(TEN)


async def test_a_match_that_goes_on_after_its_end_is_followed_at_once_and_by_one_process() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    world.ends.set()
    await asyncio.sleep(3)
    world.ends.clear()
    reopened = [asyncio.ensure_future(world.work(world.managers[name], name, "0", is_reopened=True)) for name in "ab"]
    await asyncio.sleep(1)
    followed = world.who("0")
    world.ends.set()
    await asyncio.sleep(3)
    world.ends.clear()
    await asyncio.sleep(3)
    are_done = [task.done() for task in reopened]
    await world.over()

    assert len(followed) == 1 and are_done == [True, True] and world.both == []


async def test_whoever_cannot_renew_stops_before_its_lease_can_be_anothers_and_goes_on_when_it_can() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    world.table.away = True
    await asyncio.sleep(8.1)
    stopped = [world.who(match) for match in TEN] == [[]] * 10
    await asyncio.sleep(20)
    world.table.away = False
    await asyncio.sleep(5)
    followed = [len(world.who(match)) for match in TEN] == [1] * 10
    await world.over()

    assert stopped and followed and world.both == []


async def test_a_short_absence_of_the_database_disturbs_nobody() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    before = {name: set(matches) for name, matches in world.at_work.items()}
    world.table.away = True
    await asyncio.sleep(4.5)
    world.table.away = False
    await asyncio.sleep(60)
    after = {name: set(matches) for name, matches in world.at_work.items()}
    await world.over()

    assert after == before and world.both == []


async def test_a_match_that_one_process_saw_end_is_over_for_all_and_is_not_followed_again() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    world.ends.set()
    await asyncio.sleep(3)
    world.ends.clear()
    await asyncio.sleep(60)
    idle = not any(world.at_work.values())
    await world.over()

    assert idle and world.both == []
