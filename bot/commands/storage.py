"""The commands `copy`, `backup` and `restore`."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shlex
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import bindparam, func, insert, select, text, tuple_
from sqlalchemy.engine import URL
from sqlalchemy.sql.schema import Table

from bot.commands.common import config_option
from bot.errors import StorageError, UserMistake
from bot.storage.database import Database, read_storage_url
from bot.storage.database_file import DatabaseLock, count_chats, find_database_file
from bot.storage.driver import PreparedStatement, Transaction
from bot.storage.schema import metadata
from bot.storage.sqlite import backup_to


@click.command()
@click.option("--from", "source", required=True, metavar="URL", help="What is copied, such as sqlite:///touchline.db.")
@click.option("--to", "target", required=True, metavar="URL", help="An empty database, such as postgresql://USER@HOST/NAME.")
def copy_command(source: str, target: str) -> None:
    """Copy all that one database knows into another, empty one."""

    with show_progress() as report:
        counts = asyncio.run(copy_database(source, target, report))
    for table_name, count in counts.items():
        click.echo(f"{count:>12,} {table_name}")


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


TRANSIENT_TABLES = frozenset({"leases", "claims", "allowance", "rate_shares", "feed_requests", "updates"})
"""Tables that are not copied: they hold what running processes do at this moment."""

# Rows of one insert: enough that the round trip to PostgreSQL does not count, and some megabytes at most.
_PAGE_SIZE = 2000

ReportProgress = Callable[[str, int, int], None]
"""Called with the name of a table, how many of its rows are copied, and how many there are."""


async def copy_database(source: str, target: str, report: ReportProgress) -> dict[str, int]:
    """Copy every table and return the numbers of rows by its name.

    Raise UserMistake if the source cannot be read, or the target is not empty or cannot be written.
    """
    try:
        async with (
            _open_snapshot(_read_url_option("--from", source)) as source_database,
            _open_database(_read_url_option("--to", target)) as target_database,
        ):
            return await _copy_tables(source_database, target_database, report)
    except StorageError as error:
        raise UserMistake(str(error).replace("storage.url: ", "", 1)) from error


async def _copy_tables(source: Database, target: Database, report: ReportProgress) -> dict[str, int]:
    async with source.transaction() as reading, target.transaction() as writing:
        if source.is_shared:
            # Every page is read from the same moment: a subscription copied without its chat would break the target.
            await reading.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        for table in _list_tables():
            # Rows of another bot would be mixed with these, and their keys could collide.
            if count := await _count_rows(table, writing):
                name = _format_table_name(table)
                raise UserMistake(f"--to: the database is not empty, it has {name}: {count:,}; name one that is")
        return {
            _format_table_name(table): await _copy_table(table, reading, writing, report, target.is_shared)
            for table in _list_tables()
        }


@contextmanager
def show_progress() -> Iterator[ReportProgress]:
    """Show a progress bar for each table, if standard error is a terminal."""
    columns = TextColumn("{task.description:>14}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def report(table_name: str, done: int, total: int) -> None:
            task = (
                tasks[table_name] if table_name in tasks else tasks.setdefault(table_name, bars.add_task(table_name, total=total))
            )
            bars.update(task, completed=done)

        yield report


def _read_url_option(option: str, url: str) -> URL:
    try:
        return read_storage_url(url)
    except StorageError as error:
        raise UserMistake(str(error).replace("storage.url", option, 1)) from error


@asynccontextmanager
async def _open_database(url: URL) -> AsyncIterator[Database]:
    database = await Database.open(url.render_as_string(hide_password=False))
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _open_snapshot(url: URL) -> AsyncIterator[Database]:
    """Open the database as it is now. Of SQLite a copy is opened, because opening migrates it: the source must stay as it is."""
    if url.get_backend_name() != "sqlite":
        async with _open_database(url) as database:
            yield database
        return
    # A person who only looks at 0.2 must be able to go on with 0.1.
    with tempfile.TemporaryDirectory(prefix="touchline-") as folder:
        copy = Path(folder, "snapshot.db")
        _write_snapshot(url.database or "", copy)
        async with _open_database(URL.create("sqlite", database=str(copy))) as database:
            yield database


def _write_snapshot(source: str, copy: Path) -> None:
    if not Path(source).is_file():
        raise UserMistake(f"--from: there is no database {source or 'in a file'}")
    try:
        backup_to(Path(source), copy)
    except (OSError, sqlite3.Error) as error:
        raise UserMistake(f"--from: {source} cannot be read: {error}") from error


def _list_tables() -> Sequence[Table]:
    return [table for table in metadata.sorted_tables if table.name not in TRANSIENT_TABLES]


def _format_table_name(table: Table) -> str:
    return table.name.replace("_", " ")


async def _count_rows(table: Table, tx: Transaction) -> int:
    return int((await tx.fetch(select(func.count().label("n")).select_from(table)))[0]["n"])


async def _copy_table(table: Table, reading: Transaction, writing: Transaction, report: ReportProgress, shared: bool) -> int:
    names = [column.name for column in table.columns]
    statement = PreparedStatement(insert(table).values({name: bindparam(name) for name in names}), names)
    done, total = 0, await _count_rows(table, reading)
    async for page in _read_pages(table, reading):
        rows = [[row[name] for name in names] for row in page]
        if shared:
            # PostgreSQL cannot store NUL characters in a text. SQLite can, and names from outside may contain them.
            rows = [[value.replace("\0", "") if isinstance(value, str) else value for value in row] for row in rows]
        await writing.execute_prepared(statement, rows)
        done += len(page)
        report(_format_table_name(table), done, total)
    if shared and done and (number := table.autoincrement_column) is not None:
        # Rows that bring their number with them do not advance PostgreSQL's sequence: the next new row would collide with one.
        sequence = func.pg_get_serial_sequence(table.name, number.name)
        await writing.fetch(select(func.setval(sequence, select(func.max(number)).scalar_subquery())))
    return done


async def _read_pages(table: Table, tx: Transaction) -> AsyncIterator[Sequence[Mapping[Any, Any]]]:
    """Read all rows in pages, in the order of the primary key."""
    # By key and not by OFFSET, which would read all rows before it again for each page.
    keys = list(table.primary_key)
    query = select(table).order_by(*keys).limit(_PAGE_SIZE)
    page = await tx.fetch(query)
    while page:
        yield page
        last = tuple_(*(page[-1][key.name] for key in keys))
        page = await tx.fetch(query.where(tuple_(*keys) > last)) if len(page) == _PAGE_SIZE else ()


_SQLITE_HEADER = b"SQLite format 3\0"


def backup_database(url: str, file: Path) -> str:
    """Back up a SQLite database into a file and return a sentence with its size; raise UserMistake if it fails."""
    source = _find_database_file(url, file)
    _refuse_to_overwrite(source, file)
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        backup_to(source, partial)
        # Written to the disk before it takes the place of the older backup, and the folder after that: a power failure at any
        # moment leaves one whole backup under this name.
        _sync_to_disk(partial)
        partial.replace(file)
        _sync_to_disk(file.parent)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise UserMistake(f"{file}: the backup of {source} failed: {error}") from error
    return f"{file}: {file.stat().st_size / 1e6:.1f} MB"


async def restore_database(url: str, file: Path) -> str:
    """Put a backup in the place of a SQLite database and return a sentence; raise UserMistake if it fails.

    The bot must not run. The database that is there is renamed and not deleted.
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
        async with _open_database(URL.create("sqlite", database=str(trial))) as database:
            chats = await count_chats(database)
        _give_to_owner(partial, place)
        _sync_to_disk(partial)
        kept = _set_aside(place)
        partial.replace(place)
        _sync_to_disk(place.parent)
    except (OSError, sqlite3.Error) as error:
        raise UserMistake(f"{file}: cannot be restored: {error}; the database stays as it is") from error
    except StorageError as error:
        raise UserMistake(f"{file}: this is no backup that can be used: {error}".replace("storage.url: ", "")) from error
    finally:
        for one in (partial, *trial.parent.glob(f"{trial.name}*")):
            one.unlink(missing_ok=True)
    return f"{place}: {chats} chats, restored from {file}" + (f"; what was there is now {kept}" if kept else "")


def _give_to_owner(file: Path, place: Path) -> None:
    """Give a file to the owner of the database that it replaces: root restores, and the bot's user has to write it."""
    found = (place if place.exists() else place.parent).stat()
    if (found.st_uid, found.st_gid) != (file.stat().st_uid, file.stat().st_gid):
        os.chown(file, found.st_uid, found.st_gid)


def _set_aside(place: Path) -> Path | None:
    """Rename a database with its logs, and return its new name; None if there is none."""
    names = [name for name in (place, *(place.with_name(place.name + end) for end in ("-wal", "-shm"))) if name.exists()]
    kept = place.with_name(f"{place.name}.replaced-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}")
    for name in names:
        # The logs keep the name of their file: together they are still a database.
        name.rename(kept.with_name(kept.name + name.name.removeprefix(place.name)))
    return kept if names else None


def _find_database_file(url: str, file: Path) -> Path:
    try:
        parsed = read_storage_url(url)
    except StorageError as error:
        raise UserMistake(str(error)) from error
    if parsed.get_backend_name() == "postgresql":
        # The password is left out: the line is shown on a screen. pg_dump reads it from PGPASSWORD or ~/.pgpass.
        address = URL.create("postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database, parsed.query)
        command = f"pg_dump --format=custom --file={shlex.quote(str(file))} {shlex.quote(address.render_as_string())}"
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
