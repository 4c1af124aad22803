"""Follows matches: one connection to the feed for each, from its first packet to its end."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import msgspec
import structlog

from bot.clock import Clock
from bot.config.models import FeedSettings
from bot.errors import FeedError, StorageError
from bot.feed.connection import FeedConnection, count_unreadable_frame
from bot.feed.recent_recordings import RecentRecordings
from bot.feed.recording import WriteFrame
from bot.feed.request_limit import FeedRequestLimiter
from bot.feed.sequence import FeedPosition
from bot.feed.session import Ending
from bot.feed.source import ConnectionStatus
from bot.matches.connection_plan import find_known_kickoff
from bot.matches.frame_log import FrameLog
from bot.matches.pipeline import Pipeline
from bot.matches.silence import SilenceWatch
from bot.matches.standby import CallbackT, Standby
from bot.metrics import PACKETS
from rules.football.action import Fixture, Packet
from rules.football.fixture_changes import has_live_data
from rules.football.lineups import Lineups
from rules.football.match import Match, Moment
from rules.football.relisting import Relisting
from rules.football.statuses import find_status

log = structlog.get_logger()

MAX_SILENCE = 180.0
"""Seconds of silence after which a stream may have missed the end: the score is then read from the feed's REST side."""

COMPLETED_WAIT = 60.0
"""Seconds that a stream has left for its last packets after the list of fixtures says that its match is over."""

LINEUP_WAITS = (0.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Seconds before each attempt to read line-ups by REST, which knows them at the latest shortly before kick-off."""

_LISTING_CHECK_INTERVAL = 5.0
"""Seconds between two checks whether only the list of fixtures says that a match is over."""

_CALM_AFTER = 1.0
"""Seconds without a packet after which another process may go on with a match."""


class MatchFollower:
    """Follows fixtures. `follow` is called once for each, in a task of its own; all share the pipeline and the limiter."""

    def __init__(
        self,
        pipeline: Pipeline,
        settings: Callable[[], FeedSettings],
        clock: Clock,
        on_refused: Callable[[str], Awaitable[None]],
        on_accepted: Callable[[], Awaitable[None]] | None = None,
        fetch_actions: Callable[[str], Awaitable[Sequence[Packet]]] | None = None,
        fetch_lineups: Callable[[str], Awaitable[Lineups]] | None = None,
        recordings: RecentRecordings | None = None,
        limiter: FeedRequestLimiter | None = None,
        on_live_packet: Callable[[dt.datetime], None] | None = None,
        was_telegram_down: Callable[[], bool] = lambda: False,
        is_chosen: Callable[[str], bool] = lambda _: True,
        frame_log: FrameLog | None = None,
    ) -> None:
        """`settings` is called at each handshake. `on_refused` gets the reason if the feed refuses the token, once for each
        connection; `on_accepted` is called when it accepts it again. `fetch_actions` returns all packets of a match that has
        ended, `fetch_lineups` its line-ups; both raise FeedError, and are None if there is no REST side. `recordings` keeps
        the frames of the last matches. `limiter` is the one that the REST side uses, too. `on_live_packet` is called with the
        feed's time of each packet that was sent just now. `was_telegram_down` returns True if Telegram could not be reached
        lately. `is_chosen` returns True for a fixture that some chat follows by itself, its teams or its competition. `frame_log`
        keeps the frames that brought alerts.
        """
        self._pipeline, self._settings, self._clock = pipeline, settings, clock
        self._fetch_actions, self._fetch_lineups = fetch_actions, fetch_lineups
        self._lineup_tasks: dict[str, asyncio.Task[None]] = {}
        self._recordings = recordings
        self._limiter = limiter or FeedRequestLimiter(clock)
        self._on_refused, self._on_accepted = on_refused, on_accepted
        self._is_chosen, self._frame_log = is_chosen, frame_log
        self._on_live_packet, self._was_telegram_down = on_live_packet, was_telegram_down
        self._connections: dict[str, FeedConnection] = {}
        self._fixtures: dict[str, Fixture] = {}
        """The fixtures of the connections, as the feed lists them now."""
        self.silence = SilenceWatch(pipeline, clock, self._connections, self._fixtures)
        self._standbys: dict[str, Standby] = {}
        """The connections to matches that another process is about to hand over."""
        self._listed_over_since: dict[str, float | None] = {}
        """By fixture, since when the list of fixtures says that it is over, on the monotonic clock; None while it does not."""

    async def follow(self, fixture: Fixture) -> None:
        """Follow a fixture through its match, and for a while after its end. If cancelled, keep the snapshot to resume from.

        If the match was handed over by another process, the connection that `prepare` has opened is used.
        """
        position = await self._pipeline.open(fixture)
        standby = self._standbys.pop(fixture.id, None)
        if standby and standby.connection:
            # It may begin before `position`: what the other process has read since then changes nothing.
            connection = standby.connection
            connection.set_listing(fixture)
            standby.on_frame = self._start_recording(fixture, from_start=False)
        else:
            standby = None
            connection = self._make_connection(fixture, position, ended_at=_find_end(self._pipeline.match(fixture.id)))
        self._connections[fixture.id], self._fixtures[fixture.id] = connection, fixture
        # Over already: a match that an earlier process left in the middle, of whose status no change will come.
        self._listed_over_since[fixture.id] = self._clock.monotonic() if fixture.is_over else None
        try:
            if standby:
                standby.follow()
            running = standby.running if standby else None
            if not await self._wait_until_over(fixture.id, connection, running):
                await self._read_archive(fixture.id, connection)
                await self._end(fixture)
                await self._read_on(fixture, connection.resume_position or position)
            await self._pipeline.close(fixture.id, self._clock.now())
            if self._recordings:
                await self._recordings.finish(fixture)
        finally:
            if self._recordings:
                self._recordings.abandon(fixture.id)
            if task := self._lineup_tasks.pop(fixture.id, None):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            # Nothing asks the pipeline for this match any more.
            self._pipeline.drop(fixture.id)
            if self._frame_log:
                self._frame_log.drop(fixture.id)
            self.silence.drop(fixture.id)
            for kept in (self._connections, self._fixtures, self._listed_over_since):
                del kept[fixture.id]

    async def prepare(self, fixture: Fixture) -> bool:
        """Open the connection of a match that another process follows, and read it as far as it can be without following it.

        Return True once `follow` could go on at once, False if the match is over or cannot be read.
        """
        if fixture.is_over or fixture.id in self._connections:
            return False
        # What an earlier hand-over of the same match may have left.
        await self.discard(fixture.id)
        standby = self._standbys[fixture.id] = Standby(await self._pipeline.read_position(fixture))
        standby.start(self._make_connection(fixture, standby.position, ended_at=None, standby=standby))
        return await standby.wait_until_ready()

    async def discard(self, fixture_id: str) -> None:
        """Close a connection that was prepared and is not needed."""
        if standby := self._standbys.pop(fixture_id, None):
            await standby.close()
            if self._frame_log:
                self._frame_log.drop(fixture_id)

    def is_calm(self, fixture_id: str) -> bool:
        """Return True if another process can go on with the match at this moment: all that came is stored, and play is quiet."""
        connection = self._connections.get(fixture_id)
        if connection is None or connection.is_match_over:
            return False
        return connection.resume_position is not None and connection.packet_pause >= _CALM_AFTER

    async def _end(self, fixture: Fixture) -> None:
        """Bring a match to its full time. What changes after it is a correction like any other."""
        await self._pipeline.end(fixture.id, self._clock.now())
        # Listed now, not when nothing more is read: a dry run of new rules may use it at once.
        if self._recordings:
            await self._recordings.list_ended(fixture)
        await self._pipeline.save_snapshot(fixture.id, self._connections[fixture.id].resume_position)

    async def _read_on(self, fixture: Fixture, position: FeedPosition | None) -> None:
        """Read the stream of a match for a while that only the list of fixtures has ended: it may come back with corrections."""
        # A match that is lost is left at once: there is no result that could be corrected.
        if find_status(self._fixtures[fixture.id].status).is_lost:
            return
        connection = self._make_connection(fixture, position, ended_at=self._clock.now())
        self._connections[fixture.id] = connection
        await connection.run()

    def _make_connection(
        self,
        fixture: Fixture,
        position: FeedPosition | None,
        *,
        ended_at: dt.datetime | None,
        standby: Standby | None = None,
    ) -> FeedConnection:
        """Make the connection of a fixture and tie it to the pipeline.

        `position` is where to resume; None for the beginning. `ended_at` is when the match ended, if it is known to have.
        `standby`: another process follows the match, and nothing is processed before this one does.
        """

        async def on_packet(packet: Packet, received: dt.datetime) -> None:
            PACKETS.inc()
            if self._on_live_packet and not connection.is_behind:
                self._on_live_packet(packet.at)
            # Before the first live packet, so that its goal is not taken for one that was missed; unless it says that the feed
            # itself has no data.
            if not connection.is_behind and has_live_data(packet):
                await self._pipeline.report_connection_back(fixture.id, self._clock.now())
            try:
                self._look_for_lineups(await self._pipeline.process(packet, received.timestamp()))
            except StorageError:
                raise  # the packet is well: the scheduler follows the match again, from its snapshot
            except Exception as error:  # a fault of our own costs one packet: read again, it would cost the match
                log.exception("packet_failed", fixture=fixture.id, action=packet.action_id, seq=packet.seq, reason=repr(error))
                count_unreadable_frame("failed")

        async def on_caught_up() -> None:
            # Also after a restart: what it missed was missed by a connection that was down.
            was_cut_off = position is not None or connection.status(lags=False).reconnects > 0
            await self._pipeline.on_caught_up(fixture.id, was_down=was_cut_off or self._was_telegram_down())
            if not connection.is_dispatching:
                await self._pipeline.report_connection_back(fixture.id, self._clock.now())
            await self._pipeline.review_score(fixture.id, self._clock.now())
            # At every heartbeat too, so that a quiet match keeps how far it was read.
            await self._pipeline.save_snapshot(fixture.id, connection.resume_position)

        async def on_frame_done() -> None:
            # Only after alerts: a snapshot is a write to the database, and most packets send nothing. After a kill the packets
            # since the last one are read again, and the outbox knows their alerts by their keys.
            if self._pipeline.has_alerts_since_snapshot(fixture.id):
                await self._pipeline.save_snapshot(fixture.id, connection.resume_position)

        # Two processes on one machine may record the match in the same file: a standby keeps its frames until it follows.
        on_frame = standby.write_frame if standby else self._start_recording(fixture, from_start=position is None)
        guard = standby.guard if standby else _call_at_once
        connection = FeedConnection(
            fixture.id,
            self._settings,
            self._clock,
            guard(on_packet),
            on_caught_up=guard(on_caught_up),
            on_frame_done=guard(on_frame_done),
            on_refused=self._on_refused,
            on_accepted=self._on_accepted,
            on_match_over=guard(partial(self._end, fixture)),
            on_frame=self._frame_log.remember(fixture.id, on_frame) if self._frame_log else on_frame,
            limiter=self._limiter,
            kickoff=find_known_kickoff(fixture),
            is_chosen=self._is_chosen(fixture.id),
            resume_from=position,
            ended_at=ended_at,
        )
        connection.set_listing(self._fixtures.get(fixture.id, fixture))
        return connection

    def _start_recording(self, fixture: Fixture, *, from_start: bool) -> WriteFrame | None:
        return self._recordings.start(fixture, from_start=from_start) if self._recordings else None

    async def _wait_until_over(
        self, fixture_id: str, connection: FeedConnection, running: asyncio.Task[Ending] | None = None
    ) -> bool:
        """Wait until all of the match was read. Return False if only the list of fixtures says that it is over.

        `running` is the task of a connection that runs already.
        """
        running = running or asyncio.create_task(connection.run())
        try:
            while not running.done() and not self._is_over_by_listing(fixture_id, connection):
                await asyncio.wait({running}, timeout=_LISTING_CHECK_INTERVAL)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if running.cancelled():
            return False
        running.result()  # raises what the connection raised: the scheduler logs it and follows the match again
        return True

    def _is_over_by_listing(self, fixture_id: str, connection: FeedConnection) -> bool:
        """Return True if the list of fixtures has said for a minute that the match is over, and the stream does not."""
        since = self._listed_over_since[fixture_id]
        if since is None or connection.is_match_over:
            return False
        # A stream that took back the end is trusted more than the list, as long as it goes on.
        if connection.is_reopened and connection.silence < MAX_SILENCE:
            return False
        # The list may be ahead of the stream: wait a minute for the stream's last goal and its own full time.
        return self._clock.monotonic() - since >= COMPLETED_WAIT

    async def _read_archive(self, fixture_id: str, connection: FeedConnection) -> None:
        """Read the rest of a match whose stream did not end it, from the list of all its actions."""
        if connection.silence < MAX_SILENCE:
            return  # The stream was well up to the end, so nothing is missing but its own full time, which the pipeline makes.
        try:
            packets = await self._fetch_actions(fixture_id) if self._fetch_actions else ()
        except FeedError as error:
            log.warning("actions_not_read", fixture=fixture_id, reason=str(error))
            packets = ()
        for packet in packets:
            await self._pipeline.process(packet)  # from the start of the match: what is known already changes nothing
        if not packets:
            # Better no full time than one with a score that may have changed since.
            log.warning("end_not_seen", fixture=fixture_id)
            self._pipeline.mark_end_unseen(fixture_id)

    def _look_for_lineups(self, moment: Moment) -> None:
        """Ask the REST side for line-ups that a packet announced without the players, beside the packets that follow."""
        is_announced = moment.action.type == "Lineups" and moment.action.send_type.is_standing
        if self._fetch_lineups is None or not is_announced or moment.after.lineups.is_complete:
            return
        fixture_id = moment.after.fixture.id
        earlier = self._lineup_tasks.get(fixture_id)
        if earlier is not None and not earlier.done():
            return  # It asks again by itself until they are complete.
        self._lineup_tasks[fixture_id] = asyncio.create_task(self._fetch_lineups_until_known(fixture_id, self._fetch_lineups))

    async def _fetch_lineups_until_known(self, fixture_id: str, fetch: Callable[[str], Awaitable[Lineups]]) -> None:
        reason = "the feed does not have them"
        for wait in LINEUP_WAITS:
            await asyncio.sleep(wait)
            try:
                lineups = await fetch(fixture_id)
            except FeedError as error:
                reason = str(error)
                continue
            await self._pipeline.apply_lineups(fixture_id, lineups)
            if lineups.is_complete:
                return
        log.info("lineups_not_read", fixture=fixture_id, reason=reason)

    def reload(self) -> None:
        """Try refused connections again at once: the configuration was reloaded, perhaps with another token."""
        for connection in self._connections.values():
            connection.reload()

    async def on_fixture_change(self, before: Fixture, after: Fixture) -> None:
        """Pass on what the list of fixtures says of a match, and let a match that is over come to its end."""
        await self._pipeline.apply_fixture_change(before, after, self._clock.now())
        if connection := self._connections.get(after.id):
            self._fixtures[after.id] = after
            # The delay before a retry depends on how near kick-off is, and a kick-off can be moved.
            connection.kickoff = find_known_kickoff(after)
            connection.set_listing(after)
            await self._pipeline.save_snapshot(after.id, connection.resume_position)
        if after.id in self._listed_over_since:
            since = self._listed_over_since[after.id]
            since = self._clock.monotonic() if since is None else since
            self._listed_over_since[after.id] = since if after.is_over else None

    async def on_relisted(self, known: Fixture, relisting: Relisting, revision: int) -> None:
        """Tell what changed in the listing of a fixture. A match that the feed has deleted ends without full time."""
        await self._pipeline.apply_relisting(known, relisting, revision, self._clock.now())
        fixture = relisting.after
        if connection := self._connections.get(fixture.id):
            connection.kickoff = find_known_kickoff(fixture)
        if fixture.is_deleted and fixture.id in self._listed_over_since:
            # A deleted fixture keeps the status that it had: with this one it is over, and is not read on.
            self._fixtures[fixture.id] = msgspec.structs.replace(fixture, status="Cancelled")
            self._pipeline.mark_end_unseen(fixture.id)
            self._listed_over_since[fixture.id] = self._clock.monotonic()

    def connection_statuses(self, *, lags: bool = True) -> tuple[ConnectionStatus, ...]:
        """Return the status of each connection. Without the lags' percentiles it is cheap enough for every scrape of metrics."""
        return tuple(connection.status(lags=lags) for connection in self._connections.values())


def _call_at_once(callback: CallbackT) -> CallbackT:
    """Guard nothing: this process follows the match."""
    return callback


def _find_end(match: Match | None) -> dt.datetime | None:
    """Return when a match ended that an earlier process read to its end; None for any other."""
    end = match.records.get(match.ended_by) if match and match.is_completed else None
    return end.action.at if end else None
