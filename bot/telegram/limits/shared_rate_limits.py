"""The rate limiter of one process of several: it keeps within its share of the one rate.

Each process has a window of its own, which counts when messages have arrived at the latest. `rate_shares` divides the rate, so
that all processes together keep within it.

Where messages beyond the free rate are paid for, the free rate is divided in the same way: a process sends without payment only
while its last second, paid messages included, holds less than its share of that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from bot.errors import StorageError
from bot.outbox.delivery import Urgency
from bot.telegram.limits.paid_messages import FREE_MESSAGES_PER_SECOND, PaidMessages
from bot.telegram.limits.rate_limits import RateLimiter
from bot.telegram.limits.rate_shares import SHARE_DURATION, RateShareRepository, RateUse, Renewal

log = structlog.get_logger()

_EXPIRY_MARGIN = 0.2
"""Seconds before its end at which a process stops using its share."""

_RENEW_INTERVAL = 1.0
"""Seconds between two looks at the shares, where nobody needs more."""

_QUICK_INTERVAL = 0.2
"""Seconds between two looks while this process needs more than it has, or gives up some."""

_STARVED_FOR = 1.0
"""Seconds for which a process that could not send all that it had counts as one that needs more."""

# About as long as idle processes take to store a smaller share. Waiting for that may save the payment.
_GIVE_UP_TIME = 0.1
"""Seconds that other processes have to give up what they do not need of the free rate, before this one pays for messages."""

_NO_SHARE_DELAY = 0.1
"""Seconds until the limiter is asked again if it has no share. A new share wakes the sender sooner."""

_RETRY_DELAY = 0.5
"""Seconds until a look that the database refused is tried again."""

_RESERVE = 10
"""An idle sender keeps the tenth part of the rate, so that it can begin at once."""


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
        # Nothing leaves before the first share: it is not known how much others use.
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
        """For how long all processes have to pause, which they do not know yet."""
        self._pause: tuple[float, float] | None = None
        """Of a pause of all processes that lasts: since when it is known here, and its end by the database's clock."""
        self._finished_pause: float | None = None
        """The end of a pause that is over because Telegram took a message, which the other processes do not know yet."""
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
            # Only when it starts: while it lasts, `run` looks five times a second anyway.
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
            # An answer to a person leaves at once, so the senders must learn at once that they have to send less.
            if self._limits.count_in_use(now) > share:
                self.request_look()
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
            self._pause_seconds, self._finished_pause = max(self._pause_seconds, seconds), None
            self.request_look()

    def on_accepted(self, sent_at: float, now: float) -> bool:
        """Note that Telegram took a message. Return True if that has ended a pause of all chats, for all processes."""
        known_at, known_until = self._pause or (sent_at, 0.0)
        if known_at > sent_at:
            # Several chats were refused after the message left: Telegram may have asked for more than it had before.
            return False
        is_over = self._limits.on_accepted(sent_at, now)
        if is_over:
            self._pause_seconds, self._finished_pause = 0.0, known_until
            self.request_look()
        return is_over

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
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._requested.wait()

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
            self._note_pause(await self._repository.pause_all(pause))
            self._pause_seconds = 0.0  # only now: if the database refuses, the next look tells the others
        elif self._finished_pause is not None:
            await self._repository.end_pause(self._finished_pause)
            self._finished_pause = None
        asked_at, before, sent = asyncio.get_running_loop().time(), self._limits.rate, self._sent
        unpaid_before = self._limits.unpaid_rate
        found = await self._repository.renew(
            Renewal(self._per_second, self._share, self._apply_limit),
            Renewal(FREE_MESSAGES_PER_SECOND, self._unpaid_share, self._apply_unpaid_limit) if self._paid else None,
            self._is_sender,
            slot_senders=self.count_slot_senders(),
            sent=sent,
        )
        # Only what was reported: more may have been sent during the transaction.
        self._sent -= sent
        now = asyncio.get_running_loop().time()
        if found.paused_for > 0:
            self._note_pause(found.closed_until)
            self._limits.pause_until(now + found.paused_for, now)
        elif not self._pause_seconds:
            self._pause = None
            self._limits.end_pause(now)
        # A larger share only now that it is stored; a smaller one since it was chosen.
        self._share, self._limits.rate = found.all.share, found.all.limit
        if found.unpaid:
            self._unpaid_share, self._limits.unpaid_rate = found.unpaid.share, found.unpaid.limit
        # Counted from the question: the share may have been stored long before its answer arrived.
        self._valid_until = asked_at + SHARE_DURATION - _EXPIRY_MARGIN
        if (self._limits.rate > before or self._limits.unpaid_rate > unpaid_before) and self.on_more:
            self.on_more()
        # Messages are paid for only when the others have given up what they do not need of the free rate.
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

    def _note_pause(self, closed_until: float) -> None:
        """Note the end of the pause of all processes, by the database's clock, if it is a new one."""
        # A new one may end sooner: another process has ended the one before, and was refused again, since the last look.
        if self._pause is None or closed_until != self._pause[1]:
            self._pause = asyncio.get_running_loop().time(), closed_until

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
        # Includes what the sender was granted and has not sent yet: it reads the database in between.
        in_use = self._limits.count_in_use(now) + self._granted
        if not self._is_sender:
            return RateUse(in_use, in_use + (per_second >= _RESERVE))
        # A starved sender asks for everything: only the outbox knows how much waits.
        is_starved = now - starved_at < _STARVED_FOR
        return RateUse(in_use, per_second if is_starved else in_use + max(1, per_second // _RESERVE))
