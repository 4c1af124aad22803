"""Retrying: delays that grow, waiting for the database, and logging an outage without filling the log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot.errors import StorageError

log = structlog.get_logger()

T = TypeVar("T")


class Backoff:
    """Delays that double from `first` to `longest`, in seconds, until `reset`.

    There is no jitter. Only connections to the feed need it, because many fail at once: see `bot.feed.reconnect`.
    """

    def __init__(self, first: float, longest: float) -> None:
        self.first, self.longest = first, longest
        self._next = first

    def next(self) -> float:
        """Return how long to wait now; the next wait is twice as long."""
        delay = self._next
        self._next = min(self.longest, delay * 2)
        return delay

    def after(self, failures: int) -> float:
        """Return the delay after so many failures in a row, for callers that count them; 0 failures: the first attempt again."""
        # Limited before it is multiplied: 2 ** 2000 does not fit into a float.
        return float(min(self.longest, self.first * 2 ** min(failures, 32)))

    def reset(self) -> None:
        """Begin with the first delay again: call it when something succeeded."""
        self._next = self.first


# The longest delay is short: when the database is back, what waits here, such as an alert, is late by no more than that.
_FIRST_RETRY_DELAY, _LONGEST_RETRY_DELAY = 0.25, 2.0


async def retry_while_database_unavailable(operation: Callable[[], Awaitable[T]]) -> T:
    """Run an operation again and again while the database fails, and return what it returns. Ends only by cancelling."""
    backoff = Backoff(_FIRST_RETRY_DELAY, _LONGEST_RETRY_DELAY)
    while True:
        try:
            return await operation()
        except StorageError as error:
            # Both kinds: what a person has to mend, such as a full disk, is waited for too. `Database` has reported it, once
            # for everything that waits.
            delay = backoff.next()
            log.debug("waiting_for_database", reason=str(error), retry_in=delay)
        await asyncio.sleep(delay)


_FIRST_LOG_INTERVAL, _LONGEST_LOG_INTERVAL = 30.0, 600.0


class OutageLog:
    """Says when an outage is worth a line in the log: at its beginning, more and more rarely while it lasts, and at its end.

    Call it after every attempt. An attempt a second would otherwise write 3,600 lines an hour.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._next_log_at = 0.0
        self._intervals = Backoff(_FIRST_LOG_INTERVAL, _LONGEST_LOG_INTERVAL)

    def on_failure(self) -> bool:
        """Return True if this failure should be logged."""
        now = asyncio.get_running_loop().time()
        if self._since is None:
            self._since = self._next_log_at = now
            self._intervals.reset()
        if now < self._next_log_at:
            return False
        self._next_log_at = now + self._intervals.next()
        return True

    def on_success(self) -> float | None:
        """Return how many seconds the outage lasted that has just ended; None if there was none."""
        # Reset here, so that only the first of many successes ends an outage.
        since, self._since = self._since, None
        return None if since is None else round(asyncio.get_running_loop().time() - since, 1)
