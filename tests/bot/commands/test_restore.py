"""`touchline restore`: the backup is in the database's place, or a sentence says why not and nothing has changed."""

from __future__ import annotations

import datetime as dt
import errno
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

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
    with closing(sqlite3.connect(kept)) as found:
        assert found.execute("SELECT title FROM chats WHERE chat_id = 2").fetchall() == [("newest",)]


async def test_a_database_that_is_gone_is_restored(database: Path, tmp_path: Path) -> None:
    delete(database)
    sentence = await restore_database(f"sqlite:///{database}", tmp_path / "backup.db")

    assert (sentence, await read_chat_ids(database)) == (f"{database}: 1 chats, restored from {tmp_path}/backup.db", [1])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("touchline.db", "this is the database itself; name a backup"),
        ("nothing.db", "nothing.db: there is no such file"),
        ("x" * 300, "xxx: cannot be restored: .*File name too long.*; the database stays as it is"),
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


async def test_databases_that_are_replaced_in_one_second_are_all_kept(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StoppedClock(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> StoppedClock:
            return cls(2026, 11, 28, 9, tzinfo=tz)

    monkeypatch.setattr("bot.commands.backup.dt", SimpleNamespace(datetime=StoppedClock, UTC=dt.UTC))
    for _ in range(3):
        await restore_database(f"sqlite:///{database}", tmp_path / "backup.db")

    kept = sorted(name for name in list_file_names(tmp_path) if "replaced" in name)
    assert [name.partition("Z")[2] for name in kept] == ["", "-2", "-3"]
    assert await read_chat_ids(tmp_path / kept[0]) == [1, 2]


class Killed(BaseException):
    """As a kill does, this lets nothing be put in order afterwards."""


@pytest.mark.parametrize("has_links", [True, False])
@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), Killed()])
async def test_a_database_is_in_the_place_at_every_moment(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, has_links: bool
) -> None:
    killed = sqlite3.connect(database)  # as a kill leaves it: with what was committed in the log
    killed.execute("UPDATE chats SET title = 'newest' WHERE chat_id = 2")
    killed.commit()
    before = list_file_names(tmp_path)
    replace = Path.replace

    def fail_to_replace(self: Path, target: Path) -> Path:
        if self.name != ".touchline.db.restored":
            return replace(self, target)
        raise error

    monkeypatch.setattr(Path, "replace", fail_to_replace)
    if not has_links:
        monkeypatch.setattr(Path, "hardlink_to", lambda *_: os.truncate("/nowhere", 0))
    with pytest.raises((UserMistake, Killed)) as raised:
        await restore_database(f"sqlite:///{database}", tmp_path / "backup.db")

    if isinstance(raised.value, UserMistake):
        assert str(raised.value).endswith("Input/output error; the database stays as it is")
        assert [name for name in list_file_names(tmp_path) if not name.endswith(".lock")] == before
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as found:
        assert found.execute("SELECT title FROM chats WHERE chat_id = 2").fetchall() == [("newest",)]
    killed.close()


async def test_a_folder_that_cannot_be_written_to_the_disk_changes_nothing(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def fail_for_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    before = list_file_names(tmp_path)
    monkeypatch.setattr(os, "fsync", fail_for_folders)
    with pytest.raises(UserMistake, match="the database stays as it is"):
        await restore_database(f"sqlite:///{database}", tmp_path / "backup.db")

    assert [name for name in list_file_names(tmp_path) if not name.endswith(".lock")] == before
    assert await read_chat_ids(database) == [1, 2]


async def test_a_file_system_without_hard_links_keeps_a_private_copy(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", lambda *_: os.truncate("/nowhere", 0))

    sentence = await restore_database(f"sqlite:///{database}", tmp_path / "backup.db")
    kept = tmp_path / sentence.rpartition("/")[2]

    assert mode_of(kept) == 0o600
    assert (await read_chat_ids(database), await read_chat_ids(kept)) == ([1], [1, 2])


async def test_postgresql_has_its_own_tool(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="pg_restore"):
        await restore_database("postgresql://user@db.example.org/touchline", tmp_path / "backup.db")


def test_the_command_reads_the_place_from_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f'storage: {{url: "sqlite:///{tmp_path}/touchline.db"}}')
    (tmp_path / "backup.db").write_text("no database")

    result = CliRunner().invoke(main, ["restore", "--config", str(config), str(tmp_path / "backup.db")])

    assert result.exit_code == 1
