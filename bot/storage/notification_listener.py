"""Receives PostgreSQL's notifications, and holds the locks that last as long as the process.

On a connection of its own: notifications arrive on the connection that asked for them, and a pool takes its connections back.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog

from bot.retry import OutageLog
from bot.storage.driver import NotificationHandler
from bot.storage.postgres_errors import DATABASE_ERRORS

log = structlog.get_logger()

RECONNECT_DELAY = 1.0
"""Seconds before the next attempt to connect."""

_FIRST_RECONNECT_DELAY = 0.1
"""Seconds before the first attempt after a connection that had lasted: other processes take us for dead without one."""

_MIN_LIFE = 10.0
"""Seconds after which a connection counts as one that had lasted."""

# Shared, because after a half-open connection the server may still keep the one before for a while.
_HOLD_LOCK = "SELECT pg_advisory_lock_shared(hashtextextended($1, 0))"

PROBE_INTERVAL = 10.0
"""Seconds of silence after which the connection has to answer a query, and within which it has to."""


class NotificationListener:
    """Receives notifications on a connection of its own, and reconnects when that is lost. `connect` makes a connection."""

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        self._connect = connect
        self._handlers: defaultdict[str, list[NotificationHandler]] = defaultdict(list)
        self._locks: list[str] = []
        self._connection: Any = None
        self.connected_since: float | None = None
        """On the loop's clock, since when all channels are listened to and all locks held; None without a connection."""
        self._task: asyncio.Task[None] | None = None
        self._first_attempt, self._outage = asyncio.Event(), OutageLog()

    async def listen(self, channel: str, handler: NotificationHandler) -> None:
        """Call `handler` for each notification. When this returns, the channel is listened to, or the database is unreachable."""
        is_new = channel not in self._handlers
        self._handlers[channel].append(handler)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        elif is_new and self._connection is not None:
            with suppress(*DATABASE_ERRORS):  # if this connection is lost, the next one listens to every channel
                await self._connection.add_listener(channel, self._dispatch)
        await self._first_attempt.wait()

    async def hold_lock(self, name: str) -> None:
        """Hold an advisory lock while connected. When this returns, it is held, or the database is unreachable."""
        self._locks.append(name)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        elif self._connection is not None:
            with suppress(*DATABASE_ERRORS):  # as in `listen`
                await self._connection.execute(_HOLD_LOCK, name)
        await self._first_attempt.wait()

    def reconnect(self) -> None:
        """Listen on another connection: the server of this one is no longer the one that takes changes."""
        if self._connection is not None:
            self._connection.terminate()

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._listen_until_lost(await self._connect())
            except DATABASE_ERRORS as error:
                if self._outage.on_failure():
                    log.warning("notification_listener_failed", reason=type(error).__name__)
            self._first_attempt.set()
            await asyncio.sleep(_FIRST_RECONNECT_DELAY if loop.time() - began >= _MIN_LIFE else RECONNECT_DELAY)

    async def _listen_until_lost(self, connection: Any) -> None:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            for channel in list(self._handlers):
                await connection.add_listener(channel, self._dispatch)
            for name in list(self._locks):
                await connection.execute(_HOLD_LOCK, name)
            self._connection, self.connected_since = connection, asyncio.get_running_loop().time()
            if (seconds := self._outage.on_success()) is not None:
                log.info("notification_listener_reconnected", after=seconds)
            # PostgreSQL keeps nothing for a listener that is away: whatever was notified meanwhile has to be looked for.
            for handler in [handler for handlers in self._handlers.values() for handler in handlers]:
                handler("")
            self._first_attempt.set()
            await wait_until_lost(connection, lost)
        finally:
            self._connection = self.connected_since = None
            connection.terminate()

    def _dispatch(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        for handler in self._handlers[channel]:
            handler(payload)


async def wait_until_lost(connection: Any, lost: asyncio.Event) -> None:
    """Return when the connection is closed; raise one of DATABASE_ERRORS when it no longer answers."""
    # A half-open TCP connection raises nothing: after some silence we ask for an answer.
    while not lost.is_set():
        try:
            await asyncio.wait_for(lost.wait(), PROBE_INTERVAL)
        except TimeoutError:
            # A server that became read-only in a failover sends no notifications any more.
            if await connection.fetchval("SHOW transaction_read_only", timeout=PROBE_INTERVAL) == "on":
                return
