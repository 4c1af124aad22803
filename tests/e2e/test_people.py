"""The whole bot and the people around it: admins who are told, chats that come, move and go while a match runs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.chat.updates import SECOND_PROCESS
from tests.e2e.stage import ADMIN, BOT_TOKEN, FEED_TOKEN, configuration, running
from tests.e2e.story import CHAT, FALL, NOBODY, RED, STANDING, play, short_match, shown, stepped, until_shown
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.stepped_feed import SteppedFeed
from tests.waiting import until

READER, GROUP, SUPERGROUP, FANS = 43, -500, -1_000_000_000_500, -1_000_000_000_600
BY_NAME = f"chats: [{{chat: '@arsenal_fans', subscribe: all}}]\n{NOBODY}"
EVERYBODY = "chats:" + "".join(f"\n  - {{chat: {chat}, subscribe: [all]}}" for chat in (CHAT, READER, GROUP)) + f"\n{NOBODY}"


def read_active_chats(folder: Path) -> dict[int, bool]:
    """By chat, whether it is active."""
    with closing(sqlite3.connect(folder / "touchline.db")) as database:
        rows: list[Any] = database.execute("SELECT chat_id, active FROM chats").fetchall()
    return {chat_id: bool(active) for chat_id, active in rows}


async def test_a_refused_feed_token_is_one_clear_sentence_and_who_subscribes_while_the_match_runs_gets_alerts_at_once(
    tmp_path: Path,
) -> None:
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        SteppedFeed([short_match()], "another-token") as feed,
    ):
        fans = telegram.chat(FANS, kind="channel", title="Fans")
        fans.username = "arsenal_fans"
        fans.admins.add(telegram.me["id"])
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, BY_NAME)
        async with running(config) as bot:
            await until(lambda: FANS in read_active_chats(tmp_path))
            telegram.say(CHAT, CHAT, "/help")
            await telegram.until(lambda: telegram.chat(ADMIN).messages and telegram.chat(CHAT).messages)
            notice = telegram.chat(ADMIN).messages[0]
            feed.accept_token(FEED_TOKEN)
            await bot.says("fixtures_refreshed")
            await feed.send_next(RED)
            telegram.say(CHAT, CHAT, "/subscribe Arsenal")
            await telegram.until(lambda: any("Following" in message.text for message in telegram.chat(CHAT).messages))
            await feed.until_connected()
            await feed.send_rest()
            # The chat that followed in mid-match, and the one that the configuration names by its public name.
            for chat in (CHAT, FANS):
                await telegram.until(lambda chat=chat: "Full time 1–0" in shown(telegram, chat)[0])

    assert len([line for line in bot.lines if '"feed_refused"' in line]) == 1
    assert notice.text.startswith("🛠 feed-refused: the feed refuses us: HTTP 401")
    assert "Check feed.token" in notice.text
    assert not any(secret in bot.output + notice.text for secret in (BOT_TOKEN, FEED_TOKEN))


async def test_a_group_that_moves_and_a_reader_who_leaves_change_nothing_for_others(tmp_path: Path) -> None:
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        stepped() as feed,
        running(configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, EVERYBODY)),
    ):
        await play(feed, telegram, to=FALL)
        for chat in (READER, GROUP):
            await until_shown(telegram, FALL, chat)
        telegram.block(READER)
        telegram.migrate(GROUP, SUPERGROUP)
        await play(feed, telegram)
        await telegram.until(lambda: shown(telegram, SUPERGROUP)[0] == STANDING[2:])
        await until(lambda: read_active_chats(tmp_path) == {CHAT: True, READER: False, SUPERGROUP: True})

    assert STANDING[-1] not in shown(telegram, READER)[0]


async def test_a_second_process_on_the_same_bot_token_is_named_in_one_sentence(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        configs = [configuration(folder, feed.urls.stream, feed.urls.api, telegram, NOBODY) for folder in (tmp_path, other)]
        async with running(configs[0]) as first, running(configs[1]) as second:
            for bot in (first, second):
                await bot.says("updates_stopped")
            polls = len(telegram.calls("getUpdates"))
            await telegram.until(lambda: len(telegram.calls("getUpdates")) > polls + 4)

    for bot in (first, second):
        (line,) = [line for line in bot.lines if "updates_stopped" in line]
        assert SECOND_PROCESS[1] in line
    assert {message.text for message in telegram.chat(ADMIN).messages} == {"🛠 {}: {}".format(*SECOND_PROCESS)}
    assert len(telegram.chat(ADMIN).messages) == 2
