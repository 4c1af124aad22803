"""The feed one step at a time: REST fixtures and websockets as the vendor has them, each packet sent when the test says so.

async with SteppedFeed([match()], token="...") as feed:
    feed.urls.stream, feed.urls.api                       # for `feed.stream_url` and `feed.api_url`
    await feed.until_connected()
    await feed.send_next()                                # the next packet
    await feed.send_until("Goal", send="Deleted")         # all packets up to and including the first that matches
    await feed.send_rest()
    await feed.go_away(); feed.come_back()                # nothing can be reached meanwhile, on the same port
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from bot.clock import Clock
from bot.feed import lenient
from bot.feed.encode import encode_heartbeat
from bot.feed.simulator.faults import ConnectionFaults
from bot.feed.simulator.script import PlaybackClock, ScheduledFrame, Script, ScriptFrame
from bot.feed.simulator.server import Simulator, SimulatorUrls
from tests.waiting import add_witness, until

HEARTBEAT_EVERY = 2.0
"""Seconds; more often than the vendor's ten, so that a busy machine does not make a connection stale while a test waits."""


class SteppedTimeline(PlaybackClock):
    """A script and how many of its packets were sent, each stamped with the time at which it was first sent."""

    def __init__(self, script: Script, clock: Clock) -> None:
        self.fixture_id, self.script = script.fixture.id, script
        self._script, self._clock = script, clock
        self._start = self._kickoff = clock.now()
        self.frames: list[ScheduledFrame] = []
        self._sent_at: list[dt.datetime] = []
        self.connections: list[_Client] = []
        self.changed = asyncio.Event()

    @property
    def end(self) -> float:
        """When the archive is there: now once everything was sent, else never."""
        return math.inf if self.next else 0.0

    @property
    def next(self) -> ScriptFrame | None:
        """What is sent next; None at the end."""
        return self._script.frames[len(self.frames)] if len(self.frames) < len(self._script.frames) else None

    def send(self, count: int) -> None:
        """Let so many packets out to all connections."""
        for frame in self._script.frames[len(self.frames) : len(self.frames) + count]:
            self._sent_at.append(self._clock.now())
            self.frames.append(ScheduledFrame(0.0, self._shift_frame(frame)))
        self.changed.set()
        self.changed = asyncio.Event()

    def _due_after(self, _at: dt.datetime) -> float:
        return (self._sent_at[-1] - self._start).total_seconds()

    def _to_wall_clock(self, at: dt.datetime) -> dt.datetime:
        """When the first packet of that instant was sent; the latest one for an instant of which no packet tells."""
        number = bisect_left(self._script.frames, at, hi=len(self._sent_at), key=lambda frame: frame.at)
        return self._sent_at[min(number, len(self._sent_at) - 1)]

    def _current_status(self, elapsed: float) -> dict[str, Any]:
        frame = self._script.frames[len(self.frames) - 1] if self.frames else None
        summary = lenient.as_mapping(frame.frame.get("fixtureSummary")) if frame else {}
        found = {"status": summary.get("currentStatus"), "collectionStatus": summary.get("collectionStatus")}
        return {key: value for key, value in found.items() if value}


class _Client:
    """One websocket that was let in, and the position up to which it was sent everything."""

    def __init__(self, socket: ServerConnection, position: int) -> None:
        self.socket, self.position = socket, position


class SteppedFeed(Simulator):
    """Any number of matches for any number of clients; who comes later gets what was sent, from its `startPosition` on."""

    has_died = False

    def __init__(self, scripts: Sequence[Script], token: str | None = None) -> None:
        super().__init__(scripts, token=token)
        self._steps = {script.fixture.id: SteppedTimeline(script, self._clock) for script in scripts}
        self._timelines = dict(self._steps)
        self._stack = AsyncExitStack()
        self._away = False
        self.is_over = False
        self.urls = SimulatorUrls("", "")

    async def __aenter__(self) -> Self:
        add_witness(self)
        self.urls = await self._stack.enter_async_context(self.serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.is_over = True
        await self._stack.aclose()

    @property
    def fixture_ids(self) -> tuple[str, ...]:
        """Of all matches, in the order of the scripts."""
        return tuple(self._steps)

    # What the test decides. `fixture` may be left out where there is one match.

    async def send_next(self, count: int = 1, *, fixture: str = "") -> None:
        """Send the next packet, or so many."""
        step = self._step(fixture)
        assert step.next, "the script is at its end"
        await self._send_now(step, count)

    def send_soon(self, *, fixture: str = "") -> None:
        """Let the next packet out to whoever is connected, and wait for nobody."""
        self._step(fixture).send(1)

    async def send_until(self, kind: str = "", *, action: str = "", send: str = "", fixture: str = "") -> None:
        """Send all packets up to and including the first with this action type, action id and send type; each may be left out."""
        step = self._step(fixture)
        wanted = {"fixtureActionType": kind, "actionId": action, "sendType": send}
        wanted = {key: value for key, value in wanted.items() if value}
        ahead = [frame.frame["fixtureAction"] for frame in step.script.frames[len(step.frames) :]]
        found = next((n for n, frame in enumerate(ahead, 1) if wanted.items() <= frame.items()), None)
        assert found, f"no packet that is still to come has {wanted}"
        await self._send_now(step, found)

    async def send_rest(self, *, fixture: str = "") -> None:
        """Send everything that is left, of this match or of all."""
        for step in [self._step(fixture)] if fixture else self._steps.values():
            await self._send_now(step, len(step.script.frames))

    def sent(self, fixture: str = "") -> int:
        """How many packets were sent."""
        return len(self._step(fixture).frames)

    def left(self, fixture: str = "") -> Sequence[ScriptFrame]:
        """The packets that are still to come."""
        step = self._step(fixture)
        return step.script.frames[len(step.frames) :]

    def clients(self, fixture: str = "") -> int:
        """How many clients are connected to a match."""
        return len(self._step(fixture).connections)

    async def until_connected(self, clients: int = 1, *, fixture: str = "") -> None:
        """Wait until so many clients are let in to a match."""
        step = self._step(fixture)
        await until(lambda: len(step.connections) >= clients)

    async def until_disconnected(self) -> None:
        """Wait until no client is connected: a killed process is noticed a moment later."""
        await until(lambda: not any(step.connections for step in self._steps.values()))

    async def go_away(self) -> None:
        """Drop all connections, and every new one at once, as if nothing ran here."""
        self._away = True
        for step in self._steps.values():
            for client in step.connections:
                client.socket.transport.abort()
        await self.until_disconnected()

    def come_back(self) -> None:
        """Take connections again."""
        self._away = False

    def accept_token(self, token: str) -> None:
        """Accept this token, and no other, from now on."""
        self._token = token

    async def close_connections(self) -> None:
        """Close all connections in good order, as the vendor does a while after the last packet."""
        for step in self._steps.values():
            for client in tuple(step.connections):
                await client.socket.close()

    def report(self) -> str:
        """At which step each script is."""
        return "\n".join(["The feed:", *(f"  {_describe(step)}" for step in self._steps.values())])

    # The server.

    def _step(self, fixture: str) -> SteppedTimeline:
        if fixture:
            return self._steps[fixture]
        (only,) = self._steps.values()
        return only

    async def _send_now(self, step: SteppedTimeline, count: int) -> None:
        """Return once every client that is connected has been sent them."""
        step.send(count)
        await until(lambda: all(client.position >= len(step.frames) for client in step.connections))

    def _start_matches(self) -> None:
        """What was sent stays sent."""

    def _on_request(self, connection: ServerConnection, request: Request) -> Response | None:
        if self._away:
            connection.transport.abort()
            return None
        return super()._on_request(connection, request)

    async def _send_match(self, connection: ServerConnection, fixture_id: str, start: int, day: ConnectionFaults) -> None:
        step, client = self._steps[fixture_id], _Client(connection, start)
        step.connections.append(client)
        closed = asyncio.create_task(connection.wait_closed())
        try:
            while not closed.done():
                changed = step.changed
                while client.position < len(step.frames):
                    await connection.send(step.frames[client.position].frame, text=True)
                    client.position += 1
                await connection.send(encode_heartbeat(self._clock.now()), text=True)
                more = asyncio.create_task(changed.wait())
                await asyncio.wait({closed, more}, timeout=HEARTBEAT_EVERY, return_when=asyncio.FIRST_COMPLETED)
                more.cancel()
        except ConnectionClosed:
            return
        finally:
            closed.cancel()
            step.connections.remove(client)


def _describe(step: SteppedTimeline) -> str:
    sent, every = len(step.frames), len(step.script.frames)
    last = step.script.frames[sent - 1].frame["fixtureAction"] if sent else {}
    words = [str(last.get(key)) for key in ("fixtureActionType", "actionId", "sendType", "clockTime") if last.get(key)]
    clients = ", ".join(str(client.position) for client in step.connections) or "none"
    return (
        f"{step.script.fixture.title}: sent {sent} of {every} (last: {' '.join(words) or '-'}); positions of clients: {clients}"
    )
