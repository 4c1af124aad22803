"""SQLite databases for tests: copies of one that has the schema, since making the schema takes longer than most tests."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import create_engine

from bot.storage.migrate import migrate


def new_sqlite(folder: Path, name: str = "touchline.db") -> str:
    """The address of a new database in a folder, with today's schema and without a row."""
    file = folder / name
    file.write_bytes(_empty_database())
    return f"sqlite:///{file}"


@cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        engine = create_engine(f"sqlite:///{file}")
        with engine.connect() as connection:
            migrate(connection)
        engine.dispose()
        return file.read_bytes()
