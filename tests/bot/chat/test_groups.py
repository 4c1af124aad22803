"""Groups: what members are answered, what administrators are, and what stands in a channel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from bot.chat import application, replies, texts
from bot.chat.application import set_command_menu
from bot.fake_telegram import FakeChat, Message, RefusedError
from bot.telegram.server_features import ServerFeatures
from tests.bot.chat.conftest import ADMIN, World
from tests.bot.chat.fixtures import NOW

BOT, MEMBER, OTHER, GROUP, CHANNEL = 7_000_000_001, 5, 6, -1_000_000_000_400, -1_001_234_567_890


@pytest.fixture
def group(world: World) -> FakeChat:
    """A group in which the bot is an administrator too."""
    found = world.api.chat(GROUP, title="Fans")
    found.admins = {ADMIN, BOT}
    return found


@pytest.fixture
def features_missing() -> Callable[[list[dict[str, object]]], list[object]]:
    """Returns what the log says that the server lacks."""
    return lambda logs: [entry["feature"] for entry in logs if entry["event"] == "telegram_feature_missing"]


async def test_a_member_alone_sees_the_answer_to_his_question_and_no_button_refuses_him(world: World, group: FakeChat) -> None:
    await world.ask(GROUP, ADMIN, "/subscribe Arsenal")
    shared = await world.ask(GROUP, ADMIN, "/today")
    whispered = await world.ask(GROUP, MEMBER, "/today")
    day = whispered.labels[-1]
    await world.tap(GROUP, MEMBER, day)

    assert (shared.receiver, whispered.receiver) == (0, MEMBER)
    assert "➕ Follow…" in shared.labels and not any("Follow" in label or "🕑" in label for label in whispered.labels)
    assert len(whispered.edits) == 1 and not any("Follow" in label for label in whispered.labels)
    assert len(world.api.calls("editEphemeralMessageText")) == 1


async def test_an_ephemeral_command_is_answered_where_the_bot_is_no_administrator(world: World, group: FakeChat) -> None:
    group.admins.discard(BOT)
    message = await world.ask(GROUP, MEMBER, "/live", ephemeral=True)
    twice = [await world.ask(GROUP, ADMIN, "/test", ephemeral=True) for _ in range(2)]

    assert message.receiver == MEMBER and [one.receiver for one in twice] == [ADMIN, ADMIN]
    assert len({name for _ref, name, _delay in world.samples}) == 2


async def test_where_the_bot_may_not_whisper_it_answers_in_the_group_silently_and_tries_again_later(
    world: World, group: FakeChat
) -> None:
    group.admins.discard(BOT)
    first = await world.ask(GROUP, MEMBER, "/today")
    await world.ask(GROUP, MEMBER, "/today")

    assert first.receiver == 0 and first.silent and not any("Follow" in label for label in first.labels)
    assert [request.status for request in world.api.calls("sendMessage")] == [400, 200, 200]


@pytest.mark.parametrize("ignores", [False, True])
async def test_a_server_without_ephemeral_messages_gets_the_plain_form_and_is_logged_once(
    world: World, group: FakeChat, ignores: bool, features_missing: Callable[[list[dict[str, object]]], list[object]]
) -> None:
    world.api.lack("ephemeral_message_parameters", "style", "editEphemeralMessageText", ignores=ignores)
    if ignores:
        world.api.lacking.discard("style")
    with capture_logs() as logs:
        answers = [await world.ask(GROUP, MEMBER, text) for text in ("/today", "/start", "/live", "/help")]
        await world.ask(MEMBER, MEMBER, "/start")

    assert [answer.receiver for answer in answers] == [0] * 4 and all(answer.silent for answer in answers)
    assert sorted(map(str, features_missing(logs))) == (
        ["ephemeral messages"] if ignores else ["button styles", "ephemeral messages"]
    )


async def test_a_member_is_refused_once_an_hour(world: World, group: FakeChat) -> None:
    refused = await world.ask(GROUP, MEMBER, "/subscribe Arsenal")
    for text in ("/alerts", "/mute", "/subscribe Chelsea"):
        world.api.say(GROUP, MEMBER, text)
    other = await world.ask(GROUP, OTHER, "/alerts")
    await world.wait_until_idle()
    during = len(group.messages)
    world.clock.move_to(NOW + dt.timedelta(minutes=61))
    again = await world.ask(GROUP, MEMBER, "/alerts")

    assert [one.text for one in (refused, other, again)] == [texts.administrators_only_text()] * 3
    assert (refused.receiver, other.receiver, during) == (MEMBER, OTHER, 2)


async def test_members_are_told_of_no_command_that_refuses_them(world: World, group: FakeChat) -> None:
    await world.ask(GROUP, ADMIN, "/subscribe Arsenal")
    shown = [(await world.ask(GROUP, MEMBER, text)).text for text in ("/start", "/help", "/subscriptions", "/today", "/live")]
    forbidden = [f"/{name}" for name, command in application.ROUTER.commands.items() if not command.is_for_all_members]
    commands = {word.strip(".,;:–") for text in shown for word in text.split() if word.startswith("/")}

    assert commands and not commands & set(forbidden)


async def test_an_administrators_screen_keeps_its_buttons_when_a_member_turns_its_pages(world: World, group: FakeChat) -> None:
    shared = await world.ask(GROUP, ADMIN, "/today")
    await world.press(GROUP, MEMBER, shared, shared.buttons[-1][-1].data)
    await world.press(GROUP, MEMBER, shared, shared.buttons[-1][0].data)

    assert len(shared.edits) == 2 and "➕ Follow…" in shared.labels


async def test_a_member_is_answered_alone_in_a_topic(world: World) -> None:
    forum = world.api.chat(GROUP, title="Fans", is_forum=True)
    forum.admins, forum.topics = {ADMIN, BOT}, {11}
    await world.ask(GROUP, ADMIN, "/subscribe Arsenal", topic=11)
    answer = await world.ask(GROUP, MEMBER, "/subscriptions", topic=11)

    assert (answer.receiver, answer.topic) == (MEMBER, 11) and "Arsenal" in answer.text and "/alerts" not in answer.text


@pytest.fixture
def channel(world: World) -> FakeChat:
    """A channel with two administrators."""
    found = world.api.chat(CHANNEL, kind="channel", title="Daily Goals")
    found.username, found.admins = "dailygoals", {ADMIN, OTHER, BOT}
    return found


async def post(world: World, text: str) -> Message:
    """Post something in the channel and wait until it has been dealt with."""
    posted = world.api.say(CHANNEL, ADMIN, text)
    await world.wait_until_idle()
    return posted


async def test_a_command_in_a_channel_is_answered_in_private_and_removed(world: World, channel: FakeChat) -> None:
    await world.ask(ADMIN, ADMIN, "/start")
    posted = await post(world, "/subscribe Arsenal")
    answer = world.api.chat(ADMIN).last
    await world.tap(ADMIN, ADMIN, "↩ Undo")

    assert answer.text.startswith("📣 Channel: Daily Goals") and await world.list_followed(CHANNEL) == []
    assert not channel.messages and posted.deleted and not world.api.chat(OTHER).messages


async def test_without_an_administrator_to_write_to_the_answer_in_a_channel_is_removed_again(
    world: World, channel: FakeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "CHANNEL_ANSWER_SECONDS", 0.05)
    posted = await post(world, "/subscribe Arsenal")
    (answer,) = [message for message in channel.everything if message.by_bot]
    await world.api.until(lambda: answer.deleted)

    assert answer.text.startswith("✅ Following Arsenal.") and answer.silent and not answer.labels and posted.deleted
    assert await world.list_followed(CHANNEL) == ["Arsenal"]


async def test_a_post_that_the_bot_may_not_remove_is_answered_all_the_same(world: World, channel: FakeChat) -> None:
    await world.ask(ADMIN, ADMIN, "/start")
    world.api.fail("deleteMessage", RefusedError(400, "Bad Request: message can't be deleted"))
    posted = await post(world, "/subscribe Arsenal")

    assert not posted.deleted and "Following Arsenal" in world.api.chat(ADMIN).last.text


async def test_the_commands_of_members_are_for_the_bot_alone(world: World) -> None:
    await set_command_menu(world.app.bot, ServerFeatures())
    members = world.api.commands["all_group_chats"]
    administrators = world.api.commands["all_chat_administrators"]

    assert all(one["is_ephemeral"] for one in members) and not any("is_ephemeral" in one for one in administrators)


async def test_an_old_server_gets_the_plain_menu_and_is_logged_once(
    world: World, features_missing: Callable[[list[dict[str, object]]], list[object]]
) -> None:
    world.api.lack("is_ephemeral")
    with capture_logs() as logs:
        await set_command_menu(world.app.bot, ServerFeatures())

    assert [one["command"] for one in world.api.commands["all_group_chats:de"]] == list(application.MEMBERS_MENU)
    assert features_missing(logs) == ["ephemeral commands"]


async def test_a_screen_has_one_coloured_button_at_most_and_what_erases_is_red(world: World) -> None:
    start = await world.ask(42, 42, "/start")
    await world.ask(42, 42, "/privacy")
    await world.tap(42, 42, "🗑 Erase data…")
    erase = world.api.chat(42).last

    assert [button.text for row in start.buttons for button in row if button.style == "primary"] == ["⚽ Follow a team"]
    assert erase.button("🗑 Erase").style == "danger" and erase.button("Keep it").style == ""
