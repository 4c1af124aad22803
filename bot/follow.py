"""One fixture from its connection to its end: the feed's client on one side, the pipeline on the other."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable

import structlog

from bot.clock import Clock
from bot.feed.client import Connection, Status, StreamSettings
from bot.feed.gate import Gate
from bot.metrics import FOLLOWING, PACKETS
from bot.pipeline import Pipeline
from bot.schedule.plan import OVER
from rules.action import Fixture, Packet

log = structlog.get_logger()

PATIENCE = 60.0
"""Seconds that a stream may still speak after the fixtures say that its match is completed."""


class Follower:
    """Follows fixtures, each in a task of its own."""

    def __init__(
        self, pipeline: Pipeline, settings: StreamSettings, clock: Clock, on_refused: Callable[[str], Awaitable[None]]
    ) -> None:
        """`on_refused` hears a sentence, once a reason, when the feed refuses the token."""
        self._pipeline, self._settings, self._clock = pipeline, settings, clock
        self._gate = Gate(clock)
        self._on_refused = on_refused
        self._connections: dict[str, Connection] = {}
        self._completed: dict[str, asyncio.Event] = {}

    async def follow(self, fixture: Fixture) -> None:
        """Stay with a fixture until its match is over; cancelled, leave it as it stands."""
        await self._pipeline.open(fixture)
        connection = self._connection(fixture)
        self._connections[fixture.id] = connection
        self._completed[fixture.id] = asyncio.Event()
        FOLLOWING.set(len(self._connections))
        try:
            await self._until_over(fixture.id, connection)
            await self._pipeline.close(fixture.id, self._clock.now())
        finally:
            self._pipeline.forget(fixture.id)
            del self._connections[fixture.id], self._completed[fixture.id]
            FOLLOWING.set(len(self._connections))

    def _connection(self, fixture: Fixture) -> Connection:
        async def take(packet: Packet, received: dt.datetime) -> None:
            PACKETS.inc()
            await self._pipeline.take(packet)

        async def caught_up() -> None:
            await self._pipeline.caught_up(fixture.id)

        return Connection(
            fixture.id,
            self._settings,
            self._clock,
            take,
            on_caught_up=caught_up,
            on_refused=self._on_refused,
            gate=self._gate,
            kickoff=fixture.kickoff,
        )

    async def _until_over(self, fixture_id: str, connection: Connection) -> None:
        """Until the stream ends the match, or has had time enough to after the fixtures called it completed."""
        running = asyncio.create_task(connection.run())
        completed = asyncio.create_task(self._completed[fixture_id].wait())
        try:
            await asyncio.wait({running, completed}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({running}, timeout=PATIENCE)
        finally:
            for task in (running, completed):
                task.cancel()
            await asyncio.gather(running, completed, return_exceptions=True)
        if not running.cancelled() and (error := running.exception()):
            raise error

    def reload(self) -> None:
        """The configuration was reloaded: what was refused is tried again at once."""
        for connection in self._connections.values():
            connection.reload()

    async def updated(self, before: Fixture, after: Fixture) -> None:
        """The fixtures say something new of a match: tell what no stream tells, and end what is completed."""
        await self._pipeline.updated(before, after, self._clock.now())
        if connection := self._connections.get(after.id):
            connection.kickoff = after.kickoff
        if after.status.casefold() in OVER and after.id in self._completed:
            self._completed[after.id].set()

    def statuses(self) -> tuple[Status, ...]:
        """How each connection stands."""
        return tuple(connection.status() for connection in self._connections.values())
