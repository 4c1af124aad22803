"""How much waits in the outbox, for those who watch."""

from __future__ import annotations

import datetime as dt

import msgspec
from sqlalchemy import and_, func, select, true

from bot.outbox.entry import Status
from bot.store.engine import Database
from bot.store.schema import alerts, chats, entries, seconds


class Depth(msgspec.Struct, frozen=True):
    """Entries that wait, of these the due ones of active chats, for how many seconds the oldest is due, what still spreads."""

    waiting: int
    due: int
    oldest: float
    spreading: int


async def depth_of(db: Database, now: dt.datetime) -> Depth:
    """Count; raise StoreError."""
    at, waits = seconds(now), entries.c.status == Status.WAITING.value
    here = and_(chats.c.chat_id == entries.c.chat_id, chats.c.topic == entries.c.topic)
    all_waiting = select(func.count().label("n")).where(waits)
    due = select(func.count().label("n"), func.min(entries.c.due_at).label("first")).select_from(entries).join(chats, here)
    due = due.where(waits, entries.c.due_at <= at, chats.c.active == true())
    spreading = select(func.count().label("n")).where(alerts.c.spreading == true())
    async with db.transaction() as tx:
        (every,), (owed,), (news,) = [await tx.fetch(query) for query in (all_waiting, due, spreading)]
    oldest = 0.0 if owed["first"] is None else max(0.0, at - owed["first"])
    return Depth(every["n"], owed["n"], oldest, news["n"])
