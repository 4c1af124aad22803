"""A disk that fills up, or is protected, under a SQLite database."""

from __future__ import annotations

import sqlite3

from sqlalchemy import event
from sqlalchemy.pool import Pool

from bot.storage.database import Database


class Disk:
    """The disk of an open database: by SQLite's own limits for its connection, writing fails as on a real disk."""

    def __init__(self, db: Database, connection: sqlite3.Connection) -> None:
        self.db, self._connection = db, connection

    @classmethod
    async def open(cls, url: str) -> Disk:
        """Open a database on such a disk."""
        made: list[sqlite3.Connection] = []

        def keep(connection: sqlite3.Connection, _: object) -> None:
            made.append(connection)

        event.listen(Pool, "connect", keep)
        try:
            database = await Database.open(url)
            return cls(database, made[-1])  # the first of a process asks SQLite for its version, and is closed
        finally:
            event.remove(Pool, "connect", keep)

    def fill_up(self) -> None:
        """Let no further page be written."""
        self._connection.execute("PRAGMA max_page_count = 1")

    def protect(self) -> None:
        """Let nothing be written."""
        self._connection.execute("PRAGMA query_only = 1")

    def make_room(self) -> None:
        """Let everything be written again."""
        self._connection.execute("PRAGMA max_page_count = 1000000")
        self._connection.execute("PRAGMA query_only = 0")
