"""Threads for what blocks: looking up a name, reading a file of a volume that hangs, drawing. None holds up a stop."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_Job = tuple[Future[Any], Callable[[], Any]]


class DaemonThreads(ThreadPoolExecutor):
    """A pool of daemon threads, which are made when they are needed.

    Python waits for the threads of an ordinary pool when it ends, and a silent name server keeps one for up to 40 s. It is a
    ThreadPoolExecutor by its name alone, because an event loop takes no other pool for its own.
    """

    def __init__(self, limit: int, name: str) -> None:
        """`limit` is how many there are at most; `name` is for people who look at the process."""
        super().__init__(limit, name)
        self._limit, self._name = limit, name
        self._lock = threading.Lock()
        self._forget_threads()

    def _forget_threads(self) -> None:
        self._pid, self._started, self._unfinished = os.getpid(), 0, 0
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function as soon as a thread is free. A future that is cancelled before is not called.

        Raise OSError if there is no thread and the system allows none.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._pid != os.getpid():
                self._forget_threads()  # a fork has none, whatever its parent had
            # One for each job that runs or waits, so that none waits for one that hangs. That may be several: the system may have
            # refused a thread for an earlier job.
            while self._started < min(self._unfinished + 1, self._limit) and self._start_thread():
                pass
            self._jobs.put((future, partial(fn, *args, **kwargs)))
            self._unfinished += 1
        return future

    def _start_thread(self) -> bool:
        """Start one more thread. Return False if the system allows none."""
        name = self._name if self._limit == 1 else f"{self._name}_{self._started + 1}"
        try:
            threading.Thread(target=self._run, args=(self._jobs,), name=name, daemon=True).start()
        except RuntimeError as error:
            # With others at work it waits for one of them. An OSError is what everybody expects of a name that is looked up.
            if not self._started:
                raise OSError(errno.EAGAIN, "the system allows no further thread") from error
            return False
        self._started += 1
        return True

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Cancel what has not begun, and wait for nothing: who needs a result has waited for it."""
        with self._lock:
            jobs, started = self._jobs, self._started
            self._forget_threads()
        while True:
            try:
                job = jobs.get_nowait()
            except Empty:
                break
            if job:
                job[0].cancel()
        for _ in range(started):
            jobs.put(None)

    def _run(self, jobs: SimpleQueue[_Job | None]) -> None:
        while job := jobs.get():
            future, call = job
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:
                    future.set_exception(error)
            # Nothing of the work is kept alive while the thread waits for the next.
            del job, future, call
            with self._lock:
                if jobs is self._jobs:
                    self._unfinished -= 1
