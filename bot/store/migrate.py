"""Brings a database to this version's schema, through Alembic, without its command line."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.errors import StoreTooNew

_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(connection: Connection) -> None:
    """Apply what is missing; raise StoreTooNew where the database knows a step that this version does not."""
    known, newest = _revisions()
    with connection.begin():
        there = set(MigrationContext.configure(connection).get_current_heads())
    if there - known:
        raise StoreTooNew(
            "the database was written by a newer Touchline; install that version, or name another file in storage.url"
        )
    if there != newest:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@cache
def _revisions() -> tuple[frozenset[str], frozenset[str]]:
    """All steps that this version knows, and the newest; read once, since each lies in a file of its own."""
    scripts = ScriptDirectory.from_config(_config())
    return frozenset(script.revision for script in scripts.walk_revisions()), frozenset(scripts.get_heads())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config
