"""What match cards are is chosen in the chat, and whether they are pinned is asked when a chat asks for cards."""

from __future__ import annotations

import pytest

from bot.subscribers import CardForm
from rules.engine.alert import CARD, LIVE_MESSAGE_KINDS, PICTURE
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

    assert lacking.endswith("I need the right to pin messages. Without it, cards still come.")
    assert "📌" not in again and able.text.endswith("📌 Match cards are pinned during the match.")


async def test_a_button_switches_cards_on_and_another_one_their_pin_off(world: World) -> None:
    await world.ask(42, 42, "/alerts")
    await world.tap(42, 42, "Match card")
    asked = world.api.chat(42).last.text
    await world.tap(42, 42, "📌 Don't pin")

    assert asked.endswith("📌 Match cards are pinned during the match.")
    assert not (await world.load_chat(42)).pins_cards and "Pin match cards" in world.api.chat(42).last.labels


async def test_the_option_to_pin_cards_is_shown_only_to_chats_that_have_cards(world: World) -> None:
    await world.ask(42, 42, "/alerts")
    await world.tap(42, 42, "⚙ Options")
    without = world.api.chat(42).last.labels
    await world.ask(42, 42, "/alerts +card")
    await world.tap(42, 42, "📌 Don't pin")

    assert "✅ Pin match cards" not in without and "Pin match cards" in world.api.chat(42).last.labels


async def test_whether_a_channel_pins_its_cards_is_asked_in_private(world: World) -> None:
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
    assert not (await world.load_chat(CHANNEL)).pins_cards and (await world.load_chat(ADMIN)).pins_cards


async def test_the_form_is_two_taps_from_the_options_and_one_message_shows_all_of_it(world: World) -> None:
    await world.ask(42, 42, "/alerts +card")
    await world.ask(42, 42, "/settings")
    for label in ("⚙ Options", "📋 Match card: Text", "Table"):
        await world.tap(42, 42, label)

    shown = world.api.chat(42).last
    assert (await world.load_chat(42)).card_form is CardForm.RICH and len(shown.edits) == 3
    assert shown.labels == ["Text", "Picture", "✅ Table", "⚙ Options", "✔ Done"]
    await world.tap(42, 42, "⚙ Options")
    assert "📋 Match card: Table" in world.api.chat(42).last.labels


async def test_the_answer_that_switches_cards_on_leads_to_their_form(world: World) -> None:
    message = await world.ask(42, 42, "/alerts +card")
    await world.tap(42, 42, "📋 Match card: Text")
    await world.tap(42, 42, "Picture")

    assert message.id == world.api.chat(42).last.id and (await world.load_chat(42)).card_form is CardForm.PICTURE


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("/alerts card as picture", CardForm.PICTURE),
        ("/alerts match card as a table", CardForm.RICH),
        ("/alerts card rich message", CardForm.RICH),
        ("/alerts Live-Karte als Bild", CardForm.PICTURE),
        ("/alerts card table", CardForm.RICH),
        ("/alerts card as a song", None),
        ("/alerts card: text", CardForm.TEXT),
    ],
)
async def test_the_form_of_cards_can_be_typed(world: World, typed: str, form: CardForm | None) -> None:
    await world.ask(42, 42, typed)

    stored = await world.load_chat(42)
    assert stored.card_form is (form or CardForm.TEXT) and stored.filter.accepts(CARD) is (form is not None)


async def test_card_and_picture_without_as_are_two_kinds_of_alerts(world: World) -> None:
    await world.ask(42, 42, "/alerts card picture")

    stored = await world.load_chat(42)
    assert stored.card_form is CardForm.TEXT and stored.filter.accepts(CARD) and stored.filter.accepts(PICTURE)


async def test_where_pictures_cannot_be_drawn_none_is_offered(world: World) -> None:
    world.kinds = tuple(kind for kind in world.kinds if kind != PICTURE)
    await world.ask(42, 42, "/alerts +card")
    await world.tap(42, 42, "📋 Match card: Text")

    assert world.api.chat(42).last.labels == ["✅ Text", "Table", "⚙ Options", "✔ Done"]


async def test_a_member_of_a_group_does_not_choose_and_an_administrator_chooses_for_a_topic(world: World) -> None:
    world.api.chat(GROUP, title="Fans", is_forum=True).admins = {ADMIN, BOT}
    message = await world.ask(GROUP, ADMIN, "/alerts card table", topic=5)
    await world.press(GROUP, 9, message, "cf:picture")
    await world.wait_until_idle()

    assert (await world.load_chat(GROUP, 5)).card_form is CardForm.RICH


async def test_a_channel_has_a_form_of_its_own(world: World) -> None:
    channel = world.api.chat(CHANNEL, kind="channel", title="News")
    channel.username, channel.admins = "news", {ADMIN, BOT}
    await world.ask(ADMIN, ADMIN, "/channel @news alerts +card")
    await world.tap(ADMIN, ADMIN, "📋 Match card: Text")
    await world.tap(ADMIN, ADMIN, "Picture")

    assert (await world.load_chat(CHANNEL)).card_form is CardForm.PICTURE
    assert (await world.load_chat(ADMIN)).card_form is CardForm.TEXT
    assert world.api.chat(ADMIN).last.labels[-1] == "◀ Channel"


async def test_a_new_chat_has_the_form_of_the_configuration_and_may_choose_another(world: World) -> None:
    await world.ask(41, 41, "/start")
    world.card_form = CardForm.RICH
    await world.ask(41, 41, "/today")
    await world.ask(42, 42, "/start")
    forms = [(await world.load_chat(chat)).card_form for chat in (41, 42)]
    await world.ask(42, 42, "/alerts card as picture")

    assert forms == [CardForm.TEXT, CardForm.RICH]
    assert (await world.load_chat(42)).card_form is CardForm.PICTURE
