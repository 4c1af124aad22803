"""Everything that one database knows, into another one: all of it or nothing."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import bindparam, func, insert, select, text, tuple_
from sqlalchemy.engine import URL
from sqlalchemy.sql.schema import Column, Table

from bot.errors import StoreError, UserMistake
from bot.store.driver import Transaction
from bot.store.engine import Database, address
from bot.store.prepared import Prepared
from bot.store.schema import metadata
from bot.store.snapshot import snapshot

PASSING = frozenset({"leases", "claims", "allowance"})
"""Tables of what processes do at this moment: nothing to take along."""
_PAGE = 2000

Step = Callable[[str, int, int], None]
"""Called with a noun, how many of it are copied, and of how many."""


async def copied(source: str, target: str, step: Step) -> dict[str, int]:
    """Copy; by noun, how many. Raise UserMistake where the source cannot be read, or the target cannot be filled."""
    try:
        async with _snapshot(_address("--from", source)) as there, _opened(_address("--to", target)) as here:
            return await _between(there, here, step)
    except StoreError as error:
        raise UserMistake(str(error).replace("storage.url: ", "", 1)) from error


async def _between(there: Database, here: Database, step: Step) -> dict[str, int]:
    async with there.transaction() as reading, here.transaction() as writing:
        if there.shared:
            await reading.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await _refuse_unless_empty(writing)
        return {_noun(table): await _table(table, reading, writing, step, here.shared) for table in _tables()}


@contextmanager
def progress() -> Iterator[Step]:
    """A bar for each noun, where somebody looks."""
    columns = TextColumn("{task.description:>14}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def step(noun: str, done: int, total: int) -> None:
            task = tasks[noun] if noun in tasks else tasks.setdefault(noun, bars.add_task(noun, total=total))
            bars.update(task, completed=done)

        yield step


def _address(option: str, url: str) -> URL:
    try:
        return address(url)
    except StoreError as error:
        raise UserMistake(str(error).replace("storage.url", option, 1)) from error


@asynccontextmanager
async def _opened(url: URL) -> AsyncIterator[Database]:
    database = await Database.open(url.render_as_string(hide_password=False))
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _snapshot(url: URL) -> AsyncIterator[Database]:
    """The database as it is now. Of SQLite a copy is opened: one of an earlier version is migrated there, and stays as it was."""
    if url.get_backend_name() != "sqlite":
        async with _opened(url) as database:
            yield database
        return
    with tempfile.TemporaryDirectory(prefix="touchline-") as folder:
        copy = Path(folder, "snapshot.db")
        _written(url.database or "", copy)
        async with _opened(URL.create("sqlite", database=str(copy))) as database:
            yield database


def _written(source: str, copy: Path) -> None:
    if not Path(source).is_file():
        raise UserMistake(f"--from: there is no database {source or 'in a file'}")
    try:
        snapshot(Path(source), copy)
    except (OSError, sqlite3.Error) as error:
        raise UserMistake(f"--from: {source} cannot be read: {error}") from error


def _tables() -> Sequence[Table]:
    return [table for table in metadata.sorted_tables if table.name not in PASSING]


def _noun(table: Table) -> str:
    return table.name.replace("_", " ")


async def _refuse_unless_empty(tx: Transaction) -> None:
    for table in _tables():
        if count := await _count(table, tx):
            raise UserMistake(f"--to: the database is not empty, it has {_noun(table)}: {count:,}; name one that is")


async def _count(table: Table, tx: Transaction) -> int:
    return int((await tx.fetch(select(func.count().label("n")).select_from(table)))[0]["n"])


async def _table(table: Table, reading: Transaction, writing: Transaction, step: Step, shared: bool) -> int:
    names = [column.name for column in table.columns]
    statement = Prepared(insert(table).values({name: bindparam(name) for name in names}), names)
    done, total = 0, await _count(table, reading)
    async for page in _pages(table, reading):
        await writing.run(statement, [[_storable(row[name], shared) for name in names] for row in page])
        done += len(page)
        step(_noun(table), done, total)
    if shared and done and (number := table.autoincrement_column) is not None:
        await writing.fetch(_counted_on(table, number))
    return done


async def _pages(table: Table, tx: Transaction) -> AsyncIterator[Sequence[Mapping[Any, Any]]]:
    """All rows, in the order of the primary key."""
    keys = list(table.primary_key)
    query = select(table).order_by(*keys).limit(_PAGE)
    page = await tx.fetch(query)
    while page:
        yield page
        last = tuple_(*(page[-1][key.name] for key in keys))
        page = await tx.fetch(query.where(tuple_(*keys) > last)) if len(page) == _PAGE else ()


def _storable(value: Any, shared: bool) -> Any:
    """PostgreSQL keeps no NUL in a text."""
    return value.replace("\0", "") if shared and isinstance(value, str) else value


def _counted_on(table: Table, number: Column[Any]) -> Any:
    """PostgreSQL numbers new rows on from the highest."""
    sequence = func.pg_get_serial_sequence(table.name, number.name)
    return select(func.setval(sequence, select(func.max(number)).scalar_subquery()))
