"""The files that one alert and two commands pass through. `python -m benchmarks.walk_files [REVISION ...]`

Each revision of this repository (without one: the files as they are now) runs as a real process with SQLite, between the stepped
feed and the strict Bot API of the tests, and notes which lines it executes on three walks:

- alert: from the frame of a goal to the answer to its message, and the message's id in the database;
- /mute 1h and /subscribe NAME: from the update to the chat as it is stored, and the answer.

Each walk is walked several times, and only lines that ran every time count, so that what happens to run at the same moment, such
as a heartbeat, is left out. A table shows for each walk:

- files: modules of `bot/` and `rules/` of which a line ran.
- lines: how many of their lines ran.
- files with 80 % of the lines: the fewest that have so many.
- files to read: those that docs/design.md names for the walk; each has to be on it. The design of 0.1 named none: 22 and 7 were
  counted by hand before the code got its present layout.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from benchmarks.code_figures import extract_revision
from tests.e2e.goals import RULES, Match
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, configuration
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.stepped_feed import SteppedFeed
from tests.waiting import until

ROOT = Path(__file__).parent.parent
TIMES = 4
"""How often each walk is walked."""
FOLLOWER, PERSON = 42, 43
"""A chat of the configuration, which gets the goals, and a private chat, which sends the commands."""

FEATURES = {
    "/mute": {"bot/chat/features/mute.py"},
    "/subscribe": {"bot/chat/features/subscribe.py", "bot/chat/features/followed.py"},
}
"""The files that stand for `bot/chat/features/` in the design."""
COUNTED_BY_HAND = {"alert": "22", "/mute": "7", "/subscribe": "not counted"}
"""For 0.1, whose design names no files."""

Lines = set[tuple[str, int]]


class Walker:
    """One process, its recordings, and what it is made to do."""

    def __init__(self, folder: Path, feed: SteppedFeed, telegram: FakeBotApi) -> None:
        self.folder, self.feed, self.telegram = folder, feed, telegram
        self.output = folder / "lines.json"
        self.process: asyncio.subprocess.Process

    async def record(self, walk: Callable[[], Awaitable[object]]) -> Lines:
        """Return the lines that ran on a walk."""
        self.output.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        await until(self.output.exists)
        await walk()
        self.output.unlink()
        self.process.send_signal(signal.SIGUSR2)
        await until(self.output.exists)
        lines: dict[str, list[int]] = json.loads(self.output.read_text())
        return {(file, number) for file, numbers in lines.items() for number in numbers}

    def fetch(self, query: str) -> object:
        """Return the first value of a query of the database."""
        with closing(sqlite3.connect(self.folder / "touchline.db")) as database:
            row = database.execute(query).fetchone()
        return row and row[0]

    async def walk_alert(self) -> None:
        """Send a goal and wait until its message is in the chat and stored."""
        told = len(self.telegram.chat(FOLLOWER).messages)
        await self.feed.send_next()
        await until(lambda: len(self.telegram.chat(FOLLOWER).messages) > told)
        stored = "SELECT count(*) FROM entries WHERE message_id IS NOT NULL AND status = 'done'"
        await until(lambda: self.fetch(stored) == told + 1)

    async def confirm_goal(self) -> None:
        """Send the goal's confirmation and wait until the chat shows it."""
        await self.feed.send_next()
        await until(lambda: "awaiting" not in self.telegram.chat(FOLLOWER).last.text)

    async def walk_command(self, text: str) -> None:
        """Say something and wait for the answer; it comes after the change is stored."""
        answers = len(self.telegram.chat(PERSON).messages)
        self.telegram.say(PERSON, PERSON, text)
        await until(lambda: len(self.telegram.chat(PERSON).messages) > answers)

    async def walk_all(self) -> dict[str, Lines]:
        """Walk every walk several times; return the lines that ran each time."""
        alerts, mutes, subscriptions = list[Lines](), list[Lines](), list[Lines]()
        await self.feed.until_connected()
        await self.feed.send_next()
        for _ in range(TIMES):
            alerts.append(await self.record(self.walk_alert))
            await self.confirm_goal()
        for _ in range(TIMES):
            mutes.append(await self.record(lambda: self.walk_command("/mute 1h")))
            await self.walk_command("/unmute")
            subscriptions.append(await self.record(lambda: self.walk_command("/subscribe Arsenal")))
            await self.walk_command("/unsubscribe Arsenal")
        walks = {"alert": alerts, "/mute": mutes, "/subscribe": subscriptions}
        return {name: set.intersection(*times) for name, times in walks.items()}


async def trace_walks(checkout: Path) -> dict[str, Lines]:
    """Return the lines of each walk in one version of the code."""
    match = Match([False] * TIMES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with FakeBotApi(BOT_TOKEN) as telegram, SteppedFeed([match.script], FEED_TOKEN) as feed:
            chats = f"chats: [{{chat: {FOLLOWER}, subscribe: [all]}}]\n{RULES}"
            config = configuration(folder, feed.urls.stream, feed.urls.api, telegram, chats)
            walker = Walker(folder, feed, telegram)
            environment = {**os.environ, "FEED_TOKEN": FEED_TOKEN, "TELEGRAM_BOT_TOKEN": BOT_TOKEN}
            environment["PYTHONPATH"] = f"{checkout}:{ROOT}"
            words = ["-m", "benchmarks.line_tracer", str(checkout), str(walker.output), "run", "--config", str(config)]
            nowhere = asyncio.subprocess.DEVNULL
            walker.process = await asyncio.create_subprocess_exec(
                sys.executable, *words, cwd=folder, env=environment, stdout=nowhere, stderr=nowhere
            )
            try:
                return await walker.walk_all()
            finally:
                walker.process.kill()
                await walker.process.wait()


def read_files_to_read(design: str) -> dict[str, set[str]]:
    """Return the files that a design names for each walk; nothing for that of 0.1. Exit if only one of the lists is found."""
    table = re.search(r"\n\| step \| module \|.*?\n\n", design, re.DOTALL)
    if not table:
        return {}
    command = re.search(r"\nA command of a chat takes another (?:way|path).*?\n\n", design, re.DOTALL)
    if not command:
        # Without this, a sentence that is worded anew would bring back the figures of 0.1.
        sys.exit("docs/design.md: the paragraph about a command of a chat is not found")
    shared = set(re.findall(r"`(bot/\S+?\.py)`", command[0]))
    walks = {name: shared | files for name, files in FEATURES.items()}
    return {"alert": set(re.findall(r"`((?:bot|rules)/\S+?\.py)`", table[0]))} | walks


def measure(walks: dict[str, Lines], to_read: dict[str, set[str]]) -> dict[str, str]:
    """Return each figure of one revision, as it is printed. Exit if a file that the design names is not on its walk."""
    figures = dict[str, str]()
    for walk, lines in walks.items():
        by_file = Counter(file for file, _ in lines)
        if missing := to_read.get(walk, set()) - by_file.keys():
            sys.exit(f"docs/design.md names files that are not on the walk of {walk}: {', '.join(sorted(missing))}")
        covered = itertools.accumulate(count for _, count in by_file.most_common())
        fewest = 1 + sum(1 for _ in itertools.takewhile(lambda count: count < 0.8 * len(lines), covered))  # noqa: B023
        figures |= {f"{walk}: files": f"{len(by_file)}", f"{walk}: lines": f"{len(lines):,}"}
        figures[f"{walk}: files with 80 % of the lines"] = f"{fewest}"
        figures[f"{walk}: files to read"] = f"{len(to_read[walk])}" if walk in to_read else COUNTED_BY_HAND[walk]
    return figures


def measure_revision(revision: str | None) -> dict[str, str]:
    """Return the figures of one revision; None: of the files as they are now."""
    with tempfile.TemporaryDirectory() as name:
        checkout = ROOT
        if revision is not None:
            checkout = Path(name)
            extract_revision(revision, checkout)
        design = (checkout / "docs/design.md").read_text(encoding="utf-8")
        return measure(asyncio.run(trace_walks(checkout)), read_files_to_read(design))


def main() -> None:
    """Print a Markdown table with a column for each revision."""
    revisions: list[str | None] = [*sys.argv[1:]] or [None]
    columns = [measure_revision(revision) for revision in revisions]
    print("| walk |", " | ".join(revision or "now" for revision in revisions), "|")
    print("| --- |", " | ".join("---:" for _ in revisions), "|")
    for figure in columns[0]:
        print(f"| {figure} |", " | ".join(column[figure] for column in columns), "|")


if __name__ == "__main__":
    main()
