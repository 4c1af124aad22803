"""The shares of the rate in memory, by the loop's clock, as far away as a database may be."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from bot.errors import StorageUnavailable
from bot.telegram.shared_rate_limits import (
    SHARE_DURATION,
    NewShare,
    RateShare,
    RateShareRepository,
    RateUse,
    step_share,
)


@dataclass
class ShareTable:
    """What all processes share; each call takes a while, one after the other."""

    latency: float = 0.003
    away: bool = False
    rows: dict[str, RateShare] = field(default_factory=dict)
    closed_until: float = -60.0
    listeners: list[Callable[[], None]] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    async def trip(self) -> None:
        """The way to the database, or back."""
        await asyncio.sleep(self.chance.uniform(0.2, 1.0) * self.latency)
        if self.away:
            raise StorageUnavailable("away")

    def notify(self) -> None:
        """Tell every process that something has changed."""
        for listener in self.listeners:
            listener()


class FakeShares(RateShareRepository):
    """One process' view of them."""

    def __init__(self, table: ShareTable, process: str) -> None:
        self._table, self._process = table, process

    async def renew(
        self,
        per_second: int,
        share: int,
        apply_limit: Callable[[int | None], RateUse],
        is_sender: bool,
        *,
        slot_senders: int,
        sent: int,
    ) -> tuple[NewShare, float]:
        table = self._table
        async with table.lock:
            await table.trip()
            now = asyncio.get_running_loop().time()
            before = [one for one in table.rows.values() if one.until + 1.0 > now and one.process != self._process]
            mine = RateShare(self._process, share, 0, is_sender, now + SHARE_DURATION)
            found, use = step_share(per_second, before, mine, apply_limit)
            table.rows[self._process] = msgspec.structs.replace(mine, share=found.share, wanted=use.wanted)
            assert found.limit <= max(0, per_second - sum(one.share for one in before))
            await table.trip()
        if found.must_notify:
            table.notify()
        return found, table.closed_until - now

    async def pause_all(self, seconds: float) -> None:
        await self._table.trip()
        self._table.closed_until = max(self._table.closed_until, asyncio.get_running_loop().time() + seconds)
        self._table.notify()
