"""How much waits in the outbox, and for how long."""

from __future__ import annotations

import datetime as dt

import msgspec
from sqlalchemy import and_, func, select, true

from bot.outbox.delivery import DeliveryStatus
from bot.storage.database import Database
from bot.storage.driver import Transaction
from bot.storage.schema import alerts, chats, entries, to_timestamp


async def count_waiting(tx: Transaction) -> int:
    """Return how many deliveries wait, those of suspended chats included."""
    (row,) = await tx.fetch(select(func.count().label("n")).where(entries.c.status == DeliveryStatus.WAITING.value))
    return int(row["n"])


class OutboxDepth(msgspec.Struct, frozen=True):
    """How much waits: deliveries, of these the due ones of active chats, and revisions whose fan-out is not complete.

    `oldest_seconds` is for how long the oldest of them has waited: a delivery since it is due, a revision since it was stored.
    `oldest_news_seconds` is that of the revisions alone.
    """

    waiting: int
    due: int
    oldest_seconds: float
    unfinished_news: int
    oldest_news_seconds: float = 0.0


async def measure_depth(db: Database, now: dt.datetime) -> OutboxDepth:
    """Measure how much waits. Raises StorageError."""
    at, waits = to_timestamp(now), entries.c.status == DeliveryStatus.WAITING.value
    here = and_(chats.c.chat_id == entries.c.chat_id, chats.c.topic == entries.c.topic)
    all_waiting = select(func.count().label("n")).where(waits)
    due = select(func.count().label("n"), func.min(entries.c.due_at).label("first")).select_from(entries).join(chats, here)
    # Suspended chats do not count: what waits for them may wait for weeks, and would look like a stuck sender.
    due = due.where(waits, entries.c.due_at <= at, chats.c.active == true())
    # News that no sender has begun to spread has no delivery yet: it would else look as if nothing waited.
    spreading = select(func.count().label("n"), func.min(alerts.c.updated_at).label("first")).where(alerts.c.spreading == true())
    async with db.transaction() as tx:
        (all_,), (due_row,), (news,) = [await tx.fetch(query) for query in (all_waiting, due, spreading)]
    oldest, oldest_news = (max(0.0, at - row["first"]) if row["first"] is not None else 0.0 for row in (due_row, news))
    return OutboxDepth(all_["n"], due_row["n"], max(oldest, oldest_news), news["n"], oldest_news)
