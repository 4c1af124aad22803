"""Collects news for digests in the database and finds them again."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import ColumnElement, bindparam, select, update

from bot.outbox import repository
from bot.outbox.delivery import Delivery, DeliveryContext, DeliveryStatus, QueueItem, Reason
from bot.outbox.digests import (
    burst_digest,
    find_uncertain_lines,
    make_burst_key,
    make_quiet_hours_key,
    parse_burst_end,
    quiet_hours_digest,
    read_line_keys,
    select_burst_lines,
)
from bot.outbox.news import NewsItem
from bot.outbox.repository import FanoutProgress
from bot.outbox.statements import row_to_delivery, row_to_news
from bot.storage.database import upsert
from bot.storage.driver import Transaction
from bot.storage.schema import alerts, chats, entries, grouped
from bot.subscribers import Chat, ChatRef
from rules.engine.alert import AlertKey

_OPEN_BURST_WINDOW = (
    update(chats)
    .where(chats.c.chat_id == bindparam("chat"), chats.c.topic == bindparam("of_topic"))
    .values(burst_at=bindparam("at"))
)


async def hold_for_burst(tx: Transaction, news: NewsItem, held: Sequence[Chat], now: dt.datetime) -> list[QueueItem]:
    """Note news for chats in whose bursts it falls; the tickets of their one message."""
    by_end: defaultdict[float, list[Chat]] = defaultdict(list)
    for chat in held:
        by_end[chat.burst_end(now.timestamp()) or now.timestamp()].append(chat)
    return [item for end, some in by_end.items() for item in await _add_to_burst(tx, news, end, some, now)]


async def _add_to_burst(tx: Transaction, news: NewsItem, end: float, some: Sequence[Chat], now: dt.datetime) -> list[QueueItem]:
    key = make_burst_key(end)
    await tx.lock(f"summary of {key.fixture_id} {key.action_id}")
    burst = (await repository.read_news(tx, [key], for_update=True)).get(key)
    if burst is None:
        burst = burst_digest(key, news.alternatives[0])
        await repository.add_news(tx, burst, FanoutProgress(new_chats_done=True, notified_chats_done=True), now)
    line = {"burst": key.action_id, "fixture_id": news.key.fixture_id, "action_id": news.key.action_id}
    await tx.execute(upsert(grouped, keep=True), line)
    made = [Delivery(key, chat.ref, due_at=end + chat.delay) for chat in some]
    await repository.add_deliveries(tx, made, keep_existing=True)
    await open_burst_windows(tx, some, end)
    return [QueueItem(key, delivery.chat, burst.priority, burst.seq, delivery.due_at) for delivery in made]


async def open_burst_windows(tx: Transaction, some: Sequence[Chat], at: float) -> None:
    """These chats get a message at an instant: what comes in the seconds after it is held."""
    if wanting := [chat for chat in some if chat.bursts]:
        await tx.execute(
            _OPEN_BURST_WINDOW, [{"chat": chat.ref.chat_id, "of_topic": chat.ref.topic, "at": at} for chat in wanting]
        )


async def read_held_deliveries(tx: Transaction, delivery: Delivery) -> list[Delivery]:
    """What was held for one chat's message."""
    this = (entries.c.chat_id == delivery.chat.chat_id, entries.c.topic == delivery.chat.topic)
    query = select(entries).where(
        *this, entries.c.reason == Reason.HELD_FOR_BURST.value, entries.c.due_at == parse_burst_end(delivery.key)
    )
    return [held for held in map(row_to_delivery, await tx.fetch(query)) if held.status is DeliveryStatus.DROPPED]


async def expire_burst_lines(tx: Transaction, delivery: Delivery) -> None:
    """The message could not leave in time: its lines are old news, told in the summary of each match."""
    for held in await read_held_deliveries(tx, delivery):
        await tx.execute(update(entries).where(*_is_delivery(held)).values(reason=Reason.EXPIRED.value))
        await repository.mark_missed(tx, held.key)


async def load_burst_context(
    tx: Transaction, delivery: Delivery, news: NewsItem, chat: Chat, view_line: Callable[[NewsItem], NewsItem]
) -> DeliveryContext:
    """All that decides what a chat is told of a burst now; `seen` is how its delay lets it see each line."""
    held = [] if delivery.is_sent else await read_held_deliveries(tx, delivery)
    keys = (
        read_line_keys(delivery)
        if delivery.is_sent
        else list({one.key: None for one in held} | dict.fromkeys(find_uncertain_lines(delivery)))
    )
    known = await repository.read_news(tx, keys)
    lines = tuple(view_line(known[key]) for key in keys if key in known)
    if not delivery.is_sent:
        lines = select_burst_lines(lines, chat.muted_matches, find_uncertain_lines(delivery))
        lines = tuple([line for line in lines if not await is_announced_elsewhere(tx, line, delivery.chat)])
    told = {line.key for line in lines}
    return DeliveryContext(delivery, news, chat, lines=lines, is_loud=any(one.is_loud for one in held if one.key in told))


async def is_announced_elsewhere(tx: Transaction, news: NewsItem, ref: ChatRef) -> bool:
    """Tell whether news disallows something that the chat was told, by itself or in a burst: it hears of it there."""
    other = next((a.disallows_action for a in news.firing_alternatives if a.disallows_action), "")
    if not other:
        return False
    seen = (await repository.read_deliveries(tx, AlertKey(news.key.fixture_id, other), [ref])).get(ref)
    return seen is not None and (seen.is_sent or seen.is_uncertain or seen.reason == Reason.HELD_FOR_BURST)


async def supersede_unsent_lines(tx: Transaction, delivery: Delivery) -> None:
    """What was held and not told after all, being taken back by then, may be told where it stands again."""
    told = set(read_line_keys(delivery)) if delivery.is_sent else set()
    for held in await read_held_deliveries(tx, delivery):
        if held.key not in told:
            await tx.execute(update(entries).where(*_is_delivery(held)).values(reason=Reason.SUPERSEDED.value))


def _is_delivery(delivery: Delivery) -> tuple[ColumnElement[bool], ...]:
    action = (entries.c.fixture_id == delivery.key.fixture_id, entries.c.action_id == delivery.key.action_id)
    return (*action, entries.c.chat_id == delivery.chat.chat_id, entries.c.topic == delivery.chat.topic)


async def hold_for_quiet_hours(
    tx: Transaction, news: NewsItem, chats: Mapping[ChatRef, dt.datetime], now: dt.datetime
) -> list[QueueItem]:
    """Note news for chats, each with the end of its quiet hours; the tickets of their summaries."""
    by_end: defaultdict[dt.datetime, list[ChatRef]] = defaultdict(list)
    for ref, end in chats.items():
        by_end[end].append(ref)
    return [item for end, refs in by_end.items() for item in await _add_to_quiet_hours_digest(tx, news, end, refs, now)]


async def _add_to_quiet_hours_digest(
    tx: Transaction, news: NewsItem, end: dt.datetime, refs: list[ChatRef], now: dt.datetime
) -> list[QueueItem]:
    key, due = make_quiet_hours_key(news, end), end.timestamp()
    await tx.lock(f"summary of {key.fixture_id} {key.action_id}")
    known = (await repository.read_news(tx, [key], for_update=True)).get(key)
    digest = quiet_hours_digest(known, news, end)
    over = FanoutProgress(new_chats_done=True, notified_chats_done=True)
    await (repository.replace_news if known else repository.add_news)(tx, digest, over, now)
    await repository.add_deliveries(tx, [Delivery(key, ref, due_at=due) for ref in refs], keep_existing=True)
    return [QueueItem(key, ref, digest.priority, digest.seq, due) for ref in refs]


async def read_digests_containing(tx: Transaction, key: AlertKey) -> list[NewsItem]:
    """Return the digests with a line about this action, of one match and of bursts, locked until the transaction ends."""
    # The line ids of a digest are JSON in one column, so all digests of the match are read: there are few.
    query = select(alerts).where(alerts.c.fixture_id == key.fixture_id, alerts.c.lines != "").with_for_update()
    of_match = [news for news in map(row_to_news, await tx.fetch(query)) if key.action_id in news.line_ids]
    query = select(grouped.c.burst).where(grouped.c.fixture_id == key.fixture_id, grouped.c.action_id == key.action_id)
    burst_keys = [make_burst_key(float(row["burst"])) for row in await tx.fetch(query)]
    bursts = await repository.read_news(tx, burst_keys, for_update=True)
    return [*of_match, *bursts.values()]
