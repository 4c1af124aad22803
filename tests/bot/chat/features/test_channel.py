"""An administrator chooses for a channel from the private chat with the bot."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.chat import texts
from bot.chat.allowed import chat_not_allowed_text
from bot.chat.features.channel import (
    not_channel_administrator_text,
    show_channel_menu,
)
from bot.fake_telegram import FakeChat, RefusedError
from bot.subscribers import Chat, ChatRef
from tests.bot.chat.conftest import World
from tests.bot.chat.features.conftest import BOT, CHANNEL, NAMED, OWNER
from tests.bot.chat.features.test_timeline import CUP, PAST
from tests.bot.chat.fixtures import NOW

GROUP = -1_000_000_000_400


@pytest.mark.usefixtures("channel")
@pytest.mark.parametrize("name", ["@dailygoals", "DailyGoals", "https://t.me/dailygoals", str(CHANNEL)])
async def test_a_channel_is_chosen_for_with_buttons_that_say_for_which(world: World, name: str) -> None:
    message = await world.ask(OWNER, OWNER, f"/channel {name}")
    await world.tap(OWNER, OWNER, "⚽ Follow a team")
    await world.tap(OWNER, OWNER, "Premier League")
    notice = await world.tap(OWNER, OWNER, "Chelsea")

    assert (await world.list_followed(CHANNEL), await world.list_followed(OWNER), notice) == (["Chelsea"], [], "✅ Chelsea")
    assert message.text.startswith(NAMED) and len(message.edits) == 3 and "✅ Chelsea" in message.labels


@pytest.mark.slow
@pytest.mark.usefixtures("channel")
async def test_every_setting_is_a_tap_away_and_every_screen_leads_back(world: World) -> None:
    message = await world.ask(OWNER, OWNER, "/channel @dailygoals")
    menu = message.labels
    for result, label in enumerate(menu[:-1]):
        world.clock.move_to(NOW + dt.timedelta(seconds=result))
        await world.tap(OWNER, OWNER, label)
        assert message.text.startswith(NAMED)
        await world.tap(OWNER, OWNER, "◀ Channel")

    assert message.labels == menu and [ref for ref, _, _ in world.samples] == [ChatRef(CHANNEL)]
    assert not world.api.chat(CHANNEL).messages


@pytest.mark.usefixtures("channel")
async def test_the_words_after_a_channels_name_are_a_command_for_it(world: World) -> None:
    followed = await world.ask(OWNER, OWNER, "/channel @dailygoals subscribe arsenal")
    await world.ask(OWNER, OWNER, "/channel @dailygoals /timezone madrid")

    assert followed.text.startswith(f"{NAMED}\n\n✅ Following Arsenal.")
    assert await world.list_followed(CHANNEL) == ["Arsenal"] and (await world.load_chat(CHANNEL)).timezone == "Europe/Madrid"


@pytest.mark.usefixtures("channel")
async def test_a_match_of_a_channel_is_drawn_in_the_private_chat(world: World) -> None:
    world.directory.play(CUP, PAST)
    asked = await world.ask(OWNER, OWNER, "/channel @dailygoals timeline a")
    await world.tap(OWNER, OWNER, "Fenerbahçe")
    named = await world.ask(OWNER, OWNER, "/channel @dailygoals timeline fener")

    assert [bool(message.photo) for message in world.api.chat(OWNER).messages] == [False, True, True]
    assert asked.text.startswith(NAMED) and named.text.startswith("Fenerbahçe") and not named.labels


@pytest.mark.usefixtures("channel")
async def test_a_forwarded_post_names_its_channel(world: World) -> None:
    world.api.forward(OWNER, OWNER, CHANNEL)
    await world.api.until(lambda: world.api.chat(OWNER).messages)

    assert world.api.chat(OWNER).last.text.startswith(NAMED)


async def test_only_its_administrators_choose_for_a_channel(world: World, channel: FakeChat) -> None:
    refused = await world.ask(5, 5, "/channel @dailygoals")
    message = await world.ask(OWNER, OWNER, "/channel @dailygoals")
    channel.admins.discard(OWNER)
    world.clock.move_to(NOW + dt.timedelta(seconds=61))
    pressed = await world.press(OWNER, OWNER, message, f"@{CHANNEL};t:{'A' * 8}:h:0")

    assert refused.text == pressed == not_channel_administrator_text() and not message.edits


@pytest.mark.usefixtures("channel")
async def test_forged_buttons_do_nothing_for_chats_of_others(world: World) -> None:
    await world.ask(OWNER, OWNER, "/channel @dailygoals")
    message = await world.ask(5, 5, "/help")
    data = (f"@{CHANNEL};ka", f"@{CHANNEL};d:20261122:0", f"@{CHANNEL};menu", "@43;ka", "@;ka", f"@{CHANNEL};")
    answers = [await world.press(5, 5, message, one) for one in data]

    assert answers == [not_channel_administrator_text()] * 4 + [texts.outdated_button_text()] * 2
    assert not (await world.load_chat(CHANNEL)).filter.all_kinds and await world.chats.get(ChatRef(43)) is None


@pytest.mark.usefixtures("channel")
async def test_a_button_for_a_channel_that_was_never_seen_is_out_of_date(world: World) -> None:
    message = await world.ask(OWNER, OWNER, "/help")

    assert await world.press(OWNER, OWNER, message, f"@{CHANNEL};ka") == texts.outdated_button_text()


async def test_the_right_that_the_bot_lacks_is_named(world: World, channel: FakeChat) -> None:
    channel.lacks = {"can_post_messages"}
    lacking = await world.ask(OWNER, OWNER, "/channel @dailygoals")
    channel.admins.discard(BOT)
    channel.refusal = RefusedError(403, "Forbidden: bot is not a member of the channel chat")
    absent = await world.ask(OWNER, OWNER, "/channel @dailygoals")
    world.api.forward(OWNER, OWNER, CHANNEL)
    await world.api.until(lambda: len(world.api.chat(OWNER).messages) > 2)

    assert "I lack the right to post messages" in lacking.text and "I can't see a channel" in absent.text
    assert world.api.chat(OWNER).last.text.startswith("I am not in Daily Goals")


async def test_only_a_channel_is_set_up_and_only_in_private(world: World) -> None:
    world.api.chat(GROUP, title="Fans").username = "fans"
    answers = [
        (await world.ask(OWNER, OWNER, text)).text for text in ("/channel @fans", "/channel @nobody", "/channel 1 2", "/channel")
    ]
    elsewhere = await world.ask(GROUP, 5, "/channel @fans")

    assert answers[0] == "That's not a channel. For a group, send commands in the group." and all(
        "I can't see" in text for text in answers[1:3]
    )
    assert (
        "Add me to the channel" in answers[3]
        and elsewhere.text == "Channels are managed in our private chat: send /channel there."
    )


def test_data_for_a_channel_fits_into_a_button() -> None:
    reply = show_channel_menu(Chat(ChatRef(-1_009_999_999_999_999)))

    longest = max(len(button.data) for row in reply.buttons for button in row)
    assert longest + len("o:America/Argentina/ComodRivadavia") <= 64


@pytest.mark.usefixtures("channel")
async def test_a_channel_that_may_not_use_the_bot_is_not_set_up_by_somebody_who_may(world: World) -> None:
    message = await world.ask(OWNER, OWNER, "/channel @dailygoals")
    world.allowed_chats = (str(OWNER),)

    refused = await world.ask(OWNER, OWNER, "/channel @dailygoals subscribe arsenal")
    notice = await world.press(OWNER, OWNER, message, message.button("⚽ Follow a team").data)
    await world.ask(OWNER, OWNER, "/subscribe chelsea")

    assert refused.text == notice == chat_not_allowed_text(CHANNEL)
    assert (await world.list_followed(CHANNEL), await world.list_followed(OWNER)) == ([], ["Chelsea"])
    world.allowed_chats = ("@dailygoals", str(OWNER))
    await world.ask(OWNER, OWNER, "/channel @dailygoals subscribe arsenal")
    assert await world.list_followed(CHANNEL) == ["Arsenal"]
