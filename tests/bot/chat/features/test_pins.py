"""Whether match cards are pinned is asked when a chat asks for cards."""

from __future__ import annotations

import pytest

from rules.engine.alert import LIVE_MESSAGE_KINDS
from tests.bot.chat.conftest import World

BOT, ADMIN, GROUP, CHANNEL = 7_000_000_001, 7, -1_000_000_000_400, -1_001_234_567_890


@pytest.fixture(autouse=True)
def offered_cards(world: World) -> None:
    world.kinds += LIVE_MESSAGE_KINDS


async def test_a_group_that_switches_cards_on_is_asked_for_the_right_to_pin(world: World) -> None:
    world.api.chat(GROUP, title="Fans").admins = {ADMIN}
    lacking = (await world.ask(GROUP, ADMIN, "/alerts +card")).text
    again = (await world.ask(GROUP, ADMIN, "/alerts +card")).text
    await world.ask(GROUP, ADMIN, "/alerts -card")
    world.api.chat(GROUP).admins.add(BOT)
    able = await world.ask(GROUP, ADMIN, "/alerts +card")

    assert lacking.endswith("I need the right to pin messages. Without it the card comes all the same.")
    assert "📌" not in again and able.text.endswith("📌 Each match card is pinned while its match is played.")


async def test_a_tap_on_the_card_leads_to_the_pin_and_a_tap_ends_it(world: World) -> None:
    await world.ask(42, 42, "/alerts")
    await world.tap(42, 42, "Match card")
    asked = world.api.chat(42).last.text
    await world.tap(42, 42, "📌 Don't pin")

    assert asked.endswith("📌 Each match card is pinned while its match is played.")
    assert not (await world.stored(42)).pins_cards and "Pin match cards" in world.api.chat(42).last.labels


async def test_the_option_is_there_only_for_chats_that_have_cards(world: World) -> None:
    await world.ask(42, 42, "/alerts")
    await world.tap(42, 42, "⚙ Options")
    without = world.api.chat(42).last.labels
    await world.ask(42, 42, "/alerts +card")
    await world.tap(42, 42, "📌 Don't pin")

    assert "✅ Pin match cards" not in without and "Pin match cards" in world.api.chat(42).last.labels


async def test_a_channel_is_asked_in_private(world: World) -> None:
    channel = world.api.chat(CHANNEL, kind="channel", title="News")
    channel.username, channel.admins, channel.lacks = "news", {ADMIN, BOT}, {"can_edit_messages"}
    named = await world.ask(ADMIN, ADMIN, "/channel @news alerts +card")
    await world.ask(ADMIN, ADMIN, "/channel @news alerts -card")
    typed = (await world.ask(ADMIN, ADMIN, "/alerts +card")).text
    await world.ask(ADMIN, ADMIN, "/alerts -card")
    message = await world.ask(ADMIN, ADMIN, "/alerts")
    await world.tap(ADMIN, ADMIN, "Match card")

    assert all("I need the right to pin messages" in text for text in (named.text, typed, message.text))
    await world.tap(ADMIN, ADMIN, "📌 Don't pin")
    assert not (await world.stored(CHANNEL)).pins_cards and (await world.stored(ADMIN)).pins_cards
