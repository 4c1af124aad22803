"""Waiting for a database that is away: what must not be lost is done when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot.errors import StoreError

log = structlog.get_logger()

_FIRST, _LAST = 0.25, 2.0
T = TypeVar("T")


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Do it, again and again while the database fails, a little later each time."""
    delay = _FIRST
    while True:
        try:
            return await work()
        except StoreError as error:
            log.debug("waiting_for_the_database", reason=str(error), again_in=delay)
        await asyncio.sleep(delay)
        delay = min(_LAST, delay * 2)
