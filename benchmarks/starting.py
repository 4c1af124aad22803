"""What a start takes: processor time and memory of `--help`, `check`, and `run` up to its first question for updates.

    python -m benchmarks.starting [--times 5]

Each is a process of its own, with its modules compiled before; the middle of some runs is printed. Beside them, what a script
needs that only imports python-telegram-bot and makes an application.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.footprint import started
from tests.e2e.stage import BOT_TOKEN, configuration
from tests.e2e.story import RULES, stepped
from tests.fakes.bot_api import FakeBotApi

THEIRS = "from telegram.ext import Application; Application.builder().token('1:a').build()"

OURS = "import runpy, sys; sys.argv[0] = 'touchline'; runpy.run_module('bot', run_name='__main__', alter_sys=True)"

COMMANDS = {
    "Python alone": ["pass"],
    "python-telegram-bot alone": [THEIRS],
    "touchline --help": [OURS, "--help"],
    "touchline check": [OURS, "check", "config.example.yaml"],
}
"""By name: Python to run, and its arguments."""

NOTE_MEMORY = "import atexit, sys; atexit.register(lambda: print(open('/proc/self/status').read(), file=sys.stderr))\n"
"""The system's own account of a process that ended includes the memory of the one that started it."""


# Where the environment forbids bytecode, each process would compile the whole program, which an installed one has done once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


class Cost(NamedTuple):
    """Seconds of processor time, and megabytes at the peak."""

    seconds: float
    megabytes: float


def measure(code: str, *arguments: str) -> Cost:
    """Run one process to its end."""
    command = [sys.executable, "-c", NOTE_MEMORY + code, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # noqa: S603  # our own
    assert process.stderr  # noqa: S101  # it is a pipe
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}: {said}")
    return Cost(usage.ru_utime + usage.ru_stime, _read_peak(said))


def measure_running(pid: int) -> Cost:
    """What a process has taken until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return Cost(seconds, _read_peak(Path(f"/proc/{pid}/status").read_text()))


def _read_peak(status: str) -> float:
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


async def start_bot() -> Cost:
    """A whole `touchline run`, until it asks Telegram for updates."""
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        with tempfile.TemporaryDirectory() as folder:
            config = configuration(Path(folder), feed.urls.stream, feed.urls.api, telegram, RULES)
            async with started(config) as pid:
                return measure_running(pid)


def main() -> None:
    """A line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    print(f"{'':40}{'processor, s':>14}{'MB':>8}")
    for name, arguments in COMMANDS.items():
        measure(*arguments)  # not counted: it may have modules to compile
        show(name, [measure(*arguments) for _ in range(times)])
    show("touchline run, to its first poll", [asyncio.run(start_bot()) for _ in range(times)])


def show(name: str, costs: list[Cost]) -> None:
    """Print the middle of some runs."""
    seconds, megabytes = (statistics.median(figures) for figures in zip(*costs, strict=True))
    print(f"{name:40}{seconds:14.2f}{megabytes:8.0f}", flush=True)


if __name__ == "__main__":
    main()
