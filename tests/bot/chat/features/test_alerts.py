"""Switching kinds of alerts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.chat.dialogue import DialogueResult, UpdateChat
from bot.chat.features import alerts
from bot.subscribers import DEFAULT_KINDS, AlertFilter, Chat
from rules.engine.alert import CARD, LIVE_MESSAGE_KINDS, SHIPPED_KINDS
from tests.bot.chat.fixtures import data, labels, make_context, press_button


def settled(turn: DialogueResult) -> Chat:
    (change,) = turn.changes
    assert isinstance(change, UpdateChat)
    return change.chat


def heard(turn: DialogueResult) -> set[str]:
    return set(alerts.list_enabled_kinds(settled(turn).filter, SHIPPED_KINDS))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("all",), set(SHIPPED_KINDS)),
        (("none",), set()),
        (("+yellow_card",), DEFAULT_KINDS | {"yellow_card"}),
        (("+Yellow-Cards", "−goal"), DEFAULT_KINDS - {"goal"} | {"yellow_card"}),
        (("var",), DEFAULT_KINDS | {"var"}),
    ],
)
def test_kinds_are_switched_by_words(words: tuple[str, ...], expected: set[str]) -> None:
    assert heard(alerts.set_kinds(make_context(), words)) == expected


def test_one_kind_can_be_taken_from_all() -> None:
    assert heard(alerts.set_kinds(make_context(all_kinds=True), ("-var",))) == set(SHIPPED_KINDS) - {"var"}


def test_an_unknown_kind_changes_nothing_and_names_the_known_ones() -> None:
    turn = alerts.set_kinds(make_context(), ("+goal", "+corner<s>"))

    assert not turn.changes
    assert "corner&lt;s&gt;" in turn.screen.html and "<code>red_card</code>" in turn.screen.html


def test_buttons_show_ticks_and_switch() -> None:
    shown = alerts.set_kinds(make_context(), ()).screen
    turn = press_button(make_context(), data(shown, "Yellow cards"))

    assert "✅ Goals" in labels(shown) and "Yellow cards" in labels(shown)
    assert "✅ Yellow cards" in labels(turn.screen)
    assert heard(turn) == DEFAULT_KINDS | {"yellow_card"}


def test_after_nothing_one_kind_can_be_heard_again() -> None:
    alert_filter = settled(press_button(make_context(), "kn")).filter

    assert set(alerts.list_enabled_kinds(alerts.switch_kind(alert_filter, "goal", SHIPPED_KINDS, on=True), SHIPPED_KINDS)) == {
        "goal"
    }


def test_everything_switches_no_extras_on_and_leaves_those_that_were_chosen() -> None:
    offered = (*SHIPPED_KINDS, *LIVE_MESSAGE_KINDS)
    chosen = alerts.switch_kind(AlertFilter(), CARD, offered, on=True)

    everything = alerts.enable_all_kinds(chosen)

    assert [everything.accepts(kind) for kind in ("var", *LIVE_MESSAGE_KINDS)] == [True, True, False]
    assert [
        alerts.switch_kind(everything, "var", offered, on=False).accepts(kind) for kind in ("var", "goal", *LIVE_MESSAGE_KINDS)
    ] == [
        False,
        True,
        True,
        False,
    ]
    assert not alerts.disable_all_kinds(everything, offered).accepts(CARD)


@pytest.mark.parametrize("words", ["card", "+Match_card", "+match-card"])
def test_a_card_is_asked_for_by_its_name_or_its_words(words: str) -> None:
    asked = settled(alerts.set_kinds(replace(make_context(), kinds=(*SHIPPED_KINDS, *LIVE_MESSAGE_KINDS)), (words,)))

    assert asked.filter.accepts(CARD)
