"""Retrying: growing delays, waiting for the database, throttled logging of an outage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot.errors import StorageError

_FIRST_LOG_INTERVAL, _LAST_LOG_INTERVAL = 30.0, 600.0


class OutageLog:
    """One trouble; it has to be told of every attempt, whether it failed or not."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._due, self._pause = 0.0, _FIRST_LOG_INTERVAL

    def failed(self) -> bool:
        """Tell whether to say so: at first, and then ever more rarely."""
        now = asyncio.get_running_loop().time()
        if self._since is None:
            self._since, self._due, self._pause = now, now, _FIRST_LOG_INTERVAL
        if now < self._due:
            return False
        self._due, self._pause = now + self._pause, min(_LAST_LOG_INTERVAL, self._pause * 2)
        return True

    def over(self) -> float | None:
        """The seconds that it lasted; None where nothing had failed."""
        since, self._since = self._since, None
        return None if since is None else round(asyncio.get_running_loop().time() - since, 1)


log = structlog.get_logger()

_FIRST_RETRY_DELAY, _LAST_RETRY_DELAY = 0.25, 2.0

T = TypeVar("T")


async def retry_while_database_unavailable(work: Callable[[], Awaitable[T]]) -> T:
    """Do it, again and again while the database fails, a little later each time."""
    delay = _FIRST_RETRY_DELAY
    while True:
        try:
            return await work()
        except StorageError as error:
            log.debug("waiting_for_the_database", reason=str(error), again_in=delay)
        await asyncio.sleep(delay)
        delay = min(_LAST_RETRY_DELAY, delay * 2)
