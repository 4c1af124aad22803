"""The real process and the file of its database: one process on it, whatever ended the one before."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.storage.chats import ChatRepository
from bot.subscribers import Chat, ChatRef
from tests.e2e.stage import ADMIN, BOT_TOKEN, configuration, running, starting, touchline
from tests.e2e.story import CHAT, GOAL, NOBODY, RULES, STANDING, ask, play, shown, stepped
from tests.fakes.bot_api import FakeBotApi
from tests.rows import open_database
from tests.sqlite import new_sqlite
from tests.waiting import until


async def test_a_second_process_on_the_same_file_is_refused_in_one_sentence_and_commands_work_beside_the_first(
    tmp_path: Path,
) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        (tmp_path / "link.db").symlink_to(tmp_path / "touchline.db")
        by_link = tmp_path / "link.yaml"
        by_link.write_text(config.read_text().replace("/touchline.db", "/link.db"))
        async with running(config):
            await feed.until_connected()
            refused = []
            for again in (config, by_link):
                async with starting(again) as second:
                    refused.append((await second.wait(), second.output))
            restoring = await touchline("restore", "--config", config, config, folder=tmp_path)
            refused.append((await restoring.wait(), restoring.output))
            beside = [
                await touchline(*words, folder=tmp_path)
                for words in (
                    ("backup", "--config", config, tmp_path / "backup.db"),
                    ("check", "--config", config),
                    ("copy", "--from", f"sqlite:///{tmp_path}/touchline.db", "--to", f"sqlite:///{tmp_path}/copy.db"),
                )
            ]
            codes = [await command.wait() for command in beside]
            await play(feed, telegram, to=GOAL)
            sent = shown(telegram)[0]

    sentence = (
        f"storage.url: another Touchline runs on {tmp_path}/touchline.db; stop it first, or give this one a file of its own\n"
    )
    assert refused == [(1, sentence)] * 3
    assert codes == [0, 0, 0]
    assert sent == ["Goal Saka 10'"]


async def test_after_a_kill_the_file_is_free(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        async with running(config) as bot:
            await bot.end("SIGKILL")
        async with running(config) as again:
            await again.says('"started"')
            code = await again.end()

    assert code == 0


async def test_a_database_that_is_deleted_under_the_bot_is_told_and_saved_and_the_next_start_says_that_it_is_empty(
    tmp_path: Path,
) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, NOBODY)
        database = tmp_path / "touchline.db"
        # Known from an earlier run, so that the first look at the file counts it: the next one is twenty seconds later.
        async with open_database(new_sqlite(tmp_path)) as db:
            await ChatRepository(db).save(Chat(ChatRef(CHAT)))
        async with running(config):
            await until(lambda: '"chats": 1' in (tmp_path / "touchline.db.lock").read_text())
            database.unlink()
            await telegram.until(lambda: telegram.chat(ADMIN).messages)
        async with running(config):
            await telegram.until(lambda: len(telegram.chat(ADMIN).messages) == 2)
        lost, empty = (message.text for message in telegram.chat(ADMIN).messages)
        rescued = re.search(r"touchline restore ([^`]+)`", empty)
        assert rescued
        restoring = await touchline("restore", "--config", config, rescued[1], folder=tmp_path)
        assert await restoring.wait() == 0
        async with running(config) as bot:
            await bot.says('"started"')
            known = await ask(telegram, CHAT, "/status", CHAT)

    assert lost.startswith(f"🛠 database-lost: the database {database} was deleted or renamed while the bot runs on it")
    assert empty.startswith(f"🛠 The database {database} is empty, and the last time it knew 1 chats")
    assert known and "1 chats" in restoring.output


def damage_table(file: Path, table: str) -> None:
    """Overwrite the page with a table's rows, as a disk does that fails."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    content = bytearray(file.read_bytes())
    content[(page - 1) * size : page * size] = b"\xa5" * size
    file.write_bytes(content)


@pytest.mark.parametrize("table", ["alerts", "subscriptions"])
async def test_a_bot_with_a_damaged_page_starts_says_what_is_missing_and_sends_what_comes(tmp_path: Path, table: str) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        async with running(config):
            await feed.until_connected()
            await play(feed, telegram, to=GOAL)
        damage_table(tmp_path / "touchline.db", table)
        async with running(config):
            await feed.send_until("Red Card")
            await telegram.until(lambda: STANDING[1] in shown(telegram)[0] and telegram.chat(ADMIN).messages)
        told = telegram.chat(ADMIN).last.text

    assert told.startswith("🛠 The database") and f"Rows are missing in: {table}. The damaged file is" in told
    assert shown(telegram) == (STANDING[:2], [])
