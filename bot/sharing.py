"""Long calculations in the event loop, a little at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")

TURN = 0.002
"""Seconds of a calculation after which other work has its turn: an alert that comes meanwhile leaves so much later at most."""


async def share_event_loop(items: Iterable[T], turn: float = TURN) -> AsyncIterator[T]:
    """Yield items, and let the event loop do other work whenever what is done with them has taken `turn` seconds.

    For lists of thousands. A thread would not help: it takes turns of 5 ms with the event loop, at each step of that.
    """
    since = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - since >= turn:
            await asyncio.sleep(0)
            since = time.perf_counter()
