"""Bursts in the store: news is noted for the one message that a chat gets seconds later, and found again when it is revised."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, bindparam, select, update

from bot.outbox import ledger
from bot.outbox.burst import burst_key, burst_news, end_of, perhaps_told, to_tell, told_keys
from bot.outbox.entry import Entry, Job, News, Reason, Status, Ticket
from bot.outbox.ledger import Spread
from bot.outbox.rows import entry_of
from bot.store.engine import Transaction, upsert
from bot.store.model import Chat, ChatRef
from bot.store.schema import chats, entries, grouped
from rules.alert import AlertKey

_WINDOW = (
    update(chats)
    .where(chats.c.chat_id == bindparam("chat"), chats.c.topic == bindparam("of_topic"))
    .values(burst_at=bindparam("at"))
)


async def group(tx: Transaction, news: News, held: Sequence[Chat], now: dt.datetime) -> list[Ticket]:
    """Note news for chats in whose bursts it falls; the tickets of their one message."""
    by_end: defaultdict[float, list[Chat]] = defaultdict(list)
    for chat in held:
        by_end[chat.burst_end(now.timestamp()) or now.timestamp()].append(chat)
    return [ticket for end, some in by_end.items() for ticket in await _group(tx, news, end, some, now)]


async def _group(tx: Transaction, news: News, end: float, some: Sequence[Chat], now: dt.datetime) -> list[Ticket]:
    key = burst_key(end)
    await tx.lock(f"summary of {key.fixture_id} {key.action_id}")
    burst = (await ledger.read_news(tx, [key], write=True)).get(key)
    if burst is None:
        burst = burst_news(key, news.candidates[0])
        await ledger.add_news(tx, burst, Spread(first_done=True, told_done=True), now)
    line = {"burst": key.action_id, "fixture_id": news.key.fixture_id, "action_id": news.key.action_id}
    await tx.execute(upsert(grouped, keep=True), line)
    made = [Entry(key, chat.ref, due_at=end + chat.delay) for chat in some]
    await ledger.add_entries(tx, made, keep=True)
    await open_windows(tx, some, end)
    return [Ticket(key, entry.ref, burst.rank, burst.seq, entry.due_at) for entry in made]


async def open_windows(tx: Transaction, some: Sequence[Chat], at: float) -> None:
    """These chats get a message at an instant: what comes in the seconds after it is held."""
    if wanting := [chat for chat in some if chat.bursts]:
        await tx.execute(_WINDOW, [{"chat": chat.ref.chat_id, "of_topic": chat.ref.topic, "at": at} for chat in wanting])


async def held_for(tx: Transaction, entry: Entry) -> list[Entry]:
    """What was held for one chat's message."""
    this = (entries.c.chat_id == entry.ref.chat_id, entries.c.topic == entry.ref.topic)
    query = select(entries).where(*this, entries.c.reason == Reason.GROUPED.value, entries.c.due_at == end_of(entry.key))
    return [held for held in map(entry_of, await tx.fetch(query)) if held.status is Status.DROPPED]


async def give_up(tx: Transaction, entry: Entry) -> None:
    """The message could not leave in time: its lines are old news, told in the summary of each match."""
    for held in await held_for(tx, entry):
        await tx.execute(update(entries).where(*_is(held)).values(reason=Reason.EXPIRED.value))
        await ledger.mark_missed(tx, held.key)


async def bursts_of(tx: Transaction, key: AlertKey) -> Sequence[News]:
    """The bursts that tell of an action; nobody else changes them until the transaction ends."""
    query = select(grouped.c.burst).where(grouped.c.fixture_id == key.fixture_id, grouped.c.action_id == key.action_id)
    names = [row["burst"] for row in await tx.fetch(query)]
    found = await ledger.read_news(tx, [burst_key(float(name)) for name in names], write=True)
    return list(found.values())


async def burst_job(tx: Transaction, entry: Entry, news: News, chat: Chat, seen: Callable[[News], News]) -> Job:
    """All that decides what a chat is told of a burst now; `seen` is how its delay lets it see each line."""
    held = [] if entry.told else await held_for(tx, entry)
    keys = told_keys(entry) if entry.told else list({one.key: None for one in held} | dict.fromkeys(perhaps_told(entry)))
    known = await ledger.read_news(tx, keys)
    lines = tuple(seen(known[key]) for key in keys if key in known)
    if not entry.told:
        lines = to_tell(lines, chat.muted_matches, perhaps_told(entry))
        lines = tuple([line for line in lines if not await heard_there(tx, line, entry.ref)])
    told = {line.key for line in lines}
    return Job(entry, news, chat, lines=lines, rings=any(one.rings for one in held if one.key in told))


async def heard_there(tx: Transaction, news: News, ref: ChatRef) -> bool:
    """Tell whether news disallows something that the chat was told, by itself or in a burst: it hears of it there."""
    other = next((a.takes_back for a in news.fired if a.takes_back), "")
    if not other:
        return False
    seen = (await ledger.read_entries(tx, AlertKey(news.key.fixture_id, other), [ref])).get(ref)
    return seen is not None and (seen.told or seen.unsure or seen.reason == Reason.GROUPED)


async def let_go(tx: Transaction, entry: Entry) -> None:
    """What was held and not told after all, being taken back by then, may be told where it stands again."""
    told = set(told_keys(entry)) if entry.told else set()
    for held in await held_for(tx, entry):
        if held.key not in told:
            await tx.execute(update(entries).where(*_is(held)).values(reason=Reason.SUPERSEDED.value))


def _is(entry: Entry) -> tuple[ColumnElement[bool], ...]:
    action = (entries.c.fixture_id == entry.key.fixture_id, entries.c.action_id == entry.key.action_id)
    return (*action, entries.c.chat_id == entry.ref.chat_id, entries.c.topic == entry.ref.topic)
