"""One sample alert, asked for in a chat."""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from bot.quiet_hours import QuietHours
from bot.subscribers import ChatRef
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import NOW


async def test_a_sample_is_named_after_the_message_that_asked_for_it(world: World) -> None:
    answer = await world.ask(42, 42, "/test")
    message = world.api.chat(42).everything[0].id

    assert answer.text == "🧪 Test alert on its way."
    assert world.samples == [(ChatRef(42), f"42:{message}", 0)]


async def test_a_sample_comes_as_late_as_everything_does(world: World) -> None:
    await world.ask(42, 42, "/delay 30")
    answer = await world.ask(42, 42, "/test")

    assert "in 30 seconds" in answer.text and [delay for _, _, delay in world.samples] == [30]


async def test_where_a_sample_would_not_come_the_chat_is_told_why(world: World) -> None:
    await world.ask(42, 42, "/mute 1h")
    muted = await world.ask(42, 42, "/test")
    chat = replace(
        (await world.load_chat(42)), muted_until=NOW - dt.timedelta(hours=1), quiet_hours=QuietHours(0, 1439, holds_alerts=True)
    )
    await world.chats.save(chat)
    held = await world.ask(42, 42, "/test")

    assert "Muted until 15:00" in muted.text and "hold alerts until 23:59" in held.text
    assert not world.samples


async def test_a_chat_of_the_configuration_may_be_tested_too(world: World) -> None:
    await world.ask(42, 42, "/help")
    await world.chats.save(replace((await world.load_chat(42)), is_configured=True))
    await world.ask(42, 42, "/test")

    assert len(world.samples) == 1


async def test_only_administrators_of_a_group_ask_for_one(world: World) -> None:
    answer = await world.ask(-100, 5, "/test")

    assert "group admins" in answer.text and not world.samples
