"""Every benchmark can be imported, and none that plays recordings needs a traceback to say that there are none."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.connections import live

ROOT = Path(__file__).parent.parent
BENCHMARKS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))
NOT_LOCKED = {"cel", "matplotlib", "rule_engine", "zen"}
"""Modules of the extra `bench`, which is not in requirements.lock."""


def _start(module: str, *arguments: str, recordings: Path, **environment: str) -> subprocess.Popen[str]:
    environment |= {"PATH": "/usr/bin:/bin", "TOUCHLINE_RECORDINGS": str(recordings)}
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_can_be_imported(name: str) -> None:
    try:
        module = importlib.import_module(f"benchmarks.{name}")
    except ModuleNotFoundError as error:
        if error.name not in NOT_LOCKED:
            raise
        pytest.skip(f"{error.name} is of the extra bench, which is not installed")

    assert module.__doc__


@pytest.mark.whole_process
def test_a_benchmark_that_has_to_have_recordings_says_so_in_one_sentence(tmp_path: Path) -> None:
    with _start("benchmarks.bad_days", recordings=tmp_path) as process:
        output, errors = process.communicate(timeout=60)

    assert (process.returncode, output) == (1, "")
    assert errors == f"there are no recordings in {tmp_path}: set TOUCHLINE_RECORDINGS to their folder\n"


def test_without_recordings_the_shipped_scenarios_are_played_side_by_side() -> None:
    first, second, again = live(3, [])

    assert [script.fixture.id for script in (first, second, again)] == ["fixture-0", "fixture-1", "fixture-2"]
    assert first.fixture.title == again.fixture.title != second.fixture.title
    assert len(first.frames) == len(again.frames) > 500
    assert {frame.frame["fixtureAction"]["fixtureId"] for frame in again.frames} == {"fixture-2"}
    assert again.frames[-1].at > first.frames[-1].at


@pytest.mark.whole_process
def test_the_feed_of_the_latency_benchmark_starts_without_recordings(tmp_path: Path) -> None:
    with _start("benchmarks.connections", "--role=matches", "--live=2", recordings=tmp_path) as process:
        assert process.stdout
        address = process.stdout.readline()
        process.kill()

    assert address.startswith("ws://")


@pytest.mark.whole_process
def test_an_upgrade_beside_a_version_that_the_clone_does_not_have_ends_with_one_sentence(tmp_path: Path) -> None:
    with _start("benchmarks.upgrade_side_by_side", recordings=tmp_path, GIT_DIR=str(tmp_path)) as process:
        output, errors = process.communicate(timeout=60)

    assert (process.returncode, output) == (1, "")
    assert errors == "commit aabb548, the last one of 0.1, is not in this clone; fetch the whole history: git fetch --unshallow\n"
