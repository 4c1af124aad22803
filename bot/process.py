"""The life of a process: parts that work until a signal ends them, in time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()

STOP_WITHIN = 3.5
"""Seconds that a stop may take before what still runs is cut off."""

T = TypeVar("T")


class Stop:
    """Set by SIGTERM and Ctrl-C."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked.set)

    def on_hangup(self, call: Callable[[], None]) -> None:
        """Call this at every SIGHUP."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, call)

    async def around(self, start: Callable[[AsyncExitStack, Stop], Awaitable[asyncio.Future[Any]]]) -> None:
        """Start, work until stopped, and put everything down in good time; raise what a part raised."""
        running = asyncio.create_task(self._run(start))
        asked = asyncio.create_task(self._asked.wait())
        await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not running.done():
            await asyncio.wait({running}, timeout=STOP_WITHIN)
        if not running.done():
            log.warning("stop_cut_short")
            running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled() and (error := running.exception()):
            raise error

    async def _run(self, start: Callable[[AsyncExitStack, Stop], Awaitable[asyncio.Future[Any]]]) -> None:
        async with AsyncExitStack() as stack:
            at_work = await self._unless_asked(start(stack, self))
            if at_work is not None:
                await self._unless_asked(at_work)
        log.info("stopped")

    async def _unless_asked(self, work: Awaitable[T]) -> T | None:
        """What the work gives, or None after the stop, which cuts it off."""
        at_work, waiting = asyncio.ensure_future(work), asyncio.ensure_future(self._asked.wait())
        await asyncio.wait({waiting, at_work}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if at_work.done():
            return at_work.result()
        log.info("stopping")
        at_work.cancel()
        await asyncio.gather(at_work, return_exceptions=True)
        return None


@asynccontextmanager
async def working(*parts: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Future[Any]]:
    """Run all parts while the block runs; the first that fails ends the future that is given."""
    tasks = [asyncio.create_task(part) for part in parts]
    together = asyncio.gather(*tasks)
    try:
        yield together
    finally:
        for task in reversed(tasks):
            if not task.cancelling():  # a second time would cut off what it does to put itself down
                task.cancel()
        await asyncio.gather(*tasks, together, return_exceptions=True)
