"""`tests/stress.sh` with a Python that only notes what it is asked to run: the runs, a failure, and that no loop is left."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import DEADLINE, until

ROOT = Path(__file__).parent.parent
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")

FAKE = """#!/bin/sh
echo "$*" >> ran
[ "$(wc -l < ran)" != "$FAILS" ] || exit 1
[ "$(wc -l < ran)" != "$HANGS" ] || exec sleep 3600
"""
"""Stands in for the Python of the virtual environment; the run number $FAILS fails, and number $HANGS does not end by itself."""


class Stress:
    """A clone whose virtual environment is ready."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = folder / "build" / f"python-{VERSION}"
        for made in (folder / ".ci", folder / "tests", environment / "bin"):
            made.mkdir(parents=True)
        for name in (".ci/make_environment", ".ci/workers", "tests/stress.sh", "requirements.lock"):
            shutil.copy(ROOT / name, folder / name)
        shutil.copy(ROOT / "requirements.lock", environment)
        fake = environment / "bin" / "python"
        fake.write_text(FAKE)
        fake.chmod(0o755)
        self.process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str, fails: int = 0, hangs: int = 0) -> subprocess.Popen[str]:
        """Start the script at the head of a process group of its own, which its loops belong to."""
        environment = os.environ | {"FAILS": str(fails), "HANGS": str(hangs), "WORKERS": "3"}
        self.process = subprocess.Popen(
            ["bash", "tests/stress.sh", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # Where the tests run in the background, Ctrl-C is ignored, and no shell can undo that for itself.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        return self.process

    def runs(self) -> list[str]:
        """What the Python was asked to run, one command a line."""
        path = self.folder / "ran"
        return path.read_text().splitlines() if path.exists() else []

    def loops_are_left(self) -> bool:
        """Return True if any process of the script's group is still there."""
        assert self.process
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True


@pytest.fixture
def stress(tmp_path: Path) -> Iterator[Stress]:
    made = Stress(tmp_path)
    yield made
    if made.process:
        if made.loops_are_left():
            os.killpg(made.process.pid, signal.SIGKILL)
        made.process.communicate(timeout=DEADLINE)


def test_the_whole_suite_runs_as_often_as_asked_then_the_end_to_end_tests_with_three_printed_seeds(stress: Stress) -> None:
    output, errors = stress.start("2", VERSION).communicate(timeout=DEADLINE)

    whole, again, *random = stress.runs()
    seeds = re.findall(r"--randomly-seed=(\d+) --hypothesis-seed=\1: passed", output)
    assert whole == again == "-m pytest -q -n 3 --dist worksteal --hypothesis-profile=thorough"
    assert random == [f"{whole} tests/e2e -p randomly --randomly-seed={seed} --hypothesis-seed={seed}" for seed in seeds]
    assert len(set(seeds)) == 3
    assert f"{2 * (os.cpu_count() or 1)} busy loops" in output
    assert (errors, stress.loops_are_left()) == ("", False)


def test_a_failure_ends_everything_and_names_the_seed(stress: Stress) -> None:
    process = stress.start("1", VERSION, fails=3)
    _, errors = process.communicate(timeout=DEADLINE)

    runs = stress.runs()
    (seed,) = re.findall(r"--randomly-seed=(\d+)", runs[-1])
    assert (process.returncode, len(runs)) == (1, 3)
    assert f"FAILED in end-to-end run 2 of 3 in random order, -p randomly --randomly-seed={seed}" in errors
    assert not stress.loops_are_left()


async def test_control_c_ends_the_loops_too(stress: Stress) -> None:
    process = stress.start("1", VERSION, hangs=1)
    await until(lambda: stress.runs() or process.poll() is not None)

    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=DEADLINE)

    assert process.returncode == 130
    assert len(stress.runs()) == 1
    assert not stress.loops_are_left()


@pytest.mark.parametrize("arguments", [("many",), ("1", "python3"), ("1", "3.11", "more")])
def test_arguments_that_cannot_be_read_are_answered_with_the_usage(stress: Stress, arguments: tuple[str, ...]) -> None:
    process = stress.start(*arguments)
    _, errors = process.communicate(timeout=DEADLINE)

    assert (process.returncode, stress.runs()) == (2, [])
    assert errors.startswith("usage: tests/stress.sh [RUNS] [PYTHON]")
