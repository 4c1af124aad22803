"""The bot is added, blocked, kicked; groups move."""

from __future__ import annotations

import pytest

from bot.fake_telegram import RefusedError
from bot.subscribers import ChatRef
from tests.bot.chat.conftest import World

GROUP_WELCOME = "👋 Hello! I post live goals, cards and results here.\nAdmins choose what comes; everyone can use /today."

GROUP, SUPERGROUP = -100, -1_000_000_000_100


async def test_a_block_suspends_and_an_unblock_resumes(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    world.api.block(42)
    await world.wait_until_idle()
    suspended = not (await world.load_chat(42)).is_active
    world.api.unblock(42)
    await world.api.until(lambda: world.api.chat(42).last.text.startswith("👋"))

    assert suspended and (await world.load_chat(42)).is_active
    assert await world.list_followed(42) == ["Arsenal"]


@pytest.mark.parametrize("text", ["/start", "/alerts all"])
async def test_a_suspended_chat_is_resumed_by_its_next_message(world: World, text: str) -> None:
    await world.ask(42, 42, "/help")
    await world.chats.suspend(42, "gone")
    await world.ask(42, 42, text)

    assert (await world.load_chat(42)).is_active


async def test_a_group_is_greeted_when_the_bot_is_added_and_suspended_when_it_is_kicked(world: World) -> None:
    world.api.my_chat_member(GROUP, 5, "left", "member")
    await world.api.until(lambda: world.api.chat(GROUP).messages)
    world.api.my_chat_member(GROUP, 5, "member", "administrator")
    world.api.my_chat_member(GROUP, 5, "administrator", "kicked")
    await world.wait_until_idle()

    (hello,) = world.api.chat(GROUP).messages
    assert hello.text == GROUP_WELCOME and hello.labels == ["⚽ Follow a team"]
    assert not (await world.load_chat(GROUP)).is_active


async def test_an_administrator_follows_a_team_from_the_greeting_of_a_group(world: World) -> None:
    world.api.chat(GROUP).admins = {7}
    world.api.my_chat_member(GROUP, 5, "left", "member")
    await world.api.until(lambda: world.api.chat(GROUP).messages)
    await world.tap(GROUP, 7, "⚽ Follow a team")
    await world.tap(GROUP, 7, "Premier League")
    await world.tap(GROUP, 7, "Arsenal")

    assert await world.list_followed(GROUP) == ["Arsenal"]


async def test_a_channel_gets_no_greeting_and_its_administrator_gets_the_menu_in_private(world: World) -> None:
    world.api.chat(SUPERGROUP, kind="channel", title="News").admins = {5}
    world.api.my_chat_member(SUPERGROUP, 5, "left", "administrator")
    await world.api.until(lambda: world.api.chat(5).messages)
    await world.tap(5, 5, "📣 Alerts")
    await world.tap(5, 5, "Everything")

    assert (await world.load_chat(SUPERGROUP)).type == "channel" and not world.api.chat(SUPERGROUP).messages
    assert (await world.load_chat(SUPERGROUP)).filter.all_kinds and world.api.chat(5).last.text.startswith("📣 Channel: News")


async def test_the_administrator_is_told_which_right_the_bot_lacks(world: World) -> None:
    world.api.chat(SUPERGROUP, kind="channel", title="News").lacks = {"can_post_messages"}
    world.api.my_chat_member(SUPERGROUP, 5, "left", "administrator")
    world.api.chat(GROUP, title="Fans").refusal = RefusedError(
        400, "Bad Request: not enough rights to send text messages to the chat"
    )
    world.api.my_chat_member(GROUP, 6, "left", "member")
    await world.api.until(lambda: world.api.chat(5).messages and world.api.chat(6).messages)

    assert world.api.chat(5).last.text == "I am in News, but I lack the right to post messages there."
    assert world.api.chat(6).last.text == "I am in Fans, but I lack the right to send messages there."


async def test_the_private_message_is_in_the_language_of_its_reader(world: World) -> None:
    world.api.languages |= {5: "de", 6: "de"}
    for user, chat_id in ((5, SUPERGROUP), (6, SUPERGROUP - 1)):
        world.api.chat(chat_id, kind="channel", title="News").lacks = {"can_post_messages"}
        await world.chats.get_or_create(ChatRef(chat_id), "channel", "News")
        await world.chats.set_language_if_unchosen(ChatRef(chat_id), "fr")
        await world.ask(user, user, "/language es" if user == 6 else "/help")
        world.api.my_chat_member(chat_id, user, "left", "administrator")
        await world.wait_until_idle()

    german, spanish = (world.api.chat(user).last.text for user in (5, 6))
    assert german.startswith("Ich bin in News") and spanish.startswith("Estoy en News")


async def test_a_channel_is_suspended_while_the_bot_may_not_post_and_goes_on_when_it_may_again(world: World) -> None:
    channel = world.api.chat(SUPERGROUP, kind="channel", title="News")
    world.api.my_chat_member(SUPERGROUP, 5, "left", "administrator")
    await world.api.until(lambda: world.api.chat(5).messages)
    channel.lacks = {"can_post_messages"}
    world.api.my_chat_member(SUPERGROUP, 5, "administrator", "administrator")
    await world.api.until(lambda: len(world.api.chat(5).messages) == 2)
    suspended = not (await world.load_chat(SUPERGROUP)).is_active
    channel.lacks = set()
    world.api.my_chat_member(SUPERGROUP, 5, "administrator", "administrator", lacked={"can_post_messages"})
    await world.wait_until_idle()

    assert suspended and (await world.load_chat(SUPERGROUP)).is_active
    assert "I lack the right to post" in world.api.chat(5).messages[1].text


async def test_an_administrator_whom_the_bot_may_not_write_to_breaks_nothing(world: World) -> None:
    world.api.chat(5).refusal = RefusedError(403, "Forbidden: bot can't initiate conversation with a user")
    world.api.chat(SUPERGROUP, kind="channel")
    world.api.my_chat_member(SUPERGROUP, 5, "left", "administrator")
    await world.wait_until_idle()

    assert (await world.load_chat(SUPERGROUP)).is_active


async def test_a_group_that_becomes_a_supergroup_keeps_what_it_follows(world: World) -> None:
    world.api.chat(GROUP).admins = {7}
    await world.ask(GROUP, 7, "/subscribe Arsenal")
    world.api.migrate(GROUP, SUPERGROUP)
    await world.wait_until_idle()
    await world.ask(SUPERGROUP, 5, "/subscriptions")

    assert await world.list_followed(SUPERGROUP) == ["Arsenal"] and await world.list_followed(GROUP) == []
    assert "Arsenal" in world.api.chat(SUPERGROUP).last.text


async def test_a_group_that_was_suspended_before_the_bot_learns_of_its_move_is_resumed(world: World) -> None:
    world.api.chat(GROUP).admins = {7}
    await world.ask(GROUP, 7, "/subscribe Arsenal")
    await world.chats.suspend(GROUP, "Forbidden: the group chat was deactivated")
    world.api.migrate(GROUP, SUPERGROUP)
    await world.wait_until_idle()

    assert (await world.load_chat(SUPERGROUP)).is_active


@pytest.mark.parametrize("service", ["forum_topic_reopened", "general_forum_topic_unhidden"])
async def test_a_topic_that_is_opened_is_announced_and_resumes_its_forum(world: World, service: str) -> None:
    opened: list[int] = []
    world.chats.on_topic_opened = opened.append
    await world.chats.get_or_create(ChatRef(SUPERGROUP), "supergroup", "Fans")
    await world.chats.suspend(SUPERGROUP, "Bad Request: TOPIC_CLOSED")
    forum = world.api.chat(SUPERGROUP, title="Fans")
    message = {"message_id": 9, "date": 1_790_000_000, "chat": forum.json(), service: {}}
    world.api.push({"message": message | {"message_thread_id": 5, "is_topic_message": True}})
    await world.wait_until_idle()

    assert opened == [SUPERGROUP]
    assert (await world.load_chat(SUPERGROUP)).is_active
