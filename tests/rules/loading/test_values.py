"""One value of a node: what is read, and the sentence where it is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from rules.loading.document import Report, compose, mapping_items
from rules.loading.values import (
    Reader,
    describe_unknown,
    find_misspelt,
    parse_boolean,
    parse_duration,
    parse_integer,
    suggest,
)


def read(text: str, read_value: Callable[[Reader, yaml.Node], Any]) -> tuple[Any, tuple[str, ...]]:
    """What is read of `a: TEXT`, and the mistakes without their place."""
    report = Report()
    ((_, node),) = mapping_items(compose(f"a: {text}", "f.yaml", report))
    value = read_value(Reader(report, "r"), node)
    return value, tuple(mistake.partition(' rule "r": ')[2] for mistake in report.mistakes)


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("Gaol", ("Goal",), "Goal"),
        ("goa", ("Goal",), "Goal"),
        ("goall", ("Goal",), "Goal"),
        ("gool", ("Goal",), "Goal"),
        ("oal", ("Goal",), "Goal"),
        ("goal", ("Goal",), ""),
        ("gaols", ("Goal",), ""),
        ("goals", ("Goal",), ""),
        ("Corner", ("Corners",), ""),
        ("Passs", ("Pass",), "Pass"),
        ("laog", ("Goal",), ""),
        ("gloa", ("Goal",), ""),
        ("Corners", ("Corner", "Cornerz"), "Cornerz"),
        ("", ("a",), "a"),
    ],
)
def test_a_typing_mistake_is_one_letter_or_two_that_changed_places_and_no_plural(
    word: str, known: tuple[str, ...], meant: str
) -> None:
    assert find_misspelt(word, known) == meant


def test_the_nearest_word_has_to_be_near_enough() -> None:
    assert [suggest(word, ["March", "Match"]) for word in ("matches", "matsch", "m")] == ["Match", "Match", ""]


def test_an_unknown_word_is_answered_with_the_nearest_or_with_all() -> None:
    assert describe_unknown("key", "macth", ("match", "name")) == 'unknown key "macth", did you mean "match"?'
    assert describe_unknown("key", "zzz", ("match", "name")) == 'unknown key "zzz"; known: match, name'


@pytest.mark.parametrize(
    ("text", "seconds"), [("25s", 25), ("15m", 900), ("2h", 7200), ("1h30m", 5400), ("14d", 1_209_600), ("1d2h3m4s", 93_784)]
)
def test_durations_are_read_as_they_are_written(text: str, seconds: int) -> None:
    assert parse_duration(text) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "12:30", "m", "-5m", "1.5h", "30m1h", "9" * 20 + "d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration|too long"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "number"), [("30", 30), ("-100123", -100123), ("045", 45)])
def test_whole_numbers_are_decimal(text: str, number: int) -> None:
    assert parse_integer(text) == number


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("yes", 'write true, not "yes"'),
        ("Off", 'write false, not "Off"'),
        ("True", 'write true, not "True"'),
        ("1", '"1" is neither true nor false'),
    ],
)
def test_only_true_and_false_are_booleans(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_boolean(text)


def test_the_nearest_word_forgives_letter_case_and_typing() -> None:
    assert [suggest(word, ("Goal", "Red Card"), 0.75) for word in ("gaol", "RED CRAD", "Corner")] == ["Goal", "Red Card", ""]


def test_an_unknown_word_like_no_other_is_answered_with_the_known_ones() -> None:
    assert describe_unknown("key", "zzz", ("a", "b")) == 'unknown key "zzz"; known: a, b'


@pytest.mark.parametrize("text", ["1_000", "٣", "1.5", "", "1" * 19, "--1", "x"])
def test_what_is_no_whole_number_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=f'^"{text}" is not a whole number$'):
        parse_integer(text)


@pytest.mark.parametrize(("text", "number"), [("+5", 5), (" 7 ", 7), ("-" + "9" * 18, -999_999_999_999_999_999)])
def test_whole_numbers_have_a_sign_or_none(text: str, number: int) -> None:
    assert parse_integer(text) == number


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_true_and_false_are_read(text: str, value: bool) -> None:
    assert parse_boolean(text) is value


@pytest.mark.parametrize(
    ("text", "meant"),
    [("y", "true"), ("ON", "true"), ("TRUE", "true"), ("n", "false"), ("no", "false"), ("False", "false")],
)
def test_another_word_for_true_or_false_is_answered_with_it(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f'^write {meant}, not "{text}"$'):
        parse_boolean(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("15", '"15" is not a duration such as 25s, 15m, 2h or 1h30m'),
        ("9999999999d", '"9999999999d" is too long a time: 3650d at most'),
    ],
)
def test_a_duration_that_is_none_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "keys", "sentence"),
    [
        ("", ("x", "y"), "it is empty"),
        ("1", ("x",), "it must be a mapping with x"),
        ("1", ("x", "y"), "it must be a mapping with x and y"),
        ("[1]", ("x", "y", "z"), "it must be a mapping with x, y and z: take the dashes out"),
    ],
)
def test_what_is_no_mapping_is_told_its_keys(text: str, keys: tuple[str, ...], sentence: str) -> None:
    assert read(text, lambda reader, node: reader.read_mapping(node, "it", keys)) == (None, (sentence,))


def test_an_unknown_key_does_not_hide_the_known_ones() -> None:
    report = Report()
    ((_, node),) = mapping_items(compose("a: {x: 1, z: 2}", "f.yaml", report))

    fields = Reader(report).read_mapping(node, "it", ("x", "y"))

    assert fields and [(key, value.value) for key, value in fields.items()] == [("x", "1")]
    assert report.mistakes == ('f.yaml:1:11: unknown key "z"; known: x, y',)


@pytest.mark.parametrize(
    ("text", "number", "sentences"),
    [
        ("[1, 2]", 2, ()),
        ("[]", 0, ()),
        ("", None, ("it is empty: write a list, or leave the line out",)),
        ("1", None, ("it must be a list",)),
        ("{x: 1}", None, ("it must be a list",)),
    ],
)
def test_a_list_is_read_and_anything_else_is_a_mistake(text: str, number: int | None, sentences: tuple[str, ...]) -> None:
    found, mistakes = read(text, lambda reader, node: reader.read_list(node, "it"))

    assert (None if found is None else len(found), mistakes) == (number, sentences)


@pytest.mark.parametrize(
    ("text", "value", "sentences"),
    [
        ("045", "045", ()),
        ("'null'", "null", ()),
        ("[1]", None, ("it must be one text, not a list",)),
        ("{x: 1}", None, ("it must be one text, not a mapping",)),
        ("", None, ("it is empty",)),
        ("~", None, ("it is empty",)),
        ("' '", None, ("it is empty",)),
    ],
)
def test_one_text_is_read_as_it_is_written(text: str, value: str | None, sentences: tuple[str, ...]) -> None:
    assert read(text, lambda reader, node: reader.read_string(node, "it")) == (value, sentences)


@pytest.mark.parametrize(
    ("text", "words", "sentences"),
    [
        ("x", ["x"], ()),
        ("[x, y]", ["x", "y"], ()),
        ("[]", None, ("it is an empty list",)),
        ("{x: 1}", None, ("it must be one text, not a mapping",)),
    ],
)
def test_one_text_or_several_are_read(text: str, words: list[str] | None, sentences: tuple[str, ...]) -> None:
    found, mistakes = read(text, lambda reader, node: reader.read_strings(node, "it"))

    assert (found and [word for word, _ in found], mistakes) == (words, sentences)


def test_of_several_texts_all_have_to_be_read() -> None:
    report = Report()
    ((_, node),) = mapping_items(compose("a: [x, [y], '']", "f.yaml", report))

    assert Reader(report).read_strings(node, "it") is None
    assert report.mistakes == ("f.yaml:1:8: it must be one text, not a list", "f.yaml:1:13: it is empty")


@pytest.mark.parametrize(
    ("text", "value", "sentences"),
    [("7", 7, ()), ("x", None, ('it: "x" is not a whole number',)), ("[7]", None, ("it must be one text, not a list",))],
)
def test_a_text_that_is_parsed_has_one_sentence(text: str, value: int | None, sentences: tuple[str, ...]) -> None:
    assert read(text, lambda reader, node: reader.read_parsed(node, "it", parse_integer)) == (value, sentences)


@pytest.mark.parametrize(
    ("text", "value", "sentences"),
    [
        ("major", "Major", ()),
        ("' MAJOR '", "Major", ()),
        ("majr", None, ('unknown it "majr", did you mean "Major"?',)),
        ("zzz", None, ('unknown it "zzz"; known: Major, Minor',)),
        ("[x]", None, ("it must be one text, not a list",)),
    ],
)
def test_one_of_a_few_words_is_read_in_any_letter_case(text: str, value: str | None, sentences: tuple[str, ...]) -> None:
    assert read(text, lambda reader, node: reader.read_choice(node, "it", ("Major", "Minor"))) == (value, sentences)
