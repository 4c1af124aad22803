"""`touchline check` looks at the machine, too: drivers, ports, rights, and roles that SQLite cannot share."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from bot import installation
from bot.cli import main
from bot.cluster.roles import NEEDS_POSTGRES
from bot.monitoring.http import build_web_application
from bot.web_server import serve_application

TOKENS = "feed: {token: a}\ntelegram:\n  token: '123456:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'\n"
NOBODY = 65534


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(text: str, *words: str) -> Result:
    """Check a configuration with tokens; the text begins in its fourth line."""
    Path("config.yaml").write_text(f"{TOKENS}{text}", encoding="utf-8")
    return CliRunner().invoke(main, ["check", *words])


def findings(done: Result) -> list[str]:
    """Return what was printed without the line that counts."""
    return done.output.splitlines()[:-1]


@contextlib.contextmanager
def taken_port() -> Iterator[int]:
    """A port of loopback on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def as_another_user() -> Iterator[None]:
    """Have the rights of a user who owns nothing, which needs root."""
    if os.geteuid() != 0:
        pytest.skip("only root can take another user's rights")
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_missing_driver_is_a_mistake_where_the_database_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(installation.EXTRAS, "postgres", ("no_such_module",))

    done = check("storage:\n  url: postgresql://touchline@database/touchline\nhttp: {listen: null}\n")

    (line,) = findings(done)
    assert done.exit_code == 1
    assert line.startswith("config.yaml:5:8: storage.url: PostgreSQL needs asyncpg, which is not installed: install it with ")
    assert ".[postgres]'" in line


def test_a_certificate_that_the_address_of_the_database_names_is_looked_for(folder: Path) -> None:
    (folder / "own.pem").touch()
    url = "postgresql://a@h/t?sslmode=verify-full&sslrootcert"

    there, missing = (findings(check(f"storage: {{url: '{url}={name}'}}\n")) for name in (folder / "own.pem", "/no/such.pem"))

    assert there == []
    assert missing == [
        "config.yaml:4:16: storage.url: there is no file /no/such.pem that this user may read; correct the address",
    ]


def test_a_missing_console_is_a_mistake_for_the_processes_that_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(installation.EXTRAS, "console", ("no_such_module",))
    text = "http:\n  listen: null\n  console: {listen: '127.0.0.1:0'}\nstorage: {url: 'postgresql://a@b/c'}\n"

    assert findings(check(text))[0].startswith("config.yaml:6:12: the console needs NiceGUI, which is not installed: ")
    assert check(text, "--role", "send").exit_code == 0


@pytest.mark.slow
def test_a_port_that_is_taken_is_a_warning() -> None:
    with taken_port() as port:
        done = check(f"http:\n  listen: 127.0.0.1:{port}\n")

        assert (done.exit_code, check(f"http: {{listen: 127.0.0.1:{port}}}\n", "--strict").exit_code) == (0, 1)
    assert findings(done) == [
        f"config.yaml:5:11: warning: http.listen: cannot listen on 127.0.0.1:{port}: the port is taken; "
        "stop what listens there, or choose another"
    ]


def test_the_port_of_a_webhook_matters_to_those_who_answer_people() -> None:
    with taken_port() as port:
        webhook = f'{{url: "https://bot.example.org/t", listen: "127.0.0.1:{port}", secret_token: abc}}'
        text = f"  webhook: {webhook}\nhttp: {{listen: null}}\nstorage: {{url: 'postgresql://a@b/c'}}\n"

        assert "telegram.webhook.listen: cannot listen" in findings(check(text, "--role", "chat"))[0]
        assert findings(check(text, "--role", "feed,send")) == []


async def test_the_port_of_a_running_touchline_is_a_note() -> None:
    async def no_metrics() -> bytes:
        return b""

    app: web.Application = build_web_application(lambda: (), no_metrics)
    async with serve_application(app, "127.0.0.1", 0) as port:
        done = await asyncio.to_thread(check, f"http: {{listen: 127.0.0.1:{port}}}\n", "--strict")

    assert done.exit_code == 0
    assert findings(done) == [
        f"config.yaml:4:16: note: http.listen: a Touchline runs at 127.0.0.1:{port}; "
        "a second one on this machine needs a port of its own"
    ]


def test_an_address_that_this_machine_does_not_have_is_a_warning() -> None:
    (line,) = findings(check("http: {listen: '192.0.2.1:8080'}\n"))

    assert "this machine has no such address" in line


def test_roles_on_sqlite_are_a_mistake_at_the_database() -> None:
    done = check("storage: {url: sqlite:///t.db}\nhttp: {listen: null}\n", "--role", "feed-1")

    assert (done.exit_code, findings(done)) == (1, [f"config.yaml:4:16: {NEEDS_POSTGRES}"])
    assert check("http: {listen: null}\n", "--role", "feed,chat,send").exit_code == 0


def test_a_database_in_a_folder_that_is_not_there_is_a_mistake() -> None:
    (line,) = findings(check("http: {listen: null}\nstorage:\n  url: sqlite:///data/t.db\n"))

    assert line == "config.yaml:6:8: storage.url: there is no folder data: make it, or name another"


def test_a_folder_in_the_place_of_a_database_and_a_file_in_that_of_a_folder() -> None:
    Path("data").mkdir()
    Path("file").touch()

    lines = findings(check("http: {listen: null}\nstorage: {url: sqlite:///data, last_matches_folder: file}\n"))

    assert lines == [
        "config.yaml:5:16: storage.url: data is a folder; name a file in it",
        "config.yaml:5:53: warning: storage.last_matches_folder: file is a file; name a folder; without it, no match is kept",
    ]


@pytest.fixture
def open_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, which everybody may enter; pytest's own folders let nobody else in."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        monkeypatch.chdir(path)
        yield Path(path)
        monkeypatch.undo()


def test_what_another_user_may_not_write_is_said(open_folder: Path) -> None:
    folder = open_folder
    (folder / "data").mkdir(mode=0o755)
    Path("t.db").touch(0o600)
    Path("config.yaml").touch()
    Path("config.yaml").chmod(0o666)

    with as_another_user():
        in_folder = findings(check(f"http: {{listen: null}}\nstorage: {{url: 'sqlite:///{folder}/data/t.db'}}\n"))
        there = findings(check("http: {listen: null}\nstorage: {url: sqlite:///t.db, last_matches: 0}\n"))
        beside = findings(check("http: {listen: null}\nstorage: {url: sqlite:///n.db, last_matches: 0}\n"))

    assert in_folder[0].startswith(f"config.yaml:5:16: storage.url: this user may not make files in {folder}/data: ")
    assert in_folder[1].startswith(
        f"config.yaml:5:10: warning: storage.last_matches_folder: this user may not make files in {folder}"
    )
    assert there == [
        "config.yaml:5:16: storage.url: this user may not read and write t.db: give them the right to, or name another"
    ]
    assert beside[0].endswith("or name another folder (n.db begins in the current folder: check from where Touchline runs)")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what nobody else may")
def test_root_is_told_which_files_only_root_can_read() -> None:
    Path("bot-token").write_text("123456:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", encoding="utf-8")
    Path("bot-token").chmod(0o600)
    Path("config.yaml").write_text("telegram: {token_file: bot-token}\nfeed: {token: a}\nhttp: {listen: null}\n")
    Path("config.yaml").chmod(0o640)

    done = CliRunner().invoke(main, ["check"])

    (line,) = findings(done)
    assert done.exit_code == 0
    assert line.startswith("config.yaml:1:24: note: only root may read bot-token: if Touchline runs as another user")


def test_files_alone_are_checked_where_that_is_asked_for_or_a_code_host_reads_it() -> None:
    with taken_port() as port:
        text = f"http: {{listen: '127.0.0.1:{port}'}}\nstorage: {{url: sqlite:///data/t.db}}\n"

        assert findings(check(text, "--files-only")) == []
        assert check(text, "--format", "github").stdout == ""
        assert '"mistakes": 1' in check(text, "--format", "json").stdout


def test_a_file_of_rules_needs_nothing_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.commands.machine.find_machine_trouble", lambda *_: pytest.fail("a file of rules was run"))
    Path("rules.yaml").write_text("- {name: a, match: {action_type: Goal}, alert: {kind: goal, text: x}}\n", encoding="utf-8")

    assert CliRunner().invoke(main, ["check", "rules.yaml"]).exit_code == 0
