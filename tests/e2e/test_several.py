"""Five processes on one PostgreSQL database, two feeds, two senders and a chat: killed, and robbed of the database."""

from __future__ import annotations

import asyncio
import os
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stage import BOT_TOKEN, Process, configuration, simulator, touchline
from tests.e2e.test_run import standing, untrue
from tests.fakes.bot_api import FakeBotApi, Message
from tests.postgres import MISSING, Server, programs
from tests.postgres import running as postgres_running
from tests.recordings import PATHS, needs_recordings, truth
from tests.truth import RULES

MATCHES = [path for path in PATHS if "2018-05-13" in path.name][:10]
ROLES = ("feed", "feed", "send", "send", "chat")
PER_SECOND = 30
SPEED = 300
KILL_EVERY = 3.0
AWAY = float(os.environ.get("TOUCHLINE_DATABASE_AWAY", "5"))
"""Seconds that the database is away; a longer absence is tried by hand."""
RESTORED = "\n✅ stands after all"
pytestmark = [needs_recordings, pytest.mark.skipif(programs() is None, reason=MISSING)]


class Crew:
    """The five processes; each that ends is started again."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.processes: list[Process] = []
        self.kills: Counter[str] = Counter()

    async def start(self) -> None:
        self.processes = [await self._start(role) for role in ROLES]
        for process in self.processes:
            await process.says('"started"', within=40)

    async def _start(self, role: str) -> Process:
        return await touchline("run", "--config", self.config, "--role", role, folder=self.config.parent)

    async def kill(self, number: int) -> None:
        """As sudden as a loss of power; another takes its place."""
        self.kills[ROLES[number]] += 1
        await self.processes[number].end("SIGKILL")
        self.processes[number] = await self._start(ROLES[number])

    async def kill_now_and_then(self, every: float, seconds: float, chance: random.Random) -> None:
        """For so many seconds."""
        ends = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(chance.uniform(0.6, 1.4) * every)
            await self.kill(chance.randrange(len(ROLES)))

    async def end(self) -> None:
        """Stop all in order, and what does not stop in another way."""
        await asyncio.gather(*(process.end() for process in self.processes), return_exceptions=True)
        await asyncio.gather(*(process.end("SIGKILL") for process in self.processes))


def rules_for(chats: int) -> str:
    """Every chat follows one of the matches, in turn."""
    titles = [f"{true['home']} v {true['away']}" for true in map(truth, MATCHES)]
    followed = [f'{{chat: {chat}, subscribe: [{{match: "{titles[chat % len(titles)]}"}}]}}' for chat in range(1, chats + 1)]
    return f"chats: [{', '.join(followed)}]\n{RULES}"


@asynccontextmanager
async def crew(folder: Path, server: Server, telegram: FakeBotApi, chats: int) -> AsyncIterator[Crew]:
    """Five processes, and ten matches that kick off together once they are at work."""
    with server.database() as url:
        async with simulator(MATCHES, folder, "--speed", str(SPEED), "--lead", f"{SPEED * 10}s") as (_, stream, api):
            config = configuration(folder, stream, api, telegram, rules_for(chats))
            config.write_text(config.read_text().replace(f"sqlite:///{folder}/touchline.db", url))
            made = Crew(config)
            try:
                await made.start()
                yield made
            finally:
                await made.end()


def lies(telegram: FakeBotApi, chats: int) -> dict[int, Sequence[str]]:
    """By chat, everything that it shows and is not so, or does not show and is."""
    found: dict[int, Sequence[str]] = {}
    for chat in range(1, chats + 1):
        shown = once(telegram.chat(chat).messages)
        wrong = untrue(sorted(shown, key=lambda text: "'" not in text), truths()[chat % len(MATCHES)]) if shown else ["nothing"]
        found |= {chat: wrong} if wrong else {}
    return found


def truths(known: list[Any] = []) -> list[Any]:  # noqa: B006  # read once
    known += [] if known else map(truth, MATCHES)
    return known


def once(messages: list[Message]) -> list[str]:
    """What a chat shows in the end, but for the mark of what was restored.

    Of what came twice, because its sender was killed before it had the answer, the second counts: no id of the first is known.
    """
    return list({_happening(text): text.removesuffix(RESTORED) for text in standing(messages)}.values())


def _happening(text: str) -> str:
    """The line of minute and player, by which two copies are told to be the same."""
    return next((line for line in text.splitlines()[1:2] if "'" in line), text)


def doubled(telegram: FakeBotApi, chats: int) -> list[tuple[int, str]]:
    """Each message that came to a chat again."""
    told = {chat: Counter(m.text for m in telegram.chat(chat).messages if m.reply_to is None) for chat in range(1, chats + 1)}
    return [(chat, text) for chat, texts in told.items() for text, times in texts.items() for _ in range(times - 1)]


def fullest_second(telegram: FakeBotApi) -> int:
    """How many messages and edits came within the fullest second."""
    at = [request.at for method in ("sendMessage", "editMessageText") for request in telegram.calls(method)]
    at.sort()
    return max(bisect_left(at, one + 1.0) - number for number, one in enumerate(at))


@pytest.fixture(scope="module")
def server() -> Any:
    """A server that may be stopped."""
    with postgres_running() as made:
        yield made


async def played(made: Crew, telegram: FakeBotApi, chats: int, seed: int) -> None:
    """Kill now and then while the matches last, and wait until every chat shows the truth."""
    await made.kill_now_and_then(KILL_EVERY, 6900 / SPEED, random.Random(seed))
    with suppress(AssertionError):
        await telegram.until(lambda: not lies(telegram, chats), within=60)


async def test_whoever_is_killed_every_chat_ends_in_the_truth(tmp_path: Path, server: Server) -> None:
    chats = 50
    async with FakeBotApi(BOT_TOKEN, strict_limits=True) as telegram, crew(tmp_path, server, telegram, chats) as made:
        await played(made, telegram, chats, seed=5)
        wrong, twice = lies(telegram, chats), doubled(telegram, chats)

    assert wrong == {}
    assert made.kills["send"] and made.kills["feed"]
    assert len(twice) <= made.kills["send"], twice
    assert fullest_second(telegram) <= PER_SECOND


async def test_a_database_that_is_stopped_in_the_middle_loses_nothing(tmp_path: Path, server: Server) -> None:
    chats = 20
    async with FakeBotApi(BOT_TOKEN, strict_limits=True) as telegram, crew(tmp_path, server, telegram, chats) as made:
        playing = asyncio.create_task(played(made, telegram, chats, seed=2))
        await asyncio.sleep(6.0)
        server.stop()
        await asyncio.sleep(AWAY)
        await asyncio.to_thread(server.start)
        await playing
        wrong, twice = lies(telegram, chats), doubled(telegram, chats)

    assert wrong == {}
    assert len(twice) <= made.kills["send"], twice
    assert fullest_second(telegram) <= PER_SECOND
