"""The real process between a simulator and a strict Bot API, all on loopback."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.e2e.fork_server import Forked, fork_touchline
from tests.fakes.bot_api import FakeBotApi
from tests.waiting import DEADLINE, add_witness, until

ADMIN = 7
FEED_TOKEN = "feed-secret-token"
BOT_TOKEN = "123456789:AAbotSecretTokenOfThisTest0123456789"


class Process:
    """A `touchline` command at work; its logs are kept."""

    _may_end = False
    """True once the test has ended it or waits for its end."""

    def __init__(self, name: str, forked: Forked) -> None:
        self._name, self.pid, self._control = name, forked.pid, forked.control
        self.code: int | None = None
        """The exit code; None while it runs."""
        self.lines: list[str] = []
        self._tasks = [asyncio.create_task(self._read(pipe)) for pipe in (forked.stdout, forked.stderr)]
        self._tasks.append(asyncio.create_task(self._wait()))

    async def _read(self, pipe: int) -> None:
        async for line in await read_pipe(pipe):
            self.lines.append(line.decode(errors="replace"))  # a kill may cut a character in two

    async def _wait(self) -> None:
        self._control.setblocking(False)
        with self._control:
            code = await asyncio.get_running_loop().sock_recv(self._control, 20)
        self.code = int(code or -signal.SIGKILL)  # nothing comes if its parent was killed too

    @property
    def output(self) -> str:
        """All that it printed."""
        return "".join(self.lines)

    @property
    def is_over(self) -> bool:
        """True once it has ended and all that it wrote was read: the exit code may come before the last lines."""
        return all(task.done() for task in self._tasks)

    @property
    def has_died(self) -> bool:
        """True if it is over and the test neither ended it nor waits for its end."""
        return self.is_over and not self._may_end

    def report(self) -> str:
        """Its last log lines."""
        ended = "still running" if self.code is None else f"ended with {self.code}"
        return "\n".join([f"The last lines of `{self._name}`, {ended}:", *(f"  {line.rstrip()}" for line in self.lines[-25:])])

    async def says(self, words: str, times: int = 1) -> str:
        """Wait for a line with these words, or for the nth such line; return it."""

        def found() -> str | None:
            lines = [line for line in self.lines if words in line]
            assert len(lines) >= times or not self.is_over, f"it ended and has not said {words}"
            return lines[times - 1] if len(lines) >= times else None

        return str(await until(found))

    async def end(self, how: str = "SIGTERM") -> int:
        """Stop it; its exit code."""
        self._may_end = True
        if self.code is None:
            with suppress(ConnectionError):  # it has just ended
                self._control.send(bytes([signal.Signals[how]]))
        return await self.wait()

    async def wait(self) -> int:
        """Wait until it has ended by itself; its exit code."""
        self._may_end = True
        async with asyncio.timeout(DEADLINE):
            await asyncio.gather(*self._tasks)
        assert self.code is not None
        return self.code


async def read_pipe(pipe: int) -> asyncio.StreamReader:
    """Read what comes through a pipe, and close it at its end."""
    reader = asyncio.StreamReader(limit=2**24)  # a longer line would end the reading
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb"))
    return reader


async def touchline(*words: str | Path, folder: Path) -> Process:
    """Start a command in a folder of its own."""
    command = [str(word) for word in words]
    environment = {**os.environ, "FEED_TOKEN": FEED_TOKEN, "TELEGRAM_BOT_TOKEN": BOT_TOKEN}
    process = Process(" ".join(["touchline", *command]), fork_touchline(command, folder, environment))
    add_witness(process)
    return process


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
storage: {{url: "sqlite:///{folder}/touchline.db", last_matches_folder: "{folder}/last-matches"}}
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
