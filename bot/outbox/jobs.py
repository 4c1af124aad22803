"""Many tickets -> jobs, and many sights -> rows: a statement for all that one turn of the courier has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from sqlalchemy import and_, bindparam, select, true, update

from bot.outbox.entry import Entry, Status, Ticket
from bot.outbox.rows import ENTRY, entry_from, entry_values
from bot.store.chats import chat_from
from bot.store.engine import Transaction
from bot.store.model import Chat, ChatRef
from bot.store.prepared import Prepared
from bot.store.schema import chats, entries
from rules.alert import AlertKey

_AT_ONCE = 32
_PLACES = tuple(f"place_{number}" for number in range(_AT_ONCE))
_KEY = ENTRY[:4]


def _waiting() -> Prepared:
    """Not by status: a database that does not know yet how many entries wait would look through all of them each time."""
    here = and_(chats.c.chat_id == entries.c.chat_id, chats.c.topic == entries.c.topic)
    query = select(*(entries.c[name] for name in ENTRY), *chats.columns).join(chats, here)
    query = query.where(chats.c.active == true())
    this = [entries.c[name] == bindparam(name) for name in ("fixture_id", "action_id")]
    query = query.where(*this, entries.c.chat_id.in_([bindparam(place) for place in _PLACES]))
    return Prepared(query, ("fixture_id", "action_id", *_PLACES))


def _keep() -> Prepared:
    names = [f"of_{name}" if name in _KEY else name for name in ENTRY]
    query = update(entries).where(*(entries.c[name] == bindparam(f"of_{name}") for name in _KEY))
    return Prepared(query.values({name: bindparam(name) for name in ENTRY if name not in _KEY}), names)


def _in_order(entry: Entry) -> tuple[str, str, int, int]:
    return entry.key.fixture_id, entry.key.action_id, entry.ref.chat_id, entry.ref.topic


_WAITING, _KEEP = _waiting(), _keep()

Found = dict[tuple[AlertKey, ChatRef], tuple[Entry, Chat]]


async def read_jobs(tx: Transaction, tickets: Sequence[Ticket]) -> Found:
    """The entries of these tickets that wait, each with its chat; those of suspended chats are left out."""
    by_key: defaultdict[AlertKey, list[int]] = defaultdict(list)
    for ticket in tickets:
        by_key[ticket.key].append(ticket.ref.chat_id)
    found: Found = {}
    for key, ids in by_key.items():
        for some in _filled(ids):
            for row in await tx.read(_WAITING, (key.fixture_id, key.action_id, *some)):
                entry = entry_from(row[: len(ENTRY)])
                if entry.status is Status.WAITING:
                    found[key, entry.ref] = entry, chat_from(row[len(ENTRY) :])
    return found


def _filled(ids: Sequence[int]) -> Iterator[list[int]]:
    """As many at a time as the statement has places; the last one fills those that are left."""
    left = iter(ids)
    while some := list(islice(left, _AT_ONCE)):
        yield some + some[-1:] * (_AT_ONCE - len(some))


async def write_entries(tx: Transaction, seen: Sequence[Entry]) -> set[tuple[AlertKey, ChatRef]]:
    """Keep what chats have seen now and when more is due; those that are there still, the others' chats have moved meanwhile.

    Rows are locked in the order in which a walk over the chats locks them.
    """
    kept = await tx.run(_KEEP, [entry_values(entry) for entry in sorted(seen, key=_in_order)])
    if kept == len(seen):
        return {(entry.key, entry.ref) for entry in seen}
    return {(entry.key, entry.ref) for entry in seen if await _is_there(tx, entry)}


async def mark(tx: Transaction, seen: Sequence[Entry]) -> None:
    """Keep entries that go on waiting, as far as they are there still."""
    if seen:
        await tx.run(_KEEP, [entry_values(entry) for entry in sorted(seen, key=_in_order)])


async def _is_there(tx: Transaction, entry: Entry) -> bool:
    values = (entry.key.fixture_id, entry.key.action_id, entry.ref.chat_id, entry.ref.topic)
    this = [entries.c[name] == value for name, value in zip(_KEY, values, strict=True)]
    return bool(await tx.fetch(select(entries.c.chat_id).where(*this)))
