"""French spaces at punctuation, and its apostrophes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.i18n.extract import read_catalogue
from bot.i18n.football import load_wordings
from bot.i18n.language import translate, use_language
from bot.i18n.typography import set_french_typography

_MARKUP = re.compile(r"<(code|pre)>.*?</\1>|<[^<>]*>|\{%.*?%\}|\{\{.*?\}\}|&\w+;", re.DOTALL)

_ORDINARY_SPACE = re.compile(r"[ \u00a0][!?;:»]+(?=\s|$)|« ")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Buts !", "Buts~!"),
        ("Buts!", "Buts~!"),
        ("Quoi ?!", "Quoi~?!"),
        ("Fin : {match} ; suite", "Fin~: {match}~; suite"),
        ("« {name} » : introuvable", "«~{name}~»~: introuvable"),
        ("«{name}»", "«~{name}~»"),
        ("Fin :\n<b>{name}</b> :", "Fin~:\n<b>{name}</b>~:"),
        ("<b>Fin{% if minute %} {{ minute }}'{% endif %} : {{ match }}</b>",
         "<b>Fin{% if minute %} {{ minute }}'{% endif %}~: {{ match }}</b>"),
        ("90' : {{ match }}", "90'~: {{ match }}"),
        ("(vraiment ?)", "(vraiment~?)"),
        ("⚽ !", "⚽~!"),
        ("l'arrêt d'{name}, qu'<b>un</b> but", "l’arrêt d’{name}, qu’<b>un</b> but"),
        ("aujourd'hui, 45+2' d'Arsenal", "aujourd’hui, 45+2' d’Arsenal"),
    ],
)  # fmt: skip
def test_punctuation_gets_a_narrow_space(typed: str, expected: str) -> None:
    assert set_french_typography(typed) == expected.replace("~", "\u202f")


@pytest.mark.parametrize(
    "text",
    [
        "Coup d’envoi 20:45", "67' Saka", "<b>23'</b>", "14:00–15:30", "1:0", "Arsenal 2–1 Chelsea", "https://example.org/a?b;c:d",
        '<a href="https://example.org/?a=1;b=2">ici</a>', '<tg-time unix="1" format="t">20:45</tg-time>',
        "<code>/mute 1h : x ?</code>", "<code>d'un</code>", "{{ 'l’un' or 'x' }}' {{ minute }}'",
        "{% if a != b and c ? d : e %}", "{{ 'a : b' if x else 'c ?' }}", "Brighton &amp; Hove",
        "rules.yaml:12:3", "(!)", "key:value", "UTC+5:30", "",
    ],
)  # fmt: skip
def test_tags_templates_addresses_times_and_scores_are_left_alone(text: str) -> None:
    assert set_french_typography(text) == text


@given(st.text(st.sampled_from("aé «»!?;:.,'<>{}%&/ \u202f\n1")))
def test_a_text_that_is_set_already_stays_as_it_is(text: str) -> None:
    once = set_french_typography(text)

    assert set_french_typography(once) == once
    assert [c for c in once.replace("’", "'") if not c.isspace()] == [c for c in text if not c.isspace()]


def test_no_french_text_keeps_an_ordinary_space_at_its_punctuation() -> None:
    sources = [message.id if isinstance(message.id, str) else message.id[0] for message in read_catalogue("fr") if message.id]
    with use_language("fr"):
        texts = [translate(source) for source in sources]
    texts += next(wording for wording in load_wordings() if wording.language == "fr").texts.values()

    assert len([text for text in texts if "\u202f" in text]) > 100
    assert [text for text in texts if _ORDINARY_SPACE.search(_MARKUP.sub("", text))] == []


def test_other_languages_keep_their_spaces() -> None:
    with use_language("de"):
        assert "\u202f" not in translate("Alerts: {kinds}.")
