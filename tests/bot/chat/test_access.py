"""Who may use the bot, and for how much."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.chat.allowed import is_allowed
from bot.subscribers import ChatRef
from tests.bot.chat.conftest import ADMIN, World

GROUP, OTHER_GROUP = -100, -200

REFUSED = "This bot is private."


async def test_a_chat_that_is_not_allowed_is_told_its_number_once_an_hour_and_is_not_stored(world: World) -> None:
    world.allowed_chats = (str(GROUP),)

    answer = await world.ask(42, 42, "/subscribe arsenal")
    world.api.say(42, 42, "/start")
    await world.wait_until_idle()

    assert answer.text.startswith(REFUSED) and answer.text.endswith("42")
    assert len(world.api.chat(42).messages) == 1
    assert await world.chats.get(ChatRef(42)) is None
    world.clock.move_to(world.clock.now() + dt.timedelta(hours=1))
    assert (await world.ask(42, 42, "hello")).text.startswith(REFUSED)


async def test_those_that_are_allowed_and_admins_anywhere_are_answered(world: World) -> None:
    world.allowed_chats = (str(GROUP),)
    world.api.chat(GROUP).admins |= {42}
    world.api.chat(OTHER_GROUP).admins |= {ADMIN}

    await world.ask(GROUP, 42, "/subscribe arsenal")
    await world.ask(OTHER_GROUP, ADMIN, "/subscribe chelsea")

    assert (await world.list_followed(GROUP), await world.list_followed(OTHER_GROUP)) == (["Arsenal"], ["Chelsea"])


async def test_what_members_of_a_group_write_to_each_other_is_no_question(world: World) -> None:
    world.allowed_chats = ("7",)

    world.api.say(GROUP, 42, "what a match")
    await world.wait_until_idle()
    assert world.api.chat(GROUP).messages == []
    assert (await world.ask(GROUP, 42, "/today")).text.startswith(REFUSED)


async def test_a_change_of_the_setting_takes_effect_at_once(world: World) -> None:
    await world.ask(42, 42, "/subscribe arsenal")
    world.allowed_chats = ("7",)
    assert (await world.ask(42, 42, "/subscribe chelsea")).text.startswith(REFUSED)
    world.allowed_chats = None
    await world.ask(42, 42, "/subscribe chelsea")

    assert sorted(await world.list_followed(42)) == ["Arsenal", "Chelsea"]


@pytest.mark.parametrize(
    ("chat_id", "name", "allowed"),
    [(5, None, True), (6, None, False), (6, "My_Group", True), (6, "other", False), (-100123, "x", True)],
)
def test_a_chat_is_known_by_its_number_or_its_name(chat_id: int, name: str | None, allowed: bool) -> None:
    assert is_allowed(chat_id, name, ("5", "@my_group", "-100123")) is allowed


async def test_a_chat_that_follows_as_much_as_it_may_is_told_and_nothing_is_lost(world: World) -> None:
    world.max_subscriptions = 1
    await world.ask(42, 42, "/subscribe arsenal")

    by_command = await world.ask(42, 42, "/subscribe chelsea")
    await world.ask(42, 42, "/subscribe")
    await world.tap(42, 42, "Premier League")
    by_button = await world.tap(42, 42, "Chelsea")

    assert by_command.text.startswith("This chat can follow 1 team")
    assert by_button.startswith("This chat can follow 1 team")
    assert await world.list_followed(42) == ["Arsenal"]
    assert (await world.ask(42, 42, "/subscribe arsenal")).text.count("1 team") == 0
