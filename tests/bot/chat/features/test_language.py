"""The language of a chat."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.chat.features.language import set_language
from bot.subscribers import Chat, ChatRef
from tests.bot.chat.conftest import ADMIN, World
from tests.bot.chat.fixtures import make_context

GROUP, CHANNEL = -100, -1_001_234_567_890


async def stored_language(world: World, chat_id: int) -> tuple[str, bool]:
    chat = await world.load_chat(chat_id)
    return chat.language, chat.language_chosen


@pytest.mark.parametrize("typed", ["de", "Deutsch", "GERMAN"])
async def test_a_language_is_chosen_by_its_code_or_its_name(world: World, typed: str) -> None:
    await world.ask(42, 42, f"/language {typed}")

    assert await stored_language(world, 42) == ("de", True)
    assert "✅ Deutsch" in world.api.chat(42).last.labels


async def test_a_language_is_chosen_by_a_button_and_then_ticked(world: World) -> None:
    world.api.languages[42] = "it"
    message = await world.ask(42, 42, "/language")
    await world.tap(42, 42, "Português")

    assert await stored_language(world, 42) == ("pt", True)
    assert [label for label in message.labels if label.startswith("✅")] == ["✅ Português"]


async def test_an_unknown_language_is_answered_with_those_that_the_bot_speaks(world: World) -> None:
    answer = await world.ask(42, 42, "/language klingon")

    assert "“klingon”" in answer.text and "Italiano" in answer.labels
    assert await world.press(42, 42, answer, "lang:tlh") == "This button is outdated. Send the command again."


async def test_a_private_chat_has_the_language_of_its_users_telegram_until_one_is_chosen(world: World) -> None:
    languages = []
    for code, text in (("es-AR", "/subscribe all"), ("fr", "/help"), ("fr", "/language de"), ("it", "/help")):
        world.api.languages[42] = code
        await world.ask(42, 42, text)
        languages.append((await world.load_chat(42)).language)

    assert languages == ["es-419", "fr", "de", "de"]


async def test_a_private_chat_can_have_the_language_of_telegram_again(world: World) -> None:
    world.api.languages[42] = "fr"
    await world.ask(42, 42, "/language de")
    await world.ask(42, 42, "/language auto")

    assert await stored_language(world, 42) == ("fr", False)


async def test_a_group_takes_the_language_of_the_administrator_who_first_changed_something(world: World) -> None:
    world.api.chat(GROUP, kind="supergroup").admins = {ADMIN, 8}
    world.api.languages |= {ADMIN: "es", 8: "de"}
    for user, text in ((5, "/today"), (ADMIN, "/subscribe Arsenal"), (8, "/delay 30")):
        await world.ask(GROUP, user, text)

    assert await stored_language(world, GROUP) == ("es", False)


async def test_only_administrators_choose_a_groups_language(world: World) -> None:
    world.api.chat(GROUP, kind="supergroup").admins = {ADMIN}
    await world.ask(GROUP, 5, "/language de")
    await world.ask(GROUP, ADMIN, "/language it")

    assert await stored_language(world, GROUP) == ("it", True)


async def test_a_channels_language_is_chosen_from_the_private_chat(world: World) -> None:
    channel = world.api.chat(CHANNEL, kind="channel", title="Daily Goals")
    channel.username, channel.admins = "dailygoals", {42, 7_000_000_001}
    await world.ask(42, 42, "/channel @dailygoals")
    await world.tap(42, 42, "🌍 Language")
    await world.tap(42, 42, "Français")

    assert await stored_language(world, CHANNEL) == ("fr", True) and (await world.load_chat(42)).language != "fr"


def test_a_group_cannot_have_the_language_of_telegram() -> None:
    group = replace(make_context(), chat=Chat(ChatRef(GROUP), "supergroup"))

    result = set_language(group, ("auto",))

    assert result.changes == () and "private chat" in result.screen.html


@pytest.mark.parametrize("typed", ["pt-PT", "Português europeu", "Portuguese (Portugal)", "pt-pt"])
async def test_a_regional_form_is_chosen_by_its_code_or_its_name(world: World, typed: str) -> None:
    answer = await world.ask(42, 42, f"/language {typed}")

    assert (await world.load_chat(42)).language == "pt-PT"
    assert "✅ Português europeu" in answer.labels and answer.text == "🌍 Idioma: português europeu"
