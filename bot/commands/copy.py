"""The command `copy`: copies one database into another, which may be of the other kind."""

from __future__ import annotations

import asyncio
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

    with show_progress() as report:
        counts = asyncio.run(copy_database(source, target, report))
    for table_name, count in counts.items():
        click.echo(f"{count:>12,} {table_name}")


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
    # One transaction for all tables: a copy that fails in the middle leaves the target empty, and can be tried again.
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
