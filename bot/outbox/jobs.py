"""Many tickets -> jobs, and many sights -> rows: a statement for all that one turn of the courier has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import BigInteger, String, and_, bindparam, case, exists, or_, select, true, update

from bot.outbox.entry import Entry, Reason, Status, Ticket
from bot.outbox.rows import ENTRY, entry_from, entry_values
from bot.store.chats import chat_from
from bot.store.engine import Transaction
from bot.store.model import Chat, ChatRef
from bot.store.prepared import Prepared
from bot.store.schema import alerts, chats, entries
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


def _keep(**instead: Any) -> Prepared:
    names = [f"of_{name}" if name in _KEY else name for name in ENTRY]
    query = update(entries).where(*(entries.c[name] == bindparam(f"of_{name}") for name in _KEY))
    return Prepared(query.values({name: bindparam(name) for name in ENTRY if name not in _KEY} | instead), names)


def _keep_shared() -> Prepared:
    """With the same values; rows are locked in the order in which a walk over the chats locks them."""
    newer = and_(alerts.c.fixture_id == entries.c.fixture_id, alerts.c.action_id == entries.c.action_id)
    newer = exists().where(newer, alerts.c.seq > bindparam("seq"), alerts.c.lines == "")
    unnamed = bindparam("reason", type_=String) == Reason.UNNAMED.value
    waits = and_(or_(bindparam("message_id", type_=BigInteger).is_not(None), unnamed), newer)
    status = case((waits, Status.WAITING.value), else_=bindparam("status", type_=String))
    return _keep(status=status)


def _in_order(entry: Entry) -> tuple[str, str, int, int]:
    return entry.key.fixture_id, entry.key.action_id, entry.ref.chat_id, entry.ref.topic


_WAITING, _KEEP, _KEEP_SHARED = _waiting(), _keep(), _keep_shared()

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


async def write_entries(tx: Transaction, seen: Sequence[Entry], *, shared: bool = False) -> set[tuple[AlertKey, ChatRef]]:
    """Keep what chats have seen now and when more is due; those that are there still, the others' chats have moved meanwhile.

    `shared`: another process may have put a revision since the news was read; what was told before it waits for it.
    """
    kept = await tx.run(_KEEP_SHARED if shared else _KEEP, [entry_values(entry) for entry in sorted(seen, key=_in_order)])
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
