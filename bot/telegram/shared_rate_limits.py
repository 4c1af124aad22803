"""One rate for all processes, divided into shares in the database.

Each process keeps within its share by a window of its own, which counts when messages have arrived at the latest. The shares
together are never more than the rate: a process says that it needs less only when its last second holds no more than that, and
another one takes more only of what nobody has. So no second holds more than the rate, however late messages arrive.

Where messages beyond the free rate are paid for, the free rate is divided in the same way: a process sends without payment only
while its last second, paid messages included, holds less than its share of that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec
import structlog
from sqlalchemy import delete, select, update

from bot.errors import StorageError
from bot.outbox.delivery import Urgency
from bot.storage.database import Database, upsert
from bot.storage.driver import RATE_CHANNEL, Transaction
from bot.storage.schema import allowance, rate_shares
from bot.telegram.paid_messages import FREE_MESSAGES_PER_SECOND, PaidMessages
from bot.telegram.rate_limits import RateLimiter

log = structlog.get_logger()

SHARE_DURATION = 3.0
"""Seconds for which a share is valid after it was written. A process that cannot renew it sends nothing after that."""

_EXPIRY_MARGIN = 0.2
"""Seconds before its end at which a process stops using its share."""

_DEAD_FOR = 1.0
"""Seconds for which the share of a dead process still counts: its last messages have just arrived."""

_RENEW_INTERVAL = 1.0
"""Seconds between two looks at the shares, where nobody needs more."""

_QUICK_INTERVAL = 0.2
"""Seconds between two looks while this process needs more than it has, or gives up some."""

_STARVED_FOR = 1.0
"""Seconds for which a process that could not send all that it had counts as one that needs more."""

_GIVE_UP_TIME = 0.1
"""Seconds that other processes have to give up what they do not need of the free rate, before this one pays for messages."""

_NO_SHARE_DELAY = 0.1
"""Seconds until the limiter is asked again if it has no share. A new share wakes the sender sooner."""

_RETRY_DELAY = 0.5
"""Seconds until a look that the database refused is tried again."""

_RESERVE = 10
"""An idle sender keeps the tenth part of the rate, so that it can begin at once."""

_SLOT_INTERVAL = 1.04
"""Processes of 0.1 reserve slots, so much farther apart than the rate says."""

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
    for one in shares:
        if not one.is_sender:
            divided[one.process] = min(one.wanted, left)
            left -= divided[one.process]
    senders = sorted((one for one in shares if one.is_sender), key=lambda one: (one.wanted, one.process))
    for number, one in enumerate(senders):
        divided[one.process] = min(one.wanted, left // (len(senders) - number))
        left -= divided[one.process]
    for number, one in enumerate(senders):
        divided[one.process] += (left + number) // len(senders)
    return divided


class RateUse(msgspec.Struct, frozen=True):
    """How many messages of a process arrived in the last second or are on their way, and how many it would like to send."""

    in_use: int
    wanted: int


class NewShare(msgspec.Struct, frozen=True):
    """What a process may send in a second from now on (`limit`), and what stays taken until its last second is over."""

    share: int
    limit: int
    must_notify: bool
    """True if another process may change its share because of this one."""


def choose_share(per_second: int, before: Sequence[RateShare], mine: RateShare, use: RateUse) -> NewShare:
    """Choose the share of one process. `before` are all as they are stored, `mine` is this one's, as it was. Pure."""
    others = [one for one in before if one.process != mine.process]
    divided = divide_rate(per_second, [*others, msgspec.structs.replace(mine, wanted=use.wanted)])
    free = max(0, per_second - sum(one.share for one in others))
    limit = min(divided[mine.process], free)
    share = max(limit, use.in_use)
    can_give = any(one.share > divided[one.process] for one in others)
    can_take = any(one.share < divided[one.process] for one in others)
    must_notify = (limit < divided[mine.process] and can_give) or (share < mine.share and can_take)
    return NewShare(share, limit, must_notify)


def step_share(
    per_second: int, before: Sequence[RateShare], mine: RateShare, apply_limit: Callable[[int | None], RateUse]
) -> tuple[NewShare, RateUse]:
    """Choose the new share of a process while it goes on sending; see `RateShareRepository.renew`."""
    limit = choose_share(per_second, before, mine, apply_limit(None)).limit
    # Read again, after it keeps to the new limit: what it sends from here on is within that.
    use = apply_limit(limit)
    found = choose_share(per_second, before, mine, use)
    return msgspec.structs.replace(found, limit=min(found.limit, limit)), use


class Renewal(msgspec.Struct, frozen=True):
    """What a process needs to have its share of a rate renewed: the rate, its share, and what makes it keep to a limit.

    `apply_limit` takes the limit, or None for no change, and returns what the process needs at that moment.
    """

    per_second: int
    share: int
    apply_limit: Callable[[int | None], RateUse]


class RenewedShares(msgspec.Struct, frozen=True):
    """The new shares, of all messages and of the free rate (None: nothing is paid for), and for how long all are to pause."""

    all: NewShare
    unpaid: NewShare | None
    paused_for: float


def step_shares(
    per_second: int, before: Sequence[RateShare], mine: RateShare, renewal: Renewal, unpaid: Renewal | None
) -> tuple[RateShare, NewShare, NewShare | None]:
    """Choose both new shares of a process. Return its row as it is to be stored, and the shares."""
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


class SharedRateLimiter:
    """The limiter of one process. `on_more` is called when it may send more than before.

    Limits of single chats are kept in memory: each chat belongs to one process.
    """

    def __init__(
        self, repository: RateShareRepository, per_second: int, *, is_sender: bool, paid: PaidMessages | None = None
    ) -> None:
        """`is_sender`: this process sends alerts, which can wait, and not only answers to people.

        `paid` says how many messages may be paid for; None: the rate needs no payment.
        """
        self._repository, self._per_second, self._is_sender = repository, per_second, is_sender
        self.count_slot_senders: Callable[[], int] = int
        """Returns how many senders of 0.1 live: they reserve slots, and know of no shares."""
        self._limits = RateLimiter(per_second, paid)
        self._limits.rate = self._limits.unpaid_rate = 0
        self._paid = paid
        if paid:
            self._limits.on_unpaid_used = self._on_unpaid_used
        self._valid_until = self._starved_at = float("-inf")
        self._unpaid_used_since = self._unpaid_used_at = self._may_pay_from = float("-inf")
        """When more than the free rate was needed, first and last, and from when on messages may be paid for."""
        self._share = self._unpaid_share = 0
        self._granted = 0
        """Messages that the sender was allowed and has not counted yet: it reads the database in between."""
        self._sent = 0
        """Messages since the last look."""
        self._unmet = 0
        """How many more the sender would have liked to send at once, when it asked last."""
        self._pause_seconds = 0.0
        self._requested = asyncio.Event()
        self.on_more: Callable[[], None] | None = None

    def next_send_at(self, now: float) -> float:
        """Return when the next message to any chat may leave."""
        return self._limits.next_send_at(now) if self._rate(now) else now + _NO_SHARE_DELAY

    def next_chat_send_at(self, chat_id: int, now: float, urgency: Urgency = Urgency.LOUD) -> float:
        """Return when this chat's own limits allow the next message: see RateLimiter."""
        return self._limits.next_chat_send_at(chat_id, now, urgency)

    def available(self, now: float, limit: int) -> int:
        """Return how many messages may leave now, at most `limit`. Asks for a larger share if that is too few."""
        self._granted = self._limits.available(now, limit) if self._rate(now) else 0
        self._unmet = limit - self._granted
        if self._granted < limit:
            is_new = now - self._starved_at > _STARVED_FOR
            self._starved_at = now
            if is_new:
                self.request_look()
        return self._granted

    def record_send(self, chat_id: int, now: float, *, is_tracked: bool = False, may_be_paid: bool = False) -> bool:
        """Count a message that leaves now, and return True if it has to be paid for.

        One that is tracked counts until its answer has come.
        """
        is_paid = self._limits.record_send(chat_id, now, is_tracked=is_tracked, may_be_paid=may_be_paid)
        self._granted, self._sent = max(0, self._granted - 1), self._sent + 1
        if not self._is_sender:
            share = self._share if self._paid is None else self._unpaid_share
            if self._limits.count_in_use(now) > share:
                self.request_look()  # nobody holds back an answer to a person: the senders have to know at once
        return is_paid

    def give_back_paid(self, taken_at: float) -> None:
        """Note that a paid message, counted then, was refused, so that it costs nothing."""
        self._limits.give_back_paid(taken_at)

    def record_payment(self, taken_at: float, now: float, *, is_accepted: bool) -> None:
        """Note whether Telegram took the payment of a message. Each process finds out by itself."""
        self._limits.record_payment(taken_at, now, is_accepted=is_accepted)

    def restore_sends(self, sends: Sequence[tuple[int, float]]) -> None:
        """Count what an earlier process sent for the limits of its chats. For the rate its own share counts."""
        self._limits.restore_chats(sends)

    def record_answer(self, taken_at: float, now: float, sent_at: float | None = None) -> None:
        """Count a message from when it can have arrived at the latest."""
        self._limits.record_answer(taken_at, now, sent_at)

    def on_retry_after(self, chat_id: int, seconds: float, now: float) -> None:
        """Pause this chat; if several were refused within a second, pause all chats in all processes."""
        self._limits.on_retry_after(chat_id, seconds, now)
        if self._limits.is_paused(now):
            self._pause_seconds = max(self._pause_seconds, seconds)
            self.request_look()

    def request_look(self, _payload: str = "") -> None:
        """Look at the shares at once. Called by the notification that another process needs or gives up some."""
        self._requested.set()

    async def run(self) -> None:
        """Keep a share for ever."""
        while True:
            self._requested.clear()
            try:
                delay = await self._look()
            except StorageError as error:
                log.debug("rate_share_not_renewed", reason=str(error))
                await asyncio.sleep(_RETRY_DELAY)
                continue
            try:
                async with asyncio.timeout(delay):
                    await self._requested.wait()
            except TimeoutError:
                pass

    def _on_unpaid_used(self) -> None:
        """Ask for more of the free rate. Only if that does not suffice, messages are paid for: see `_look`."""
        now = asyncio.get_running_loop().time()
        if now - self._unpaid_used_at > _STARVED_FOR:
            self._unpaid_used_since = now
            self.request_look()
        self._unpaid_used_at = now

    def _rate(self, now: float) -> int:
        return self._limits.rate if now < self._valid_until else 0

    async def _look(self) -> float:
        """Renew the share, larger or smaller as all processes need it. Return the seconds until the next look."""
        if pause := self._pause_seconds:
            await self._repository.pause_all(pause)
            self._pause_seconds = 0.0
        asked_at, before, sent = asyncio.get_running_loop().time(), self._limits.rate, self._sent
        unpaid_before = self._limits.unpaid_rate
        found = await self._repository.renew(
            Renewal(self._per_second, self._share, self._apply_limit),
            Renewal(FREE_MESSAGES_PER_SECOND, self._unpaid_share, self._apply_unpaid_limit) if self._paid else None,
            self._is_sender,
            slot_senders=self.count_slot_senders(),
            sent=sent,
        )
        self._sent -= sent
        now = asyncio.get_running_loop().time()
        if found.paused_for > 0:
            self._limits.pause_until(now + found.paused_for)
        # A larger share only now that it is stored; a smaller one since it was chosen.
        self._share, self._limits.rate = found.all.share, found.all.limit
        if found.unpaid:
            self._unpaid_share, self._limits.unpaid_rate = found.unpaid.share, found.unpaid.limit
        self._valid_until = asked_at + SHARE_DURATION - _EXPIRY_MARGIN
        if (self._limits.rate > before or self._limits.unpaid_rate > unpaid_before) and self.on_more:
            self.on_more()
        needs_unpaid = now - self._unpaid_used_at < _STARVED_FOR
        if found.unpaid and not found.unpaid.must_notify:
            self._may_pay_from = now
        elif self._may_pay_from < self._unpaid_used_since:
            self._may_pay_from = now + _GIVE_UP_TIME
        has_to_pay = needs_unpaid and now >= self._may_pay_from and self._unmet > self._limits.count_unpaid(now, self._unmet)
        if self._paid and has_to_pay:
            self._paid.request()
        gives_up = found.all.share > found.all.limit
        return _QUICK_INTERVAL if gives_up or needs_unpaid or now - self._starved_at < _STARVED_FOR else _RENEW_INTERVAL

    def _apply_limit(self, limit: int | None) -> RateUse:
        """Keep to a limit if it is lower than the one before (None: no change). Return what is in use and wanted."""
        if limit is not None:
            self._limits.rate = min(self._limits.rate, limit)
        return self._count_use(self._per_second, self._starved_at)

    def _apply_unpaid_limit(self, limit: int | None) -> RateUse:
        """Do the same for the free rate. Paid messages use it too: what leaves after them would not be free."""
        if limit is not None:
            self._limits.unpaid_rate = min(self._limits.unpaid_rate, limit)
        return self._count_use(FREE_MESSAGES_PER_SECOND, self._unpaid_used_at)

    def _count_use(self, per_second: int, starved_at: float) -> RateUse:
        now = asyncio.get_running_loop().time()
        in_use = self._limits.count_in_use(now) + self._granted
        if not self._is_sender:
            return RateUse(in_use, in_use + (per_second >= _RESERVE))
        is_starved = now - starved_at < _STARVED_FOR
        return RateUse(in_use, per_second if is_starved else in_use + max(1, per_second // _RESERVE))


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
            # By the database's clock alone: those of the processes may differ by more than a share lasts.
            await tx.lock("telegram rate")
            now = await tx.now()
            rows = [RateShare(**row) for row in await tx.fetch(select(rate_shares))]
            counted = [one for one in rows if one.until + _DEAD_FOR > now and one.process != self._process]
            state = await _read_allowance(tx)
            per_second = renewal.per_second
            if slot_senders:
                new = sum(one.is_sender for one in counted) + is_sender
                per_second = per_second * new // (new + slot_senders)
                used = {"next_at": max(state.next_at, now) + sent * _SLOT_INTERVAL / max(1, per_second)}
                await tx.execute(update(allowance).where(_IS_ALLOWANCE).values(**used))
            mine = RateShare(self._process, renewal.share, 0, is_sender, now + SHARE_DURATION)
            stored, found, unpaid_found = step_shares(per_second, counted, mine, renewal, unpaid)
            await tx.execute(upsert(rate_shares), msgspec.structs.asdict(stored))
            if dead := [one.process for one in rows if one.until + _DEAD_FOR <= now]:
                await tx.execute(delete(rate_shares).where(rate_shares.c.process.in_(dead)))
            if found.must_notify or (unpaid_found and unpaid_found.must_notify):
                await tx.notify(RATE_CHANNEL)
        return RenewedShares(found, unpaid_found, state.closed_until - now)

    async def pause_all(self, seconds: float) -> None:
        """Pause all processes for so many seconds, as Telegram asked."""
        async with self._db.transaction() as tx:
            state = await _read_allowance(tx)
            until = max(state.closed_until, await tx.now() + seconds)
            await tx.execute(update(allowance).where(_IS_ALLOWANCE).values(closed_until=until))
            await tx.notify(RATE_CHANNEL)


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
