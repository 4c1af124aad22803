"""The real process starts while Telegram lets nobody in, and stops while Telegram asks to wait."""

from __future__ import annotations

from pathlib import Path

from bot.fake_telegram.state import too_many
from tests.e2e.stage import BOT_TOKEN, configuration, starting
from tests.e2e.story import RULES, SHORT_END, STANDING, short_match, shown, stepped
from tests.fakes.bot_api import FakeBotApi


async def test_matches_are_followed_before_the_bot_is_let_in_and_a_stop_does_not_wait_for_an_answer_that_is_held_back(
    tmp_path: Path,
) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped(short_match()) as feed:
        telegram.fail("getMe", times=None)
        async with starting(configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)) as bot:
            await feed.until_connected()
            await feed.send_rest()
            await bot.says("match_ended")
            before = bot.output
            telegram.troubles.clear()
            await telegram.until(lambda: SHORT_END in shown(telegram)[0])
            telegram.refuse(77, too_many(50), times=1)
            telegram.say(77, 77, "/help")
            await bot.says("reply_retry_scheduled")
            code = await bot.end()

    assert ('"started"' in before, '"started"' in bot.output, code) == (False, True, 0)
    assert sorted(shown(telegram)[0]) == sorted([*STANDING[:2], SHORT_END])
    assert ('"stopped"' in bot.output, "stop_cut_short" in bot.output) == (True, False)
    assert telegram.chat(77).messages == []


async def test_a_stop_ends_it_before_it_was_let_in(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        telegram.hang("getMe", times=None)
        async with starting(configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)) as bot:
            await feed.until_connected()
            await telegram.until(lambda: telegram.calls("getMe"))
            code = await bot.end()

    assert (code, "Traceback" in bot.output) == (0, False)
