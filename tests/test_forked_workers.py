"""`pytest --workers`, tried on a few tests in a folder of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.whole_process

COLLECTED = """
import os
import pytest

COLLECTED_BY = os.getpid()

@pytest.fixture(scope="module")
def started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("started")
    print("it starts")
    yield folder
    print("it stops")

@pytest.mark.parametrize("number", range(20))
def test_forked(number, started, tmp_path):
    assert os.getppid() == COLLECTED_BY
    (tmp_path / "own").mkdir()
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{__name__} {number}\\n")
"""
FAILING = """
import os

def test_failing():
    print("what it printed")
    assert 1 + 1 == 3

def test_dying():
    os._exit(7)

def test_after_them():
    pass
"""


def _run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    plugins = ("-p", "tests.forked_workers", "-p", "no:cacheprovider", "-p", "no:randomly")
    command = [sys.executable, "-m", "pytest", *plugins, "--rootdir", folder, "-c", folder / "none.ini", *options, folder]
    environment = {"NOTES": f"{folder}/notes", "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


def test_each_test_runs_once_in_a_process_that_was_forked_after_the_collection_and_a_death_fails_its_test_alone(
    tmp_path: Path,
) -> None:
    (tmp_path / "none.ini").touch()
    for name, text in (("one", COLLECTED), ("two", COLLECTED), ("three", FAILING)):
        (tmp_path / f"test_{name}.py").write_text(text)

    done = _run(tmp_path, "-q", "--workers", "3")

    assert done.returncode == 1
    assert re.search(r"^2 failed, 41 passed", done.stdout, re.MULTILINE), done.stdout
    assert "the process that ran this test ended with 7" in done.stdout and "FAILED test_three.py::test_dying" in done.stdout
    assert "what it printed" in done.stdout and done.stdout.count("Captured stdout") == 1
    notes = (tmp_path / "notes").read_text().splitlines()
    assert len(notes) == len(set(notes)) == 40


def test_the_first_failure_ends_the_run_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "none.ini").touch()
    (tmp_path / "test_three.py").write_text(FAILING)

    done = _run(tmp_path, "-v", "-x", "--workers", "1")

    assert done.returncode == 1
    assert re.search(r"^test_three.py::test_failing FAILED", done.stdout, re.MULTILINE)
    assert "stopping after 1 failures" in done.stdout and "test_dying" not in done.stdout
