"""Runs what may loop in a process of its own, with a limit: a running template cannot be cancelled in its own process."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from typing import NamedTuple

LONGEST_WAIT = 120.0
"""Seconds after which a child is given up whatever it does: on a busy machine it may wait for the processor."""


def limit_processor_time(seconds: int) -> None:
    """End this process once it has computed for so long. A busy machine makes it slower, and does not end it sooner."""
    # At the first limit the kernel sends SIGXCPU, by which the parent knows why it ended; at the second it kills.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


class ChildOutput(NamedTuple):
    """What a child wrote before it ended. `is_late`: it took too long. `is_failed`: it ended by itself, with an error."""

    stdout: bytes
    stderr: bytes
    is_late: bool
    is_failed: bool


async def run_child(module: str, request: bytes, seconds: float = LONGEST_WAIT) -> ChildOutput:
    """Run `python -m module` with the request on its standard input. Raise OSError if no process can be started."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # The child finds the same packages, wherever the parent was started from.
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    exchange = asyncio.create_task(process.communicate(request))
    try:
        # Not wait_for, which would cancel the exchange and lose what the child has written in time.
        await asyncio.wait({exchange}, timeout=seconds)
    finally:
        if is_late := not exchange.done():
            # Also if the caller is cancelled, as by a page that is closed or the end of the program: a loop would go on.
            process.kill()
            await process.wait()
    stdout, stderr = await exchange
    is_late = is_late or process.returncode == -signal.SIGXCPU
    return ChildOutput(stdout, stderr, is_late, bool(process.returncode) and not is_late)
