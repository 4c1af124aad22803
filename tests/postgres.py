"""A real PostgreSQL server of the tests' own: in a temporary folder, on a socket in it, started when a test first asks."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import supervisor

MISSING = "there is no PostgreSQL server here: install the package postgresql"
_USER = "touchline"
_SETTINGS = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses="),
    *("max_connections=400", "deadlock_timeout=50ms"),
)
_DEADLINE = 60.0
"""Seconds after which a server that does not start or stop counts as hanging."""
_CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
COUNT_BLOCKED = """SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE NOT granted AND datname = current_database()"""
"""How many transactions of this database wait for others; there are other databases on the same server."""
_DELETE_ROWS = """DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
    PERFORM setval(quote_ident(sequencename)::regclass, start_value, false) FROM pg_sequences WHERE schemaname = 'public';
END $$"""
"""Takes a fraction of the time of TRUNCATE, which makes new files for every table and index."""
_DROP_TABLES = "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public"
_CHANGED = "changed"
_numbers = itertools.count(1)


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`; None where there is no server."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists() and (folder / "initdb").exists()), None)


class Server:
    """One server with its data; it can be stopped, killed and started again by whoever has started it."""

    settings: tuple[str, ...] = _SETTINGS

    def __init__(self, folder: Path) -> None:
        self.folder, self._programs = folder, programs()
        self._process: subprocess.Popen[bytes] | None = None
        self._sessions: dict[str, subprocess.Popen[str]] = {}
        """By the address of a database, the `psql` that changes it: to start one takes longer than the change."""

    def make(self) -> None:
        """Make the data; nothing of it needs to outlive the machine."""
        # Small segments of the write-ahead log: each server writes at least one.
        options = ("--no-sync", "--wal-segsize=1", "--encoding=UTF8", "--no-locale", "--auth=trust", f"--username={_USER}")
        self._run("initdb", *options, "-D", str(self.folder / "data"))

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = [word for setting in self.settings for word in ("-c", setting)]
        command = [str(self._program("postgres")), "-D", str(self.folder / "data"), "-k", str(self.folder), *settings]
        with (self.folder / "log").open("ab") as log:
            self._process = supervisor.start(command, signal.SIGQUIT, child=unprivileged(), stdout=log, stderr=log)
        until = time.monotonic() + _DEADLINE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop at once, undoing what is open; SIGQUIT: as after a loss of power."""
        if self._process is not None:
            with self._process as process:
                process.send_signal(how)
                process.wait(_DEADLINE)
            self._process = None

    def url(self, database: str) -> str:
        """The address of a database."""
        return f"postgresql://{_USER}@/{database}?host={self.folder}"

    @contextlib.contextmanager
    def database(self, name: str = "") -> Iterator[str]:
        """The address of a new, empty database."""
        name = f"{name or f'test_{next(_numbers)}'}_{os.getpid()}"  # other processes of the test run use the server too
        self.run("createdb", name)
        yield self.url(name)
        if session := self._sessions.pop(self.url(name), None):
            session.communicate()
        self.run("dropdb", "--force", name)

    def empty(self, url: str) -> None:
        """Leave the tables of a database, and nothing in them; whoever is connected still is cut off."""
        self._change(url, _DELETE_ROWS)

    def clear(self, url: str) -> None:
        """Leave no table in a database; whoever is connected still is cut off."""
        self._change(url, _DROP_TABLES)

    def _change(self, url: str, statement: str) -> None:
        session = self._sessions.get(url) or self._sessions.setdefault(url, self._start_psql(url))
        assert session.stdin and session.stdout
        session.stdin.write(f"{_CUT_OFF};\n{statement};\n\\echo {_CHANGED}\n")
        session.stdin.flush()
        printed = []
        while not printed or printed[-1] != f"{_CHANGED}\n":
            printed.append(session.stdout.readline())
            if not printed[-1]:  # it ends at the first error
                raise RuntimeError("".join(printed))

    def _start_psql(self, url: str) -> subprocess.Popen[str]:
        command = [str(self._program("psql")), "--quiet", "--no-psqlrc", "--output=/dev/null", "--set=ON_ERROR_STOP=1", url]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, text=True, **pipes, **unprivileged())

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's own programs against the server."""
        self._run(program, "-h", str(self.folder), "-U", _USER, *arguments)

    def _answers(self) -> bool:
        ask = [str(self._program("pg_isready")), "-q", "-h", str(self.folder)]
        return subprocess.run(ask, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([str(self._program(program)), *arguments], check=True, stdout=subprocess.DEVNULL, **unprivileged())

    def _program(self, name: str) -> Path:
        if self._programs is None:
            raise RuntimeError(MISSING)
        return self._programs / name


@contextlib.contextmanager
def running(kind: type[Server] = Server) -> Iterator[Server]:
    """A server for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="pg-") as path:
        folder = Path(path)
        if user := unprivileged().get("user"):
            os.chown(folder, user, -1)
        server = kind(folder)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """A server for all processes of a test run; its folder, with which each of them makes a `Server`."""
    with running() as server:
        yield str(server.folder)


def unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root; it has a user of its own where it is installed."""
    if os.geteuid() != 0:
        return {}
    names = {user.pw_name: user for user in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
