"""How one rate is divided among all processes: the arithmetic, which is pure, and the table that the processes share.

Invariant: the sum of all shares never exceeds the rate. A process lowers its share only after its last second fits the lower
value; it raises it only by unassigned rate. So no second holds more than the rate, however late messages arrive. The shares
of the free rate may exceed it while a process sends paid messages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec
from sqlalchemy import delete, select, update

from bot.storage.database import Database, upsert
from bot.storage.driver import RATE_CHANNEL, Transaction
from bot.storage.schema import allowance, rate_shares

# Long enough that one failed renewal does not stop a sender.
SHARE_DURATION = 3.0
"""Seconds for which a share is valid after it was written. A process that cannot renew it sends nothing after that."""

_EXPIRED_SHARE_GRACE = 1.0
"""Seconds for which an expired share still counts: the last messages of its process have just arrived."""

_SLOT_SPACING_FACTOR = 1.04
"""Version 0.1 spaced its slots 4 % wider than the rate."""

_ALLOWANCE_NAME = "telegram"

_IS_ALLOWANCE = allowance.c.name == _ALLOWANCE_NAME


class RateShare(msgspec.Struct, frozen=True):
    """What one process may send in a second, and what it would like to. `until` is by the database's clock."""

    process: str
    share: int
    wanted: int
    is_sender: bool
    until: float
    unpaid_share: int = 0
    unpaid_wanted: int = 0


def to_unpaid_shares(shares: Sequence[RateShare]) -> list[RateShare]:
    """Return the shares of the free rate, to be divided as those of all messages are."""
    return [msgspec.structs.replace(one, share=one.unpaid_share, wanted=one.unpaid_wanted) for one in shares]


def divide_rate(per_second: int, shares: Sequence[RateShare]) -> dict[str, int]:
    """Return what each process should have. Answers to people come first, as nobody can hold them back.

    Of the senders, those that want little get it, and the others as much each. What nobody wants is for all senders, so that
    each can begin at once. Pure.
    """
    left, divided = per_second, dict[str, int]()
    # Sorted by name, here and below, so that every process computes the same result: each puts itself last in `shares`.
    for one in sorted((one for one in shares if not one.is_sender), key=lambda one: one.process):
        divided[one.process] = min(one.wanted, left)
        left -= divided[one.process]
    # The smallest wish comes first: what it leaves of an equal part goes to those that want more.
    senders = sorted((one for one in shares if one.is_sender), key=lambda one: (one.wanted, one.process))
    for number, one in enumerate(senders):
        divided[one.process] = min(one.wanted, left // (len(senders) - number))
        left -= divided[one.process]
    for number, one in enumerate(senders):
        divided[one.process] += (left + number) // len(senders)  # rounded so that the parts add up to what is left
    return divided


class RateUse(msgspec.Struct, frozen=True):
    """How many messages of a process arrived in the last second or are on their way, and how many it would like to send."""

    in_use: int
    wanted: int


class NewShare(msgspec.Struct, frozen=True):
    """The share of a process.

    `limit`: messages per second from now on. `share`: the part of the rate reserved, which may exceed `limit` until the last
    second has passed.
    """

    share: int
    limit: int
    must_notify: bool
    """True if another process may change its share because of this one."""


def choose_share(per_second: int, before: Sequence[RateShare], mine: RateShare, use: RateUse) -> NewShare:
    """Choose the share of one process. `before` are all as they are stored, `mine` is this one's, as it was. Pure."""
    others = [one for one in before if one.process != mine.process]
    divided = divide_rate(per_second, [*others, msgspec.structs.replace(mine, wanted=use.wanted)])
    # Only what nobody has is free. What another process should give up can be taken once it has stored that.
    free = max(0, per_second - sum(one.share for one in others))
    limit = min(divided[mine.process], free)
    # What is in use stays ours until its second is over, even if the new limit is lower.
    share = max(limit, use.in_use)
    can_give = any(one.share > divided[one.process] for one in others)
    can_take = any(one.share < divided[one.process] for one in others)
    # Only if another process has something to change, since every notified process looks at once.
    must_notify = (limit < divided[mine.process] and can_give) or (share < mine.share and can_take)
    return NewShare(share, limit, must_notify)


def step_share(
    per_second: int, before: Sequence[RateShare], mine: RateShare, apply_limit: Callable[[int | None], RateUse]
) -> tuple[NewShare, RateUse]:
    """Choose the new share of a process while it goes on sending; see `RateShareRepository.renew`."""
    use = apply_limit(None)
    found = choose_share(per_second, before, mine, use)
    # Applied before the share is stored: as soon as it is, another process may take what this one gives up.
    apply_limit(found.limit)
    return found, use


class Renewal(msgspec.Struct, frozen=True):
    """What a process needs to have its share of a rate renewed: the rate, its share, and what makes it keep to a limit.

    `apply_limit` takes the limit, or None for no change, and returns what the process needs at that moment.
    """

    per_second: int
    share: int
    apply_limit: Callable[[int | None], RateUse]


class RenewedShares(msgspec.Struct, frozen=True):
    """The new shares, of all messages and of the free rate (None: nothing is paid for), and the pause of all.

    `paused_for` is for how many seconds all are to pause, `closed_until` the end of that by the database's clock.
    """

    all: NewShare
    unpaid: NewShare | None
    paused_for: float
    closed_until: float


def step_shares(
    per_second: int, before: Sequence[RateShare], mine: RateShare, renewal: Renewal, unpaid: Renewal | None
) -> tuple[RateShare, NewShare, NewShare | None]:
    """Choose both new shares of a process. Return its row to store, and the shares."""
    found, use = step_share(per_second, before, mine, renewal.apply_limit)
    stored = msgspec.structs.replace(mine, share=found.share, wanted=use.wanted)
    if unpaid is None:
        return stored, found, None
    my_unpaid, others = msgspec.structs.replace(mine, share=unpaid.share, wanted=0), to_unpaid_shares(before)
    unpaid_found, use = step_share(unpaid.per_second, others, my_unpaid, unpaid.apply_limit)
    if sum(one.share for one in others) > unpaid.per_second:
        # Another process sends paid messages, and can give up nothing of the free rate until it has sent them.
        unpaid_found = msgspec.structs.replace(unpaid_found, must_notify=False)
    stored = msgspec.structs.replace(stored, unpaid_share=unpaid_found.share, unpaid_wanted=use.wanted)
    return stored, found, unpaid_found


class RateShareRepository:
    """The shares in the database, and the pause of all. `process` is the name of this one."""

    def __init__(self, db: Database, process: str) -> None:
        self._db, self._process = db, process

    async def renew(
        self, renewal: Renewal, unpaid: Renewal | None, is_sender: bool, *, slot_senders: int, sent: int
    ) -> RenewedShares:
        """Store the new shares of this process: of all messages, and of the free rate where others are paid for.

        `sent` is what it has sent since the last time.
        """
        async with self._db.transaction() as tx:
            # One process after the other: two that read the same shares would both take what is free.
            await tx.lock("telegram rate")
            # By the database's clock alone: those of the processes may differ by more than a share lasts.
            now = await tx.now()
            rows = [RateShare(**row) for row in await tx.fetch(select(rate_shares))]
            counted = [one for one in rows if one.until + _EXPIRED_SHARE_GRACE > now and one.process != self._process]
            state = await _read_allowance(tx)
            per_second = renewal.per_second
            if slot_senders:
                # During an upgrade, each sender of 0.1 gets an equal part of the rate. It reserves slots from `next_at` on, so
                # what this version sends moves `next_at`.
                new = sum(one.is_sender for one in counted) + is_sender
                per_second = per_second * new // (new + slot_senders)
                used = {"next_at": max(state.next_at, now) + sent * _SLOT_SPACING_FACTOR / max(1, per_second)}
                await tx.execute(update(allowance).where(_IS_ALLOWANCE).values(**used))
            mine = RateShare(self._process, renewal.share, 0, is_sender, now + SHARE_DURATION)
            stored, found, unpaid_found = step_shares(per_second, counted, mine, renewal, unpaid)
            await tx.execute(upsert(rate_shares), msgspec.structs.asdict(stored))
            # No process deletes its own row when it stops: its last messages still count for a while.
            if dead := [one.process for one in rows if one.until + _EXPIRED_SHARE_GRACE <= now]:
                await tx.execute(delete(rate_shares).where(rate_shares.c.process.in_(dead)))
            if found.must_notify or (unpaid_found and unpaid_found.must_notify):
                await tx.notify(RATE_CHANNEL)
        return RenewedShares(found, unpaid_found, state.closed_until - now, state.closed_until)

    async def pause_all(self, seconds: float) -> float:
        """Pause all processes for `seconds`, as Telegram asked. Return the end of the pause, by the database's clock."""
        async with self._db.transaction() as tx:
            state = await _read_allowance(tx)
            until = extend_pause(state.closed_until, await tx.now() + seconds)
            await tx.execute(update(allowance).where(_IS_ALLOWANCE).values(closed_until=until))
            await tx.notify(RATE_CHANNEL)
        return until

    async def end_pause(self, known_until: float) -> None:
        """End the pause of all processes that lasts until `known_until`. Another one goes on, whether it ends later or sooner.

        Telegram has taken a message that left when the pause was known to last until then. It says nothing of a newer pause.
        """
        async with self._db.transaction() as tx:
            is_known = allowance.c.closed_until == known_until
            if await tx.execute(update(allowance).where(_IS_ALLOWANCE, is_known).values(closed_until=0.0)):
                await tx.notify(RATE_CHANNEL)


def extend_pause(closed_until: float, until: float) -> float:
    """Return the end of a pause of all that is asked for once more."""
    # Always a little later, so that a process that knows only of the pause before cannot end this one.
    return max(math.nextafter(closed_until, math.inf), until)


class AllowanceState(msgspec.Struct, frozen=True):
    """The pause of all processes, and how far senders of 0.1 have reserved slots; in seconds, by the database's clock."""

    next_at: float = 0.0
    closed_until: float = 0.0


async def _read_allowance(tx: Transaction) -> AllowanceState:
    """Return the state of the allowance, locked until the transaction ends."""
    query = select(allowance).where(_IS_ALLOWANCE).with_for_update()
    rows: Sequence[Mapping[str, float]] = await tx.fetch(query)
    if not rows:
        # Two processes may both find it missing: the second insert does nothing, and both read the one row.
        await tx.execute(
            upsert(allowance, keep_existing=True), {"name": _ALLOWANCE_NAME} | msgspec.structs.asdict(AllowanceState())
        )
        rows = await tx.fetch(query)
    return AllowanceState(rows[0]["next_at"], rows[0]["closed_until"])
