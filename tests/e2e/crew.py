"""Five processes on one PostgreSQL database, two feeds, two senders and a chat, that are killed at chosen points and replaced."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import asyncpg

from bot.cluster.balance import name_fixture_lease
from bot.fake_telegram import Message
from bot.telegram.limits.paid_messages import FREE_MESSAGES_PER_SECOND
from rules.football.action import Fixture, Team
from tests.e2e.goals import RULES, CheckedChats, Match, find_repeated
from tests.e2e.stage import FEED_TOKEN, Process, configuration, touchline
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.stepped_feed import SteppedFeed
from tests.packets import FIXTURE, KICKOFF
from tests.postgres import Server
from tests.waiting import until

SEND = "sendMessage"
ROLES = ("feed", "feed", "send", "send", "chat")
MATCHES = 4
CHATS = range(101, 121)
CHATS_PER_MATCH = len(CHATS) // MATCHES
"""So many of them follow each match."""
PERSON_CHAT = 9
"""A chat that follows nothing and asks for help."""
_OURS = "crew"
_TRANSACTIONS = f"FROM pg_stat_activity WHERE datname = current_database() AND application_name <> '{_OURS}'"
"""Connections of the processes, which have an `xact_start` while they are in a transaction."""


class Point(Enum):
    """When a process is killed, always while a goal is pending, or about to be."""

    LEFT = "a sender: a message has left, and is not carried out"
    ARRIVED = "a sender: a message is carried out, and not answered"
    ANSWERED = "a sender: a message is answered, and the answer is not committed"
    REACHING = "a sender: it reaches the chats of an alert, and has not committed which"
    EVERYWHERE = "a sender: goals of all matches have come at once, and a message is carried out and not answered"
    UNCOMMITTED = "a feed: a packet has come, and its alert is not committed"
    POSITION_NOT_SAVED = "a feed: the alert is sent, and how far the feed was read is not committed"
    ALL_SENT = "a feed: every chat was sent the alert, and the next packet has not come"
    CHAT = "the chat process: a member has asked something"


SENDERS = (Point.LEFT, Point.ARRIVED, Point.ANSWERED, Point.REACHING, Point.EVERYWHERE)
OTHERS = (Point.UNCOMMITTED, Point.POSITION_NOT_SAVED, Point.ALL_SENT, Point.CHAT)
"""In turn with those of senders: another takes over a sender's chats when it has had a good connection for eleven seconds."""


def fixture(number: int) -> Fixture:
    home, away = Team(f"h{number}", f"Home {number}"), Team(f"a{number}", f"Away {number}")
    return Fixture(f"f{number}", home, away, FIXTURE.competition, KICKOFF, name=f"{home.name} v {away.name}")


Launch = Callable[[str, Path, Process | None], Awaitable[Process]]
"""Starts a process for a role with a configuration, at the start or in place of a process that was killed."""


async def launch_touchline(role: str, config: Path, _replaced: Process | None = None) -> Process:
    """Start a process of this version."""
    return await touchline("run", "--config", config, "--role", role, folder=config.parent)


class Crew:
    """The five processes, the matches and the chats that follow them. Each process that is killed is started again."""

    def __init__(
        self,
        matches: list[Match],
        feed: SteppedFeed,
        telegram: FakeBotApi,
        folder: Path,
        database: str,
        launch: Launch,
        more_chats: Sequence[str] = (),
    ) -> None:
        """`more_chats` are further entries of `chats:` in the configuration."""
        self.matches, self.feed, self.telegram, self._database = matches, feed, telegram, database
        self._launch = launch
        self._connection: Any = None
        self._checked = CheckedChats()
        followers = [f'{{chat: {chat}, subscribe: [{{match: "{self.match_of(chat).fixture.name}"}}]}}' for chat in CHATS]
        rules = f"chats: [{', '.join([*followers, *more_chats])}]\n{RULES}"
        self._config = configuration(folder, feed.urls.stream, feed.urls.api, telegram, rules)
        self._config.write_text(self._config.read_text().replace(f"sqlite:///{folder}/touchline.db", database))
        self.processes: list[Process] = []
        self.killed_at: list[float] = []
        """For each kill of a sender, when everything was in order again."""
        self.explained_since = float("-inf")
        """On the loop's clock: of what a chat got twice before, no note has to tell it."""

    def match_of(self, chat: int) -> Match:
        return self.matches[chat % MATCHES]

    @property
    def followed(self) -> list[Match]:
        """The matches that `CHATS` follow; there may be more."""
        return self.matches[:MATCHES]

    # The processes.

    async def start(self) -> None:
        self.processes = [await self._launch(role, self._config, None) for role in ROLES]
        for process in self.processes:
            await process.says('"started"')
        for match in self.followed:
            await self.feed.until_connected(fixture=match.fixture.id)
        await self.ask("SELECT 1")

    def working_as(self, role: str) -> list[Process]:
        return [process for process, own in zip(self.processes, ROLES, strict=True) if own == role]

    @asynccontextmanager
    async def alone(self, process: Process) -> AsyncIterator[None]:
        """Stop all others of its role until this one is killed, so that it is known who works."""
        others = [other for other in self.working_as(self._role(process)) if other is not process]
        await until(lambda: self._stop_outside_transactions(others))
        try:
            yield
        finally:
            self._continue(others)

    async def _stop_outside_transactions(self, processes: Sequence[Process]) -> bool:
        """Stop processes; let them go on and return False if one was in a transaction, whose locks would stop everybody."""
        for process in processes:
            os.kill(process.pid, signal.SIGSTOP)
        open_before: Any = []
        for _ in range(4):  # several times, because a BEGIN that a process has sent may not have been read yet
            idle = f"SELECT count(*) {_TRANSACTIONS} AND state = 'idle in transaction' AND xact_start = ANY($1)"
            if await self.ask(idle, open_before):
                self._continue(processes)
                return False
            open_before = await self.ask(f"SELECT array_agg(xact_start) {_TRANSACTIONS}") or []
            await asyncio.sleep(0.05)  # time for those that are not stopped to commit
        return True

    def _continue(self, processes: Sequence[Process]) -> None:
        for process in processes:
            if not process.is_over:
                os.kill(process.pid, signal.SIGCONT)

    def _role(self, process: Process) -> str:
        return ROLES[self.processes.index(process)]

    async def kill(self, process: Process, *, lease_ends: bool = True) -> None:
        """As sudden as a loss of power; another takes its place.

        `lease_ends`: the ten seconds until its leases end are over at once.
        """
        await process.end("SIGKILL")
        self._continue(self.processes)
        leases_of_it = f"%:{process.pid}:%"
        if lease_ends:
            # Not before its replacement is there, however long that takes to start.
            await self.ask("UPDATE leases SET until = until + 600 WHERE holder LIKE $1", leases_of_it)
        await self.replace(process)
        if lease_ends:
            await self.ask("UPDATE leases SET until = 0 WHERE holder LIKE $1", leases_of_it)

    async def replace(self, process: Process) -> Process:
        """Start a process in place of one that has ended."""
        number = self.processes.index(process)
        self.processes[number] = await self._launch(ROLES[number], self._config, process)
        return self.processes[number]

    async def end(self) -> None:
        """Stop all in order, and what does not stop in another way."""
        await asyncio.gather(*(process.end() for process in self.processes), return_exceptions=True)
        await asyncio.gather(*(process.end("SIGKILL") for process in self.processes))
        if self._connection:
            self._connection.terminate()

    # The database.

    async def ask(self, query: str, *values: object) -> Any:
        """The first value of the first row."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._database, server_settings={"application_name": _OURS})
        return await self._connection.fetchval(query, *values)

    @asynccontextmanager
    async def locked(self, table: str) -> AsyncIterator[None]:
        """Nobody can write to a table meanwhile."""
        connection = await asyncpg.connect(self._database, server_settings={"application_name": _OURS})
        try:
            await connection.execute("BEGIN")
            await connection.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
            yield
        finally:
            await connection.close()

    async def until_blocked(self, table: str) -> None:
        """Wait until a process wants to write to a table that is locked."""
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = CAST($1 AS text)::regclass"
        await until(lambda: self.ask(query, table))

    async def sender_of(self, chat: int) -> Process:
        """The process that sends to a chat."""
        return self._named(await self.ask("SELECT sender FROM claims WHERE chat_id = $1", chat))

    async def feed_of(self, match: Match) -> Process:
        """The process that follows a match."""
        return self._named(await self.ask("SELECT holder FROM leases WHERE name = $1", name_fixture_lease(match.fixture.id)))

    async def follows_half(self, feed: Process) -> bool:
        """Return True if one of two feeds follows half of the matches."""
        followed = "SELECT count(*) FROM leases WHERE name LIKE 'fixture:%' AND holder LIKE $1"
        return bool(2 * await self.ask(followed, f"%:{feed.pid}:%") == len(self.matches))

    def _named(self, holder: str) -> Process:
        """A process by the name that it has in the database: host, process and something random."""
        return next(process for process in self.processes if process.pid == int(holder.split(":")[-2]))

    def count_refused_by_rate(self) -> int:
        """Return how many messages were refused because those of all senders together were too many in one second.

        A message counts in the second in which it arrives, as it does for Telegram: no sender lets one leave before it is sure
        that the second in which it arrives has room for it, whatever the machine does. A chat's own limits are counted by when
        messages leave, so that a busy machine may exceed them.
        """
        limited = [call for call in self.telegram.log if call.method.startswith(("send", "edit")) and call.chat_id]
        taken = [call.at for call in limited if call.status in (0, 200)]
        refused = (call.at for call in limited if call.status == 429)
        return sum(bisect_left(taken, at) - bisect_left(taken, at - 1.0) >= FREE_MESSAGES_PER_SECOND for at in refused)

    # The chats.

    def shown(self, chat: int) -> list[Message]:
        return self.telegram.chat(chat).messages

    def find_problems(self) -> Iterator[tuple[int, list[str]]]:
        """Each chat that is not as it should be after the packets that were sent, and why."""
        for chat in CHATS:
            match = self.match_of(chat)
            sent = self.feed.sent(match.fixture.id)
            if wrong := self._checked.find_problems(chat, match, self.shown(chat), sent, self.explained_since):
                yield chat, wrong

    async def until_correct(self) -> None:
        await until(lambda: not any(self.find_problems()))

    async def send(self, *matches: Match) -> None:
        """Send the next packet of each match."""
        for match in matches:
            await self.feed.send_next(fixture=match.fixture.id)

    async def finish_goals(self) -> None:
        """Send what becomes of the goals that are pending, or about to fall."""
        while unfinished := [match for match in self.matches if self._next(match) in ("Confirmed", "Deleted")]:
            await self.send(*unfinished)
            await self.until_correct()

    def _next(self, match: Match) -> str:
        """How the next packet of a match says that a goal stands."""
        return match.steps[self.feed.sent(match.fixture.id)][1]

    def list_repeated(self) -> list[tuple[int, int]]:
        """The chat and the kill of every message that came again."""
        return [(chat, kill) for chat in CHATS for kill in find_repeated(self.shown(chat), self.killed_at)]


@asynccontextmanager
async def crew(
    folder: Path,
    server: Server,
    telegram: FakeBotApi,
    goals: Sequence[int],
    launch: Launch = launch_touchline,
    more_chats: Sequence[str] = (),
) -> AsyncIterator[Crew]:
    """Five processes at work, and matches that have begun, with so many goals each: every second one falls."""
    matches = [Match([goal % 2 == 1 for goal in range(count)], fixture(number)) for number, count in enumerate(goals)]
    with server.database() as url:
        async with SteppedFeed([match.script for match in matches], FEED_TOKEN) as feed:
            made = Crew(matches, feed, telegram, folder, url, launch, more_chats)
            try:
                await made.start()
                await made.send(*made.matches)
                yield made
            finally:
                await made.end()


async def reach(made: Crew, point: Point, match: Match, nth: int, rng: random.Random, sender: Process | None = None) -> None:
    """Send the packet of the next goal, and kill at a point of it.

    `sender` is the one to kill while an alert reaches its chats. At the other points it is whoever sends to the chat.
    """
    chats = [chat for chat in CHATS if made.match_of(chat) is match]
    if point in (Point.LEFT, Point.ARRIVED, Point.EVERYWHERE):
        held = (made.telegram.hang if point is Point.LEFT else made.telegram.hold_answer)(SEND, nth)
        await made.send(*(made.followed if point is Point.EVERYWHERE else [match]))
        request = await held.until_reached()
        await made.kill(await made.sender_of(request.chat_id or 0))
    elif point is Point.ANSWERED:
        held = made.telegram.hold_answer(SEND, chat_id=rng.choice(chats))
        await made.send(match)
        request = await held.until_reached()
        await until(lambda: made.ask("SELECT count(*) = 1 FROM entries WHERE status = 'waiting'"))
        async with made.locked("entries"):
            held.release()
            await made.until_blocked("entries")
            await made.kill(await made.sender_of(request.chat_id or 0))
    elif point is Point.REACHING:
        killed = sender or rng.choice(made.working_as("send"))
        async with made.locked("entries"), made.alone(killed):
            await made.send(match)
            await made.until_blocked("entries")
            await made.kill(killed)
    elif point is Point.CHAT:
        await made.kill(made.working_as("chat")[0])
        made.telegram.say(PERSON_CHAT, PERSON_CHAT, "/help")
        await made.send(match)
        await until(lambda: made.shown(PERSON_CHAT))
    elif point is Point.ALL_SENT:
        await made.kill(await made.feed_of(match))
        await made.send(match)
    else:
        table = "alerts" if point is Point.UNCOMMITTED else "positions"
        async with made.locked(table):
            await made.send(match)
            await made.until_blocked(table)
            await made.kill(await made.feed_of(match))
