"""Follows one match from its source to its end."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.clock import Clock
from bot.config.models import FeedSettings
from bot.errors import FeedError
from bot.feed.connection import FeedConnection
from bot.feed.reconnect import FeedRequestLimiter
from bot.feed.recording import RecentRecordings
from bot.feed.sequence import FeedPosition
from bot.feed.source import ConnectionStatus
from bot.matches.pipeline import Pipeline
from bot.metrics import PACKETS
from rules.football.action import OVER_STATUSES, Fixture, Packet

log = structlog.get_logger()

MAX_SILENCE = 180.0
"""Seconds of silence after which a stream is not believed to have told all that happened."""

COMPLETED_WAIT = 60.0
"""Seconds that a stream may still speak after the fixtures say that its match is completed."""


class MatchFollower:
    """Follows fixtures, each in a task of its own."""

    def __init__(
        self,
        pipeline: Pipeline,
        settings: Callable[[], FeedSettings],
        clock: Clock,
        on_refused: Callable[[str], Awaitable[None]],
        on_accepted: Callable[[], Awaitable[None]] | None = None,
        fetch_actions: Callable[[str], Awaitable[Sequence[Packet]]] | None = None,
        recordings: RecentRecordings | None = None,
    ) -> None:
        """`on_refused` hears why the feed refuses the token, once a connection, and `on_accepted` when it does no more;
        `archive` has the packets of a match that ended while its stream could not be had; `last` keeps the frames of some."""
        self._pipeline, self._settings, self._clock = pipeline, settings, clock
        self._fetch_actions = fetch_actions
        self._recordings = recordings
        self._limiter = FeedRequestLimiter(clock)
        self._on_refused, self._on_accepted = on_refused, on_accepted
        self._connections: dict[str, FeedConnection] = {}
        self._completed_events: dict[str, asyncio.Event] = {}

    async def follow(self, fixture: Fixture) -> None:
        """Stay with a fixture until its match is over; cancelled, leave it as it stands."""
        connection = self._make_connection(fixture, await self._pipeline.open(fixture))
        self._connections[fixture.id] = connection
        self._completed_events[fixture.id] = asyncio.Event()
        if fixture.status.casefold() in OVER_STATUSES:
            self._completed_events[fixture.id].set()
        try:
            if not await self._wait_until_over(fixture.id, connection):
                await self._read_archive(fixture.id, connection)
            await self._pipeline.close(fixture.id, self._clock.now())
            if self._recordings:
                self._recordings.finish(fixture)
        finally:
            if self._recordings:
                self._recordings.abandon(fixture.id)
            self._pipeline.drop(fixture.id)
            del self._connections[fixture.id], self._completed_events[fixture.id]

    def _make_connection(self, fixture: Fixture, place: FeedPosition | None) -> FeedConnection:
        async def take(packet: Packet, received: dt.datetime) -> None:
            PACKETS.inc()
            await self._pipeline.process(packet, received.timestamp())

        async def caught_up() -> None:
            await self._pipeline.on_caught_up(fixture.id)
            await self._pipeline.save_snapshot(fixture.id, connection.resume_position)

        async def settled() -> None:
            if self._pipeline.has_alerts_since_snapshot(fixture.id):
                await self._pipeline.save_snapshot(fixture.id, connection.resume_position)

        connection = FeedConnection(
            fixture.id,
            self._settings,
            self._clock,
            take,
            on_caught_up=caught_up,
            on_frame_done=settled,
            on_refused=self._on_refused,
            on_accepted=self._on_accepted,
            on_frame=self._recordings.start(fixture, from_start=place is None) if self._recordings else None,
            limiter=self._limiter,
            kickoff=_kickoff_if_known(fixture),
            resume_from=place,
        )
        return connection

    async def _wait_until_over(self, fixture_id: str, connection: FeedConnection) -> bool:
        """Until the stream ends the match, or has had time enough to after the fixtures called it over; tell whether it did."""
        running = asyncio.create_task(connection.run())
        completed = asyncio.create_task(self._completed_events[fixture_id].wait())
        try:
            await asyncio.wait({running, completed}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({running}, timeout=COMPLETED_WAIT)
        finally:
            for task in (running, completed):
                task.cancel()
            await asyncio.gather(running, completed, return_exceptions=True)
        if running.cancelled():
            return False
        running.result()
        return True

    async def _read_archive(self, fixture_id: str, connection: FeedConnection) -> None:
        """The fixtures ended the match and the stream did not: where it was silent, its score may not be the last one."""
        if connection.silence < MAX_SILENCE:
            return
        try:
            packets = await self._fetch_actions(fixture_id) if self._fetch_actions else ()
        except FeedError as error:
            log.warning("actions_not_read", fixture=fixture_id, reason=str(error))
            packets = ()
        for packet in packets:
            await self._pipeline.process(packet)
        if not packets:
            log.warning("end_not_seen", fixture=fixture_id)
            self._pipeline.mark_end_unseen(fixture_id)

    def reload(self) -> None:
        """The configuration was reloaded: what was refused is tried again at once."""
        for connection in self._connections.values():
            connection.reload()

    async def on_fixture_change(self, before: Fixture, after: Fixture) -> None:
        """The fixtures say something new of a match: tell what no stream tells, and end what is completed."""
        await self._pipeline.apply_fixture_change(before, after, self._clock.now())
        if connection := self._connections.get(after.id):
            connection.kickoff = _kickoff_if_known(after)
            await self._pipeline.save_snapshot(after.id, connection.resume_position)
        if after.status.casefold() in OVER_STATUSES and after.id in self._completed_events:
            self._completed_events[after.id].set()

    def connection_statuses(self, *, lags: bool = True) -> tuple[ConnectionStatus, ...]:
        """How each connection stands; without the lags it costs little."""
        return tuple(connection.status(lags=lags) for connection in self._connections.values())


def _kickoff_if_known(fixture: Fixture) -> dt.datetime | None:
    """The kick-off, unless it is the midnight that stands for a time not known."""
    return fixture.kickoff if fixture.is_kickoff_known else None
