"""Templates of texts: every mistake at its place, and the same findings for texts that differ only in their words."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.engine.text import AlertText, TextError, tidy_text
from rules.loading.document import Report, compose, mapping_items
from rules.loading.templates import examine_template
from rules.loading.texts import SAMPLE_FACTS, check_text
from rules.loading.values import Reader
from tests.laws import try_examples


def places_of(text: str) -> list[str]:
    """Line and column of each finding of a text that is written under `a:`."""
    report = Report()
    ((_, node),) = mapping_items(compose(text, "f.yaml", report))
    check_text(Reader(report), node, node.value)
    return [":".join(line.split(":")[1:3]) for line in (*report.mistakes, *report.warnings)]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a: x {{ plyer }}", ["1:9"]),
        ("a: 'it''s {{ plyer }}'", ["1:14"]),
        ('a: "\\u26bd \\n \\"{{ plyer }}"', ["1:20"]),
        ("a: |\n  x {{ plyer }}\n\n    {{ za }} {{ zb }}\n", ["2:8", "4:8", "4:17"]),
        ("a: |\n\n  {{ plyer }}\n", ["3:6"]),
        ("a: |\n  x\n  {{ match \n", ["3:3"]),
        # Folded lines and texts over several lines lose their places: the beginning is named.
        ("a: >\n  x\n  {{ plyer }}\n", ["1:4"]),
        ('a: "x\n  {{ plyer }}"\n', ["1:4"]),
    ],
)
def test_a_mistake_stands_where_it_is_written(text: str, places: list[str]) -> None:
    assert places_of(text) == places


def test_an_open_block_is_found_beside_closed_ones_with_a_percent_sign_and_beside_comments() -> None:
    closed = "{% if minute_number % 15 == 0 %}x{% endif %}"

    assert places_of(f"a: '{{% if team %}}y {closed}'") == ["1:5"]
    assert places_of(f"a: '{closed} {{% if team %}}y'") == ["1:50"]
    assert places_of("a: '{% if team %}y {# {% if player %} #}'") == ["1:5"]


def test_an_alias_brings_the_place_of_its_use() -> None:
    report = Report()
    _, (_, node) = mapping_items(compose("a: &t '{{ plyer }}'\nb: *t", "f.yaml", report))
    check_text(Reader(report), node, "{{ plyer }}")

    assert report.mistakes[0].startswith("f.yaml:2:4: ")
    assert report.mistakes[0].endswith("(in &t, line 1, column 4)")


TAGS = [
    *("{{ match }}", "{{ player or 'x' }}", "{% if team %}", "{% endif %}"),
    *("{{ minute }}", "{{- score -}}", "{# x #}", "{{ plyer }}"),
]


@pytest.mark.slow
@try_examples(300)
@example(["{% if team %}", "{", "{% endif %}"])
@given(st.lists(st.sampled_from([*TAGS, "<b>", "</b>", "it's ", "(", ")", " ", "\n", "Goal", "{", "}", "%"]), max_size=12))
def test_texts_with_the_same_tags_are_as_if_each_were_examined_alone(parts: list[str]) -> None:
    source = "".join(parts)
    found = examine_template(source, SAMPLE_FACTS)

    try:
        rendered = AlertText(source).render(SAMPLE_FACTS)
    except TextError:
        assert found.findings
    else:
        # A text that is examined by itself is tidied twice, which nothing but its emptiness depends on.
        assert tidy_text(found.text) in (rendered, tidy_text(rendered)) or found.findings


@try_examples(300)
@given(st.text(alphabet="{}%# |ifendlsmatch='\"<>/b\n", max_size=60))
def test_any_text_has_findings_at_places_of_its_own(source: str) -> None:
    found = examine_template(source, SAMPLE_FACTS)

    assert all(-1 <= one.offset <= len(source) and re.match(r".", one.sentence) for one in found.findings)


@pytest.mark.parametrize(
    "source",
    [
        "{% if minute_number > 80 and added %}{{ added }}{% endif %}{{ minute }}",
        "{% if side == 'home' and period in ('first half', 'shootout') %}a{% else %}b{% endif %}",
        "{% if sub_action_type == 'Own Goal' and not pending and player_goals == 3 %}a{% endif %}{{ player }}",
        "{% for word in match.split(' ') %}{{ word }}{{ loop.index }}{% endfor %}",
        "{% set x = player %}{{ x or 'play' }}{{ [home, away] | join(', ') }}",
    ],
)
def test_what_is_meant_has_no_finding(source: str) -> None:
    assert examine_template(source, SAMPLE_FACTS).findings == ()
