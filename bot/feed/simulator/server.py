"""The simulator's server: REST and websockets on one port, as the vendor documents them."""

from __future__ import annotations

import asyncio
import datetime as dt
import http
import json
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import structlog
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from bot.clock import MIN_WAIT, Clock, SystemClock
from bot.errors import UserMistake, explain_bind_error
from bot.feed import lenient
from bot.feed.encode import encode_accepted, encode_heartbeat, encode_refused
from bot.feed.match_source import MatchSource
from bot.feed.simulator.faults import ConnectionFaults, Faults
from bot.feed.simulator.script import LEAD_TIME, PlaybackClock, ScheduledFrame, Script, script_from_match, shift_frames
from bot.feed.source import StreamSpeed

log = structlog.get_logger()

HEARTBEAT_INTERVAL = 10.0
"""Real seconds, whatever the speed: clients measure silence on the wall clock."""

LINGER_SECONDS = 15.0
"""Seconds of heartbeats after the last frame before the server closes: one heartbeat at least, which ends some matches."""

_TOKEN_TIMEOUT = 10.0
"""Seconds for which a client may be connected without sending its token."""

_BURST_SIZE = 50
"""Frames sent in a row before other tasks run: sending to a buffer does not yield by itself."""

_REMEMBERED_REQUESTS = 10_000
"""Requests whose instants are kept, for the limit and to count how fast they came."""

# Bare text in braces, as the documentation shows errors (section 1.4).
_UNAUTHORISED = "{The supplied authentication is invalid}"

_NO_ACCEPT = "{Request is missing required HTTP header 'Accept'}"


class SimulatorUrls(msgspec.Struct, frozen=True):
    """The URLs of a running simulator: the values for `stream_url` and `api_url`."""

    stream: str
    api: str


class Simulator:
    """Plays matches to any number of clients. All matches begin when it starts to serve, or each when it is first followed."""

    def __init__(
        self,
        matches: Sequence[Script],
        speed: float = 1.0,
        token: str | None = None,
        lead: dt.timedelta | None = None,
        *,
        faults: Faults | None = None,
        clock: Clock | None = None,
        starts_when_followed: bool = False,
    ) -> None:
        """`speed` 0 is as fast as possible; `token` None accepts any.

        `lead` is how much is played before play begins; None: a minute, or from a minute before the listing changes first.
        `starts_when_followed`: a match begins with the first connection to it, and is listed as yet to come until then.
        """
        self._scripts, self._speed, self._token, self._lead = matches, speed, token, lead
        self._faults = faults or Faults()
        self._clock = clock or SystemClock()
        self._timelines: dict[str, PlaybackClock] = {}
        self._started_at = 0.0
        self._starts_when_followed = starts_when_followed
        self._not_started: set[str] = set()
        self._connections: Counter[str] = Counter()
        self.requested_at: deque[float] = deque(maxlen=_REMEMBERED_REQUESTS)
        """When the last requests came, on the monotonic clock: REST calls and handshakes."""

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[SimulatorUrls]:
        """Listen, and start all matches; raise UserMistake if the address cannot be listened on."""
        # Before the first client can ask.
        self._start_matches()
        options: dict[str, Any] = {
            "process_request": self._on_request,
            "compression": None,
            "ping_interval": None,  # the feed is not known to send pings
            "close_timeout": 1,
        }
        try:
            server = await serve(self._serve_client, host, port, **options)
        except (OSError, UnicodeError) as error:
            raise UserMistake(f"{host}:{port} cannot be listened on: {explain_bind_error(error)}") from error
        async with server:
            found = port or next(iter(server.sockets)).getsockname()[1]
            address = f"{'[' + host + ']' if ':' in host else host}:{found}"
            yield SimulatorUrls(f"ws://{address}", f"http://{address}")

    def _start_matches(self) -> None:
        """Start every match now. A feed that plays at another pace than the clock's overrides this."""
        now, self._started_at = self._clock.now(), self._clock.monotonic()
        self._timelines = {s.fixture.id: PlaybackClock(s, now, self._speed, self._choose_lead(s)) for s in self._scripts}
        self._not_started = set(self._timelines) if self._starts_when_followed else set()

    def _choose_lead(self, script: Script) -> dt.timedelta:
        if self._lead is not None:
            return self._lead
        # A minute of the wall clock, in which clients read how the fixture is listed at first.
        return script.play_started_at - script.begins_at + LEAD_TIME * max(1.0, self._speed) if script.listings else LEAD_TIME

    @property
    def duration(self) -> float:
        """The seconds from the start until the last frame of the last match."""
        return max(timeline.end for timeline in self._timelines.values())

    @property
    def has_begun(self) -> bool:
        """True once a match has begun."""
        return len(self._not_started) < len(self._timelines)

    @property
    def has_ended(self) -> bool:
        """True once every match that has begun is over, and at least one has begun."""
        begun = [timeline for fixture_id, timeline in self._timelines.items() if fixture_id not in self._not_started]
        return bool(begun) and all(self._elapsed() >= timeline.end for timeline in begun)

    def _fixture_object(self, fixture_id: str) -> dict[str, Any]:
        # Before it begins nothing was sent.
        elapsed = -1.0 if fixture_id in self._not_started else self._elapsed()
        return self._timelines[fixture_id].fixture_object(elapsed)

    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._started_at

    def _on_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer REST calls; return None for a websocket, which continues its handshake."""
        if self._is_over_limit():
            response = _make_response(connection, 429, {"error": "Too many requests", "status": 429})
            response.headers["Retry-After"] = "1"
            return response
        path = urlsplit(request.path).path.rstrip("/")
        if path.startswith("/media/"):
            return self._on_handshake(connection, request, path)
        # The vendor answers 400 without this header (section 1.4), and so a client that forgets it is found here.
        if "Accept" not in request.headers:
            return _make_response(connection, 400, _NO_ACCEPT)
        if self._token is not None and request.headers.get("Authorization") != f"Bearer {self._token}":
            return _make_response(connection, 401, _UNAUTHORISED)
        if path == "/soccer/fixtures":
            return _make_response(connection, 200, self._list_fixtures(_parse_query(request)))
        fixture_id, _, part = path.removeprefix("/soccer/fixtures/").partition("/")
        timeline, has_begun = self._timelines.get(fixture_id), fixture_id not in self._not_started
        if timeline and not part:
            return _make_response(connection, 200, self._fixture_object(fixture_id))
        if timeline and has_begun and part == "lineups" and (lineups := timeline.lineups_object(self._elapsed())):
            return _make_response(connection, 200, lineups)
        # The archive of actions is there once the match is over (section 1.4).
        if timeline and has_begun and part == "actions" and self._elapsed() >= timeline.end:
            return _make_response(connection, 200, [msgspec.json.decode(scheduled.frame) for scheduled in timeline.frames])
        return _make_response(connection, 404, {"error": "Not found", "status": 404})

    def _is_over_limit(self) -> bool:
        """Record a request; return True if it is one too many within a second."""
        now, limit = self._clock.monotonic(), self._faults.limit
        self.requested_at.append(now)
        return bool(limit) and len(self.requested_at) > limit and now - self.requested_at[-1 - limit] < 1.0

    def _on_handshake(self, connection: ServerConnection, request: Request, path: str) -> Response | None:
        fixture_id = _parse_fixture_id(path)
        if fixture_id not in self._timelines:
            return _make_response(connection, 404, {"error": "Fixture not found", "status": 404})
        if mistake := _find_query_mistake(_parse_query(request)):
            return _make_response(connection, 400, {"error": mistake, "status": 400})
        # Refused ones too: a fault may be meant for the first attempt, and the next has to get another.
        self._connections[fixture_id] += 1
        status = self._faults_of(fixture_id).choose_refusal()
        return None if status is None else _make_response(connection, status, {"error": "Not now", "status": status})

    def _faults_of(self, fixture_id: str) -> ConnectionFaults:
        return self._faults.for_connection(fixture_id, self._connections[fixture_id] - 1)

    def _list_fixtures(self, query: dict[str, str]) -> Any:
        """Return the fixtures of the requested days: a plain list, or a page of it if `paged=true`."""
        every = [self._fixture_object(fixture_id) for fixture_id in self._timelines]
        first, last = query.get("dateFrom", ""), query.get("dateTo", "9999")
        found = [item for item in every if not item["startDateUTC"] or first <= item["startDateUTC"][:10] <= last]
        # Without the parameter the answer is a plain array (section 9.1).
        if query.get("paged") != "true":
            return found
        # 20 is the documented default (section 9.1).
        size, number = lenient.as_number(query.get("size")) or 20, lenient.as_number(query.get("page")) or 0
        pages = -(-len(found) // size)  # rounded up
        return {
            "content": found[number * size : (number + 1) * size],
            "pageable": {"pageNumber": number, "pageSize": size},
            "totalPages": pages,
            "totalElements": len(found),
            "last": number + 1 >= pages,
        }

    async def _serve_client(self, connection: ServerConnection) -> None:
        """Serve one client: check its token, then send frames and heartbeats until the match is over."""
        assert connection.request is not None  # noqa: S101  (the handshake is done)
        fixture_id = _parse_fixture_id(urlsplit(connection.request.path).path)
        query = _parse_query(connection.request)
        faults = self._faults_of(fixture_id)
        try:
            if await self._authorise(connection):
                if fixture_id in self._not_started:
                    # Its first follower starts it.
                    self._not_started.remove(fixture_id)
                    self._timelines[fixture_id].restart(self._clock.now(), self._elapsed())
                start = faults.choose_start(lenient.as_number(query.get("startPosition")) or 0)
                await self._send_match(connection, fixture_id, start, faults)
        except (ConnectionClosed, TimeoutError):
            return

    async def _authorise(self, connection: ServerConnection) -> bool:
        async with asyncio.timeout(_TOKEN_TIMEOUT):
            message = await connection.recv()
        try:
            sent = lenient.as_mapping(msgspec.json.decode(message)).get("authToken")
        except (msgspec.DecodeError, UnicodeError):
            sent = None
        if not isinstance(sent, str):
            await connection.send(encode_refused("Authentication message had incorrect format"), text=True)
        elif self._token is not None and sent != self._token:
            await connection.send(encode_refused(), text=True)
        else:
            await connection.send(encode_accepted(), text=True)
            return True
        return False

    async def _send_match(self, connection: ServerConnection, fixture_id: str, start: int, faults: ConnectionFaults) -> None:
        """Send a match from a position on, each frame when it is due.

        A match that is over comes at its own pace if `speed=normal` is asked for, else at once. Normal is the documented default
        (section 1.2), but a client that reconnects just after the end must not wait for a match that it has read.
        """
        assert connection.request is not None  # noqa: S101  (the handshake is done)
        frames: Sequence[ScheduledFrame] = self._timelines[fixture_id].frames[start:]
        is_over = self._elapsed() >= self._timelines[fixture_id].end
        if frames and is_over and _parse_query(connection.request).get("speed") == StreamSpeed.NORMAL:
            frames = shift_frames(frames, self._elapsed() - frames[0].due)
        frames = faults.apply(frames)
        beat = self._elapsed() + HEARTBEAT_INTERVAL
        for number, scheduled in enumerate(frames):
            beat = await self._wait_until(connection, scheduled.due, beat)
            if scheduled.pause:
                await _wait_while_open(connection, scheduled.pause)
                beat = self._elapsed() + HEARTBEAT_INTERVAL
            await connection.send(scheduled.frame, text=True)
            # `send` does not give the loop away while the socket takes everything: other clients would starve.
            if number % _BURST_SIZE == 0:
                await asyncio.sleep(0)
        await self._wait_until(connection, max(self._elapsed(), frames[-1].due if frames else 0.0) + LINGER_SECONDS, beat)

    async def _wait_until(self, connection: ServerConnection, due: float, beat: float) -> float:
        """Wait until a frame is due, and send a heartbeat every ten seconds; return when the next heartbeat is due."""
        while (now := self._elapsed()) < due:
            if now >= beat:
                await connection.send(encode_heartbeat(self._clock.now()), text=True)
                # By the schedule and not from now on, so that heartbeats do not drift.
                beat += HEARTBEAT_INTERVAL
            await _wait_while_open(connection, min(due, beat) - now)
        return beat


async def _wait_while_open(connection: ServerConnection, seconds: float) -> None:
    """Wait; raise ConnectionClosed at once when the client closes."""
    try:
        async with asyncio.timeout(max(MIN_WAIT, seconds)):
            await connection.wait_closed()
    except TimeoutError:
        return
    await connection.send(b"")  # raises: the connection is closed


def _parse_fixture_id(path: str) -> str:
    return path.removeprefix("/media/soccer/fixtures/").removesuffix("/actions")


def _find_query_mistake(query: Mapping[str, str]) -> str:
    """Return what is wrong with the parameters of a stream's URL; empty if they are as documented (section 1.2)."""
    if query.get("speed", StreamSpeed.NORMAL) not in list(StreamSpeed):
        return "Invalid value for query parameter 'speed': fast or normal"
    if not query.get("startPosition", "0").isdecimal():
        return "Invalid value for query parameter 'startPosition': a whole number"
    return ""


def _parse_query(request: Request) -> dict[str, str]:
    return {key: values[-1] for key, values in parse_qs(urlsplit(request.path).query, keep_blank_values=True).items()}


def _make_response(connection: ServerConnection, status: int, body: Any) -> Response:
    response = connection.respond(http.HTTPStatus(status), body if isinstance(body, str) else json.dumps(body))
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response


async def simulate(
    matches: Sequence[MatchSource],
    host: str,
    port: int,
    *,
    speed: float = 1.0,
    token: str | None = None,
    lead: dt.timedelta | None = None,
    faults: Faults | None = None,
    on_started: Callable[[SimulatorUrls], None] | None = None,
) -> None:
    """Play matches until cancelled; `on_started` gets the URLs once the simulator listens."""
    simulator = Simulator([script_from_match(match) for match in matches], speed, token, lead, faults=faults)
    async with simulator.serve(host, port) as urls:
        if on_started is not None:
            on_started(urls)
        await asyncio.Event().wait()
