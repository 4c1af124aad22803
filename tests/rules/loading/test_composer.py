"""Aliases and merge keys: what they bring, where it stands, and how much of it."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rules.loading.document import Report, compose, expand_variables, iterate_scalars, location_of, mapping_items


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


@pytest.mark.parametrize(
    ("written", "read", "mistakes"),
    [
        (r"\uD83D\uDE00 Goal", "😀 Goal", ()),
        (
            r"\uD83D Goal",
            "\N{REPLACEMENT CHARACTER} Goal",
            (r"f.yaml:1:4: the escape \uD83D is half of a letter: write the letter itself",),
        ),
        (r"a\0b", "a\N{REPLACEMENT CHARACTER}b", (r"f.yaml:1:4: the escape \0 is no part of a text",)),
    ],
)
def test_escapes_that_make_no_text_are_mistakes_and_two_halves_of_a_letter_are_one(
    written: str, read: str, mistakes: tuple[str, ...]
) -> None:
    report = Report()

    assert (data(compose(f'a: "{written}"', "f.yaml", report)), report.mistakes) == ({"a": read}, mistakes)


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
    assert report.mistakes and all(
        line.endswith("the aliases of this file expand to more than 100,000 values") for line in report.mistakes
    )


@given(st.text(alphabet="ab:&* -{}[]<,\n", max_size=60))
def test_any_use_of_aliases_is_read_or_refused_at_a_place(text: str) -> None:
    report = Report()

    if compose(text, "f.yaml", report) is None:
        assert report.mistakes or yaml.compose(text) is None
        assert all(re.match(r"f\.yaml:\d+:\d+: .", line) for line in report.mistakes)
