"""The process is killed at every point where a kill may lose or double something, while a match plays to twenty chats.

Each seed kills ten times or more in the middle of a fan-out. What a chat shows must be true in the end: nothing lost, nothing
false, and each first copy whose news changed is explained by a later message.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.fake_telegram import Request
from tests.e2e.goals import RULES, CheckedChats, Match, find_repeated
from tests.e2e.stage import BOT_TOKEN, Process, configuration, running, starting
from tests.e2e.story import TAKEN_BACK, stepped
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.stepped_feed import SteppedFeed
from tests.waiting import DEADLINE, until

CHATS = range(101, 121)
FOLLOWERS = ", ".join(f"{{chat: {chat}, subscribe: [all]}}" for chat in CHATS)
SEND, EDIT = "sendMessage", "editMessageText"


class Point(Enum):
    """When the process is killed."""

    UNCOMMITTED = "a packet has come, and nothing of it is committed"
    LEFT = "a request has left, and is not carried out"
    ARRIVED = "a request is carried out, and not answered"
    ANSWERED = "a request is answered, and the answer is not committed"
    ALL_SENT = "every chat was sent the alert, and the next packet has not come"
    CATCHING_UP = "the process has just started, and reads what it has missed"
    TWICE = "as ARRIVED, and once more at the first message after the restart"
    FALLING = "as ARRIVED, and the goal falls before any message gets through after the restart"


class Kill(NamedTuple):
    """A kill at a packet of one goal: when it is pending, confirmed or deleted. `method` is the request's."""

    packet: str
    point: Point
    method: str = ""


KILLS = (
    *(Kill(packet, Point.UNCOMMITTED) for packet in ("Pending", "Confirmed", "Deleted")),
    *(Kill("Pending", point, SEND) for point in (Point.LEFT, Point.ARRIVED, Point.ANSWERED, Point.TWICE, Point.FALLING)),
    *(Kill("Confirmed", point, EDIT) for point in (Point.LEFT, Point.ARRIVED, Point.ANSWERED)),
    *(Kill("Deleted", point, EDIT) for point in (Point.LEFT, Point.ARRIVED, Point.ANSWERED)),
    *(Kill("Deleted", point, SEND) for point in (Point.ARRIVED, Point.ANSWERED)),  # the reply that takes the goal back
    Kill("Confirmed", Point.ALL_SENT),
    Kill("Pending", Point.CATCHING_UP),
)
END = Kill("Completed", Point.ARRIVED, SEND)


def falls(number: int, kill: Kill) -> bool:
    """Return True for every third goal, and for each that is killed as it falls."""
    return number % 3 == 0 or kill.packet == "Deleted" or kill.point is Point.FALLING


class KilledBot:
    """The match, its chats, and the process that is killed and started again."""

    def __init__(self, match: Match, feed: SteppedFeed, telegram: FakeBotApi, folder: Path) -> None:
        self._match, self._feed, self._telegram, self._database = match, feed, telegram, folder / "touchline.db"
        self.config = configuration(folder, feed.urls.stream, feed.urls.api, telegram, f"chats: [{FOLLOWERS}]\n{RULES}")
        self.killed_at: list[float] = []
        self._checked = CheckedChats()

    def find_problems(self) -> Iterator[tuple[int, list[str]]]:
        """Each chat that is not as it should be after the packets that were sent, and why."""
        for chat in CHATS:
            messages = self._telegram.chat(chat).messages
            if wrong := self._checked.find_problems(chat, self._match, messages, self._feed.sent()):
                yield chat, wrong

    async def until_correct(self) -> None:
        await self._telegram.until(lambda: not any(self.find_problems()))

    async def kill(self, kill: Kill, goal: int, nth: int, *, missed: int = 0) -> None:
        """Start, play up to a packet of a goal (0: the last one) and kill there, at the nth request.

        So many packets come before the start.
        """
        packet = self._match.packet(goal, kill.packet) if goal else self._match.end
        before = packet if kill.point is Point.CATCHING_UP else min(self._feed.sent() + missed, packet - 1)
        if before > self._feed.sent():
            await self._feed.send_next(before - self._feed.sent())
        async with starting(self.config) as bot:
            await self._feed.until_connected()
            request = None
            if kill.point is not Point.CATCHING_UP:
                await self.until_correct()
                while self._feed.sent() < packet - (kill.point is not Point.ALL_SENT):
                    await self._feed.send_next()
                    await self.until_correct()
                if kill.point is Point.FALLING:
                    # While no message gets through, what waits longest is tried first, and the chat might never be.
                    await until(self._is_all_sent)
                request = await self._reach(kill, nth, bot)
            await self._end(bot)
        if kill.point is Point.TWICE:
            held = self._telegram.hold_answer(SEND)
            async with starting(self.config) as bot:
                await held.until_reached()
                await self._end(bot)
        if kill.point is Point.FALLING and request:
            await self._fall(request.chat_id)

    async def _reach(self, kill: Kill, nth: int, bot: Process) -> Request | None:
        """Send the packet and wait until the point is reached; where nothing may be committed, the process is dead after it."""
        if kill.point is Point.ALL_SENT:
            return None
        if kill.point is Point.UNCOMMITTED:
            with self._locked():
                await self._feed.send_next()
                await bot.end("SIGKILL")
            return None
        held = (self._telegram.hang if kill.point is Point.LEFT else self._telegram.hold_answer)(kill.method, nth)
        await self._feed.send_next()
        request = await held.until_reached()
        if kill.point is Point.ANSWERED:
            with self._locked():
                held.release()
                await until(lambda: request.status == 200)
                await bot.end("SIGKILL")
        return request

    async def _fall(self, chat_id: int | None) -> None:
        """Let the goal fall while no message gets through, until the process tries to tell this chat."""
        before = len(self._telegram.log)

        def is_taking_back() -> bool:
            tried = (request for request in self._telegram.log[before:] if request.chat_id == chat_id)
            return any(str(request.params.get("text")).startswith(TAKEN_BACK) for request in tried)

        await self._feed.send_next(2)
        self._telegram.fail(SEND, times=None)
        async with running(self.config):
            await until(is_taking_back)
            self._telegram.troubles.clear()
            await self.until_correct()

    async def _end(self, bot: Process) -> None:
        """Kill, and wait until all that had left has arrived: what arrives later belongs to the next process."""
        await bot.end("SIGKILL")
        await until(lambda: not self._telegram.connections)
        await self._feed.until_disconnected()
        self.killed_at.append(asyncio.get_running_loop().time())

    def _is_all_sent(self) -> bool:
        """Return True if no message, edit or reply waits to be sent."""
        with closing(sqlite3.connect(self._database, timeout=DEADLINE)) as database:
            ((waiting,),) = database.execute("SELECT count(*) FROM entries WHERE status = 'waiting'")
        return waiting == 0

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody can commit meanwhile."""
        database = sqlite3.connect(self._database, timeout=DEADLINE, isolation_level=None)
        try:
            database.execute("BEGIN IMMEDIATE")
            yield
        finally:
            database.close()


@pytest.mark.parametrize("seed", [1, 2])
async def test_kills_lose_nothing_leave_nothing_false_and_double_one_message_a_chat_at_most(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    kills = rng.sample(sorted(KILLS, key=str)[seed - 1 :: 2], len(KILLS) // 2)  # each seed has one half, in its own order
    match = Match([falls(number, kill) for number, kill in enumerate(kills, 1)])
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped(match.script) as feed:
        bot_under_test = KilledBot(match, feed, telegram, tmp_path)
        for number, kill in enumerate(kills, 1):
            await bot_under_test.kill(kill, number, rng.randint(1, len(CHATS)), missed=rng.randint(0, 2))
        await bot_under_test.kill(END, 0, rng.randint(1, len(CHATS)))
        async with running(bot_under_test.config):
            with suppress(AssertionError):  # what is wrong then is asserted below
                await bot_under_test.until_correct()
        doubles = [
            (chat, kill) for chat in CHATS for kill in find_repeated(telegram.chat(chat).messages, bot_under_test.killed_at)
        ]

    assert list(bot_under_test.find_problems()) == []
    assert len(doubles) == len(set(doubles)), "one kill doubled two messages of a chat"
