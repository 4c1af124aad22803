"""Several senders and one allowance, on the virtual loop."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.telegram.shared_rate_limits import AllowanceState, SharedRateLimiter, reserve_slots
from tests.fakes.allowance import FakeAllowance

virtual = pytest.mark.virtual_time


class Crowd:
    """Senders that always have something to send, each message to another chat; `sent` are the instants."""

    def __init__(self, per_second: int, senders: int, latency: float = 0.003) -> None:
        self.store, self.sent = FakeAllowance(latency), list[float]()
        self.limits = [SharedRateLimiter(self.store, per_second) for _ in range(senders)]
        self._chance = random.Random(senders)

    async def send(self, seconds: float) -> None:
        works = [*(one.run() for one in self.limits), *(self._greedy(one) for one in self.limits)]
        tasks = [asyncio.create_task(work) for work in works]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _greedy(self, limits: SharedRateLimiter) -> None:
        """As the sender: asks, reads the database, sends, looks at the answers."""
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            room = limits.available(now, 32)
            if not room:
                await asyncio.sleep(max(0.004, min(0.02, limits.next_send_at(now) - now)))
                continue
            await asyncio.sleep(self._chance.uniform(0.001, 0.006))
            for _ in range(room):
                limits.record_send(self._chance.randrange(10**6), now)
                self.sent.append(loop.time())

    def fullest(self) -> int:
        """How many left within the fullest second."""
        sent = sorted(self.sent)
        return max(bisect_left(sent, at + 1.0) - number for number, at in enumerate(sent))


@virtual
@pytest.mark.parametrize(("per_second", "senders"), [(30, 1), (30, 3), (1000, 1), (1000, 3)])
async def test_the_allowance_is_used_well_and_no_second_holds_more(per_second: int, senders: int) -> None:
    crowd = Crowd(per_second, senders)
    await crowd.send(6.0)

    assert crowd.fullest() <= per_second
    assert len(crowd.sent) > 0.85 * 6.0 * per_second


@virtual
async def test_an_answer_to_a_person_leaves_at_once_and_the_senders_give_up_a_slot_for_it() -> None:
    store = FakeAllowance()
    chat, sender = SharedRateLimiter(store, 10), SharedRateLimiter(store, 10)
    running = [asyncio.create_task(one.run()) for one in (chat, sender)]
    for number in range(20):
        chat.record_send(number, asyncio.get_running_loop().time())
    await asyncio.sleep(0.1)
    sender.available(asyncio.get_running_loop().time(), 1)
    await asyncio.sleep(0.1)
    opens = sender.next_send_at(0.0)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)

    assert 2.0 < opens < 2.7


@virtual
async def test_where_one_sender_is_refused_for_all_chats_the_others_wait_too() -> None:
    crowd = Crowd(30, 2)
    sending = asyncio.create_task(crowd.send(8.0))
    await asyncio.sleep(2.0)
    for chat in (1, 2, 3):
        crowd.limits[0].on_retry_after(chat, 3.0, asyncio.get_running_loop().time())
    await sending
    between = [at for at in crowd.sent if 2.3 < at < 4.9]

    assert between == []
    assert [at for at in crowd.sent if at > 5.0]


@virtual
async def test_while_the_database_is_away_nothing_leaves_and_then_it_goes_on() -> None:
    crowd = Crowd(30, 2)
    sending = asyncio.create_task(crowd.send(10.0))
    await asyncio.sleep(2.0)
    crowd.store.away = True
    await asyncio.sleep(4.0)
    crowd.store.away = False
    await sending

    assert [at for at in crowd.sent if 2.3 < at < 6.0] == []
    assert len([at for at in crowd.sent if at > 7.0]) > 60


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), max_size=30))
def test_slots_of_all_senders_never_meet_and_never_lie_in_the_past(asked: list[tuple[float, int]]) -> None:
    allowed, now, instants = AllowanceState(), 100.0, list[float]()
    for later, count in asked:
        now += later
        allowed, slots = reserve_slots(allowed, now, count, 0.01)
        assert slots.first_in >= 0.0
        instants += [now + slots.first_in + number * slots.interval for number in range(count)]

    assert all(after - before > 0.0099 for before, after in pairwise(instants))
