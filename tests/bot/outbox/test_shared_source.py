"""Several senders on one PostgreSQL database: every chat hears everything, in order, from one of them at a time."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from bot.clock import SystemClock
from bot.cluster.leases import LeaseRepository, name_process_lease
from bot.outbox import repository
from bot.outbox.outbox import Outbox
from bot.outbox.shared_source import SharedSource
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.subscribers import Chat, ChatRef, Scope, Subscription
from bot.telegram.rate_limits import Unlimited
from bot.telegram.sender import Sender
from rules.engine.alert import Alert
from tests.bot.news import alert, retracted
from tests.fakes.messenger import FakeMessenger

CLOCK = SystemClock()
CHATS = range(1, 451)


def fresh(made: Alert) -> Alert:
    """The same, of this very moment."""
    return replace(made, at=CLOCK.now())


class SenderProcess:
    """One process that sends; `telegram` is what it alone has sent."""

    def __init__(self, db: Database, name: str) -> None:
        self.db, self.name, self.telegram = db, name, FakeMessenger(latency=0.002)
        self.leases = LeaseRepository(db, name)

    async def start(self) -> None:
        """Live, and send."""
        await self.leases.take({name_process_lease(self.name)})
        items = SharedSource(self.db, CLOCK, self.name, stable_after=0.3)
        outbox = Outbox(self.db, CLOCK, items)
        items.on_available = lambda: outbox.on_stored()
        sender = Sender(outbox, self.telegram, Unlimited(), CLOCK, chats=ChatRepository(self.db))

        async def send() -> None:
            async with items.running():
                await sender.run()

        self.task = asyncio.create_task(send())

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def told(self, chat: int) -> list[str]:
        return [shown.html for shown in self.telegram.chats[chat]]


class World:
    """A feed that puts, chats that follow, and senders."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self.url, self.stack = url, stack
        self.senders: list[SenderProcess] = []

    async def database(self) -> Database:
        database = await Database.open(self.url)
        self.stack.push_async_callback(database.close)
        return database

    async def open(self) -> None:
        self.db = await self.database()
        self.feed = Outbox(self.db, CLOCK, SharedSource(self.db, CLOCK, "feed"))
        await self.follow(*CHATS)

    async def follow(self, *chats: int, **settings: object) -> None:
        store = ChatRepository(self.db)
        for chat in chats:
            await store.save(Chat(ChatRef(chat), all_kinds=True, **settings))  # type: ignore[arg-type]
            await store.subscribe(ChatRef(chat), Subscription(Scope.ALL))

    async def start(self, *names: str) -> None:
        for name in names:
            self.senders.append(SenderProcess(await self.database(), name))
            await self.senders[-1].start()
            self.stack.push_async_callback(self.senders[-1].stop)

    async def put(self, made: Alert) -> None:
        await self.feed.put([fresh(made)])

    def told(self, chat: int) -> list[str]:
        return [text for sender in self.senders for text in sender.told(chat)]

    async def until_told(self, count: int, within: float = 20.0) -> None:
        """Wait until every chat has so many messages."""
        async with asyncio.timeout(within):
            while any(len(self.told(chat)) < count for chat in CHATS):
                await asyncio.sleep(0.02)


@pytest.fixture
async def world(postgres_url: str) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        made = World(postgres_url, stack)
        await made.open()
        yield made


async def test_every_chat_is_told_everything_once_and_in_order_and_all_senders_have_a_share(world: World) -> None:
    await world.start("a", "b", "c")
    for number in range(4):
        await world.put(alert(1, f"goal {number}", action=f"g{number}"))
    await world.until_told(4)

    assert all(world.told(chat) == [f"goal {number}" for number in range(4)] for chat in CHATS)
    assert all(len(sender.telegram.requests) > 50 for sender in world.senders)


async def test_a_revision_reaches_each_chat_by_the_sender_that_told_it(world: World) -> None:
    await world.start("a", "b")
    await world.put(alert(1, "goal"))
    await world.until_told(1)
    await world.put(retracted(2))
    await world.until_told(2)
    ops = Counter(op for sender in world.senders for _, op, _ in sender.telegram.requests)

    assert ops == {"send": 2 * len(CHATS), "edit": len(CHATS)}
    assert all(sender.told(chat) == [] or "<s>" in sender.told(chat)[0] for sender in world.senders for chat in CHATS)


async def test_the_chats_of_a_sender_that_died_are_taken_over_when_its_lease_has_ended_and_not_before(world: World) -> None:
    await world.start("a")
    await world.put(alert(1, "goal"))
    await world.until_told(1)
    (first,) = world.senders
    first.task.cancel()
    dead = first.leases
    await world.start("b")
    await dead.take({name_process_lease("a")})
    async with world.db.transaction() as tx:
        await tx.execute(text("INSERT INTO claims SELECT chat_id, 'a' FROM chats ON CONFLICT DO NOTHING"))
    await world.put(alert(1, "second", action="h"))
    await asyncio.sleep(1.5)
    before = sum(map(len, map(world.senders[1].told, CHATS)))
    await dead.release({name_process_lease("a")})
    await world.until_told(2)

    assert before == 0 and world.senders[1].told(7) == ["second"]


async def test_a_sender_that_stops_in_order_leaves_its_chats_at_once(world: World) -> None:
    await world.start("a")
    await world.put(alert(1, "goal"))
    await world.until_told(1)
    await world.start("b")
    await world.senders[0].stop()
    await world.put(alert(1, "second", action="h"))
    await world.until_told(2, within=5)

    assert world.senders[1].told(7) == ["second"]


async def test_a_delayed_chat_hears_in_time_and_of_each_revision_as_old_as_its_picture(world: World) -> None:
    await world.follow(*CHATS[:2], delay=2)
    await world.start("a", "b")
    began = CLOCK.now()
    await world.put(alert(1, "goal"))
    await asyncio.sleep(1)
    await world.put(alert(2, "goal by Saka"))
    await world.until_told(1)
    waited = CLOCK.now() - began
    await asyncio.sleep(1.5)
    versions = [shown.versions for sender in world.senders for shown in sender.telegram.chats[1]]

    assert dt.timedelta(seconds=2) <= waited < dt.timedelta(seconds=4)
    assert versions == [["goal", "goal by Saka"]]


async def test_a_revision_waits_for_what_is_being_noted_of_its_chats_and_the_walk_over_them_does_not(world: World) -> None:
    await world.put(alert(1, "goal"))
    key, other = alert(1).key, await world.database()
    async with other.transaction() as noting:
        await repository.read_revision_stamps(noting, [key], lock=True)
        revising = asyncio.create_task(world.put(alert(2, "goal by Saka")))
        async with world.db.transaction() as walking:
            walked = await repository.claim_next_news(walking, most_urgent=True)
        await asyncio.sleep(0.2)
        waited = not revising.done()
    await revising

    assert walked and walked.seq == 1 and waited
