"""The websocket connection of one fixture.

`FeedConnection` does the I/O: it connects, reads frames, waits and hands packets on. What to do next is decided by
`session.FeedSession`, which is pure; how long to wait after a failure comes from `reconnect`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlencode

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from bot.clock import MIN_WAIT, Clock
from bot.config.models import FeedSettings
from bot.errors import FeedError, FeedNotOpen, FeedRefused, FeedUnreachable, FrameUnreadable
from bot.feed.decode import Control, ControlKind, decode_frame, find_trace_id
from bot.feed.dispatch import OnPacket, PacketDispatcher
from bot.feed.match_end import Listing
from bot.feed.reconnect import REMEDIES, FailureCause, HostRotation, RetryDelays, WaitPolicy, mask_token
from bot.feed.request_limit import FeedRequestLimiter, Priority
from bot.feed.sequence import FeedPosition
from bot.feed.session import Ending, FeedSession, SessionState
from bot.feed.source import ConnectionStatus, StreamSpeed
from bot.feed.websocket import HANDSHAKE_ERRORS, explain_close, explain_handshake_error, open_connection
from bot.metrics import FEED_CONNECTED, FEED_LOST, FRAMES, FRAMES_UNREADABLE
from rules.football.action import Fixture

log = structlog.get_logger()

_MIN_STAY = 10.0
"""Seconds after which a connection that was accepted counts as good: the interval of heartbeats."""

_BEHIND_CHOSEN = 30 * 86_400.0
"""Seconds that are added to the distance from kick-off of a match that nobody chose: more than any fixture is listed ahead."""

_STANDSTILL = 1.0
"""Seconds by which the watchdog of a connection is late if the process stood still."""

_TIME_TO_READ = 1.0
"""Seconds after a standstill in which the frames that came meanwhile are read, before the watchdog looks again."""

_MAX_VAIN_ATTEMPTS = 5
"""How often in a row a match that is over is asked for in vain; a live one is asked for until it is over."""

_RANDOM = random.Random()
"""Shared by all connections: each instance takes 2.5 KiB."""

_FRAME_COUNTS = FRAMES.counts
# Each begins at 0: Prometheus cannot compute a rate from the first value of a series.
_FRAME_COUNTS.update(dict.fromkeys(("packet", "unreadable", *ControlKind), 0))

# `labels()` looks a metric up by its label values on every call, so the children are looked up once here.
_LOST_CONNECTIONS = {cause: FEED_LOST.labels(cause.value) for cause in FailureCause}


class FeedConnection:
    """Follows one fixture, and reconnects after every failure, until the match is over."""

    def __init__(
        self,
        fixture_id: str,
        settings: Callable[[], FeedSettings],
        clock: Clock,
        on_packet: OnPacket,
        *,
        on_caught_up: Callable[[], Awaitable[None]] | None = None,
        on_frame_done: Callable[[], Awaitable[None]] | None = None,
        on_refused: Callable[[str], Awaitable[None]] | None = None,
        on_accepted: Callable[[], Awaitable[None]] | None = None,
        on_match_over: Callable[[], Awaitable[None]] | None = None,
        on_frame: Callable[[dt.datetime, bytes], None] | None = None,
        limiter: FeedRequestLimiter | None = None,
        kickoff: dt.datetime | None = None,
        is_chosen: bool = True,
        resume_from: FeedPosition | None = None,
        ended_at: dt.datetime | None = None,
        speed: StreamSpeed | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """`settings` is called at each handshake, so that a reload's new token is used; the hosts are those of the beginning.

        Callbacks:

        - `on_packet`: each packet in order, with the instant at which its frame arrived;
        - `on_caught_up`: the missed packets have been read; called at the first live packet and at every heartbeat;
        - `on_frame_done`: all packets that a frame released were handed on;
        - `on_refused`: the feed refuses the token (once, with the reason); `on_accepted`: it accepts it again;
        - `on_match_over`: the match has ended, and is read on for what is corrected after its end; called again if that end was
          taken back and another one came. Without it a match is read to its end and no further;
        - `on_frame`: every frame as it arrived, before it is decoded.

        `limiter` is shared by everything that asks the feed: 5 requests a second. `is_chosen` is False for a match that is only
        followed because some chat follows everything: others are connected first. `resume_from` is how far a previous
        process had read, and `ended_at` when the match ended, if it has. `speed` is given only for a match that is over: it is
        read once, and `run` raises FeedError if it cannot be; None follows a live match.
        """
        self._fixture_id, self._settings, self._clock = fixture_id, settings, clock
        self._on_frame = on_frame
        self._on_refused, self._on_accepted = on_refused, on_accepted
        self._limiter = limiter or FeedRequestLimiter(clock)
        self.kickoff, self._is_chosen = kickoff, is_chosen
        self._retry_delays = RetryDelays(rng or _RANDOM)
        self._speed, self._vain_attempts = speed, 0
        self._session = FeedSession(
            settings().stale_after.total_seconds(),
            resume_from,
            is_sent_at_once=speed is StreamSpeed.FAST,
            reads_post_match=on_match_over is not None,
            ended_at=clock.monotonic() - max(0.0, (clock.now() - ended_at).total_seconds()) if ended_at else None,
        )
        self._dispatcher = PacketDispatcher(self._session, on_packet, on_caught_up, on_frame_done, on_match_over)
        self._hosts = HostRotation(settings().stream_url)
        self._accepted_at: float | None = None
        """When the connection, the last one if there is none, was accepted, on the monotonic clock; None if it was not."""
        self._reloaded: asyncio.Event | None = None
        """Set by a reload; None but while the connection waits before its next attempt."""
        self._refusal = ""
        self._reason = ""
        """Why the connection failed, in words: for the log, and for people if the feed refuses the token."""
        self._connect_failure = ""
        """Why the last attempt to connect failed; it says nothing any more once a connection was accepted."""
        self._retry_after: float | None = None
        self._unreadable: Counter[str] = Counter()
        # All on the monotonic clock: a machine whose clock is set an hour ahead has not been without a frame for an hour.
        self._last_frame_at: float | None = None
        self._last_usable_frame_at: float | None = None
        self._last_packet_at: float | None = None
        self.data_signs = 0
        """The number of packets and heartbeats. A server that accepts the token and closes, again and again, sends neither."""
        self._wanted_since, self._is_not_open = clock.monotonic(), False
        self._watchdog: asyncio.TimerHandle | None = None

    async def run(self) -> Ending:
        """Stay connected until the match is over; return how it ended. Raise FeedError only if a `speed` was given."""
        while self._session.ending is None:
            position = self._session.position
            await self._connect_once()
            # Before the wait, which is chosen by it.
            self._judge_connection(has_new_data=self._session.position > position)
            if self._session.ending is None:
                if self._speed and (error := self._explain_vain_attempt()):
                    raise error
                await self._wait_before_retry()
        log.info("feed_finished", fixture=self._fixture_id, ending=self._session.ending.value, packets=self._session.position)
        return self._session.ending

    def _judge_connection(self, *, has_new_data: bool) -> None:
        """Begin with short delays again after a good connection: one that was accepted and stayed, or brought new data.

        A handshake proves nothing: a server that accepts it and closes at once would be reconnected to all the time.
        """
        now = self._clock.monotonic()
        if has_new_data:
            self._vain_attempts = 0
        if has_new_data or (self._accepted_at is not None and now - self._accepted_at >= _MIN_STAY):
            self._retry_delays.start_anew(now)

    def reload(self) -> None:
        """Retry a refused connection at once, because the configuration (perhaps the token) was reloaded."""
        if self._reloaded is not None:
            self._reloaded.set()

    def set_listing(self, fixture: Fixture) -> None:
        """Take over what the list of fixtures says of the match now: it decides how long the match is read after its end."""
        self._session.set_listing(Listing(fixture.is_live, fixture.collection_status))

    @property
    def is_match_over(self) -> bool:
        """Return True from the end of the match on, while what comes after it is read; False again if its end is taken back."""
        return self._session.is_match_over

    @property
    def is_reopened(self) -> bool:
        """Return True if the stream has ended the match, and has taken that end back."""
        return self._session.is_reopened

    @property
    def position(self) -> int:
        """The number of different data packets read so far."""
        return self._session.position

    @property
    def resume_position(self) -> FeedPosition | None:
        """Where another process can resume; None while packets wait for earlier ones or are being handed on."""
        return None if self._dispatcher.is_dispatching else self._session.resume_position

    @property
    def is_behind(self) -> bool:
        """Return True until what this connection missed has been read: up to the first live packet or heartbeat."""
        return self._dispatcher.is_behind

    @property
    def is_dispatching(self) -> bool:
        """Return True while packets of a frame are handed on; the position is then ahead of what has been processed."""
        return self._dispatcher.is_dispatching

    @property
    def silence(self) -> float:
        """Seconds since the last frame; infinite before the first."""
        return math.inf if self._last_frame_at is None else self._clock.monotonic() - self._last_frame_at

    @property
    def packet_pause(self) -> float:
        """Seconds since the last data packet; infinite before the first."""
        return math.inf if self._last_packet_at is None else self._clock.monotonic() - self._last_packet_at

    def status(self, *, lags: bool = True) -> ConnectionStatus:
        """Return the state of the connection for people. `lags=False` skips the quantiles, which need a sort."""
        now, monotonic = self._clock.now(), self._clock.monotonic()

        def find_instant(at: float) -> dt.datetime:
            return now - dt.timedelta(seconds=monotonic - at)

        return ConnectionStatus(
            self._fixture_id,
            self._session.state,
            self._hosts.current,
            None if self._last_frame_at is None else find_instant(self._last_frame_at),
            self._session.position,
            self._session.reconnects,
            self._session.duplicates,
            self._session.missing,
            self._unreadable.total(),
            *(self._dispatcher.lags.quantiles() if lags else (None, None)),
            last_usable_frame_at=None if self._last_usable_frame_at is None else find_instant(self._last_usable_frame_at),
            wanted_since=find_instant(self._wanted_since),
            kickoff=self.kickoff,
            is_not_open=self._is_not_open,
            is_ended=self._session.is_ended,
            refusal=self._refusal,
            connect_failure=self._connect_failure if self._accepted_at is None else "",
        )

    def _build_url(self, start: int) -> str:
        # The id is quoted because it comes from outside: from the fixtures endpoint or from the command line. Parameters only
        # where they are needed: the newer page of the media stream does not show them (section 1.2).
        path = f"{self._hosts.current}/media/soccer/fixtures/{quote(self._fixture_id, safe='')}/actions"
        query = ({"startPosition": start} if start else {}) | ({"speed": self._speed.value} if self._speed else {})
        return f"{path}?{urlencode(query)}" if query else path

    async def _connect_once(self) -> None:
        """Make one connection and serve it until it is lost or the match is over."""
        start = self._session.on_connecting()
        self._retry_after, self._reason, self._dispatcher.is_behind = None, "", True
        self._accepted_at = None
        # The session has chosen the position before the wait, so that a long queue of connections shows as CONNECTING and not as
        # WAITING.
        try:
            # Until the handshake is answered and no longer: an open connection is no request.
            async with self._limiter.request(self._choose_priority(), self._kickoff_order):
                setting = self._settings().proxy
                socket = await open_connection(self._build_url(start), setting.get_secret_value() if setting else None)
        except HANDSHAKE_ERRORS as error:
            failure = explain_handshake_error(error, self._clock.now())
            self._reason = self._connect_failure = failure.reason
            self._retry_after = failure.retry_after
            await self._on_lost(failure.cause)
            return
        await self._serve_socket(socket)

    def _choose_priority(self) -> Priority:
        """Return LIVE for a match in play. A stream that was not open is asked again like one that has not begun."""
        # By the kick-off too, since a match in play that was never connected has no packets yet.
        has_begun = self.position > 0 or (self.kickoff is not None and self.kickoff <= self._clock.now())
        is_in_play = has_begun and not self._session.is_match_over
        return Priority.LIVE if is_in_play and not self._is_not_open else Priority.PLANNED

    @property
    def _kickoff_order(self) -> float:
        """Of one priority, a match near to its kick-off is connected first; one that nobody chose after those that somebody did.

        Those that are over come last.
        """
        if self.kickoff is None or self._session.is_match_over:
            return math.inf
        distance = abs((self.kickoff - self._clock.now()).total_seconds())
        return distance if self._is_chosen else distance + _BEHIND_CHOSEN

    def _classify_close(self, error: ConnectionClosed) -> FailureCause:
        """Return the cause of a connection that was closed; keep its reason, and count the frame that ended it."""
        failure = explain_close(error, is_authorised=self._session.state is not SessionState.AUTHORISING)
        if failure.unreadable:
            self._reason = self._connect_failure = failure.reason
            self._count_unreadable(FrameUnreadable(failure.unreadable, failure.reason))
        else:
            # After an error frame or a stale connection the reason is known already, and says more than the close code.
            self._reason = self._reason or failure.reason
        return failure.cause

    async def _serve_socket(self, socket: ClientConnection) -> None:
        """Send the token and read frames until the connection ends."""
        # The handshake is proof enough for the host. The back-off of the match waits for data: see `run`.
        self._hosts.on_success()
        self._is_not_open = False
        cause = FailureCause.CLOSED
        try:
            # In the first frame, as documented (section 2), and not in the URL: URLs end up in logs of proxies.
            await socket.send(msgspec.json.encode({"authToken": self._settings().token.get_secret_value()}), text=True)
            self._session.on_opened(self._clock.monotonic())
            self._check_stale(socket)
            await self._read_frames(socket)
        except ConnectionClosed as error:
            cause = self._classify_close(error)
        finally:
            if self._watchdog is not None:
                self._watchdog.cancel()
            # Also after an error: without it the server may count the connection against our limit until it times out.
            await socket.close()
        # At the end of the match the connection is not lost: nothing is to be counted, waited for or reported.
        if self._session.ending is None:
            await self._on_lost(cause)

    async def _read_frames(self, socket: ClientConnection) -> None:
        """Read frames until the session wants to reconnect or to end."""
        session = self._session
        while session.failure is None and session.ending is None:
            # None nearly always: most frames are read without a timer. They stay bytes, which is what the decoder takes.
            wake_at = session.wake_at
            frame = await (socket.recv(decode=False) if wake_at is None else self._receive(socket, wake_at))
            received = self._clock.now()
            if frame is None:
                await self._dispatcher.dispatch(session.on_wake(self._clock.monotonic()), received)
            else:
                await self._on_frame_received(frame, received)

    async def _receive(self, socket: ClientConnection, wake_at: float) -> bytes | None:
        """Return the next frame, or None when the session has to be woken first."""
        try:
            async with asyncio.timeout(max(MIN_WAIT, wake_at - self._clock.monotonic())):
                return await socket.recv(decode=False)
        except TimeoutError:
            return None

    async def _on_frame_received(self, frame: bytes, received: dt.datetime) -> None:
        """Decode one frame and let the session decide which packets to hand on."""
        self._last_frame_at = now = self._clock.monotonic()
        # Before decoding: a recording keeps also what cannot be read, since that is what one wants to look at.
        if self._on_frame is not None:
            self._on_frame(received, frame)
        try:
            read = decode_frame(frame, received, self._fixture_id)
        except FrameUnreadable as error:
            self._session.on_unreadable_frame(now)
            self._count_unreadable(error, find_trace_id(frame))
            return
        if isinstance(read, Control):
            await self._on_control(read, received, now)
            return
        if self._accepted_at is None:
            await self._on_first_sign(now)
        _FRAME_COUNTS["packet"] += 1
        self._last_usable_frame_at = self._last_packet_at = now
        self.data_signs += 1
        await self._dispatcher.dispatch(self._session.on_packet(read, now, received), received)

    async def _on_control(self, control: Control, received: dt.datetime, now: float) -> None:
        _FRAME_COUNTS[control.kind] += 1
        await self._dispatcher.dispatch(self._session.on_control(control, now), received)
        if control.kind is ControlKind.REFUSED:
            self._reason = control.text
            return
        # An error frame is no sign that the feed works.
        self._last_usable_frame_at = now
        self.data_signs += control.kind is ControlKind.HEARTBEAT
        if self._session.state is SessionState.LIVE:
            if self._accepted_at is None:
                await self._on_first_sign(now)
            if control.kind is ControlKind.ACCEPTED:
                FEED_CONNECTED.inc()
                log.info("feed_connected", fixture=self._fixture_id, host=self._hosts.current)
            elif control.kind is ControlKind.HEARTBEAT:
                await self._dispatcher.report_caught_up()

    async def _on_first_sign(self, now: float) -> None:
        """Record that the token is accepted: by words, a heartbeat or data, as no page shows the answer to a token."""
        self._accepted_at = now
        if self._refusal:
            self._refusal = ""
            if self._on_accepted is not None:
                await self._on_accepted()

    def _count_unreadable(self, error: FrameUnreadable, trace: str = "") -> None:
        """Count an unreadable frame. Only the first of its kind on this fixture is logged: a broken feed sends thousands."""
        self._unreadable[error.kind] += 1
        count_unreadable_frame(error.kind)
        if self._unreadable[error.kind] == 1:
            log.warning("frame_unreadable", fixture=self._fixture_id, kind=error.kind, reason=error.reason, feed_trace_id=trace)

    def _check_stale(self, socket: ClientConnection, due: float = math.inf) -> None:
        """Abort the connection if no frame came for `stale_after`; otherwise look again when it could be.

        `due`: when this look was to be. One that comes later shows that the process stood still, and proves nothing of the peer:
        the frames of that time may wait in the socket, and are read first.
        """
        # The timer is not restarted by every frame, so that the watchdog costs nothing per frame. A timer and no timeout around
        # the reading, which also waits while packets are handed on.
        now = self._clock.monotonic()
        if now - due > _STANDSTILL:
            delay = _TIME_TO_READ
        elif not self._session.check_stale(now):
            delay = max(MIN_WAIT, self._session.stale_at - now)
        else:
            delay = 0.0
        if delay:
            self._watchdog = asyncio.get_running_loop().call_later(delay, self._check_stale, socket, now + delay)
            return
        self._reason = "no frame for too long"
        socket.transport.abort()  # a close handshake would wait for a peer that is silent

    async def _on_lost(self, cause: FailureCause) -> None:
        """Record the failure, switch hosts if needed, and report a refusal once."""
        # First of all: packets that were held for their order are news, and nothing else will release them now.
        await self._dispatcher.dispatch(self._session.on_failure(cause, self._clock.monotonic()), self._clock.now())
        # The session's own cause, such as a gap, comes before the close code that its closing has brought.
        cause = self._session.failure or cause
        _LOST_CONNECTIONS[cause].inc()
        self._is_not_open = cause is FailureCause.NOT_OPEN
        if self._hosts.on_failure(cause, self._clock.monotonic()):
            log.warning("feed_host_changed", fixture=self._fixture_id, reason=cause.value, host=self._hosts.current)
        if REMEDIES[cause].is_refusal and not self._refusal:
            self._refusal = self._printable_reason or "the feed refused the token"
            log.error("feed_refused", fixture=self._fixture_id, reason=self._refusal)
            if self._on_refused is not None:
                await self._on_refused(self._refusal)

    @property
    def _printable_reason(self) -> str:
        return mask_token(self._reason, self._settings().token.get_secret_value())

    def _explain_vain_attempt(self) -> FeedError | None:
        """Return why a match that is over cannot be read; None while it is worth another attempt.

        Such a match is read for a person who waits: what only time or a new token would mend is told at once.
        """
        cause, reason = self._session.failure or FailureCause.CLOSED, self._printable_reason
        if REMEDIES[cause].is_refusal:
            return FeedRefused(f"the feed refuses the connection: {reason}")
        if cause is FailureCause.NOT_OPEN:
            return FeedNotOpen(f"the feed has no stream of this match: {reason}")
        if cause is FailureCause.REJECTED:
            return FeedUnreachable(f"the feed refuses to send it at speed {self._speed}: {reason}")
        # A rewind is no failure: it costs no attempt.
        self._vain_attempts += REMEDIES[cause].wait is not WaitPolicy.NONE
        if self._vain_attempts < _MAX_VAIN_ATTEMPTS:
            return None
        return FeedUnreachable(f"{self._hosts.current} was asked for it {self._vain_attempts} times in vain: {reason}")

    async def _wait_before_retry(self) -> None:
        cause = self._session.failure or FailureCause.CLOSED
        delay = self._retry_delays.choose(
            cause, self._clock.now(), self.kickoff, retry_after=self._retry_after, is_match_over=self._session.is_match_over
        )
        if delay:
            facts = {"cause": cause.value, "reason": self._printable_reason, "retry_in": round(delay, 1)}
            log.warning("feed_connection_lost", fixture=self._fixture_id, **facts)
        else:
            log.info("feed_rewinding", fixture=self._fixture_id, cause=cause.value, position=self._session.start_position)
        self._reloaded = asyncio.Event()
        try:
            # A reload ends the wait: an operator who has corrected the token does not want to wait five minutes.
            async with asyncio.timeout(delay):
                await self._reloaded.wait()
        except TimeoutError:
            pass
        finally:
            self._reloaded = None


def count_unreadable_frame(kind: str) -> None:
    """Count a frame that cannot be used, by the kind of its error."""
    _FRAME_COUNTS["unreadable"] += 1
    FRAMES_UNREADABLE.labels(kind).inc()
