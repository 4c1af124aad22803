"""A database after a season: the size of a delivery, whether large tables slow a goal down, and whether they are cleaned up.

Chats follow one of ten teams each; alerts of old matches, spread over 30 days, have reached all followers of a team. On an empty
database and on a full one, in the same run: the time from opening it to the first request of a waiting goal, the time from `put`
to the first request afterwards, the longest stop of the event loop while the older half is deleted, and on PostgreSQL the queries
whose plan reads a whole table. `--deliveries 10000000` is a season of 50,000 chats; it takes 3 GB and up to an hour.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import io
import logging
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from sqlalchemy import func, insert, literal, select, text

from benchmarks.followers import FIXTURE, goal
from benchmarks.scale import Durable
from bot.clock import SystemClock
from bot.logs import configure_logging
from bot.outbox.outbox import Outbox
from bot.replay.replay import RecordingMessenger
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.schema import alerts, chats, entries, subscriptions
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.sender import Sender
from rules.engine.alert import Alert, AlertKey
from tests.postgres import running
from tests.rows import copy_chat

TEAMS = 10
DAYS = 30
GOALS = 20
"""Goals whose way from `put` to the first request is measured."""


class RequestWatcher(RecordingMessenger):
    """A messenger that answers at once, and lets somebody wait until it is asked to send."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = asyncio.Event()

    async def wait_for_request(self) -> None:
        """Return once a message was sent since the last call."""
        await self._asked.wait()
        self._asked.clear()

    async def send(self, chat: ChatRef, html: str, *, silent: bool, reply_to: int | None = None, **_: object) -> int:
        """Return the next message id."""
        self._asked.set()
        return await super().send(chat, html, silent=silent)


async def follow(database: Database, count: int) -> None:
    """Store chats that follow one of ten teams each; the goals that are measured are of the first team, and reach one chat."""
    first = Chat(ChatRef(1), filter=AlertFilter(all_kinds=True))
    await ChatRepository(database).save(first)
    await copy_chat(database, 1, range(2, count + 1))
    await SubscriptionRepository(database).add(first.ref, Subscription(Scope.MATCH, FIXTURE.id, FIXTURE.title))
    teams = [
        {"chat_id": n, "topic": 0, "scope": "team", "key": f"followed{n % TEAMS}", "name": f"Team {n % TEAMS}", "taste": ""}
        for n in range(2, count + 1)
    ]
    async with database.transaction() as tx:
        await tx.execute(insert(subscriptions), teams)


async def fill(database: Database, count: int) -> int:
    """Add old alerts until about `count` deliveries were copied from the first one. Return how many."""
    now = dt.datetime.now(dt.UTC).timestamp()
    async with database.transaction() as tx:
        (alert,) = await tx.fetch(select(alerts).where(alerts.c.action_id == "now0"))
        followers = (await tx.fetch(select(func.count().label("n")).select_from(chats)))[0]["n"] // TEAMS
    template = dict(alert)
    number = max(1, count // max(1, followers))
    round_number = int(now * 1000)
    keys = ("fixture_id", "action_id", "chat_id", "topic")
    copied = [column for column in entries.columns if column.name not in keys]
    total = 0
    for n in range(number):
        at = now - DAYS * 86400 * (1 - n / number) - 3600
        key = {"fixture_id": f"old{round_number}-{n // 20}", "action_id": f"a{n % 20}"}
        async with database.transaction() as tx:
            await tx.execute(insert(alerts), [template | key | {"created_at": at, "updated_at": at}])
            source = (
                select(literal(key["fixture_id"]), literal(key["action_id"]), chats.c.chat_id, chats.c.topic, *copied)
                .select_from(chats.join(entries, entries.c.chat_id == 1))
                .where(chats.c.chat_id % TEAMS == n % TEAMS, chats.c.chat_id > 1, entries.c.action_id == alert["action_id"])
            )
            total += await tx.execute(insert(entries).from_select([*keys, *(c.name for c in copied)], source))
    return total


def numbered_goal(number: int, clock: SystemClock) -> Alert:
    """Return another goal of the match that the first chat follows."""
    return msgspec.structs.replace(goal(clock.now()), key=AlertKey(FIXTURE.id, f"now{number}"))


@asynccontextmanager
async def sending(database: Database, clock: SystemClock) -> AsyncIterator[tuple[Outbox, RequestWatcher]]:
    """A sender at work."""
    outbox, watcher = Outbox(database, clock), RequestWatcher()
    task = asyncio.create_task(Sender(outbox.queue, watcher, Unlimited(), clock, None, ChatRepository(database)).run())
    try:
        yield outbox, watcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Measured(msgspec.Struct):
    """Seconds."""

    start: float
    """From opening the database to the first request, with one goal waiting."""
    way: list[float]
    """From `put` to the first request."""


async def measure(url: str, first: int) -> Measured:
    """Measure a start with a goal that waits, and then some more goals."""
    clock = SystemClock()
    database = await Database.open(url)
    await Outbox(database, clock).put([numbered_goal(first, clock)])
    await database.close()
    began = time.perf_counter()
    database = await Database.open(url)
    way = []
    async with sending(database, clock) as (outbox, watcher):
        await watcher.wait_for_request()
        start = time.perf_counter() - began
        for number in range(first + 1, first + 1 + GOALS):
            await asyncio.sleep(0.05)
            put = time.perf_counter()
            await outbox.put([numbered_goal(number, clock)])
            await watcher.wait_for_request()
            way.append(time.perf_counter() - put)
        await asyncio.sleep(0.5)  # until the last result is committed
    await database.close()
    return Measured(start, way)


async def clean_up(url: str) -> tuple[int, float, float]:
    """Delete the older half. Return how many deliveries were deleted, in how many seconds, and the longest stop of the loop."""
    database = await Database.open(url)
    stops = []

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            stops.append(time.perf_counter() - before - 0.001)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.1)
    began = time.perf_counter()
    deleted = await Outbox(database, SystemClock()).prune(dt.timedelta(days=DAYS / 2))
    took = time.perf_counter() - began
    watching.cancel()
    await database.close()
    return deleted, took, max(stops)


async def count_bytes(database: Database) -> int:
    """Return how large the database is."""
    if database.sqlite:
        return await database.sqlite.count_bytes()
    async with database.transaction() as tx:
        return int((await tx.fetch(text("SELECT pg_database_size(current_database()) AS n")))[0]["n"])


def format_way(seconds: list[float]) -> str:
    """Return the median and the longest in milliseconds."""
    return f"{statistics.median(seconds) * 1e3:6.1f} {max(seconds) * 1e3:6.1f}"


async def show(name: str, url: str, chat_count: int, delivery_count: int) -> None:
    """Print the figures of one database."""
    database = await Database.open(url)
    await follow(database, chat_count)
    await database.close()
    empty = await measure(url, 0)
    database = await Database.open(url)
    before = await count_bytes(database)
    filled = await fill(database, delivery_count)
    after = await count_bytes(database)
    await database.close()
    full = await measure(url, 1000)
    deleted, took, longest = await clean_up(url)
    database = await Database.open(url)
    again = await fill(database, deleted)
    reused = await count_bytes(database)
    await database.close()
    print(f"\n{name}: {chat_count:,} chats, {filled:,} deliveries, {(after - before) / filled:,.0f} bytes each")
    print(f"{'':28}{'empty':>16}{'full':>16}")
    print(f"{'start to first request, s':28}{empty.start:16.2f}{full.start:16.2f}")
    print(f"{'put to request, ms p50 max':28}{format_way(empty.way):>16}{format_way(full.way):>16}")
    print(
        f"clean-up: {deleted:,} deliveries in {took:.1f} s ({deleted / took:,.0f} a second), longest stop {longest * 1e3:.0f} ms"
    )
    print(f"after it, {again:,} more deliveries: {reused / after:.2f} of the size before (space is used again)")


async def main() -> None:
    """Everything that the benchmark shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=int, default=50_000)
    parser.add_argument("--deliveries", type=int, default=500_000)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    logging.disable()
    configure_logging(stream=io.StringIO())  # as in production, but nobody reads it
    if given.only != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            await show("SQLite", f"sqlite:///{Path(folder) / 'touchline.db'}", given.chats, given.deliveries)
    if given.only != "sqlite":
        with running(Durable) as server, server.database() as url:
            await show("PostgreSQL", url, given.chats, given.deliveries)


if __name__ == "__main__":
    asyncio.run(main())
