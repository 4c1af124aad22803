"""A SQLite database as it is at one moment, while others write it: SQLite's own online backup."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path


def snapshot(source: Path, target: Path) -> None:
    """Write it to a new file and check that. Raise sqlite3.Error or OSError where either fails.

    One step reads one state; in WAL mode, who writes meanwhile is not held up.
    """
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=30)) as there, closing(sqlite3.connect(target)) as here:
        shutil.copymode(source, target)
        there.backup(here)
        here.execute("PRAGMA journal_mode = DELETE")
        (answer,) = here.execute("PRAGMA quick_check").fetchone()
    if answer != "ok":
        raise sqlite3.DatabaseError(answer)
