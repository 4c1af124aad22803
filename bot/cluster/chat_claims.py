"""Which sender owns which chats (FOR UPDATE SKIP LOCKED)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import text

from bot.cluster.leases import name_process_lease
from bot.storage.driver import Transaction

_LEASE_MARGIN = 1.0
"""Seconds that the lease has to last when a message leaves."""

_CLAIM_CHATS = text("""
INSERT INTO claims AS k (chat_id, sender)
SELECT chat, :sender FROM unnest(CAST(:chats AS bigint[])) AS chat ORDER BY chat
ON CONFLICT (chat_id) DO UPDATE SET sender = excluded.sender
WHERE k.sender = :sender OR (:dead AND NOT EXISTS (
    SELECT 1 FROM leases AS l WHERE l.name = :prefix || k.sender AND l.until > extract(epoch FROM clock_timestamp())
))
RETURNING chat_id
""")

_SELECT_OWNERS = text("SELECT DISTINCT sender FROM claims WHERE chat_id = ANY(CAST(:chats AS bigint[])) AND sender <> :sender")

_SELECT_OWN_CHATS = text("""
SELECT chat_id FROM claims WHERE sender = :sender AND chat_id = ANY(CAST(:chats AS bigint[])) AND EXISTS (
    SELECT 1 FROM leases AS l WHERE l.name = :prefix || :sender AND l.until > extract(epoch FROM clock_timestamp()) + :spare
)
""")

_RELEASE_CHATS = text("DELETE FROM claims WHERE sender = :sender AND chat_id = ANY(CAST(:chats AS bigint[]))")

_RELEASE_ALL = text("DELETE FROM claims WHERE sender = :sender")

_DELETE_ORPHANED = text("""
DELETE FROM claims AS k WHERE NOT EXISTS (
    SELECT 1 FROM leases AS l WHERE l.name = :prefix || k.sender AND l.until > extract(epoch FROM clock_timestamp())
)
""")

_SELECT_UNCLAIMED = text("""
SELECT e.fixture_id, e.action_id, e.chat_id, e.topic, e.due_at, a.rank, a.seq
FROM entries AS e
JOIN chats AS c ON c.chat_id = e.chat_id AND c.topic = e.topic
JOIN alerts AS a ON a.fixture_id = e.fixture_id AND a.action_id = e.action_id
LEFT JOIN claims AS k ON k.chat_id = e.chat_id
WHERE e.status = 'waiting' AND c.active AND e.due_at > :since AND e.due_at < :before
AND (k.chat_id IS NULL OR (:dead AND NOT EXISTS (
    SELECT 1 FROM leases AS l WHERE l.name = :prefix || k.sender AND l.until > extract(epoch FROM clock_timestamp())
)))
ORDER BY a.rank, e.due_at, a.seq LIMIT :most
FOR UPDATE OF e SKIP LOCKED
""")

_SELECT_CLAIMED = text("""
SELECT e.fixture_id, e.action_id, e.chat_id, e.topic, e.due_at, a.rank, a.seq
FROM entries AS e
JOIN chats AS c ON c.chat_id = e.chat_id AND c.topic = e.topic
JOIN alerts AS a ON a.fixture_id = e.fixture_id AND a.action_id = e.action_id
JOIN claims AS k ON k.chat_id = e.chat_id
WHERE e.status = 'waiting' AND c.active AND e.due_at > :since AND e.due_at < :before AND k.sender = :sender
AND (:everywhere OR e.chat_id = ANY(CAST(:chats AS bigint[])))
ORDER BY a.rank, e.due_at, a.seq LIMIT :most
""")


class DueRange(msgspec.Struct, frozen=True):
    """Which entries are looked for: due between two instants, in seconds since 1970, and so many at most."""

    since: float
    before: float
    most: int


class ChatClaims:
    """The claims of one sender. `dead`: those of senders whose lease has ended may be taken over."""

    def __init__(self, sender: str) -> None:
        self.sender = sender

    async def take(self, tx: Transaction, chats: Collection[int], *, dead: bool) -> frozenset[int]:
        """Claim chats; which of them are mine now."""
        if not chats:
            return frozenset()
        rows = await self._fetch(tx, _CLAIM_CHATS, chats=sorted(chats), dead=dead, prefix=name_process_lease(""))
        return frozenset(row["chat_id"] for row in rows)

    async def held(self, tx: Transaction, chats: Collection[int]) -> frozenset[int]:
        """Those of these chats that are mine, and will be for a moment."""
        rows = await self._fetch(tx, _SELECT_OWN_CHATS, chats=sorted(chats), prefix=name_process_lease(""), spare=_LEASE_MARGIN)
        return frozenset(row["chat_id"] for row in rows)

    async def owners(self, tx: Transaction, chats: Collection[int]) -> frozenset[str]:
        """The other senders that have some of these chats."""
        rows = await self._fetch(tx, _SELECT_OWNERS, chats=sorted(chats)) if chats else ()
        return frozenset(row["sender"] for row in rows)

    async def free(self, tx: Transaction, span: DueRange, *, dead: bool) -> Sequence[Mapping[Any, Any]]:
        """Entries that wait and are no living sender's, locked: those that another sender is looking at are left out."""
        values = {"dead": dead, "prefix": name_process_lease("")} | msgspec.structs.asdict(span)
        return await tx.fetch(_SELECT_UNCLAIMED.bindparams(**values))

    async def mine(self, tx: Transaction, span: DueRange, chats: Collection[int] | None = None) -> Sequence[Mapping[Any, Any]]:
        """Entries of my chats that wait; of these alone, where some are named."""
        values = {"everywhere": chats is None, "chats": sorted(chats or ())} | msgspec.structs.asdict(span)
        return await self._fetch(tx, _SELECT_CLAIMED, **values)

    async def release(self, tx: Transaction, chats: Collection[int]) -> None:
        """Leave chats to others."""
        await tx.execute(_RELEASE_CHATS.bindparams(sender=self.sender, chats=sorted(chats)))

    async def release_all(self, tx: Transaction) -> None:
        """Leave all."""
        await tx.execute(_RELEASE_ALL.bindparams(sender=self.sender))

    async def _fetch(self, tx: Transaction, query: Any, **values: object) -> Sequence[Mapping[Any, Any]]:
        return await tx.fetch(query.bindparams(sender=self.sender, **values))


async def delete_orphaned_claims(tx: Transaction) -> None:
    """Erase the claims of senders that are gone."""
    await tx.execute(_DELETE_ORPHANED.bindparams(prefix=name_process_lease("")))
