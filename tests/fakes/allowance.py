"""The shared allowance in memory, by the loop's clock, as far away as a database may be."""

from __future__ import annotations

import asyncio
import random

from bot.errors import StorageUnavailable
from bot.telegram.shared_rate_limits import AllowanceState, ReservedSlots, SendAllowance, reserve_slots


class FakeAllowance(SendAllowance):
    """What all senders share; each call takes a while."""

    def __init__(self, latency: float = 0.003, seed: int = 1) -> None:
        self.latency, self.away = latency, False
        self._allowed, self._chance = AllowanceState(closed_until=-60.0), random.Random(seed)

    async def reserve(self, count: int, interval: float) -> ReservedSlots:
        await self._trip()
        self._allowed, slots = reserve_slots(self._allowed, asyncio.get_running_loop().time(), count, interval)
        await self._trip()
        return slots

    async def pause_all(self, seconds: float) -> None:
        await self._trip()
        until = asyncio.get_running_loop().time() + seconds
        self._allowed = AllowanceState(self._allowed.next_at, until)

    async def _trip(self) -> None:
        await asyncio.sleep(self._chance.uniform(0.2, 1.0) * self.latency)
        if self.away:
            raise StorageUnavailable("away")
