"""What people type is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.catalogue import Fit, measure_fit
from bot.chat.features.subscribe import search_followable
from tests.bot.chat.fixtures import make_context


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Arsenal", "Arsenal"),
        ("ARSENAL", "Arsenal"),
        ("fenerbahce", "Fenerbahçe"),
        ("super lig", "Süper Lig"),
        ("galata", "Galatasaray"),
        ("man city", "Manchester City"),
        ("arsenal v chelsea", "Arsenal v Chelsea"),
        ("chelsea - arsenal", "Arsenal v Chelsea"),
        ("Galatasaray vs Fener", "Fenerbahçe v Galatasaray"),
    ],
)
def test_a_name_without_doubt_is_taken(wanted: str, name: str) -> None:
    found = search_followable(make_context(), wanted)

    assert found.exact is not None and found.exact.name == name


def test_several_hits_are_offered_the_nearest_first() -> None:
    found = search_followable(make_context(), "manchester")

    assert found.exact is None
    assert [choice.name for choice in found.hits] == ["Manchester City", "Manchester United"]


def test_a_hit_in_the_middle_of_a_word_is_offered_and_not_taken() -> None:
    found = search_followable(make_context(), "senal")

    assert found.exact is None and [choice.name for choice in found.hits] == ["Arsenal"]


def test_a_slip_of_the_finger_finds_near_names() -> None:
    found = search_followable(make_context(), "Arsneal")

    assert not found.hits and [choice.name for choice in found.suggestions] == ["Arsenal"]


def test_a_match_that_is_over_is_not_found() -> None:
    found = search_followable(make_context(), "United v Arsenal")

    assert found.exact is None and not found.hits


def test_punctuation_does_not_matter() -> None:
    assert measure_fit("saint etienne", "Saint-Étienne") is Fit.EXACT


@given(st.text(max_size=200))
def test_anything_can_be_searched_for(wanted: str) -> None:
    search_followable(make_context(), wanted)
