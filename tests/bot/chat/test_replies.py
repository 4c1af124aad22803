"""How the bot's answers leave."""

from __future__ import annotations

import pytest
from telegram import CallbackQuery, User

from bot.chat.replies import ReplySender
from bot.telegram.messenger import build_bot
from tests.bot.chat.conftest import World
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.bot_api_state import too_many


@pytest.mark.parametrize("words", ["", "✅ Arsenal"])
async def test_a_press_is_answered_with_the_words_that_there_are_and_no_others(words: str) -> None:
    async with FakeBotApi() as api, build_bot(api.token, api.url) as bot:
        api.queries.add("5")
        query = CallbackQuery("5", User(42, "Somebody", is_bot=False), "5")
        query.set_bot(bot)

        await ReplySender(bot).acknowledge(query, words)

        answer = api.answer("5")
        assert answer is not None and answer["text"] == words


async def test_a_command_is_answered_though_telegram_asks_to_wait(world: World) -> None:
    world.api.fail("sendMessage", too_many(1))

    answer = await world.ask(42, 42, "/help")

    assert "/subscribe" in answer.text and len(world.api.calls("sendMessage")) == 2


async def test_a_press_is_answered_and_shown_though_telegram_asks_to_wait(world: World) -> None:
    await world.ask(42, 42, "/language")
    before = world.api.chat(42).last.text
    world.api.fail("editMessageText", too_many(1))
    world.api.fail("answerCallbackQuery", too_many(61))

    world.api.tap(42, 42, "Português")
    await world.api.until(lambda: world.api.chat(42).last.text != before)

    assert len(world.api.calls("editMessageText")) == 2
