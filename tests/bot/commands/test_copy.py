"""`touchline copy`: from either database into the other, everything or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select

from bot.cli import main
from bot.commands.copy import TRANSIENT_TABLES, copy_database
from bot.config.rule_versions import RuleOrigin, RuleVersion, RuleVersionRepository
from bot.errors import UserMistake
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.schema import metadata
from bot.subscribers import Chat, ChatRef
from tests.bot.news import NOW
from tests.rows import make_row

TABLES = [table for table in metadata.sorted_tables if table.name not in TRANSIENT_TABLES]


def ignore_progress(_noun: str, _done: int, _total: int) -> None:
    """Show no progress."""


async def fill_database(url: str, rows: int = 3, **more: int) -> None:
    """Make a database with so many rows in each table; `more` names tables with another number of them."""
    db = await Database.open(url)
    async with db.transaction() as tx:
        for table in TABLES:
            await tx.execute(insert(table), [make_row(table, number) for number in range(1, more.get(table.name, rows) + 1)])
    await db.close()


async def read_all_rows(url: str) -> dict[str, list[dict[Any, Any]]]:
    db = await Database.open(url)
    async with db.transaction() as tx:
        found = {t.name: [dict(row) for row in await tx.fetch(select(t).order_by(*t.primary_key))] for t in TABLES}
    await db.close()
    return found


async def test_a_database_arrives_in_the_other_kind_and_comes_back_as_it_was(tmp_path: Path, postgres_url: str) -> None:
    first, last = f"sqlite:///{tmp_path}/first.db", f"sqlite:///{tmp_path}/last.db"
    await fill_database(first)

    counts = await copy_database(first, postgres_url, ignore_progress)
    await copy_database(postgres_url, last, ignore_progress)

    assert counts == {table.name.replace("_", " "): 3 for table in TABLES}
    assert await read_all_rows(first) == await read_all_rows(postgres_url) == await read_all_rows(last)


@pytest.mark.slow
async def test_more_rows_than_one_page_all_arrive_and_are_counted_as_they_do(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "other")]
    await fill_database(urls[0], chats=4001, entries=4001)
    steps = []

    await copy_database(*urls, lambda noun, done, total: steps.append((noun, done, total)))

    assert [step for step in steps if step[0] == "chats"] == [("chats", n, 4001) for n in (2000, 4000, 4001)]
    assert len((await read_all_rows(urls[1]))["entries"]) == 4001


async def test_new_rows_are_numbered_on_after_a_copy(tmp_path: Path, postgres_url: str) -> None:
    await fill_database(f"sqlite:///{tmp_path}/touchline.db")
    await copy_database(f"sqlite:///{tmp_path}/touchline.db", postgres_url, ignore_progress)
    db = await Database.open(postgres_url)

    assert (await RuleVersionRepository(db).add(RuleVersion(NOW, RuleOrigin.FILES, "rules"))).id == 4
    await db.close()


async def test_a_database_that_is_written_meanwhile_is_copied_as_it_stood(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "other")]
    running = await Database.open(urls[0])
    await ChatRepository(running).save(Chat(ChatRef(1)))
    async with running.transaction() as tx:
        await tx.execute(insert(metadata.tables["chats"]), make_row(metadata.tables["chats"], 2))

        counts = await copy_database(*urls, ignore_progress)

    assert counts["chats"] == 1
    await running.close()


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("full", "full"), "--to: the database is not empty, it has alerts: 3"),
        (("none", "empty"), "--from: there is no database"),
        (("notes", "empty"), "--from: .*notes.db cannot be read: file is not a database"),
    ],
)
async def test_what_cannot_be_copied_is_a_sentence(tmp_path: Path, names: tuple[str, str], sentence: str) -> None:
    await fill_database(f"sqlite:///{tmp_path}/full.db")
    (tmp_path / "notes.db").write_text("dear diary, " * 1000)

    with pytest.raises(UserMistake, match=sentence):
        await copy_database(*(f"sqlite:///{tmp_path}/{name}.db" for name in names), ignore_progress)


async def test_a_copy_that_fails_on_its_way_leaves_the_target_empty(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "other")]
    await fill_database(urls[0])

    def stop(noun: str, _done: int, _total: int) -> None:
        if noun == "entries":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await copy_database(*urls, stop)

    assert not any((await read_all_rows(urls[1])).values())


def test_the_command_says_how_many_of_each_noun_it_copied(tmp_path: Path) -> None:
    words = [f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "other")]
    CliRunner().invoke(main, ["copy", "--from", "sqlite://", "--to", words[0]])
    (tmp_path / "one.db").touch()

    done = CliRunner().invoke(main, ["copy", "--from", words[0], "--to", words[1]], catch_exceptions=False)

    assert done.exit_code == 0
    assert {line.split(maxsplit=1)[1] for line in done.stdout.splitlines()} >= {"chats", "entries", "rule history"}


def test_what_processes_do_right_now_is_not_copied() -> None:
    assert set(metadata.tables) >= TRANSIENT_TABLES
