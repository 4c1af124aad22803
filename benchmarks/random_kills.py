"""Processes killed at random while matches are played: what chats miss, what is false, what comes twice, how long news waits.

    python -m benchmarks.random_kills [--seeds 10] [--kills 6]

Two feeds, two senders and a chat process work on one PostgreSQL between the stepped feed and the strict Bot API of the tests. A
packet comes every few tenths of a second, to a match chosen at random. At random moments a process chosen at random is killed
(SIGKILL) and started again one to four seconds later. In the end every chat has to show what happened. A message comes twice only
if a kill lost Telegram's answer to it (docs/delivery.md). Exits with 1 if a chat misses something or shows something false.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.e2e.crew import CHATS, MATCHES, PERSON_CHAT, ROLES, Crew, crew
from tests.e2e.goals import first_line, is_alert
from tests.e2e.stage import BOT_TOKEN, Process
from tests.fakes.bot_api import FakeBotApi
from tests.postgres import MISSING, Server, programs
from tests.postgres import running as postgres_running
from tests.waiting import report_witnesses, until

GOALS = 12
"""Of each match; every second one falls."""

PACKET_EVERY = (0.3, 1.0)
"""Seconds between two packets, of whichever match."""

KILL_EVERY = (4.0, 10.0)
"""Seconds between two kills: the next one may come before the work of the one before was taken over."""

RESTART_AFTER = (1.0, 4.0)
"""Seconds after which a killed process is started again, as systemd does."""


class Row(NamedTuple):
    """What came of one seed."""

    killed: list[str]
    missing: int
    false: int
    doubled: int
    longest_gap: float
    over_rate: int
    problems: list[str]


class Game:
    """One seed: the packets, the kills, and when each packet was sent."""

    def __init__(self, made: Crew, rng: random.Random, kills: int) -> None:
        self.made, self.rng, self.kills = made, rng, kills
        self.killed: list[str] = []
        self.sent_at: dict[tuple[str, str], float] = {}
        """By match and first line of its alert, when the packet was sent that brought it."""
        self._restarts: list[asyncio.Task[object]] = []

    async def play(self) -> None:
        """Send all packets, and kill meanwhile."""
        killing = asyncio.create_task(self._kill())
        packets = asyncio.create_task(self._send_packets())
        await asyncio.gather(killing, packets)
        await asyncio.gather(*self._restarts)

    async def _send_packets(self) -> None:
        feed, loop = self.made.feed, asyncio.get_running_loop()
        while unfinished := [match for match in self.made.matches if feed.left(match.fixture.id)]:
            match = self.rng.choice(unfinished)
            line, _ = match.steps[feed.sent(match.fixture.id)]
            self.sent_at.setdefault((match.fixture.id, line), loop.time())
            # Not waited for: nobody may be connected at this moment.
            feed.send_soon(fixture=match.fixture.id)
            await asyncio.sleep(self.rng.uniform(*PACKET_EVERY))

    async def _kill(self) -> None:
        for number in range(self.kills):
            await asyncio.sleep(self.rng.uniform(*KILL_EVERY))
            living = [process for process in self.made.processes if process.code is None]
            process = self.rng.choice(living)
            self.killed.append(ROLES[self.made.processes.index(process)])
            await process.end("SIGKILL")
            self._restarts.append(asyncio.create_task(self._restart(process)))
            if self.killed[-1] == "chat":
                self.made.telegram.say(PERSON_CHAT, PERSON_CHAT, f"/help {number}")

    async def _restart(self, process: Process) -> None:
        await asyncio.sleep(self.rng.uniform(*RESTART_AFTER))
        await self.made.replace(process)

    def find_longest_gap(self) -> float:
        """Return the longest time from a packet to its first message in a chat that follows the match, in seconds."""
        longest = 0.0
        for chat in CHATS:
            match = self.made.match_of(chat)
            first: dict[str, float] = {}
            for message in filter(is_alert, self.made.shown(chat)):
                first.setdefault(first_line(message), message.at)
            waits = (at - self.sent_at.get((match.fixture.id, line), at) for line, at in first.items())
            longest = max([longest, *waits])
        return longest


def count_doubled(made: Crew) -> int:
    """Return how many messages came more than once."""
    count = 0
    for chat in CHATS:
        lines = [first_line(message) for message in made.shown(chat) if is_alert(message)]
        count += len(lines) - len(set(lines))
    return count


async def play_seed(seed: int, kills: int, server: Server) -> Row:
    """Play one seed."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            FakeBotApi(BOT_TOKEN, strict_limits=True) as telegram,
            crew(Path(folder), server, telegram, [GOALS] * MATCHES) as made,
        ):
            game = Game(made, random.Random(seed), kills)
            await game.play()
            with suppress(AssertionError):  # what is wrong is in the table
                await made.until_correct()
                await until(lambda: not game.killed.count("chat") or made.shown(PERSON_CHAT))
            problems = [f"chat {chat}: {wrong}" for chat, found in made.find_problems() for wrong in found]
            missing = sum("not sent" in problem for problem in problems)
            gap = game.find_longest_gap()
            return Row(
                game.killed, missing, len(problems) - missing, count_doubled(made), gap, made.count_refused_by_rate(), problems
            )


async def run(seeds: int, kills: int) -> bool:
    """Play all seeds and print the table; return True if no chat misses anything or shows anything false."""
    print("| seed | killed | missing | false | doubled | longest gap, s | over the rate |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    rows = []
    with postgres_running() as server:
        for seed in range(1, seeds + 1):
            row = await play_seed(seed, kills, server)
            rows.append(row)
            facts = f"{row.missing} | {row.false} | {row.doubled} | {row.longest_gap:.1f} | {row.over_rate}"
            print(f"| {seed} | {', '.join(row.killed)} | {facts} |", *row.problems, sep="\n", flush=True)
    return not any(row.problems for row in rows)


def main() -> None:
    """Run it, or say in a sentence what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--kills", type=int, default=6)
    given = parser.parse_args()
    if programs() is None:
        sys.exit(MISSING)
    try:
        is_good = asyncio.run(run(given.seeds, given.kills))
    except AssertionError:
        print(report_witnesses(), file=sys.stderr)
        raise
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
