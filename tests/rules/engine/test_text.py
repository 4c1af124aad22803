import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine.alert import Facts
from rules.engine.text import (
    LANGUAGES,
    AlertText,
    TextError,
    escape_html,
    make_fallback_text,
    tidy_text,
    translate_word,
    visible_text,
)

FACTS = Facts(match="Arsenal 1–0 Brighton & Hove Albion", minute="39", player="B. N'Diaye", team="Arsenal", action_type="Goal")


def test_values_are_escaped_and_the_texts_own_html_is_not() -> None:
    text = AlertText("⚽ <b>{{ match }}</b>\n{{ minute }}' {{ player }}")

    assert text.render(FACTS) == "⚽ <b>Arsenal 1–0 Brighton &amp; Hove Albion</b>\n39' B. N'Diaye"


def test_what_the_feed_has_not_given_leaves_no_stray_space() -> None:
    text = AlertText("⚽ {{ team }}  {{ sub_action_type }} goal\n{{ minute }}' {{ player }} ({{ period }})\n")

    assert text.render(Facts(team="Arsenal")) == "⚽ Arsenal goal"


def test_an_unknown_variable_is_named() -> None:
    with pytest.raises(TextError, match="'plaer' is undefined"):
        AlertText("{{ plaer }}").render(FACTS)


def test_what_is_not_a_template_is_refused() -> None:
    with pytest.raises(TextError, match="is not a template"):
        AlertText("{{ match ")


@pytest.mark.parametrize(
    "source", ["{{ ''.__class__.__mro__ }}", "{{ self.__init__.__globals__ }}", "{% for i in range(10**9) %}x{% endfor %}"]
)
def test_a_text_cannot_leave_its_sandbox(source: str) -> None:
    with pytest.raises(TextError):
        AlertText(source).render(FACTS)


def test_the_plain_text_has_the_same_facts() -> None:
    assert make_fallback_text(FACTS) == "Goal 39' B. N'Diaye, Arsenal\nArsenal 1–0 Brighton &amp; Hove Albion"


def test_the_plain_text_has_the_sub_type_and_leaves_out_what_is_not_known() -> None:
    assert make_fallback_text(Facts(action_type="Goal", sub_action_type="Own Goal", team="A&B")) == "Goal (Own Goal) A&amp;B"
    assert make_fallback_text(Facts(match="Arsenal 0–0 Chelsea")) == "Arsenal 0–0 Chelsea"


@pytest.mark.parametrize(
    ("written", "tidied"),
    [
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("a\n\nb", "a\n\nb"),
        ("a \u00a0 b", "a b"),
        ("a\u00a0b", "a\u00a0b"),
        ("  a\t\n\t b  ", "a\nb"),
        ("' Saka () [ ]", "Saka"),
        ("N’Golo '78 ’", "N’Golo '78"),
        ("(a) [b]", "(a) [b]"),
    ],
)
def test_what_empty_values_leave_behind_is_removed_and_nothing_else(written: str, tidied: str) -> None:
    assert tidy_text(written) == tidied


def test_only_names_are_isolated_where_they_are_written_from_the_right() -> None:
    text = AlertText("{{ home }} {{ action_type }}")

    assert text.render(Facts(home="מכבי", action_type="שער")) == "\u2068מכבי\u2069 שער"


def test_each_language_is_called_as_those_who_speak_it_do() -> None:
    assert LANGUAGES == {
        "en": "English",
        "es": "Español",
        "de": "Deutsch",
        "fr": "Français",
        "pt": "Português",
        "it": "Italiano",
    }


@pytest.mark.parametrize(
    ("word", "translated"),
    [("Offside", "Abseits"), ("offside", "abseits"), ("OFFSIDE", "Abseits"), ("Header", "Header"), ("", "")],
)
def test_a_term_is_translated_in_the_letter_case_that_it_has(word: str, translated: str) -> None:
    assert translate_word(word, {"offside": "abseits"}) == translated


def test_quotation_marks_are_safe_in_attributes_and_apostrophes_stay() -> None:
    assert escape_html("""<"A" & 'B'>""") == "&lt;&quot;A&quot; &amp; 'B'&gt;"


@given(st.text())
def test_tidying_twice_changes_nothing(text: str) -> None:
    assert tidy_text(tidy_text(text)) == tidy_text(text)


@given(st.text())
def test_what_was_escaped_is_read_as_it_was(text: str) -> None:
    assert visible_text(escape_html(text)) == text


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ('<b>1–0</b> <a href="https://x.y">Arsenal</a>', "1–0 Arsenal"),
        ("<tg-spoiler>A &lt;b&gt; B</tg-spoiler>", "A <b> B"),
        ("we <3 football & Saint-&Eacute;tienne", "we <3 football & Saint-Étienne"),
    ],
)
def test_a_reader_sees_text_without_tags_and_with_entities_as_characters(source: str, seen: str) -> None:
    assert visible_text(source) == seen
