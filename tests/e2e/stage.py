"""The real process between a simulator and a strict Bot API, all on loopback."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes.bot_api import FakeBotApi

ADMIN = 7
FEED_TOKEN = "feed-secret-token"
BOT_TOKEN = "123456789:AAbotSecretTokenOfThisTest0123456789"


class Process:
    """A `touchline` command at work; its logs are kept."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []
        self._reading = [asyncio.create_task(self._read(stream)) for stream in (process.stdout, process.stderr)]

    async def _read(self, stream: asyncio.StreamReader | None) -> None:
        assert stream
        async for line in stream:
            self.lines.append(line.decode())

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def output(self) -> str:
        """All that it printed."""
        return "".join(self.lines)

    async def says(self, words: str, within: float = 30.0) -> str:
        """Wait for a line with these words."""
        async with asyncio.timeout(within):
            while not (found := [line for line in self.lines if words in line]):
                assert self._process.returncode is None, self.output
                await asyncio.sleep(0.02)
        return found[0]

    async def end(self, how: str = "SIGTERM", within: float = 8.0) -> int:
        """Stop it; its exit code."""
        if self._process.returncode is None:
            self._process.send_signal(signal.Signals[how])
        async with asyncio.timeout(within):
            await asyncio.wait(self._reading)
            return await self._process.wait()


async def touchline(*words: str | Path, folder: Path) -> Process:
    """Start a command in a folder of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "FEED_TOKEN": FEED_TOKEN}
    environment["TELEGRAM_BOT_TOKEN"] = BOT_TOKEN
    command = [sys.executable, "-m", "bot", *map(str, words)]
    pipe = asyncio.subprocess.PIPE
    return Process(await asyncio.create_subprocess_exec(*command, cwd=folder, env=environment, stdout=pipe, stderr=pipe))


@asynccontextmanager
async def simulator(recordings: Sequence[Path], folder: Path, *words: str) -> AsyncIterator[tuple[Process, str, str]]:
    """`touchline simulate` and the addresses of its two sides."""
    process = await touchline("simulate", *recordings, "--port", "0", "--token", FEED_TOKEN, *words, folder=folder)
    try:
        api = await process.says("api_url")
        stream = await process.says("stream_url")
        yield process, _address(stream), _address(api)
    finally:
        await process.end("SIGKILL")


def _address(line: str) -> str:
    found = re.search(r"\S+://\S+", line)
    assert found
    return found[0]


def configuration(folder: Path, stream: str, api: str, telegram: FakeBotApi, more: str = "") -> Path:
    """Write a configuration for such a stage."""
    path = folder / "config.yaml"
    path.write_text(f"""
feed: {{token: "${{FEED_TOKEN}}", stream_url: "{stream}", api_url: "{api}"}}
telegram: {{token: "${{TELEGRAM_BOT_TOKEN}}", api_url: "{telegram.url}", admins: [{ADMIN}]}}
storage: {{url: "sqlite:///{folder}/touchline.db"}}
http: {{listen: null}}
{more}""")
    return path


@asynccontextmanager
async def running(config: Path) -> AsyncIterator[Process]:
    """`touchline run`, stopped at the end."""
    process = await touchline("run", "--config", config, folder=config.parent)
    try:
        await process.says('"started"')
        yield process
    finally:
        await process.end()
