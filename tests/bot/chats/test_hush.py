"""The button under an alert: what it offers and what each offer does."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.chats.hush import CLOSED, About, Hushed, about, press
from bot.chats.reply import Settle
from bot.outbox.sample import sample_alert
from bot.store.model import Chat
from tests.bot.chats.fixtures import FIXTURES, NOW, view
from tests.bot.news import REF, alert, news, told

GOAL = About(FIXTURES[0], "goal")


def pressed(data: str, what: About = GOAL, **chat: Any) -> Hushed:
    found = press(view(**chat), what, data)
    assert found is not None
    return found


def settled(hushed: Hushed) -> Chat:
    (change,) = hushed.changes
    assert isinstance(change, Settle)
    return change.chat


def offered(what: About = GOAL, **chat: Any) -> list[str]:
    return [button.label for row in pressed("a", what, **chat).rows for button in row]


def test_it_opens_and_closes_without_changing_anything() -> None:
    assert offered() == ["🔕 This match", "🔕 1 hour", "🔕 Goals", "✖"]
    assert pressed("a:x") == Hushed(CLOSED)


def test_each_offer_silences_what_it_names_and_closes_the_menu() -> None:
    match, hour, kind = (pressed(data) for data in ("a:m", "a:h", "a:k"))

    assert settled(match).muted_matches == {"f1"}
    assert settled(hour).muted_until == NOW + dt.timedelta(hours=1)
    assert not settled(kind).takes("goal") and settled(kind).takes("red_card")
    assert {hushed.rows for hushed in (match, hour, kind)} == {CLOSED} and "Chelsea" in match.note


@given(st.sampled_from(["a:m", "a:h", "a:k"]))
def test_pressed_twice_everything_is_heard_as_before(data: str) -> None:
    once = settled(pressed(data))
    again = press(replace(view(), chat=once), GOAL, data)

    assert again is not None
    twice = settled(again)
    assert (twice.muted_matches, twice.muted_until, twice.takes("goal")) == (frozenset(), None, True)


def test_a_summary_has_no_kind_and_a_sample_neither_kind_nor_match() -> None:
    one, sample = alert(), sample_alert(REF, "x", {"en": "html"}, NOW)
    summary = about(told(one), news(one, lines=("g",)))

    assert summary == About(one.fixture)
    assert offered(summary) == ["🔕 This match", "🔕 1 hour", "✖"]
    assert about(told(sample), news(sample)) == About()
    assert (press(view(), About(), "a:m"), press(view(), About(), "a:k")) == (None, None)


@pytest.mark.parametrize("data", ["a:", "a:y", "a:mm", "ab", "a:m:1"])
def test_forged_data_does_nothing(data: str) -> None:
    assert press(view(), GOAL, data) is None
