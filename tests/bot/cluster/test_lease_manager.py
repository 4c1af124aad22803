"""Leases of several processes on the virtual loop: who works at what, and how soon another goes on."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial

import pytest
from structlog.testing import capture_logs

from bot.cluster.balance import name_fixture_lease
from bot.cluster.lease_manager import LeaseManager
from bot.cluster.leased_work import run_while_leased
from bot.cluster.roles import Role
from tests.fakes.leases import FakeLeases, Table
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time
TEN = [str(number) for number in range(10)]


class World:
    """Processes that want to follow the same matches. `at_work` has those of each, `followed_twice` what two followed at once."""

    def __init__(self, *names: str) -> None:
        self.table = Table()
        self.at_work: defaultdict[str, set[str]] = defaultdict(set)
        self.followed_twice: list[str] = []
        self.match_ends = asyncio.Event()
        self.is_calm = True
        self.prepare_time = 3.0
        """Seconds until a process is ready to take a match over."""
        self.started: list[tuple[str, str]] = []
        """Each match that somebody began to follow, and who it was."""
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
        await run_while_leased(manager, lease, work, is_calm=lambda: self.is_calm, is_reopened=is_reopened)

    async def prepare(self, _: str) -> bool:
        await asyncio.sleep(self.prepare_time)
        return True

    async def follow(self, name: str, match: str) -> None:
        if self.find_followers(match):
            self.followed_twice.append(match)
        self.started.append((match, name))
        self.at_work[name].add(match)
        try:
            await self.match_ends.wait()
        finally:
            self.at_work[name].discard(match)

    def find_followers(self, match: str) -> list[str]:
        return [name for name, matches in self.at_work.items() if match in matches]

    async def kill(self, name: str) -> None:
        """As after kill -9: nothing is released."""
        self.leases[name].is_dead = True
        self.leases[name].lose_session()
        await self.stop(name)

    def join(self, name: str) -> None:
        """Start another process."""
        self.leases[name] = FakeLeases(self.table, name)
        self.processes[name] = self.start(name)

    def count_matches(self, names: str) -> list[int]:
        """Return how many matches each of them follows."""
        return [len(self.at_work[name]) for name in names]

    async def stop(self, name: str) -> None:
        await cancel_tasks(self.processes[name])
        await self.managers[name].unregister()
        self.leases[name].lose_session()

    async def stop_all(self) -> None:
        for name in self.processes:
            await self.stop(name)


async def test_ten_matches_spread_evenly_over_two_processes_within_seconds() -> None:
    world = World("a", "b")
    await asyncio.sleep(5)
    counts = [len(world.at_work[name]) for name in "ab"]
    await world.stop_all()

    assert counts == [5, 5] and world.followed_twice == []


async def test_a_process_that_stops_in_order_is_followed_at_once() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    await world.stop("a")
    await asyncio.sleep(0.1)
    followed = world.at_work["b"] == set(TEN)
    await world.stop_all()

    assert followed and world.followed_twice == []


async def test_what_a_process_could_not_release_at_its_stop_is_followed_soon() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    world.leases["a"].releases = False
    await world.stop("a")
    await asyncio.sleep(3.5)
    followed = world.at_work["b"] == set(TEN)
    await world.stop_all()

    assert followed and world.followed_twice == []


@pytest.mark.parametrize("after", [60.0, 61.3, 62.9])
async def test_the_matches_of_a_process_that_was_killed_are_followed_within_three_seconds(after: float) -> None:
    world = World("a", "b")
    await asyncio.sleep(after)
    await world.kill("a")
    await asyncio.sleep(3.0)
    followed = world.at_work["b"] == set(TEN)
    await world.stop_all()

    assert followed and world.followed_twice == []


async def test_a_process_that_is_only_slow_keeps_its_matches_until_its_leases_end() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    world.leases["a"].is_stopped = True
    await asyncio.sleep(7.0)
    before = world.count_matches("ab")
    await asyncio.sleep(6.0)
    taken = world.count_matches("ab")
    world.leases["a"].is_stopped = False
    await asyncio.sleep(60)
    after = world.count_matches("ab")
    await world.stop_all()

    assert before == [5, 5] and taken == [0, 10] and after == [5, 5] and world.followed_twice == []


async def test_a_process_that_lost_its_connection_for_a_second_keeps_its_matches() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    for _ in range(5):
        world.leases["a"].lose_session()
        await asyncio.sleep(1.2)
        await world.leases["a"].open_session()
        await asyncio.sleep(3.7)
    begun = len(world.started)
    await world.stop_all()

    assert begun == len(TEN)


async def test_after_the_database_was_away_nobody_is_taken_for_dead() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    for leases in world.leases.values():
        leases.lose_session()
    world.table.is_away = True
    await asyncio.sleep(3.0)
    world.table.is_away = False
    await world.leases["b"].open_session()
    await asyncio.sleep(1.3)
    await world.leases["a"].open_session()
    await asyncio.sleep(30)
    begun = len(world.started)
    await world.stop_all()

    assert begun == len(TEN)


@pytest.mark.slow
async def test_a_process_that_joins_is_handed_its_share_of_the_matches_one_after_the_other() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    world.join("c")
    await asyncio.sleep(60)
    counts, begun = world.count_matches("abc"), len(world.started)
    await asyncio.sleep(600)
    later = len(world.started)
    await world.stop_all()

    assert sorted(counts) == [3, 3, 4] and world.followed_twice == []
    assert later == begun == len(TEN) + 3


async def test_matches_that_stayed_on_one_process_are_shared_again_when_another_comes_back() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    await world.kill("a")
    await asyncio.sleep(10)
    world.join("c")
    await asyncio.sleep(60)
    counts = world.count_matches("bc")
    await world.stop_all()

    assert counts == [5, 5] and world.followed_twice == []


async def test_a_match_is_handed_over_in_a_calm_moment_and_stays_where_it_is_until_then() -> None:
    world = World("a")
    await asyncio.sleep(10)
    world.is_calm = False
    world.join("b")
    await asyncio.sleep(20)
    before = world.count_matches("ab")
    world.is_calm = True
    await asyncio.sleep(1.0)
    after = world.count_matches("ab")
    await world.stop_all()

    assert before == [10, 0] and after == [9, 1]


async def test_a_process_that_never_gets_ready_takes_no_match_and_one_that_dies_while_it_gets_ready_loses_none() -> None:
    world = World("a")
    await asyncio.sleep(10)
    world.prepare_time = 3600.0
    world.join("b")
    await asyncio.sleep(60)
    await world.kill("b")
    await asyncio.sleep(60)
    counts = world.count_matches("ab")
    await world.stop_all()

    assert counts == [10, 0] and len(world.started) == len(TEN)


async def test_a_match_that_goes_on_after_its_end_is_followed_at_once_and_by_one_process() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    world.match_ends.set()
    await asyncio.sleep(3)
    world.match_ends.clear()
    reopened = [asyncio.ensure_future(world.work(world.managers[name], name, "0", is_reopened=True)) for name in "ab"]
    await asyncio.sleep(1)
    followed = world.find_followers("0")
    world.match_ends.set()
    await asyncio.sleep(3)
    world.match_ends.clear()
    await asyncio.sleep(3)
    are_done = [task.done() for task in reopened]
    await world.stop_all()

    assert len(followed) == 1 and are_done == [True, True] and world.followed_twice == []


async def test_whoever_cannot_renew_stops_before_its_lease_can_be_anothers_and_goes_on_when_it_can() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    world.table.is_away = True
    await asyncio.sleep(8.1)
    stopped = [world.find_followers(match) for match in TEN] == [[]] * 10
    await asyncio.sleep(20)
    world.table.is_away = False
    await asyncio.sleep(5)
    followed = [len(world.find_followers(match)) for match in TEN] == [1] * 10
    await world.stop_all()

    assert stopped and followed and world.followed_twice == []


async def test_a_short_absence_of_the_database_disturbs_nobody() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    before = {name: set(matches) for name, matches in world.at_work.items()}
    world.table.is_away = True
    await asyncio.sleep(4.5)
    world.table.is_away = False
    await asyncio.sleep(60)
    after = {name: set(matches) for name, matches in world.at_work.items()}
    await world.stop_all()

    assert after == before and world.followed_twice == []


async def test_a_match_that_one_process_saw_end_is_over_for_all_and_is_not_followed_again() -> None:
    world = World("a", "b")
    await asyncio.sleep(60)
    world.match_ends.set()
    await asyncio.sleep(3)
    world.match_ends.clear()
    await asyncio.sleep(60)
    idle = not any(world.at_work.values())
    await world.stop_all()

    assert idle and world.followed_twice == []


async def test_a_hand_over_that_failed_is_not_logged_as_a_lease_that_was_not_released() -> None:
    table = Table()
    manager = LeaseManager(FakeLeases(table, "a"), [Role.FEED])
    running = asyncio.create_task(manager.run())
    with capture_logs() as lines:
        for receiver in ("b", ""):
            async with manager.hold(name_fixture_lease("1")) as lease:
                if receiver:
                    lease.hand_over(receiver)
                table.is_away = True
            table.is_away = False
    await cancel_tasks(running)

    assert [line["event"] for line in lines if "_not_" in line["event"]] == ["lease_not_handed_over", "leases_not_released"]


async def test_what_a_process_says_of_itself_and_others_cannot_read_ends_no_other_process() -> None:
    world = World("a", "b")
    await asyncio.sleep(10)
    ((name, (holder, until, _)),) = [(name, row) for name, row in world.table.rows.items() if row[0] == "a" and "roles" in row[2]]
    world.table.rows[name] = holder, until, '{"roles": 5}'
    read_with_damage = await world.managers["b"].read_processes()
    await asyncio.sleep(10)
    are_running = [not process.done() for process in world.processes.values()]
    followers = {match: len(world.find_followers(match)) for match in TEN}
    await world.stop_all()

    assert read_with_damage.keys() == {"a", "b"} and not read_with_damage["a"].roles
    assert are_running == [True, True] and set(followers.values()) == {1} and world.followed_twice == []
