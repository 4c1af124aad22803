"""Lets so many through a second, over the whole process: new connections, REST calls."""

from __future__ import annotations

import asyncio

from bot.clock import Clock


class Gate:
    """Spaces what passes evenly; first come, first served."""

    def __init__(self, clock: Clock, per_second: float = 5.0) -> None:
        self._clock, self._interval = clock, 1.0 / per_second
        self._next = float("-inf")

    async def enter(self) -> None:
        """Wait for one's turn."""
        now = self._clock.monotonic()
        turn = max(now, self._next)
        self._next = turn + self._interval
        if turn > now:
            await asyncio.sleep(turn - now)
