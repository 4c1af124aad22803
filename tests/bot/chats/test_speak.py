"""How the bot's answers leave."""

from __future__ import annotations

import pytest
from telegram import CallbackQuery, User

from bot.chats.speak import acknowledge
from bot.telegram.bot_messenger import build_bot
from tests.fakes.bot_api import FakeBotApi


@pytest.mark.parametrize("words", ["", "✅ Arsenal"])
async def test_a_press_is_answered_with_the_words_that_there_are_and_no_others(words: str) -> None:
    async with FakeBotApi() as api, build_bot(api.token, api.url) as bot:
        api.queries.add("5")
        query = CallbackQuery("5", User(42, "Somebody", is_bot=False), "5")
        query.set_bot(bot)

        await acknowledge(query, words)

        answer = api.answer("5")
        assert answer is not None and answer["text"] == words
