"""A backup of SQLite that is consistent while Touchline runs: SQLite's own, checked, and put in its place in one step."""

from __future__ import annotations

import os
import shlex
import sqlite3
from pathlib import Path

from sqlalchemy.engine import URL

from bot.errors import StoreError, UserMistake
from bot.store.engine import address
from bot.store.snapshot import snapshot

_MAGIC = b"SQLite format 3\0"


def backed_up(url: str, file: Path) -> str:
    """Back up; what was done, as a sentence. Raise UserMistake where it cannot be."""
    source = _file_of(url, file)
    _refuse_to_overwrite(source, file)
    partial = file.with_name(f".{file.name}.partial")
    try:
        _written(source, partial)
        partial.replace(file)
        _settled(file.parent)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise UserMistake(f"{file}: the backup of {source} failed: {error}") from error
    return f"{file}: {file.stat().st_size / 1e6:.1f} MB"


def _file_of(url: str, file: Path) -> Path:
    try:
        parsed = address(url)
    except StoreError as error:
        raise UserMistake(str(error)) from error
    if parsed.get_backend_name() == "postgresql":
        raise UserMistake(f"storage.url: PostgreSQL is backed up by its own tool: {_pg_dump(parsed, file)}")
    if not parsed.database or not Path(parsed.database).is_file():
        raise UserMistake(f"storage.url: there is no database {parsed.database or 'in a file'} yet")
    return Path(parsed.database)


def _pg_dump(url: URL, file: Path) -> str:
    without_password = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return f"pg_dump --format=custom --file={shlex.quote(str(file))} {shlex.quote(without_password.render_as_string())}"


def _refuse_to_overwrite(source: Path, file: Path) -> None:
    """Only an older backup is replaced."""
    if not file.exists():
        return
    if file.samefile(source):
        raise UserMistake(f"{file}: this is the database itself; name another file")
    with file.open("rb") as there:
        if there.read(len(_MAGIC)) != _MAGIC:
            raise UserMistake(f"{file}: this is no backup, and stays as it is; name another file")


def _written(source: Path, partial: Path) -> None:
    partial.unlink(missing_ok=True)
    snapshot(source, partial)
    with partial.open("rb") as written:
        os.fsync(written.fileno())


def _settled(folder: Path) -> None:
    """The new name outlives a loss of power."""
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
