"""What open pages of the console cost an alert: from its frame to its request, without pages and with fifty, in one run.

    python -m benchmarks.console_pages            # --live 66 --chats 200 --pages 50 --seconds 60

Recorded matches are played at their own speed (the shipped scenarios if there is no recording) to a real `touchline run`, and
each has chats of its own that take every kind, with the pack `everything`. First the console is part of that process, on SQLite;
then it is a process of its own, on PostgreSQL. Pages are what a browser holds open: a websocket that shows "Now", a match, or the
alerts. They are open in the second of three equal parts of the run; what is between its neighbours is the machine's own unrest.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import contextlib
import datetime as dt
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import select

from benchmarks.connections import live, log_nothing, warn_without_recordings
from bot.feed.simulator.server import Simulator
from bot.outbox.delivery import parse_history
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.schema import entries
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN
from tests.postgres import programs, running
from tests.rows import copy_chat

SETTLE = 30.0
"""Seconds until all matches are connected: the feed allows five handshakes a second."""


async def serve_feed(matches: int) -> None:
    """The vendor's side, in a process of its own; it prints where it listens."""
    async with Simulator(live(matches), 1.0, lead=dt.timedelta(seconds=-1200)).serve() as urls:
        print(json.dumps([urls.stream, urls.api]), flush=True)
        await asyncio.Event().wait()


async def hold_pages(address: str, count: int) -> None:
    """Open pages as browsers do, and hold them open until the standard input ends; print how many messages they got."""
    import socketio  # type: ignore[import-untyped]  # part of NiceGUI

    received = 0

    def count_message(*_: object) -> None:
        nonlocal received
        received += 1

    paths = ("", "matches/fixture-0", "alerts")
    clients = []
    async with aiohttp.ClientSession() as http:
        for number in range(count):
            async with http.get(f"{address}{paths[number % len(paths)]}") as answer:
                page = await answer.text()
            found = re.search(r"query: (\{.*?\}),", page)
            if not found:
                raise SystemExit(f"this is no page of the console: {page[:200]}")
            query = ast.literal_eval(found[1]) | {"document_id": str(uuid.uuid4()), "tab_id": str(uuid.uuid4())}
            client = socketio.AsyncClient()
            client.on("update", count_message)
            words = "&".join(
                f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in query.items()
            )
            await client.connect(
                f"{address}?{words}", socketio_path="/_nicegui_ws/socket.io", transports=["websocket"], wait_timeout=60
            )
            clients.append(client)
    print("open", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(received, flush=True)
    for client in clients:
        await client.disconnect()


@contextmanager
def child(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a module of this program beside it."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-m", *words], **pipes)  # noqa: S603  # our own
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def read_line(process: subprocess.Popen[str]) -> str:
    """Return the next line that a child prints."""
    assert process.stdout  # noqa: S101  # it is a pipe
    return process.stdout.readline().strip()


@asynccontextmanager
async def touchline(config: Path, *words: str) -> AsyncIterator[list[str]]:
    """Run the program; yield the lines of its log."""
    environment = os.environ | {"FEED_TOKEN": FEED_TOKEN, "TELEGRAM_BOT_TOKEN": BOT_TOKEN}
    pipe, out = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    command = [sys.executable, "-m", "bot", "run", "--config", str(config), *words]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe, stderr=out)
    lines: list[str] = []

    async def read() -> None:
        assert process.stdout  # noqa: S101  # it is a pipe
        async for line in process.stdout:
            lines.append(line.decode(errors="replace"))

    reading = asyncio.create_task(read())
    try:
        yield lines
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        await reading


async def wait_for(lines: list[str], words: str) -> str:
    """Return the line of a log that has these words, once it is there."""
    for _ in range(1200):
        if found := next((line for line in lines if words in line), None):
            return found
        await asyncio.sleep(0.1)
    raise SystemExit("".join(lines[-20:]))


async def follow_everything(url: str) -> None:
    """Store a chat for which all matches are followed, and to which nothing is sent."""
    database, ref = await Database.open(url), ChatRef(1)
    muted = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    await ChatRepository(database).save(Chat(ref, muted_until=muted))
    await SubscriptionRepository(database).add(ref, Subscription(Scope.ALL))
    await database.close()


async def add_chats(url: str, matches: int, chats: int) -> None:
    """Store chats that follow one match each and take every kind."""
    # Once the matches are connected: what was before would keep the sender busy for minutes.
    database = await Database.open(url)
    first = ChatRef(1_000_000)
    for match in range(matches):
        ref = ChatRef(first.chat_id + match * chats)
        await ChatRepository(database).save(Chat(ref, filter=AlertFilter(all_kinds=True)))
        await SubscriptionRepository(database).add(ref, Subscription(Scope.MATCH, f"fixture-{match}"))
        await copy_chat(database, ref.chat_id, range(ref.chat_id + 1, ref.chat_id + chats))
    await database.close()


async def report(url: str, parts: list[tuple[str, float, float]]) -> None:
    """Print for each part of the run how long the requests took that left in it."""
    database = await Database.open(url)
    async with database.transaction() as tx:
        rows = await tx.fetch(select(entries.c.action_id, entries.c.history))
    await database.close()
    lines = [(row["action_id"], line) for row in rows for line in parse_history(row["history"])]
    for name, start, end in parts:
        all_ms: list[float] = []
        first_ms: dict[tuple[str, int], float] = {}
        sent = 0
        for action, line in lines:
            if not start <= line.at < end:
                continue
            sent += 1
            latency = line.latency
            # What Telegram's limits held back waited for them, and not for the program.
            if latency and latency.outbox is not None and latency.request is not None and not latency.waited:
                ms = latency.outbox + latency.request
                all_ms.append(ms)
                first_ms[action, line.seq] = min(ms, first_ms.get((action, line.seq), ms))
        print(f"  {name}: {sent / (end - start):.0f} messages a second, frame to request", flush=True)
        print(f"    first chat: {figures(first_ms.values())}; all chats: {figures(all_ms)}", flush=True)


def figures(found: Any) -> str:
    """Return `median 3.1 ms, p99 40.2 ms, of 1,204`."""
    ms = sorted(found)
    return f"median {ms[len(ms) // 2]:.1f} ms, p99 {ms[len(ms) * 99 // 100]:.1f} ms, of {len(ms):,}" if ms else "none"


async def measure(given: argparse.Namespace, url: str, addresses: tuple[str, str, str], *, is_alone: bool) -> None:
    """Run the program on a database, and measure its three parts. `is_alone`: the console is a process of its own."""
    stream, api, telegram = addresses
    await follow_everything(url)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(f"""
feed: {{token: "${{FEED_TOKEN}}", stream_url: "{stream}", api_url: "{api}"}}
telegram:
  token: "${{TELEGRAM_BOT_TOKEN}}"
  api_url: "http://127.0.0.1:{telegram}"
  messages_per_second: 1000
  allow_paid_broadcast: true
storage: {{url: "{url}", last_matches_folder: "{folder}/last"}}
http: {{listen: null, console: {{listen: "127.0.0.1:0"}}}}
extends: everything
""")
        async with contextlib.AsyncExitStack() as stack:
            roles = ["--role", "feed,send,chat"] if is_alone else []
            working = await stack.enter_async_context(touchline(config, *roles))
            await wait_for(working, '"started"')
            shown = await stack.enter_async_context(touchline(config, "--role", "console")) if is_alone else working
            port = re.findall(r'"port": (\d+)', await wait_for(shown, "console_served"))[0]
            await asyncio.sleep(SETTLE)
            await add_chats(url, given.live, given.chats)
            parts = []
            for name in ("no page", f"{given.pages} pages", "no page again"):
                with contextlib.ExitStack() as opened:
                    if given.pages and name.endswith(" pages"):
                        role = ("--role=pages", f"--pages={given.pages}", f"--address=http://127.0.0.1:{port}/")
                        pages = opened.enter_context(child("benchmarks.console_pages", *role))
                        await asyncio.to_thread(read_line, pages)
                    start = time.time()
                    await asyncio.sleep(given.seconds)
                    parts.append((name, start, time.time()))
                    if given.pages and name.endswith(" pages") and pages.stdin:
                        pages.stdin.close()
                        print(f"  the pages got {await asyncio.to_thread(read_line, pages)} updates")
                await asyncio.sleep(3)
    await report(url, parts)


def main() -> None:
    """Run both, or play one part."""
    parser = argparse.ArgumentParser()
    for name, default in (("live", 66), ("chats", 200), ("pages", 50), ("seconds", 60)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--role", default="")
    parser.add_argument("--address", default="")
    given = parser.parse_args()
    log_nothing()
    if given.role == "feed":
        asyncio.run(serve_feed(given.live))
    elif given.role == "pages":
        asyncio.run(hold_pages(given.address, given.pages))
    else:
        warn_without_recordings()
        compare(given)


def compare(given: argparse.Namespace) -> None:
    """Measure the console inside `run`, and as a process of its own."""
    for is_alone in (False, True):
        with (
            tempfile.TemporaryDirectory() as folder,
            child("benchmarks.console_pages", "--role=feed", f"--live={given.live}") as feed,
            child("benchmarks.telegram_server") as telegram,
        ):
            stream, api = json.loads(read_line(feed))
            addresses = (stream, api, read_line(telegram))
            if not is_alone:
                print("the console inside `run`, on SQLite", flush=True)
                asyncio.run(measure(given, f"sqlite:///{folder}/touchline.db", addresses, is_alone=False))
            elif programs() is None:
                print("there is no PostgreSQL server here: the console as a process of its own was not measured")
            else:
                print("the console as a process of its own, on PostgreSQL", flush=True)
                with running() as server, server.database() as url:
                    asyncio.run(measure(given, url, addresses, is_alone=True))


if __name__ == "__main__":
    main()
