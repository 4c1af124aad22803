"""Switching kinds of alerts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.chats import kinds
from bot.chats.dialogue import press
from bot.chats.reply import Settle, Turn
from bot.store.model import DEFAULT_KINDS, Chat, ChatRef
from rules.alert import CARD, EXTRAS, KINDS
from tests.bot.chats.fixtures import data, labels, view


def settled(turn: Turn | None) -> Chat:
    assert turn is not None
    (change,) = turn.changes
    assert isinstance(change, Settle)
    return change.chat


def heard(turn: Turn | None) -> set[str]:
    return set(kinds.heard(settled(turn), KINDS))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("all",), set(KINDS)),
        (("none",), set()),
        (("+yellow_card",), DEFAULT_KINDS | {"yellow_card"}),
        (("+Yellow-Cards", "−goal"), DEFAULT_KINDS - {"goal"} | {"yellow_card"}),
        (("var",), DEFAULT_KINDS | {"var"}),
    ],
)
def test_kinds_are_switched_by_words(words: tuple[str, ...], expected: set[str]) -> None:
    assert heard(kinds.alerts(view(), words)) == expected


def test_one_kind_can_be_taken_from_all() -> None:
    assert heard(kinds.alerts(view(all_kinds=True), ("-var",))) == set(KINDS) - {"var"}


def test_an_unknown_kind_changes_nothing_and_names_the_known_ones() -> None:
    turn = kinds.alerts(view(), ("+goal", "+corner<s>"))

    assert not turn.changes
    assert "corner&lt;s&gt;" in turn.reply.html and "<code>red_card</code>" in turn.reply.html


def test_buttons_show_ticks_and_switch() -> None:
    shown = kinds.alerts(view(), ()).reply
    turn = press(view(), data(shown, "Yellow cards"))

    assert "✅ Goals" in labels(shown) and "Yellow cards" in labels(shown)
    assert turn is not None and "✅ Yellow cards" in labels(turn.reply)
    assert heard(turn) == DEFAULT_KINDS | {"yellow_card"}


def test_after_nothing_one_kind_can_be_heard_again() -> None:
    chat = settled(press(view(), "kn"))

    assert set(kinds.heard(kinds.switch(chat, "goal", KINDS, on=True), KINDS)) == {"goal"}


def test_everything_switches_no_extras_on_and_leaves_those_that_were_chosen() -> None:
    offered = (*KINDS, *EXTRAS)
    chosen = kinds.switch(Chat(ChatRef(1)), CARD, offered, on=True)

    everything = kinds.everything(chosen)

    assert [everything.takes(kind) for kind in ("var", *EXTRAS)] == [True, True, False]
    assert [kinds.switch(everything, "var", offered, on=False).takes(kind) for kind in ("var", "goal", *EXTRAS)] == [
        False,
        True,
        True,
        False,
    ]
    assert not kinds.nothing(everything, offered).takes(CARD)


@pytest.mark.parametrize("words", ["card", "+Match_card", "+match-card"])
def test_a_card_is_asked_for_by_its_name_or_its_words(words: str) -> None:
    asked = settled(kinds.alerts(replace(view(), kinds=(*KINDS, *EXTRAS)), (words,)))

    assert asked.takes(CARD)
