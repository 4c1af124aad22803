"""What a machine has to hold: the memory of a running process, and the bytes on disk of a chat and of a message.

    python -m benchmarks.footprint

The process is a real `touchline run` between a simulator and a fake Bot API. The database is one file, vacuumed before it
is measured.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from benchmarks.crowd import Stopwatch
from benchmarks.followers import followed, goal
from bot.clock import SystemClock
from bot.logs import configure_logging
from bot.outbox.outbox import Outbox
from bot.storage.database import Database
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.sender import Sender
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, configuration
from tests.e2e.story import RULES, play, stepped
from tests.fakes.bot_api import FakeBotApi
from tests.postgres import MISSING, programs, running

CHATS = 10_000


class Taken(Stopwatch):
    """A Telegram that takes every message at once."""

    async def send(self, *_: object, **__: object) -> int:
        """Take it."""
        self.sent += 1
        return self.sent


def count_bytes(path: Path) -> int:
    """Return the bytes of a database in one file, with nothing left in its log and no holes."""
    with sqlite3.connect(path) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
        connection.execute("vacuum")
    connection.close()
    return path.stat().st_size


async def send_goal(path: Path) -> None:
    """Send one goal to every chat."""
    database = await Database.open(f"sqlite:///{path}")
    telegram, clock = Taken(), SystemClock()
    outbox = Outbox(database, clock)
    await outbox.put([goal(clock.now())])
    await Sender(outbox.queue, telegram, Unlimited(), clock).send_all_due()
    await database.close()
    if telegram.sent != CHATS:
        raise SystemExit(f"{telegram.sent} of {CHATS} messages were taken")


# Keeps its name: `benchmarks.summary --before` runs the newest `benchmarks.starting` beside an older version of this module.
@asynccontextmanager
async def started(config: Path, *words: str) -> AsyncIterator[int]:
    """Run `touchline run` while the block runs, and yield its process id once it has started.

    It is not one of the processes that the tests fork: those have the memory of the process that they are forked from.
    """
    command = [sys.executable, "-m", "bot", "run", "--config", str(config), *words]
    environment = os.environ | {"FEED_TOKEN": FEED_TOKEN, "TELEGRAM_BOT_TOKEN": BOT_TOKEN}
    pipe, out = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    bot = await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe, stderr=out)
    assert bot.stdout  # noqa: S101  # it is a pipe
    try:
        while b'"started"' not in (line := await bot.stdout.readline()):
            if not line:
                raise SystemExit("touchline run ended before it had started")
        reading = asyncio.create_task(bot.stdout.read())  # a full pipe would stop it
        yield bot.pid
    finally:
        if bot.returncode is None:
            bot.terminate()
        await bot.wait()
    await reading


async def measure_memory(folder: Path) -> AsyncIterator[tuple[str, float]]:
    """Yield at which moment a process occupies how many megabytes."""
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        stepped() as feed,
        started(configuration(folder, feed.urls.stream, feed.urls.api, telegram, RULES)) as pid,
    ):
        yield "a process that has just started", _resident(pid)
        await play(feed, telegram)
        yield "the same when its first match is over", _resident(pid)


async def measure_memory_of_roles(folder: Path) -> AsyncIterator[tuple[str, float]]:
    """Yield the megabytes of each of three processes on PostgreSQL, after a match that they followed and sent."""
    with running() as server, server.database() as url:
        async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed, AsyncExitStack() as stack:
            config = configuration(folder, feed.urls.stream, feed.urls.api, telegram, RULES)
            config.write_text(config.read_text().replace(f"sqlite:///{folder}/touchline.db", url))
            # One after the other, so that "started" of one is not awaited while another holds the processor.
            pids = {role: await stack.enter_async_context(started(config, "--role", role)) for role in ("send", "chat", "feed")}
            await play(feed, telegram)
            for role, pid in pids.items():
                yield f"a process with the role {role} on PostgreSQL, after a match", _resident(pid)


def _resident(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for a moment."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


async def main() -> None:
    """A line for each."""
    configure_logging(stream=io.StringIO())
    with folder() as place:
        async for what, megabytes in measure_memory(place):
            print(f"{what}: {megabytes:.0f} MB")
    if programs() is None:
        print(MISSING)
    else:
        with folder() as place:
            async for what, megabytes in measure_memory_of_roles(place):
                print(f"{what}: {megabytes:.0f} MB")
    with folder() as place:
        path = place / "touchline.db"
        await followed(path, 0)
        empty = count_bytes(path)
        await followed(path, CHATS)
        chats = count_bytes(path)
        await send_goal(path)
        print(f"an empty database: {empty / 1024:.0f} KiB")
        print(f"a chat: {(chats - empty) / CHATS:.0f} bytes")
        print(f"a message: {(count_bytes(path) - chats) / CHATS:.0f} bytes")


if __name__ == "__main__":
    asyncio.run(main())
