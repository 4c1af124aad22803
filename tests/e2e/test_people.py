"""The whole bot and the people around it: admins who are told, chats that come, move and go while a match runs."""

from __future__ import annotations

import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

from bot.chat.updates import SECOND_PROCESS
from tests.e2e.stage import ADMIN, BOT_TOKEN, FEED_TOKEN, configuration, running
from tests.e2e.story import CHAT, FALLEN, RULES, STANDING, feed, full_time, shown
from tests.fakes.bot_api import FakeBotApi

READER, GROUP, SUPERGROUP = 43, -500, -1_000_000_000_500
NOBODY = RULES[RULES.index("rules:") :]
EVERYBODY = "chats:" + "".join(f"\n  - {{chat: {chat}, subscribe: [all]}}" for chat in (CHAT, READER, GROUP)) + f"\n{NOBODY}"


def stored(folder: Path) -> dict[int, bool]:
    """By chat, whether it is active."""
    with closing(sqlite3.connect(folder / "touchline.db")) as database:
        rows: list[Any] = database.execute("SELECT chat_id, active FROM chats").fetchall()
    return {chat_id: bool(active) for chat_id, active in rows}


async def test_a_refused_feed_token_is_one_clear_sentence_and_people_are_still_answered(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, AsyncExitStack() as stack:
        async with feed("another-token") as urls:
            bot = await stack.enter_async_context(running(configuration(tmp_path, urls.stream, urls.api, telegram, RULES)))
            telegram.say(CHAT, CHAT, "/help")
            await telegram.until(lambda: telegram.chat(ADMIN).messages and telegram.chat(CHAT).messages)
        async with feed(port=int(urls.api.rpartition(":")[2])):
            await bot.says("feed_connected", within=10)

    assert len([line for line in bot.lines if '"feed_refused"' in line]) == 1
    told = telegram.chat(ADMIN).messages[0]
    assert told.text.startswith("🛠 feed-refused: the feed refuses us: HTTP 401")
    assert "Check feed.token" in told.text
    assert not any(secret in bot.output + told.text for secret in (BOT_TOKEN, FEED_TOKEN))


async def test_a_new_subscription_takes_effect_within_two_seconds_while_the_match_runs(tmp_path: Path) -> None:
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        feed() as urls,
        running(configuration(tmp_path, urls.stream, urls.api, telegram, NOBODY)) as bot,
    ):
        await bot.says("fixtures_refreshed")
        telegram.say(CHAT, CHAT, "/subscribe Arsenal")
        await bot.says("feed_connected", within=2)
        await full_time(telegram)

    assert set(STANDING[-2:]) <= set(shown(telegram)[0])


async def test_a_group_that_moves_and_a_reader_who_leaves_change_nothing_for_others(tmp_path: Path) -> None:
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        feed() as urls,
        running(configuration(tmp_path, urls.stream, urls.api, telegram, EVERYBODY)),
    ):
        await telegram.until(lambda: all(telegram.chat(chat).messages for chat in (CHAT, READER, GROUP)), within=20)
        telegram.block(READER)
        telegram.migrate(GROUP, SUPERGROUP)
        await full_time(telegram)
        await full_time(telegram, SUPERGROUP)

    assert shown(telegram) == (STANDING, FALLEN)
    assert STANDING[-1] not in shown(telegram, READER)[0]
    assert stored(tmp_path) == {CHAT: True, READER: False, SUPERGROUP: True}


async def test_a_second_process_on_the_same_bot_token_is_named_in_one_sentence(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    async with FakeBotApi(BOT_TOKEN) as telegram, feed() as urls:
        configs = [configuration(folder, urls.stream, urls.api, telegram, NOBODY) for folder in (tmp_path, other)]
        async with running(configs[0]) as first, running(configs[1]) as second:
            for bot in (first, second):
                await bot.says("updates_stopped")
            polls = len(telegram.calls("getUpdates"))
            await telegram.until(lambda: len(telegram.calls("getUpdates")) > polls + 4, within=15)

    for bot in (first, second):
        (line,) = [line for line in bot.lines if "updates_stopped" in line]
        assert SECOND_PROCESS[1] in line
    assert {message.text for message in telegram.chat(ADMIN).messages} == {"🛠 {}: {}".format(*SECOND_PROCESS)}
    assert len(telegram.chat(ADMIN).messages) == 2
