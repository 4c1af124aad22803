"""Copies what can be read of a damaged SQLite database into a new one, row by row around the damaged pages."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
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
    last, step, gap_begins_at = -1, 1, None
    is_whole = True
    while last < _LARGEST_ROWID:
        try:
            for rowid, values in _read_rows(source, table, last, _LARGEST_ROWID):
                if gap_begins_at is not None:
                    # The attempts have gone too far: what is between the damaged page and this row can be read from here.
                    _copy_backwards(source, target, table, gap_begins_at, rowid)
                    gap_begins_at = None
                _insert(target, table, values)
                last, step = rowid, 1
            break
        except sqlite3.DatabaseError as error:
            _raise_unless_damaged(error)
            # How many rows a damaged page had is not known: each vain attempt looks twice as far behind it.
            gap_begins_at = last if gap_begins_at is None else gap_begins_at
            is_whole, last, step = False, min(last + step, _LARGEST_ROWID), 2 * step
    return is_whole


def _copy_backwards(source: sqlite3.Connection, target: sqlite3.Connection, table: str, after: int, before: int) -> None:
    """Copy the rows of a range from its end up to a damaged page."""
    try:
        for _, values in _read_rows(source, table, after, before - 1, order="DESC"):
            _insert(target, table, values)
    except sqlite3.DatabaseError as error:
        _raise_unless_damaged(error)


def _read_rows(
    source: sqlite3.Connection, table: str, after: int, last: int, order: str = "ASC"
) -> Iterator[tuple[int, Sequence[object]]]:
    # By the table itself: its indexes may be what is damaged.
    query = f"SELECT rowid, * FROM {table} NOT INDEXED WHERE rowid > ? AND rowid <= ? ORDER BY rowid {order}"  # noqa: S608
    for rowid, *values in source.execute(query, (after, last)):
        yield rowid, values


def _insert(target: sqlite3.Connection, table: str, values: Sequence[object]) -> None:
    places = ", ".join("?" * len(values))
    target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", values)  # noqa: S608


def _raise_unless_damaged(error: sqlite3.DatabaseError) -> None:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
        raise error
