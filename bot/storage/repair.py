"""Repairs a damaged SQLite database: copies what can be read into a new file, row by row around the damaged pages, and puts that
in its place.
"""

from __future__ import annotations

import datetime as dt
import glob
import os
import sqlite3
import time
from contextlib import closing, suppress
from functools import partial
from heapq import heappop, heappush
from itertools import count
from pathlib import Path

from bot.storage.migrate import VERSION_TABLE, find_newest_revision

_LARGEST_ROWID = 2**63 - 1

_MAX_EMPTY_RANGES = 3000
"""Ranges of a damaged table in which no row is found, one after the other, until the table counts as read.

They take less than a second. Behind the last row there is no end of them.
"""

_EMPTY_RANGES_FOR_EACH_FOUND = 10
"""As many more for each range in which rows were found: the more pages are damaged, the more ranges lie on them alone."""

_MAX_SECONDS = 60.0
"""How long a damaged table is searched, however many rows are still found: no message leaves meanwhile."""

_ENDINGS = ("-wal", "-shm", "")
"""Of the files of a database: its log, the index of the log, and the file itself, in the order in which they are moved."""


def copy_database(source_file: Path, target_file: Path) -> list[str]:
    """Copy every row that can be read of one file, its log included, into a new one. Return the tables that are incomplete.

    Raise sqlite3.Error as `copy_readable`. Opens both files itself, so that it can run in a thread.
    """
    with closing(sqlite3.connect(source_file)) as source, closing(sqlite3.connect(target_file, isolation_level=None)) as target:
        return copy_readable(source, target)


def name_repaired(file: Path) -> Path:
    """Return what a complete copy of a damaged database is called until it is in its place."""
    return file.with_name(f"{file.name}.repaired")


def finish_repair(file: Path) -> Path:
    """Put the repaired copy of a database in its place. Return the new name of the damaged file.

    Nobody has the database open. If the process is killed meanwhile, the next one that works on the file calls it again.
    """
    repaired, kept = name_repaired(file), _name_kept(file)
    # The copy has what is in the log. SQLite would read the log of the damaged file into any file that is in its place.
    for ending in _ENDINGS:
        with suppress(FileNotFoundError):
            file.with_name(file.name + ending).rename(kept.with_name(kept.name + ending))
    _sync_folder(file)
    repaired.replace(file)
    # From here on nothing may raise: the repair is done, and the caller would undo it.
    _sync_folder(file)
    _delete_superseded(file)
    return kept


def _delete_superseded(file: Path) -> None:
    """Delete damaged files, except the first, which shows how it began and has the most, and the last, which shows how it is."""
    # A disk that fails damages one file after the other.
    with suppress(OSError):
        for superseded in sorted(file.parent.glob(f"{glob.escape(file.name)}.damaged-*Z"))[1:-1]:
            for ending in _ENDINGS:
                with suppress(OSError):
                    superseded.with_name(superseded.name + ending).unlink()


def undo_repair(file: Path) -> None:
    """Put a damaged database and its log back after `finish_repair` failed, and delete the copy."""
    kept = _name_kept(file)
    for ending in reversed(_ENDINGS):
        place = file.with_name(file.name + ending)
        if not place.exists():
            with suppress(FileNotFoundError):
                kept.with_name(kept.name + ending).rename(place)
    # Only a copy of all that is in the place may be left: what is written from now on is not in this one.
    name_repaired(file).unlink()


def _name_kept(file: Path) -> Path:
    # By the time of the copy: a process that goes on after a kill finds the same name.
    made_at = dt.datetime.fromtimestamp(name_repaired(file).stat().st_mtime, dt.UTC)
    return file.with_name(f"{file.name}.damaged-{made_at:%Y%m%dT%H%M%SZ}")


def _sync_folder(file: Path) -> None:
    # Not every file system can, as some on a network, and the process may have no descriptor left: then renames are as safe as
    # they are.
    with suppress(OSError):
        descriptor = os.open(file.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
            is_whole = _copy_table(source, target, f'"{name}"')
            if name == VERSION_TABLE.name:
                _write_missing_version(target)
            elif not is_whole:
                incomplete.append(name)
        # After the rows: an index is made anew from what there is, however damaged the old one.
        for statement in [sql for kind, _, sql in named if kind != "table"]:
            target.execute(statement)
        target.execute("COMMIT")
    finally:
        source.text_factory = str
    return incomplete


def _write_missing_version(target: sqlite3.Connection) -> None:
    """Write which migration is the last, if that is lost: the next start would make all tables a second time, and fail."""
    # Only an open database is repaired, so it has today's schema: opening it has migrated it.
    statement = f"INSERT INTO {VERSION_TABLE.name} SELECT ? WHERE NOT EXISTS (SELECT 1 FROM {VERSION_TABLE.name})"  # noqa: S608
    target.execute(statement, [find_newest_revision()])


def _copy_table(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> bool:
    """Copy the rows of a table. Return False if some could not be read."""
    # Ranges of row ids, those first in whose neighbourhood something could be read: behind the last row, where nothing can, there
    # is no end of ranges.
    numbers = count()
    ranges = [(0, next(numbers), -1, _LARGEST_ROWID)]
    is_whole = True
    # Counted since the last one with rows: a table of which rows are still found is read on.
    empty_ranges, limit, give_up_at = 0, _MAX_EMPTY_RANGES, time.monotonic() + _MAX_SECONDS
    while ranges and empty_ranges < limit and time.monotonic() < give_up_at:
        empty_attempts, _, after, last = heappop(ranges)
        reached = _copy_range(source, target, table, after, last)
        if reached is None:
            continue
        is_whole = False
        before = _copy_range(source, target, table, reached, last, backwards=True) or reached
        is_empty = before - reached > last - after
        empty_attempts, empty_ranges = (empty_attempts + 1, empty_ranges + 1) if is_empty else (0, 0)
        limit += 0 if is_empty else _EMPTY_RANGES_FOR_EACH_FOUND
        # Both ends met a damaged page, maybe two, with rows between them. How many rows a page has is not known, nor how many
        # the table has, so the parts begin with a single row, and each is twice as long as the one before it.
        step = 1
        while reached < before - 1 and last - after > 1:
            part_end = min(reached + step, before - 1)
            heappush(ranges, (empty_attempts, next(numbers), reached, part_end))
            reached, step = part_end, 2 * step
    return is_whole


def _copy_range(
    source: sqlite3.Connection, target: sqlite3.Connection, table: str, after: int, last: int, *, backwards: bool = False
) -> int | None:
    """Copy the rows from the one after `after` to `last`, or the other way, up to the first that cannot be read.

    Return the last row id that was read, or what is before the range if none was; None if all were read.
    """
    reached = last + 1 if backwards else after
    # By the table itself: its indexes may be what is damaged.
    order = "DESC" if backwards else "ASC"
    query = f"SELECT rowid, * FROM {table} NOT INDEXED WHERE rowid > ? AND rowid <= ? ORDER BY rowid {order} LIMIT ?"  # noqa: S608
    # The driver reads one row ahead, and gives no row if the next one fails: so the last before a damaged page is read alone.
    for limit in (_LARGEST_ROWID, 1):
        bounds = (after, reached - 1) if backwards else (reached, last)
        try:
            for rowid, *values in source.execute(query, (*bounds, limit)):
                places = ", ".join("?" * len(values))
                target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", values)  # noqa: S608
                reached = rowid
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
        else:
            if limit != 1:
                return None
    return reached
