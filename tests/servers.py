"""Servers that take long to start: one of each for all processes of a test run, started when a test first asks.

pytest-xdist runs tests in processes that one process has started. That one owns the servers: it starts what a worker asks for,
and stops it at its own end. Any other process, such as a run without workers or a benchmark, owns those that it asks for.
"""

from __future__ import annotations

import atexit
import os
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from multiprocessing.connection import Client, Listener
from tempfile import TemporaryDirectory
from threading import Thread

_OWNER = "TOUCHLINE_OWNER_OF_TEST_SERVERS"
"""The variable with the address of the process that owns the servers. A pytest that a test starts finds it too."""
_END = ""


def find_server(maker: str) -> str:
    """Return the address of a server, which is started if it is the first time that anybody asks for it.

    `maker` names a context manager, as `module:function`, that yields the address while the server runs.
    """
    if _OWNER not in os.environ:
        return _own.find(maker)
    with Client(os.environ[_OWNER], "AF_UNIX") as owner:
        owner.send(maker)
        address, failure = owner.recv()
    if failure:
        raise RuntimeError(failure)
    return str(address)


@contextmanager
def owning_servers() -> Iterator[None]:
    """Own the servers of all processes that are started meanwhile; at the end, stop them."""
    with TemporaryDirectory(prefix="servers-") as folder:
        address = f"{folder}/owner"
        with Listener(address, "AF_UNIX") as listener:
            thread = Thread(target=_answer, args=(listener,), daemon=True)
            thread.start()
            os.environ[_OWNER] = address
            try:
                yield
            finally:
                del os.environ[_OWNER]
                with Client(address, "AF_UNIX") as last:
                    last.send(_END)
                thread.join()
                _own.stop()


def is_owned() -> bool:
    """Return True if a process that has started this one owns the servers."""
    return _OWNER in os.environ


class _Servers:
    """The servers that this process has started, and their addresses."""

    def __init__(self) -> None:
        self._stack, self._addresses = ExitStack(), dict[str, str]()

    def find(self, maker: str) -> str:
        if maker not in self._addresses:
            module, function = maker.split(":")
            self._addresses[maker] = self._stack.enter_context(getattr(import_module(module), function)())
        return self._addresses[maker]

    def stop(self) -> None:
        self._stack.close()
        self._addresses.clear()


def _answer(listener: Listener) -> None:
    """Answer one after the other. Who asks for a server waits until it has started, so others may wait for that too."""
    while True:
        with listener.accept() as asking, suppress(EOFError, OSError):  # a worker that was killed needs no answer
            maker = asking.recv()
            if maker == _END:
                return
            try:
                answer = _own.find(maker), ""
            except Exception:
                answer = "", traceback.format_exc()
            asking.send(answer)


_own = _Servers()
atexit.register(_own.stop)
