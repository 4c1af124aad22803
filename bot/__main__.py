"""The entry point of `touchline` and of `python -m bot`. It handles signals before anything large is imported."""

from __future__ import annotations

import signal
import sys
from types import FrameType

_KILLED_EXIT_CODE = 128 + signal.SIGTERM
"""The exit code that a shell reports for a program that SIGTERM ended."""


def main() -> None:
    """Run the command line."""
    # The first process of a container ignores SIGTERM until it has a handler, and stopping the container then takes ten seconds.
    signal.signal(signal.SIGTERM, _exit)
    if "run" in sys.argv[1:]:
        # A running bot takes it as the wish to read its configuration again. While it starts it would be killed by it, as by a
        # deployment that reloads a service that it has just started.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from bot.cli import main as run_command_line

    run_command_line()


def _exit(_number: int, _frame: FrameType | None) -> None:
    # `run` was asked to stop, and nothing has started yet: that is an orderly stop. Other commands are cut short.
    raise SystemExit(0 if "run" in sys.argv[1:] else _KILLED_EXIT_CODE)


if __name__ == "__main__":
    main()
