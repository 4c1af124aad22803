"""Copies what can be read of a damaged SQLite database into a new one, row by row around the damaged pages."""

from __future__ import annotations

import sqlite3
from functools import partial

_LARGEST_ROWID = 2**63 - 1


def copy_readable(source: sqlite3.Connection, target: sqlite3.Connection) -> list[str]:
    """Copy every row that can be read, in one transaction. Return the tables of which some rows could not.

    Raise sqlite3.Error if not even the list of tables can be read, or the target cannot be written.
    """
    # A text whose bytes are none must not cost the rest of its row.
    source.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        named = source.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        ).fetchall()
        target.execute("BEGIN")
        incomplete = []
        for name, statement in [(name, sql) for kind, name, sql in named if kind == "table"]:
            target.execute(statement)
            if not _copy_table(source, target, f'"{name}"'):
                incomplete.append(name)
        # After the rows: an index is made anew from what there is, however damaged the old one.
        for statement in [sql for kind, _, sql in named if kind != "table"]:
            target.execute(statement)
        target.execute("COMMIT")
    finally:
        source.text_factory = str
    return incomplete


def _copy_table(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> bool:
    """Copy the rows of a table in their order. Return False if some could not be read."""
    is_whole, last, step = True, -1, 1
    while last < _LARGEST_ROWID:
        try:
            # By the table itself: its indexes may be what is damaged.
            rows = source.execute(f"SELECT rowid, * FROM {table} NOT INDEXED WHERE rowid > ? ORDER BY rowid", (last,))  # noqa: S608
            for rowid, *values in rows:
                places = ", ".join("?" * len(values))
                target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", values)  # noqa: S608
                last, step = rowid, 1
            break
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            # How many rows a damaged page had is not known: each vain attempt looks twice as far behind it.
            is_whole, last, step = False, min(last + step, _LARGEST_ROWID), 2 * step
    return is_whole
