"""Reads and writes news and deliveries inside a transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Select, and_, bindparam, exists, or_, select, true, tuple_, update

from bot.outbox.decide import is_next_loud
from bot.outbox.delivery import Delivery, DeliveryStatus, QueueItem, Reason, read_history
from bot.outbox.news import NewsItem
from bot.outbox.statements import (
    DELIVERY_COLUMNS,
    STILL_WAITS,
    ResultRow,
    news_to_row,
    row_to_delivery,
    row_to_key,
    row_to_news,
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
from rules.engine.alert import AlertKey, State

_UPSERT_DELIVERY, _INSERT_NEW_DELIVERY = (
    PreparedStatement(upsert(entries, keep_existing=keep), DELIVERY_COLUMNS, postgres_batch=write_on_postgres(keep_existing=keep))
    for keep in (False, True)
)

# SQLAlchemy takes longer to build a statement than SQLite to run it, so what runs for every alert is built once.

IS_NEWS = (alerts.c.fixture_id == bindparam("of_fixture"), alerts.c.action_id == bindparam("of_action"))

IS_DELIVERY_OF_NEWS = (entries.c.fixture_id == bindparam("of_fixture"), entries.c.action_id == bindparam("of_action"))

_IS_DELIVERY = (*IS_DELIVERY_OF_NEWS, entries.c.chat_id == bindparam("of_chat"), entries.c.topic == bindparam("of_topic"))


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


NO_FANOUT = FanoutProgress(new_chats_done=True, notified_chats_done=True)
"""The progress of news that the fan-out gives to nobody: the chats that it is for have deliveries of it from the start."""


async def lock_fixture_news(tx: Transaction, fixture_ids: Collection[str]) -> None:
    """Let no other process add or revise news of these matches until the transaction ends."""
    # Sorted, so that two transactions that lock several matches cannot wait for each other.
    for fixture_id in sorted(set(fixture_ids)):
        await tx.lock(f"news of {fixture_id}")


_IS_AMONG_NEWS = (
    alerts.c.fixture_id.in_(bindparam("fixtures", expanding=True)),
    alerts.c.action_id.in_(bindparam("actions", expanding=True)),
)

_SELECT_NEWS = select(alerts).where(*_IS_AMONG_NEWS)

_SELECT_NEWS_FOR_UPDATE = _SELECT_NEWS.with_for_update()


async def read_news(tx: Transaction, keys: Collection[AlertKey], *, for_update: bool = False) -> dict[AlertKey, NewsItem]:
    """Return the news of these keys. `for_update`: nobody else changes it until the transaction ends.

    News that cannot be read is left out, as if it were not there, and is not sent any more: see `list_unreadable_news`.
    """
    if not keys:
        return {}
    rows = await tx.fetch(_SELECT_NEWS_FOR_UPDATE if for_update else _SELECT_NEWS, _among_news(keys))
    return {news.key: news for news in await _read_news_rows(tx, [row for row in rows if row_to_key(row) in keys])}


async def _read_news_rows(tx: Transaction, rows: Sequence[ResultRow]) -> list[NewsItem]:
    found = read_rows(tx, alerts, rows, row_to_news)
    if len(found) < len(rows):
        for key in list_unreadable_news(tx):
            await _set_aside(tx, key)
    return found


def list_unreadable_news(tx: Transaction) -> dict[AlertKey, ResultRow]:
    """Return the rows of news that this transaction met and that cannot be read."""
    return {row_to_key(row.values): row.values for row in tx.damaged if row.table == alerts.name}


async def _set_aside(tx: Transaction, key: AlertKey) -> None:
    """Let nothing wait for news that cannot be read. Its next revision replaces it, and reaches the chats again."""
    # Else a fan-out would meet it again and again, and what waits for it would count as late for ever.
    await tx.execute(_UPDATE_NEWS, {"spreading": False} | of_news(key))
    waiting = entries.c.status == DeliveryStatus.WAITING.value
    await tx.execute(update(entries).where(*IS_DELIVERY_OF_NEWS, waiting).values(status=_DROPPED), of_news(key))


_DROPPED = DeliveryStatus.DROPPED.value


_KEYS_PER_QUERY = 16
"""Keys that one call of the statements below reads. A fixed number, so that they are prepared once."""


def _select_stamps(*, lock: bool) -> PreparedStatement:
    key_columns, stamp = (alerts.c.fixture_id, alerts.c.action_id), (alerts.c.seq, alerts.c.updated_at)
    names = [(f"fixture_{number}", f"action_{number}") for number in range(_KEYS_PER_QUERY)]
    pairs = [tuple_(*map(bindparam, pair)) for pair in names]
    # FOR KEY SHARE is weak enough that the fan-out goes on writing its progress into the same rows. In the order of the keys,
    # so that two transactions that lock several of them cannot wait for each other.
    on_postgres = f"""
SELECT news.* FROM unnest($1::text[], $2::text[]) AS wanted (fixture_id, action_id)
CROSS JOIN LATERAL (
    SELECT fixture_id, action_id, seq, updated_at FROM alerts
    WHERE alerts.fixture_id = wanted.fixture_id AND alerts.action_id = wanted.action_id OFFSET 0 {"FOR KEY SHARE" * lock}
) AS news
"""  # noqa: S608  # no value is in it

    def arrange(values: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        keys = dict.fromkeys(zip(values[::2], values[1::2], strict=True))
        return [fixture for fixture, _ in keys], [action for _, action in keys]

    return PreparedStatement(
        select(*key_columns, *stamp).where(tuple_(*key_columns).in_(pairs)),
        [name for pair in names for name in pair],
        for_postgres=(on_postgres, arrange),
    )


_SELECT_STAMPS, _SELECT_STAMPS_LOCKED = _select_stamps(lock=False), _select_stamps(lock=True)


async def read_revision_stamps(
    tx: Transaction, keys: Collection[AlertKey], *, lock: bool = False
) -> dict[AlertKey, tuple[int, float]]:
    """Return the number and the time of the latest revision of each key, by which a cache knows if it has that one.

    `lock`: no other revision is stored until the transaction ends.
    """
    found: dict[AlertKey, tuple[int, float]] = {}
    ordered = sorted({(key.fixture_id, key.action_id) for key in keys})
    for start in range(0, len(ordered), _KEYS_PER_QUERY):
        batch = ordered[start : start + _KEYS_PER_QUERY]
        batch += batch[-1:] * (_KEYS_PER_QUERY - len(batch))  # a short batch repeats its last key
        values = [part for pair in batch for part in pair]
        for fixture_id, action_id, seq, updated_at in await tx.fetch_prepared(
            _SELECT_STAMPS_LOCKED if lock else _SELECT_STAMPS, values
        ):
            found[AlertKey(fixture_id, action_id)] = seq, updated_at
    return found


_UPSERT_NEWS, _UPDATE_NEWS = upsert(alerts), update(alerts).where(*IS_NEWS)


async def add_news(tx: Transaction, news: NewsItem, progress: FanoutProgress, now: dt.datetime) -> None:
    """Store news that was not there, or could not be read."""
    instants = {"created_at": to_timestamp(now), "updated_at": to_timestamp(now)}
    await tx.execute(_UPSERT_NEWS, news_to_row(news) | _progress_to_row(progress) | instants)


async def replace_news(tx: Transaction, news: NewsItem, progress: FanoutProgress, now: dt.datetime) -> None:
    """Store a revision in the place of the one before."""
    values = news_to_row(news) | _progress_to_row(progress) | {"updated_at": to_timestamp(now)}
    await tx.execute(_UPDATE_NEWS, values | of_news(news.key))


_PROGRESS_COLUMNS = ("first_chat", "first_topic", "first_done", "told_chat", "told_topic", "told_done")

_SELECT_PROGRESS, _SELECT_PROGRESS_FOR_FANOUT = (
    PreparedStatement(
        select(*(alerts.c[name] for name in _PROGRESS_COLUMNS)).where(*IS_NEWS).with_for_update(key_share=key_share),
        ("of_fixture", "of_action"),
    )
    for key_share in (False, True)
)


async def read_fanout_progress(tx: Transaction, key: AlertKey, *, for_fanout: bool = False) -> FanoutProgress:
    """Return how far a fan-out has come, locked until the transaction ends. Of news that is not stored any more, it is complete.

    `for_fanout`: results of deliveries of this news may be committed meanwhile.
    """
    statement = _SELECT_PROGRESS_FOR_FANOUT if for_fanout else _SELECT_PROGRESS
    rows = await tx.fetch_prepared(statement, tuple(of_news(key).values()))
    if not rows:
        # Lost with a damaged page, which the news in memory does not know. Its next revision is stored as new.
        return NO_FANOUT
    new_chat, new_topic, new_done, notified_chat, notified_topic, notified_done = rows[0]
    return FanoutProgress(
        None if new_chat is None else ChatRef(new_chat, new_topic),
        new_done == 1,
        None if notified_chat is None else ChatRef(notified_chat, notified_topic),
        notified_done == 1,
    )


_UPDATE_PROGRESS = PreparedStatement(
    update(alerts).where(*IS_NEWS).values({name: bindparam(name) for name in (*_PROGRESS_COLUMNS, "spreading")}),
    (*_PROGRESS_COLUMNS, "spreading", "of_fixture", "of_action"),
)


async def write_fanout_progress(tx: Transaction, key: AlertKey, progress: FanoutProgress) -> None:
    """Store how far a fan-out has come."""
    row = _progress_to_row(progress)
    values = [*(row[name] for name in (*_PROGRESS_COLUMNS, "spreading")), *of_news(key).values()]
    await tx.execute_prepared(_UPDATE_PROGRESS, [values])


async def mark_missed(tx: Transaction, key: AlertKey) -> None:
    """Note that some chat did not get it in time."""
    await tx.execute(_UPDATE_NEWS, {"missed": True} | of_news(key))


async def read_unfinished_news(tx: Transaction) -> Sequence[NewsItem]:
    """Return all news that may still have chats to reach."""
    return await _read_news_rows(tx, await tx.fetch(select(alerts).where(alerts.c.spreading == true())))


def _select_next_news(*, most_urgent: bool) -> Select[Any]:
    # SKIP LOCKED: another sender is at work on a locked item, and two never wait for each other. FOR NO KEY UPDATE (key_share)
    # does not block `read_revision_stamps`, by which results of deliveries of the same news are committed.
    other = alerts.alias()
    first = [tuple_(table.c.rank, table.c.updated_at, table.c.action_id) for table in (other, alerts)]
    here = other.c.fixture_id == alerts.c.fixture_id
    earlier = exists().where(here, other.c.spreading == true(), first[0] < first[1])
    # "+ 0": PostgreSQL would else read all news that is stored, in the order of its age, for the first that is unfinished.
    waited_longest = alerts.c.updated_at + 0
    order = (alerts.c.rank, waited_longest) if most_urgent else (waited_longest,)
    query = select(alerts).where(alerts.c.spreading == true(), ~earlier).order_by(*order).limit(1)
    return query.with_for_update(skip_locked=True, key_share=True)


_SELECT_MOST_URGENT_NEWS, _SELECT_OLDEST_NEWS = _select_next_news(most_urgent=True), _select_next_news(most_urgent=False)


async def claim_next_news(tx: Transaction, *, most_urgent: bool) -> NewsItem | None:
    """Lock and return news that has chats left to reach and that no other process works on. None if there is none.

    It is the most urgent, or else what waited longest. Of each match only its first news counts, so that a chat gets news of
    one match in order.
    """
    while rows := await tx.fetch(_SELECT_MOST_URGENT_NEWS if most_urgent else _SELECT_OLDEST_NEWS):
        # What cannot be read is not found again, as it was set aside.
        if found := await _read_news_rows(tx, rows):
            return found[0]
    return None


# Runs at every heartbeat of every match.
_SELECT_MISSED_NEWS = PreparedStatement(
    select(alerts.c.action_id)
    .where(alerts.c.fixture_id == bindparam("of_fixture"), alerts.c.missed == true(), alerts.c.summary == "")
    .where(alerts.c.state == State.CONFIRMED.value, alerts.c.lines == "")
    .limit(1),
    ("of_fixture",),
)


async def has_missed_news(tx: Transaction, fixture_id: str) -> bool:
    """Return True if some news of a match stands, was missed, and is in no digest."""
    return bool(await tx.fetch_prepared(_SELECT_MISSED_NEWS, (fixture_id,)))


async def read_fixture_news(tx: Transaction, fixture_id: str) -> Sequence[NewsItem]:
    """Return all news of a match, in order."""
    query = select(alerts).where(alerts.c.fixture_id == fixture_id).order_by(alerts.c.created_at, alerts.c.seq)
    return read_rows(tx, alerts, await tx.fetch(query), row_to_news)


async def read_fired_rules(tx: Transaction, fixture_id: str) -> dict[str, set[str]]:
    """Return by action id the names of the rules that fired."""
    query = select(alerts).where(alerts.c.fixture_id == fixture_id, alerts.c.lines == "")
    found = read_rows(tx, alerts, await tx.fetch(query), row_to_news)
    return {news.key.action_id: set(news.first_fired_at) for news in found}


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


def of_news(key: AlertKey) -> dict[str, str]:
    """Return the values for `IS_NEWS` and `IS_DELIVERY_OF_NEWS`."""
    return {"of_fixture": key.fixture_id, "of_action": key.action_id}


def _of_delivery(key: AlertKey, ref: ChatRef) -> dict[str, Any]:
    """Return the values for `_IS_DELIVERY`."""
    return {**of_news(key), "of_chat": ref.chat_id, "of_topic": ref.topic}


def _among_news(keys: Collection[AlertKey]) -> dict[str, set[str]]:
    """Return the values for `_IS_AMONG_NEWS`. It also holds for other pairs of these matches and actions."""
    # This way one statement serves any number of keys. Callers drop the other pairs.
    return {"fixtures": {key.fixture_id for key in keys}, "actions": {key.action_id for key in keys}}


def _progress_to_row(progress: FanoutProgress) -> dict[str, Any]:
    row: dict[str, Any] = {
        "first_done": progress.new_chats_done,
        "told_done": progress.notified_chats_done,
        "spreading": not progress.is_complete,
    }
    for walk, ref in (("first", progress.last_new_chat), ("told", progress.last_notified_chat)):
        row |= {f"{walk}_chat": ref.chat_id if ref else None, f"{walk}_topic": ref.topic if ref else None}
    return row
