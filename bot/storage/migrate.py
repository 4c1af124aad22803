"""Brings a database to the schema of this version.

Alembic does it, and is imported only where there is something to do: it would be half as much to import as all of SQLAlchemy, and
nearly every start finds today's schema.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect, select

from bot.errors import StorageTooNew
from bot.storage.schema import metadata

_MIGRATIONS_FOLDER = Path(__file__).with_name("migrations")

VERSION_TABLE = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As Alembic makes it, which goes on with a database that began here."""


def migrate(connection: Connection) -> None:
    """Make the tables of an empty database, or apply the migrations that are missing.

    Raise StorageTooNew if the database has a migration that this version does not know.
    """
    known, newest = _list_revisions(), find_newest_revision()
    with connection.begin():
        if not inspect(connection).has_table(VERSION_TABLE.name):
            # A test holds the tables to what the migrations make of them.
            metadata.create_all(connection, checkfirst=False)
            VERSION_TABLE.create(connection)
            connection.execute(VERSION_TABLE.insert().values(version_num=newest))
            return
        applied = set(connection.scalars(select(VERSION_TABLE.c.version_num)))
    if applied - known:
        raise StorageTooNew(
            "the database was written by a newer Touchline; install that version, or name another file in storage.url"
        )
    if applied != {newest}:
        apply_migrations(connection)


def apply_migrations(connection: Connection) -> None:
    """Apply the migrations that are missing, from the first on where there is none."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS_FOLDER).replace("%", "%%"))  # configparser expands single ones
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def find_newest_revision() -> str:
    """Return the migration that a database of this version has last."""
    return max(_list_revisions())  # they are numbers of four digits


@cache
def _list_revisions() -> frozenset[str]:
    """All migrations that this version knows: each has its number at the beginning of its file's name."""
    return frozenset(file.name[:4] for file in (_MIGRATIONS_FOLDER / "versions").glob("[0-9]*.py"))
