"""The commands `backup` and `restore`, for a database in a SQLite file."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shlex
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import click
from sqlalchemy.engine import URL

from bot.commands.common import config_option
from bot.errors import StorageError, UserMistake
from bot.storage.database import Database, read_storage_url, render_without_password
from bot.storage.database_file import DatabaseLock, count_stored_chats, find_database_file
from bot.storage.sqlite import backup_to


@click.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup_command(config_path: Path, file: Path) -> None:
    """Write what the database knows at this moment into FILE, also while Touchline runs."""
    from bot.config.load import load_config

    click.echo(backup_database(load_config(config_path, os.environ).storage.url, file))


@click.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore_command(config_path: Path, file: Path) -> None:
    """Put the backup FILE in the database's place, while Touchline is stopped; what was there is kept beside it."""
    from bot.config.load import load_config

    click.echo(asyncio.run(restore_database(load_config(config_path, os.environ).storage.url, file)))


_SQLITE_HEADER = b"SQLite format 3\0"


def backup_database(url: str, file: Path) -> str:
    """Back up a SQLite database into a file and return a sentence with its size; raise UserMistake if it fails."""
    source = _find_database_to_back_up(url, file)
    partial = file.with_name(f".{file.name}.partial")
    try:
        _refuse_to_overwrite(source, file)
        partial.unlink(missing_ok=True)
        backup_to(source, partial)
        # Written to the disk before it takes the place of the older backup, and the folder after that: a power failure at any
        # moment leaves one whole backup under this name.
        _sync_to_disk(partial)
        partial.replace(file)
        _sync_to_disk(file.parent)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise UserMistake(f"{file}: the backup of {source} failed: {error}") from error
    return f"{file}: {file.stat().st_size / 1e6:.1f} MB"


async def restore_database(url: str, file: Path) -> str:
    """Put a backup in the place of a SQLite database and return a sentence; raise UserMistake if it fails.

    The bot must not run. The database that is there gets another name and is not deleted.
    """
    try:
        place = _find_place_to_restore(url, file)
        lock = DatabaseLock(place)
        await lock.acquire()
        try:
            return await _restore(file, place)
        finally:
            lock.release()
    except StorageError as error:
        raise UserMistake(str(error)) from error
    except OSError as error:
        raise UserMistake(f"{file}: cannot be restored: {error}; the database stays as it is") from error


def _find_place_to_restore(url: str, file: Path) -> Path:
    place = find_database_file(read_storage_url(url))
    if place is None:
        raise UserMistake("storage.url: only a SQLite file is restored by this command; PostgreSQL has pg_restore")
    if not file.is_file():
        raise UserMistake(f"{file}: there is no such file")
    if place.exists() and file.samefile(place):
        raise UserMistake(f"{file}: this is the database itself; name a backup")
    return place


async def _restore(file: Path, place: Path) -> str:
    partial, trial = (place.with_name(f".{place.name}.{word}") for word in ("restored", "trial"))
    try:
        for one in (partial, trial):
            one.unlink(missing_ok=True)
            backup_to(file, one)
        # Opened as a start would open it, which migrates it. The copy that is restored stays as it was: an older version may
        # be the one that is started.
        database = await Database.open(URL.create("sqlite", database=str(trial)).render_as_string(hide_password=False))
        try:
            chats = await count_stored_chats(database)
        finally:
            await database.close()
        _give_to_owner(partial, place)
        _sync_to_disk(partial)
        kept = _replace_database(partial, place)
    except (OSError, sqlite3.Error) as error:
        raise UserMistake(f"{file}: cannot be restored: {error}; the database stays as it is") from error
    except StorageError as error:
        raise UserMistake(f"{file}: this is no backup that can be used: {error}".replace("storage.url: ", "")) from error
    finally:
        # What cannot be tidied up does not undo a restore that succeeded.
        with suppress(OSError):
            for one in (partial, *trial.parent.glob(f"{trial.name}*")):
                one.unlink(missing_ok=True)
    return f"{place}: {chats} chats, restored from {file}" + (f"; what was there is now {kept}" if kept else "")


def _give_to_owner(file: Path, place: Path) -> None:
    """Give a file to the owner of the database that it replaces: root restores, and the bot's user has to write it."""
    found = (place if place.exists() else place.parent).stat()
    if (found.st_uid, found.st_gid) != (file.stat().st_uid, file.stat().st_gid):
        os.chown(file, found.st_uid, found.st_gid)


_ENDINGS_OF_LOGS = ("-wal", "-shm", "-journal")


def _replace_database(restored: Path, place: Path) -> Path | None:
    """Put a file in a database's place, and return the new name of what was there; None if there was nothing.

    There is a whole database in the place at every moment, also if the process is killed. If it fails, nothing has changed.
    """
    _empty_log_into_database(place)
    kept, existed, moved = _choose_kept_name(place), place.exists(), []
    try:
        if existed:
            _link_or_copy(place, kept)
        # Before the new file is there: SQLite would write an older database's log into it.
        for end in _ENDINGS_OF_LOGS:
            log_file = place.with_name(place.name + end)
            if log_file.exists():
                # The logs keep the name of their file: together they are still a database.
                moved.append((log_file, log_file.rename(kept.with_name(kept.name + end))))
        restored.replace(place)
        _sync_to_disk(place.parent)
    except OSError:
        if kept.exists():
            kept.replace(place)
            # A rename onto another link of the same file does nothing.
            kept.unlink(missing_ok=True)
        elif not existed:
            place.unlink(missing_ok=True)
        for log_file, renamed in moved:
            renamed.rename(log_file)
        raise
    return kept if existed or moved else None


def _empty_log_into_database(place: Path) -> None:
    """Write what a killed process left in the log into the database itself: the file alone is whole then."""
    log_file = place.with_name(f"{place.name}-wal")
    if not place.exists() or not log_file.exists() or not log_file.stat().st_size:
        return
    # A damaged database may be why a backup is restored. It is kept as it is then.
    with suppress(sqlite3.Error), closing(sqlite3.connect(place)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _choose_kept_name(place: Path) -> Path:
    """Return a name that no file has, also if two databases are replaced in one second."""
    kept = first = place.with_name(f"{place.name}.replaced-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}")
    number = 1
    while any(kept.with_name(kept.name + end).exists() for end in ("", *_ENDINGS_OF_LOGS)):
        number += 1
        kept = first.with_name(f"{first.name}-{number}")
    return kept


def _link_or_copy(place: Path, kept: Path) -> None:
    """Give a database a second name, or copy it where the file system has no hard links."""
    try:
        kept.hardlink_to(place)
        return
    except OSError:
        # Made before it is filled: only its owner may ever read it.
        kept.touch(0o600, exist_ok=False)
    try:
        shutil.copy2(place, kept)
        _give_to_owner(kept, place)
        _sync_to_disk(kept)
    except OSError:
        kept.unlink()
        raise


def _find_database_to_back_up(url: str, file: Path) -> Path:
    try:
        parsed = read_storage_url(url)
    except StorageError as error:
        raise UserMistake(str(error)) from error
    if parsed.get_backend_name() == "postgresql":
        # The password is left out: the line is shown on a screen. pg_dump reads it from PGPASSWORD or ~/.pgpass.
        address = render_without_password(parsed)
        command = f"pg_dump --format=custom --file={shlex.quote(str(file))} {shlex.quote(address)}"
        raise UserMistake(f"storage.url: PostgreSQL is backed up by its own tool: {command}")
    if not parsed.database or not Path(parsed.database).is_file():
        raise UserMistake(f"storage.url: there is no database {parsed.database or 'in a file'} yet")
    return Path(parsed.database)


def _refuse_to_overwrite(source: Path, file: Path) -> None:
    """Replace only an older backup, never another file or the database itself."""
    if not file.exists():
        return
    if file.samefile(source):
        raise UserMistake(f"{file}: this is the database itself; name another file")
    # By its first bytes: nothing but an older backup is replaced, whatever the name says.
    with file.open("rb") as existing:
        if existing.read(len(_SQLITE_HEADER)) != _SQLITE_HEADER:
            raise UserMistake(f"{file}: this is no backup, and stays as it is; name another file")


def _sync_to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, would survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
