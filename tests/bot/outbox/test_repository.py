"""How deliveries are stored and replaced, and how much waits: what is due to active chats, and for how long."""

import datetime as dt

from msgspec.structs import replace

from bot.clock import ManualClock
from bot.outbox import repository
from bot.outbox.delivery import Delivery, DeliveryStatus
from bot.outbox.depth import OutboxDepth, measure_depth
from bot.outbox.outbox import Outbox
from bot.outbox.statements import overwrite_deliveries, write_deliveries
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import Chat, ChatRef, Scope, Subscription
from rules.engine.alert import AlertKey
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


async def test_deliveries_are_stored_as_they_are_replaced_where_they_stand_and_not_made_again_where_they_are_gone(
    database_url: str,
) -> None:
    db = await Database.open(database_url)
    key = AlertKey("f1", "a1")
    made = [Delivery(key, ChatRef(number), due_at=0.1 + number, next_is_loud=True) for number in (1, -1_002_000_000_001, 3)]
    body = "⚽ <b>„Ronaldo\\“ 'N\n\t\x1f&amp;\x7f 🏴󠁧󠁢󠁥󠁮󠁧󠁿"
    sent = [
        replace(one, status=DeliveryStatus.DONE, message_id=2**53 + 1, body=body, history="1 x", pending_reply="", is_loud=True)
        for one in (*made[:2], Delivery(key, ChatRef(4)))
    ]
    async with db.transaction() as tx:
        # Twice the same chat: the last one counts.
        await repository.add_deliveries(tx, [replace(made[0], body="first"), *made])
        await overwrite_deliveries(tx, [replace(made[2], body="on its way", due_at=9.0)])
        stored = await write_deliveries(tx, sent)
        # At rest by now, so that it is not said to be on its way.
        await overwrite_deliveries(tx, [replace(made[0], body="too late")])
        await repository.add_deliveries(tx, [replace(made[1], body="new")], keep_existing=True)
    async with db.transaction() as tx:
        found = await repository.read_deliveries(tx, key, [ChatRef(number) for number in (1, -1_002_000_000_001, 3, 4)])
    await db.close()

    assert stored == {(key, one.chat) for one in sent[:2]}
    assert sorted(found.values(), key=lambda one: -one.chat.chat_id) == [
        replace(made[2], body="on its way"),
        sent[0],
        sent[1],
    ]
