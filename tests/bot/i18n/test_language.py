"""The current language."""

import datetime as dt

import pytest

from bot.i18n.language import (
    CHOICES,
    choose_text,
    current_language,
    find_language,
    format_long_date,
    in_each_language,
    translate,
    use_language,
)


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("pt-BR", "pt"),
        ("DE", "de"),
        ("es_419", "es-419"),
        ("tlh", "en"),
        ("", "en"),
        ("es-MX", "es-419"),
        ("es-ES", "es"),
        ("pt-pt", "pt-PT"),
        ("pt-AO", "pt-PT"),
        ("de-AT", "de"),
        ("es-419", "es-419"),
        ("pt-PT", "pt-PT"),
    ],
)
def test_a_tag_becomes_a_supported_language_or_english(tag: str, code: str) -> None:
    assert find_language(tag) == code


def test_use_language_applies_while_the_block_runs() -> None:
    with use_language("de"):
        inside = current_language()

    assert (inside, current_language()) == ("de", "en")


@pytest.mark.parametrize(
    ("language", "goals", "back"), [("pt-PT", "Golos", "◀ Voltar"), ("pt", "Gols", "◀ Voltar"), ("es-419", "Goles", "◀ Volver")]
)
def test_a_region_says_what_differs_and_the_rest_as_its_language_does(language: str, goals: str, back: str) -> None:
    with use_language(language):
        assert (translate("Goals"), translate("◀ Back")) == (goals, back)


def test_a_text_is_kept_for_a_region_only_where_it_differs() -> None:
    texts = in_each_language(lambda: translate("Goals"))
    found = {}
    for language in CHOICES:
        with use_language(language):
            found[language] = choose_text(texts)

    assert "pt-PT" in texts and "es-419" not in texts
    assert (found["pt-PT"], found["pt"], found["es-419"]) == ("Golos", "Gols", "Goles")
    assert choose_text({"es": "Gol"}) == ""


def test_a_date_is_written_as_in_the_region() -> None:
    with use_language("pt-PT"):
        assert format_long_date(dt.date(2026, 11, 22)) == "domingo, 22 de novembro"
