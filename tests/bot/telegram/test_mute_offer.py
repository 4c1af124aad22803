"""A match of which much comes within minutes: its third alert has the mute options open, once a match."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.outbox.recent_alerts import find_noisy_kinds
from bot.storage.chat_rows import format_mute_offers, parse_mute_offers
from bot.subscribers import Chat, ChatRef, MuteOffer
from bot.telegram.alert_keyboard import MUTE_BUTTON
from rules.engine.alert import Alert
from tests.bot.news import alert, minor
from tests.bot.telegram.conftest import World
from tests.fakes.messenger import ShownMessage

pytestmark = pytest.mark.virtual_time


def labels(shown: ShownMessage) -> list[str]:
    rows = json.loads(shown.keyboard or b"{}").get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


def data(shown: ShownMessage) -> list[str]:
    rows = json.loads(shown.keyboard or b"{}").get("inline_keyboard", [])
    return [button["callback_data"] for row in rows for button in row]


def cards(*actions: str) -> list[Alert]:
    return [minor(number, f"card {action}", action=action) for number, action in enumerate(actions, start=1)]


async def send_apart(world: World, alerts: list[Alert], seconds: float) -> None:
    for one in alerts:
        await world.send(one, seconds=seconds)


async def test_the_third_alert_within_ten_minutes_offers_to_mute_what_came_most_once_a_match(world: World) -> None:
    await world.follow(1)

    await send_apart(world, [*cards("a", "b"), alert(3, "goal", action="c"), *cards("d", "e", "f")], seconds=20)

    closed, opened = ["🔕"], ["🔕 This match", "🔕 1 hour", "🔕 Yellow cards", "🔕 Goals", "✖"]
    assert [labels(shown) for shown in world.shown()] == [closed, closed, opened, closed, closed, closed]
    assert data(world.shown()[2]) == ["a:m", "a:h", "a:k:yellow_card", "a:k:goal", "a:x"]


async def test_what_comes_slowly_is_not_offered_to_be_muted(world: World) -> None:
    await world.follow(1)

    await send_apart(world, cards("a", "b", "c", "d"), seconds=400)

    assert {shown.keyboard for shown in world.shown()} == {MUTE_BUTTON}


async def test_an_edit_keeps_the_options_open_and_after_a_restart_they_are_not_offered_again(world: World) -> None:
    await world.follow(1)
    await send_apart(world, cards("a", "b", "c"), seconds=10)
    await world.restart()

    await send_apart(world, [minor(9, "the right player", action="c"), *cards("d", "e", "f")], seconds=10)

    third = world.shown()[2]
    assert (third.html, labels(third)[-2:]) == ("the right player", ["🔕 Yellow cards", "✖"])
    assert [shown.keyboard for shown in world.shown()[3:]] == [MUTE_BUTTON] * 3


async def test_options_that_somebody_closed_stay_closed_when_the_alert_is_edited(world: World) -> None:
    await world.follow(1)
    await send_apart(world, cards("a", "b", "c"), seconds=10)
    await world.chats.update(ChatRef(1), lambda chat: chat.with_mute_offer(MuteOffer("f1")))

    await send_apart(world, [minor(9, "the right player", action="c")], seconds=10)

    assert world.shown()[2].keyboard == MUTE_BUTTON


async def test_where_scores_are_hidden_the_options_name_no_kind(world: World) -> None:
    await world.follow(1, spoilers=True)

    await send_apart(world, cards("a", "b", "c"), seconds=10)

    assert labels(world.shown()[2]) == ["🔕 This match", "🔕 1 hour", "✖"]


@pytest.mark.parametrize("settings", [{"mute_button": False}, {"is_configured": True}, {"type": "channel"}])
async def test_where_alerts_have_no_button_nothing_is_offered(world: World, settings: dict[str, object]) -> None:
    await world.follow(1, **settings)

    await send_apart(world, cards("a", "b", "c"), seconds=10)

    assert [shown.keyboard for shown in world.shown()] == [None] * 3


async def test_edits_and_retractions_do_not_make_a_match_busy(world: World) -> None:
    await world.follow(1)

    await send_apart(world, [alert(1, "one"), alert(2, "two"), alert(3, "three"), *cards("b")], seconds=10)
    await asyncio.sleep(1)

    assert [shown.keyboard for shown in world.shown()] == [MUTE_BUTTON] * 2


@pytest.mark.parametrize(
    ("kinds", "noisy"),
    [
        (("goal", "var", "var"), ("var", "goal")),
        (("goal", "var", "play"), ("play", "var")),
        (("play", "play", "play"), ("play",)),
    ],
)
def test_the_noisy_kinds_are_the_most_frequent_and_then_the_latest(kinds: tuple[str, ...], noisy: tuple[str, ...]) -> None:
    assert find_noisy_kinds(kinds) == noisy


def test_offers_are_stored_as_words_and_what_is_none_is_left_out() -> None:
    offers = (MuteOffer("f1", "a1", ("goal", "var")), MuteOffer("f2"))

    assert parse_mute_offers(format_mute_offers(offers)) == offers
    assert parse_mute_offers("something else, | and f3|a|b") == (MuteOffer("f3", "a", ("b",)),)


def test_a_chat_keeps_the_latest_offers() -> None:
    chat = Chat(ChatRef(1))
    for number in range(30):
        chat = chat.with_mute_offer(MuteOffer(f"f{number}", "a"))
    chat = chat.with_mute_offer(MuteOffer("f29"))

    assert [offer.fixture_id for offer in chat.mute_offers] == [f"f{number}" for number in range(10, 30)]
    assert chat.find_mute_offer("f29") == MuteOffer("f29") and chat.find_mute_offer("f0") is None
