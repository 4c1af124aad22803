"""The buttons under an alert, and when the options to mute stand open under it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bot.outbox.delivery import DeliveryContext
from bot.outbox.news import SAMPLE
from bot.subscribers import Chat, MuteOffer, Recipient
from bot.telegram.alert_keyboard import find_mute_offer, render_keyboard
from rules.engine.alert import CARD, AlertKey
from tests.bot.news import CHAT, alert, delivered, news

GROUP = replace(CHAT, type="group", mentions=True)
OFFER = MuteOffer("f1", "g", ("goal", "var"))
OPTIONS = [("🔕 This match", "a:m"), ("🔕 1 hour", "a:h")]


def rows(chat: Chat, kind: str = "goal", offer: MuteOffer | None = None) -> list[list[tuple[str, str]]] | None:
    """Return the labels and the data of the buttons, row by row; None for no keyboard at all."""
    keyboard = render_keyboard(chat, kind, offer)
    found: list[list[dict[str, Any]]] = msgspec.json.decode(keyboard)["inline_keyboard"] if keyboard else []
    return [[(button["text"], button["callback_data"]) for button in row] for row in found] if keyboard else None


def test_an_alert_has_one_button_and_a_card_or_a_chat_that_wants_none_has_none() -> None:
    assert rows(CHAT) == [[("🔕", "a")]]
    assert rows(CHAT, CARD) is None and rows(replace(CHAT, mute_button=False)) is None


def test_open_options_name_the_noisy_kinds_and_stand_in_as_few_rows_as_fit() -> None:
    two = [("🔕 Goals", "a:k:goal"), ("🔕 VAR checks", "a:k:var")]

    assert rows(CHAT, offer=OFFER) == [OPTIONS, two, [("✖", "a:x")]]
    assert rows(CHAT, offer=replace(OFFER, kinds=("goal",))) == [OPTIONS, [two[0], ("✖", "a:x")]]
    assert rows(replace(CHAT, spoilers=True), offer=OFFER) == [OPTIONS, [("✖", "a:x")]], "a button cannot be a spoiler"


def test_the_button_of_mentions_stands_beside_a_single_row_and_above_several() -> None:
    mention = ("🔔 Mention me", "me")

    assert rows(GROUP, "kick_off") == [[mention, ("🔕", "a")]]
    assert rows(replace(GROUP, mute_button=False), "kick_off") == [[mention]]
    assert rows(GROUP, "kick_off", replace(OFFER, kinds=())) == [[mention], OPTIONS, [("✖", "a:x")]]


def context(*recent_kinds: str, chat: Chat = CHAT, fixture: str = "f1", action: str = "g", **more: Any) -> DeliveryContext:
    key = AlertKey(fixture, action)
    one = replace(alert(), key=key)
    return DeliveryContext(replace(delivered(one), key=key), news(one, **more), Recipient(chat), recent_kinds=recent_kinds)


def test_the_third_alert_of_some_minutes_makes_the_offer_and_counts_itself() -> None:
    assert find_mute_offer(context("var"), "goal", is_new=True) is None
    assert find_mute_offer(context("var", "goal"), "goal", is_new=True) == MuteOffer("f1", "g", ("goal", "var"))


@pytest.mark.parametrize(
    "busy",
    [context("var", "goal", fixture=SAMPLE), context("var", "goal", line_ids=("a",))],
    ids=["sample", "digest"],
)
def test_what_is_no_alert_of_a_match_makes_no_offer(busy: DeliveryContext) -> None:
    assert find_mute_offer(busy, "goal", is_new=True) is None


def test_an_edit_makes_no_offer_and_keeps_the_one_of_its_own_message_alone() -> None:
    offered = CHAT.with_mute_offer(OFFER)

    assert find_mute_offer(context("var", "goal"), "goal", is_new=False) is None
    assert find_mute_offer(context("var", "goal", chat=offered), "goal", is_new=False) == OFFER
    assert find_mute_offer(context("var", "goal", chat=offered, action="h"), "goal", is_new=True) is None
    assert find_mute_offer(context("var", "goal", chat=offered, fixture="f2"), "goal", is_new=True) == MuteOffer(
        "f2", "g", ("goal", "var")
    )
