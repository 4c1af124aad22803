"""Database files for tests: copies of one that has the schema, since making the schema takes longer than most tests."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from sqlalchemy import create_engine

from bot.storage.chats import ChatRepository
from bot.storage.migrate import migrate
from tests.rows import open_database


def new_sqlite(folder: Path, name: str = "touchline.db") -> str:
    """The address of a new database in a folder, with today's schema and without a row."""
    file = folder / name
    file.write_bytes(_empty_database())
    return f"sqlite:///{file}"


async def read_chat_ids(file: Path) -> list[int]:
    """Return the ids of the chats in a database file."""
    async with open_database(f"sqlite:///{file}") as db:
        return [chat.ref.chat_id for chat in await ChatRepository(db).get_all()]


def list_tables(file: Path) -> list[str]:
    """Return the names of the tables in a database file."""
    with closing(sqlite3.connect(file)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]


def list_file_names(folder: Path) -> list[str]:
    """Return the names of the files beside each other: a database may have others beside it, and leave some behind."""
    return sorted(file.name for file in folder.iterdir())


@cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        engine = create_engine(f"sqlite:///{file}")
        with engine.connect() as connection:
            migrate(connection)
        engine.dispose()
        return file.read_bytes()
