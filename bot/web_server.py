"""Serves an aiohttp application on a port, with limits on what strangers who connect to it can take."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog
from aiohttp import web

log = structlog.get_logger()

MAX_CONNECTIONS = 100
"""Connections to one port at once. A process has some 1,000 descriptors, which the feed, Telegram and the database need."""

HEADER_TIMEOUT = 10.0
"""Seconds in which a new connection has to send the headers of its first request."""

KEEP_ALIVE_TIMEOUT = 30.0
"""Seconds for which a connection may be idle after a request."""

LOG_INTERVAL = 60.0
"""Seconds between two log lines about the same trouble: strangers must not fill the disk."""


class ThrottledLog:
    """Says something once a minute at most, with how often it happened meanwhile."""

    def __init__(self) -> None:
        self._logged_at, self._count = float("-inf"), 0

    def count_to_log(self) -> int:
        """Count one more; return how many there were since the last line if a line is due, else 0."""
        self._count += 1
        if time.monotonic() - self._logged_at < LOG_INTERVAL:
            return 0
        self._logged_at, count, self._count = time.monotonic(), self._count, 0
        return count


@asynccontextmanager
async def serve_application(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve while the block runs, and yield the port: 0 means any free one. Raise OSError if it cannot be listened on.

    Leaving the block waits for the requests that are being handled.
    """
    # No access log: a line for each scrape and probe would drown what matters.
    runner = web.AppRunner(app, access_log=None, logger=_make_quiet_logger(), keepalive_timeout=KEEP_ALIVE_TIMEOUT)
    await runner.setup()
    try:
        if runner.server is None:
            raise RuntimeError("the runner is not set up")
        limits = _ConnectionLimits()
        make_handler = runner.server
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(partial(_on_loop_error, limits))
        server = await loop.create_server(lambda: _LimitedConnection(make_handler(), limits), host, port, backlog=128)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            # No new connections first; then `cleanup` waits for the requests of those that are open.
            server.close()
    finally:
        await runner.cleanup()


_ACCEPT_FAILED = "socket.accept() out of system resource"


def _on_loop_error(limits: _ConnectionLimits, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report that no connection can be taken, as far too many others are open. Hand on every other error of the event loop."""
    # The loop tries a hundred times a second, and would log each of them with its traceback.
    if str(context.get("message", "")).startswith(_ACCEPT_FAILED):
        limits.report("this process may open no more files and connections (ulimit -n)")
    else:
        loop.default_exception_handler(context)


class _ConnectionLimits:
    """The open connections of a port, and those of them that have not sent their headers yet, the oldest first."""

    def __init__(self) -> None:
        self.open: set[_LimitedConnection] = set()
        # A dict, since a set has no order.
        self.silent: dict[_LimitedConnection, None] = {}
        self._log = ThrottledLog()

    def make_room(self) -> bool:
        """Return True if one more may connect; the connection that has been silent for longest is closed for it."""
        if len(self.open) < MAX_CONNECTIONS:
            return True
        # A client that has sent its request is served, so the silent ones are those that take the place of others.
        if self.silent:
            next(iter(self.silent)).abort()
            return True
        self.report("too many connections")
        return False

    def report(self, reason: str) -> None:
        if count := self._log.count_to_log():
            log.warning("connections_refused", reason=reason, count=count)


class _LimitedConnection(asyncio.Protocol):
    """A connection, handed on to the handler that aiohttp makes for it."""

    def __init__(self, handler: asyncio.Protocol, limits: _ConnectionLimits) -> None:
        self._handler, self._limits = handler, limits
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream is needed")
        # Before aiohttp learns of it.
        if not self._limits.make_room():
            transport.abort()
            return
        self._transport = transport
        self._limits.open.add(self)
        self._limits.silent[self] = None
        self._timer = asyncio.get_running_loop().call_later(HEADER_TIMEOUT, self.abort)
        self._handler.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        # A connection that was refused may still bring what its client had sent by then.
        if self._transport is None:
            return
        if self._timer is not None:
            # The end of the headers has four bytes, and may come in two pieces.
            seen, self._tail = self._tail + data, (self._tail + data)[-3:]
            if b"\r\n\r\n" in seen or b"\n\n" in seen:
                self._stop_waiting()
        self._handler.data_received(data)

    def eof_received(self) -> bool | None:
        return self._handler.eof_received() if self._transport is not None else None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is None:
            return
        self._stop_waiting()
        self._limits.open.discard(self)
        self._handler.connection_lost(exc)

    def pause_writing(self) -> None:
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        self._handler.resume_writing()

    def abort(self) -> None:
        """Close at once."""
        self._limits.report("no headers in time")
        self._stop_waiting()
        self._limits.open.discard(self)
        if self._transport is not None:
            self._transport.abort()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._limits.silent.pop(self, None)


def _make_quiet_logger() -> logging.Logger:
    """Return a logger for aiohttp that writes one line a minute, without tracebacks of what strangers sent."""
    logger = logging.getLogger("touchline.web")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    throttled = ThrottledLog()

    class _Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if count := throttled.count_to_log():
                error = record.exc_info[1] if record.exc_info else None
                log.warning("request_failed", reason=repr(error) if error else record.getMessage(), count=count)

    # Replaced and not added: the process may serve several ports.
    logger.handlers = [_Handler()]
    return logger
