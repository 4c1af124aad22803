"""Collects news for digests in the database, and finds it again."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, bindparam, select, update

from bot.outbox import news_store, repository
from bot.outbox.delivery import Delivery, DeliveryContext, DeliveryStatus, QueueItem, Reason
from bot.outbox.digests import (
    find_uncertain_lines,
    make_burst_digest,
    make_burst_key,
    make_quiet_hours_digest,
    make_quiet_hours_key,
    parse_burst_end,
    read_line_keys,
    select_burst_lines,
)
from bot.outbox.news import NewsItem
from bot.outbox.news_store import NO_FANOUT
from bot.outbox.statements import row_to_delivery, row_to_news, write_deliveries
from bot.storage.damage import read_rows
from bot.storage.database import upsert
from bot.storage.driver import Transaction
from bot.storage.schema import alerts, chats, entries, grouped
from bot.subscribers import Chat, ChatRef, Recipient
from rules.engine.alert import AlertKey

_OPEN_BURST_WINDOW = (
    update(chats)
    .where(chats.c.chat_id == bindparam("chat"), chats.c.topic == bindparam("of_topic"))
    .values(burst_at=bindparam("at"))
)


async def hold_for_burst(
    tx: Transaction, news: NewsItem, recipients: Sequence[Chat], now: dt.datetime, loud_refs: Collection[ChatRef]
) -> list[QueueItem]:
    """Note news for chats whose burst it belongs to. Return the items of their one message.

    `loud_refs` are the chats in which this news is loud: there the burst is.
    """
    # Windows end at full five seconds: most chats share one burst, and it is stored once for all of them.
    by_end: defaultdict[float, list[Chat]] = defaultdict(list)
    for chat in recipients:
        by_end[chat.digest_window_ends_at(now.timestamp()) or now.timestamp()].append(chat)
    return [item for end, some in by_end.items() for item in await _add_to_burst(tx, news, end, some, now, loud_refs)]


async def merge_into_burst(
    tx: Transaction, lines: Sequence[tuple[Delivery, NewsItem]], chat: Chat, now: dt.datetime
) -> QueueItem:
    """Make one message of news that waits for a chat. Return its item; the lines are held for it."""
    # The time in its key says which lines are whose: two messages of one chat cannot have the same. One of the chat's own
    # bursts may be due at this second, or another was merged in it.
    ref, end = chat.ref, int(now.timestamp())
    while await repository.read_deliveries(tx, make_burst_key(end), [ref]):
        end -= 1
    key = make_burst_key(end)
    # Before the lock on the burst, as the fan-out does, so that the two never wait for each other.
    await write_deliveries(tx, [msgspec.structs.replace(line, due_at=float(end)) for line, _ in lines])
    burst = await _store_burst(tx, key, [news for _, news in lines], now, is_silent=True)
    delivery = Delivery(key, ref, due_at=float(end))
    await repository.add_deliveries(tx, [delivery])
    await open_burst_windows(tx, [chat], now.timestamp())
    return QueueItem(key, ref, burst.priority, burst.seq, delivery.due_at)


async def _store_burst(
    tx: Transaction, key: AlertKey, lines: Sequence[NewsItem], now: dt.datetime, *, is_silent: bool = False
) -> NewsItem:
    """Store the burst of a time with these lines, unless it is there, and return it. `is_silent`: its news is small."""
    # A lock by name, since the row may not be there yet: two processes would both insert it.
    await tx.lock(f"summary of {key.fixture_id} {key.action_id}")
    burst = (await news_store.read_news(tx, [key], for_update=True)).get(key)
    if burst is None:
        burst = make_burst_digest(key, lines[0].alternatives[0], is_silent=is_silent)
        await news_store.add_news(tx, burst, NO_FANOUT, now)
    # Which news is in the burst at all; which of it a chat was held is in the chat's own deliveries.
    rows = [{"burst": key.action_id, "fixture_id": line.key.fixture_id, "action_id": line.key.action_id} for line in lines]
    await tx.execute(upsert(grouped, keep_existing=True), rows)
    return burst


async def _add_to_burst(
    tx: Transaction, news: NewsItem, end: float, recipients: Sequence[Chat], now: dt.datetime, loud_refs: Collection[ChatRef]
) -> list[QueueItem]:
    key = make_burst_key(end)
    burst = await _store_burst(tx, key, [news], now)
    deliveries = [Delivery(key, chat.ref, due_at=end + chat.delay, next_is_loud=chat.ref in loud_refs) for chat in recipients]
    await repository.add_deliveries(tx, deliveries, keep_existing=True)
    # The burst rings if one of its lines does, also one that came after the delivery was made.
    await repository.make_waiting_loud(tx, key, [one.chat for one in deliveries if one.next_is_loud])
    await open_burst_windows(tx, recipients, end)
    return [QueueItem(key, one.chat, burst.priority, burst.seq, one.due_at, one.next_is_loud) for one in deliveries]


async def open_burst_windows(tx: Transaction, recipients: Sequence[Chat], at: float) -> None:
    """Note that these chats get a message at this time: what comes in the seconds after it is held for a burst."""
    if values := [{"chat": chat.ref.chat_id, "of_topic": chat.ref.topic, "at": at} for chat in recipients if chat.digests]:
        await tx.execute(_OPEN_BURST_WINDOW, values)


async def hold_for_quiet_hours(
    tx: Transaction, news: NewsItem, end_by_chat: Mapping[ChatRef, dt.datetime], now: dt.datetime
) -> list[QueueItem]:
    """Note news for chats, each with the end of its quiet hours. Return the items of their digests."""
    by_end: defaultdict[dt.datetime, list[ChatRef]] = defaultdict(list)
    for ref, end in end_by_chat.items():
        by_end[end].append(ref)
    return [item for end, refs in by_end.items() for item in await _add_to_quiet_hours_digest(tx, news, end, refs, now)]


async def _add_to_quiet_hours_digest(
    tx: Transaction, news: NewsItem, end: dt.datetime, refs: list[ChatRef], now: dt.datetime
) -> list[QueueItem]:
    key, due_at = make_quiet_hours_key(news, end), end.timestamp()
    # Two fan-outs of one match may hold news for the same digest: each would write a list of lines without the other's.
    await tx.lock(f"summary of {key.fixture_id} {key.action_id}")
    previous = (await news_store.read_news(tx, [key], for_update=True)).get(key)
    digest = make_quiet_hours_digest(previous, news, end)
    if previous:
        await news_store.replace_news(tx, digest, NO_FANOUT, now)
    else:
        await news_store.add_news(tx, digest, NO_FANOUT, now)
    await repository.add_deliveries(tx, [Delivery(key, ref, due_at=due_at) for ref in refs], keep_existing=True)
    return [QueueItem(key, ref, digest.priority, digest.seq, due_at) for ref in refs]


async def read_digests_containing(tx: Transaction, key: AlertKey) -> list[NewsItem]:
    """Return the digests with a line about this action, of one match and of bursts, locked until the transaction ends."""
    # The line ids of a digest are JSON in one column, so all digests of the match are read: there are few.
    query = select(alerts).where(alerts.c.fixture_id == key.fixture_id, alerts.c.lines != "").with_for_update()
    of_match = [news for news in read_rows(tx, alerts, await tx.fetch(query), row_to_news) if key.action_id in news.line_ids]
    query = select(grouped.c.burst).where(grouped.c.fixture_id == key.fixture_id, grouped.c.action_id == key.action_id)
    burst_keys = read_rows(tx, grouped, await tx.fetch(query), lambda row: make_burst_key(float(row["burst"])))
    bursts = await news_store.read_news(tx, burst_keys, for_update=True)
    return [*of_match, *bursts.values()]


async def read_state_news(tx: Transaction, fixture_id: str) -> list[NewsItem]:
    """Return the messages that tell how a match stood, its digests among them, locked until the transaction ends."""
    query = select(alerts).where(alerts.c.fixture_id == fixture_id, alerts.c.lines != "").with_for_update()
    return read_rows(tx, alerts, await tx.fetch(query), row_to_news)


async def load_burst_context(
    tx: Transaction, delivery: Delivery, news: NewsItem, chat: Chat, now: dt.datetime, view_line: Callable[[NewsItem], NewsItem]
) -> DeliveryContext:
    """Load all that decides what a chat is sent of a burst now. `view_line` returns a line as the chat's delay shows it."""
    if delivery.is_sent:
        # The message is there: its lines stay what they were, and show what became of each.
        keys = read_line_keys(delivery)
        found = await news_store.read_news(tx, keys)
        return DeliveryContext(
            delivery, news, Recipient(chat), lines=tuple(view_line(found[key]) for key in keys if key in found)
        )
    held = await _read_held_deliveries(tx, delivery)
    uncertain = find_uncertain_lines(delivery)
    keys = list(dict.fromkeys([*(one.key for one in held), *uncertain]))
    found = await news_store.read_news(tx, keys)
    lines = select_burst_lines([view_line(found[key]) for key in keys if key in found], chat.list_muted_matches(now), uncertain)
    lines = tuple([line for line in lines if not await is_announced_elsewhere(tx, line, delivery.chat)])
    chosen = {line.key for line in lines}
    return DeliveryContext(
        delivery, news, Recipient(chat), lines=lines, is_loud=any(one.is_loud for one in held if one.key in chosen)
    )


async def is_announced_elsewhere(tx: Transaction, news: NewsItem, ref: ChatRef) -> bool:
    """Return True if the news disallows an action that the chat knows of: the correction of that message says it."""
    action_id = next((a.disallows_action for a in news.firing_alternatives if a.disallows_action), "")
    if not action_id:
        return False
    delivery = (await repository.read_deliveries(tx, AlertKey(news.key.fixture_id, action_id), [ref])).get(ref)
    # Uncertain too: if the goal did arrive, its correction says it, and a second message would say it twice.
    return delivery is not None and (delivery.is_sent or delivery.is_uncertain or delivery.reason == Reason.HELD_FOR_BURST)


async def expire_burst_lines(tx: Transaction, delivery: Delivery) -> None:
    """Note that a burst could not be sent in time: its lines are missed, and part of the digest of their match."""
    for held in await _read_held_deliveries(tx, delivery):
        await tx.execute(update(entries).where(*_is_delivery(held)).values(reason=Reason.EXPIRED.value))
        # It then comes in the digest of missed news, as what was too old by itself does.
        await news_store.mark_missed(tx, held.key)


async def supersede_unsent_lines(tx: Transaction, delivery: Delivery) -> None:
    """Release lines that a burst held and left out, because they were retracted: if they are restored, the chat may get them."""
    sent = set(read_line_keys(delivery)) if delivery.is_sent else set()
    for held in await _read_held_deliveries(tx, delivery):
        if held.key not in sent:
            await tx.execute(update(entries).where(*_is_delivery(held)).values(reason=Reason.SUPERSEDED.value))


async def _read_held_deliveries(tx: Transaction, delivery: Delivery) -> list[Delivery]:
    """Return what is held for a burst in one chat. What is held is a dropped delivery that is due when the burst is."""
    query = select(entries).where(
        entries.c.chat_id == delivery.chat.chat_id,
        entries.c.topic == delivery.chat.topic,
        entries.c.reason == Reason.HELD_FOR_BURST.value,
        entries.c.due_at == parse_burst_end(delivery.key),
    )
    found = read_rows(tx, entries, await tx.fetch(query), row_to_delivery)
    return [held for held in found if held.status is DeliveryStatus.DROPPED]


def _is_delivery(delivery: Delivery) -> tuple[ColumnElement[bool], ...]:
    return (
        entries.c.fixture_id == delivery.key.fixture_id,
        entries.c.action_id == delivery.key.action_id,
        entries.c.chat_id == delivery.chat.chat_id,
        entries.c.topic == delivery.chat.topic,
    )
