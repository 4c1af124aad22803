"""Football's own words."""

from __future__ import annotations

import pytest

from bot.languages.football import said, scoreline, wordings
from bot.languages.grammar import hours, inside, listed
from bot.languages.speaking import speaking
from rules.alert import Facts
from rules.load import pack, packs


@pytest.mark.parametrize(
    ("language", "word", "heard"),
    [
        ("en", "Own Goal", "Own Goal"),
        ("de", "own goal", "Eigentor"),
        ("es", "Own Goal", "Gol en propia puerta"),
        ("fr", "second half", "deuxième mi-temps"),
        ("it", "Ball Lost", "Ball Lost"),
    ],
)
def test_a_word_is_said_with_the_capital_that_it_has_and_an_unknown_one_as_it_is(language: str, word: str, heard: str) -> None:
    with speaking(language):
        assert said(word) == heard


def test_a_shootout_is_named_in_the_score() -> None:
    with speaking("pt"):
        assert scoreline(Facts(match="A 1–1 (6–5 pens) B", shootout="6–5")) == "A 1–1 (6–5 pên.) B"


def test_every_text_that_ships_has_a_wording_in_every_other_language() -> None:
    sources = {rule.alert.text.source.strip() for name in packs() for rule in pack(name).rules}

    assert {wording.language: set(wording.texts) for wording in wordings()} == dict.fromkeys(
        ("es", "de", "fr", "pt", "it"), sources
    )


def test_labels_lists_and_hours_stand_in_a_sentence_as_the_language_has_it() -> None:
    heard = []
    for language in ("en", "de", "es"):
        with speaking(language):
            heard.append((inside("Rote Karten"), inside("VAR"), listed(["a", "b", "c"]), hours(3)))

    assert heard == [
        ("rote Karten", "VAR", "a, b and c", "3 hours"),
        ("Rote Karten", "VAR", "a, b und c", "3 Stunden"),
        ("rote Karten", "VAR", "a, b y c", "3 horas"),
    ]
