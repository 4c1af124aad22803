"""How much waits: what is due to active chats, and for how long."""

import datetime as dt

from bot.clock import ManualClock
from bot.outbox.depth import OutboxDepth, measure_depth
from bot.outbox.outbox import Outbox
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import Chat, ChatRef, Scope, Subscription
from tests.bot.news import NOW, alert


async def test_the_depth_counts_what_waits_and_dates_the_oldest_that_is_due(database_url: str) -> None:
    db = await Database.open(database_url)
    chats, outbox = ChatRepository(db), Outbox(db, ManualClock(NOW))
    for chat in (Chat(ChatRef(1)), Chat(ChatRef(2), delay=60), Chat(ChatRef(3))):
        await chats.save(chat)
        await SubscriptionRepository(db).add(chat.ref, Subscription(Scope.ALL))
    seen = [await measure_depth(db, NOW)]
    await outbox.put([alert()])
    seen.append(await measure_depth(db, NOW))
    while outbox.queue.has_more:
        await outbox.queue.take()
    await chats.suspend(3, "blocked")
    seen += [await measure_depth(db, NOW + dt.timedelta(seconds=age)) for age in (0, 10, 70)]
    await db.close()

    assert seen == [
        OutboxDepth(0, 0, 0.0, 0),
        OutboxDepth(0, 0, 0.0, 1),
        OutboxDepth(3, 1, 0.0, 0),
        OutboxDepth(3, 1, 10.0, 0),
        OutboxDepth(3, 2, 70.0, 0),
    ]
