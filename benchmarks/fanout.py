"""One alert to many chats: Touchline's sender beside a bare loop of its HTTP client and python-telegram-bot's own rate limiter.

The Bot API is a lean fake in another process (`benchmarks/telegram_server.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import io
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import msgspec
from telegram.error import RetryAfter
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from benchmarks.extras import require_modules
from benchmarks.followers import followed, goal
from benchmarks.telegram_server import Stats
from bot.clock import SystemClock
from bot.logs import configure_logging
from bot.outbox.outbox import Outbox
from bot.sharing import tune_garbage_collection
from bot.storage.database import Database
from bot.telegram.limits.rate_limits import RateLimiter, RateLimitPolicy, Unlimited
from bot.telegram.messenger import BotMessenger, build_bot
from bot.telegram.sender import Sender

TOKEN = "123456789:benchmark"  # noqa: S105  # no secret
TEXT = "⚽ <b>Argentina 1–0 Saudi Arabia</b>\n10' Lionel Messi"
IN_FLIGHT = 50
"""Of the loops without Touchline: where python-telegram-bot over aiohttp is at its best."""


class Telegram:
    """The fake Bot API's other side."""

    def __init__(self, port: int, http: aiohttp.ClientSession) -> None:
        self.url, self.http = f"http://127.0.0.1:{port}", http

    async def reset(self, limit: int = 0) -> None:
        """Begin anew, with so many messages a second allowed; 0: any number."""
        await self._get(f"reset?limit={limit}")

    async def stats(self) -> Stats:
        """What came in."""
        return msgspec.json.decode(await self._get("stats"), type=Stats)

    async def _get(self, path: str) -> bytes:
        async with self.http.get(f"{self.url}/{path}") as response:
            return await response.read()


@asynccontextmanager
async def telegram() -> AsyncIterator[Telegram]:
    """A fake Bot API in another process."""
    pipe = asyncio.subprocess.PIPE
    server = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.telegram_server", stdin=pipe, stdout=pipe)
    assert server.stdout and server.stdin  # noqa: S101  # they are pipes
    try:
        port = int(await server.stdout.readline())
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=500)) as http:
            yield Telegram(port, http)
    finally:
        server.stdin.close()
        await server.wait()


async def in_flight(count: int, one: Callable[[int], Awaitable[object]], chats: Iterable[int]) -> None:
    """So many at once, each taking the next chat when it is done."""
    left = iter(chats)

    async def work() -> None:
        for chat in left:
            await one(chat)

    await asyncio.gather(*(work() for _ in range(count)))


async def bare(there: Telegram, messages: int) -> None:
    """The HTTP client and nothing else."""
    url = f"{there.url}/bot{TOKEN}/sendMessage"

    async def send(chat: int) -> None:
        async with there.http.post(url, json={"chat_id": chat, "text": TEXT, "parse_mode": "HTML"}) as response:
            await response.json()

    await in_flight(IN_FLIGHT, send, range(1, messages + 1))


async def library(there: Telegram, messages: int) -> None:
    """python-telegram-bot over Touchline's request object: no store, no limits, no order."""
    async with build_bot(TOKEN, there.url) as bot:
        await in_flight(IN_FLIGHT, lambda chat: bot.send_message(chat, TEXT, parse_mode="HTML"), range(1, messages + 1))


async def stock(there: Telegram, messages: int) -> None:
    """python-telegram-bot as it comes, with its own rate limiter: every message a task, as its users do."""
    limiter = AIORateLimiter(overall_max_rate=0, group_max_rate=0)
    await _stock(there, messages, limiter)


async def _stock(there: Telegram, messages: int, limiter: AIORateLimiter) -> None:
    bot: ExtBot[int] = ExtBot(
        TOKEN, base_url=f"{there.url}/bot", request=HTTPXRequest(connection_pool_size=256), rate_limiter=limiter
    )

    async def send(chat: int) -> None:
        try:
            await bot.send_message(chat, TEXT, parse_mode="HTML")
        except RetryAfter:
            return

    async with bot:
        await in_flight(IN_FLIGHT, send, range(1, messages + 1))


async def touchline(there: Telegram, messages: int, pace: RateLimitPolicy | None = None) -> float:
    """A goal that so many chats follow, from `put` to the last message, every message id committed.

    Returns the processor's seconds for that: to make the database is not a part of it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "touchline.db"
        await followed(path, messages)
        database, clock = await Database.open(f"sqlite:///{path}"), SystemClock()
        outbox = Outbox(database, clock)
        async with build_bot(TOKEN, there.url) as bot:
            sender = Sender(outbox.queue, BotMessenger(bot), pace or Unlimited(), clock)
            spent = time.process_time()
            await outbox.put([goal(clock.now())])
            running = asyncio.create_task(sender.run())
            while outbox.queue.has_more or sender.count_pending():  # noqa: ASYNC110  # nothing signals when the last message is sent
                await asyncio.sleep(0.01)
            spent = time.process_time() - spent
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await database.close()
    return spent


Way = Callable[[Telegram, int], Awaitable[float | None]]
"""Sends so many messages. Returns the processor's seconds for them; None for all that it took."""


async def unlimited(there: Telegram, messages: int, rounds: int) -> None:
    """Messages a second, and the processor time of the sender for each, the best of some rounds taken in turn."""
    ways: dict[str, Way] = {"bare loop": bare, "library, bare loop": library, "AIORateLimiter": stock, "Touchline": touchline}
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            count = messages // 5 if way is stock else messages
            await there.reset()
            began = time.process_time()
            spent = await way(there, count) or time.process_time() - began
            stats = await there.stats()
            rate = (stats.taken - 1) / (stats.last - stats.first)
            best[name] = max(best.get(name, (0.0, 0.0)), (rate, spent / count))
    print(f"\n{'without a limit':24}{'a second':>10}{'of bare':>9}{'of library':>12}{'ms of processor':>17}")
    for name, (rate, cost) in best.items():
        shares = rate / best["bare loop"][0], rate / best["library, bare loop"][0]
        print(f"{name:24}{rate:10,.0f}{shares[0]:9.2f}{shares[1]:12.2f}{cost * 1000:17.2f}")


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """So many processes beside this one that calculate without a pause, as other work on the machine does."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


async def allowed(there: Telegram, limit: int, seconds: int, *, busy: int = 0) -> None:
    """The share of what is allowed that is used, and how often Telegram had to refuse."""
    beside = f" beside {busy} busy loops" if busy else ""
    print(f"\n{f'{limit:,} a second allowed{beside}':40}{'a second':>10}{'share':>9}{'429s':>12}")
    paced: Way = lambda there, count: touchline(there, count, RateLimiter(limit))  # noqa: E731
    theirs: Way = lambda there, count: _stock(there, count, AIORateLimiter(limit, 1, 0))  # noqa: E731
    ways = {"Touchline": paced} if busy else {"AIORateLimiter": theirs, "Touchline": paced}
    for name, way in ways.items():
        await there.reset(limit)
        await way(there, limit * seconds)
        stats = await there.stats()
        whole = stats.seconds[1:-2] or stats.seconds  # between the first burst and the last message
        rate = sum(whole) / len(whole)
        print(f"{name:40}{rate:10,.1f}{rate / limit:9.3f}{stats.refused:12,}")


async def main() -> None:
    """Everything that the benchmark shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--busy", action="store_true", help="only the allowance, beside a busy loop for each core")
    parser.add_argument("--limits", type=int, nargs="*", default=[30, 1000])
    given = parser.parse_args()
    require_modules("aiolimiter")
    warnings.simplefilter("ignore")
    logging.disable()  # the library logs every refusal with its traceback
    configure_logging(stream=io.StringIO())  # as in production, but nobody reads it
    tune_garbage_collection()  # as the process does that is run; for all rows alike
    async with telegram() as there:
        if given.busy:
            cores = os.cpu_count() or 1
            with busy_loops(cores):
                for limit in given.limits:
                    await allowed(there, limit, given.seconds, busy=cores)
            return
        await unlimited(there, given.messages, given.rounds)
        for limit in given.limits:
            await allowed(there, limit, given.seconds)


if __name__ == "__main__":
    asyncio.run(main())
