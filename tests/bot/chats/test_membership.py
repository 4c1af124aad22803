"""The bot is added, blocked, kicked; groups move."""

from __future__ import annotations

import pytest

from bot.chats import texts
from tests.bot.chats.conftest import World

GROUP, SUPERGROUP = -100, -1_000_000_000_100


async def test_a_block_suspends_and_an_unblock_resumes(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    world.api.block(42)
    await world.idle()
    suspended = not world.stored(42).active
    world.api.unblock(42)
    await world.api.until(lambda: world.api.chat(42).last.text.startswith("👋"))

    assert suspended and world.stored(42).active
    assert world.followed(42) == ["Arsenal"]


@pytest.mark.parametrize("text", ["/start", "/alerts all"])
async def test_a_suspended_chat_that_speaks_is_resumed(world: World, text: str) -> None:
    await world.ask(42, 42, "/help")
    await world.chats.suspend(42, "gone")
    await world.ask(42, 42, text)

    assert world.stored(42).active


async def test_a_group_is_greeted_when_the_bot_is_added_and_suspended_when_it_is_kicked(world: World) -> None:
    world.api.my_chat_member(GROUP, 5, "left", "member")
    await world.api.until(lambda: world.api.chat(GROUP).messages)
    world.api.my_chat_member(GROUP, 5, "member", "administrator")
    world.api.my_chat_member(GROUP, 5, "administrator", "kicked")
    await world.idle()

    assert [m.text for m in world.api.chat(GROUP).messages] == [texts.WELCOME_GROUP]
    assert not world.stored(GROUP).active


async def test_a_channel_is_taken_up_without_a_word(world: World) -> None:
    world.api.chat(SUPERGROUP, kind="channel")
    world.api.my_chat_member(SUPERGROUP, 5, "left", "administrator")
    await world.idle()

    assert world.stored(SUPERGROUP).kind == "channel" and not world.api.chat(SUPERGROUP).messages


async def test_a_group_that_becomes_a_supergroup_keeps_what_it_follows(world: World) -> None:
    world.api.chat(GROUP).admins = {7}
    await world.ask(GROUP, 7, "/subscribe Arsenal")
    world.api.migrate(GROUP, SUPERGROUP)
    await world.idle()
    await world.ask(SUPERGROUP, 5, "/subscriptions")

    assert world.followed(SUPERGROUP) == ["Arsenal"] and world.followed(GROUP) == []
    assert "Arsenal" in world.api.chat(SUPERGROUP).last.text
