"""`copy`, `backup`."""

from __future__ import annotations

import asyncio
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
from sqlalchemy.sql.schema import Column, Table

from bot.commands.common import config_option
from bot.errors import StorageError, UserMistake
from bot.storage.database import Database, read_storage_url
from bot.storage.driver import PreparedStatement, Transaction
from bot.storage.schema import metadata
from bot.storage.sqlite import backup_to


@click.command()
@click.option("--from", "source", required=True, metavar="URL", help="What is copied, such as sqlite:///touchline.db.")
@click.option("--to", "target", required=True, metavar="URL", help="An empty database, such as postgresql://USER@HOST/NAME.")
def copy_command(source: str, target: str) -> None:
    """Copy all that one database knows into another, empty one."""
    from bot.commands.storage import copy_database as copied
    from bot.commands.storage import show_progress as progress

    with progress() as step:
        counts = asyncio.run(copied(source, target, step))
    for noun, count in counts.items():
        click.echo(f"{count:>12,} {noun}")


@click.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup_command(config_path: Path, file: Path) -> None:
    """Write what the database knows at this moment into FILE, also while Touchline runs."""
    from bot.commands.storage import backup_database as backed_up
    from bot.config.load import load_config

    click.echo(backed_up(load_config(config_path, os.environ).storage.url, file))


TRANSIENT_TABLES = frozenset({"leases", "claims", "allowance"})
"""Tables of what processes do at this moment: nothing to take along."""

_PAGE_SIZE = 2000

ReportProgress = Callable[[str, int, int], None]
"""Called with a noun, how many of it are copied, and of how many."""


async def copy_database(source: str, target: str, step: ReportProgress) -> dict[str, int]:
    """Copy; by noun, how many. Raise UserMistake where the source cannot be read, or the target cannot be filled."""
    try:
        async with (
            _open_snapshot(_read_url_option("--from", source)) as there,
            _open_database(_read_url_option("--to", target)) as here,
        ):
            return await _copy_tables(there, here, step)
    except StorageError as error:
        raise UserMistake(str(error).replace("storage.url: ", "", 1)) from error


async def _copy_tables(there: Database, here: Database, step: ReportProgress) -> dict[str, int]:
    async with there.transaction() as reading, here.transaction() as writing:
        if there.is_shared:
            await reading.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await _refuse_unless_empty(writing)
        return {
            _format_table_name(table): await _copy_table(table, reading, writing, step, here.is_shared)
            for table in _list_tables()
        }


@contextmanager
def show_progress() -> Iterator[ReportProgress]:
    """A bar for each noun, where somebody looks."""
    columns = TextColumn("{task.description:>14}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def step(noun: str, done: int, total: int) -> None:
            task = tasks[noun] if noun in tasks else tasks.setdefault(noun, bars.add_task(noun, total=total))
            bars.update(task, completed=done)

        yield step


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
    """The database as it is now. Of SQLite a copy is opened: one of an earlier version is migrated there, and stays as it was."""
    if url.get_backend_name() != "sqlite":
        async with _open_database(url) as database:
            yield database
        return
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


async def _refuse_unless_empty(tx: Transaction) -> None:
    for table in _list_tables():
        if count := await _count_rows(table, tx):
            raise UserMistake(f"--to: the database is not empty, it has {_format_table_name(table)}: {count:,}; name one that is")


async def _count_rows(table: Table, tx: Transaction) -> int:
    return int((await tx.fetch(select(func.count().label("n")).select_from(table)))[0]["n"])


async def _copy_table(table: Table, reading: Transaction, writing: Transaction, step: ReportProgress, shared: bool) -> int:
    names = [column.name for column in table.columns]
    statement = PreparedStatement(insert(table).values({name: bindparam(name) for name in names}), names)
    done, total = 0, await _count_rows(table, reading)
    async for page in _read_pages(table, reading):
        await writing.execute_prepared(statement, [[_remove_nul(row[name], shared) for name in names] for row in page])
        done += len(page)
        step(_format_table_name(table), done, total)
    if shared and done and (number := table.autoincrement_column) is not None:
        await writing.fetch(_set_sequence(table, number))
    return done


async def _read_pages(table: Table, tx: Transaction) -> AsyncIterator[Sequence[Mapping[Any, Any]]]:
    """All rows, in the order of the primary key."""
    keys = list(table.primary_key)
    query = select(table).order_by(*keys).limit(_PAGE_SIZE)
    page = await tx.fetch(query)
    while page:
        yield page
        last = tuple_(*(page[-1][key.name] for key in keys))
        page = await tx.fetch(query.where(tuple_(*keys) > last)) if len(page) == _PAGE_SIZE else ()


def _remove_nul(value: Any, shared: bool) -> Any:
    """PostgreSQL keeps no NUL in a text."""
    return value.replace("\0", "") if shared and isinstance(value, str) else value


def _set_sequence(table: Table, number: Column[Any]) -> Any:
    """PostgreSQL numbers new rows on from the highest."""
    sequence = func.pg_get_serial_sequence(table.name, number.name)
    return select(func.setval(sequence, select(func.max(number)).scalar_subquery()))


_SQLITE_HEADER = b"SQLite format 3\0"


def backup_database(url: str, file: Path) -> str:
    """Back up; what was done, as a sentence. Raise UserMistake where it cannot be."""
    source = _find_database_file(url, file)
    _refuse_to_overwrite(source, file)
    partial = file.with_name(f".{file.name}.partial")
    try:
        _write_backup(source, partial)
        partial.replace(file)
        _sync_folder(file.parent)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise UserMistake(f"{file}: the backup of {source} failed: {error}") from error
    return f"{file}: {file.stat().st_size / 1e6:.1f} MB"


def _find_database_file(url: str, file: Path) -> Path:
    try:
        parsed = read_storage_url(url)
    except StorageError as error:
        raise UserMistake(str(error)) from error
    if parsed.get_backend_name() == "postgresql":
        raise UserMistake(f"storage.url: PostgreSQL is backed up by its own tool: {_format_pg_dump(parsed, file)}")
    if not parsed.database or not Path(parsed.database).is_file():
        raise UserMistake(f"storage.url: there is no database {parsed.database or 'in a file'} yet")
    return Path(parsed.database)


def _format_pg_dump(url: URL, file: Path) -> str:
    without_password = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return f"pg_dump --format=custom --file={shlex.quote(str(file))} {shlex.quote(without_password.render_as_string())}"


def _refuse_to_overwrite(source: Path, file: Path) -> None:
    """Only an older backup is replaced."""
    if not file.exists():
        return
    if file.samefile(source):
        raise UserMistake(f"{file}: this is the database itself; name another file")
    with file.open("rb") as there:
        if there.read(len(_SQLITE_HEADER)) != _SQLITE_HEADER:
            raise UserMistake(f"{file}: this is no backup, and stays as it is; name another file")


def _write_backup(source: Path, partial: Path) -> None:
    partial.unlink(missing_ok=True)
    backup_to(source, partial)
    with partial.open("rb") as written:
        os.fsync(written.fileno())


def _sync_folder(folder: Path) -> None:
    """The new name outlives a loss of power."""
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
