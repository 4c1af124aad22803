"""Brings a database to this version's schema, through Alembic, without its command line."""

from __future__ import annotations

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
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    with connection.begin():
        there = set(MigrationContext.configure(connection).get_current_heads())
    if there - {script.revision for script in scripts.walk_revisions()}:
        raise StoreTooNew(
            "the database was written by a newer Touchline; install that version, or name another file in storage.url"
        )
    if there != set(scripts.get_heads()):
        command.upgrade(config, "head")
