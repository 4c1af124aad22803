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
        assert report.mistakes or yaml.compose(text) is None
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


@pytest.mark.parametrize(("text", "place"), [("a: \x07", "1:4"), ("a: 1\nbc: \x07\nd: 2\n", "2:5"), ("\x07", "1:1")])
def test_a_character_that_yaml_does_not_allow_has_its_place(text: str, place: str) -> None:
    assert composed(text)[1].mistakes == (f"f.yaml:{place}: the character '\\x07' is not allowed in YAML",)


def test_an_empty_text_is_no_node_and_no_mistake() -> None:
    report = Report()

    assert (compose("", "f.yaml", report), report.mistakes) == (None, ())


def test_the_line_of_a_mistake_is_shown_with_a_caret_but_never_a_secret() -> None:
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
