"""What all tests share: which event loop runs a test, and how many examples hypothesis tries."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import async_solipsism
import pytest
import structlog

from bot.i18n.compile import compile_catalogues
from tests.laws import register_profiles
from tests.order import spread_waiting_tests
from tests.postgres import MISSING, Server, programs
from tests.servers import find_server, is_owned, owning_servers
from tests.sqlite import new_sqlite
from tests.temporary import find_memory_folder
from tests.waiting import forget_finished_witnesses, report_witnesses

ROOT = Path(__file__).parents[1]
END_TO_END = ROOT / "tests" / "e2e"
POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.whole_process)

register_profiles()

# Databases and other files of tests are written to memory where the system has room for them: a disk takes milliseconds for each
# of the thousands of commits, and a tenth more processor time. Whoever sets TMPDIR chooses another folder.
if "TMPDIR" not in os.environ and (memory := find_memory_folder()):
    os.environ["TMPDIR"] = memory
    tempfile.tempdir = None  # pytest has asked for a folder before, which Python remembers

# While modules are imported and tests collected, hardly anything becomes garbage, and looking for it takes a third of the time.
gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """What is there before the first test stays to the end: the garbage collector leaves it alone."""
    gc.freeze()
    gc.enable()
    # Of what a test leaves, little is in cycles: to look for them after each 700 new objects would find hardly any.
    gc.set_threshold(20_000, 20, 50)


def pytest_configure(config: pytest.Config) -> None:
    """Compile the catalogues as they are now. The process that starts workers also owns the servers that they share."""
    compile_catalogues()
    if getattr(config.option, "numprocesses", None) and not is_owned():
        servers = contextlib.ExitStack()
        servers.enter_context(owning_servers())
        config.add_cleanup(servers.close)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Import a share of the test modules in each worker before all are collected.

    pytest rewrites the assertions of a module when it is first imported, and keeps the result on the disk. In a fresh clone that
    takes nine seconds of a core for all modules, and each worker would rewrite all of them at the same time as the others.
    """
    given: dict[str, Any] = getattr(session.config, "workerinput", {})
    if not given:
        return
    number, count = int(given["workerid"].removeprefix("gw")), int(given["workercount"])
    paths = [Path(argument.partition("::")[0]).resolve() for argument in session.config.args]
    files = sorted({file for path in paths for file in ([path] if path.is_file() else path.rglob("test_*.py"))})
    for file in files[number::count]:
        # What is wrong with a module, or is missing for it, is said when it is collected.
        with suppress(Exception, pytest.skip.Exception):
            import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs whole processes: all end-to-end tests, and every test with a PostgreSQL server."""
    end_to_end = f"{END_TO_END}{os.sep}"  # compared as text: to take thousands of paths apart takes a fifth of a second
    for item in items:
        if str(item.path).startswith(end_to_end) or "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker("whole_process")
    items[:] = spread_waiting_tests(items, END_TO_END)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """`@pytest.mark.virtual_time` (or `pytestmark`): time leaps whenever nothing is left to do; no threads, no real sockets."""
    if item.get_closest_marker("virtual_time"):
        return {"virtual": async_solipsism.EventLoop}
    return {"real": asyncio.new_event_loop}


def pytest_runtest_setup() -> None:
    """What earlier tests started is not shown when this one fails."""
    forget_finished_witnesses()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the fakes and processes of a failed test have seen."""
    report = yield
    if report.failed and (seen := report_witnesses()):
        report.sections.append((f"seen when the {call.when} failed", seen))
    return report


# Coloured tracebacks would take long.
_LOG_RENDERER = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)


@pytest.fixture(autouse=True)
def _logs_as_they_come() -> None:
    """A command that a test ran in this process has left its way of logging behind."""
    structlog.reset_defaults()
    *processors, _ = structlog.get_config()["processors"]
    structlog.configure(processors=[*processors, _LOG_RENDERER])


@pytest.fixture
def refusing_port() -> Iterator[int]:
    """A port on loopback that refuses every connection: it is bound, so that nobody else can listen there, and nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture(scope="session")
def postgres() -> Server:
    """A PostgreSQL server of the tests' own, which all processes of a run share."""
    if programs() is None:
        pytest.skip(MISSING)
    return Server(Path(find_server("tests.postgres:serving")))


@pytest.fixture(scope="session")
def _kept(postgres: Server) -> Iterator[str]:
    """The address of a database that one test after the other may use: making one takes longer than most tests."""
    with postgres.database("kept") as url:
        yield url


@pytest.fixture(scope="session")
def _kept_without_tables(postgres: Server) -> Iterator[str]:
    with postgres.database("kept_without_tables") as url:
        yield url


@pytest.fixture
def postgres_url(postgres: Server, _kept: str) -> str:
    """The address of a database in PostgreSQL without a row in it."""
    postgres.empty(_kept)
    return _kept


@pytest.fixture
def new_postgres_url(postgres: Server, _kept_without_tables: str) -> str:
    """The address of a database in PostgreSQL without a table in it, for whoever changes the schema."""
    postgres.clear(_kept_without_tables)
    return _kept_without_tables


@pytest.fixture(params=["sqlite", POSTGRESQL])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind in turn: what holds for one holds for the other."""
    return new_sqlite(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture(params=["sqlite", POSTGRESQL])
def new_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same without a table in it."""
    file = f"sqlite:///{tmp_path}/touchline.db"
    return file if request.param == "sqlite" else request.getfixturevalue("new_postgres_url")
