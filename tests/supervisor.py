"""Runs a program for the tests, and stops it when they are gone, however they went: nothing they started is left behind.

`start()` puts this module between the tests and the program. It hands signals on, and ends with the program's exit code.
Its stdin is a pipe that only the tests hold open: a kill of theirs closes it, on Linux and on macOS.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)


def start(
    command: Sequence[str], how: signal.Signals = signal.SIGKILL, *, child: dict[str, Any] | None = None, **options: Any
) -> subprocess.Popen[Any]:
    """Start a command, which gets the signal `how` when this process is gone, or closes the stdin of what is returned.

    `options` are those of Popen; `child` has those that are for the command alone, such as its user.
    """
    own = [sys.executable, "-I", "-S", __file__, str(how.value), json.dumps(child or {})]
    # A session of its own: Ctrl-C is for the tests, which then stop what they have started.
    return subprocess.Popen([*own, *command], stdin=subprocess.PIPE, start_new_session=True, **options)


def supervise(how: int, options: dict[str, Any], command: Sequence[str]) -> int:
    """Run a command until it ends; its exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
    for number in FORWARDED:
        signal.signal(number, lambda number, _: child.send_signal(number))

    def stop_at_end_of_input() -> None:
        while os.read(0, 1024):
            pass
        child.send_signal(how)

    threading.Thread(target=stop_at_end_of_input, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    code = supervise(int(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:])
    sys.exit(code if code >= 0 else 128 - code)
