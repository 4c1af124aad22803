"""Leases of several processes on the virtual loop: who works at what, and how soon another goes on."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest

from bot.cluster.lease_manager import LeaseManager, name_fixture_lease, run_while_leased
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
        self.managers: dict[str, LeaseManager] = {}
        self.leases = {name: FakeLeases(self.table, name) for name in names}
        self.processes = {name: self.start(name) for name in names}

    def start(self, name: str) -> asyncio.Task[object]:
        manager = self.managers[name] = LeaseManager(self.leases[name], [Role.FEED])
        self.table.released.append(manager.check_now)
        works = [
            run_while_leased(manager, name_fixture_lease(match), lambda match=match: self.follow(name, match)) for match in TEN
        ]  # type: ignore[misc]
        return asyncio.ensure_future(asyncio.gather(manager.run(), *works))

    async def follow(self, name: str, match: str) -> None:
        if self.who(match):
            self.both.append(match)
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
        await self.stop(name)

    async def stop(self, name: str) -> None:
        self.processes[name].cancel()
        await asyncio.gather(self.processes[name], return_exceptions=True)
        await self.managers[name].unregister()

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


@pytest.mark.parametrize("after", [60.0, 61.3, 62.9])
async def test_a_process_that_dies_is_followed_within_fifteen_seconds_and_not_before_its_leases_end(after: float) -> None:
    world = World("a", "b")
    await asyncio.sleep(after)
    await world.die("a")
    await asyncio.sleep(6)
    early = len(world.at_work["b"])
    await asyncio.sleep(9)
    followed = world.at_work["b"] == set(TEN)
    await world.over()

    assert early == 5 and followed


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
