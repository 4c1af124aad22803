"""Every button of the settings edits the message that it stands under and adds none, in every kind of chat."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.fake_telegram import FakeChat, Message
from tests.bot.chat.conftest import ADMIN, World

BOT, GROUP, CHANNEL = 7_000_000_001, -1_000_000_000_400, -1_001_234_567_890

SETTINGS = (
    ("📣 Alerts", "Yellow cards", "Everything", "🔔 Sounds", "◀ Alerts", "⚙ Options", "Combine", "◀ Alerts", "⚙ Settings"),
    ("🌙 Quiet hours", "one summary", "⚙ Settings"),
    ("🔇 Mute", "1 hour", "🔔 Unmute", "⚙ Settings"),
    ("⏱ Delay", "30 s", "↩ Undo", "⚙ Settings"),
    ("🙈 Spoilers", "🙈 Hide scores", "↩ Undo", "⚙ Settings"),
    ("🕑 Time zone", "London", "⚙ Settings"),
    ("🌍 Language", "Deutsch", "English", "⚙ Settings", "✔ Done"),
)  # fmt: skip
"""What is tapped under `/settings`, one setting a line; each ends where the next begins."""


async def tap_all(world: World, chat: FakeChat, message: Message, user: int) -> None:
    """Tap through every setting, and assert that each tap edits this message and adds none to the chat."""
    before = len(chat.messages)
    for labels in SETTINGS:
        for label in labels:
            edits = len(message.edits)
            # Slowly enough for the limit of one person.
            world.clock.move_to(world.clock.now() + dt.timedelta(seconds=2))
            await world.press(chat.id, user, message, message.button(label).data)
            assert len(message.edits) > edits, label

    assert len(chat.messages) == before and chat.last is message


@pytest.mark.slow
async def test_settings_of_a_private_chat_are_one_message(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    message = await world.ask(42, 42, "/settings")
    await tap_all(world, world.api.chat(42), message, 42)


@pytest.mark.slow
@pytest.mark.parametrize("topic", [0, 5])
async def test_settings_of_a_group_and_of_a_topic_are_one_message(world: World, topic: int) -> None:
    group = world.api.chat(GROUP, title="Fans", is_forum=bool(topic))
    group.admins = {ADMIN, BOT}
    more = {"topic": topic} if topic else {}
    await world.ask(GROUP, ADMIN, "/subscribe Arsenal", **more)
    message = await world.ask(GROUP, ADMIN, "/settings", **more)
    await tap_all(world, group, message, ADMIN)


async def test_settings_of_a_channel_are_one_message(world: World) -> None:
    channel = world.api.chat(CHANNEL, kind="channel", title="News")
    channel.username, channel.admins = "news", {ADMIN, BOT}
    message = await world.ask(ADMIN, ADMIN, "/channel @news")
    private = world.api.chat(ADMIN)
    labels = ("📣 Alerts", "Yellow cards", "⚙ Options", "◀ Channel", "🔇 Mute", "1 hour", "◀ Channel", "✔ Done")
    for label in labels:
        await world.press(ADMIN, ADMIN, message, message.button(label).data)

    assert private.messages == [message] and len(message.edits) == len(labels) and not channel.messages
