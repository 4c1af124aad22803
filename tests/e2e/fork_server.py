"""Starts `touchline` processes quickly: what they import is imported once, and each process is forked from there.

A fork is a process like any other, with its own event loop, database connections, signals and death. Only the imports, which
take two seconds of a core, and what every process reads or compiles are not repeated. One server forks for all processes of a
test run. Some tests of `tests/bot/test_cli.py` start a Python of their own.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.servers import find_server

ROOT = Path(__file__).parents[2]


class Forked(NamedTuple):
    """A process that was started, and what it writes, as two pipes.

    Its parent takes signals by `control`, each a byte with its number, and writes the exit code there: so no signal reaches
    another process that has got the id of one that ended. When `control` is closed the process is killed.
    """

    pid: int
    stdout: int
    stderr: int
    control: socket.socket


def fork_touchline(words: list[str], folder: Path, environment: dict[str, str], typed: str = "") -> Forked:
    """Start a command in a folder; `["-m", "benchmarks.latency", …]` starts another module. `typed` is all that stdin has."""
    out, err, control = ask_for_fork(words, folder, environment, typed)
    pid = b""
    while not pid.endswith(b"\n"):  # what follows is the exit code, which may be there already
        byte = control.recv(1)
        assert byte, "the server that forks processes has ended"
        pid += byte
    return Forked(int(pid), out, err, control)


def ask_for_fork(words: list[str], folder: Path, environment: dict[str, str], typed: str = "") -> tuple[int, int, socket.socket]:
    """Ask the server for a process; its stdout, its stderr and its control, by which its id comes first."""
    (child_in, typing), (out, child_out), (err, child_err) = [os.pipe() for _ in range(3)]
    os.set_blocking(typing, False)  # what does not fit into the pipe is an error, and not a hang
    assert os.write(typing, typed.encode()) == len(typed.encode())
    control, child_control = socket.socketpair()
    request = {"words": words, "folder": str(folder), "environment": environment}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(find_server("tests.e2e.fork_server:serving"))
        socket.send_fds(server, [json.dumps(request).encode()], [child_in, child_out, child_err, child_control.fileno()])
    for done in (typing, child_in, child_out, child_err):
        os.close(done)
    child_control.close()
    return out, err, control


def run_touchline(words: list[str], folder: Path, environment: dict[str, str], typed: str = "") -> tuple[int, str, str]:
    """Run a command to its end; its exit code, and what it wrote to stdout and stderr."""
    forked = fork_touchline(words, folder, environment, typed)
    with ThreadPoolExecutor() as pool:
        out, err, code = pool.map(_read, (forked.stdout, forked.stderr, forked.control.detach()))
    return int(code), out, err


def _read(pipe: int) -> str:
    with os.fdopen(pipe, "rb") as stream:
        return stream.read().decode()


@contextmanager
def serving() -> Iterator[str]:
    """Start the server for all processes of the tests; the path at which it takes requests, also while it still starts."""
    with TemporaryDirectory(prefix="fork-") as folder, socket.socket(socket.AF_UNIX) as requests:
        path = f"{folder}/requests"
        requests.bind(path)
        requests.listen(64)
        ours, theirs = socket.socketpair()
        fds = [requests.fileno(), theirs.fileno()]
        command = [sys.executable, "-m", __name__, *map(str, fds)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        server = subprocess.Popen(command, pass_fds=fds, env=environment, stdin=subprocess.DEVNULL)
        theirs.close()
        try:
            yield path
        finally:
            ours.close()
            server.wait()


def serve(requests: socket.socket, owner: socket.socket) -> list[str]:
    """Fork at every request; return in each child, with its words. End when the owner of the server has closed its socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        readable, _, _ = select.select((requests, owner), (), ())
        if owner in readable:
            os._exit(0)
        asking, _ = requests.accept()
        with asking:
            request, fds, _, _ = socket.recv_fds(asking, 1 << 20, 4)
        if not request:  # a worker was killed before it had said what it wants
            continue
        if os.fork() == 0:
            requests.close()
            owner.close()
            return _keep(json.loads(request), *fds)
        for fd in fds:
            os.close(fd)
        os.waitpid(-1, os.WNOHANG)


def _keep(request: dict[str, object], typed: int, out: int, err: int, control: int) -> list[str]:
    """Fork the process itself, and stay with it until it has ended; return in the process."""
    pid = os.fork()
    if pid:
        for fd in (typed, out, err):
            os.close(fd)
        with socket.socket(fileno=control) as channel:
            _send(channel, f"{pid}\n")
            _send(channel, str(_wait(pid, channel)))
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(typed, 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    # Opened as Python does at a start: those of the server remember whether its own output was a file.
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False, buffering=1 if os.isatty(1) else -1)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)  # noqa: SIM115
    for fd in (typed, out, err, control):
        os.close(fd)
    os.chdir(str(request["folder"]))
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[call-overload]
    words = request["words"]
    assert isinstance(words, list)
    return words


def _wait(pid: int, control: socket.socket) -> int:
    """Hand on signals until the process has ended, and kill it as soon as nobody is there any more; its exit code."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    watched = {control.fileno(), woken}
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        readable, _, _ = select.select(watched, (), ())
        if woken in readable:
            os.read(woken, 64)
        if control.fileno() in readable:
            signals = _receive(control)
            for number in signals or (signal.SIGKILL,):
                os.kill(pid, number)
            watched -= set() if signals else {control.fileno()}


def _send(control: socket.socket, text: str) -> None:
    with suppress(ConnectionError):  # the tests are gone, which `_wait` notices
        control.sendall(text.encode())


def _receive(control: socket.socket) -> bytes:
    """Return the signals to hand on; none if the tests are gone."""
    try:
        return control.recv(64)
    except ConnectionError:  # they were killed before they had read what they were sent
        return b""


def _end(code: int) -> None:
    """End this process as Python does, but leave the objects as they are.

    To take all of them apart would copy the memory that the process has in common with its parent: half of the cost of a command.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads
    atexit._run_exitfuncs()
    gc.collect()  # what is complained about when it is collected, such as a coroutine that nobody awaited
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    import importlib
    import runpy

    import bot.app.application
    import bot.cli
    from bot.i18n.football import load_wordings
    from bot.network import get_ssl_context
    from bot.storage.driver import PreparedStatement
    from rules.football.catalogue import load_catalogue

    list(bot.cli.main.commands.values())  # imports every command once, for all forks
    # What a process imports only when it needs it, a quarter of the work of a short life; the driver only where it is installed.
    of_texts = ("babel.dates", "babel.lists", "babel.numbers")
    for late in ("anyio._backends._asyncio", "bot.storage.postgres", "bot.commands.environment_file", *of_texts):
        with suppress(ImportError):
            importlib.import_module(late)
    load_catalogue()  # as every process does at its start, and keeps
    load_wordings()
    get_ssl_context()
    for statement in gc.get_objects():
        if isinstance(statement, PreparedStatement):
            _ = statement.sqlite, statement.postgres  # compiled, which takes longer than to run them
    gc.freeze()
    words = serve(*(socket.socket(fileno=int(fd)) for fd in sys.argv[1:]))
    try:
        if words[:1] == ["-m"]:
            sys.argv = words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = ["touchline", *words]
            bot.cli.main()
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        _end(end.code or 0)
    _end(0)
