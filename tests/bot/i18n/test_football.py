"""Football terms in every language."""

from __future__ import annotations

import msgspec
import pytest

from bot.i18n.extract import collect_country_names, collect_shipped_texts
from bot.i18n.football import (
    COUNTRY_NAMES_FILE,
    SHIPPED_TEXTS_FILE,
    format_title,
    load_wordings,
    translate_scoreline,
    translate_team,
    translate_term,
)
from bot.i18n.language import CHOICES, format_hours, join_sentence_list, lower_first, use_language
from rules.engine.alert import Facts
from rules.football.action import Fixture, Team
from rules.loading.loader import list_packs, load_pack


@pytest.mark.parametrize(
    ("language", "word", "expected"),
    [
        ("en", "Own Goal", "Own Goal"),
        ("de", "own goal", "Eigentor"),
        ("es", "Own Goal", "Autogol"),
        ("fr", "second half", "seconde mi-temps"),
        ("it", "Ball Lost", "Ball Lost"),
    ],
)
def test_a_term_keeps_its_capital_and_an_unknown_word_is_not_changed(language: str, word: str, expected: str) -> None:
    with use_language(language):
        assert translate_term(word) == expected


def test_the_shootout_in_a_scoreline_is_translated() -> None:
    with use_language("pt"):
        assert translate_scoreline(Facts(match="A 1–1 (6–5 pens) B", shootout="6–5")) == "A 1 x 1 (6 x 5 pên.) B"


def test_every_shipped_text_has_a_wording_in_every_other_language() -> None:
    sources = {rule.alert.text.source.strip() for name in list_packs() for rule in load_pack(name).rules}

    others = [language for language in CHOICES if language != "en"]

    assert {wording.language: set(wording.texts) for wording in load_wordings()} == dict.fromkeys(others, sources)


def test_the_data_files_are_what_make_words_writes() -> None:
    assert msgspec.json.decode(COUNTRY_NAMES_FILE.read_bytes()) == collect_country_names()
    assert msgspec.json.decode(SHIPPED_TEXTS_FILE.read_bytes()) == collect_shipped_texts()


def test_labels_lists_and_hours_follow_the_rules_of_the_language() -> None:
    results = []
    for language in ("en", "de", "es"):
        with use_language(language):
            results.append((lower_first("Rote Karten"), lower_first("VAR"), join_sentence_list(["a", "b", "c"]), format_hours(3)))

    assert results == [
        ("rote Karten", "VAR", "a, b and c", "3 hours"),
        ("Rote Karten", "VAR", "a, b und c", "3 Stunden"),
        ("rote Karten", "VAR", "a, b y c", "3 horas"),
    ]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Germany 2–1 (4–3 pens) Ivory Coast"),
        ("de", "Deutschland 2:1 (4:3 i. E.) Elfenbeinküste"),
        ("pt", "Alemanha 2 x 1 (4 x 3 pên.) Costa do Marfim"),
    ],
)
def test_a_scoreline_has_the_signs_and_national_teams_of_its_language(language: str, expected: str) -> None:
    facts = Facts(match="Germany 2–1 (4–3 pens) Ivory Coast", home="Germany", away="Ivory Coast", shootout="4–3")
    with use_language(language):
        assert translate_scoreline(facts) == expected


@pytest.mark.parametrize(
    ("name", "german"),
    [
        ("Scotland", "Schottland"),
        ("Germany U21", "Deutschland U21"),
        ("France Women", "Frankreich Women"),
        ("Arsenal", "Arsenal"),
    ],
)
def test_national_teams_and_no_clubs_are_translated(name: str, german: str) -> None:
    with use_language("de"):
        assert translate_team(name) == german


def test_a_title_is_written_as_the_language_writes_it() -> None:
    fixture = Fixture("f", home=Team(name="Italy"), away=Team(name="Arsenal"))
    titles = []
    for language in ("en", "it", "pt"):
        with use_language(language):
            titles.append(format_title(fixture))

    assert titles == ["Italy v Arsenal", "Italia – Arsenal", "Itália x Arsenal"]
