"""Several senders on one PostgreSQL database: every chat gets everything, in order, from one of them at a time."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import func, insert, select, text, true

from bot.cluster.chat_claims import ChatClaims, DueRange
from bot.cluster.leases import LeaseRepository, name_process_lease
from bot.outbox import fanout, news_store, repository, shared_source, statements
from bot.outbox.delivery import Delivery, QueueItem
from bot.outbox.outbox import Outbox
from bot.outbox.shared_source import SharedSource
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.driver import Transaction
from bot.storage.schema import chats, subscriptions
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.sender import Sender
from rules.engine.alert import Alert, AlertKey
from tests.bot.news import alert, minor, retracted
from tests.fakes.messenger import FakeMessenger
from tests.postgres import COUNT_BLOCKED
from tests.tasks import cancel_tasks
from tests.waiting import DEADLINE, until

PAGE = 20
CHATS = range(1, 46)
"""Three pages of them: whoever reaches a page first sends to its chats."""
LEASE_DURATION = 3600.0
"""Seconds that a sender counts as alive: nobody renews its lease here, however long a test takes."""


class MovableClock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        # A whole second: sums of others differ in their last digit, so that what is due now would not be due yet.
        self._start, self._seconds = dt.datetime.now(dt.UTC).replace(microsecond=0), 0.0

    def now(self) -> dt.datetime:
        return self._start + dt.timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def move_to(self, seconds: float) -> None:
        """Let it be so many seconds after the start."""
        self._seconds = seconds


class CountingSource(SharedSource):
    """Counts how often its sender has looked for something to send, and lets it wait for the others after its first page."""

    looks_begun = looks_ended = 0
    after_first_page: asyncio.Barrier | None = None
    is_killed = False
    """Its end leaves its claims as they are."""

    async def _release_all(self) -> None:
        if not self.is_killed:
            await super()._release_all()

    async def take(self, *, urgent_only: bool = False) -> list[QueueItem]:
        self.looks_begun += 1
        number = self.looks_begun
        items = await super().take(urgent_only=urgent_only)
        if items and self.after_first_page:
            barrier, self.after_first_page = self.after_first_page, None
            await barrier.wait()
        self.looks_ended = number
        return items


class SenderProcess:
    """One process that sends; `telegram` is what it alone has sent."""

    def __init__(self, db: Database, name: str, clock: MovableClock) -> None:
        self.db, self.name, self.telegram = db, name, FakeMessenger(latency=0.002)
        self.leases = LeaseRepository(db, name, LEASE_DURATION)
        self.source = CountingSource(db, clock, name, stable_after=0.0)
        outbox = Outbox(db, clock, self.source)
        self._sender = Sender(outbox.queue, self.telegram, Unlimited(), clock, chats=ChatRepository(db))
        self.source.on_available = self._sender.wake
        self.source.on_possible_edits = self._sender.suspect_edits

    async def start(self) -> None:
        """Hold the lease of a living process, and send."""
        await self.leases.acquire({name_process_lease(self.name)})
        self.task = asyncio.create_task(self._send())

    async def _send(self) -> None:
        async with self.source.running():
            await self._sender.run()

    async def stop(self) -> None:
        await cancel_tasks(self.task)

    async def kill(self) -> None:
        """End it as a kill does: its lease and its claims stay, and what is on its way is noted nowhere."""
        self.source.is_killed = True
        await self.stop()

    async def look_for_work(self) -> None:
        """Let it look through the whole database, and wait until it has begun to send all that it may send now."""
        for _ in range(2):  # it looks again when it has begun what the look before has found
            wanted = self.source.looks_begun + 1
            self.source.rescan()
            self._sender.wake()
            await until(lambda wanted=wanted: self.source.looks_ended >= wanted)  # type: ignore[misc]

    def list_sent(self, chat: int) -> list[str]:
        return [shown.html for shown in self.telegram.chats[chat]]


class World:
    """A feed that puts, chats that follow, and senders."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self.url, self.stack = url, stack
        self.clock = MovableClock()
        self.senders: list[SenderProcess] = []

    async def database(self) -> Database:
        database = await Database.open(self.url)
        self.stack.push_async_callback(database.close)
        return database

    async def open(self) -> None:
        self.db = await self.database()
        self.feed = Outbox(self.db, self.clock, SharedSource(self.db, self.clock, "feed"))
        store = ChatRepository(self.db)
        await store.save(Chat(ChatRef(CHATS[0]), filter=AlertFilter(all_kinds=True)))
        await SubscriptionRepository(self.db).add(ChatRef(CHATS[0]), Subscription(Scope.ALL))
        async with self.db.transaction() as tx:  # the others are like it
            for table in (chats, subscriptions):
                columns = [column for column in table.columns if column.name != "chat_id"]
                others = select(func.generate_series(CHATS[1], CHATS[-1]).label("chat_id")).subquery()
                rows = select(others.c.chat_id, *columns).join_from(table, others, true())
                await tx.execute(insert(table).from_select(["chat_id", *(column.name for column in columns)], rows))

    async def follow(self, *ids: int, delay: int) -> None:
        for chat in ids:
            await ChatRepository(self.db).save(Chat(ChatRef(chat), filter=AlertFilter(all_kinds=True), delay=delay))

    async def start(self, *names: str) -> None:
        for name in names:
            self.senders.append(SenderProcess(await self.database(), name, self.clock))
            await self.senders[-1].start()
            self.stack.push_async_callback(self.senders[-1].stop)

    async def put(self, made: Alert) -> None:
        await self.feed.put([replace(made, at=self.clock.now())])

    def list_sent(self, chat: int) -> list[str]:
        return [text for sender in self.senders for text in sender.list_sent(chat)]

    async def read_chats_by_sender(self) -> dict[str, set[int]]:
        """The chats of each sender."""
        async with self.db.transaction() as tx:
            rows = await tx.fetch(text("SELECT chat_id, sender FROM claims"))
        return {sender: {row["chat_id"] for row in rows if row["sender"] == sender} for sender in {row["sender"] for row in rows}}

    async def is_count_waiting(self, count: int) -> bool:
        """Return True if so many entries wait to be sent."""
        return await self.feed.count_waiting() == count

    async def has_blocked(self) -> bool:
        """Return True if a transaction waits for another one."""
        async with self.db.transaction() as tx:
            (row,) = await tx.fetch(text(COUNT_BLOCKED))
        return bool(row["count"])

    async def until_sent(self, count: int) -> None:
        """Wait until every chat has so many messages, and nothing more is to be sent or noted."""
        await until(lambda: all(len(self.list_sent(chat)) >= count for chat in CHATS))
        await until(lambda: self.is_count_waiting(0))


@pytest.fixture
async def world(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(fanout, "PAGE_SIZE", PAGE)
    monkeypatch.setattr(fanout, "FIRST_PAGE_SIZE", PAGE)
    async with AsyncExitStack() as stack:
        made = World(postgres_url, stack)
        await made.open()
        yield made


async def test_every_chat_is_told_everything_once_and_in_order_and_all_senders_have_a_share(world: World) -> None:
    await world.start("a", "b", "c")
    each_has_a_page = asyncio.Barrier(3)
    for sender in world.senders:
        sender.source.after_first_page = each_has_a_page
    for number in range(4):
        await world.put(alert(1, f"goal {number}", action=f"g{number}"))
    await world.until_sent(4)

    assert all(world.list_sent(chat) == [f"goal {number}" for number in range(4)] for chat in CHATS)
    assert all(len(sender.telegram.requests) >= 4 * 5 for sender in world.senders)


async def test_a_sender_without_room_takes_what_is_loud_and_leaves_the_rest(world: World) -> None:
    source = SharedSource(world.db, world.clock, "a", stable_after=0.0)
    await LeaseRepository(world.db, "a", LEASE_DURATION).acquire({name_process_lease("a")})
    await world.put(minor(1, "yellow", action="card"))
    await world.put(alert(1, "goal"))

    urgent = []
    while source.has_urgent:
        urgent += await source.take(urgent_only=True)

    assert {item.key.action_id for item in urgent if item.is_loud} == {"g"}
    assert {item.chat.chat_id for item in urgent if item.key.action_id == "g"} == set(CHATS)
    rest = []
    while source.has_more:
        rest += await source.take()
    assert {item.chat.chat_id for item in rest if item.key.action_id == "card" and not item.is_loud} == set(CHATS)


async def test_the_pages_of_a_goal_are_reached_without_a_search_through_all_that_waits_for_each(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SharedSource(world.db, world.clock, "a", stable_after=0.0)
    await LeaseRepository(world.db, "a", LEASE_DURATION).acquire({name_process_lease("a")})
    await world.put(alert(1, "goal"))
    select_unclaimed, searches = ChatClaims.select_unclaimed_rows, []

    async def count(claims: ChatClaims, tx: Transaction, due_range: DueRange, *, take_over_dead: bool) -> Sequence[Sequence[Any]]:
        searches.append(due_range)
        return await select_unclaimed(claims, tx, due_range, take_over_dead=take_over_dead)

    monkeypatch.setattr(ChatClaims, "select_unclaimed_rows", count)
    taken = []
    while source.has_urgent:
        taken.append(len(await source.take(urgent_only=True)))
    assert taken == [20, 20, 5, 0] and len(searches) == 1

    # What another process announces is searched for at once, also while there is no room for anything else.
    source._on_deliveries("a")
    await source.take(urgent_only=True)
    assert len(searches) == 2


async def test_a_revision_reaches_each_chat_by_the_sender_that_told_it(world: World) -> None:
    await world.start("a", "b")
    await world.put(alert(1, "goal"))
    await world.until_sent(1)
    await world.put(retracted(2))
    await world.until_sent(2)
    ops = Counter(op for sender in world.senders for _, op, _ in sender.telegram.requests)

    assert ops == {"send": 2 * len(CHATS), "edit": len(CHATS)}
    assert all(sender.list_sent(chat) == [] or "<s>" in sender.list_sent(chat)[0] for sender in world.senders for chat in CHATS)


async def test_the_chats_of_a_sender_that_died_are_taken_over_when_its_lease_has_ended_and_not_before(world: World) -> None:
    await world.start("a")
    await world.put(alert(1, "goal"))
    await world.until_sent(1)
    first = world.senders[0]
    await first.stop()  # it leaves its chats in order; what follows leaves them as a kill does
    async with world.db.transaction() as tx:
        await tx.execute(
            text("INSERT INTO claims SELECT chat_id, 'a' FROM chats ON CONFLICT (chat_id) DO UPDATE SET sender = 'a'")
        )
    await world.start("b")
    await world.put(alert(1, "second", action="h"))
    await until(lambda: world.is_count_waiting(len(CHATS)))
    await world.senders[1].look_for_work()
    before = sum(map(len, map(world.senders[1].list_sent, CHATS)))
    await first.leases.release({name_process_lease("a")})
    await world.until_sent(2)

    assert before == 0 and world.senders[1].list_sent(7) == ["second"]


async def test_a_sender_that_stops_in_order_leaves_its_chats_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_source, "_RELEASE_TIMEOUT", DEADLINE)
    await world.start("a")
    await world.put(alert(1, "goal"))
    await world.until_sent(1)
    await world.start("b")
    await world.senders[0].stop()
    await world.put(alert(1, "second", action="h"))
    await world.until_sent(2)  # the lease of the first one lasts for an hour

    assert world.senders[1].list_sent(7) == ["second"]


async def test_an_edit_that_arrived_before_its_sender_was_killed_is_taken_back_by_the_one_that_takes_its_chats_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.telegram.sender.FINISH_TIMEOUT", 0.0)
    await world.start("a", "b")
    first, second = world.senders
    second.telegram.chats = first.telegram.chats
    async with world.db.transaction() as tx:
        await tx.execute(text("INSERT INTO claims SELECT chat_id, 'a' FROM chats"))
    world.clock.move_to(1.0)  # the second one is at work since before the messages
    await world.put(alert(1, "goal"))
    await until(lambda: all(first.list_sent(chat) for chat in CHATS))
    await until(lambda: world.is_count_waiting(0))
    first.telegram.answers_lost_until = asyncio.get_running_loop().time() + DEADLINE
    await world.put(retracted(2))
    await until(lambda: all(first.list_sent(chat) == ["<s>goal</s>"] for chat in CHATS))
    await first.kill()
    world.clock.move_to(3.0)
    await world.put(alert(3, "goal"))
    await until(lambda: world.is_count_waiting(len(CHATS)))

    await first.leases.release({name_process_lease("a")})
    await second.look_for_work()
    await until(lambda: world.is_count_waiting(0))

    assert all(first.list_sent(chat) == ["goal"] for chat in CHATS)


async def test_who_takes_over_a_chat_counts_what_it_was_sent_lately(world: World) -> None:
    await world.start("a")
    await world.put(alert(1, "goal"))
    await world.until_sent(1)
    first = world.senders[0]
    taken_over: list[tuple[int, float]] = []
    second = SharedSource(world.db, world.clock, "b", stable_after=0.0)
    second.on_recent_sends = taken_over.extend
    await LeaseRepository(world.db, "b", LEASE_DURATION).acquire({name_process_lease("b")})
    await first.stop()
    world.clock.move_to(5.0)
    await world.put(alert(1, "second", action="h"))
    while second.has_more:
        await second.take()

    assert {chat for chat, _ in taken_over} == set(CHATS)
    assert len(taken_over) == len(CHATS)


async def test_a_sender_gives_calm_chats_to_one_that_has_none_and_none_for_which_something_waits(world: World) -> None:
    await world.follow(*CHATS[:5], delay=60)
    await world.start("a")
    await world.put(alert(1, "goal"))
    await until(lambda: all(len(world.list_sent(chat)) == 1 for chat in CHATS[5:]))
    await until(lambda: world.is_count_waiting(5))
    first = world.senders[0].source
    async with world.db.transaction() as tx:  # those of the delayed chats too, for which something waits
        await tx.execute(
            text("INSERT INTO claims SELECT chat_id, 'a' FROM chats ON CONFLICT (chat_id) DO UPDATE SET sender = 'a'")
        )
    await first.balance()
    both = LeaseRepository(world.db, "b", LEASE_DURATION)
    await both.acquire({name_process_lease("b")}, '{"roles": ["feed", "send"]}')
    await world.senders[0].leases.acquire({name_process_lease("a")}, '{"roles": ["send"]}')
    await first.balance()
    at_once = await world.read_chats_by_sender()
    world.clock.move_to(5.0)
    await first.balance()
    later = await world.read_chats_by_sender()
    await first.balance()

    assert at_once == {"a": set(CHATS)}
    assert len(later["b"]) == len(CHATS) // 2 and not later["b"] & set(CHATS[:5])
    assert await world.read_chats_by_sender() == later


async def test_a_sender_that_was_given_chats_counts_what_they_were_sent_lately(world: World) -> None:
    await world.start("a")
    await world.put(alert(1, "goal"))
    await world.until_sent(1)
    await until(lambda: world.is_count_waiting(0))
    sent: list[tuple[int, float]] = []
    second = SharedSource(world.db, world.clock, "b")
    second.on_recent_sends = sent.extend
    await LeaseRepository(world.db, "b", LEASE_DURATION).acquire({name_process_lease("b")}, '{"roles": ["send"]}')
    await world.senders[0].leases.acquire({name_process_lease("a")}, '{"roles": ["send"]}')
    world.clock.move_to(5.0)
    await world.senders[0].source.balance()
    await second.balance()
    await second.balance()

    assert sorted(chat for chat, _ in sent) == sorted((await world.read_chats_by_sender())["b"])


async def test_a_delayed_chat_gets_each_revision_after_its_delay_and_not_sooner(world: World) -> None:
    await world.follow(*CHATS[:2], delay=2)
    await world.start("a", "b")
    seen = []

    async def see(seconds: float) -> None:
        """Let it be so late, and note what a delayed chat has been shown by then."""
        world.clock.move_to(seconds)
        for sender in world.senders:
            await sender.look_for_work()
        versions = [shown.versions for sender in world.senders for shown in sender.telegram.chats[1]]
        seen.append((seconds, [list(version) for version in versions]))

    await world.put(alert(1, "goal"))
    await until(lambda: all(len(world.list_sent(chat)) == 1 for chat in CHATS[2:]))
    await see(1.0)
    await world.put(alert(2, "goal by Saka"))
    await until(lambda: all(world.list_sent(chat) == ["goal by Saka"] for chat in CHATS[2:]))
    for second in (1.9, 2.0, 2.9, 3.0):
        await see(second)

    sent, revised = [["goal"]], [["goal", "goal by Saka"]]
    assert seen == [(1.0, []), (1.9, []), (2.0, sent), (2.9, sent), (3.0, revised)]


async def test_a_revision_waits_for_what_is_being_noted_of_its_chats_and_the_walk_over_them_does_not(world: World) -> None:
    await world.put(alert(1, "goal"))
    key, other = alert(1).key, await world.database()
    async with other.transaction() as noting:
        await news_store.read_revision_stamps(noting, [key], lock=True)
        revising = asyncio.create_task(world.put(alert(2, "goal by Saka")))
        await until(world.has_blocked)
        async with world.db.transaction() as walking:
            walked = await news_store.claim_next_news(walking, most_urgent=True)
        waited = not revising.done()
    await revising

    assert walked and walked.seq == 1 and waited


async def test_of_news_that_the_server_has_no_statistics_of_only_the_deliveries_of_the_batch_are_read(postgres_url: str) -> None:
    import asyncpg

    database = await Database.open(postgres_url)
    sql, arrange = statements._SELECT_DELIVERIES.postgres
    connection = await asyncpg.connect(postgres_url)
    try:
        async with database.transaction() as tx:
            made = [Delivery(AlertKey("f1", "a1"), ChatRef(number)) for number in range(1, 401)]
            await repository.add_deliveries(tx, made)
        explained = await connection.fetch(f"EXPLAIN (ANALYZE) {sql}", *arrange(("f1", "a1", 5, 300, 300)))
    finally:
        await connection.close()
        await database.close()

    plan = "\n".join(row[0] for row in explained)
    assert "Rows Removed by Filter" not in plan
    # Of so few rows the server may take either index: both lead to the chats of the batch.
    assert re.search(r"(entries_pkey|entries_by_chat).*\n.*chat_id = wanted.chat_id", plan)


async def test_a_sender_reads_no_table_whole_by_a_plan_from_when_it_was_small(world: World) -> None:
    async with world.db.transaction() as tx:
        await tx.execute(text("ANALYZE"))
    await world.start("a")
    await world.put(alert(1, "goal"))
    await world.until_sent(1)
    await world.put(retracted(2))
    await world.until_sent(2)

    plans = await _explain_kept_statements(world.senders[0].db)
    assert len(plans) > 15
    assert {statement: plan for statement, plan in plans.items() if _find_whole_reads(plan, "Seq Scan")} == {}
    # An index that is read from its first to its last row is no better.
    of_batches = {statement: plan for statement, plan in plans.items() if "LATERAL" in statement}
    assert len(of_batches) > 4
    assert {statement: plan for statement, plan in of_batches.items() if _find_whole_reads(plan, "Scan")} == {}
    # What is written is found by its key: through the status each row would be searched for among all that wait.
    stored = [plan for statement, plan in plans.items() if re.match(r"\s*(INSERT INTO|UPDATE) entries", statement)]
    assert len(stored) > 2 and not [plan for plan in stored if "entries_waiting" in str(plan)]


_GROWING = ("entries", "alerts", "chats", "claims", "subscriptions", "grouped")


async def _explain_kept_statements(db: Database) -> dict[str, Any]:
    """Return by its text the plan that the server keeps for each statement that the connections of a process have prepared."""
    plans = {}
    async with AsyncExitStack() as stack:
        # At the same time, so that each has another connection of the pool.
        for tx in [await stack.enter_async_context(db.transaction()) for _ in range(4)]:
            connection = tx._raw  # type: ignore[attr-defined]
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            for name, statement, count in await connection.fetch(
                "SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements"
            ):
                if any(f" {table}" in statement for table in _GROWING):
                    nulls = f"({', '.join(['NULL'] * count)})" if count else ""
                    plans[statement] = await connection.fetchval(f'EXPLAIN (FORMAT JSON) EXECUTE "{name}"{nulls}')
    return plans


def _find_whole_reads(plan: Any, kind: str) -> list[str]:
    """Return the growing tables that a plan reads whole, by a scan of this kind."""
    if isinstance(plan, list):
        return [found for part in plan for found in _find_whole_reads(part, kind)]
    if not isinstance(plan, dict):
        return []
    below = [found for part in plan.values() for found in _find_whole_reads(part, kind)]
    is_whole = kind in plan.get("Node Type", "") and not {"Index Cond", "Recheck Cond"} & plan.keys()
    return [*below, plan["Relation Name"]] if is_whole and plan.get("Relation Name") in _GROWING else below
