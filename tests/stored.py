"""Databases as earlier versions left them. `python -m tests.stored` stores those before the newest that are not stored yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, create_engine, insert

import bot.storage
from tests.rows import make_row

FOLDER = Path(__file__).with_name("stored")
_SCRIPTS = Path(bot.storage.__file__).with_name("migrations")
ROWS = 2


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


@cache
def scripts() -> ScriptDirectory:
    """The migrations, read once: Alembic's command reads all of them each time."""
    return ScriptDirectory.from_config(_config())


def revisions() -> list[str]:
    """Every step of the schema, the first one first."""
    return [script.revision for script in scripts().walk_revisions()][::-1]


def upgrade(connection: Connection, revision: str) -> None:
    """Bring a database to a step of the schema, as `alembic upgrade` does."""
    config, migrations = _config(), scripts()
    config.attributes["connection"] = connection
    with EnvironmentContext(config, migrations, fn=lambda before, _: migrations._upgrade_revs(revision, before)):
        migrations.run_env()


def build(connection: Connection, revision: str, numbers: Iterable[int] = range(1, ROWS + 1)) -> dict[str, Table]:
    """Bring a database to a step of the schema, and put rows with these numbers into each of its tables; return the tables."""
    upgrade(connection, revision)
    there = MetaData()
    there.reflect(connection)
    tables = {table.name: table for table in there.sorted_tables if table.name != "alembic_version"}
    for table in tables.values():
        connection.execute(insert(table), [make_row(table, number) for number in numbers])
    connection.commit()
    return tables


def _store(revision: str) -> None:
    with TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/touchline.db")
        with engine.connect() as connection:
            build(connection, revision)
        engine.dispose()
        with closing(sqlite3.connect(f"{folder}/touchline.db")) as made:
            (FOLDER / f"{revision}.sql").write_text("\n".join(made.iterdump()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for missing in revisions()[:-1]:
        if not (FOLDER / f"{missing}.sql").exists():
            _store(missing)
