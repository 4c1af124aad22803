"""The alerts of one subscription, set by buttons and in words: what is sent for it, and what stays as in the chat."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.chat.dialogue import ChatContext, DialogueResult, Screen, UpdateChat, UpdateSubscription
from bot.chat.features.mute_button import AlertSubject
from bot.chat.features.mute_button import press_mute_button as pressed_below
from bot.chat.features.subscriptions import switch_override_kind
from bot.chat.search.catalogue import ALL_MATCHES, make_short_id, make_token
from bot.subscribers import NO_OVERRIDES, ChatRef, Recipient, Scope, Subscription, SubscriptionOverrides
from rules.engine.alert import LIVE_MESSAGE_KINDS, SHIPPED_KINDS
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import ARSENAL, FIXTURES, LEAGUE, data, is_outdated, labels, make_context, press_button, run_command

TEAM = Subscription(Scope.TEAM, ARSENAL.id, ARSENAL.name)
CUP = Subscription(Scope.COMPETITION, LEAGUE.id, LEAGUE.name)
CARDS = replace(TEAM, overrides=SubscriptionOverrides(frozenset({"yellow_card"})))


def run(words: str, *followed: Subscription, **chat: Any) -> DialogueResult:
    return run_command(make_context(*(followed or (TEAM, CUP, ALL_MATCHES.subscription)), **chat), "alerts", *words.split())


def changed_overrides(result: DialogueResult) -> SubscriptionOverrides:
    (change,) = result.changes
    assert isinstance(change, UpdateSubscription)
    return change.change(change.subscription.overrides)


def list_accepted_kinds(context: ChatContext, overrides: SubscriptionOverrides) -> set[str]:
    return {kind for kind in SHIPPED_KINDS if context.chat.filter.with_overrides(overrides).accepts(kind)}


@pytest.mark.parametrize(
    ("words", "overrides"),
    [
        ("Arsenal wait", SubscriptionOverrides(confirmed_only=True)),
        ("arsenal now", SubscriptionOverrides(confirmed_only=False)),
        ("Premier League scorers", SubscriptionOverrides(scorers_only=True)),
        ("ars wait scorers", SubscriptionOverrides(confirmed_only=True, scorers_only=True)),
        (
            "Arsenal +yellow_card -goal",
            SubscriptionOverrides(frozenset({"yellow_card", "red_card", "shootout", "full_time", "status", "fixture"})),
        ),
        ("Arsenal -goal +goal", NO_OVERRIDES),
        ("all matches now", SubscriptionOverrides(confirmed_only=False)),
    ],
)
def test_in_words_a_subscription_gets_overrides(words: str, overrides: SubscriptionOverrides) -> None:
    assert changed_overrides(run(words)) == overrides


def test_usual_makes_it_as_in_the_chat_and_a_name_alone_shows_its_screen() -> None:
    assert changed_overrides(run("Arsenal usual", CARDS)) == NO_OVERRIDES
    assert run("Arsenal").screen.html == "<b>🎚 Arsenal</b>\nAlerts for this one only. Tap to switch."


@pytest.mark.parametrize("words", ["Everton +goal", "yellow_card", "Arsenal +penguin", "x", "-"])
def test_words_that_name_nothing_that_is_followed_change_no_overrides(words: str) -> None:
    assert not any(isinstance(change, UpdateSubscription) for change in run(words).changes)


def test_every_setting_is_a_tap_away_from_what_is_followed() -> None:
    context = make_context(TEAM, CUP)
    listed = press_button(context, data(run_command(context, "subscriptions").screen, "Per-team"))
    one = press_button(context, data(listed.screen, "Arsenal"))
    loud = press_button(context, data(one.screen, "Sounds"))

    assert changed_overrides(press_button(context, data(one.screen, "Yellow"))).kinds == {
        "goal", "red_card", "yellow_card", "shootout", "full_time", "status", "fixture",
    }  # fmt: skip
    assert changed_overrides(press_button(context, data(one.screen, "Confirmation"))) == SubscriptionOverrides(
        confirmed_only=True
    )
    assert changed_overrides(press_button(context, data(one.screen, "scorers"))) == SubscriptionOverrides(scorers_only=True)
    assert changed_overrides(press_button(context, data(loud.screen, "Goals"))) == SubscriptionOverrides(loud=frozenset({"goal"}))


def test_cards_and_pictures_are_the_chats_own_and_not_offered() -> None:
    context = replace(make_context(TEAM), kinds=(*SHIPPED_KINDS, *LIVE_MESSAGE_KINDS))
    shown = press_button(context, f"x:{make_token(TEAM)}")

    offered = [button.data for row in shown.screen.buttons for button in row]
    assert not any(data.endswith(make_short_id(extra)) for data in offered for extra in LIVE_MESSAGE_KINDS)
    assert [is_outdated(context, f"xk:{make_token(TEAM)}:{make_short_id(extra)}") for extra in LIVE_MESSAGE_KINDS] == [
        True
    ] * len(LIVE_MESSAGE_KINDS)
    assert run_command(context, "alerts", "Arsenal", "+card").changes == ()


def test_a_subscription_with_overrides_is_marked_and_can_be_as_in_the_chat_again() -> None:
    context = make_context(CARDS)
    shown = press_button(context, f"x:{make_token(CARDS)}")

    assert "🎚" in run_command(context, "subscriptions").screen.html
    assert "✅ Yellow cards" in labels(shown.screen) and "Goals" in labels(shown.screen)
    assert changed_overrides(press_button(context, data(shown.screen, "↩ Default"))) == NO_OVERRIDES


@given(st.lists(st.tuples(st.sampled_from(SHIPPED_KINDS), st.booleans()), max_size=6))
def test_each_kind_is_sent_or_not_as_it_was_switched_last(taps: list[tuple[str, bool]]) -> None:
    context, overrides = make_context(TEAM), NO_OVERRIDES
    for kind, on in taps:
        overrides = switch_override_kind(context, overrides, kind, on=on)

    assert list_accepted_kinds(context, overrides) == (
        list_accepted_kinds(context, NO_OVERRIDES) | {k for k, on in dict(taps).items() if on}
    ) - {k for k, on in dict(taps).items() if not on}


@pytest.mark.parametrize("forged", ["x:", "x:AAAAAAAA", "xk:AAAAAAAA:A", "xk:", "xr:", "xw:", "xg:x", "xx:", "xs:x", "xb:1"])
def test_a_forged_button_does_nothing(forged: str) -> None:
    assert is_outdated(make_context(TEAM), forged)


@given(
    st.sampled_from([TEAM, CARDS, replace(TEAM, overrides=SubscriptionOverrides(scorers_only=True))]),
    st.booleans(),
    st.sampled_from(["goal", "yellow_card"]),
)
def test_a_kind_silenced_under_an_alert_is_sent_by_no_subscription_and_pressed_again_by_some(
    one: Subscription, scorers: bool, kind: str
) -> None:
    context, about = make_context(one, CUP, scorers_only=scorers), AlertSubject(FIXTURES[0], kind)
    for _ in range(2):
        before = Recipient.of(context.chat, [s.overrides for s in context.subscriptions]).accepts(kind)
        done = pressed_below(context, about, "a:k")
        chat = next(change.change(context.chat) for change in done.changes if isinstance(change, UpdateChat))
        by_key = {
            change.subscription.key: replace(change.subscription, overrides=change.change(change.subscription.overrides))
            for change in done.changes
            if isinstance(change, UpdateSubscription)
        }
        context = replace(context, chat=chat, subscriptions=tuple(by_key.get(s.key, s) for s in context.subscriptions))

        assert Recipient.of(context.chat, [s.overrides for s in context.subscriptions]).accepts(kind) is not before


async def test_overrides_chosen_in_the_chat_are_stored(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    await world.ask(42, 42, "/alerts Arsenal +yellow_card")
    await world.ask(42, 42, "/subscriptions")

    await world.tap(42, 42, "Per-team")
    await world.tap(42, 42, "Arsenal")
    await world.tap(42, 42, "Goals")

    (one,) = await world.subscriptions.get_all(ChatRef(42))
    assert one.overrides.kinds is not None and {"yellow_card"} <= one.overrides.kinds and "goal" not in one.overrides.kinds
    assert (await world.load_chat(42)).has_overrides and (await world.load_chat(42)).filter.accepts("goal")


def test_where_nothing_is_followed_there_is_nothing_to_override() -> None:
    assert is_outdated(make_context(), "xs:0")
    assert "Per-team" not in " ".join(labels(Screen("", run_command(make_context(), "alerts").screen.buttons)))
