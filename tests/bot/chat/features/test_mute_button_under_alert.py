"""The button under an alert in private, in groups and topics: who may press it, and what stays as it is."""

from __future__ import annotations

from msgspec.structs import replace

from bot.chat import texts
from bot.fake_telegram import Message
from bot.fake_telegram.state import Button
from bot.outbox.explanation import MessageExplanation
from bot.subscribers import Chat, ChatRef
from bot.telegram.alert_keyboard import MUTE_BUTTON_DATA, MUTE_BUTTON_LABEL
from tests.bot.chat.conftest import ADMIN, World
from tests.bot.news import alert, delivered, news
from tests.packets import FIXTURE

READER, GROUP, FORUM = 42, -100, -1_000_000_000_100
TEXT = "⚽ <b>Arsenal 1–0 Chelsea</b>"


def add_alert(world: World, ref: ChatRef, shown_in: int = 0) -> Message:
    """Add an alert as it was delivered; `shown_in` is the topic that shows it."""
    chat = world.api.chat(ref.chat_id, is_forum=bool(ref.topic))
    buttons = ((Button(MUTE_BUTTON_LABEL, MUTE_BUTTON_DATA),),)
    message = world.api.add(chat, TEXT, "HTML", by_bot=True, topic=shown_in, buttons=buttons)
    world.explanations[ref.chat_id, message.id] = MessageExplanation(replace(delivered(alert()), chat=ref), news(alert()))
    return message


async def test_a_match_is_muted_under_its_alert_whose_text_stays(world: World) -> None:
    message = add_alert(world, ChatRef(READER))
    await world.tap(READER, READER, MUTE_BUTTON_LABEL)
    opened = message.labels

    note = await world.tap(READER, READER, "This match")

    assert opened == ["🔕 This match", "🔕 1 hour", "🔕 Goals", "✖"] and message.labels == [MUTE_BUTTON_LABEL]
    assert ((await world.load_chat(READER)).muted_matches, message.html) == ({FIXTURE.id}, TEXT)
    assert FIXTURE.title in note


async def test_in_a_group_only_its_administrators_press_it(world: World) -> None:
    world.api.chat(GROUP).admins = {ADMIN}
    message = add_alert(world, ChatRef(GROUP))

    refused = await world.press(GROUP, READER, message, "a:m")
    await world.press(GROUP, ADMIN, message, "a:h")

    assert refused == texts.administrators_only_text()
    assert ((await world.load_chat(GROUP)).muted_matches, bool((await world.load_chat(GROUP)).muted_until)) == (frozenset(), True)


async def test_an_alert_of_a_topic_changes_that_topic_wherever_it_is_shown(world: World) -> None:
    world.api.chat(FORUM, is_forum=True).admins = {ADMIN}
    message = add_alert(world, ChatRef(FORUM, 9))

    await world.press(FORUM, ADMIN, message, "a:k")

    assert not (await world.load_chat(FORUM, 9)).filter.accepts("goal")
    assert await world.chats.get(ChatRef(FORUM)) is None


async def test_an_unknown_message_or_forged_data_only_gets_a_note(world: World) -> None:
    message, answer = add_alert(world, ChatRef(READER)), await world.ask(READER, READER, "/help")

    notes = [await world.press(READER, READER, answer, "a:m"), await world.press(READER, READER, message, "a:forged")]

    assert notes == ["This button is outdated: I don't know that message any more.", texts.outdated_button_text()]
    assert ((await world.load_chat(READER)).muted_matches, (await world.load_chat(READER)).muted_until) == (frozenset(), None)


async def test_an_alert_whose_id_is_not_committed_yet_is_waited_for(world: World) -> None:
    message = add_alert(world, ChatRef(READER))
    world.lookups_before_commit = 1

    await world.press(READER, READER, message, "a:m")

    assert world.lookups_before_commit == 0 and (await world.load_chat(READER)).muted_matches == {FIXTURE.id}


async def test_a_configured_chat_is_not_changed_by_the_button(world: World) -> None:
    await world.chats.save(Chat(ChatRef(READER), is_configured=True))

    note = await world.press(READER, READER, add_alert(world, ChatRef(READER)), "a:h")

    assert note == texts.configured_chat_text() and (await world.load_chat(READER)).muted_until is None
