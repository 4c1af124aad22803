"""Reads and writes news inside a transaction, and how far its fan-out has come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Select, bindparam, exists, select, true, tuple_, update

from bot.outbox.delivery import DeliveryStatus
from bot.outbox.news import NewsItem
from bot.outbox.statements import ResultRow, news_to_row, row_to_key, row_to_news
from bot.storage.damage import read_rows
from bot.storage.database import upsert
from bot.storage.driver import PreparedStatement, Transaction
from bot.storage.schema import alerts, entries, to_timestamp
from bot.subscribers import ChatRef
from rules.engine.alert import AlertKey, State

# SQLAlchemy takes longer to build a statement than SQLite to run it, so what runs for every alert is built once.

IS_NEWS = (alerts.c.fixture_id == bindparam("of_fixture"), alerts.c.action_id == bindparam("of_action"))

IS_DELIVERY_OF_NEWS = (entries.c.fixture_id == bindparam("of_fixture"), entries.c.action_id == bindparam("of_action"))


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


def of_news(key: AlertKey) -> dict[str, str]:
    """Return the values for `IS_NEWS` and `IS_DELIVERY_OF_NEWS`."""
    return {"of_fixture": key.fixture_id, "of_action": key.action_id}


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
