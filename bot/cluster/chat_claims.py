"""Which sender owns which chats, where several processes send.

A chat belongs to one sender at a time: so its messages stay in order, and one process alone keeps to Telegram's limit for it. A
claim has no end of its own. It lasts as long as the process lease of its sender: a sender renews one row, however many chats it
has, and loses all of them together if it dies. A sender that has many more chats than another one gives it some for which nothing
waits (`choose_gift`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Boolean, Float, Integer, String, bindparam, text
from sqlalchemy.types import TypeEngine

from bot.cluster.leases import name_process_lease
from bot.storage.driver import PreparedStatement, Transaction

_LEASE_MARGIN = 1.0
"""Seconds that the sender's own lease must still last when a message leaves: the chat is its own until Telegram has answered."""

_TYPES: dict[str, TypeEngine[Any]] = {
    "sender": String(),
    "prefix": String(),
    "dead": Boolean(),
    "margin": Float(),
    "since": Float(),
    "before": Float(),
    "last_rank": Integer(),
    "limit": Integer(),
}
"""Of the parameters of the statements below, but for arrays: these are cast where they stand."""


def _prepare(sql: str, *parameters: str) -> PreparedStatement:
    """Prepare a statement that runs with every batch or page: SQLAlchemy takes longer for it than the server."""
    typed = [bindparam(name, type_=_TYPES[name]) for name in parameters if name in _TYPES]
    return PreparedStatement(text(sql).bindparams(*typed), parameters)


# A claim counts while the lease of its sender's process is in force, by the database's clock. One without a sender was given up.
# ORDER BY chat: all senders lock the rows in the same order, and never deadlock. `xmax` is 0 in a row that was inserted, so that
# nobody had the chat before.
_CLAIM_CHATS = _prepare(
    """
INSERT INTO claims AS k (chat_id, sender)
SELECT chat, :sender FROM unnest(CAST(:chats AS bigint[])) AS chat ORDER BY chat
ON CONFLICT (chat_id) DO UPDATE SET sender = excluded.sender
WHERE k.sender = :sender OR k.sender = '' OR (:dead AND NOT EXISTS (
    SELECT 1 FROM leases AS l WHERE l.name = :prefix || k.sender AND l.until > extract(epoch FROM clock_timestamp())
))
RETURNING chat_id, (xmax = 0) AS is_new
""",
    "sender",
    "chats",
    "dead",
    "prefix",
)

_SELECT_OWNERS = _prepare(
    "SELECT DISTINCT sender FROM claims WHERE chat_id = ANY(CAST(:chats AS bigint[])) AND sender <> :sender", "chats", "sender"
)

# FOR SHARE: a chat that is being given up at this moment is not sent to, and one that is being sent to waits with that.
_SELECT_OWN_CHATS = _prepare(
    """
SELECT chat_id FROM claims WHERE sender = :sender AND chat_id = ANY(CAST(:chats AS bigint[])) AND EXISTS (
    SELECT 1 FROM leases AS l WHERE l.name = :prefix || :sender AND l.until > extract(epoch FROM clock_timestamp()) + :margin
) ORDER BY chat_id FOR SHARE
""",
    "sender",
    "chats",
    "prefix",
    "margin",
)

_SELECT_ALL_OWN = text("SELECT chat_id FROM claims WHERE sender = :sender ORDER BY chat_id")

# Of all senders that live, those without a chat included.
_COUNT_BY_SENDER = text("""
SELECT substr(l.name, length(:prefix) + 1) AS sender, count(k.chat_id) AS chats
FROM leases AS l LEFT JOIN claims AS k ON :prefix || k.sender = l.name
WHERE l.until > extract(epoch FROM clock_timestamp())
AND CASE WHEN starts_with(l.name, :prefix) AND l.facts <> '' THEN CAST(l.facts AS jsonb) -> 'roles' @> '["send"]' ELSE false END
GROUP BY l.name
""")

_SELECT_BUSY = text("""
SELECT DISTINCT chat_id FROM entries WHERE status = 'waiting' AND chat_id = ANY(CAST(:chats AS bigint[]))
""")

_GIVE_CHATS = text("""
UPDATE claims SET sender = :receiver WHERE sender = :sender AND chat_id IN (
    SELECT chat_id FROM claims WHERE sender = :sender AND chat_id = ANY(CAST(:chats AS bigint[])) ORDER BY chat_id FOR UPDATE
)
""")

_RELEASE_CHATS = text("""
DELETE FROM claims WHERE sender = :sender AND chat_id IN (
    SELECT chat_id FROM claims WHERE sender = :sender AND chat_id = ANY(CAST(:chats AS bigint[])) ORDER BY chat_id FOR UPDATE
)
""")

# The rows stay, without a sender: the process that claims the chats next has to know what they were sent lately.
_RELEASE_ALL = text("UPDATE claims SET sender = '' WHERE sender = :sender")

# Dead senders' claims do no harm where they stand; they are deleted so that the table does not grow with every restart.
_DELETE_ORPHANED = text("""
DELETE FROM claims AS k WHERE NOT EXISTS (
    SELECT 1 FROM leases AS l WHERE l.name = :prefix || k.sender AND l.until > extract(epoch FROM clock_timestamp())
)
""")

_DUE_RANGE = ("since", "before", "limit", "last_rank")
"""The fields of a DueRange, in order."""

# SKIP LOCKED: several senders look at once. Each gets other rows instead of waiting for the same ones.
_SELECT_UNCLAIMED = _prepare(
    """
SELECT e.fixture_id, e.action_id, e.chat_id, e.topic, a.rank, a.seq, e.due_at, e.next_rings
FROM entries AS e
JOIN chats AS c ON c.chat_id = e.chat_id AND c.topic = e.topic
JOIN alerts AS a ON a.fixture_id = e.fixture_id AND a.action_id = e.action_id
LEFT JOIN claims AS k ON k.chat_id = e.chat_id
WHERE e.status = 'waiting' AND c.active AND e.due_at > :since AND e.due_at < :before AND a.rank <= :last_rank
AND (k.chat_id IS NULL OR k.sender = '' OR (:dead AND NOT EXISTS (
    SELECT 1 FROM leases AS l WHERE l.name = :prefix || k.sender AND l.until > extract(epoch FROM clock_timestamp())
)))
ORDER BY a.rank, e.due_at, a.seq LIMIT :limit
FOR UPDATE OF e SKIP LOCKED
""",
    *_DUE_RANGE,
    "dead",
    "prefix",
)


# Without a lock: nobody else touches the deliveries of a chat that is ours.
_CLAIMED = """
SELECT e.fixture_id, e.action_id, e.chat_id, e.topic, a.rank, a.seq, e.due_at, e.next_rings
FROM entries AS e
JOIN chats AS c ON c.chat_id = e.chat_id AND c.topic = e.topic
JOIN alerts AS a ON a.fixture_id = e.fixture_id AND a.action_id = e.action_id
JOIN claims AS k ON k.chat_id = e.chat_id
WHERE e.status = 'waiting' AND c.active AND e.due_at > :since AND e.due_at < :before AND k.sender = :sender
AND a.rank <= :last_rank
"""
_IN_THESE_CHATS = "AND e.chat_id = ANY(CAST(:chats AS bigint[]))"
_IN_ORDER = " ORDER BY a.rank, e.due_at, a.seq LIMIT :limit"

# Two statements: of "everywhere, or in these chats" the server would keep one plan, which joins all that waits.
_SELECT_CLAIMED = _prepare(_CLAIMED + _IN_ORDER, "sender", *_DUE_RANGE)
_SELECT_CLAIMED_OF_CHATS = _prepare(_CLAIMED + _IN_THESE_CHATS + _IN_ORDER, "sender", *_DUE_RANGE, "chats")


class DueRange(msgspec.Struct, frozen=True):
    """Which deliveries to look for: due after `since` and before `before`, in seconds since 1970, and at most `limit`.

    Their news is of priority `last_rank` or more urgent.
    """

    since: float
    before: float
    limit: int
    last_rank: int


class ChatClaims:
    """The claims of one sender. With `take_over_dead`, chats of senders whose lease has ended may be claimed too."""

    def __init__(self, sender: str) -> None:
        self.sender = sender

    async def claim(self, tx: Transaction, chat_ids: Collection[int], *, take_over_dead: bool) -> dict[int, bool]:
        """Claim chats, and return those of them that are this sender's now: the others belong to a living sender.

        True stands beside a chat that nobody had: nothing was sent to it lately.
        """
        if not chat_ids:
            return {}
        prefix = name_process_lease("")
        rows = await tx.fetch_prepared(_CLAIM_CHATS, (self.sender, sorted(chat_ids), take_over_dead, prefix))
        return {row[0]: row[1] for row in rows}

    async def filter_own(self, tx: Transaction, chat_ids: Collection[int]) -> frozenset[int]:
        """Return those of these chats that are this sender's, and will be while a message is sent."""
        prefix = name_process_lease("")
        rows = await tx.fetch_prepared(_SELECT_OWN_CHATS, (self.sender, sorted(chat_ids), prefix, _LEASE_MARGIN))
        return frozenset(chat_id for (chat_id,) in rows)

    async def find_other_owners(self, tx: Transaction, chat_ids: Collection[int]) -> frozenset[str]:
        """Return the other senders that own some of these chats."""
        rows = await tx.fetch_prepared(_SELECT_OWNERS, (sorted(chat_ids), self.sender)) if chat_ids else ()
        return frozenset(sender for (sender,) in rows)

    async def select_unclaimed_rows(
        self, tx: Transaction, due_range: DueRange, *, take_over_dead: bool
    ) -> Sequence[Sequence[Any]]:
        """Select waiting deliveries of chats that no living sender owns, and lock them until the transaction ends.

        Each row has the values of a QueueItem, in the order of `values_to_item`.
        """
        values = (*msgspec.structs.astuple(due_range), take_over_dead, name_process_lease(""))
        return await tx.fetch_prepared(_SELECT_UNCLAIMED, values)

    async def select_own_rows(
        self, tx: Transaction, due_range: DueRange, chat_ids: Collection[int] | None = None
    ) -> Sequence[Sequence[Any]]:
        """Select waiting deliveries of this sender's chats, or only of those that are named. See `select_unclaimed_rows`."""
        values = (self.sender, *msgspec.structs.astuple(due_range))
        if chat_ids is None:
            return await tx.fetch_prepared(_SELECT_CLAIMED, values)
        return await tx.fetch_prepared(_SELECT_CLAIMED_OF_CHATS, (*values, sorted(chat_ids)))

    async def select_all_own(self, tx: Transaction) -> Sequence[int]:
        """Return every chat of this sender."""
        return [row["chat_id"] for row in await tx.fetch(_SELECT_ALL_OWN.bindparams(sender=self.sender))]

    async def count_by_sender(self, tx: Transaction) -> dict[str, int]:
        """Return by living sender how many chats it has."""
        rows = await tx.fetch(_COUNT_BY_SENDER.bindparams(prefix=name_process_lease("")))
        return {row["sender"]: row["chats"] for row in rows}

    async def filter_busy(self, tx: Transaction, chat_ids: Collection[int]) -> frozenset[int]:
        """Return those of these chats for which something waits, or is on its way."""
        rows = await tx.fetch(_SELECT_BUSY.bindparams(chats=sorted(chat_ids)))
        return frozenset(row["chat_id"] for row in rows)

    async def give(self, tx: Transaction, chat_ids: Collection[int], receiver: str) -> None:
        """Give chats of this sender to another one."""
        await tx.execute(_GIVE_CHATS.bindparams(sender=self.sender, receiver=receiver, chats=sorted(chat_ids)))

    async def release(self, tx: Transaction, chat_ids: Collection[int]) -> None:
        """Give up chats, so that other senders can claim them."""
        await tx.execute(_RELEASE_CHATS.bindparams(sender=self.sender, chats=sorted(chat_ids)))

    async def release_all(self, tx: Transaction) -> None:
        """Give up all chats. Called at a stop, so that the other senders need not wait until the lease has ended."""
        await tx.execute(_RELEASE_ALL.bindparams(sender=self.sender))


def choose_gift(counts: Mapping[str, int], sender: str) -> tuple[str, int] | None:
    """Return which sender should get chats of this one, and how many; None if all have about as many. Pure."""
    if len(counts) < 2 or sender not in counts:
        return None
    receiver = min(counts, key=lambda name: (counts[name], name))
    difference = counts[sender] - counts[receiver]
    # Small differences come and go with every alert.
    is_large = difference >= _MIN_DIFFERENCE and difference > counts[sender] * _MIN_SHARE
    return (receiver, difference // 2) if is_large else None


_MIN_DIFFERENCE = 10
"""Chats by which one sender has to have more than another before it gives any away."""

_MIN_SHARE = 0.3
"""The part of its own chats that this difference has to exceed as well."""


async def delete_orphaned_claims(tx: Transaction) -> None:
    """Delete the claims of senders that are gone."""
    await tx.execute(_DELETE_ORPHANED.bindparams(prefix=name_process_lease("")))
