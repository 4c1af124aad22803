"""Reads and writes deliveries inside a transaction, and finds the chats of news. `news_store` keeps the news itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import and_, bindparam, or_, select, true, update

from bot.outbox.decide import is_next_loud
from bot.outbox.delivery import Delivery, DeliveryStatus, QueueItem, Reason, read_history
from bot.outbox.news import NewsItem
from bot.outbox.news_store import IS_DELIVERY_OF_NEWS, of_news
from bot.outbox.statements import (
    DELIVERY_COLUMNS,
    STILL_WAITS,
    ResultRow,
    row_to_delivery,
    row_to_key,
    to_rows,
    values_to_delivery,
    write_on_postgres,
)
from bot.storage.chat_rows import row_to_chat, row_to_readable_chat
from bot.storage.damage import UNREADABLE, note_damage, read_rows
from bot.storage.database import upsert
from bot.storage.driver import PreparedStatement, Transaction
from bot.storage.schema import alerts, chats, entries, to_timestamp
from bot.storage.subscriptions import load_recipients, page_values, read_followers_page, read_live_message_chats, select_page
from bot.subscribers import Chat, ChatRef, Recipient
from rules.engine.alert import AlertKey

_UPSERT_DELIVERY, _INSERT_NEW_DELIVERY = (
    PreparedStatement(upsert(entries, keep_existing=keep), DELIVERY_COLUMNS, postgres_batch=write_on_postgres(keep_existing=keep))
    for keep in (False, True)
)

# SQLAlchemy takes longer to build a statement than SQLite to run it, so what runs for every alert is built once.

_IS_DELIVERY = (*IS_DELIVERY_OF_NEWS, entries.c.chat_id == bindparam("of_chat"), entries.c.topic == bindparam("of_topic"))


async def read_next_followers(
    tx: Transaction, news: NewsItem, last: ChatRef | None, limit: int
) -> tuple[list[Recipient], ChatRef | None]:
    """Return the next active followers of the match after the chat `last`, and the last one considered; None if that was all.

    For cards and pictures only chats that want them.
    """
    if news.is_live_message:
        asked = await read_live_message_chats(tx, news.alternatives[0].fixture, last, limit)
        return [Recipient(chat) for chat in asked], asked[-1].ref if len(asked) == limit else None
    fixture = news.alternatives[0].fixture
    page = await read_followers_page(tx, fixture, last, limit)
    followers = [chat for _, chat in page if chat is not None and chat.is_active]
    # Of all followers, suspended ones included: a page of suspended chats alone must not end the walk.
    last_considered = page[-1][0] if len(page) == limit else None
    return await load_recipients(tx, fixture, followers), last_considered


_SELECT_DELIVERIES = PreparedStatement(
    select(*(entries.c[name] for name in DELIVERY_COLUMNS)).where(
        *IS_DELIVERY_OF_NEWS, entries.c.chat_id.between(bindparam("first_chat"), bindparam("last_chat"))
    ),
    ("of_fixture", "of_action", "first_chat", "last_chat"),
)


async def read_deliveries(tx: Transaction, key: AlertKey, refs: Collection[ChatRef]) -> dict[ChatRef, Delivery]:
    """Return the deliveries of one action to these chats.

    Reads the whole range of ids between them, so pass one chat or one page of followers.
    """
    if not refs:
        return {}
    ids = [ref.chat_id for ref in refs]
    rows = await tx.fetch_prepared(_SELECT_DELIVERIES, (*of_news(key).values(), min(ids), max(ids)))
    found = {}
    for row in rows:
        try:
            delivery = values_to_delivery(row)
        except UNREADABLE as error:
            note_damage(tx, entries, dict(zip(DELIVERY_COLUMNS, row, strict=True)), error)
            continue
        if delivery.chat in refs:
            found[delivery.chat] = delivery
    return found


async def add_deliveries(tx: Transaction, deliveries: Sequence[Delivery], *, keep_existing: bool = False) -> None:
    """Store deliveries. They replace those of the same chats, which stay with `keep_existing`."""
    if deliveries:
        await tx.execute_prepared(_INSERT_NEW_DELIVERY if keep_existing else _UPSERT_DELIVERY, to_rows(deliveries))


_SELECT_NOTIFIED_CHATS = select_page(
    select(*(entries.c[name] for name in DELIVERY_COLUMNS), chats.c.delay, chats.c.active)
    .join(chats, and_(chats.c.chat_id == entries.c.chat_id, chats.c.topic == entries.c.topic))
    .where(*IS_DELIVERY_OF_NEWS)
    .where(or_(entries.c.message_id.is_not(None), entries.c.reason == Reason.SCORER_UNKNOWN.value)),
    entries.c.chat_id,
    entries.c.topic,
)

_QUEUE_DELIVERY = (
    update(entries)
    .where(*_IS_DELIVERY)
    .values(status=DeliveryStatus.WAITING.value, due_at=bindparam("at"), next_rings=bindparam("loud"))
)


async def queue_next_notified_chats(
    tx: Transaction, news: NewsItem, last: ChatRef | None, limit: int, now: dt.datetime
) -> tuple[list[QueueItem], ChatRef | None]:
    """Let the next chats that have the news, or wait for its scorer, wait for the revision.

    Return the items of the active ones, and the last chat considered; None if that was all.
    """
    key = news.key
    # Deliveries of suspended chats wait too: they are found when the chat comes back.
    rows = await tx.fetch(_SELECT_NOTIFIED_CHATS, of_news(key) | page_values(last, limit))
    waiting = []
    for row in rows:
        try:
            delivery, due_at = row_to_delivery(row), to_timestamp(now) + row["delay"]
            is_loud = is_next_loud(delivery, news) if delivery.is_sent else delivery.next_is_loud
        except UNREADABLE as error:
            note_damage(tx, entries, row, error)
            continue
        waiting.append((QueueItem(key, delivery.chat, news.priority, news.seq, due_at, is_loud), row["active"]))
    if waiting:
        values = [_of_delivery(key, item.chat) | {"at": item.due_at, "loud": item.is_loud} for item, _ in waiting]
        await tx.execute(_QUEUE_DELIVERY, values)
    last_considered = ChatRef(rows[-1]["chat_id"], rows[-1]["topic"]) if len(rows) == limit else None
    return [item for item, active in waiting if active], last_considered


_MAKE_WAITING_LOUD = update(entries).where(*_IS_DELIVERY, *STILL_WAITS).values(next_rings=True)


async def make_waiting_loud(tx: Transaction, key: AlertKey, refs: Collection[ChatRef]) -> None:
    """Note that what waits for these chats is loud now, as a yellow card that became a red one before it left."""
    # This column alone: a sender may be at work on the rest of the row.
    if refs:
        await tx.execute(_MAKE_WAITING_LOUD, [_of_delivery(key, ref) for ref in refs])


async def read_chat(tx: Transaction, ref: ChatRef) -> Chat | None:
    """Return a chat with its settings. None if it is not there."""
    rows = await tx.fetch(select(chats).where(chats.c.chat_id == ref.chat_id, chats.c.topic == ref.topic))
    return next(iter(read_rows(tx, chats, rows, row_to_chat, row_to_readable_chat)), None)


async def read_waiting_rows(tx: Transaction) -> Sequence[ResultRow]:
    """Return a row for each delivery of an active chat that waits, in order: what a QueueItem has."""
    here = and_(chats.c.chat_id == entries.c.chat_id, chats.c.topic == entries.c.topic)
    news = and_(alerts.c.fixture_id == entries.c.fixture_id, alerts.c.action_id == entries.c.action_id)
    columns = (
        *(entries.c[name] for name in ("fixture_id", "action_id", "chat_id", "topic", "due_at", "next_rings")),
        alerts.c.rank,
        alerts.c.seq,
    )
    query = select(*columns).join(chats, here).join(alerts, news).where(entries.c.status == DeliveryStatus.WAITING.value)
    order = (entries.c.due_at, alerts.c.seq, entries.c.chat_id, entries.c.topic)
    return await tx.fetch(query.where(chats.c.active == true()).order_by(*order))


_SENT_LATELY = 900.0
"""Seconds. What was sent within the last minute is of news that was revised within this time, delays and limits included."""


async def read_recent_sends(
    tx: Transaction, now: dt.datetime, seconds: float, chats: Collection[int] | None = None
) -> list[tuple[int, float]]:
    """Return each message that was sent in the last `seconds`: its chat and when (seconds since 1970), in order.

    A request that may have been on its way when the process ended counts as sent now. `chats`: only to these; None: to all.
    """
    at = to_timestamp(now)
    news = and_(alerts.c.fixture_id == entries.c.fixture_id, alerts.c.action_id == entries.c.action_id)
    # Times stand in the history as text, so its lines are searched for what the times of these seconds begin with.
    starts = {f"{second:.0f}"[:-1] for second in range(int(at - seconds), int(at) + 10, 10)}
    recent = (
        select(entries)
        .join(alerts, news)
        .where(alerts.c.updated_at > at - seconds - _SENT_LATELY)
        .where(or_(*(entries.c.history.contains(start) for start in sorted(starts))))
    )
    # Of an edit or a reply nothing is stored before it leaves: whatever waits for a chat that has the message may have left.
    may_have_left = select(entries).where(
        entries.c.status == DeliveryStatus.WAITING.value, or_(entries.c.unsure == true(), entries.c.message_id.is_not(None))
    )
    if chats is not None:
        recent, may_have_left = (query.where(entries.c.chat_id.in_(chats)) for query in (recent, may_have_left))
    # Two queries: with both conditions in one, no index would serve, and every delivery that is stored would be read.
    recent_rows, waiting_rows = await tx.fetch(recent), await tx.fetch(may_have_left)
    sends = [(row["chat_id"], at) for row in waiting_rows]
    # One that waits may be of recent news as well.
    rows = {(row_to_key(row), row["chat_id"], row["topic"]): row for row in (*recent_rows, *waiting_rows)}
    for delivery in read_rows(tx, entries, rows.values(), row_to_delivery):
        sends += [(delivery.chat.chat_id, line.at) for line in read_history(delivery) if at - seconds < line.at <= at]
    return sorted(sends, key=itemgetter(1))


async def read_possible_edits(tx: Transaction, chat_ids: Collection[int]) -> list[tuple[AlertKey, ChatRef]]:
    """Return the messages in these chats that an edit or a reply may be on its way to: nothing is stored before one leaves."""
    query = (
        select(entries.c.fixture_id, entries.c.action_id, entries.c.chat_id, entries.c.topic)
        .where(entries.c.status == DeliveryStatus.WAITING.value, entries.c.message_id.is_not(None))
        .where(entries.c.chat_id.in_(chat_ids))
    )
    return [(row_to_key(row), ChatRef(row["chat_id"], row["topic"])) for row in await tx.fetch(query)]


def _of_delivery(key: AlertKey, ref: ChatRef) -> dict[str, Any]:
    """Return the values for `_IS_DELIVERY`."""
    return {**of_news(key), "of_chat": ref.chat_id, "of_topic": ref.topic}
