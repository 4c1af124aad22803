"""Runs what may loop in a process of its own, with a limit: a running template cannot be cancelled in its own process."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys

LONGEST_WAIT = 120.0
"""Seconds after which a child is given up whatever it does: on a busy machine it may wait for the processor."""


def limit_processor_time(seconds: int) -> None:
    """End this process once it has computed for so long. A busy machine makes it slower, and does not end it sooner."""
    # At the first limit the kernel sends SIGXCPU, by which the parent knows why it ended; at the second it kills.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


async def run_child(module: str, request: bytes, seconds: float = LONGEST_WAIT) -> bytes | None:
    """Run `python -m module` with the request on its standard input. Return what it wrote; None if it took too long."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        # The child finds the same packages, wherever the parent was started from.
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        async with asyncio.timeout(seconds):
            stdout, _ = await process.communicate(request)
    except TimeoutError:
        return None
    finally:
        # Also when the caller is cancelled, as by a page that is closed: a loop would go on for as long as it likes.
        if process.returncode is None:
            process.kill()
            await process.wait()
    return None if process.returncode == -signal.SIGXCPU else stdout
