"""`touchline restore`: the backup is in the database's place, or a sentence says why not and nothing has changed."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.commands.backup import backup_database, restore_database
from bot.errors import UserMistake
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.subscribers import Chat, ChatRef
from tests.sqlite import list_file_names, read_chat_ids


async def save_chat(file: Path, chat_id: int) -> None:
    database = await Database.open(f"sqlite:///{file}")
    await ChatRepository(database).save(Chat(ChatRef(chat_id)))
    await database.close()


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def delete(file: Path) -> None:
    file.unlink()


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """A database with a chat, its backup, and a second chat that only the database knows."""
    file = tmp_path / "touchline.db"
    await save_chat(file, 1)
    backup_database(f"sqlite:///{file}", tmp_path / "backup.db")
    await save_chat(file, 2)
    return file


async def test_the_backup_is_in_the_place_and_what_was_there_is_kept(database: Path, tmp_path: Path) -> None:
    sentence = await restore_database(f"sqlite:///{database}", tmp_path / "backup.db")
    kept = tmp_path / sentence.rpartition("/")[2]

    assert sentence.startswith(f"{database}: 1 chats, restored from {tmp_path}/backup.db; what was there is now ")
    assert list_file_names(tmp_path) == ["backup.db", "touchline.db", "touchline.db.lock", kept.name]
    assert mode_of(database) == 0o600
    assert (await read_chat_ids(database), await read_chat_ids(kept)) == ([1], [1, 2])


async def test_the_log_of_the_database_that_was_there_does_not_reach_the_restored_one(database: Path, tmp_path: Path) -> None:
    killed = sqlite3.connect(database)  # as a kill leaves it: with what was committed in the log
    killed.execute("UPDATE chats SET title = 'newest'")
    killed.commit()
    sentence = await restore_database(f"sqlite:///{database}", tmp_path / "backup.db")
    kept = tmp_path / sentence.rpartition("/")[2]
    killed.close()

    assert await read_chat_ids(database) == [1]
    rows = sqlite3.connect(kept).execute("SELECT title FROM chats WHERE chat_id = 2").fetchall()
    assert rows == [("newest",)]


async def test_a_database_that_is_gone_is_restored(database: Path, tmp_path: Path) -> None:
    delete(database)
    sentence = await restore_database(f"sqlite:///{database}", tmp_path / "backup.db")

    assert (sentence, await read_chat_ids(database)) == (f"{database}: 1 chats, restored from {tmp_path}/backup.db", [1])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("touchline.db", "this is the database itself; name a backup"),
        ("nothing.db", "nothing.db: there is no such file"),
        ("notes.txt", "notes.txt: cannot be restored: file is not a database"),
        ("newer.db", "newer.db: this is no backup that can be used: .*newer"),
    ],
)
async def test_what_is_no_backup_changes_nothing(database: Path, tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "notes.txt").write_text("dear diary " * 1000)
    await save_chat(tmp_path / "newer.db", 3)
    newer = sqlite3.connect(tmp_path / "newer.db")
    newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.commit()
    newer.execute("PRAGMA journal_mode = DELETE")
    newer.close()
    before = list_file_names(tmp_path)

    with pytest.raises(UserMistake, match=sentence):
        await restore_database(f"sqlite:///{database}", tmp_path / name)
    assert [name for name in list_file_names(tmp_path) if not name.endswith(".lock")] == before
    assert await read_chat_ids(database) == [1, 2]


async def test_postgresql_has_its_own_tool(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="pg_restore"):
        await restore_database("postgresql://user@db.example.org/touchline", tmp_path / "backup.db")


def test_the_command_reads_the_place_from_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f'storage: {{url: "sqlite:///{tmp_path}/touchline.db"}}')
    (tmp_path / "backup.db").write_text("no database")

    result = CliRunner().invoke(main, ["restore", "--config", str(config), str(tmp_path / "backup.db")])

    assert result.exit_code == 1
