"""Messages beyond the free rate: how many a day are paid for, and that the database keeps the count."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from sqlalchemy import insert, select, update

from bot.clock import SystemClock
from bot.cluster.leases import LeaseRepository, name_process_lease
from bot.errors import ChatGone, DeliveryError, PaymentRefused, RequestRefused, TelegramUnreachable
from bot.fake_telegram.state import Limits
from bot.outbox.outbox import Outbox
from bot.outbox.shared_source import SharedSource
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.driver import RATE_CHANNEL
from bot.storage.schema import paid_messages
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import ChatRef, Scope, Subscription
from bot.telegram.limits.paid_messages import PaidBudget, PaidMessageRepository, PaidMessages, PaidUse
from bot.telegram.limits.rate_limits import RateLimiter
from bot.telegram.limits.rate_shares import RateShareRepository
from bot.telegram.limits.shared_rate_limits import SharedRateLimiter
from bot.telegram.sender import Sender
from tests.bot.news import alert
from tests.chats import make_chat
from tests.fakes.feed import LoopClock
from tests.fakes.messenger import FakeMessenger
from tests.fakes.rate_shares import FakePaidCounts, ShareTable
from tests.rows import copy_chat, open_database
from tests.tasks import cancel_tasks
from tests.waiting import until

virtual = pytest.mark.virtual_time


async def test_processes_that_reserve_at_once_get_no_more_than_the_budget_together(db: Database) -> None:
    processes, before = [PaidMessageRepository(db) for _ in range(4)], dt.datetime.now(dt.UTC).date()
    reserved = await asyncio.gather(*(process.reserve(30, 100) for process in processes))
    refused = await processes[0].reserve(30, 100)
    use = await processes[1].read()

    assert sorted(count for count, _, _ in reserved) == [10, 30, 30, 30]
    assert refused[0] == 0 and use == PaidUse(100, spent_limit=100)
    assert before <= refused[1] <= dt.datetime.now(dt.UTC).date() and 0 < refused[2] <= 86_400


async def test_a_restart_goes_on_with_the_count_and_what_is_returned_or_added_to_the_budget_may_be_used(db: Database) -> None:
    _, day, _ = await PaidMessageRepository(db).reserve(80, 80)
    after = PaidMessageRepository(db)
    spent = await after.reserve(10, 80)
    await after.give_back(5, day)
    returned, raised, without_limit = await after.reserve(10, 80), await after.reserve(10, 100), await after.reserve(50, None)

    assert [count for count, _, _ in (spent, returned, raised, without_limit)] == [0, 5, 10, 50]
    assert (await after.read()).used == 140


async def test_each_day_has_its_own_count_and_old_ones_are_deleted(db: Database) -> None:
    counts = PaidMessageRepository(db)
    _, today, _ = await counts.reserve(7, 10)
    async with db.transaction() as tx:
        await tx.execute(update(paid_messages).values(day=(today - dt.timedelta(days=1)).isoformat()))
        await tx.execute(insert(paid_messages).values(day=(today - dt.timedelta(days=40)).isoformat(), used=3))
    new = await counts.reserve(10, 10)
    await counts.delete_old()
    async with db.transaction() as tx:
        days = [row["used"] for row in await tx.fetch(select(paid_messages.c.used).order_by(paid_messages.c.day))]

    assert new[0] == 10 and days == [7, 10]


@pytest.mark.parametrize(
    ("use", "limit", "is_spent"),
    [
        (PaidUse(90), 100, False),
        (PaidUse(100, spent_limit=100), 100, True),
        (PaidUse(80, spent_limit=100), 100, True),  # some were returned: it is not told again when they are sent
        (PaidUse(100, spent_limit=100), 200, False),
        (PaidUse(100, spent_limit=100), None, False),
        (PaidUse(0, spent_limit=0), 0, False),  # nothing was to be paid for
    ],
)
def test_a_budget_that_did_not_suffice_stays_spent_until_it_is_raised(use: PaidUse, limit: int | None, *, is_spent: bool) -> None:
    assert PaidBudget(use, limit).is_spent == is_spent


@virtual
async def test_at_midnight_what_was_reserved_is_not_sent_nor_added_to_the_budget_of_the_new_day() -> None:
    table, midnight = ShareTable(), 100.0
    paid = PaidMessages(FakePaidCounts(table, midnight), LoopClock(), 40)
    paid.limit = lambda: 10
    task = asyncio.create_task(paid.run())
    paid.request()
    await asyncio.sleep(0.5)
    before = paid.count_available(99.9)
    paid.limit = lambda: 0
    stopped = paid.count_available(99.9)
    paid.limit = lambda: 10
    taken = paid.take(99.9)
    late = paid.take(100.1)
    paid.give_back(99.9)  # yesterday's: the budget of the new day is not larger for it
    at_midnight = paid.count_available(100.1)
    await cancel_tasks(task)

    assert (before, stopped, taken, late, at_midnight) == (10, 0, True, False, 0)


class OneSender:
    """A sender at a hundred messages a second, of which 30 are free."""

    def __init__(self, db: Database, budget: int | None) -> None:
        self.db, self.clock, self.telegram = db, LoopClock(), FakeMessenger()
        self.paid = PaidMessages(PaidMessageRepository(db), self.clock, 100)
        self.paid.limit = lambda: budget
        self.outbox = Outbox(db, self.clock)
        self.sender = Sender(self.outbox.queue, self.telegram, RateLimiter(100, self.paid), self.clock)
        self.paid.on_reserved = self.sender.wake

    async def send(self, seconds: float = 20.0) -> None:
        """Send one alert, and let so much time pass."""
        tasks = [asyncio.create_task(self.sender.run()), asyncio.create_task(self.paid.run())]
        await self.outbox.put([alert(at=self.clock.now())])
        await asyncio.sleep(seconds)
        await cancel_tasks(*tasks)

    @property
    def reached(self) -> int:
        return sum(bool(shown) for shown in self.telegram.chats.values())


async def follow(db: Database, count: int) -> None:
    await ChatRepository(db).save(make_chat(ChatRef(1), all_kinds=True))
    await SubscriptionRepository(db).add(ChatRef(1), Subscription(Scope.ALL))
    await copy_chat(db, 1, range(2, count + 1))


@virtual
@pytest.mark.parametrize(("budget", "paid"), [(None, 70), (45, 45), (0, 0)])
async def test_what_leaves_beyond_thirty_a_second_is_paid_for_as_far_as_the_budget_goes(budget: int | None, paid: int) -> None:
    async with open_database("sqlite://") as db:
        await follow(db, 100)
        one = OneSender(db, budget)
        await one.send()
        use = await PaidMessageRepository(db).read()

    assert (one.reached, len(one.telegram.paid_at), use.used) == (100, paid, paid)


@virtual
@pytest.mark.parametrize(
    ("errors", "is_counted"),
    [
        ([ChatGone("Forbidden: bot was blocked by the user")] * 2, False),
        ([TelegramUnreachable("?", maybe_sent=True)], True),
    ],
)
async def test_what_telegram_refuses_costs_nothing_and_what_it_may_have_taken_does(
    errors: list[DeliveryError], is_counted: bool
) -> None:
    async with open_database("sqlite://") as db:
        await follow(db, 60)
        one = OneSender(db, 1000)
        for chat in range(1, 61, 2):
            one.telegram.fail(chat, *errors)
        await one.send(seconds=120.0)
        use = await PaidMessageRepository(db).read()

    # The last 30 of 60 are to be paid for, and every other one of them fails.
    arrived = len(one.telegram.paid_at)
    assert 15 <= arrived < 60 and (arrived < use.used <= 60 if is_counted else use.used == arrived)


@virtual
@pytest.mark.parametrize(
    "refusal", [PaymentRefused("Bad Request: BALANCE_TOO_LOW"), RequestRefused("Bad Request: NO_MONEY_TODAY")]
)
async def test_a_message_whose_payment_is_refused_is_sent_without_it(refusal: RequestRefused) -> None:
    async with open_database("sqlite://") as db:
        await follow(db, 200)
        one = OneSender(db, None)
        one.telegram.limits, one.telegram.payment_refusal = Limits(), refusal
        given_up: list[str] = []
        one.sender.failures.on_request_refused = given_up.append
        await one.send(seconds=120.0)
        use = await PaidMessageRepository(db).read()

    assert one.reached == 200 and all(len(shown) == 1 for shown in one.telegram.chats.values())
    assert (given_up, use.used, one.telegram.paid_at) == ([], 0, [])


@pytest.mark.slow
@virtual
async def test_after_a_refused_payment_one_message_is_tried_every_ten_minutes_until_it_is_taken() -> None:
    async with open_database("sqlite://") as db:
        await follow(db, 200)
        one = OneSender(db, None)
        one.telegram.payment_refusal = PaymentRefused("Bad Request: BALANCE_TOO_LOW")
        refusals: list[str] = []
        one.sender.failures.on_payment_refused = refusals.append
        tasks = [asyncio.create_task(one.sender.run()), asyncio.create_task(one.paid.run())]
        tries, last = [], 0
        for number in range(1, 7):
            if number == 5:
                one.telegram.payment_refusal = None
            await one.outbox.put([alert(number, action=f"a{number}", at=one.clock.now())])
            await asyncio.sleep(300.0)
            tries.append(len(one.telegram.payments_refused_at) - last)
            last = len(one.telegram.payments_refused_at)
        await cancel_tasks(*tasks)
        use = await PaidMessageRepository(db).read()

    # Every five minutes a goal: what was in flight the first time, and then one of each third goal at most.
    assert 1 <= tries[0] <= 70 and tries[1] == 0 and tries[2] + tries[3] == 1 and tries[4:] == [0, 0]
    assert len(refusals) == sum(tries) and all(len(shown) == 6 for shown in one.telegram.chats.values())
    assert len(one.telegram.paid_at) == use.used > 100


class PostgresSender:
    """A sender of several, with a database connection of its own; a hundred messages a second for all of them."""

    def __init__(self, db: Database, name: str, budget: int) -> None:
        clock = SystemClock()
        self.db, self.name, self.telegram = db, name, FakeMessenger()
        self.paid = PaidMessages(PaidMessageRepository(db), clock, 100)
        self.paid.limit = lambda: budget
        self.source = SharedSource(db, clock, name, stable_after=0.0)
        self.outbox = Outbox(db, clock, self.source)
        self.limits = SharedRateLimiter(RateShareRepository(db, name), 100, is_sender=True, paid=self.paid)
        self.sender = Sender(self.outbox.queue, self.telegram, self.limits, clock)
        self.source.on_available = self.limits.on_more = self.paid.on_reserved = self.sender.wake

    async def start(self) -> list[asyncio.Task[None]]:
        await LeaseRepository(self.db, self.name, 3600.0).acquire({name_process_lease(self.name)})
        await self.db.listen(RATE_CHANNEL, self.limits.request_look)
        return [asyncio.create_task(work) for work in (self.limits.run(), self.paid.run(), self._send())]

    async def _send(self) -> None:
        async with self.source.running():
            await self.sender.run()


async def test_two_senders_on_one_database_pay_for_no_more_than_the_budget_and_send_the_rest_for_nothing(
    postgres_url: str,
) -> None:
    async with open_database(postgres_url) as first, open_database(postgres_url) as second:
        await follow(first, 100)
        senders = [PostgresSender(first, "a", 25), PostgresSender(second, "b", 25)]
        tasks = [task for sender in senders for task in await sender.start()]
        await senders[0].outbox.put([alert(at=dt.datetime.now(dt.UTC))])
        await until(lambda: sum(len(sender.telegram.chats) for sender in senders) == 100)
        await cancel_tasks(*tasks)
        use = await PaidMessageRepository(first).read()

    paid = sum(len(sender.telegram.paid_at) for sender in senders)
    assert 0 < paid <= 25 and use.used == paid
    assert use.spent_limit == 25
