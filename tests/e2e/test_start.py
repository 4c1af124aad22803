"""The real process starts while Telegram lets nobody in, and stops while Telegram asks to wait."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.stage import BOT_TOKEN, configuration, touchline
from tests.e2e.story import RULES, STANDING, feed, full_time, shown
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.bot_api_state import too_many


async def test_matches_are_followed_meanwhile_and_what_is_news_is_told_once_the_bot_is_let_in(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram:
        telegram.fail("getMe", times=None)
        async with feed(speed=1200.0) as urls:
            bot = await touchline(
                "run", "--config", configuration(tmp_path, urls.stream, urls.api, telegram, RULES), folder=tmp_path
            )
            await bot.says("feed_finished", within=20)
        before = bot.output
        telegram.troubles.clear()
        await full_time(telegram)
        code = await bot.end()

    assert ('"started"' in before, '"started"' in bot.output, code) == (False, True, 0)
    assert sorted(shown(telegram)[0]) == sorted(STANDING)


async def test_a_stop_ends_it_before_it_was_let_in(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, feed() as urls:
        telegram.hang("getMe", times=None)
        bot = await touchline("run", "--config", configuration(tmp_path, urls.stream, urls.api, telegram, RULES), folder=tmp_path)
        await bot.says("feed_connected")
        code = await bot.end(within=5)

    assert (code, "Traceback" in bot.output) == (0, False)


async def test_a_stop_does_not_wait_for_an_answer_that_telegram_holds_back(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, feed() as urls:
        bot = await touchline("run", "--config", configuration(tmp_path, urls.stream, urls.api, telegram, RULES), folder=tmp_path)
        await bot.says("feed_connected")
        telegram.refuse(77, too_many(50), times=1)
        telegram.say(77, 77, "/help")
        await bot.says("reply_retry_scheduled")
        code = await bot.end(within=5)

    assert (code, '"stopped"' in bot.output, "stop_cut_short" in bot.output) == (0, True, False)
