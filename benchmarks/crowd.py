"""Time from an alert to its first request, and how memory grows, with a thousand, a hundred thousand and a million chats.

Each crowd has a process of its own; Telegram is a stand-in that takes 50 ms, at 30 messages a second.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.followers import followed, goal
from bot.clock import SystemClock
from bot.logs import configure_logging
from bot.outbox.outbox import Outbox
from bot.outbox.sources import MemorySource
from bot.storage.database import Database
from bot.subscribers import ChatRef
from bot.telegram.limits.rate_limits import RateLimiter
from bot.telegram.sender import Sender

CROWDS = (1_000, 100_000, 1_000_000)
SECONDS = 10.0
"""Of sending, after which the tickets in memory are as many as there will be."""


class Stopwatch:
    """A Messenger that notes when it is first asked."""

    def __init__(self) -> None:
        self.first = 0.0
        self.sent = 0

    async def send(self, chat: ChatRef, html: str, *, silent: bool, reply_to: int | None = None, **_: object) -> int:
        """Take a message as Telegram would."""
        self.first = self.first or perf_counter()
        self.sent += 1
        await asyncio.sleep(0.05)
        return self.sent

    async def edit(self, chat: ChatRef, message_id: int, html: str, **_: object) -> None:
        """Nothing is edited here."""

    async def pin(self, chat: ChatRef, message_id: int, *, is_pinned: bool) -> None:
        """Nothing is pinned here."""

    async def ping(self) -> None:
        """It always answers."""


async def measure(path: Path) -> tuple[float, float, int]:
    """Milliseconds to the first request, megabytes more at the peak, and messages sent."""
    clock, telegram = SystemClock(), Stopwatch()
    database = await Database.open(f"sqlite:///{path}")
    outbox = Outbox(database, clock)
    sender = Sender(outbox.queue, telegram, RateLimiter(), clock)
    running = asyncio.create_task(sender.run())
    await asyncio.sleep(0.5)
    before, start = _peak(), perf_counter()
    await outbox.put([goal(clock.now())])
    await asyncio.sleep(SECONDS)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await database.close()
    return (telegram.first - start) * 1000, _peak() - before, telegram.sent


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _alone(path: Path) -> None:
    configure_logging(stream=io.StringIO())
    first, grown, sent = asyncio.run(measure(path))
    print(f"{first:18.1f}{grown:14.1f}{sent:10}")


def main() -> None:
    """A row for each crowd."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", type=Path, help="measure one database, in this process")
    given = parser.parse_args()
    if given.database:
        _alone(given.database)
        return
    print(
        f"{'chats':>12}{'first request, ms':>18}{'more MB':>14}{'sent':>10}   ({MemorySource.capacity:,} items in memory at most)"
    )
    for count in CROWDS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "touchline.db"
            asyncio.run(followed(path, count))
            command = [sys.executable, "-m", "benchmarks.crowd", "--database", str(path)]
            print(f"{count:12,}", end="", flush=True)
            subprocess.run(command, check=True)  # noqa: S603  # this program


if __name__ == "__main__":
    main()
