"""Hours of matches in minutes of wall time, and whether anything grows: memory, descriptors, tasks, series of metrics, files.

A real `touchline run` stands between a simulator, in which a match begins every so many seconds at sixty times its pace, and a
fake Bot API. Meanwhile people write commands, the rules are written anew and read again, and Telegram fails for some seconds. A
connection stays for ten minutes after the end of its match, so the load is steady after some twelve minutes: what is read from
then on must not grow. At the end the process is killed and started several times.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import io
import itertools
import logging
import random
import re
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from bot.fake_telegram import BAD_GATEWAY, FakeBotApi
from bot.feed.match_source import open_match
from bot.feed.simulator.faults import Faults
from bot.feed.simulator.script import PlaybackClock, Script, ScriptFrame, script_from_match
from bot.feed.simulator.server import Simulator
from bot.logs import configure_logging

BOT_TOKEN, FEED_TOKEN = "123456789:AAbotSecretTokenOfThisSoakTest0123456", "soak"  # of nobody
SPEED = 60.0
WARM_UP = 13 * 60.0
"""Seconds until as many connections end as begin."""
COMMANDS = (
    *("/today", "/live", "/settings", "/alerts goals", "/alerts +card", "/subscribe Argentina", "/unsubscribe", "/quiet 23-7"),
    *("/timeline Argentina", "/mute Argentina", "/unmute", "/why", "/language de", "/language en", "/delay 5s", "hello"),
)
CONFIG = """
feed: {{stream_url: {stream}, api_url: {api}, token: {feed_token}}}
telegram: {{token: "{bot_token}", api_url: {telegram}, admins: [1]}}
storage: {{url: "sqlite:///{folder}/touchline.db", last_matches_folder: "{folder}/last-matches"}}
http: {{listen: "127.0.0.1:{port}"}}
extends: {pack}
chats:
{chats}
"""


class StaggeredSimulator(Simulator):
    """A simulator in which each match begins so many seconds after the one before."""

    def __init__(self, scripts: list[Script], every: float) -> None:
        super().__init__(scripts, SPEED, FEED_TOKEN, faults=Faults(drop=0.002, duplicate=0.01, garbage=0.002))
        self._every = every

    def _start_matches(self) -> None:
        super()._start_matches()
        for number, script in enumerate(self._scripts):
            after = number * self._every
            timeline = PlaybackClock(script, self._clock.now(), SPEED, self._choose_lead(script))
            timeline.restart(self._clock.now() + dt.timedelta(seconds=after), after)
            self._timelines[script.fixture.id] = timeline


def copy_match(script: Script, number: int) -> Script:
    """Return the same match under another id."""
    old, new = script.fixture.id, f"{script.fixture.id}-{number}"

    def rename(entry: ScriptFrame) -> ScriptFrame:
        return ScriptFrame(entry.at, msgspec.json.decode(msgspec.json.encode(entry.frame).replace(old.encode(), new.encode())))

    return Script(msgspec.structs.replace(script.fixture, id=new), tuple(map(rename, script.frames)), script.lineups)


class Reading(msgspec.Struct, frozen=True):
    """What a process holds."""

    at: float
    memory: float
    """Megabytes."""
    descriptors: float
    tasks: float
    series: int
    files: int
    connections: float


class Bot:
    """The process, which can be killed and started again."""

    def __init__(self, config: Path, port: int) -> None:
        self._config, self._port = config, port
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; return when its metrics can be read."""
        command = [sys.executable, "-m", "bot", "run", "--config", str(self._config)]
        null = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(*command, stdout=null, stderr=null)
        while not await self._get_metrics():
            if self._process.returncode is not None:
                raise SystemExit("touchline run has ended")
            await asyncio.sleep(0.2)

    async def kill(self) -> None:
        """Kill it."""
        assert self._process  # noqa: S101  # it was started
        self._process.kill()
        await self._process.wait()

    async def _get_metrics(self) -> str:
        try:
            async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{self._port}/metrics") as response:
                return await response.text()
        except aiohttp.ClientError:
            return ""

    async def read(self, at: float) -> Reading:
        """Read what it holds now."""
        assert self._process  # noqa: S101  # it was started
        text = await self._get_metrics()
        if self._process.returncode is not None:
            raise SystemExit("touchline run has ended by itself")

        def value(name: str) -> float:
            return sum(float(found) for found in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))

        return Reading(
            at,
            value("process_resident_memory_bytes") / 2**20,
            value("process_open_fds"),
            value("touchline_tasks"),
            sum(not line.startswith("#") for line in text.splitlines()),
            len(list(self._config.parent.iterdir())),
            value("touchline_connections"),
        )


async def write_commands(telegram: FakeBotApi, chats: int, rng: random.Random) -> None:
    """Let somebody write a command, or press a button of the last message, every two seconds."""
    while True:
        await asyncio.sleep(2)
        chat = rng.randrange(100, 100 + chats)
        messages = telegram.chat(chat).messages
        buttons = [button for row in messages[-1].buttons for button in row if button.data] if messages else []
        if buttons and rng.random() < 0.4:
            telegram.press(chat, chat, messages[-1], rng.choice(buttons).data)
        else:
            telegram.say(chat, chat, rng.choice(COMMANDS))


async def make_trouble(telegram: FakeBotApi) -> None:
    """Let Telegram fail for ten seconds in every four minutes."""
    while True:
        await asyncio.sleep(230)
        trouble = telegram.refuse_all_chats(BAD_GATEWAY)
        await asyncio.sleep(10)
        telegram.end_trouble(trouble)


async def forget_old_requests(telegram: FakeBotApi) -> None:
    """Keep this process small: the fake remembers every request and message."""
    while True:
        await asyncio.sleep(20)
        del telegram.log[:-1000]


async def reload_rules(config: Path, text: str) -> None:
    """Write the configuration anew every minute, with one pack and the other in turn."""
    for pack in itertools.cycle(("everything", "default")):
        await asyncio.sleep(60)
        await asyncio.to_thread(config.write_text, text.replace("extends: default", f"extends: {pack}"))


@asynccontextmanager
async def run_beside(*coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these while the block runs."""
    tasks = [asyncio.create_task(one) for one in coroutines]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def show(readings: list[Reading]) -> None:
    """Print the first and the last quarter of what was read while the load was steady."""
    steady = [reading for reading in readings if reading.at >= WARM_UP] or readings
    quarter = max(1, len(steady) // 4)
    print(f"\n{'':14}{'first quarter':>15}{'last quarter':>15}{'change':>9}")
    for name in ("memory", "descriptors", "tasks", "series", "files", "connections"):
        first, last = (statistics.median(getattr(r, name) for r in part) for part in (steady[:quarter], steady[-quarter:]))
        print(f"{name:14}{first:15.1f}{last:15.1f}{(last / first - 1) * 100 if first else 0:8.1f}%")


async def main() -> None:
    """Everything that the benchmark shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=33.0)
    parser.add_argument("--every", type=float, default=20.0, help="seconds from one kick-off to the next")
    parser.add_argument("--chats", type=int, default=50)
    given = parser.parse_args()
    logging.disable()
    configure_logging(stream=io.StringIO())
    original = script_from_match(open_match("opener"))
    count = int(given.minutes * 60 / given.every)
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        taken.close()
        config = Path(folder) / "config.yaml"
        chats = "\n".join(f"  - {{chat: {number}, subscribe: all}}" for number in range(100, 100 + given.chats))
        simulator = StaggeredSimulator([copy_match(original, number) for number in range(count)], given.every)
        async with FakeBotApi(BOT_TOKEN) as telegram, simulator.serve() as urls:
            text = CONFIG.format(
                stream=urls.stream, api=urls.api, feed_token=FEED_TOKEN, bot_token=BOT_TOKEN, telegram=telegram.url,
                folder=folder, port=port, pack="default", chats=chats,
            )  # fmt: skip
            config.write_text(text)
            bot = Bot(config, port)
            await bot.start()
            began, readings = time.monotonic(), []
            async with run_beside(
                write_commands(telegram, given.chats, random.Random(1)),  # the same commands each time
                make_trouble(telegram),
                reload_rules(config, text),
                forget_old_requests(telegram),
            ):
                while (elapsed := time.monotonic() - began) < given.minutes * 60:
                    readings.append(await bot.read(elapsed))
                    await asyncio.sleep(5)
                print(f"{count} matches of {SPEED:.0f} times their pace in {given.minutes:.0f} minutes, {given.chats} chats")
                show(readings)
                after = []
                for _ in range(5):
                    await bot.kill()
                    await bot.start()
                    await asyncio.sleep(10)
                    after.append(await bot.read(0.0))
                print("\nmemory after each of five kills, MB: " + ", ".join(f"{reading.memory:.0f}" for reading in after))
                await bot.kill()


if __name__ == "__main__":
    asyncio.run(main())
