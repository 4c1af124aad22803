"""How soon another process goes on with what a process did, and whether one that is only slow is left alone.

    python -m benchmarks.takeover [--rounds 10]

Two feeds, two senders and a chat process work on one PostgreSQL between the stepped feed and the strict Bot API of the tests. In
each round a feed is killed (SIGKILL), then a sender in front of a goal; each is started again once its work has been taken over.
Then feeds are stopped (SIGSTOP) for a while, and at last one is stopped in order and started again. Exits with 1 if a match was
without a socket for more than five seconds after a kill, or if a chat does not show the truth in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.crew import CHATS, MATCHES, Crew, crew, fixture
from tests.e2e.goals import Match
from tests.e2e.stage import BOT_TOKEN, Process
from tests.fakes.bot_api import FakeBotApi
from tests.postgres import MISSING, programs
from tests.postgres import running as postgres_running
from tests.waiting import report_witnesses, until

POLL = 0.005
"""Seconds between two looks: how exact the times are."""

LONGEST = 5.0
"""Seconds within which a killed feed's matches have to have a socket again."""

SHORT_STOP, LONG_STOP = 6.0, 15.0
"""Seconds for which a process is stopped: less than a lease lasts, and more."""

FOLLOWED = 8
"""Matches that are followed."""

MORE_CHATS = [
    f'{{chat: {500 + number}, subscribe: [{{match: "{fixture(number).name}"}}]}}' for number in range(MATCHES, FOLLOWED)
]
"""A chat for each of these matches that no chat of the crew follows."""


class Gaps:
    """Watches the sockets of matches, and knows for how long each has been without one."""

    def __init__(self, made: Crew, matches: Sequence[Match]) -> None:
        self._made, self._matches = made, matches
        self.longest: dict[str, float] = {}
        self._since: dict[str, float] = {}
        self._task = asyncio.create_task(self._watch())

    @property
    def are_closed(self) -> bool:
        """Return True if every match has been without a socket, and has one again."""
        return len(self.longest) == len(self._matches) and not self._since

    async def stop(self) -> float:
        """Stop watching; return the longest gap in seconds."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return max(self.longest.values(), default=0.0)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            for fixture_id in (match.fixture.id for match in self._matches):
                if not self._made.feed.clients(fixture_id):
                    self._since.setdefault(fixture_id, now)
                elif (since := self._since.pop(fixture_id, None)) is not None:
                    self.longest[fixture_id] = max(now - since, self.longest.get(fixture_id, 0.0))
            await asyncio.sleep(POLL)


async def find_matches_of(made: Crew, process: Process) -> list[Match]:
    """Return the matches that a process follows."""
    query = "SELECT count(*) FROM leases WHERE name = $1 AND holder LIKE $2 AND until > extract(epoch FROM clock_timestamp())"
    return [m for m in made.matches if await made.ask(query, f"fixture:{m.fixture.id}", f"%:{process.pid}:%")]


async def wait_until_even(made: Crew) -> float:
    """Wait until both feeds follow as many matches, and nothing is being handed over; return the seconds."""
    began = asyncio.get_running_loop().time()

    async def is_even() -> bool:
        counts = [len(await find_matches_of(made, process)) for process in made.working_as("feed")]
        return min(counts) == max(counts) and all(made.feed.clients(match.fixture.id) == 1 for match in made.matches)

    await until(is_even)
    return asyncio.get_running_loop().time() - began


async def kill_feed(made: Crew) -> float:
    """Kill a feed; return after how many seconds the last of its matches has a socket again."""
    killed = made.working_as("feed")[0]
    gaps = Gaps(made, await find_matches_of(made, killed))
    await killed.end("SIGKILL")
    await until(lambda: gaps.are_closed)
    return await gaps.stop()


async def kill_sender(made: Crew) -> float:
    """Kill a sender and send a goal of every match; return after how many seconds the last chat shows it."""
    killed = made.working_as("send")[0]
    await killed.end("SIGKILL")
    began = asyncio.get_running_loop().time()
    await made.send(*made.matches)
    await made.until_correct()
    return asyncio.get_running_loop().time() - began


async def stop_feed(made: Crew, seconds: float) -> tuple[int, float]:
    """Stop a feed for a while. Return how many of its matches another one took, and when it had noticed after it went on."""
    stopped = made.working_as("feed")[1]
    matches = await find_matches_of(made, stopped)
    os.kill(stopped.pid, signal.SIGSTOP)
    await asyncio.sleep(seconds)
    taken = len(matches) - len(await find_matches_of(made, stopped))
    lost_before = stopped.output.count("lease_lost")
    os.kill(stopped.pid, signal.SIGCONT)
    began = asyncio.get_running_loop().time()
    await until(lambda: stopped.output.count("lease_lost") - lost_before >= taken)
    return taken, asyncio.get_running_loop().time() - began


async def restart_feed(made: Crew) -> tuple[float, float, float]:
    """Stop a feed in order and start it again.

    Return the longest gap at its stop, the seconds until it had its share again, and the longest gap while it was handed that.
    """
    stopped = made.working_as("feed")[1]
    gaps = Gaps(made, await find_matches_of(made, stopped))
    await stopped.end()
    await until(lambda: gaps.are_closed)
    at_stop = await gaps.stop()
    await made.replace(stopped)
    gaps = Gaps(made, made.matches)
    seconds = await wait_until_even(made)
    return at_stop, seconds, await gaps.stop()


async def measure(made: Crew, rounds: int) -> bool:
    """Print the table; return True if everything was as it has to be."""
    print("| what happens | median, s | longest, s |\n| --- | ---: | ---: |", flush=True)
    await wait_until_even(made)
    feeds, senders = [], []
    for _ in range(rounds):
        killed = made.working_as("feed")[0]
        feeds.append(await kill_feed(made))
        await made.replace(killed)
        await wait_until_even(made)
    print(
        f"| a feed is killed: its matches have a socket again | {statistics.median(feeds):.1f} | {max(feeds):.1f} |", flush=True
    )
    for _ in range(rounds):
        killed = made.working_as("send")[0]
        senders.append(await kill_sender(made))
        await made.replace(killed)
        await made.until_correct()
        await asyncio.sleep(12)  # another sender takes chats over once it has had good contact with the database for so long
    print(
        f"| a sender is killed: {len(CHATS)} chats have the next goal | {statistics.median(senders):.1f} | {max(senders):.1f} |"
    )
    for seconds in (SHORT_STOP, LONG_STOP):
        taken, noticed = await stop_feed(made, seconds)
        await wait_until_even(made)
        print(
            f"| a feed is stopped for {seconds:g} s: {taken} of its matches are taken over; it notices after | {noticed:.1f} | |"
        )
    at_stop, until_even, gap = await restart_feed(made)
    print(f"| a feed ends in order: its matches have a socket again | | {at_stop:.1f} |")
    print(f"| it is started again: until it has half of the matches | | {until_even:.1f} |")
    print(f"| meanwhile a match is without a socket for | | {gap:.1f} |", flush=True)
    await made.feed.send_rest()
    await made.until_correct()
    return max(feeds) <= LONGEST


async def run(rounds: int) -> bool:
    """Start everything and measure."""
    with postgres_running() as server, tempfile.TemporaryDirectory() as folder:
        async with (
            FakeBotApi(BOT_TOKEN) as telegram,
            crew(Path(folder), server, telegram, [rounds] * FOLLOWED, more_chats=MORE_CHATS) as made,
        ):
            return await measure(made, rounds)


def main() -> None:
    """Run it, or say in a sentence what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    if programs() is None:
        sys.exit(MISSING)
    try:
        is_good = asyncio.run(run(rounds))
    except AssertionError:
        print(report_witnesses(), file=sys.stderr)
        raise
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
