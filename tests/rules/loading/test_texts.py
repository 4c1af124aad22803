"""Texts of alerts: what Telegram would refuse, and what is tried before an alert needs it."""

from __future__ import annotations

import re

import pytest

from rules.engine.text import visible_text
from rules.loading.document import Report, compose, mapping_items
from rules.loading.texts import (
    ALLOWED_TAGS,
    MAX_TEXT_LENGTH,
    SAMPLE_FACTS,
    NamedTexts,
    check_text,
    find_markup_error,
    read_text,
    read_texts,
)
from rules.loading.values import Reader


def mistakes_of(source: str) -> list[str]:
    """Why a text is refused, without the place."""
    report = Report()
    ((_, node),) = mapping_items(compose("a: x", "f.yaml", report))
    text = check_text(Reader(report), node, source)

    assert (text is None) is bool(report.mistakes)
    return [re.sub(r"^f\.yaml:1:\d+: ", "", mistake) for mistake in report.mistakes]


@pytest.mark.parametrize(
    ("html", "error"),
    [
        ("<br>", "Telegram does not know the tag <br>"),
        ("<br/>", "Telegram does not know the tag <br/>"),
        ("<b/>", "Telegram does not know the tag <b/>"),
        ("<a>x</a>", "a link needs its address: <a href=…>"),
        ('<a href="">x</a>', "a link needs its address: <a href=…>"),
        ("<b>x", "the text leaves <b> open"),
        ("<b><i>x</i>", "the text leaves <b> open"),
        ("x</b>", "the text closes </b> where it is not open"),
        ("<b><i>x</b></i>", "the text closes </b> where it is not open"),
        ("a < b", "write &lt; for a < that is no tag"),
        ("<!-- x -->", "Telegram does not know comments in a text"),
        ("<br><x>", "Telegram does not know the tag <br>"),
        ('<a href="https://x.y">x</a> &lt;3 <b><i>y</i></b>', ""),
        ("", ""),
    ],
)
def test_markup_that_telegram_refuses_is_named(html: str, error: str) -> None:
    assert find_markup_error(html) == error


@pytest.mark.parametrize("tag", ALLOWED_TAGS)
def test_every_tag_of_telegram_is_taken(tag: str) -> None:
    assert find_markup_error(f'<{tag} href="x">y</{tag}>') == ""


def test_telegrams_tags_are_these() -> None:
    known = "b strong i em u ins s strike del span tg-spoiler a tg-emoji code pre blockquote"

    assert known.split() == list(ALLOWED_TAGS)


@pytest.mark.parametrize(
    ("source", "start"),
    [
        ("{{ match ", "the {{ that is opened here is never closed by }}"),
        ("{{ plyer }}", 'the text uses an unknown variable "plyer", did you mean "player"?'),
        ("{{ zzz }}", 'the text uses an unknown variable "zzz"; known: match, score, '),
        ("{{ reason }}", 'the text uses an unknown variable "reason"'),
        ("{{ 1 // 0 }}", "the text could not be filled: "),
        ("{{ 1 // player | length }}", "the text could not be filled: "),
        ("{{ '' }}", "the text comes out empty"),
        ("x" * (MAX_TEXT_LENGTH + 1), "the text is too long: 3501 characters, Telegram takes little more than 3500"),
        ("<b>{{ player }}", "the text leaves <b> open"),
    ],
)
def test_a_text_is_tried_with_and_without_its_values(source: str, start: str) -> None:
    (mistake,) = mistakes_of(source)

    assert mistake.startswith(start)


@pytest.mark.parametrize("source", ["{{ match }}", "x" * MAX_TEXT_LENGTH, "<b>{{ player }}</b> {{ minute }}'"])
def test_a_text_that_can_be_sent_is_taken(source: str) -> None:
    assert mistakes_of(source) == []


def test_all_unknown_variables_are_named_at_once_in_order() -> None:
    assert [mistake.split('"')[1] for mistake in mistakes_of("{{ zb }} {{ za }} {{ player }}")] == ["zb", "za"]


def test_a_text_is_tried_with_a_match_that_has_a_value_for_every_variable_of_it() -> None:
    assert (SAMPLE_FACTS.match, SAMPLE_FACTS.minute, SAMPLE_FACTS.player) == (
        "Tottenham Hotspur 1–0 Leicester City", "45+2", "Harry Kane",
    )  # fmt: skip
    assert visible_text(SAMPLE_FACTS.shootout) == "6–5"


def read_one(text: str, texts: NamedTexts | None = None) -> tuple[str | None, dict[str, str], list[str]]:
    """The text of `text: …`, those by language, and the mistakes without their place."""
    report = Report()
    ((_, node),) = mapping_items(compose(f"text: {text}", "f.yaml", report))
    found = read_text(Reader(report), node, texts or {})
    by_language = {code: one.source for code, one in found.by_language.items()} if found else {}
    return found.text.source if found else None, by_language, [m.split(": ", 1)[1] for m in report.mistakes]


@pytest.mark.parametrize(
    ("text", "english", "by_language"),
    [
        ("Goal", "Goal", {}),
        ("{en: Goal, de: Tor}", "Goal", {"en": "Goal", "de": "Tor"}),
        ("{de: Tor, en: Goal}", "Goal", {"en": "Goal", "de": "Tor"}),
        ("{de: Tor, es: Gol}", "Tor", {"de": "Tor", "es": "Gol"}),
    ],
)
def test_a_text_is_one_for_all_or_one_for_each_language(text: str, english: str, by_language: dict[str, str]) -> None:
    assert read_one(text) == (english, by_language, [])


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("[x]", ["text must be one text, not a list"]),
        ("{en: Goal, de: ''}", ["text, de is empty"]),
        ("{en: Goal, use: x}", ["text has either use, or a text for each language"]),
        ("{use: x}", ['there is no text "x": texts is empty']),
        ("{use: [x]}", ["use must be one text, not a list"]),
    ],
)
def test_a_text_that_cannot_be_read_says_why(text: str, mistakes: list[str]) -> None:
    assert read_one(text) == (None, {}, mistakes)


def test_named_texts_are_used_by_name_and_a_name_that_is_not_there_is_answered() -> None:
    report, texts = Report(), NamedTexts()
    ((_, node),) = mapping_items(compose("texts: {goal: Goal, card: {en: Card, de: Karte}}", "f.yaml", report))
    read_texts(Reader(report), node, texts)

    assert report.mistakes == ()
    assert read_one("{use: card}", texts) == ("Card", {"en": "Card", "de": "Karte"}, [])
    assert read_one("{use: gaol}", texts) == (None, {}, ['unknown text "gaol", did you mean "goal"?'])


@pytest.mark.parametrize(
    ("written", "mistakes"),
    [
        ("[x]", ["f.yaml:2:8: texts must be a mapping of names to texts"]),
        ("{old: x}", ['f.yaml:2:9: there is already a text "old"']),
        ("{new: '{{ }}'}", ["f.yaml:2:15: {{ }} is empty: write the name of a value, such as {{ player }}"]),
        ("{new: {english: x}}", ['f.yaml:2:15: unknown key "english"; known: en, es, de, fr, pt, it']),
        ("{new: [x]}", ['f.yaml:2:14: the text "new" must be one text, not a list']),
        ("{new: {en: []}}", ['f.yaml:2:19: the text "new", en must be one text, not a list']),
    ],
)
def test_a_named_text_that_cannot_be_read_says_why(written: str, mistakes: list[str]) -> None:
    report = Report()
    (_, before), (_, after) = mapping_items(compose(f"before: {{old: x}}\ntexts: {written}", "f.yaml", report))
    texts = NamedTexts()
    read_texts(Reader(report), before, texts)
    read_texts(Reader(report), after, texts)

    assert list(report.mistakes) == mistakes
    assert list(texts) == ["old"]
