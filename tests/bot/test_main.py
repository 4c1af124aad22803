"""`python -m bot` handles SIGTERM and SIGHUP from its first instruction on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import DEADLINE

pytestmark = pytest.mark.whole_process

ROOT = Path(__file__).parents[2]

STOP_AT_AN_IMPORT = """
import os, runpy, signal, sys

signals = dict(word.split("=") for word in sys.argv[1].split(","))
sys.argv = sys.argv[1:]

class StopAtImport:
    def find_spec(self, name, *_):
        if name in signals:
            os.kill(os.getpid(), signal.Signals[signals[name]])

sys.meta_path.insert(0, StopAtImport())
runpy.run_module("bot", run_name="__main__")
"""
"""The process sends itself a signal when it comes to a certain import: so the moment does not depend on the machine."""

CONFIG = "telegram: {token: 123456:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA}\nfeed: {token: abc}\n"


def stop_at_an_import(module: str, *arguments: str, hangup_at: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command that gets SIGTERM when it comes to a module, and before that SIGHUP at another one."""
    signals = ",".join([f"{module}=SIGTERM", *([f"{hangup_at}=SIGHUP"] if hangup_at else [])])
    return subprocess.run(
        [sys.executable, "-c", STOP_AT_AN_IMPORT, signals, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE
    )


@pytest.mark.parametrize("module", ["bot.cli", "bot.commands.run", "telegram", "bot.app.chat_worker"])
def test_a_start_that_is_stopped_at_once_is_an_orderly_stop(module: str, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)

    done = stop_at_an_import(module, "run", "--config", str(config))

    assert (done.returncode, done.stderr) == (0, "")


def test_a_hangup_while_it_starts_does_not_end_it(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)

    done = stop_at_an_import("bot.app.feed_worker", "run", "--config", str(config), hangup_at="bot.commands.run")

    assert (done.returncode, done.stderr) == (0, "")


def test_another_command_that_is_stopped_says_that_it_did_not_finish() -> None:
    assert stop_at_an_import("bot.commands.check", "check").returncode == 143
