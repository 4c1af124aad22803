"""A database of any earlier version is opened by this one, and everything that it knew is there and can be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, create_engine, select
from sqlalchemy.ext.asyncio import create_async_engine

from bot.clock import ManualClock
from bot.config.rule_versions import RuleVersionRepository
from bot.outbox import news_store
from bot.outbox.statements import row_to_delivery, row_to_news
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.fixtures import FeedPositionRepository, FixtureStatusRepository
from bot.storage.schema import alerts, entries, metadata, positions
from bot.storage.subscriptions import SubscriptionRepository
from tests.bot.news import NOW
from tests.rows import make_row, open_database
from tests.stored import FOLDER, ROWS, build, revisions, scripts, upgrade

EARLIER = revisions()[:-1]
DROPPED_TABLES = {("0001", "positions")}
"""What a later version dropped on purpose: a position in a feed without the match as it stood there."""


def load(revision: str, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((FOLDER / f"{revision}.sql").read_text(encoding="utf-8"))


def read_schema(file: Path) -> dict[str, str]:
    with closing(sqlite3.connect(file)) as connection:
        return {
            name: "".join(sql.split()) for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE sql != ''")
        }


def read_tables(revision: str, file: Path) -> dict[str, Table]:
    """Return the tables of a version, without those that were dropped since."""
    with closing(sqlite3.connect(file)) as connection:
        statements = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall())
    names = [name for name in statements if name != "alembic_version" and (revision, name) not in DROPPED_TABLES]
    return {name: reflect_table(name, statements[name]) for name in names}


@cache
def reflect_table(name: str, statement: str) -> Table:
    """Return the table that a statement makes. A step of the schema changes few, and to read the columns of all takes long."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
        table = Table(name, MetaData(), autoload_with=connection, resolve_fks=False)
    engine.dispose()
    return table


async def read_rows(db: Database, was: Table) -> list[dict[Any, Any]]:
    """Return the rows of a table, in the columns that it had."""
    now = metadata.tables[was.name]
    columns = [now.c[name] for name in was.c.keys()]  # noqa: SIM118 (iterating gives columns, not names)
    async with db.transaction() as tx:
        return [dict(row) for row in await tx.fetch(select(*columns).order_by(*now.primary_key))]


async def assert_rows_are_kept(db: Database, known: dict[str, Table]) -> None:
    for table in known.values():
        assert await read_rows(db, table) == [make_row(table, number) for number in range(1, ROWS + 1)], table.name


async def build_postgres(url: str, revision: str, numbers: Iterable[int]) -> dict[str, Table]:
    """Bring a PostgreSQL database to a version, which leaves rows with these numbers in each table; return its tables."""
    engine = create_async_engine(url.replace("postgresql", "postgresql+asyncpg", 1))
    async with engine.connect() as connection:
        tables = await connection.run_sync(build, revision, numbers)
    await engine.dispose()
    return tables


async def read_with_repositories(db: Database, rows: int = ROWS) -> None:
    """Let every repository read what there is; whatever it cannot read raises."""
    chats, clock = ChatRepository(db), ManualClock(NOW)
    for chat in await chats.get_all():
        await SubscriptionRepository(db).get_all(chat.ref)
    async with db.transaction() as tx:
        assert len([row_to_news(row) for row in await tx.fetch(select(alerts))]) == rows
        assert len([row_to_delivery(row) for row in await tx.fetch(select(entries))]) == rows
        await news_store.read_unfinished_news(tx)
        places = await tx.fetch(select(positions.c.fixture_id))
    assert all([await FeedPositionRepository(db, clock).get(row["fixture_id"]) for row in places])
    await RuleVersionRepository(db).recent()
    await FixtureStatusRepository(db, clock).get_all()


@pytest.mark.parametrize("revision", EARLIER)
async def test_a_stored_database_is_opened_with_all_that_it_knew(
    revision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "touchline.db"
    load(revision, file)
    known = read_tables(revision, file)
    # Alembic would read all migrations from their files anew for each database.
    monkeypatch.setattr(ScriptDirectory, "from_config", lambda _: scripts())

    async with open_database(f"sqlite:///{file}") as db:
        await assert_rows_are_kept(db, known)
        await read_with_repositories(db)


async def test_a_postgresql_database_is_opened_with_the_rows_that_every_version_wrote(new_postgres_url: str) -> None:
    """One database goes through all versions, and each writes rows into it: one for each would repeat all earlier steps."""
    written = {revision: range(1 + ROWS * place, 1 + ROWS * (place + 1)) for place, revision in enumerate(EARLIER)}
    known = {}
    for revision, numbers in written.items():
        known[revision] = await build_postgres(new_postgres_url, revision, numbers)

    async with open_database(new_postgres_url) as db:
        for name in {name for tables in known.values() for name in tables}:
            rows = await read_rows(db, metadata.tables[name])
            writers = [revision for revision in EARLIER if name in known[revision] and (revision, name) not in DROPPED_TABLES]
            assert len(rows) == ROWS * len(writers), name
            for revision in writers:
                was = known[revision][name]
                kept = [{column: row[column] for column in was.c.keys()} for row in rows]  # noqa: SIM118
                assert all(make_row(was, number) in kept for number in written[revision]), (revision, name)
        await read_with_repositories(db, ROWS * len(EARLIER))


@pytest.mark.parametrize("revision", [EARLIER[0], EARLIER[-1]])
async def test_a_postgresql_database_of_an_earlier_version_is_upgraded_at_one_start(
    revision: str, tmp_path: Path, new_postgres_url: str
) -> None:
    await build_postgres(new_postgres_url, revision, range(1, ROWS + 1))

    load(revision, tmp_path / "known.db")
    async with open_database(new_postgres_url) as db:
        await assert_rows_are_kept(db, read_tables(revision, tmp_path / "known.db"))
        await read_with_repositories(db)


@pytest.mark.slow
def test_the_steps_of_the_schema_stay_as_they_were_when_they_were_stored(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/built.db")
    for revision in EARLIER:
        load(revision, tmp_path / f"{revision}.db")
        with engine.connect() as connection:
            upgrade(connection, revision)
        assert read_schema(tmp_path / f"{revision}.db") == read_schema(tmp_path / "built.db"), revision
    engine.dispose()


def test_every_earlier_step_is_stored() -> None:
    assert {file.stem for file in FOLDER.glob("*.sql")} >= set(EARLIER), "store it with: python -m tests.stored"
