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
from tests.waiting import DEADLINE, add_witness, until

ADMIN = 7
FEED_TOKEN = "feed-secret-token"
BOT_TOKEN = "123456789:AAbotSecretTokenOfThisTest0123456789"


class Process:
    """A `touchline` command at work; its logs are kept."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process, self._name = process, name
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

    @property
    def is_over(self) -> bool:
        """True once it has ended."""
        return self._process.returncode is not None

    def report(self) -> str:
        """Its last log lines."""
        ended = f"ended with {self._process.returncode}" if self.is_over else "still running"
        return "\n".join([f"The last lines of `{self._name}`, {ended}:", *(f"  {line.rstrip()}" for line in self.lines[-25:])])

    async def says(self, words: str, times: int = 1, within: float = DEADLINE) -> str:
        """Wait for a line with these words, or for the nth such line; return it."""

        def found() -> str | None:
            lines = [line for line in self.lines if words in line]
            assert len(lines) >= times or not self.is_over, f"it ended and has not said {words}"
            return lines[times - 1] if len(lines) >= times else None

        return str(await until(found, within))

    async def end(self, how: str = "SIGTERM", within: float = DEADLINE) -> int:
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
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=environment, stdout=pipe, stderr=pipe)
    started = Process(process, " ".join(["touchline", *map(str, words)]))
    add_witness(started)
    return started


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
async def starting(config: Path, *words: str) -> AsyncIterator[Process]:
    """`touchline run`, not waited for; killed at the end if it still runs."""
    process = await touchline("run", "--config", config, *words, folder=config.parent)
    try:
        yield process
    finally:
        await process.end("SIGKILL")


@asynccontextmanager
async def running(config: Path, *words: str) -> AsyncIterator[Process]:
    """`touchline run`, once it has started, stopped at the end."""
    async with starting(config, *words) as process:
        await process.says('"started"')
        try:
            yield process
        finally:
            await process.end()
