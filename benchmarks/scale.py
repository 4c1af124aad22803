"""One goal to 10,000 chats: one, two and three senders on PostgreSQL beside one on SQLite, without a limit and at 1,000 a second.

The Bot API is a lean fake in another process (`benchmarks/telegram_server.py`); PostgreSQL is started here, and writes to disk.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from sqlalchemy import insert

from benchmarks.fanout import TOKEN, Telegram, telegram
from benchmarks.followers import followed, goal
from benchmarks.telegram_server import Stats
from bot.clock import SystemClock
from bot.cluster.lease_manager import LeaseManager
from bot.cluster.leases import LeaseRepository
from bot.cluster.roles import Role
from bot.logs import configure_logging
from bot.outbox.outbox import Outbox
from bot.outbox.shared_source import SharedSource
from bot.sharing import tune_garbage_collection
from bot.storage.chat_rows import chat_to_row
from bot.storage.database import Database
from bot.storage.driver import RATE_CHANNEL
from bot.storage.schema import chats, subscriptions
from bot.subscribers import AlertFilter, Chat, ChatRef
from bot.telegram.limits.rate_limits import RateLimiter, RateLimitPolicy, Unlimited
from bot.telegram.limits.rate_shares import RateShareRepository
from bot.telegram.limits.shared_rate_limits import SharedRateLimiter
from bot.telegram.messenger import BotMessenger, build_bot
from bot.telegram.sender import Sender
from tests.postgres import Server, running


class Durable(Server):
    """A server as it comes, with its writes on the disk."""

    settings = ("listen_addresses=",)


class Result(msgspec.Struct, frozen=True):
    """Messages a second while it lasted, seconds from the put to the last message, refusals, and milliseconds of processor that a
    message took: of all senders, HTTP included, and of the database's server."""

    rate: float
    last: float
    refused: int
    of_senders: float
    of_server: float


async def work(name: str, url: str, telegram_url: str, limit: int) -> None:
    """A sender, in a process of its own: says that it is ready, puts the goal on command, ends with its input."""
    database, clock = await Database.open(url), SystemClock()
    async with AsyncExitStack() as stack:
        bot = build_bot(TOKEN, telegram_url)
        await stack.enter_async_context(bot)
        pace: RateLimitPolicy = Unlimited()
        if not database.is_shared:
            outbox = Outbox(database, clock)
            pace = RateLimiter(limit) if limit else pace
            sender = Sender(outbox.queue, BotMessenger(bot), pace, clock)
        else:
            tickets = SharedSource(database, clock, name)
            outbox = Outbox(database, clock, tickets)
            if limit:
                pace = shared = SharedRateLimiter(RateShareRepository(database, name), limit, is_sender=True)
                await database.listen(RATE_CHANNEL, shared.request_look)
                stack.callback(asyncio.create_task(shared.run()).cancel)
            sender = Sender(outbox.queue, BotMessenger(bot), pace, clock)
            tickets.on_available = sender.wake
            if isinstance(pace, SharedRateLimiter):
                pace.on_more = sender.wake
            lease_manager = LeaseManager(LeaseRepository(database, name), [Role.SEND])
            stack.callback(asyncio.create_task(lease_manager.run()).cancel)
            await lease_manager.registered.wait()
            await stack.enter_async_context(tickets.running())
        stack.callback(asyncio.create_task(sender.run()).cancel)
        await asyncio.sleep(0.5)
        tune_garbage_collection()
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            await outbox.put([goal(clock.now())])


def _processor_seconds(process: int, *, children: bool = False) -> float:
    """Of a process, of those of its children that have ended, and with `children` of those that run."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat") if children else [Path(f"/proc/{process}/stat")]:
        with contextlib.suppress(OSError):  # it has ended
            fields = file.read_text().rpartition(")")[2].split()
            if file.parent.name == str(process):
                ticks += sum(map(int, fields[11:15]))
            elif fields[1] == str(process):
                ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def sender(
    name: str, url: str, there: Telegram, limit: int, checkout: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`work` in another process, of this version or of the one in another folder."""
    pipe, command = (
        asyncio.subprocess.PIPE,
        [sys.executable, "-m", "benchmarks.scale", "--worker", name, url, there.url, str(limit)],
    )
    # Without PYTHONPATH: `-m` takes what is in the working directory.
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=checkout)
    assert process.stdout  # noqa: S101  # it is a pipe
    await process.stdout.readline()
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def measured(
    url: str,
    senders: int,
    there: Telegram,
    messages: int,
    limit: int,
    checkout: Path | None = None,
    server: Server | None = None,
) -> Result:
    """The goal to every chat."""
    await there.reset(limit)
    postmaster = int((server.folder / "data" / "postmaster.pid").read_text().split()[0]) if server else None

    def spent() -> tuple[float, float]:
        own = sum(_processor_seconds(process.pid) for process in crew)
        return own, _processor_seconds(postmaster, children=True) if postmaster else 0.0

    async with AsyncExitStack() as stack:
        crew = [await stack.enter_async_context(sender(f"s{number}", url, there, limit, checkout)) for number in range(senders)]
        assert crew[0].stdin  # noqa: S101  # it is a pipe
        put, before = time.monotonic(), spent()
        crew[0].stdin.write(b"goal\n")
        stats = await _until(there, messages)
        await asyncio.sleep(0.5)  # the last ids are committed
        of_senders, of_server = (1000 * (now - then) / messages for now, then in zip(spent(), before, strict=True))
    rate = (stats.taken - 1) / (stats.last - stats.first)
    if limit:
        whole = stats.seconds[1:-2] or stats.seconds
        rate = sum(whole) / len(whole)
    return Result(rate, stats.last - put, stats.refused, of_senders, of_server)


async def _until(there: Telegram, messages: int) -> Stats:
    stats = await there.stats()
    while stats.taken < messages:
        await asyncio.sleep(0.1)
        stats = await there.stats()
    return stats


async def follow(url: str, count: int) -> None:
    """So many chats that follow the match, in PostgreSQL."""
    database = await Database.open(url)
    one = chat_to_row(Chat(ChatRef(0), filter=AlertFilter(all_kinds=True)))
    team = {"topic": 0, "scope": "team", "key": "t1", "name": "Argentina"}
    async with database.transaction() as tx:
        await tx.execute(insert(chats), [one | {"chat_id": number} for number in range(1, count + 1)])
        await tx.execute(insert(subscriptions), [team | {"chat_id": number} for number in range(1, count + 1)])
    await database.close()


async def main() -> None:
    """Everything that the benchmark shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--senders", type=int, nargs="*", default=[1, 2, 3], help="how many, on PostgreSQL")
    parser.add_argument("--limits", type=int, nargs="*", default=[0, 1000])
    parser.add_argument("--beside", type=Path, help="the folder of another version, whose senders take turns with these")
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    logging.disable()
    configure_logging(stream=io.StringIO())  # as in production, but nobody reads it
    if given.worker:
        name, url, telegram_url, limit = given.worker
        await work(name, url, telegram_url, int(limit))
        return
    async with telegram() as there:
        with running(Durable) as server:
            for limit in given.limits:
                await table(there, server, given, limit)


async def table(there: Telegram, server: Server, given: argparse.Namespace, limit: int) -> None:
    """The best of some rounds, each way in turn."""
    best: dict[str, Result] = {}
    messages, versions = given.messages, {"": None} | ({", other": given.beside} if given.beside else {})
    for number in range(given.rounds):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "touchline.db"
            await followed(path, messages)
            _keep(best, "SQLite, 1 sender", await measured(f"sqlite:///{path}", 1, there, messages, limit))
        for senders in given.senders:
            # Each version first in every other round.
            for version, checkout in sorted(versions.items(), reverse=bool(number % 2)):
                with server.database() as url:
                    await follow(url, messages)
                    name = f"PostgreSQL, {senders} sender{'s' * (senders > 1)}{version}"
                    _keep(best, name, await measured(url, senders, there, messages, limit, checkout, server))
    heading = f"{limit:,} a second allowed" if limit else "without a limit"
    print(f"\n{heading:32}{'a second':>10}{'to the last, s':>16}{'429s':>7}{'ms of processor: senders':>26}{'server':>8}")
    for name, result in best.items():
        costs = f"{result.of_senders:26.2f}{result.of_server:8.2f}"
        print(f"{name:32}{result.rate:10,.0f}{result.last:16.2f}{result.refused:7,}{costs}")


def _keep(best: dict[str, Result], name: str, result: Result) -> None:
    if name not in best or result.rate > best[name].rate:
        best[name] = result


if __name__ == "__main__":
    asyncio.run(main())
