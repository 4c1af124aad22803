"""A sender on a virtual clock, between a real outbox and a fake Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.outbox.delivery import DeliveryResult
from bot.outbox.outbox import Outbox
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import ChatRef, Scope, Subscription
from bot.telegram.limits.rate_limits import RateLimitPolicy, Unlimited
from bot.telegram.plan import MessagePlan
from bot.telegram.sender import Sender
from rules.engine.alert import Alert
from tests.bot.news import NOW
from tests.chats import make_chat
from tests.fakes import feed
from tests.fakes.messenger import FakeMessenger, ShownMessage
from tests.rows import copy_chat
from tests.sqlite import new_sqlite
from tests.tasks import cancel_tasks


class LoopClock(feed.LoopClock):
    """The wall clock begins at the time of the alerts of `tests.bot.news`."""

    START = NOW


class World:
    """A sender between a real outbox and a fake Telegram; `restart` kills it and starts another on the same database."""

    def __init__(self, url: str) -> None:
        self.url, self.clock = url, LoopClock()
        self.telegram = FakeMessenger()
        self.limits: RateLimitPolicy = Unlimited()
        self.delivered: list[tuple[MessagePlan, DeliveryResult]] = []

    async def open(self) -> None:
        self.db = await Database.open(self.url)
        self.chats, self.outbox = ChatRepository(self.db), Outbox(self.db, self.clock)
        self.subscriptions = SubscriptionRepository(self.db)
        self.sender = Sender(self.outbox.queue, self.telegram, self.limits, self.clock, self.on_delivered, self.chats)

    def on_delivered(self, plan: MessagePlan, result: DeliveryResult) -> None:
        self.delivered.append((plan, result))

    async def restart(self) -> None:
        await self.db.close()
        await self.open()

    async def follow(self, *ids: int, **settings: object) -> None:
        first, *others = ids
        await self.chats.save(make_chat(ChatRef(first), all_kinds=True, **settings))
        await self.subscriptions.add(ChatRef(first), Subscription(Scope.ALL))
        await copy_chat(self.db, first, others)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Let the sender work while the block lasts."""
        task = asyncio.create_task(self.sender.run())
        try:
            yield
        finally:
            await cancel_tasks(task)

    async def send(self, *alerts: Alert, seconds: float = 100.0) -> None:
        """Put alerts into the outbox, one after the other, and let the sender work for so many seconds."""
        async with self.sending():
            for one in alerts:
                await self.outbox.put([one])
                await asyncio.sleep(0.1)
            await asyncio.sleep(seconds)

    def shown(self, chat_id: int = 1) -> Sequence[ShownMessage]:
        return self.telegram.chats[chat_id]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(new_sqlite(tmp_path))
    await made.open()
    yield made
    await made.db.close()
