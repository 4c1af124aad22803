"""`touchline backup`: a file that holds what the database knew at one moment, or a sentence that says why there is none."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.commands.backup import backup_database
from bot.errors import UserMistake
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.schema import chats
from bot.subscribers import Chat, ChatRef
from tests.sqlite import list_file_names, read_chat_ids


async def test_a_backup_holds_what_was_committed_while_the_bot_runs(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path}/touchline.db", tmp_path / "backup.db"
    db = await Database.open(url)
    await ChatRepository(db).save(Chat(ChatRef(1)))
    async with db.transaction() as tx:
        await tx.execute(chats.delete())
        backup_database(url, file)
    await ChatRepository(db).save(Chat(ChatRef(2)))
    await db.close()

    assert await read_chat_ids(file) == [1]


async def test_a_backup_takes_the_place_of_an_older_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path}/touchline.db", tmp_path / "backup.db"
    db = await Database.open(url)
    backup_database(url, file)
    await ChatRepository(db).save(Chat(ChatRef(1)))
    sentence = backup_database(url, file)
    await db.close()

    assert sentence.startswith(f"{file}: 0.")
    assert list_file_names(tmp_path) == ["backup.db", "touchline.db"]
    assert await read_chat_ids(file) == [1]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("touchline.db", "this is the database itself; name another file"),
        ("notes.txt", "this is no backup, and stays as it is"),
        ("nowhere/backup.db", "the backup of .*touchline.db failed: unable to open database file"),
        ("folder", "the backup of .*touchline.db failed: .*Is a directory"),
        ("x" * 300, "the backup of .*touchline.db failed: .*File name too long"),
    ],
)
async def test_a_place_where_no_backup_may_be_is_a_sentence(tmp_path: Path, name: str, sentence: str) -> None:
    url = f"sqlite:///{tmp_path}/touchline.db"
    await (await Database.open(url)).close()
    (tmp_path / "notes.txt").write_text("dear diary")
    (tmp_path / "folder").mkdir()

    with pytest.raises(UserMistake, match=sentence):
        backup_database(url, tmp_path / name)
    assert (tmp_path / "notes.txt").read_text() == "dear diary"


def test_a_damaged_database_is_told_and_an_older_backup_stays(tmp_path: Path) -> None:
    source, file = tmp_path / "touchline.db", tmp_path / "backup.db"
    for path in (source, file):
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE t (x TEXT)")
            connection.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 50)
        connection.close()
    before = file.read_bytes()
    source.write_bytes(before[:8192] + b"\xff" * 4096 + before[12288:])

    with pytest.raises(UserMistake, match=r"the backup of .*touchline\.db failed"):
        backup_database(f"sqlite:///{source}", file)
    assert file.read_bytes() == before and not list(tmp_path.glob(".*partial"))


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///nowhere.db"])
def test_where_there_is_no_database_there_is_nothing_to_back_up(tmp_path: Path, url: str) -> None:
    with pytest.raises(UserMistake, match="there is no database"):
        backup_database(url, tmp_path / "backup.db")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://anna:hunter2@db.example/touchline", "postgresql://anna@db.example/touchline"),
        ("postgresql://db.example/touchline?password=hunter2&sslpassword=hunter2", "postgresql://db.example/touchline"),
        (
            "postgresql://db.example/touchline?user=anna&password=hunter2&sslmode=require",
            "'postgresql://db.example/touchline?sslmode=require&user=anna'",
        ),
    ],
)
def test_for_postgresql_its_own_tool_is_named_without_the_password(tmp_path: Path, url: str, shown: str) -> None:
    (tmp_path / "config.yaml").write_text(f"storage: {{url: '{url}'}}")

    done = CliRunner().invoke(main, ["backup", "--config", str(tmp_path / "config.yaml"), str(tmp_path / "b.dump")])

    assert done.exit_code == 1
    assert f"pg_dump --format=custom --file={tmp_path}/b.dump {shown}" in done.output
    assert "hunter2" not in done.output
