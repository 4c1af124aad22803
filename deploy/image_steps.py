"""The Dockerfile's own steps in a fresh Debian root, for where no container engine runs; what came of it then plays a match.

    python -m deploy.image_steps                # as root; --folder /var/tmp/touchline-image --suite trixie

The root is read-only but /data and /tmp, as compose.yaml has it, and the user is the image's. It ends with 1 at the first
thing that is not so.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

from deploy.dockerfile import Stage, Step, environment, stages
from deploy.roots import Mount, NotHereError, Root, make_base, require
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, configuration
from tests.e2e.story import RULES, play, stepped
from tests.fakes.bot_api import FakeBotApi
from tests.waiting import until

HERE = Path(__file__).parents[1]
PLAIN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
STOP_WITHIN = 10.0
"""Seconds that a container's engine gives a process after SIGTERM."""


class NotSoError(Exception):
    """What the image does not do, in a sentence."""


class Image:
    """The stages, made one after another."""

    def __init__(self, base: Path, folder: Path) -> None:
        self._base, self._folder = base, folder
        self.roots: dict[str, Root] = {}

    def make(self, number: int, stage: Stage) -> Built:
        """Run every step of a stage."""
        built = Built(Root(self._base, self._folder / f"stage-{number}"), stage, dict(PLAIN))
        for step in stage.steps:
            built.do(step, self.roots)
        self.roots[stage.name] = built.root
        return built


class Built:
    """A stage, what its steps set, and how it is run."""

    def __init__(self, root: Root, stage: Stage, env: dict[str, str]) -> None:
        self.root, self.stage, self.env, self.folder, self.user = root, stage, env, "/", "0:0"

    def do(self, step: Step, roots: dict[str, Root]) -> None:
        """Run one step; those that only tell an engine something are looked up later."""
        if step.name == "RUN":
            say(f"RUN {step.words[:100]}")
            self.root.run(step.words, self.env | pip_environment(), self.folder, pip_mounts())
        elif step.name == "COPY":
            self._copy(step.words.split(), roots)
        elif step.name == "ENV":
            self.env |= environment(step, self.env)
        elif step.name == "WORKDIR":
            self.folder = step.words
        elif step.name == "USER":
            self.user = step.words

    def _copy(self, words: list[str], roots: dict[str, Root]) -> None:
        say(f"COPY {' '.join(words)}")
        origin = roots[words.pop(0).partition("=")[2]] if words[0].startswith("--from=") else None
        *sources, target = words
        end = target if target.startswith("/") else f"{self.folder.rstrip('/')}/{target.removeprefix('./')}"
        self.root.copy([Path(source) if origin else HERE / source for source in sources], end, origin)

    def command(self, words: Sequence[str], config: Path, data: Path, user: str = "") -> list[str]:
        """The command that runs the image with these words, as an engine would: the folders mounted, the root read-only.

        `user` is another than the image's own.
        """
        mounts = (Mount(config, "/config"), Mount(data, self.stage.last("VOLUME").words, writable=True))
        tokens = {"FEED_TOKEN": FEED_TOKEN, "TELEGRAM_BOT_TOKEN": BOT_TOKEN}
        return self.root.command(words, self.env | tokens, self.folder, user or self.user, mounts)


def pip_environment() -> dict[str, str]:
    """What pip is told on this machine, by files or variables, for pip inside."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True).stdout
    return pip_variables(listed) | {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}


def pip_variables(listed: str) -> dict[str, str]:
    """What `pip config list` printed, as pip's variables; what a variable said counts more than a file."""
    found = re.findall(r"^(:env:|global)\.([\w-]+)=(.*)$", listed, re.MULTILINE)
    by_files_first = sorted(found, key=lambda line: line[0] == ":env:")
    return {f"PIP_{key.upper().replace('-', '_')}": " ".join(ast.literal_eval(value).split()) for _, key, value in by_files_first}


def pip_mounts() -> list[Mount]:
    """The files and folders that pip is told of."""
    return [Mount(path, str(path)) for path in pip_places(pip_environment()) if path.exists()]


def pip_places(variables: Mapping[str, str]) -> list[Path]:
    """What the variables name on this machine; of an index the folder above, since its pages lead to files beside it."""
    words = {word for value in variables.values() for word in value.split()}
    named = {Path(word) for word in words if word.startswith("/")}
    named |= {Path(word.removeprefix("file://")).parent for word in words if word.startswith("file:///")}
    return sorted(named - {Path("/")})


def say(sentence: str) -> None:
    """Print what is done, with the seconds since the start."""
    print(f"{perf_counter() - _STARTED:6.1f} s  {sentence}", flush=True)


_STARTED = perf_counter()


def build(folder: Path, suite: str) -> Built:
    """Every stage of the Dockerfile; the last one is the image."""
    require()
    say(f"a fresh Debian root ({suite})")
    image = Image(make_base(folder, suite), folder)
    found = stages((HERE / "Dockerfile").read_text(encoding="utf-8"))
    return [image.make(number, stage) for number, stage in enumerate(found)][-1]


async def prove(built: Built, folder: Path) -> None:
    """Do with the image what its users do; raise NotSoError at the first thing that is not so."""
    config, data = _folder(folder / "config"), _folder(folder / "data")
    os.chown(data, *map(int, built.user.split(":")))
    shutil.copy(HERE / "config.example.yaml", config / "config.yaml")
    (entry,) = built.stage.last("ENTRYPOINT").array
    for words in ([entry, "--version"], [entry, "check", "--config", "/config/config.yaml"]):
        say(_output(built.command(words, config, data)).splitlines()[-1])
    for place in ("/opt/touchline", "/config", "/etc"):
        writing = built.command(["touch", f"{place}/new"], config, data, user="0:0")
        _so("Read-only" in _finished(writing).stderr, f"not even root writes to {place}")
    words = [entry, *built.stage.last("CMD").array]
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        _settle(configuration(config, feed.urls.stream, feed.urls.api, telegram, RULES))
        async with running(built.command(words, config, data)) as process:
            await process.says('"started"')
            _so(not _finished(built.command(built.stage.health, config, data)).returncode, "its health check passes")
            await play(feed, telegram)
            say("a match was told, from its first goal to full time")
            await _stopped(process)
    _so(any(data.glob("*.db")), "its database lies in /data")


def _folder(path: Path) -> Path:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def _settle(config: Path) -> None:
    """The configuration of the tests, with the database and the health pages where the image has them."""
    text = config.read_text(encoding="utf-8")
    text = re.sub(r"^(storage|http): .*\n", "", text, flags=re.MULTILINE)
    config.write_text(text, encoding="utf-8")


class Running:
    """The image at work. `output` is what it has printed so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process, self.output = process, ""
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout  # noqa: S101  # it is a pipe
        async for line in self._process.stdout:
            self.output += line.decode()

    async def says(self, words: str) -> None:
        """Wait until it has printed these words; raise NotSoError if it ends without."""
        await until(lambda: words in self.output or self._reading.done())
        if words not in self.output:
            raise NotSoError(f"it ended and has not said {words}:\n{self.output}")

    async def stop(self, how: signal.Signals) -> int:
        """Send a signal if it still runs, and wait for its end; its exit code."""
        if self._process.returncode is None:
            self._process.send_signal(how)
        code = await self._process.wait()
        await self._reading
        return code


@asynccontextmanager
async def running(command: Sequence[str]) -> AsyncIterator[Running]:
    """Start a command; it is killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    started = Running(process)
    try:
        yield started
    finally:
        await started.stop(signal.SIGKILL)


async def _stopped(process: Running) -> None:
    begun = perf_counter()
    async with asyncio.timeout(STOP_WITHIN):
        code = await process.stop(signal.SIGTERM)
    _so(code == 0, f"SIGTERM ends it with 0 (after {perf_counter() - begun:.1f} s)")


def _finished(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def _output(command: list[str]) -> str:
    done = _finished(command)
    if done.returncode:
        raise NotSoError(f"it ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def _so(holds: bool, sentence: str) -> None:
    if not holds:
        raise NotSoError(f"not so: {sentence}")
    say(sentence)


def main() -> int:
    """Build and prove; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/touchline-image"))  # noqa: S108
    parser.add_argument("--suite", default="trixie", help="a Debian with the Python that the Dockerfile names")
    args = parser.parse_args()
    try:
        asyncio.run(prove(build(args.folder, args.suite), args.folder))
    except (NotHereError, NotSoError, AssertionError, TimeoutError) as error:
        print(str(error) or "it took too long", file=sys.stderr)
        return 1
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
