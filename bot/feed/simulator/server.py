"""The vendor's side: REST and websockets on one port."""

from __future__ import annotations

import asyncio
import datetime as dt
import http
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import structlog
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from bot.clock import Clock, SystemClock
from bot.errors import UserMistake, explain_bind_error
from bot.feed import lenient
from bot.feed.encode import encode_accepted, encode_heartbeat, encode_refused
from bot.feed.simulator.script import LEAD_TIME, ConnectionFaults, Faults, PlaybackClock, Script, script_from_recording

log = structlog.get_logger()

HEARTBEAT_INTERVAL = 10.0

LINGER_SECONDS = 15.0
"""Seconds of heartbeats after the last frame, before the server closes."""

_TOKEN_TIMEOUT = 10.0

_BURST_SIZE = 50

_MIN_WAIT = 0.001
"""The shortest wait, in seconds: a shorter one might not move the clock."""

_UNAUTHORISED = "{The supplied authentication is invalid}"

_NO_ACCEPT = "{Request is missing required HTTP header 'Accept'}"


class SimulatorUrls(msgspec.Struct, frozen=True):
    """Where a simulator listens: what to write as `stream_url` and `api_url`."""

    stream: str
    api: str


class Simulator:
    """Plays matches to any number of clients; all of them begin when it starts to serve."""

    def __init__(
        self,
        matches: Sequence[Script],
        speed: float = 1.0,
        token: str | None = None,
        lead: dt.timedelta = LEAD_TIME,
        *,
        misbehaviour: Faults | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`speed` 0 is as fast as possible; `token` None accepts any; `lead` is the time of a match kept before play begins."""
        self._scripts, self._speed, self._token, self._lead = matches, speed, token, lead
        self._way = misbehaviour or Faults()
        self._clock = clock or SystemClock()
        self._timelines: Mapping[str, PlaybackClock] = {}
        self._started = 0.0
        self._connections: Counter[str] = Counter()

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[SimulatorUrls]:
        """Listen, and start all matches."""
        self._begin()
        options: dict[str, Any] = {
            "process_request": self._on_request,
            "compression": None,
            "ping_interval": None,
            "close_timeout": 1,
        }
        try:
            server = await serve(self._serve_client, host, port, **options)
        except OSError as error:
            raise UserMistake(f"{host}:{port} cannot be listened on: {explain_bind_error(error)}") from error
        async with server:
            found = port or next(iter(server.sockets)).getsockname()[1]
            place = f"{'[' + host + ']' if ':' in host else host}:{found}"
            yield SimulatorUrls(f"ws://{place}", f"http://{place}")

    def _begin(self) -> None:
        """Start all matches now."""
        now, self._started = self._clock.now(), self._clock.monotonic()
        self._timelines = {s.fixture.id: PlaybackClock(s, now, self._speed, self._lead) for s in self._scripts}

    @property
    def duration(self) -> float:
        """Seconds from the start until the last frame of the last match."""
        return max(timeline.end for timeline in self._timelines.values())

    def count_connections(self, fixture_id: str) -> int:
        """How many connections to a fixture were asked for."""
        return self._connections[fixture_id]

    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._started

    def _on_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer REST calls; let websockets through."""
        path = urlsplit(request.path).path.rstrip("/")
        if path.startswith("/media/"):
            return self._on_handshake(connection, request, path)
        if "Accept" not in request.headers:
            return _make_response(connection, 400, _NO_ACCEPT)
        if self._token is not None and request.headers.get("Authorization") != f"Bearer {self._token}":
            return _make_response(connection, 401, _UNAUTHORISED)
        if path == "/soccer/fixtures":
            return _make_response(connection, 200, self._list_fixtures(_parse_query(request)))
        fixture_id, _, actions = path.removeprefix("/soccer/fixtures/").partition("/")
        timeline = self._timelines.get(fixture_id)
        if timeline is None or actions not in ("", "actions") or (actions and self._elapsed() < timeline.end):
            return _make_response(connection, 404, {"error": "Not found", "status": 404})
        if actions:
            return _make_response(connection, 200, [msgspec.json.decode(timed.frame) for timed in timeline.frames])
        return _make_response(connection, 200, timeline.fixture_object(self._elapsed()))

    def _on_handshake(self, connection: ServerConnection, request: Request, path: str) -> Response | None:
        fixture_id = _parse_fixture_id(path)
        if fixture_id not in self._timelines:
            return _make_response(connection, 404, {"error": "Fixture not found", "status": 404})
        self._connections[fixture_id] += 1
        status = self._faults_of(fixture_id).choose_refusal()
        return None if status is None else _make_response(connection, status, {"error": "Not now", "status": status})

    def _faults_of(self, fixture_id: str) -> ConnectionFaults:
        return self._way.for_connection(fixture_id, self._connections[fixture_id] - 1)

    def _list_fixtures(self, query: dict[str, str]) -> Any:
        """The fixtures of the days asked for; a plain list, or a page of it where `paged=true`."""
        every = [timeline.fixture_object(self._elapsed()) for timeline in self._timelines.values()]
        first, last = query.get("dateFrom", ""), query.get("dateTo", "9999")
        found = [item for item in every if not item["startDateUTC"] or first <= item["startDateUTC"][:10] <= last]
        if query.get("paged") != "true":
            return found
        size, number = lenient.as_number(query.get("size")) or 20, lenient.as_number(query.get("page")) or 0
        pages = -(-len(found) // size)
        return {
            "content": found[number * size : (number + 1) * size],
            "pageable": {"pageNumber": number, "pageSize": size},
            "totalPages": pages,
            "totalElements": len(found),
            "last": number + 1 >= pages,
        }

    async def _serve_client(self, connection: ServerConnection) -> None:
        """One client: its token, then frames and heartbeats until the match is over."""
        assert connection.request is not None  # noqa: S101  (the handshake is done)
        fixture_id = _parse_fixture_id(urlsplit(connection.request.path).path)
        query = _parse_query(connection.request)
        day = self._faults_of(fixture_id)
        try:
            if await self._authorise(connection):
                start = day.choose_start(lenient.as_number(query.get("startPosition")) or 0)
                await self._send_match(connection, fixture_id, start, day)
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

    async def _send_match(self, connection: ServerConnection, fixture_id: str, start: int, day: ConnectionFaults) -> None:
        """Send a match from a position on, each frame when it is due."""
        frames = day.apply(self._timelines[fixture_id].frames[start:])
        beat = self._elapsed() + HEARTBEAT_INTERVAL
        for number, timed in enumerate(frames):
            beat = await self._wait_until(connection, timed.due, beat)
            if timed.pause:
                await _wait_while_open(connection, timed.pause)
                beat = self._elapsed() + HEARTBEAT_INTERVAL
            await connection.send(timed.frame, text=True)
            if number % _BURST_SIZE == 0:
                await asyncio.sleep(0)
        await self._wait_until(connection, max(self._elapsed(), frames[-1].due if frames else 0.0) + LINGER_SECONDS, beat)

    async def _wait_until(self, connection: ServerConnection, due: float, beat: float) -> float:
        """Wait until a frame is due, with a heartbeat every ten seconds; return when the next heartbeat is."""
        while (now := self._elapsed()) < due:
            if now >= beat:
                await connection.send(encode_heartbeat(self._clock.now()), text=True)
                beat += HEARTBEAT_INTERVAL
            await _wait_while_open(connection, min(due, beat) - now)
        return beat


async def _wait_while_open(connection: ServerConnection, seconds: float) -> None:
    """Wait; raise ConnectionClosed at once when the client goes."""
    try:
        async with asyncio.timeout(max(_MIN_WAIT, seconds)):
            await connection.wait_closed()
    except TimeoutError:
        return
    await connection.send(b"")


def _parse_fixture_id(path: str) -> str:
    return path.removeprefix("/media/soccer/fixtures/").removesuffix("/actions")


def _parse_query(request: Request) -> dict[str, str]:
    return {key: values[-1] for key, values in parse_qs(urlsplit(request.path).query).items()}


def _make_response(connection: ServerConnection, status: int, body: Any) -> Response:
    response = connection.respond(http.HTTPStatus(status), body if isinstance(body, str) else json.dumps(body))
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response


async def simulate(
    recordings: Sequence[Path],
    host: str,
    port: int,
    *,
    speed: float = 1.0,
    token: str | None = None,
    lead: dt.timedelta = LEAD_TIME,
    misbehaviour: Faults | None = None,
    on_started: Callable[[SimulatorUrls], None] | None = None,
) -> None:
    """Play recordings until cancelled; `on_started` hears where."""
    simulator = Simulator([script_from_recording(path) for path in recordings], speed, token, lead, misbehaviour=misbehaviour)
    async with simulator.serve(host, port) as urls:
        if on_started is not None:
            on_started(urls)
        await asyncio.Event().wait()
