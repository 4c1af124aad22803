"""A group's administrators allow it, and its members ask to be mentioned under a kick-off."""

from __future__ import annotations

from msgspec.structs import replace

from bot.chat.features.mention import MAX_PEOPLE
from bot.fake_telegram import Message
from bot.fake_telegram.state import Button
from bot.outbox.explanation import MessageExplanation
from bot.subscribers import ChatRef, Mentions
from tests.bot.chat.conftest import ADMIN, World
from tests.bot.news import alert, delivered, news
from tests.packets import FIXTURE

GROUP, ANA, BEN = -1_000_000_000_400, 5, 6


def add_kick_off(world: World) -> Message:
    """The alert of a kick-off as it was delivered."""
    buttons = ((Button("🔔 Mention me", "me"), Button("🔕", "a")),)
    message = world.api.add(world.api.chat(GROUP), "▶️ Arsenal v Chelsea", "HTML", by_bot=True, buttons=buttons)
    kick_off_alert = alert(kind="kick_off")
    world.explanations[GROUP, message.id] = MessageExplanation(
        replace(delivered(kick_off_alert), chat=ChatRef(GROUP)), news(kick_off_alert)
    )
    return message


async def allow_mentions(world: World) -> None:
    """The administrator switches it on."""
    world.api.chat(GROUP, title="Fans").admins = {ADMIN}
    await world.ask(GROUP, ADMIN, "/alerts")
    await world.tap(GROUP, ADMIN, "⚙ Options")
    await world.tap(GROUP, ADMIN, "“Mention me” at kick-off")


async def test_an_administrator_allows_it_and_kick_offs_are_sent_from_then_on(world: World) -> None:
    await allow_mentions(world)
    group = await world.load_chat(GROUP)
    await world.ask(42, 42, "/alerts")
    await world.tap(42, 42, "⚙ Options")

    assert group.mentions and group.filter.accepts("kick_off")
    assert not any("Mention me" in label for label in world.api.chat(42).last.labels)


async def test_every_member_asks_for_himself_and_a_second_tap_ends_it(world: World) -> None:
    await allow_mentions(world)
    world.api.names |= {ANA: "Ana", BEN: "Ben"}
    message = add_kick_off(world)
    notes = [await world.press(GROUP, user, message, "me") for user in (ANA, BEN, ANA)]

    assert (await world.load_chat(GROUP)).mentioned == (Mentions(FIXTURE.id, ((BEN, "Ben"),)),)
    assert [note[:9] for note in notes] == ["🔔 I'll me", "🔔 I'll me", "🔕 I won't"]


async def test_the_mute_button_beside_it_leaves_it_there(world: World) -> None:
    await allow_mentions(world)
    message = add_kick_off(world)
    await world.press(GROUP, ADMIN, message, "a")
    opened = message.labels
    await world.press(GROUP, ADMIN, message, "a:x")

    assert opened[0] == "🔔 Mention me" and "✖" in opened and message.labels == ["🔔 Mention me", "🔕"]


async def test_a_full_list_and_a_group_that_does_not_allow_it_any_more_say_so(world: World) -> None:
    await allow_mentions(world)
    message = add_kick_off(world)
    people = tuple((1000 + number, "Fan") for number in range(MAX_PEOPLE))
    await world.chats.update(ChatRef(GROUP), lambda chat: replace(chat, mentioned=(Mentions(FIXTURE.id, people),)))
    full = await world.press(GROUP, ANA, message, "me")
    await world.chats.update(ChatRef(GROUP), lambda chat: replace(chat, mentions=False))
    off = await world.press(GROUP, ANA, message, "me")

    assert "is full" in full and "outdated" in off
    assert len((await world.load_chat(GROUP)).list_mentioned(FIXTURE.id)) == MAX_PEOPLE
