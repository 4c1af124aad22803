"""Messages that are paid for: those beyond Telegram's free rate, and how many of them a day may cost.

What leaves within the free 30 of a second is never marked as paid. Telegram takes 0.1 Stars for a message that is, and only if
it was delivered; here each counts that was sent and not refused, so the count is never lower than what Telegram charges for.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog
from sqlalchemy import delete, select, update

from bot.clock import Clock
from bot.errors import StorageError
from bot.storage.database import Database, upsert
from bot.storage.driver import Transaction
from bot.storage.schema import paid_messages

log = structlog.get_logger()

FREE_MESSAGES_PER_SECOND = 30
"""Messages a second that Telegram delivers without payment."""

_RETURN_AFTER = 1.0
"""Seconds without a paid message after which a process returns what it has reserved: another one may need it."""

_RETRY_DELAY = 1.0
"""Seconds until a budget that is spent is asked again: it may have been raised, or another process returned what it had."""

PAYMENT_PAUSE = 600.0
"""Seconds for which nothing is paid after Telegram refused a payment. Then one message is tried."""

_TRIAL_TIMEOUT = 60.0
"""Seconds until another message is tried, if the answer to the one before never came."""

_SECONDS_A_DAY = 86_400.0

_KEPT_DAYS = 31
"""How long the counts of earlier days are kept."""


class PaidUse(msgspec.Struct, frozen=True):
    """How many paid messages a day has used. `spent_limit` is the budget that did not suffice that day; None if it did."""

    used: int = 0
    spent_limit: int | None = None


class PaidBudget(msgspec.Struct, frozen=True):
    """What today has used of the budget; `limit` is `telegram.paid_messages_per_day`, None for no limit."""

    use: PaidUse
    limit: int | None

    @property
    def is_spent(self) -> bool:
        """Return True if more was due today than the budget pays for. It stays so for the day, unless the budget is raised."""
        # A limit of 0 is no budget that could be spent: it means that nothing is to be paid.
        return bool(self.limit) and self.use.spent_limit is not None and (self.limit or 0) <= self.use.spent_limit


class PaidMessageRepository:
    """The counts in the database, by day: of UTC, by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, count: int, limit: int | None) -> tuple[int, dt.date, float]:
        """Count `count` messages as used, or as many as the day's limit leaves.

        Return how many, the day, and how many seconds are left of it.
        """
        async with self._database.transaction() as tx:
            # By name: the row of a new day does not exist yet, so it cannot be locked.
            await tx.lock("paid messages")
            day, seconds_left = await _read_day(tx)
            before = await _read_use(tx, day)
            granted = count if limit is None else max(0, min(count, limit - before.used))
            # Noted when none is left, and not when the last are taken: those may suffice.
            after = PaidUse(before.used + granted, before.spent_limit if granted else limit)
            if after != before:
                await tx.execute(upsert(paid_messages), {"day": day.isoformat()} | msgspec.structs.asdict(after))
        return granted, day, seconds_left

    async def give_back(self, count: int, day: dt.date) -> None:
        """Take back `count` messages that were reserved for a day and not sent."""
        is_day = paid_messages.c.day == day.isoformat()
        async with self._database.transaction() as tx:
            await tx.execute(update(paid_messages).where(is_day).values(used=paid_messages.c.used - count))

    async def read(self) -> PaidUse:
        """Return what was used today."""
        async with self._database.transaction() as tx:
            day, _ = await _read_day(tx)
            return await _read_use(tx, day)

    async def delete_old(self) -> None:
        """Delete the counts of days long ago."""
        async with self._database.transaction() as tx:
            day, _ = await _read_day(tx)
            oldest = day - dt.timedelta(days=_KEPT_DAYS)
            await tx.execute(delete(paid_messages).where(paid_messages.c.day < oldest.isoformat()))


async def _read_day(tx: Transaction) -> tuple[dt.date, float]:
    now = dt.datetime.fromtimestamp(await tx.now(), dt.UTC)
    end = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(), dt.UTC)
    return now.date(), (end - now).total_seconds()


async def _read_use(tx: Transaction, day: dt.date) -> PaidUse:
    columns = paid_messages.c.used, paid_messages.c.spent_limit
    rows = await tx.fetch(select(*columns).where(paid_messages.c.day == day.isoformat()))
    return PaidUse(**rows[0]) if rows else PaidUse()


class PaidMessages:
    """The paid messages of one process, within a budget that all processes share.

    They are reserved in the database before they are sent, some at a time. So the budget is never exceeded: what a killed
    process had reserved counts as sent.
    """

    def __init__(self, repository: PaidMessageRepository, clock: Clock, per_second: int) -> None:
        """`per_second` is the rate that is paid for; a process reserves for a quarter of a second."""
        # Small, since what a killed process has reserved is lost for the day.
        self._repository, self._clock, self._block = repository, clock, max(1, per_second // 4)
        self._reserved, self._day, self._day_ends_at = 0, dt.date.min, float("-inf")
        self._last_used_at = float("-inf")
        self._refused_at = float("-inf")
        self._next_trial_at: float | None = None
        """When one message may be paid for again after a payment was refused; None if payments are taken."""
        self._requested = asyncio.Event()
        self.limit: Callable[[], int | None] = lambda: None
        """Returns `telegram.paid_messages_per_day`; None: no limit."""
        self.on_reserved: Callable[[], None] | None = None
        """Called when more paid messages may be sent than before."""

    def count_available(self, now: float) -> int:
        """Return how many may be sent now, by the monotonic clock."""
        # What was reserved for yesterday counts there, and is not sent today. A limit of 0 stops payment at once.
        reserved = self._reserved if now < self._day_ends_at and self.limit() != 0 else 0
        if self._next_trial_at is None:
            return reserved
        return min(reserved, 1) if now >= self._next_trial_at else 0

    def record_payment(self, taken_at: float, now: float, *, is_accepted: bool) -> None:
        """Note whether Telegram took a payment. If the bot has too few Stars, nothing is paid until they may be there."""
        if not is_accepted:
            self._refused_at, self._next_trial_at = now, now + PAYMENT_PAUSE
        elif taken_at > self._refused_at:
            # The last Stars may have paid for one that left before the refusal: it says nothing about the next.
            self._next_trial_at = None

    def request(self) -> None:
        """Ask for more to be reserved."""
        self._requested.set()

    def take(self, now: float) -> bool:
        """Use one of those that are reserved. Return False if there is none."""
        if not self.count_available(now):
            self.request()
            return False
        self._reserved -= 1
        self._last_used_at = now
        # One trial at a time: the next waits for the answer to this one.
        if self._next_trial_at is not None:
            self._next_trial_at = now + _TRIAL_TIMEOUT
        if self._reserved < self._block // 2:
            # Early, so that the sender need not wait for the database.
            self.request()
        return True

    def give_back(self, taken_at: float) -> None:
        """Note that a paid message was refused, which was taken then: Telegram does not charge for it."""
        # One of yesterday stays counted there, and does not make today's budget larger.
        if taken_at >= self._day_ends_at - _SECONDS_A_DAY:
            self._reserved += 1

    async def run(self) -> None:
        """Reserve when asked, and return what is not needed, until cancelled; then return the rest."""
        try:
            while True:
                try:
                    await self._wait_and_reserve()
                except StorageError as error:
                    log.debug("paid_messages_not_reserved", reason=str(error))
                    await asyncio.sleep(_RETRY_DELAY)
        finally:
            with suppress(StorageError):
                await self._return_reserved()

    async def _wait_and_reserve(self) -> None:
        try:
            async with asyncio.timeout(_RETURN_AFTER):
                await self._requested.wait()
        except TimeoutError:
            if self._reserved and self._clock.monotonic() - self._last_used_at >= _RETURN_AFTER:
                await self._return_reserved()
            return
        self._requested.clear()
        asked_at = self._clock.monotonic()
        if self._next_trial_at is not None and asked_at < self._next_trial_at:
            # Asked again and again while nothing may be paid: it would use up the budget.
            await self._return_reserved()
            await asyncio.sleep(_RETRY_DELAY)
            return
        enough = max(1, self._block // 2) if self._next_trial_at is None else 1
        if self.count_available(asked_at) >= enough:
            return  # asked for while the last ones were being reserved
        granted, day, seconds_left = await self._repository.reserve(self._block, self.limit())
        # Yesterday's reserve stays counted for yesterday: it is neither sent today nor returned to today's budget.
        if day != self._day:
            self._reserved = 0
        self._day, self._day_ends_at = day, asked_at + seconds_left
        self._reserved += granted
        self._last_used_at = self._clock.monotonic()
        if not granted:
            await asyncio.sleep(_RETRY_DELAY)
        elif self.on_reserved:
            self.on_reserved()

    async def _return_reserved(self) -> None:
        count, self._reserved = self._reserved, 0
        if count:
            await self._repository.give_back(count, self._day)
