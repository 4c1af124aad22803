"""Runs the tests in several processes: `pytest --workers 4` forks them once all tests are collected.

To import the program and to collect eight thousand tests takes seven seconds of a core. pytest-xdist starts its processes before
that, and each of them does it again. What one process has imported and computed before the forks, all of them have.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple, NoReturn

import pytest

from tests.order import Schedule
from tests.servers import owning_servers


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that asks for workers."""
    parser.addoption("--workers", type=_read_count, default=0, help="run the tests in so many processes; auto: one for each core")


def pytest_configure(config: pytest.Config) -> None:
    """Take the place of pytest's own loop if workers are asked for."""
    if config.option.workers:
        config.pluginmanager.register(ForkedWorkers(config.option.workers))


def _read_count(text: str) -> int:
    return os.cpu_count() or 1 if text == "auto" else int(text)


_OF_THE_PARENT_ALONE = ("terminalreporter", "terminalprogress", "junitxml")
"""Plugins that tell people of the reports; the parent gets those of all workers."""


class Finished(NamedTuple):
    """What a worker says when a test is over. It asks for its next test by sending None."""

    test: int
    reports: list[dict[str, Any]]


@dataclass
class Worker:
    """A process that runs one test after the other, as its parent sees it."""

    number: int
    pid: int
    connection: Connection
    unfinished: list[int] = field(default_factory=list)
    """What it runs, and what it runs next if it has asked for that."""


class ForkedWorkers:
    """The plugin that replaces pytest's own loop over the tests."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._workers: dict[Connection, Worker] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Fork, hand out tests, and report what becomes of them, as if they ran here."""
        option = session.config.option
        if option.collectonly or option.usepdb or (session.testsfailed and not option.continue_on_collection_errors):
            return None  # to pytest's own loop
        if terminal := session.config.pluginmanager.getplugin("terminalreporter"):
            terminal.showfspath = False  # tests of several files run at once
        # Made here, so that the workers share it. It finds names that are free, whichever of them took the others.
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        self._schedule = Schedule(session.items, [item.get_closest_marker("whole_process") is not None for item in session.items])
        with owning_servers() as start_serving:
            try:
                for number in range(min(self._count, len(session.items))):
                    self._fork(session, number)
                start_serving()  # not before: a process with threads should not be forked
                self._run(session)
            finally:
                for worker in self._workers.values():
                    worker.connection.close()
                for worker in self._workers.values():
                    os.waitpid(worker.pid, 0)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        return True

    def _fork(self, session: pytest.Session, number: int) -> None:
        ours, theirs = Pipe()
        pid = os.fork()
        if pid == 0:
            # Else a worker would not notice the end of its parent while a younger worker lives.
            for connection in (ours, *self._workers):
                connection.close()
            session.config.pluginmanager.unregister(self)
            _work(session, theirs)
        theirs.close()
        self._workers[ours] = Worker(number, pid, ours)

    def _run(self, session: pytest.Session) -> None:
        while self._workers:
            for connection in wait(list(self._workers)):
                worker = self._workers[connection]  # type: ignore[index]
                try:
                    said = worker.connection.recv()
                    if said is None:
                        worker.connection.send(self._choose_next(session, worker))
                except (EOFError, ConnectionError):
                    self._on_end(session, worker)
                    continue
                if said is not None:
                    self._on_finished(session, worker, Finished(*said))

    def _choose_next(self, session: pytest.Session, worker: Worker) -> int | None:
        if session.shouldfail or session.shouldstop:
            return None
        test = self._schedule.take(worker.number)
        if test is not None:
            worker.unfinished.append(test)
        return test

    def _on_finished(self, session: pytest.Session, worker: Worker, finished: Finished) -> None:
        worker.unfinished.remove(finished.test)
        read = session.config.hook.pytest_report_from_serializable
        self._report(session.items[finished.test], [read(config=session.config, data=data) for data in finished.reports])

    def _on_end(self, session: pytest.Session, worker: Worker) -> None:
        """A worker has no test left, or has died: then what it ran has failed, and another one takes its place."""
        del self._workers[worker.connection]
        worker.connection.close()
        _, status = os.waitpid(worker.pid, 0)
        if not worker.unfinished:
            return
        died_in, *not_begun = worker.unfinished
        self._schedule.give_back(worker.number, not_begun)
        item = session.items[died_in]
        said = f"the process that ran this test ended with {os.waitstatus_to_exitcode(status)}"
        self._report(item, [pytest.TestReport(item.nodeid, item.location, {}, "failed", said, "call")])
        self._fork(session, worker.number)

    def _report(self, item: pytest.Item, reports: Sequence[pytest.TestReport]) -> None:
        # All at once, so that what is printed of one test is not torn apart by others.
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def _work(session: pytest.Session, parent: Connection) -> NoReturn:
    """Run tests until there is none left; then this process is over."""
    config = session.config
    # The files that take what tests print are the parent's; each worker needs its own.
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()
    capture.start_global_capturing()
    capture.suspend_global_capture()
    for name in _OF_THE_PARENT_ALONE:
        config.pluginmanager.unregister(name=name)
    reports: list[dict[str, Any]] = []

    class Collector:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            reports.append(config.hook.pytest_report_to_serializable(config=config, report=report))

    config.pluginmanager.register(Collector())

    def ask() -> int | None:
        try:
            parent.send(None)
            test: int | None = parent.recv()
        except (EOFError, ConnectionError):  # the parent is gone
            return None
        return test

    status = 1
    try:
        test = ask()
        while test is not None:
            item, following = session.items[test], _Following(session, ask)
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            with suppress(ConnectionError):
                parent.send(Finished(test, reports))
            reports.clear()
            test = following.test
        status = 0
    except KeyboardInterrupt:  # the parent got it too, and says so
        session._setupstate.teardown_exact(None)
    except BaseException:
        traceback.print_exc()
    finally:
        # Without what the parent will do at its end, such as stopping the servers that all share.
        os._exit(status)


class _Following:
    """Stands for the next test until it is known.

    pytest wants to know it when a test is torn down, to keep the fixtures that both use. Only then is it asked for: else it would
    wait behind a long test while other workers have nothing to do.
    """

    def __init__(self, session: pytest.Session, ask: Callable[[], int | None]) -> None:
        self._session, self._ask = session, ask
        self._asked: list[int | None] = []

    @property
    def test(self) -> int | None:
        """Its number; None if there is none."""
        if not self._asked:
            self._asked.append(self._ask())
        return self._asked[0]

    def listchain(self) -> list[Any]:
        """Return the collectors that it belongs to, and itself."""
        return [] if self.test is None else list(self._session.items[self.test].listchain())
