"""Five requests a second over REST and connections, the urgent ones first, in all processes together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from bot.errors import StorageUnavailable
from bot.feed.request_limit import (
    FeedRequestLimiter,
    MemoryPlaces,
    Permit,
    Places,
    Priority,
    SharedPlaces,
    free_place,
    take_place,
)
from bot.storage.database import Database
from bot.storage.schema import feed_requests
from tests.fakes.feed import LoopClock
from tests.rates import count_busiest
from tests.tasks import cancel_tasks

virtual_time = pytest.mark.virtual_time


class Server:
    """Notes when requests arrive: each is some time on its way, and its answer too."""

    def __init__(self, limiter: FeedRequestLimiter, flight: float = 0.0) -> None:
        self.limiter, self._flight, self._rng = limiter, flight, random.Random(1)
        self.arrivals: list[tuple[float, str]] = []

    async def ask(self, name: str = "", priority: Priority = Priority.REST, due: float = 0.0) -> None:
        async with self.limiter.request(priority, due):
            await asyncio.sleep(self._rng.uniform(0, self._flight))
            self.arrivals.append((asyncio.get_running_loop().time(), name))
            await asyncio.sleep(self._rng.uniform(0, self._flight))

    @property
    def instants(self) -> list[float]:
        return [at for at, _ in self.arrivals]

    @property
    def names(self) -> str:
        return "".join(name for _, name in self.arrivals)


@virtual_time
@pytest.mark.parametrize("flight", [0.0, 0.3, 2.0])
async def test_at_most_five_requests_arrive_within_any_second_however_long_they_are_on_their_way(flight: float) -> None:
    server = Server(FeedRequestLimiter(LoopClock()), flight)
    await asyncio.gather(*(server.ask() for _ in range(60)))

    assert count_busiest(server.instants) <= 5
    assert max(server.instants) < 12 * (1.1 + 2 * flight)


@virtual_time
async def test_live_matches_go_before_fixtures_and_these_before_matches_that_have_not_begun() -> None:
    server = Server(FeedRequestLimiter(LoopClock()))
    await asyncio.gather(*(server.ask() for _ in range(5)))  # every place is taken
    asked = [("3", Priority.PLANNED, 300.0), ("r", Priority.REST, 0.0), ("1", Priority.PLANNED, 100.0)]
    asked += [("L", Priority.LIVE, 0.0), ("2", Priority.PLANNED, 200.0), ("L", Priority.LIVE, 0.0)]
    await asyncio.gather(*(server.ask(*one) for one in asked))

    assert server.names == "LLr123"


@virtual_time
async def test_connections_that_are_lost_again_and_again_do_not_keep_the_fixtures_from_being_read() -> None:
    server = Server(FeedRequestLimiter(LoopClock()))

    async def reconnect() -> None:
        while True:
            await server.ask("L", Priority.LIVE)

    storm = [asyncio.create_task(reconnect()) for _ in range(50)]
    await asyncio.sleep(5)
    await asyncio.gather(*(server.ask("r") for _ in range(4)))
    await cancel_tasks(*storm)

    assert next(at for at, name in server.arrivals if name == "r") == pytest.approx(15, abs=1.5)
    assert max(at for at, name in server.arrivals if name == "r") < 20


@virtual_time
async def test_a_server_that_hangs_does_not_hold_the_places_for_ever() -> None:
    limiter = FeedRequestLimiter(LoopClock())

    async def hang() -> None:
        async with limiter.request():
            await asyncio.sleep(1000)

    hanging = [asyncio.create_task(hang()) for _ in range(5)]
    await asyncio.sleep(0.01)
    async with limiter.request(Priority.LIVE):
        assert asyncio.get_running_loop().time() == pytest.approx(6, abs=0.1)
    await cancel_tasks(*hanging)


@virtual_time
async def test_a_request_that_is_given_up_takes_nobodys_place() -> None:
    server = Server(FeedRequestLimiter(LoopClock()))
    given_up = [asyncio.create_task(server.ask("x", Priority.LIVE)) for _ in range(50)]
    await asyncio.sleep(0)
    await cancel_tasks(*given_up)
    await asyncio.gather(*(server.ask() for _ in range(5)))

    assert max(server.instants) < 2.5


def test_a_place_that_was_given_away_is_not_freed_by_a_late_answer() -> None:
    places, late = take_place(Places((0.0,)), 10.0, Priority.LIVE, yields=True)
    assert isinstance(late, Permit)
    places, other = take_place(places, late.taken_until, Priority.LIVE, yields=True)
    assert isinstance(other, Permit)

    assert free_place(places, late.taken_until, late) == places


@given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from(Priority), st.booleans()), max_size=60))
def test_no_second_begins_more_than_five_requests(steps: list[tuple[float, Priority, bool]]) -> None:
    places, now, permits, taken = Places((0.0,) * 5), 100.0, list[Permit](), list[float]()
    for passed, priority, answers in steps:
        now += passed
        if answers and permits:
            places = free_place(places, now, permits.pop(0))
        places, found = take_place(places, now, priority, yields=True)
        if isinstance(found, Permit):
            permits.append(found)
            taken.append(now)

    assert not taken or count_busiest(taken) <= 5


@pytest.mark.slow
async def test_processes_on_one_database_share_the_five_places(db: Database) -> None:
    clock = LoopClock()
    servers = [Server(FeedRequestLimiter(clock, places=SharedPlaces(db)), 0.05) for _ in range(2)]
    await asyncio.gather(*(server.ask() for server in servers for _ in range(8)))
    await asyncio.gather(*(server.limiter.close() for server in servers))

    assert count_busiest([*servers[0].instants, *servers[1].instants]) <= 5
    assert [len(server.arrivals) for server in servers] == [8, 8]


async def test_a_process_leaves_a_place_to_the_more_urgent_request_of_another(db: Database) -> None:
    first, second = SharedPlaces(db), SharedPlaces(db)
    for _ in range(5):
        assert isinstance(await first.take(Priority.PLANNED, yields=True), Permit)
    assert not isinstance(await second.take(Priority.LIVE, yields=True), Permit)
    await _let_expire(db, "place 3")

    assert not isinstance(await first.take(Priority.PLANNED, yields=True), Permit)
    assert isinstance(await second.take(Priority.LIVE, yields=True), Permit)


async def _let_expire(db: Database, name: str) -> None:
    """As if the request in a place had been answered more than a second ago."""
    async with db.transaction() as tx:
        await tx.execute(update(feed_requests).where(feed_requests.c.name == name).values(until=0.0))


class DatabaseAway(MemoryPlaces):
    """Places in a database that cannot be reached."""

    look_again_after = 0.1

    async def take(self, priority: Priority, *, yields: bool) -> Permit | float:
        raise StorageUnavailable("away")

    async def free(self, permits: Sequence[Permit]) -> None:
        raise StorageUnavailable("away")


@virtual_time
async def test_while_the_database_is_away_a_process_goes_on_with_one_request_a_second() -> None:
    clock = LoopClock()
    server = Server(FeedRequestLimiter(clock, places=DatabaseAway(clock)))
    await asyncio.gather(*(server.ask() for _ in range(4)))

    assert count_busiest(server.instants) == 1
    assert max(server.instants) < 4


class Broken(MemoryPlaces):
    """Places with a fault."""

    async def take(self, priority: Priority, *, yields: bool) -> Permit | float:
        raise RuntimeError("a fault")


@virtual_time
async def test_a_fault_reaches_those_who_wait() -> None:
    server = Server(FeedRequestLimiter(LoopClock(), places=Broken(LoopClock())))
    found = await asyncio.gather(server.ask(), server.ask(), return_exceptions=True)

    assert [type(error) for error in found] == [RuntimeError, RuntimeError]
