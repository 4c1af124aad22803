"""What an administrator writes in private is for the channel that he sets up, until he is done with it."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.fake_telegram import FakeChat
from tests.bot.chat.conftest import World
from tests.bot.chat.features.conftest import CHANNEL, NAMED, OWNER
from tests.bot.chat.fixtures import NOW

pytestmark = pytest.mark.usefixtures("channel")


async def test_a_channel_is_set_up_in_words_until_done(world: World) -> None:
    await world.ask(OWNER, OWNER, "/channel @dailygoals")
    answers = [(await world.ask(OWNER, OWNER, text)).text for text in ("/mute 45m", "Arsenal", "goals only")]
    await world.tap(OWNER, OWNER, "✔ Done")
    own = await world.ask(OWNER, OWNER, "/subscribe Chelsea")

    assert all(answer.startswith(NAMED) for answer in answers)
    assert world.api.chat(OWNER).messages[-2].text == "✔ Done with Daily Goals. What you send here applies to this chat again."
    assert (await world.load_chat(CHANNEL)).muted_until is not None and (await world.load_chat(OWNER)).muted_until is None
    assert (await world.list_followed(CHANNEL), await world.list_followed(OWNER)) == (["Arsenal"], ["Chelsea"])
    assert own.text.startswith("✅ Following Chelsea.")


@pytest.mark.parametrize("end", ["/channel off", "/start"])
async def test_the_setup_ends_with_a_word_too(world: World, end: str) -> None:
    await world.ask(OWNER, OWNER, "/channel @dailygoals")
    ended = await world.ask(OWNER, OWNER, end)
    await world.ask(OWNER, OWNER, "/subscribe Chelsea")

    assert NAMED not in ended.text and (await world.list_followed(CHANNEL), await world.list_followed(OWNER)) == ([], ["Chelsea"])


async def test_a_forgotten_setup_is_over_after_an_hour_and_a_button_takes_it_up_again(world: World) -> None:
    message = await world.ask(OWNER, OWNER, "/channel @dailygoals")
    world.clock.move_to(NOW + dt.timedelta(minutes=61))
    await world.ask(OWNER, OWNER, "/subscribe Chelsea")
    await world.press(OWNER, OWNER, message, message.button("🔇 Mute").data)
    await world.ask(OWNER, OWNER, "/subscribe Arsenal")

    assert (await world.list_followed(CHANNEL), await world.list_followed(OWNER)) == (["Arsenal"], ["Chelsea"])


async def test_every_hint_on_a_channels_screen_acts_on_the_channel_whenever_it_is_read(world: World) -> None:
    message = await world.ask(OWNER, OWNER, "/channel @dailygoals")
    await world.tap(OWNER, OWNER, "🔇 Mute")
    mute = message.html
    await world.tap(OWNER, OWNER, "1 hour")
    sample = await world.ask(OWNER, OWNER, "/test")
    await world.ask(OWNER, OWNER, "/channel off")
    unmuted = await world.ask(OWNER, OWNER, "/channel @dailygoals unmute")

    assert "<code>/channel @dailygoals mute 45m</code>" in mute
    assert "Muted until" in sample.text and sample.html.endswith("Undo: <code>/channel @dailygoals unmute</code>")
    assert unmuted.text.startswith(NAMED) and (await world.load_chat(CHANNEL)).muted_until is None


async def test_a_channel_without_a_name_is_named_by_its_number(world: World, channel: FakeChat) -> None:
    channel.username = ""
    await world.ask(OWNER, OWNER, f"/channel {CHANNEL}")
    stopped = await world.ask(OWNER, OWNER, "/stop")

    assert "Nothing is followed," in stopped.text
    assert stopped.html.endswith(f"Stored data: <code>/channel {CHANNEL} privacy</code>")


async def test_no_text_of_a_channels_screens_speaks_of_this_chat(world: World) -> None:
    message = await world.ask(OWNER, OWNER, "/channel @dailygoals")
    shown = [message.text]
    for command in ("stop", "privacy", "settings", "subscriptions", "delay 30", "quiet 23-7", "spoilers on", "test", "help"):
        shown.append((await world.ask(OWNER, OWNER, f"/channel @dailygoals {command}")).text)

    assert not [text for text in shown if "this chat" in text.casefold() or "the chat" in text.casefold()]


async def test_what_an_administrator_who_was_dismissed_writes_is_for_his_own_chat(world: World, channel: FakeChat) -> None:
    await world.ask(OWNER, OWNER, "/channel @dailygoals")
    channel.admins.discard(OWNER)
    world.clock.move_to(NOW + dt.timedelta(seconds=61))
    command = await world.ask(OWNER, OWNER, "/subscribe Arsenal")
    await world.ask(OWNER, OWNER, "Chelsea")

    assert "not an admin of that channel" in command.text
    assert (await world.list_followed(CHANNEL), await world.list_followed(OWNER)) == ([], ["Chelsea"])
