"""Several senders and one rate, on the virtual loop: no second at Telegram holds more, however late messages arrive."""

from __future__ import annotations

import asyncio
import random

import pytest

from bot.telegram.limits.paid_messages import PaidMessages
from bot.telegram.limits.shared_rate_limits import SharedRateLimiter
from tests.fakes.feed import LoopClock
from tests.fakes.rate_shares import FakePaidCounts, FakeShares, ShareTable
from tests.rates import count_busiest
from tests.tasks import cancel_tasks

virtual = pytest.mark.virtual_time


class FakeSender:
    """A sender, or a process that answers people; `pending` is what waits to be sent, each message to another chat."""

    def __init__(self, group: SenderGroup, name: str, per_second: int, *, is_sender: bool = True) -> None:
        self.group, self.name, paid = group, name, None
        self.paid_counts = FakePaidCounts(group.table)
        if group.paid_limit is not None:
            paid = PaidMessages(self.paid_counts, LoopClock(), per_second)
            paid.limit = lambda: group.paid_limit
        self.limits = SharedRateLimiter(FakeShares(group.table, name), per_second, is_sender=is_sender, paid=paid)
        group.table.listeners.append(self.limits.request_look)
        self._pending, self._has_work, self.sent = 0, asyncio.Event(), 0
        work = [self.limits.run(), self._send(), *([paid.run()] if paid else [])]
        self.workers = [asyncio.create_task(one) for one in work]
        self.requests = set[asyncio.Task[None]]()

    @property
    def pending(self) -> int:
        """How many messages wait to be sent."""
        return self._pending

    @pending.setter
    def pending(self, count: int) -> None:
        self._pending = count
        if count:
            self._has_work.set()

    async def _send(self) -> None:
        """As the sender: asks, reads the database, sends, looks at the answers."""
        loop, rng = asyncio.get_running_loop(), self.group.rng
        while True:
            now = loop.time()
            room = self.limits.available(now, min(32, self.pending))
            if not self.pending:
                self._has_work.clear()
                await self._has_work.wait()
                continue
            if not room:
                await asyncio.sleep(max(0.004, min(0.02, self.limits.next_send_at(now) - now)))
                continue
            await asyncio.sleep(rng.uniform(0.001, 0.006))
            self.pending -= room
            for _ in range(room):
                is_paid = self.limits.record_send(rng.randrange(10**6), now, may_be_paid=True)
                self._start_request(now, is_paid=is_paid)

    def answer(self) -> None:
        """Answer a person at once."""
        now = asyncio.get_running_loop().time()
        self.limits.record_send(1, now)
        self._start_request(now)

    def _start_request(self, taken_at: float, *, is_paid: bool = False) -> None:
        task = asyncio.create_task(self._request(taken_at, is_paid=is_paid))
        self.requests.add(task)
        task.add_done_callback(self._forget_request)

    def _forget_request(self, task: asyncio.Task[None]) -> None:
        # At its end, every test looks through all tasks that are kept. What one failed with is raised when the group stops.
        if not task.cancelled() and not task.exception():
            self.requests.discard(task)

    async def _request(self, taken_at: float, *, is_paid: bool = False) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self.group.find_delay(self.name)))
        self.group.arrived.append(loop.time())
        (self.group.paid_at if is_paid else self.group.unpaid_at).append(loop.time())
        self.sent += 1
        await asyncio.sleep(self.group.rng.uniform(0.005, 0.05))
        self.limits.record_answer(taken_at, loop.time())
        self.limits.on_accepted(taken_at, loop.time())

    async def kill(self) -> None:
        """As after a kill: what has left arrives all the same, and nothing that was reserved is returned."""
        self.paid_counts.is_dead = True
        await cancel_tasks(*self.workers)
        self.group.table.listeners.remove(self.limits.request_look)


class SenderGroup:
    """Several senders that share one rate; `arrived` is when each message was at Telegram."""

    def __init__(self, per_second: int, senders: int, latency: float = 0.003, paid_limit: int | None = None) -> None:
        """`paid_limit` is how many messages may be paid for; None: the rate needs no payment."""
        self.table, self.arrived, self.per_second = ShareTable(latency), list[float](), per_second
        self.paid_limit, self.paid_at, self.unpaid_at = paid_limit, list[float](), list[float]()
        self.rng = random.Random(senders)
        self.delays: dict[str, tuple[float, float]] = {}
        """By process, from when to when none of its messages arrives."""
        self.senders = [FakeSender(self, f"s{number}", per_second) for number in range(senders)]

    def find_delay(self, name: str) -> float:
        """How long a message that leaves now is on its way."""
        now = asyncio.get_running_loop().time()
        begin, end = self.delays.get(name, (0.0, 0.0))
        return end - now if begin <= now < end else self.rng.uniform(0.001, 0.02)

    async def stop(self) -> None:
        """End all."""
        tasks = [task for sender in self.senders for task in (*sender.workers, *sender.requests)]
        await cancel_tasks(*tasks)

    def count_busiest_second(self, since: float = 0.0) -> int:
        """Return how many arrived in the busiest second."""
        return count_busiest([at for at in self.arrived if at >= since])


@pytest.mark.slow
@virtual
@pytest.mark.parametrize(("per_second", "senders"), [(30, 1), (30, 3), (1000, 1), (1000, 2)])
async def test_the_rate_is_used_well_and_no_second_holds_more(per_second: int, senders: int) -> None:
    group = SenderGroup(per_second, senders)
    for sender in group.senders:
        sender.pending = 10**6
    await asyncio.sleep(5.0)
    await group.stop()

    assert group.count_busiest_second() <= per_second
    assert len(group.arrived) > 0.85 * 5.0 * per_second


@pytest.mark.slow
@virtual
async def test_a_burst_on_all_senders_after_quiet_and_messages_that_arrive_late_stay_within_the_rate() -> None:
    group = SenderGroup(1000, 2)
    await asyncio.sleep(3.0)
    for sender in group.senders:
        sender.pending = 2_000
    # For 0.7 s nothing of one sender arrives; then it comes together, while the other one sends.
    group.delays["s0"] = (asyncio.get_running_loop().time() + 0.1, asyncio.get_running_loop().time() + 0.8)
    await asyncio.sleep(8.0)
    await group.stop()

    assert group.count_busiest_second() <= 1000
    assert len(group.arrived) == 4_000


@virtual
async def test_a_sender_alone_with_work_gets_nearly_all_at_once_and_leaves_the_other_enough_to_begin() -> None:
    group = SenderGroup(30, 2)
    await asyncio.sleep(3.0)
    first, second = group.senders
    began = asyncio.get_running_loop().time()
    first.pending = 25
    await asyncio.sleep(0.3)
    alone = first.sent
    first.pending = 1_000
    await asyncio.sleep(5.0)
    second.pending = 2
    await asyncio.sleep(0.3)
    at_once, rate = second.sent, first.sent / (asyncio.get_running_loop().time() - began)
    second.pending = 1_000
    await asyncio.sleep(10.0)
    both = first.sent, second.sent
    await asyncio.sleep(5.0)
    shares = [first.sent - both[0], second.sent - both[1]]
    await group.stop()

    assert alone == 25 and at_once == 2 and rate > 24
    assert min(shares) > 60
    assert group.count_busiest_second() <= 30


@virtual
async def test_what_a_killed_sender_had_is_the_others_after_a_while_and_not_before() -> None:
    group = SenderGroup(100, 2)
    for sender in group.senders:
        sender.pending = 10**6
    await asyncio.sleep(4.0)
    await group.senders[0].kill()
    await asyncio.sleep(1.0)
    before = group.senders[1].sent
    await asyncio.sleep(1.0)
    soon = group.senders[1].sent - before
    await asyncio.sleep(4.0)
    before = group.senders[1].sent
    await asyncio.sleep(2.0)
    later = group.senders[1].sent - before
    await group.stop()

    assert soon <= 55 and later > 180
    assert group.count_busiest_second() <= 100


@virtual
async def test_answers_to_people_leave_at_once_and_the_senders_give_up_as_many() -> None:
    group = SenderGroup(30, 1)
    chat = FakeSender(group, "chat", 30, is_sender=False)
    group.senders.append(chat)
    group.senders[0].pending = 10**6
    await asyncio.sleep(5.0)
    began = asyncio.get_running_loop().time()
    for _ in range(60):
        chat.answer()
        await asyncio.sleep(0.1)
    during = group.senders[0].sent
    await asyncio.sleep(5.0)
    after = group.senders[0].sent - during
    await group.stop()

    assert chat.sent >= 59 and after > 120
    # The first of them left in a second that was full already. From then on the sender leaves room for them.
    assert group.count_busiest_second(since=began + 1.2) <= 30


@virtual
async def test_where_one_sender_is_refused_for_all_chats_the_others_wait_too() -> None:
    group = SenderGroup(30, 2)
    for sender in group.senders:
        sender.pending = 10**6
    await asyncio.sleep(2.0)
    for chat in (1, 2, 3):
        group.senders[0].limits.on_retry_after(chat, 3.0, asyncio.get_running_loop().time())
    await asyncio.sleep(6.0)
    await group.stop()

    assert [at for at in group.arrived if 2.3 < at < 4.9] == []
    assert [at for at in group.arrived if at > 5.0]


@virtual
async def test_a_long_wait_of_some_chats_pauses_the_others_of_all_senders_only_until_one_message_was_taken() -> None:
    group = SenderGroup(30, 2)
    for sender in group.senders:
        sender.pending = 10**6
    await asyncio.sleep(2.0)
    for chat in (1, 2, 3):
        group.senders[0].limits.on_retry_after(chat, 3600.0, asyncio.get_running_loop().time())
    await asyncio.sleep(28.0)
    await group.stop()

    assert [at for at in group.arrived if 2.3 < at < 11.9] == []
    assert len([at for at in group.arrived if at > 20.0]) > 200


@virtual
@pytest.mark.parametrize("answered_after", [0.0, 0.5], ids=["before it is known", "after it is known"])
async def test_a_message_that_was_taken_ends_no_pause_that_another_sender_was_asked_for_since_it_left(
    answered_after: float,
) -> None:
    group = SenderGroup(30, 2)
    (probing, refused), loop = (sender.limits for sender in group.senders), asyncio.get_running_loop()
    await asyncio.sleep(1.0)
    for chat in (1, 2, 3):
        probing.on_retry_after(chat, 60.0, loop.time())
    await asyncio.sleep(12.0)
    left_at = loop.time()
    for chat in (4, 5, 6):
        refused.on_retry_after(chat, 30.0, loop.time())
    await asyncio.sleep(answered_after)
    probing.on_accepted(left_at, loop.time())
    await asyncio.sleep(5.0)
    before = [sender.limits.available(loop.time(), 3) for sender in group.senders]
    probing.on_accepted(loop.time(), loop.time())
    await asyncio.sleep(1.0)
    after = [sender.limits.available(loop.time(), 3) for sender in group.senders]
    await group.stop()

    # During a pause one message may leave now and then.
    assert max(before) <= 1 and after == [3, 3]


@virtual
async def test_a_message_that_was_taken_ends_no_newer_pause_that_is_shorter_than_the_one_that_was_known_when_it_left() -> None:
    group = SenderGroup(30, 2)
    (probing, refused), loop = (sender.limits for sender in group.senders), asyncio.get_running_loop()
    await asyncio.sleep(1.0)
    for chat in (1, 2, 3):
        probing.on_retry_after(chat, 60.0, loop.time())
    await asyncio.sleep(12.0)
    left_at = loop.time()
    # The other sender ends that pause and asks for a shorter one, both between two looks of this one.
    group.table.listeners.remove(probing.request_look)
    refused.on_accepted(loop.time(), loop.time())
    await asyncio.sleep(0.05)
    for chat in (4, 5, 6):
        refused.on_retry_after(chat, 30.0, loop.time())
    await asyncio.sleep(2.0)
    group.table.listeners.append(probing.request_look)
    paused_until = group.table.closed_until
    probing.on_accepted(left_at, loop.time())
    await asyncio.sleep(2.0)
    before, paused_still_until = [sender.limits.available(loop.time(), 3) for sender in group.senders], group.table.closed_until
    probing.on_accepted(loop.time(), loop.time())
    await asyncio.sleep(2.0)
    after = [sender.limits.available(loop.time(), 1) for sender in group.senders]
    await group.stop()

    assert 25.0 < paused_until - left_at < 35.0 and paused_still_until == paused_until
    assert max(before) <= 1 and after == [1, 1] and group.table.closed_until == 0.0


@virtual
async def test_while_the_database_is_away_nothing_leaves_and_then_it_goes_on() -> None:
    group = SenderGroup(30, 2)
    for sender in group.senders:
        sender.pending = 10**6
    await asyncio.sleep(2.0)
    group.table.is_away = True
    await asyncio.sleep(8.0)
    group.table.is_away = False
    await asyncio.sleep(4.0)
    await group.stop()

    assert [at for at in group.arrived if 5.2 < at < 10.0] == []
    assert len([at for at in group.arrived if at > 11.0]) > 60


@pytest.mark.slow
@virtual
@pytest.mark.parametrize("senders", [1, 2, 3])
async def test_what_is_beyond_the_free_rate_is_paid_for_until_the_budget_is_spent_and_then_all_leaves_at_the_free_rate(
    senders: int,
) -> None:
    group = SenderGroup(1000, senders, paid_limit=1500)
    await asyncio.sleep(3.0)
    for sender in group.senders:
        sender.pending = 2400 // senders
    await asyncio.sleep(10.0)
    spent_after = max(group.paid_at) - 3.0
    arrived = len(group.arrived)
    await asyncio.sleep(30.0)  # what is left leaves at 30 a second
    await group.stop()

    assert len(group.paid_at) == 1500 == group.table.paid.used and spent_after < 4.0
    assert group.table.paid.spent_limit == 1500
    assert arrived < 1500 + 11 * 30, "it went on at the paid rate"
    assert len(group.arrived) == 2400, "something was lost"
    assert count_busiest(group.unpaid_at) <= 30


@virtual
async def test_what_the_free_rate_suffices_for_costs_nothing() -> None:
    group = SenderGroup(1000, 2, paid_limit=1500)
    await asyncio.sleep(3.0)
    for _ in range(10):
        group.senders[0].pending += 26
        await asyncio.sleep(2.0)
    await group.stop()

    assert (len(group.arrived), len(group.paid_at), group.table.paid.used) == (260, 0, 0)


@virtual
async def test_what_was_reserved_and_is_not_needed_is_returned_and_a_killed_sender_has_at_most_its_reserve() -> None:
    group = SenderGroup(1000, 2, paid_limit=5000)
    await asyncio.sleep(3.0)
    group.senders[0].pending = 400
    await asyncio.sleep(5.0)
    returned = group.table.paid.used - len(group.paid_at)
    group.senders[1].pending = 400
    while group.senders[1].sent < 300:
        await asyncio.sleep(0.01)
    await group.senders[1].kill()
    await asyncio.sleep(5.0)
    await group.stop()

    assert returned == 0 and len(group.paid_at) > 300
    assert 0 <= group.table.paid.used - len(group.paid_at) <= 250 + 125


@pytest.mark.slow
@virtual
async def test_beside_a_sender_of_paid_messages_an_idle_one_does_not_ask_for_its_part_again_and_again() -> None:
    group = SenderGroup(1000, 2, paid_limit=100_000)
    await asyncio.sleep(3.0)
    before = group.table.renewals
    group.senders[0].pending = 5_000
    await asyncio.sleep(5.0)
    renewals = group.table.renewals - before
    await group.stop()

    assert len(group.paid_at) > len(group.arrived) - 60 > 4_000
    assert renewals < 100
