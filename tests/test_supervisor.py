"""What the tests start does not outlive them, also where they are killed and cannot clean up."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import supervisor
from tests.postgres import MISSING, programs
from tests.waiting import DEADLINE, until

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.whole_process

KILLED_TESTS = """
import sys, time
from tests import supervisor
supervisor.start([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(3600)"])
time.sleep(3600)
"""
"""Tests that have started a program, which writes to the same pipe."""

STOPPED_BY_SIGNAL = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
print('up', flush=True)
time.sleep(3600)
"""

TESTS_WITH_SERVER = """
import time
from tests.postgres import running
with running() as server:
    print(server.folder, flush=True)
    time.sleep(3600)
"""


def start(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_a_program_is_stopped_when_whoever_started_it_was_killed() -> None:
    with start(KILLED_TESTS) as tests:
        assert read_line(tests) == "up"
        tests.kill()

        assert tests.communicate(timeout=DEADLINE)[0] == ""  # the pipe is at its end: nobody holds it any more


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_signals_and_the_exit_code_are_handed_on(how: signal.Signals) -> None:
    program = STOPPED_BY_SIGNAL.replace("SIGTERM", how.name)
    with supervisor.start([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert read_line(process) == "up"
        process.send_signal(how)

        assert process.wait(DEADLINE) == 3


@pytest.mark.skipif(programs() is None, reason=MISSING)
async def test_a_database_server_is_stopped_when_the_tests_were_killed() -> None:
    with start(TESTS_WITH_SERVER) as tests:
        folder = Path(read_line(tests))
        tests.kill()
    try:
        await until(lambda: not (folder / "data" / "postmaster.pid").exists())
    finally:
        shutil.rmtree(folder)
