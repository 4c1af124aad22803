"""A feed that does as its script says: each connection is one list of steps."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from bot.config.models import FeedSettings
from bot.feed.encode import encode_accepted, encode_heartbeat, encode_packet, encode_refused
from rules.football.action import Packet

Step = Callable[[ServerConnection], Awaitable[None]]
PORT = 8001


class LoopClock:
    """A clock whose wall moves with the event loop."""

    START = dt.datetime(2026, 8, 15, 14, 0, tzinfo=dt.UTC)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> dt.datetime:
        return self.START + dt.timedelta(seconds=self.monotonic())


def feed_settings(*urls: str, stale_after: float = 25.0) -> FeedSettings:
    """The feed's part of the configuration: streams at the addresses that begin with ws, the REST side at the others."""
    streams = tuple(url for url in urls if url.startswith("ws")) or (f"ws://127.0.0.1:{PORT}",)
    rest = tuple(url for url in urls if not url.startswith("ws")) or ("http://127.0.0.1:1",)
    return FeedSettings(
        token=SecretStr("feed-token"), stream_url=streams, api_url=rest, stale_after=dt.timedelta(seconds=stale_after)
    )


def send(*frames: Packet | bytes | str) -> Step:
    """Send frames at once."""

    async def step(connection: ServerConnection) -> None:
        for frame in frames:
            data = encode_packet(frame) if isinstance(frame, Packet) else frame
            await connection.send(data, text=isinstance(data, bytes) or None)

    return step


def beat(times: int = 1, every: float = 10.0) -> Step:
    """Wait and send a heartbeat, so many times."""

    async def step(connection: ServerConnection) -> None:
        for _ in range(times):
            await asyncio.sleep(every)
            await connection.send(encode_heartbeat(LoopClock().now()), text=True)

    return step


keep_alive = beat(999, every=20.0)
"""Only heartbeats, for hours: as few as keep the stream from being stale, since each is read as if it were of a real match."""


def wait(seconds: float) -> Step:
    """Say nothing; pings are still answered."""

    async def step(_connection: ServerConnection) -> None:
        await asyncio.sleep(seconds)

    return step


def close(code: int = 1000) -> Step:
    """Close in good order."""

    async def step(connection: ServerConnection) -> None:
        await connection.close(code)

    return step


async def drop(connection: ServerConnection) -> None:
    """Go without a word."""
    connection.transport.abort()


async def accept(connection: ServerConnection) -> None:
    """Say that the token is good."""
    await connection.send(encode_accepted(), text=True)


async def refuse(connection: ServerConnection) -> None:
    """Say that the token is not good, and close."""
    await connection.send(encode_refused(), text=True)
    await connection.close()


class ScriptedFeed:
    """Plays one entry a connection, the last for ever: a list of steps, or an HTTP status that refuses the handshake."""

    def __init__(self, *connections: Sequence[Step] | int, headers: dict[str, str] | None = None) -> None:
        self._scripts, self._headers = connections, headers or {}
        self.at: list[float] = []
        self.paths: list[str] = []
        self.requests: list[Request] = []
        self.first_messages: list[Any] = []

    @asynccontextmanager
    async def serve(self, port: int = PORT) -> AsyncIterator[None]:
        """Listen."""
        async with serve(self._play, "127.0.0.1", port, process_request=self._request, ping_interval=None, close_timeout=1):
            yield

    def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        self.at.append(asyncio.get_running_loop().time())
        self.paths.append(request.path)
        self.requests.append(request)
        script = self._script(len(self.paths) - 1)
        if not isinstance(script, int):
            return None
        response = connection.respond(HTTPStatus(script), "")
        for name, value in self._headers.items():
            response.headers[name] = value
        return response

    def _script(self, number: int) -> Sequence[Step] | int:
        return self._scripts[min(number, len(self._scripts) - 1)]

    async def _play(self, connection: ServerConnection) -> None:
        script = self._script(len(self.paths) - 1)
        try:
            self.first_messages.append(json.loads(await connection.recv()))
            for step in script if not isinstance(script, int) else ():
                await step(connection)
        except ConnectionClosed:
            return
