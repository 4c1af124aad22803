"""Starts `touchline` processes quickly: what they import is imported once, and each process is forked from there.

A fork is a process like any other, with its own event loop, database connections, signals and death. Only the imports are not
repeated, which take two seconds of a core. Some tests of `tests/bot/test_cli.py` start a Python of their own.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Forked(NamedTuple):
    """A process that was started; the three numbers are of pipes to read from. `status` gives the exit code once it has ended."""

    pid: int
    stdout: int
    stderr: int
    status: int


def fork_touchline(words: list[str], folder: Path, environment: dict[str, str]) -> Forked:
    """Start a command in a folder."""
    (out, child_out), (err, child_err), (status, child_status) = pipes = [os.pipe() for _ in range(3)]
    request = {"words": words, "folder": str(folder), "environment": environment}
    socket.send_fds(_server(), [json.dumps(request).encode()], [child_out, child_err, child_status])
    for _, theirs in pipes:
        os.close(theirs)
    pid = os.read(status, 20)
    assert pid, "the server that forks processes has ended"
    return Forked(int(pid), out, err, status)


def run_touchline(words: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    """Run a command to its end; its exit code, and what it wrote to stdout and stderr."""
    forked = fork_touchline(words, folder, environment)
    with ThreadPoolExecutor() as pool:
        out, err, code = pool.map(_read, (forked.stdout, forked.stderr, forked.status))
    return int(code), out, err


def _read(pipe: int) -> str:
    with os.fdopen(pipe, "rb") as stream:
        return stream.read().decode()


@cache
def _server() -> socket.socket:
    """One for all tests of this process; it ends with it."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", __name__, str(theirs.fileno())]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment, stdin=subprocess.DEVNULL)
    theirs.close()

    def end() -> None:
        ours.close()
        server.wait()

    atexit.register(end)
    return ours


def serve(control: socket.socket) -> list[str]:
    """Fork at every request; return in each child, with its words."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        request, pipes, _, _ = socket.recv_fds(control, 1 << 20, 3)
        if not request:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            return _keep(json.loads(request), *pipes)
        for pipe in pipes:
            os.close(pipe)
        os.waitpid(-1, os.WNOHANG)


def _keep(request: dict[str, object], out: int, err: int, status: int) -> list[str]:
    """Fork the process itself, tell its id, wait for it and tell how it ended; return in the process."""
    pid = os.fork()
    if pid:
        os.close(out)
        os.close(err)
        os.write(status, str(pid).encode())
        _, ended = os.waitpid(pid, 0)
        os.write(status, str(os.waitstatus_to_exitcode(ended)).encode())
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(out, 1)
    os.dup2(err, 2)
    for pipe in (out, err, status):
        os.close(pipe)
    os.chdir(str(request["folder"]))
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[call-overload]
    words = request["words"]
    assert isinstance(words, list)
    return words


if __name__ == "__main__":
    import gc

    import bot.app.application
    import bot.cli

    gc.freeze()
    sys.argv = ["touchline", *serve(socket.socket(fileno=int(sys.argv[1])))]
    bot.cli.main()
