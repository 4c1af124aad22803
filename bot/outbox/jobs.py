"""Many tickets -> jobs, and many sights -> rows: a statement for all that one turn of the courier has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import and_, bindparam, select, true, update

from bot.outbox.entry import Entry, Status, Ticket
from bot.outbox.rows import entry_of, entry_row
from bot.store.chats import chat_of
from bot.store.engine import Transaction
from bot.store.model import Chat, ChatRef
from bot.store.schema import chats, entries
from rules.alert import AlertKey

_SETTINGS = [column for column in chats.columns if column.name not in ("chat_id", "topic", "kind")]
_HERE = and_(chats.c.chat_id == entries.c.chat_id, chats.c.topic == entries.c.topic)
_WAITING = select(entries, chats.c.kind.label("chat_kind"), *_SETTINGS).join(chats, _HERE)
_WAITING = _WAITING.where(entries.c.status == Status.WAITING.value, chats.c.active == true())
_KEY = ("fixture_id", "action_id", "chat_id", "topic")
_KEEP = update(entries).where(*(entries.c[name] == bindparam(f"of_{name}") for name in _KEY))
_KEEP = _KEEP.values({c.name: bindparam(c.name) for c in entries.columns if c.name not in _KEY})

Found = dict[tuple[AlertKey, ChatRef], tuple[Entry, Chat]]


async def read_jobs(tx: Transaction, tickets: Sequence[Ticket]) -> Found:
    """The entries of these tickets that wait, each with its chat; those of suspended chats are left out."""
    by_key: defaultdict[AlertKey, list[int]] = defaultdict(list)
    for ticket in tickets:
        by_key[ticket.key].append(ticket.ref.chat_id)
    found: Found = {}
    for key, ids in by_key.items():
        this = and_(entries.c.fixture_id == key.fixture_id, entries.c.action_id == key.action_id, entries.c.chat_id.in_(ids))
        for row in await tx.fetch(_WAITING.where(this)):
            entry = entry_of(row)
            found[key, entry.ref] = entry, chat_of({**row, "kind": row["chat_kind"]})
    return found


async def write_entries(tx: Transaction, seen: Sequence[Entry]) -> set[tuple[AlertKey, ChatRef]]:
    """Keep what chats have seen now and when more is due; those that are there still, the others' chats have moved meanwhile."""
    kept = await tx.execute(_KEEP, [_row(entry) for entry in seen])
    if kept == len(seen):
        return {(entry.key, entry.ref) for entry in seen}
    return {(entry.key, entry.ref) for entry in seen if await _is_there(tx, entry)}


async def _is_there(tx: Transaction, entry: Entry) -> bool:
    values = (entry.key.fixture_id, entry.key.action_id, entry.ref.chat_id, entry.ref.topic)
    this = [entries.c[name] == value for name, value in zip(_KEY, values, strict=True)]
    return bool(await tx.fetch(select(entries.c.chat_id).where(*this)))


def _row(entry: Entry) -> dict[str, object]:
    return {f"of_{name}" if name in _KEY else name: value for name, value in entry_row(entry).items()}
