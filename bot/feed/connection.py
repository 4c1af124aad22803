"""The websocket: moves frames, waits, wakes the session."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol
from urllib.parse import quote

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from bot.clock import Clock
from bot.errors import FrameUnreadable
from bot.feed.decode import Control, ControlKind, decode_frame
from bot.feed.reconnect import (
    REFUSED_DELAY,
    REMEDIES,
    FailureCause,
    FeedRequestLimiter,
    HostRotation,
    WaitPolicy,
    choose_not_open_delay,
    classify_close_code,
    classify_network_error,
    classify_status,
    jittered_delays,
    parse_retry_after,
)
from bot.feed.rest import ACCEPT_HEADER, SecretText
from bot.feed.sequence import FeedPosition
from bot.feed.session import Ending, FeedSession, SessionState
from bot.feed.source import ConnectionStatus, LagStatistics
from bot.metrics import FEED_CONNECTED, FEED_LAG, FEED_LOST, FRAMES, FRAMES_UNREADABLE
from rules.football.action import Packet

log = structlog.get_logger()

_RANDOM = random.Random()  # shared: it weighs 2.5 KiB

MAX_LIVE_AGE = dt.timedelta(seconds=30)
"""A packet that is no older is live: what was missed has been read."""

_MIN_WAIT = 0.001
"""The shortest wait, in seconds: a shorter one might not move the clock."""

OnPacket = Callable[[Packet, dt.datetime], Awaitable[None]]


async def _do_nothing() -> None:
    """Nobody asked to hear of it."""


class StreamSettings(Protocol):
    """The part of the configuration that is read here."""

    @property
    def token(self) -> SecretText: ...
    @property
    def stream_url(self) -> Sequence[str]: ...
    @property
    def stale_after(self) -> dt.timedelta: ...


class FeedConnection:
    """Follows one fixture through every trouble of its connection until the match is over."""

    def __init__(
        self,
        fixture_id: str,
        settings: StreamSettings,
        clock: Clock,
        on_packet: OnPacket,
        *,
        on_caught_up: Callable[[], Awaitable[None]] | None = None,
        on_settled: Callable[[], Awaitable[None]] | None = None,
        on_refused: Callable[[str], Awaitable[None]] | None = None,
        on_accepted: Callable[[], Awaitable[None]] | None = None,
        on_frame: Callable[[dt.datetime, bytes], None] | None = None,
        gate: FeedRequestLimiter | None = None,
        kickoff: dt.datetime | None = None,
        place: FeedPosition | None = None,
        chance: random.Random | None = None,
    ) -> None:
        """`on_caught_up` hears when what was missed has been read: at the first live packet and at every heartbeat; `on_settled`
        when all packets of a frame were handed on; `on_refused` of a refusal once, `on_accepted` when it is over; `on_frame` of
        every frame as it came.

        `gate` is shared by all connections: it limits new ones to 5 a second. `place` is that of another process.
        """
        self._fixture_id, self._settings, self._clock = fixture_id, settings, clock
        self._on_packet, self._on_frame = on_packet, on_frame
        self._on_caught_up, self._on_settled = on_caught_up or _do_nothing, on_settled
        self._on_refused, self._on_accepted = on_refused, on_accepted or _do_nothing
        self._gate = gate or FeedRequestLimiter(clock)
        self.kickoff = kickoff
        self._chance = chance or _RANDOM
        self._delays = jittered_delays(self._chance)
        self._session = FeedSession(settings.stale_after.total_seconds(), place)
        self._hosts = HostRotation(settings.stream_url)
        self._reloaded = asyncio.Event()
        self._refusal = ""
        self._is_behind = True
        self._handing_on = False
        self._reason = ""
        self._retry_after: float | None = None
        self._unreadable: Counter[str] = Counter()
        self._lags = LagStatistics()
        self._last_frame: dt.datetime | None = None
        self._last_usable_frame: dt.datetime | None = None
        self._since, self._not_open = clock.now(), False
        self._watchdog: asyncio.TimerHandle | None = None

    async def run(self) -> Ending:
        """Stay connected until the match is over; return why it is."""
        while self._session.ending is None:
            position = self._session.position
            await self._connect_once()
            if self._session.position > position:
                self._delays = jittered_delays(self._chance)
            if self._session.ending is None:
                await self._wait_before_retry()
        log.info("feed_finished", fixture=self._fixture_id, ending=self._session.ending.value, packets=self._session.position)
        return self._session.ending

    def reload(self) -> None:
        """The configuration was reloaded: a refused connection tries again at once."""
        self._reloaded.set()

    @property
    def position(self) -> int:
        """How many data packets were read."""
        return self._session.position

    @property
    def resume_position(self) -> FeedPosition | None:
        """Where another process may go on; None while packets wait for others, or are being handed on."""
        return None if self._handing_on else self._session.resume_position

    @property
    def silence(self) -> float:
        """Seconds since the last frame; endless where there was none."""
        if self._last_frame is None:
            return math.inf
        return (self._clock.now() - self._last_frame).total_seconds()

    def status(self, *, lags: bool = True) -> ConnectionStatus:
        """How the connection stands now; without the lags it costs little."""
        return ConnectionStatus(
            self._fixture_id,
            self._session.state,
            self._hosts.current,
            self._last_frame,
            self._session.position,
            self._session.reconnects,
            self._session.duplicates,
            self._session.missing,
            self._unreadable.total(),
            *(self._lags.quantiles() if lags else (None, None)),
            last_usable_frame_at=self._last_usable_frame,
            wanted_since=self._since,
            kickoff=self.kickoff,
            is_not_open=self._not_open,
            is_ended=self._session.is_ended,
            refusal=self._refusal,
        )

    def _url(self, start: int) -> str:
        path = f"{self._hosts.current}/media/soccer/fixtures/{quote(self._fixture_id, safe='')}/actions"
        return f"{path}?startPosition={start}" if start else path

    async def _connect_once(self) -> None:
        """One connection, from the handshake to its end."""
        start = self._session.on_connecting()
        self._retry_after, self._reason, self._is_behind = None, "", True
        await self._gate.wait_turn()
        try:
            socket = await open_connection(self._url(start))
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, EOFError) as error:
            await self._on_lost(self._classify_connect_error(error))
            return
        await self._serve_socket(socket)

    def _classify_connect_error(self, error: Exception) -> FailureCause:
        self._reason = type(error).__name__
        if not isinstance(error, InvalidStatus):
            return classify_network_error(error)
        self._reason = f"HTTP {error.response.status_code}"
        self._retry_after = parse_retry_after(error.response.headers.get("Retry-After"), self._clock.now())
        return classify_status(error.response.status_code)

    async def _serve_socket(self, socket: ClientConnection) -> None:
        self._hosts.on_success()
        self._not_open = False
        trouble = FailureCause.CLOSED
        try:
            await socket.send(msgspec.json.encode({"authToken": self._settings.token.get_secret_value()}), text=True)
            self._session.on_opened(self._clock.monotonic())
            self._check_stale(socket)
            await self._read_frames(socket)
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else None
            self._reason = self._reason or f"close code {code}"
            trouble = classify_close_code(code, authorised=self._session.state is not SessionState.AUTHORISING)
        finally:
            if self._watchdog is not None:
                self._watchdog.cancel()
            await socket.close()
        if self._session.ending is None:
            await self._on_lost(trouble)

    async def _read_frames(self, socket: ClientConnection) -> None:
        session = self._session
        while session.failure is None and session.ending is None:
            wake_at = session.wake_at
            frame = await (socket.recv(decode=False) if wake_at is None else self._receive(socket, wake_at))
            received = self._clock.now()
            if frame is None:
                await self._hand_on(session.on_wake(self._clock.monotonic()), received)
            else:
                await self._on_frame_received(frame, received)

    async def _receive(self, socket: ClientConnection, wake_at: float) -> bytes | None:
        """The next frame; None where the session is to be woken first."""
        try:
            async with asyncio.timeout(max(_MIN_WAIT, wake_at - self._clock.monotonic())):
                return await socket.recv(decode=False)
        except TimeoutError:
            return None

    async def _on_frame_received(self, frame: bytes, received: dt.datetime) -> None:
        self._last_frame = received
        now = self._clock.monotonic()
        if self._on_frame is not None:
            self._on_frame(received, frame)
        try:
            read = decode_frame(frame, received, self._fixture_id)
        except FrameUnreadable as error:
            self._session.on_unreadable_frame(now)
            self._count_unreadable(error)
            return
        if isinstance(read, Control):
            await self._on_control(read, received, now)
            return
        PACKET_FRAMES.inc()
        self._last_usable_frame = received
        if ready := self._session.on_packet(read, now):
            await self._hand_on(ready, received)

    async def _on_control(self, control: Control, received: dt.datetime, now: float) -> None:
        CONTROL_FRAMES[control.kind].inc()
        await self._hand_on(self._session.on_control(control, now), received)
        if control.kind is ControlKind.REFUSED:
            self._reason = control.text
            return
        self._last_usable_frame = received
        if self._session.state is SessionState.LIVE:
            if control.kind is ControlKind.ACCEPTED:
                ACCEPTED_CONNECTIONS.inc()
                log.info("feed_connected", fixture=self._fixture_id, host=self._hosts.current)
                await self._on_let_in()
            elif control.kind is ControlKind.HEARTBEAT:
                self._is_behind = False
                await self._on_caught_up()

    async def _on_let_in(self) -> None:
        if self._refusal:
            self._refusal = ""
            await self._on_accepted()

    async def _hand_on(self, packets: tuple[Packet, ...], received: dt.datetime) -> None:
        self._handing_on = bool(packets)
        for packet in packets:
            if self._is_behind and received - packet.at < MAX_LIVE_AGE:
                self._is_behind = False
                await self._on_caught_up()
            if self._session.is_caught_up:
                self._lags.add(lag := (received - packet.at).total_seconds())
                LAG_SECONDS.observe(lag)
            await self._on_packet(packet, received)
        self._handing_on = False
        if packets and self._on_settled is not None:
            await self._on_settled()

    def _count_unreadable(self, error: FrameUnreadable) -> None:
        """Count an unreadable frame; the first of its kind is logged."""
        self._unreadable[error.kind] += 1
        count_unreadable_frame(error.kind)
        if self._unreadable[error.kind] == 1:
            log.warning("frame_unreadable", fixture=self._fixture_id, kind=error.kind, reason=error.reason)

    def _check_stale(self, socket: ClientConnection) -> None:
        """Look again when the session would be stale; a timer that is not moved by each frame costs nothing a frame."""
        now = self._clock.monotonic()
        if not self._session.check_stale(now):
            delay = max(_MIN_WAIT, self._session.stale_at - now)
            self._watchdog = asyncio.get_running_loop().call_later(delay, self._check_stale, socket)
            return
        self._reason = "no frame for too long"
        socket.transport.abort()

    async def _on_lost(self, trouble: FailureCause) -> None:
        """The connection was not made or is lost."""
        await self._hand_on(self._session.on_failure(trouble), self._clock.now())
        cause = self._session.failure or trouble
        LOST_CONNECTIONS[cause].inc()
        self._not_open = cause is FailureCause.NOT_OPEN
        if self._hosts.on_failure(cause, self._clock.monotonic()):
            log.warning("feed_host_changed", fixture=self._fixture_id, reason=cause.value, host=self._hosts.current)
        if REMEDIES[cause].is_refusal and not self._refusal:
            self._refusal = self._mask_token(self._reason) or "the feed refused the token"
            log.error("feed_refused", fixture=self._fixture_id, reason=self._refusal)
            if self._on_refused is not None:
                await self._on_refused(self._refusal)

    def _mask_token(self, words: str) -> str:
        token = self._settings.token.get_secret_value()
        return (words.replace(token, "***") if token else words)[:200]

    def _choose_delay(self, cause: FailureCause) -> float:
        wait = REMEDIES[cause].wait
        if wait is WaitPolicy.NONE:
            return 0.0
        if wait is WaitPolicy.REFUSED:
            return REFUSED_DELAY
        if wait is WaitPolicy.NOT_OPEN:
            return choose_not_open_delay(self.kickoff, self._clock.now())
        return max(next(self._delays), self._retry_after or 0.0)

    async def _wait_before_retry(self) -> None:
        cause = self._session.failure or FailureCause.CLOSED
        delay = self._choose_delay(cause)
        if delay:
            facts = {"cause": cause.value, "reason": self._mask_token(self._reason), "retry_in": round(delay, 1)}
            log.warning("feed_connection_lost", fixture=self._fixture_id, **facts)
        else:
            log.info("feed_read_again", fixture=self._fixture_id, cause=cause.value, position=self._session.start_position)
        self._reloaded.clear()
        try:
            async with asyncio.timeout(delay):
                await self._reloaded.wait()
        except TimeoutError:
            pass


READ_SIZE = 8192
"""Bytes read from a connection at a time: when a thousand bring a burst, it lies in their sockets and not in memory."""


async def open_connection(url: str) -> ClientConnection:
    """A connection after its handshake; raise what the network or the library raises."""
    socket = await connect(
        url,
        additional_headers={"Accept": ACCEPT_HEADER},
        user_agent_header="touchline",
        compression=None,  # 12 KiB a connection instead of 54
        ping_interval=None,  # the watchdog listens for heartbeats instead
        close_timeout=2,
        proxy=None,
    )
    limit_read_size(socket.transport)
    return socket


def limit_read_size(transport: asyncio.Transport) -> None:
    """Read little at a time, where the transport can be told so: asyncio's own for plain connections can, that for TLS cannot."""
    if hasattr(transport, "max_size"):
        transport.max_size = READ_SIZE


PACKET_FRAMES = FRAMES.labels("packet")

CONTROL_FRAMES = {kind: FRAMES.labels(kind.value) for kind in ControlKind}

LOST_CONNECTIONS = {trouble: FEED_LOST.labels(trouble.value) for trouble in FailureCause}

ACCEPTED_CONNECTIONS, LAG_SECONDS = FEED_CONNECTED, FEED_LAG

_UNREADABLE_FRAMES = FRAMES.labels("unreadable")


def count_unreadable_frame(kind: str) -> None:
    """A frame cannot be used, for one of few reasons."""
    _UNREADABLE_FRAMES.inc()
    FRAMES_UNREADABLE.labels(kind).inc()
