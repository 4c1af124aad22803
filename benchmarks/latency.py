"""From a frame's arrival to its alert in the outbox, and to the Bot API request leaving, while 66 matches are live.

    python -m benchmarks.latency            # --live 66 --seconds 120

Recorded matches are played at their own speed in one process, and a Bot API answers from another. A chat follows
all of them and takes every kind, with the pack `everything`; the database is a file.
"""

from __future__ import annotations

import argparse
import asyncio
import contextvars
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import aiohttp

from benchmarks.connections import log_nothing
from bot.clock import SystemClock
from bot.feed import client
from bot.feed.gate import Gate
from bot.outbox.outbox import Outbox
from bot.telegram.bot_messenger import BotMessenger, build_bot
from bot.telegram.courier import Delivery
from rules.action import Fixture
from rules.alert import Alert, AlertKey
from rules.load import pack
from tests.fakes import line as stage
from tests.fakes.feed import FeedSettings

TOKEN = "123456789:AAbenchmark0Token0of0this0benchmark00"  # noqa: S105  (it opens nothing)
left_at: contextvars.ContextVar[float] = contextvars.ContextVar("left_at")


class Marks:
    """When frames came in, and how long after their alerts were written and their requests left."""

    def __init__(self) -> None:
        self.arrived = 0.0
        self.arrivals: dict[AlertKey, float] = {}
        self.written: list[float] = []
        self.left: list[float] = []
        self.departures: dict[int, float] = {}
        self.on = False

    def listen(self) -> None:
        """A frame is decoded as soon as it is received, and nothing else runs until its alerts are written."""
        decode, put = client.decode, Outbox.put

        def timed(*words: Any) -> Any:
            self.arrived = time.perf_counter()
            return decode(*words)

        async def kept(outbox: Outbox, alerts: Sequence[Alert]) -> None:
            began = self.arrived
            await put(outbox, alerts)
            if self.on:
                self.written.append(time.perf_counter() - began)
                self.arrivals |= {alert.key: began for alert in alerts}

        client.decode, Outbox.put = timed, kept  # type: ignore[assignment, method-assign]

    def delivered(self, delivery: Delivery) -> None:
        """A first message was taken; its request left when the task said."""
        if delivery.op == "send" and (arrived := self.arrivals.pop(delivery.alert.key, None)):
            self.left.append(self.departures[delivery.message_id] - arrived)


def figures(seconds: list[float]) -> str:
    """Median and 99th percentile in milliseconds."""
    ms = sorted(one * 1000 for one in seconds) or [0.0]
    return f"median {ms[len(ms) // 2]:.2f} ms, p99 {ms[len(ms) * 99 // 100]:.2f} ms, of {len(seconds)}"


async def messenger(port: str) -> tuple[BotMessenger, aiohttp.ClientSession]:
    """Ours, whose requests are noted when their headers are written."""
    bot = build_bot(TOKEN, f"http://127.0.0.1:{port}")
    await bot.initialize()
    trace = aiohttp.TraceConfig()

    async def leaves(_session: Any, _context: Any, _params: Any) -> None:
        left_at.set(time.perf_counter())

    trace.on_request_headers_sent.append(leaves)
    pool: Any = bot.request
    await pool.shutdown()
    pool._session = aiohttp.ClientSession(trace_configs=[trace])
    return BotMessenger(bot), pool._session


async def measure(stream: str, port: str, live: int, seconds: int) -> Marks:
    """Follow all matches for so long, after a start."""
    marks, clock = Marks(), SystemClock()
    marks.listen()
    sends, session = await messenger(port)
    send = sends.send

    async def noted(*words: Any, **more: Any) -> int:
        number = await send(*words, **more)
        marks.departures[number] = left_at.get()
        return number

    sends.send = noted  # type: ignore[method-assign]
    stage.Numbering = lambda: sends  # type: ignore[assignment, misc]
    with tempfile.TemporaryDirectory() as folder:
        following = stage.Line(pack("everything"), FeedSettings(stream), clock, f"sqlite:///{folder}/touchline.db")
        following._keep = marks.delivered  # type: ignore[method-assign]
        async with following.open():
            following.follower._gate = Gate(clock, 1000.0)
            tasks = [asyncio.create_task(following.follower.follow(Fixture(f"fixture-{n}", status="Live"))) for n in range(live)]
            await asyncio.sleep(15)
            marks.on = True
            await asyncio.sleep(seconds)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    await session.close()
    return marks


def main() -> None:
    """Run it, against two processes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--live", type=int, default=66)
    parser.add_argument("--seconds", type=int, default=120)
    given = parser.parse_args()
    log_nothing()
    commands = (["benchmarks.connections", "--role=matches", f"--live={given.live}"], ["benchmarks.telegram_server"])
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    servers = [subprocess.Popen([sys.executable, "-m", *words], **pipes) for words in commands]  # noqa: S603  (our own)
    try:
        stream, port = (server.stdout.readline().split()[-1] for server in servers if server.stdout)
        marks = asyncio.run(measure(stream, port, given.live, given.seconds))
    finally:
        for server in servers:
            server.kill()
    print("to the outbox:", figures(marks.written))
    print("to the request:", figures(marks.left))


if __name__ == "__main__":
    main()
