"""The shares of the rate in memory, by the loop's clock, as far away as a database may be."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.errors import StorageUnavailable
from bot.telegram.limits.paid_messages import PaidMessageRepository, PaidUse
from bot.telegram.limits.rate_shares import (
    SHARE_DURATION,
    RateShare,
    RateShareRepository,
    Renewal,
    RenewedShares,
    extend_pause,
    step_shares,
)


@dataclass
class ShareTable:
    """What all processes share; each call takes a while, one after the other."""

    latency: float = 0.003
    is_away: bool = False
    rows: dict[str, RateShare] = field(default_factory=dict)
    closed_until: float = -60.0
    renewals: int = 0
    paid: PaidUse = field(default_factory=PaidUse)
    listeners: list[Callable[[], None]] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    async def travel(self) -> None:
        """Take as long as the way to the database, or back."""
        await asyncio.sleep(self.rng.uniform(0.2, 1.0) * self.latency)
        if self.is_away:
            raise StorageUnavailable("away")

    def notify(self) -> None:
        """Tell every process that something has changed."""
        for listener in self.listeners:
            listener()


class FakeShares(RateShareRepository):
    """The shares as one process reads and writes them."""

    def __init__(self, table: ShareTable, process: str) -> None:
        self._table, self._process = table, process

    async def renew(
        self, renewal: Renewal, unpaid: Renewal | None, is_sender: bool, *, slot_senders: int, sent: int
    ) -> RenewedShares:
        table = self._table
        async with table.lock:
            await table.travel()
            now = asyncio.get_running_loop().time()
            before = [one for one in table.rows.values() if one.until + 1.0 > now and one.process != self._process]
            mine = RateShare(self._process, renewal.share, 0, is_sender, now + SHARE_DURATION)
            stored, found, unpaid_found = step_shares(renewal.per_second, before, mine, renewal, unpaid)
            table.rows[self._process] = stored
            table.renewals += 1
            assert found.limit <= max(0, renewal.per_second - sum(one.share for one in before))
            if unpaid and unpaid_found:
                assert unpaid_found.limit <= max(0, unpaid.per_second - sum(one.unpaid_share for one in before))
            await table.travel()
        if found.must_notify or (unpaid_found and unpaid_found.must_notify):
            table.notify()
        return RenewedShares(found, unpaid_found, table.closed_until - now, table.closed_until)

    async def pause_all(self, seconds: float) -> float:
        await self._table.travel()
        until = extend_pause(self._table.closed_until, asyncio.get_running_loop().time() + seconds)
        self._table.closed_until = until
        self._table.notify()
        return until

    async def end_pause(self, known_until: float) -> None:
        await self._table.travel()
        if self._table.closed_until == known_until:
            self._table.closed_until = 0.0
            self._table.notify()


class FakePaidCounts(PaidMessageRepository):
    """The count of paid messages in the same table. A day is as long as the test says: it ends at `day_ends_at`."""

    def __init__(self, table: ShareTable, day_ends_at: float = 3600.0) -> None:
        self._table, self.day_ends_at = table, day_ends_at
        self.is_dead = False

    async def reserve(self, count: int, limit: int | None) -> tuple[int, dt.date, float]:
        async with self._table.lock:
            await self._table.travel()
            now, used = asyncio.get_running_loop().time(), self._table.paid.used
            day = dt.date(2026, 8, 15) + dt.timedelta(days=now >= self.day_ends_at)
            granted = count if limit is None else max(0, min(count, limit - used))
            self._table.paid = PaidUse(used + granted, self._table.paid.spent_limit if granted else limit)
            await self._table.travel()
        return granted, day, self.day_ends_at - now

    async def give_back(self, count: int, day: dt.date) -> None:
        if self.is_dead:
            raise StorageUnavailable("killed")
        await self._table.travel()
        self._table.paid = PaidUse(self._table.paid.used - count, self._table.paid.spent_limit)
