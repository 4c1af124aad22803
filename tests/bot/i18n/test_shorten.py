"""Texts that are shortened to fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.i18n.shorten import shorten, shorten_names, text_length


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("Arsenal", 7, "Arsenal"),
        ("Arsenal", 6, "Arsen…"),
        ("Real Madrid", 6, "Real…"),
        ("⚽⚽⚽", 2, "⚽…"),
        ("🏆🏆🏆", 4, "🏆…"),
        ("Ze\u0301 Roberto", 3, "Ze\u0301"[:1] + "…"),
        ("👨‍👩‍👧 family", 7, "…"),
        ("👨‍👩‍👧 family", 9, "👨‍👩‍👧…"),
        ("\u2068מכבי חיפה\u2069", 8, "\u2068מכבי…\u2069"),
        ("", 0, ""),
        ("abc", 0, "…"),
    ],
)
def test_a_text_is_shortened_between_letters(text: str, room: int, expected: str) -> None:
    assert shorten(text, room) == expected


@given(st.text(), st.integers(1, 30))
def test_a_shortened_text_fits_and_begins_as_the_text(text: str, room: int) -> None:
    short = shorten(text, room)

    assert text_length(short) <= room
    assert short == text or text.startswith(short.rstrip("\u2069").rstrip("…"))


def test_a_text_in_pixels_is_measured_as_it_is_drawn() -> None:
    assert shorten("WiiiW", 9, lambda text: sum(4 if letter == "W" else 1 for letter in text)) == "Wiii…"


@given(st.text("abc ", min_size=1, max_size=30), st.text("xyz ", min_size=1, max_size=30), st.integers(20, 60))
def test_names_are_shortened_to_the_same_length(home: str, away: str, room: int) -> None:
    home, away = home.strip() or "a", away.strip() or "x"

    short = shorten_names(f"{home} – {away}", (home, away), room)

    assert text_length(short) <= room
    first, _, second = short.partition(" – ")
    # What is not cut is no longer than what is.
    cut = [len(name) for name in (first, second) if name.endswith("…")]
    assert not cut or max(len(first), len(second)) - max(cut) <= 1


@pytest.mark.parametrize(
    ("home", "away"), [("Inter", "Inter Miami International"), ("United", "Manchester United of Newton Heath")]
)
def test_a_name_that_is_part_of_the_other_is_not_cut_within_it(home: str, away: str) -> None:
    short = shorten_names(f"{home} v {away}", (home, away), 24)

    assert short.startswith(f"{home} v ") and text_length(short) <= 24
