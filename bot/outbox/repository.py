"""Reads and writes news and deliveries inside a transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, false, func, insert, or_, select, true, tuple_, update

from bot.outbox.decide import is_next_loud
from bot.outbox.delivery import Delivery, DeliveryStatus, QueueItem, Reason
from bot.outbox.news import BURSTS, NewsItem
from bot.outbox.statements import (
    DELIVERY_COLUMNS,
    ResultRow,
    delivery_to_values,
    news_to_row,
    row_to_delivery,
    row_to_key,
    row_to_news,
)
from bot.storage.chats import row_to_chat
from bot.storage.database import Database, upsert
from bot.storage.driver import PreparedStatement, Transaction
from bot.storage.schema import alerts, chats, entries, grouped, positions, standings, to_timestamp
from bot.storage.subscriptions import is_after_chat, load_recipients, select_followers, select_live_message_chats
from bot.subscribers import Chat, ChatRef, Recipient
from rules.engine.alert import AlertKey, State

_UPSERT_DELIVERY, _INSERT_NEW_DELIVERY = (
    PreparedStatement(upsert(entries, keep_existing=keep), DELIVERY_COLUMNS) for keep in (False, True)
)

_IS_CHAT = (entries.c.chat_id == bindparam("chat"), entries.c.topic == bindparam("of_topic"))


class FanoutProgress(msgspec.Struct, frozen=True):
    """How far the fan-out of a revision has come: the last chat that each of its two walks reached, and if each is done."""

    last_new_chat: ChatRef | None = None
    new_chats_done: bool = False
    last_notified_chat: ChatRef | None = None
    notified_chats_done: bool = False

    @property
    def is_complete(self) -> bool:
        """Return True if every chat was reached."""
        return self.new_chats_done and self.notified_chats_done


async def lock_fixture_news(tx: Transaction, fixture_ids: Collection[str]) -> None:
    """Let no other process add or revise news of these matches until the transaction ends."""
    # Sorted, so that two transactions that lock several matches cannot wait for each other.
    for fixture_id in sorted(set(fixture_ids)):
        await tx.lock(f"news of {fixture_id}")


async def read_news(tx: Transaction, keys: Collection[AlertKey], *, for_update: bool = False) -> dict[AlertKey, NewsItem]:
    """Return the news of these keys. `for_update`: nobody else changes it until the transaction ends."""
    if not keys:
        return {}
    fixtures, actions = {key.fixture_id for key in keys}, {key.action_id for key in keys}
    query = select(alerts).where(alerts.c.fixture_id.in_(fixtures), alerts.c.action_id.in_(actions))
    query = query.with_for_update() if for_update else query
    return {key: row_to_news(row) for row in await tx.fetch(query) if (key := row_to_key(row)) in keys}


async def read_revision_stamps(
    tx: Transaction, keys: Collection[AlertKey], *, lock: bool = False
) -> dict[AlertKey, tuple[int, float]]:
    """Return the number and the time of the latest revision of each key, by which a cache knows if it has that one.

    `lock`: no other revision is stored until the transaction ends.
    """
    if not keys:
        return {}
    fixtures, actions = {key.fixture_id for key in keys}, {key.action_id for key in keys}
    query = select(alerts.c.fixture_id, alerts.c.action_id, alerts.c.seq, alerts.c.updated_at)
    query = query.where(alerts.c.fixture_id.in_(fixtures), alerts.c.action_id.in_(actions))
    # FOR KEY SHARE is weak enough that the fan-out goes on writing its progress into the same rows.
    query = query.with_for_update(read=True, key_share=True) if lock else query
    return {key: (row["seq"], row["updated_at"]) for row in await tx.fetch(query) if (key := row_to_key(row)) in keys}


async def add_news(tx: Transaction, news: NewsItem, progress: FanoutProgress, now: dt.datetime) -> None:
    """Store news that was not there."""
    instants = {"created_at": to_timestamp(now), "updated_at": to_timestamp(now)}
    await tx.execute(insert(alerts), news_to_row(news) | _progress_to_row(progress) | instants)


async def replace_news(tx: Transaction, news: NewsItem, progress: FanoutProgress, now: dt.datetime) -> None:
    """Store a revision in the place of the one before."""
    values = news_to_row(news) | _progress_to_row(progress) | {"updated_at": to_timestamp(now)}
    await tx.execute(update(alerts).where(_is_news_row(news.key)).values(**values))


async def read_fanout_progress(tx: Transaction, key: AlertKey, *, for_fanout: bool = False) -> FanoutProgress:
    """Return how far a fan-out has come, locked until the transaction ends.

    `for_fanout`: results of deliveries of this news may be committed meanwhile.
    """
    (row,) = await tx.fetch(select(alerts).where(_is_news_row(key)).with_for_update(key_share=for_fanout))
    return FanoutProgress(_read_walk_end(row, "first"), row["first_done"], _read_walk_end(row, "told"), row["told_done"])


async def write_fanout_progress(tx: Transaction, key: AlertKey, progress: FanoutProgress) -> None:
    """Store how far a fan-out has come."""
    await tx.execute(update(alerts).where(_is_news_row(key)).values(**_progress_to_row(progress)))


async def mark_missed(tx: Transaction, key: AlertKey) -> None:
    """Note that some chat did not get it in time."""
    await tx.execute(update(alerts).where(_is_news_row(key)).values(missed=True))


async def read_unfinished_news(tx: Transaction) -> Sequence[NewsItem]:
    """Return all news that may still have chats to reach."""
    return [row_to_news(row) for row in await tx.fetch(select(alerts).where(alerts.c.spreading == true()))]


async def claim_next_news(tx: Transaction, *, most_urgent: bool) -> NewsItem | None:
    """Lock and return news that has chats left to reach and that no other process works on. None if there is none.

    It is the most urgent, or else what waited longest. Of each match only its first news counts, so that a chat gets news of
    one match in order.
    """
    # SKIP LOCKED: another sender is at work on a locked item, and two never wait for each other. FOR NO KEY UPDATE (key_share)
    # does not block `read_revision_stamps`, by which results of deliveries of the same news are committed.
    other = alerts.alias()
    first = [tuple_(table.c.rank, table.c.updated_at, table.c.action_id) for table in (other, alerts)]
    here = other.c.fixture_id == alerts.c.fixture_id
    earlier = exists().where(here, other.c.spreading == true(), first[0] < first[1])
    order = (alerts.c.rank, alerts.c.updated_at) if most_urgent else (alerts.c.updated_at,)
    query = select(alerts).where(alerts.c.spreading == true(), ~earlier).order_by(*order).limit(1)
    rows = await tx.fetch(query.with_for_update(skip_locked=True, key_share=True))
    return row_to_news(rows[0]) if rows else None


async def has_missed_news(tx: Transaction, fixture_id: str) -> bool:
    """Return True if some news of a match stands, was missed, and is in no digest."""
    here = and_(alerts.c.fixture_id == fixture_id, alerts.c.missed == true(), alerts.c.summary == "")
    stands = alerts.c.state == State.CONFIRMED.value
    return bool(await tx.fetch(select(alerts.c.action_id).where(here, stands, alerts.c.lines == "").limit(1)))


async def read_fixture_news(tx: Transaction, fixture_id: str) -> Sequence[NewsItem]:
    """Return all news of a match, in order."""
    query = select(alerts).where(alerts.c.fixture_id == fixture_id).order_by(alerts.c.created_at, alerts.c.seq)
    return [row_to_news(row) for row in await tx.fetch(query)]


async def read_fired_rules(tx: Transaction, fixture_id: str) -> dict[str, set[str]]:
    """Return by action id the names of the rules that fired."""
    query = select(alerts).where(alerts.c.fixture_id == fixture_id, alerts.c.lines == "")
    return {row["action_id"]: set(row_to_news(row).first_fired_at) for row in await tx.fetch(query)}


async def read_next_followers(
    tx: Transaction, news: NewsItem, last: ChatRef | None, limit: int
) -> tuple[list[Recipient], ChatRef | None]:
    """Return the next active followers of the match after the chat `last`, and the last one considered; None if that was all.

    For cards and pictures only chats that want them.
    """
    if news.is_live_message:
        asked = [row_to_chat(row) for row in await tx.fetch(select_live_message_chats(news.alternatives[0].fixture, last, limit))]
        return [Recipient(chat) for chat in asked], asked[-1].ref if len(asked) == limit else None
    fixture = news.alternatives[0].fixture
    found = await tx.fetch(select_followers(fixture, last, limit))
    refs = {ChatRef(row["chat_id"], row["topic"]): None for row in found}
    query = select(chats).where(chats.c.chat_id.in_({ref.chat_id for ref in refs}), chats.c.active == true())
    rows = await tx.fetch(query.order_by(chats.c.chat_id, chats.c.topic)) if refs else ()
    followers = [chat for chat in map(row_to_chat, rows) if chat.ref in refs]
    # Of all followers, suspended ones included: a page of suspended chats alone must not end the walk.
    last_considered = next(reversed(refs)) if len(refs) == limit else None
    return await load_recipients(tx, fixture, followers), last_considered


async def read_deliveries(tx: Transaction, key: AlertKey, refs: Collection[ChatRef]) -> dict[ChatRef, Delivery]:
    """Return the deliveries of one action to these chats."""
    if not refs:
        return {}
    rows = await tx.fetch(select(entries).where(_is_delivery_row(key), entries.c.chat_id.in_({ref.chat_id for ref in refs})))
    return {delivery.chat: delivery for delivery in map(row_to_delivery, rows) if delivery.chat in refs}


async def add_deliveries(tx: Transaction, deliveries: Sequence[Delivery], *, keep_existing: bool = False) -> None:
    """Store deliveries. They replace those of the same chats, which stay with `keep_existing`."""
    if deliveries:
        await tx.execute_prepared(
            _INSERT_NEW_DELIVERY if keep_existing else _UPSERT_DELIVERY, [delivery_to_values(delivery) for delivery in deliveries]
        )


async def queue_next_notified_chats(
    tx: Transaction, news: NewsItem, last: ChatRef | None, limit: int, now: dt.datetime
) -> tuple[list[QueueItem], ChatRef | None]:
    """Let the next chats that have the news, or wait for its scorer, wait for the revision.

    Return the items of the active ones, and the last chat considered; None if that was all.
    """
    key = news.key
    here = and_(chats.c.chat_id == entries.c.chat_id, chats.c.topic == entries.c.topic)
    query = select(*(entries.c[name] for name in DELIVERY_COLUMNS), chats.c.delay, chats.c.active).join(chats, here)
    query = query.where(
        _is_delivery_row(key), or_(entries.c.message_id.is_not(None), entries.c.reason == Reason.SCORER_UNKNOWN.value)
    )
    query = query.where(is_after_chat(entries.c.chat_id, entries.c.topic, last)) if last else query
    # Deliveries of suspended chats wait too: they are found when the chat comes back.
    rows = await tx.fetch(query.order_by(entries.c.chat_id, entries.c.topic).limit(limit))
    waiting = []
    for row in rows:
        delivery, due_at = row_to_delivery(row), to_timestamp(now) + row["delay"]
        is_loud = is_next_loud(delivery, news) if delivery.is_sent else delivery.next_is_loud
        waiting.append((QueueItem(key, delivery.chat, news.priority, news.seq, due_at, is_loud), row["active"]))
    if waiting:
        wake = (
            update(entries)
            .where(_is_delivery_row(key), *_IS_CHAT)
            .values(status=DeliveryStatus.WAITING.value, due_at=bindparam("at"), next_rings=bindparam("loud"))
        )
        values = [
            {"chat": item.chat.chat_id, "of_topic": item.chat.topic, "at": item.due_at, "loud": item.is_loud}
            for item, _ in waiting
        ]
        await tx.execute(wake, values)
    return [item for item, active in waiting if active], waiting[-1][0].chat if len(waiting) == limit else None


async def make_waiting_loud(tx: Transaction, key: AlertKey, refs: Collection[ChatRef]) -> None:
    """Note that what waits for these chats is loud now, as a yellow card that became a red one before it left."""
    # This column alone: a sender may be at work on the rest of the row.
    raise_ = update(entries).where(_is_delivery_row(key), *_IS_CHAT, entries.c.status == DeliveryStatus.WAITING.value)
    if refs:
        await tx.execute(raise_.values(next_rings=True), [{"chat": ref.chat_id, "of_topic": ref.topic} for ref in refs])


async def read_chat(tx: Transaction, ref: ChatRef) -> Chat | None:
    """Return a chat with its settings. None if it is not there."""
    rows = await tx.fetch(select(chats).where(chats.c.chat_id == ref.chat_id, chats.c.topic == ref.topic))
    return next(map(row_to_chat, rows), None)


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


async def count_waiting(tx: Transaction) -> int:
    """Return how many deliveries wait, those of suspended chats included."""
    (row,) = await tx.fetch(select(func.count().label("n")).where(entries.c.status == DeliveryStatus.WAITING.value))
    return int(row["n"])


async def delete_before(tx: Transaction, instant: dt.datetime) -> int:
    """Delete news that was not revised since, with its deliveries, and positions in old feeds. Return how many deliveries."""
    # News whose fan-out is not complete stays, however old: its walk needs the row.
    old = and_(alerts.c.updated_at < to_timestamp(instant), alerts.c.spreading == false())
    keys = select(alerts.c.fixture_id, alerts.c.action_id).where(old)
    # Deliveries first: without their news nothing could ever delete them.
    gone = await tx.execute(delete(entries).where(tuple_(entries.c.fixture_id, entries.c.action_id).in_(keys)))
    await tx.execute(delete(alerts).where(old))
    bursts = select(alerts.c.action_id).where(alerts.c.fixture_id == BURSTS)
    await tx.execute(delete(grouped).where(grouped.c.burst.not_in(bursts)))
    for table in (positions, standings):
        await tx.execute(delete(table).where(table.c.updated_at < to_timestamp(instant)))
    return gone


def _is_news_row(key: AlertKey) -> ColumnElement[bool]:
    return and_(alerts.c.fixture_id == key.fixture_id, alerts.c.action_id == key.action_id)


def _is_delivery_row(key: AlertKey, ref: ChatRef | None = None) -> ColumnElement[bool]:
    this = and_(entries.c.fixture_id == key.fixture_id, entries.c.action_id == key.action_id)
    return this if ref is None else and_(this, entries.c.chat_id == ref.chat_id, entries.c.topic == ref.topic)


def _read_walk_end(row: ResultRow, walk: str) -> ChatRef | None:
    return None if row[f"{walk}_chat"] is None else ChatRef(row[f"{walk}_chat"], row[f"{walk}_topic"])


def _progress_to_row(progress: FanoutProgress) -> dict[str, Any]:
    row: dict[str, Any] = {
        "first_done": progress.new_chats_done,
        "told_done": progress.notified_chats_done,
        "spreading": not progress.is_complete,
    }
    for walk, ref in (("first", progress.last_new_chat), ("told", progress.last_notified_chat)):
        row |= {f"{walk}_chat": ref.chat_id if ref else None, f"{walk}_topic": ref.topic if ref else None}
    return row


class OutboxDepth(msgspec.Struct, frozen=True):
    """How much waits: deliveries, of these the due ones of active chats, and revisions whose fan-out is not complete.

    `oldest_seconds` is for how long the oldest due delivery has been due.
    """

    waiting: int
    due: int
    oldest_seconds: float
    unfinished_news: int


async def measure_depth(db: Database, now: dt.datetime) -> OutboxDepth:
    """Measure how much waits. Raises StorageError."""
    at, waits = to_timestamp(now), entries.c.status == DeliveryStatus.WAITING.value
    here = and_(chats.c.chat_id == entries.c.chat_id, chats.c.topic == entries.c.topic)
    all_waiting = select(func.count().label("n")).where(waits)
    due = select(func.count().label("n"), func.min(entries.c.due_at).label("first")).select_from(entries).join(chats, here)
    due = due.where(waits, entries.c.due_at <= at, chats.c.active == true())
    spreading = select(func.count().label("n")).where(alerts.c.spreading == true())
    async with db.transaction() as tx:
        (all_,), (due_row,), (news,) = [await tx.fetch(query) for query in (all_waiting, due, spreading)]
    oldest = 0.0 if due_row["first"] is None else max(0.0, at - due_row["first"])
    return OutboxDepth(all_["n"], due_row["n"], oldest, news["n"])
