"""From a frame's arrival to its alert in the outbox, and to the Bot API request leaving, while 66 matches are live.

    python -m benchmarks.latency            # --live 66 --chats 3 --seconds 120

Recorded matches are played at their own speed in one process (the shipped scenarios if there is no recording), and a Bot API
answers from another. Each match has some chats of its own, which take every kind, with the pack `everything`; the database is a
file. Telegram's limits are kept, as in a process that is run; messages that waited for them are counted apart.
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
import msgspec

from benchmarks.connections import log_nothing, warn_without_recordings
from bot.clock import SystemClock
from bot.feed import connection
from bot.feed.request_limit import FeedRequestLimiter
from bot.outbox.delivery import DeliveryResult, Urgency
from bot.outbox.outbox import Outbox
from bot.sharing import tune_garbage_collection
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.limits.rate_limits import RateLimiter
from bot.telegram.messenger import BotMessenger, build_bot
from bot.telegram.plan import MessagePlan
from rules.engine.alert import Alert, AlertKey
from rules.football.action import Fixture
from rules.football.match import Match
from rules.loading.loader import load_pack
from tests.fakes.feed import feed_settings
from tests.fakes.match_process import CHAT, MatchProcess

TOKEN = "123456789:AAbenchmark0Token0of0this0benchmark00"  # noqa: S105  (it opens nothing)
left_at: contextvars.ContextVar[float] = contextvars.ContextVar("left_at")


class Held(RateLimiter):
    """Telegram's limits, which remember whom they held back."""

    def __init__(self) -> None:
        super().__init__()
        self.held: set[int] = set()

    def next_chat_send_at(self, chat_id: int, now: float, urgency: Urgency = Urgency.LOUD) -> float:
        """When the next message to this chat may leave."""
        at = super().next_chat_send_at(chat_id, now, urgency)
        if at > now:
            self.held.add(chat_id)
        return at


class Marks:
    """When frames came in, and how long after their alerts were written and their requests left."""

    def __init__(self) -> None:
        self.arrived = 0.0
        self.arrivals: dict[AlertKey, float] = {}
        self.written: list[float] = []
        self.left: list[float] = []
        self.begun: list[float] = []
        self.limited: list[float] = []
        self.departures: dict[int, tuple[float, float]] = {}
        self.limits = Held()
        self.on = False

    def listen(self) -> None:
        """A frame is decoded as soon as it is received, and nothing else runs until its alerts are written."""
        decode, put = connection.decode_frame, Outbox.put  # type: ignore[attr-defined]

        def timed(*words: Any) -> Any:
            self.arrived = time.perf_counter()
            return decode(*words)

        async def kept(outbox: Outbox, alerts: Sequence[Alert], match: Match | None = None) -> None:
            began = self.arrived
            await put(outbox, alerts, match)
            # Of most packets only the state of the match is stored.
            if self.on and alerts:
                self.written.append(time.perf_counter() - began)
                self.arrivals |= {alert.key: began for alert in alerts}

        connection.decode_frame = timed  # type: ignore[attr-defined, assignment]
        Outbox.put = kept  # type: ignore[method-assign, assignment]

    def delivered(self, plan: MessagePlan, result: DeliveryResult) -> None:
        """A first message was taken; its request left when the task said."""
        if plan.operation == "send" and (arrived := self.arrivals.get(plan.alert.key)):
            begun, left = self.departures[result.message_id]
            if result.item.chat.chat_id in self.limits.held:
                self.limits.held.discard(result.item.chat.chat_id)
                self.limited.append(left - arrived)
            else:
                self.begun.append(begun - arrived)
                self.left.append(left - arrived)


def figures(seconds: list[float]) -> str:
    """Median and 99th percentile in milliseconds."""
    if not seconds:
        return "none"
    ms = sorted(one * 1000 for one in seconds)
    return f"median {ms[len(ms) // 2]:.2f} ms, p99 {ms[len(ms) * 99 // 100]:.2f} ms, of {len(seconds)}"


class TimedMessenger(BotMessenger):
    """Notes of each message when its request was begun, and when its headers were written."""

    departures: dict[int, tuple[float, float]]

    async def send(self, *arguments: Any, **options: Any) -> int:
        """Send a message."""
        begun = time.perf_counter()
        number = await super().send(*arguments, **options)
        self.departures[number] = begun, left_at.get()
        return number


async def make_messenger(port: str, departures: dict[int, tuple[float, float]]) -> tuple[TimedMessenger, aiohttp.ClientSession]:
    """Make a messenger whose requests are noted, and the HTTP session to close after it."""
    bot = build_bot(TOKEN, f"http://127.0.0.1:{port}")
    await bot.initialize()
    trace = aiohttp.TraceConfig()

    async def leaves(_session: Any, _context: Any, _params: Any) -> None:
        left_at.set(time.perf_counter())

    trace.on_request_headers_sent.append(leaves)
    pool: Any = bot.request
    await pool.shutdown()
    pool._session = aiohttp.ClientSession(trace_configs=[trace], json_serialize_bytes=msgspec.json.encode)
    messenger = TimedMessenger(bot)
    messenger.departures = departures
    return messenger, pool._session


async def nobody(database: Database) -> None:
    """What was before is sent to no chat: it would keep the limits busy for minutes."""
    await SubscriptionRepository(database).remove(CHAT, Subscription(Scope.ALL))


async def audience(database: Database, live: int, chats: int) -> None:
    """Chats for each match."""
    found, subscriptions = ChatRepository(database), SubscriptionRepository(database)
    for number in range(live * chats):
        ref = ChatRef(1000 + number)
        await found.save(Chat(ref, filter=AlertFilter(all_kinds=True)))
        await subscriptions.add(ref, Subscription(Scope.MATCH, f"fixture-{number % live}"))


async def measure(stream: str, port: str, live: int, chats: int, seconds: int, settle: float) -> Marks:
    """Follow all matches for so long, after so many seconds to connect."""
    marks, clock = Marks(), SystemClock()
    marks.listen()
    messenger, session = await make_messenger(port, marks.departures)
    with tempfile.TemporaryDirectory() as folder:
        following = MatchProcess(
            load_pack("everything"),
            feed_settings(stream),
            clock,
            f"sqlite:///{folder}/touchline.db",
            messenger=messenger,
            rate_limiter=marks.limits,
            on_delivered=marks.delivered,
        )
        async with following.open():
            await nobody(following.database)
            following.follower._limiter = FeedRequestLimiter(clock, 1000)
            tasks = [asyncio.create_task(following.follower.follow(Fixture(f"fixture-{n}", status="Live"))) for n in range(live)]
            await asyncio.sleep(settle)
            await audience(following.database, live, chats)
            tune_garbage_collection()
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
    parser.add_argument("--chats", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--settle", type=float, default=15.0, help="seconds until all matches are connected")
    given = parser.parse_args()
    log_nothing()
    warn_without_recordings()
    commands = (["benchmarks.connections", "--role=matches", f"--live={given.live}"], ["benchmarks.telegram_server"])
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    servers = [subprocess.Popen([sys.executable, "-m", *words], **pipes) for words in commands]  # noqa: S603  (our own)
    try:
        stream, port = (server.stdout.readline().split()[-1] for server in servers if server.stdout)
        marks = asyncio.run(measure(stream, port, given.live, given.chats, given.seconds, given.settle))
    finally:
        for server in servers:
            server.kill()
    if not marks.written:
        sys.exit(f"no alert came within {given.seconds} s, so nothing was measured: take more matches (--live) or more --seconds")
    print("to the outbox:", figures(marks.written))
    print("to the sender's turn:", figures(marks.begun))
    print("to the request:", figures(marks.left))
    print("to the request, held back by Telegram's limits:", figures(marks.limited))


if __name__ == "__main__":
    main()
