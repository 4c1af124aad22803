"""Work that may never end runs in a process of its own, with a time limit."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest


@pytest.mark.whole_process
def test_a_process_ends_once_it_has_computed_for_so_long_and_not_sooner_because_others_compute() -> None:
    code = "from bot.replay.children import limit_processor_time; limit_processor_time(1)\nwhile True: pass"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGXCPU
