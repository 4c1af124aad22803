"""The button under an alert: what it offers and what each offer does."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.chat.dialogue import DialogueResult, OutdatedButton, Screen, UpdateChat
from bot.chat.features.mute_button import CLOSED_KEYBOARD, AlertSubject, press_mute_button, read_alert_subject
from bot.outbox.outbox import make_sample_alert
from bot.subscribers import MuteOffer
from tests.bot.chat.fixtures import FIXTURES, NOW, changed_chat, make_context
from tests.bot.news import REF, alert, delivered, news

GOAL = AlertSubject(FIXTURES[0], "goal")


def press(data: str, what: AlertSubject = GOAL, **chat: Any) -> DialogueResult:
    return press_mute_button(make_context(**chat), what, data)


def list_labels(what: AlertSubject = GOAL, **chat: Any) -> list[str]:
    return [button.label for row in press("a", what, **chat).screen.buttons for button in row]


def test_it_opens_and_closes_without_changing_anything() -> None:
    assert list_labels() == ["🔕 This match", "🔕 1 hour", "🔕 Goals", "✖"]
    assert press("a:x") == DialogueResult(Screen("", CLOSED_KEYBOARD))


def test_where_scores_are_hidden_no_button_or_answer_names_the_kind() -> None:
    assert list_labels(spoilers=True) == ["🔕 This match", "🔕 1 hour", "🔕 This kind", "✖"]
    assert "oal" not in press("a:k", spoilers=True).note


def test_a_kind_that_a_busy_match_offers_is_the_one_that_is_switched_and_the_offer_is_closed() -> None:
    offer, alert = MuteOffer("f1", "g", ("yellow_card",)), AlertSubject(FIXTURES[0], "goal", "g")
    context = make_context(kinds_on=frozenset({"yellow_card"}), mute_offers=(offer,))

    for data in ("a:k:yellow_card", "a:x", "a:m"):
        changed = context.chat
        for change in press_mute_button(context, alert, data).changes:
            assert isinstance(change, UpdateChat)
            changed = change.change(changed)
        assert changed.mute_offers == (MuteOffer("f1", "", ("yellow_card",)),)
        assert (changed.filter.accepts("goal"), changed.filter.accepts("yellow_card")) == (True, data != "a:k:yellow_card")
    # Under another alert of the match nothing stands open.
    other = press_mute_button(context, replace(alert, action_id="h"), "a:x")
    assert other == DialogueResult(Screen("", CLOSED_KEYBOARD))
    with pytest.raises(OutdatedButton):
        press_mute_button(context, alert, "a:k:of_no_rule")


def test_each_offer_silences_what_it_names_and_closes_the_menu() -> None:
    match, hour, kind = (press(data) for data in ("a:m", "a:h", "a:k"))

    assert changed_chat(match).muted_matches == {"f1"}
    assert changed_chat(hour).muted_until == NOW + dt.timedelta(hours=1)
    assert not changed_chat(kind).filter.accepts("goal") and changed_chat(kind).filter.accepts("red_card")
    assert {result.screen.buttons for result in (match, hour, kind)} == {CLOSED_KEYBOARD} and "Chelsea" in match.note


@given(st.sampled_from(["a:m", "a:h", "a:k"]))
def test_pressed_twice_everything_is_sent_as_before(data: str) -> None:
    once = changed_chat(press(data))
    again = press_mute_button(replace(make_context(), chat=once), GOAL, data)

    twice = changed_chat(again, replace(make_context(), chat=once))
    assert (twice.muted_matches, twice.muted_until, twice.filter.accepts("goal")) == (frozenset(), None, True)


def test_a_summary_has_no_kind_and_a_sample_neither_kind_nor_match() -> None:
    one, sample = alert(), make_sample_alert(REF, "x", {"en": "html"}, NOW)
    summary = read_alert_subject(delivered(one), news(one, line_ids=("g",)))

    assert summary == AlertSubject(one.fixture)
    assert list_labels(summary) == ["🔕 This match", "🔕 1 hour", "✖"]
    assert read_alert_subject(delivered(sample), news(sample)) == AlertSubject()
    for data in ("a:m", "a:k"):
        with pytest.raises(OutdatedButton):
            press_mute_button(make_context(), AlertSubject(), data)


@pytest.mark.parametrize("data", ["a:", "a:y", "a:mm", "ab", "a:m:1"])
def test_forged_data_does_nothing(data: str) -> None:
    with pytest.raises(OutdatedButton):
        press_mute_button(make_context(), GOAL, data)
