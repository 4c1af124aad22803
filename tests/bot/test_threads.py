"""Threads that hang hold up neither the end of the process nor other work."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError

import pytest

from bot.threads import DaemonThreads
from tests.waiting import DEADLINE

HANGING = """
import asyncio, threading
from bot.threads import DaemonThreads

async def main():
    asyncio.get_running_loop().set_default_executor(DaemonThreads(8, "test"))
    lookup = asyncio.create_task(asyncio.to_thread(threading.Event().wait))
    await asyncio.to_thread(print, "began")
    lookup.cancel()

asyncio.run(main())
print("stopped")
"""


def refuse(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_a_process_ends_at_once_though_a_name_server_is_silent() -> None:
    command = [sys.executable, "-c", HANGING]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)

    assert (ended.returncode, ended.stdout) == (0, "began\nstopped\n"), ended.stderr


def test_a_free_thread_is_used_again_and_one_that_hangs_is_not_waited_for() -> None:
    pool, go = DaemonThreads(2, "test"), threading.Event()
    names = [pool.submit(lambda: threading.current_thread().name).result(DEADLINE)]
    hanging = pool.submit(go.wait)
    names += [pool.submit(lambda: threading.current_thread().name).result(DEADLINE) for _ in range(3)]
    go.set()
    hanging.result(DEADLINE)
    pool.shutdown()

    assert set(names) <= {"test_1", "test_2"} and all(name == names[1] for name in names[1:])


def test_a_shutdown_cancels_what_has_not_begun() -> None:
    pool, begun, go = DaemonThreads(1, "test"), threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        go.wait()
        return "done"

    first, second = pool.submit(work), pool.submit(work)
    begun.wait(DEADLINE)
    pool.shutdown()
    go.set()

    with pytest.raises(CancelledError):
        second.result(DEADLINE)
    assert first.result(DEADLINE) == "done"


async def test_an_error_reaches_who_waits_for_it() -> None:
    pool = DaemonThreads(1, "test")
    with pytest.raises(ValueError, match="invalid literal"):
        await asyncio.get_running_loop().run_in_executor(pool, int, "x")
    pool.shutdown()


def test_where_the_system_allows_no_further_thread_work_waits_for_one_or_fails_as_the_network_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool, none, go = DaemonThreads(2, "test"), DaemonThreads(2, "test"), threading.Event()
    first = pool.submit(go.wait)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    second = pool.submit(str, 2)
    go.set()

    assert (first.result(DEADLINE), second.result(DEADLINE)) == (True, "2")
    with pytest.raises(OSError, match="no further thread"):
        none.submit(str, 1)
    pool.shutdown()


def test_work_waits_for_none_that_hangs_once_the_system_allows_threads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, go = DaemonThreads(2, "test"), threading.Event()
    first = pool.submit(go.wait, DEADLINE)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        queued = pool.submit(str, 2)
    go.set()
    # The only thread takes the queued job by itself: it has never been idle.
    results = first.result(DEADLINE), queued.result(DEADLINE)
    hanging = threading.Event()
    pool.submit(hanging.wait, DEADLINE)
    last = pool.submit(str, 3)

    assert (*results, last.result(DEADLINE / 2)) == (True, "2", "3")
    hanging.set()
    pool.shutdown()


def test_every_job_that_was_refused_a_thread_gets_one_when_the_next_job_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, go = DaemonThreads(4, "test"), threading.Event()
    pool.submit(go.wait, DEADLINE)
    meeting = threading.Barrier(3)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        waiting = [pool.submit(meeting.wait, DEADLINE / 2) for _ in range(2)]
    waiting.append(pool.submit(meeting.wait, DEADLINE / 2))

    # They meet only if all three run at the same time, beside the one that hangs.
    assert {job.result(DEADLINE) for job in waiting} == {0, 1, 2}
    go.set()
    pool.shutdown()


def test_no_more_threads_are_made_than_there_are_jobs_at_a_time() -> None:
    pool, names = DaemonThreads(8, "test"), set[str]()
    for _ in range(20):
        names.add(pool.submit(lambda: threading.current_thread().name).result(DEADLINE))
        # The result is there a moment before the thread counts as free.
        while pool._unfinished:
            time.sleep(0)
    pool.shutdown()

    assert names == {"test_1"}
