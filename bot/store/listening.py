"""Hears PostgreSQL's notifications on a connection of its own, which comes back by itself."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog

from bot.store.driver import Heard
from bot.store.meaning import FAILURES
from bot.store.outage import Outage

log = structlog.get_logger()

_AGAIN = 1.0
"""Seconds before the next attempt to connect."""
_PROOF = 10.0
"""Seconds of silence after which the connection has to answer, and within which it has to."""


class Ear:
    """Listens as long as it is open; `connect` makes a connection of the driver."""

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        self._connect = connect
        self._heard: defaultdict[str, list[Heard]] = defaultdict(list)
        self._connection: Any = None
        self._task: asyncio.Task[None] | None = None
        self._tried, self._outage = asyncio.Event(), Outage()

    async def listen(self, channel: str, heard: Heard) -> None:
        """Hear a channel; when this returns it is listened to, unless the database is away."""
        new = channel not in self._heard
        self._heard[channel].append(heard)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        elif new and self._connection is not None:
            with suppress(*FAILURES):  # it is lost: the next one listens to every channel
                await self._connection.add_listener(channel, self._hear)
        await self._tried.wait()

    async def close(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._listening(await self._connect())
            except FAILURES as error:
                if self._outage.failed():
                    log.warning("listening_failed", reason=type(error).__name__)
            self._tried.set()
            await asyncio.sleep(_AGAIN)

    async def _listening(self, connection: Any) -> None:
        """Until the connection is lost."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            for channel in list(self._heard):
                await connection.add_listener(channel, self._hear)
            self._connection = connection
            if (lasted := self._outage.over()) is not None:
                log.info("listening_again", after=lasted)
            self._missed()
            self._tried.set()
            await _silence(connection, lost)
        finally:
            self._connection = None
            connection.terminate()

    def _missed(self) -> None:
        """Whatever was notified before the connection stood was not heard."""
        for heard in [heard for channel in self._heard.values() for heard in channel]:
            heard("")

    def _hear(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        for heard in self._heard[channel]:
            heard(payload)


async def _silence(connection: Any, lost: asyncio.Event) -> None:
    """Wait until it is lost; one that is dead without a word is found out by asking."""
    while not lost.is_set():
        try:
            await asyncio.wait_for(lost.wait(), _PROOF)
        except TimeoutError:
            await connection.execute("SELECT 1", timeout=_PROOF)
