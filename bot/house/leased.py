"""Work that one process does at a time, whichever: another goes on with it when this one cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot.house.keeper import Hold, Leasing


async def leased(leasing: Leasing, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work whenever its lease is ours, until it has come to its end, here or in another process. Raise what it raises."""
    while True:
        async with leasing.holding(name) as hold:
            hold.done = hold.over or await _unless_lost(hold, work())
        if hold.done:
            return


async def _unless_lost(hold: Hold, work: Awaitable[None]) -> bool:
    """Do it until the lease is lost; tell whether it came to its end."""
    working, lost = asyncio.ensure_future(work), asyncio.ensure_future(hold.lost.wait())
    try:
        await asyncio.wait({working, lost}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = working.done()
        for task in (working, lost):
            task.cancel()
        await asyncio.gather(working, lost, return_exceptions=True)
    if ended:
        working.result()
    return ended
