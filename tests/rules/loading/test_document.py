import datetime as dt
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rules.engine.rule import SourceLocation
from rules.loading.document import (
    Report,
    Severity,
    compose,
    expand_variables,
    is_null,
    iterate_scalars,
    location_of,
    mapping_items,
)
from rules.loading.values import describe_unknown, parse_boolean, parse_duration, parse_integer, suggest


def composed(text: str) -> tuple[list[str], Report]:
    """The values in order, and what was reported."""
    report = Report()
    return [node.value for node in iterate_scalars(compose(text, "f.yaml", report))], report


@pytest.mark.parametrize("written", ["yes", "NO", "on", "12:30", "045", "1e3", "0x1F", "2026-08-15", "1_000", "null"])
def test_every_scalar_is_the_text_that_was_written(written: str) -> None:
    assert composed(f"a: {written}")[0] == [written]


def test_places_count_lines_and_columns_from_one() -> None:
    root = compose("a:\n  é: ü\n", "f.yaml", Report())
    ((_, inner),) = mapping_items(root)
    ((key, value),) = mapping_items(inner)

    assert (str(location_of(key)), str(location_of(value))) == ("f.yaml:2:3", "f.yaml:2:6")


@pytest.mark.parametrize(
    ("written", "nothing"), [("", True), ("~", True), ("null", True), ("'null'", False), ("''", False), ("x", False)]
)
def test_only_a_plain_null_is_nothing(written: str, nothing: bool) -> None:
    ((_, value),) = mapping_items(compose(f"a: {written}", "f.yaml", Report()))

    assert is_null(value) is nothing


@given(st.text())
def test_any_text_is_read_or_refused_at_a_place(text: str) -> None:
    report = Report()

    if compose(text, "f.yaml", report) is None:
        assert all(line.startswith("f.yaml:") for line in report.mistakes)


def test_variables_are_put_in_place_in_values() -> None:
    report = Report()
    root = compose("a: ${A}-${B:-b}\nb: ['$${A}', '${{ A }}']\n${A}: c", "f.yaml", report)

    assert expand_variables(root, {"A": "1"}, report) == []
    assert [node.value for node in iterate_scalars(root)] == ["1-b", "${A}", "${{ A }}", "c"]
    assert report.mistakes == ()


def test_a_variable_that_is_not_set_is_named() -> None:
    report = Report()

    missing = expand_variables(compose("a: ${NOT_SET}", "f.yaml", report), {"NOT_SET": ""}, report)

    assert [(str(location_of(node)), name) for node, name in missing] == [("f.yaml:1:4", "NOT_SET")]


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


def test_a_place_whose_value_is_spoilt_gets_no_second_mistake() -> None:
    report = Report()
    root = compose("a: ${A-B}", "f.yaml", report)
    expand_variables(root, {}, report)

    for node in iterate_scalars(root):
        report.add_mistake(location_of(node), "it is empty")

    assert report.mistakes == ("f.yaml:1:4: ${A-B} is not understood: write ${VAR} or ${VAR:-default}",)


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 50_000, "rules: " + "[" * 100_000 + "]" * 100_000])
def test_brackets_without_end_are_one_mistake_and_not_the_end_of_the_process(text: str) -> None:
    report = Report()

    assert compose(text, "config.yaml", report) is None
    (mistake,) = report.mistakes
    assert mistake.endswith("this is nested too deeply")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: &x [*x]", "f.yaml:1:8: the alias *x stands inside its own anchor &x"),
        ("a: *x", "f.yaml:1:4: there is no anchor &x above this; a text that begins with * goes in quotes"),
        ("a: &x " + "[" * 25 + "]" * 25 + "\nb: " + "[" * 20 + "*x" + "]" * 20, "f.yaml:2:24: this is nested too deeply"),
        ("a: " + "[" * 41 + "]" * 41, "f.yaml:1:44: this is nested too deeply"),
    ],
)
def test_what_cannot_be_walked_is_not_returned(text: str, sentence: str) -> None:
    report = Report()

    assert compose(text, "f.yaml", report) is None
    assert report.mistakes == (sentence,)


def test_what_is_only_odd_is_reported_and_returned() -> None:
    report = Report()
    root = compose("a: !mine 1\na: 2\n[x]: 3\nb: " + "[" * 39 + "]" * 39, "f.yaml", report)

    assert root is not None
    assert report.mistakes == (
        "f.yaml:1:4: the tag !mine is not understood: take it out; a text that begins with ! goes in quotes",
        'f.yaml:2:1: the key "a" is written twice',
        "f.yaml:3:1: a key is a word, not a list or a mapping",
    )


def test_mistakes_warnings_and_notes_are_in_the_order_of_the_file_and_each_is_there_once() -> None:
    report = Report()
    first, second = SourceLocation("f.yaml", 2, 3), SourceLocation("f.yaml", 10, 1)
    for add in (report.add_mistake, report.add_warning, report.add_note):
        for location in (second, first, first):
            add(location, "one  sentence\nin lines", "my\nrule")

    assert report.mistakes == (
        'f.yaml:2:3: rule "my rule": one sentence in lines',
        'f.yaml:10:1: rule "my rule": one sentence in lines',
    )
    assert report.warnings[0] == 'f.yaml:2:3: rule "my rule": warning: one sentence in lines'
    assert report.notes[1] == 'f.yaml:10:1: rule "my rule": note: one sentence in lines'


@pytest.mark.parametrize(("text", "place"), [("a: \x07", "1:4"), ("a: 1\nbc: \x07", "2:5"), ("\x07", "1:1")])
def test_a_character_that_yaml_does_not_allow_has_its_place(text: str, place: str) -> None:
    assert composed(text)[1].mistakes == (f"f.yaml:{place}: the character '\\x07' is not allowed in YAML",)


def test_an_empty_text_is_no_node_and_no_mistake() -> None:
    report = Report()

    assert (compose("", "f.yaml", report), report.mistakes) == (None, ())


def data(node: yaml.Node | None) -> object:
    """A node as lists, mappings and texts."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: data(value) for key, value in mapping_items(node)}
    return [data(child) for child in node.value] if isinstance(node, yaml.SequenceNode) else getattr(node, "value", None)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a: &x [1, 2]\nb: *x", {"a": ["1", "2"], "b": ["1", "2"]}),
        ("a: &x {k: 1}\nb: {<<: *x, l: 2}", {"a": {"k": "1"}, "b": {"l": "2", "k": "1"}}),
        ("a: &x {k: 1, l: 1}\nb: {l: 2, <<: *x}", {"a": {"k": "1", "l": "1"}, "b": {"l": "2", "k": "1"}}),
        ("a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc: {<<: [*x, *y]}", None),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": "1", "b": "2", "c": "2"}),
        ("a: &x {k: &y 1}\nb: *x\nc: *y", {"a": {"k": "1"}, "b": {"k": "1"}, "c": "1"}),
        ("a: {'<<': 1}", {"a": {"<<": "1"}}),
    ],
)
def test_aliases_and_merge_keys_are_expanded(text: str, meaning: object) -> None:
    report = Report()
    found = data(compose(text, "f.yaml", report))

    assert report.mistakes == ()
    assert found == meaning if meaning else found["c"] == {"k": "1", "m": "3"}  # type: ignore[index]


def test_a_value_that_an_alias_brings_stands_where_the_alias_does_and_knows_its_anchor() -> None:
    root = compose("a: &x\n  - one\n  - two\nb: *x", "f.yaml", Report())
    _, (_, used) = mapping_items(root)

    assert [str(location_of(node)) for node in used.value] == ["f.yaml:4:4", "f.yaml:4:4"]
    assert [location_of(node).origin for node in used.value] == ["&x, line 2, column 5", "&x, line 3, column 5"]


def test_a_variable_in_an_anchor_is_expanded_at_every_use() -> None:
    root = compose("a: &x ${A}\nb: *x\nc: *x", "f.yaml", Report())

    assert expand_variables(root, {"A": "1"}, Report()) == []
    assert [node.value for node in iterate_scalars(root)] == ["1", "1", "1"]


def test_nested_aliases_are_not_expanded_without_end() -> None:
    report = Report()
    text = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))

    assert compose(text, "f.yaml", report) is None
    assert all(line.endswith("the aliases of this file expand to more than 100,000 values") for line in report.mistakes)


@given(st.text(alphabet="ab:&* -{}[]<,\n", max_size=60))
def test_any_use_of_aliases_is_read_or_refused_at_a_place(text: str) -> None:
    report = Report()

    if compose(text, "f.yaml", report) is None:
        assert all(re.match(r"f\.yaml:\d+:\d+: .", line) for line in report.mistakes)


def test_the_line_of_a_slip_is_shown_with_a_caret_but_never_a_secret() -> None:
    report = Report()
    compose("a: @x\n", "f.yaml", report)
    compose("token: @x\n", "g.yaml", report)

    shown, hidden = report.list_findings(Severity.MISTAKE)
    assert (shown.excerpt, hidden.excerpt) == (("a: @x", "   ^"), ())


def test_what_is_found_beside_mistakes_is_only_what_is_worth_knowing_then() -> None:
    report = Report()
    first, second = SourceLocation("f.yaml", 1, 1), SourceLocation("f.yaml", 2, 1)
    report.add_warning(first, "odd")
    report.add_warning(second, "odd too")
    report.add_note(second, "by the way")
    assert [str(one) for one in report.findings][-1] == "f.yaml:2:1: note: by the way"

    report.add_mistake(first, "wrong")

    assert list(map(str, report.findings)) == ["f.yaml:1:1: wrong", "f.yaml:2:1: warning: odd too"]
