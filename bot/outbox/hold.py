"""Quiet hours that hold news: it is noted for the one message that each chat gets when its quiet hours end."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping

from bot.outbox import ledger
from bot.outbox.entry import Entry, News, Ticket
from bot.outbox.ledger import Spread
from bot.outbox.summary import held_key, held_summary
from bot.store.engine import Transaction
from bot.store.model import ChatRef


async def hold(tx: Transaction, news: News, chats: Mapping[ChatRef, dt.datetime], now: dt.datetime) -> list[Ticket]:
    """Note news for chats, each with the end of its quiet hours; the tickets of their summaries."""
    by_end: defaultdict[dt.datetime, list[ChatRef]] = defaultdict(list)
    for ref, end in chats.items():
        by_end[end].append(ref)
    return [ticket for end, refs in by_end.items() for ticket in await _hold(tx, news, end, refs, now)]


async def _hold(tx: Transaction, news: News, end: dt.datetime, refs: list[ChatRef], now: dt.datetime) -> list[Ticket]:
    key, due = held_key(news, end), end.timestamp()
    await tx.lock(f"summary of {key.fixture_id} {key.action_id}")
    known = (await ledger.read_news(tx, [key], write=True)).get(key)
    summary = held_summary(known, news, end)
    over = Spread(first_done=True, told_done=True)
    await (ledger.change_news if known else ledger.add_news)(tx, summary, over, now)
    await ledger.add_entries(tx, [Entry(key, ref, due_at=due) for ref in refs], keep=True)
    return [Ticket(key, ref, summary.rank, summary.seq, due) for ref in refs]
