"""What a command must not import: names, not times, since a name that comes back is what makes a start slow again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.sqlite import list_tables, new_sqlite

pytestmark = pytest.mark.whole_process

ROOT = Path(__file__).parents[1]
_IMPORTED = "imported:"
"""Begins the line with the names of all modules; commands print other lines."""

LARGE = {
    "aiohttp",
    "alembic",
    "asyncio",
    "babel",
    "email",
    "jinja2",
    "PIL",
    "sqlalchemy",
    "ssl",
    "structlog",
    "pydantic",
    "telegram",
}

# What `check` reads are files: it needs no network, and it logs nothing. pydantic brings the reader of e-mails.
_NO_FILES = LARGE - {"email", "jinja2", "pydantic"} | {"http.client", "rich"}

COMMANDS = {
    "--help": LARGE | {"rules", "yaml"},
    "--version": LARGE | {"rules", "yaml"},
    "run --help": LARGE - {"asyncio", "ssl", "structlog"} | {"rules"},
    "run --config missing.yaml": {"alembic", "PIL", "sqlalchemy", "telegram", "aiohttp"},
    "run --role nobody": {"alembic", "PIL", "sqlalchemy.dialects", "telegram"},
    "demo --match missing.yaml": {"alembic", "PIL", "httpx", "telegram"},
    "replay missing.jsonl": {"alembic", "PIL"},
    "check --config config.example.yaml": _NO_FILES,
    "schema": _NO_FILES,
}
"""By command, what it does without. One process runs the last two in this order and one all others: none of them does without
what one before it needs."""

UNNEEDED = {
    *("alembic", "mako"),  # migrations
    "apscheduler",  # the scheduler looks at the clock itself
    *("asyncpg", "greenlet", "sqlalchemy.dialects.postgresql"),
    *("anyio", "pygments", "rich", "watchfiles"),  # libraries bring them in where they can
    *("babel.dates", "babel.numbers", "bot.console", "nicegui", "PIL", "uvicorn"),
}
"""What a bot imports only when it is needed, beside what COMMANDS name."""


_NETWORK = {"aiohttp", "httpx", "telegram", "websockets"}

CHILDREN = {
    "bot.console.playground": _NETWORK | UNNEEDED - {"bot.console"} | {"pydantic"},
    "bot.console.rule_tests": _NETWORK | UNNEEDED - {"bot.console"} | {"pydantic", "sqlalchemy"},
    "bot.replay.dry_run": _NETWORK | UNNEEDED,
}
"""What the processes do without that are started whenever somebody tries rules or plays a match, and waits."""


def list_imports(*steps: str) -> list[set[str]]:
    """Run Python in a process of its own; return the names of all modules that are imported after each step."""
    code = "import sys, contextlib"
    for step in steps:
        code += f"\nwith contextlib.suppress(SystemExit):\n    {step}\nprint({_IMPORTED!r}, *sys.modules, file=sys.__stdout__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [set(line.split()) for line in done.stdout.splitlines() if line.startswith(_IMPORTED)]


def run(command: Sequence[str]) -> str:
    """The Python that runs a command."""
    return f"import bot.cli; bot.cli.main({command!r}, prog_name='touchline')"


@pytest.fixture(scope="module")
def imported_by() -> dict[str, set[str]]:
    """What is imported after each command, and by those before it."""
    *others, check, schema = COMMANDS
    steps = [[run(command.split()) for command in commands] for commands in (others, (check, schema))]
    return dict(zip(COMMANDS, list_imports(*steps[0]) + list_imports(*steps[1]), strict=True))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_without(command: str, imported_by: dict[str, set[str]]) -> None:
    imported = imported_by[command]

    assert "bot.cli" in imported
    assert COMMANDS[command] & imported == set()


def test_a_bot_on_sqlite_without_a_console_imports_nothing_that_it_does_not_need_nor_does_a_new_database(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"feed: {{token: a}}\ntelegram: {{token: '1:a'}}\nstorage: {{url: '{new_sqlite(tmp_path)}'}}\n")
    # It ends where everything is imported and the database is open: one role alone needs PostgreSQL.
    command = ["run", "--role", "feed", "--config", str(config)]
    new_database = f"import bot.storage.database as d; asyncio.run(d.Database.open('sqlite:///{tmp_path}/new.db'))"
    imported, imported_later = list_imports(run(command), f"import asyncio; {new_database}")

    assert {"bot.app.application", "sqlalchemy.dialects.sqlite"} <= imported
    assert UNNEEDED & imported == set()
    assert "alembic" not in imported_later
    assert list_tables(tmp_path / "new.db") == list_tables(tmp_path / "touchline.db")


@pytest.mark.parametrize("module", CHILDREN)
def test_a_process_that_somebody_waits_for_imports_nothing_that_it_does_not_need(module: str) -> None:
    (imported,) = list_imports(f"import {module}")

    assert module in imported
    assert CHILDREN[module] & imported == set()


def test_the_texts_of_a_bot_need_neither_babel_nor_packs() -> None:
    (imported,) = list_imports("import bot.i18n.football as football; football.load_wordings()")

    assert {"babel", "rules.loading", "yaml"} & imported == set()
