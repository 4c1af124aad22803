"""An outbox on a real database; what a sender would do is done by the test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from bot.clock import ManualClock
from bot.outbox.delivery import Delivery, DeliveryContext, DeliveryResult, QueueItem
from bot.outbox.outbox import Outbox
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import Chat, Scope, Subscription
from tests.bot.news import NOW


class World:
    """An outbox on a database, which can be closed and opened again."""

    def __init__(self, url: str) -> None:
        self.url, self.clock = url, ManualClock(NOW)

    async def open(self) -> None:
        self.db = await Database.open(self.url)
        self.chats, self.outbox = ChatRepository(self.db), Outbox(self.db, self.clock)
        self.subscriptions = SubscriptionRepository(self.db)

    async def restart(self) -> None:
        await self.db.close()
        await self.open()

    async def follow(self, *chats: Chat) -> None:
        for chat in chats:
            await self.chats.save(chat)
            await self.subscriptions.add(chat.ref, Subscription(Scope.ALL))

    async def take_all(self) -> list[QueueItem]:
        """Take everything that waits."""
        items = []
        while self.outbox.queue.has_more:
            items += await self.outbox.queue.take()
        return items

    async def record_sent(self, item: QueueItem, message_id: int = 1) -> QueueItem | None:
        """Record that an item was sent, as the sender does."""
        context = await self.load_context(item)
        assert context is not None
        seen = context.news.alternatives[0]
        return await self.complete(
            replace(context.delivery, message_id=message_id, seq=context.news.seq, rule=seen.rule, body=seen.text)
        )

    async def load_context(self, item: QueueItem) -> DeliveryContext | None:
        """Return what the sender decides by what becomes of an item."""
        (begun,) = await self.outbox.queue.begin([item], lambda context: context, lambda _: None)
        return begun[0] if begun else None

    async def complete(self, delivery: Delivery) -> QueueItem | None:
        """Record what a chat has seen."""
        (more,) = await self.outbox.queue.complete(
            [DeliveryResult(QueueItem(delivery.key, delivery.chat, 0, delivery.seq, 0.0), delivery)]
        )
        return more


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    made = World(database_url)
    await made.open()
    yield made
    await made.db.close()
