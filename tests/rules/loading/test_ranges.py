"""Ranges as people write them, and what a range means that is written in another way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.football.minute import LAST_MINUTE, Minute
from rules.loading.document import Report, compose, mapping_items
from rules.loading.ranges import Range, RangeReader, next_integer, next_minute
from rules.loading.values import Reader, parse_integer

MINUTES, NUMBERS = RangeReader(Minute.parse, next_minute), RangeReader(parse_integer, next_integer)


def read(reader: RangeReader, text: str) -> tuple[Range | None, tuple[str, ...]]:  # type: ignore[type-arg]
    report = Report()
    ((_, node),) = mapping_items(compose(f"a: {text}", "f.yaml", report))
    return reader.read(Reader(report), node, "it"), report.mistakes


@pytest.mark.parametrize(
    ("text", "shown", "sentences"),
    [
        ("67", "67", ()),
        ("{from: 80}", "from 80", ()),
        ("{to: 45+2}", "to 45+2", ()),
        ("{from: 80, to: 90}", "from 80 to 90", ()),
        ("{from: 80, to: 80}", "80", ()),
        ("{from: 90, to: 80}", None, ("it runs from 90 to 80: no value lies between",)),
        ("{}", None, ("it needs from, to or both",)),
        ("x", None, ("it: 'x' is not a minute such as 45 or 45+2",)),
    ],
)
def test_a_range_is_one_value_or_has_one_end_or_two(text: str, shown: str | None, sentences: tuple[str, ...]) -> None:
    found, mistakes = read(MINUTES, text)

    assert (None if found is None else str(found), mistakes) == (
        shown,
        tuple(f"f.yaml:1:4: {sentence}" for sentence in sentences),
    )


def test_an_end_that_cannot_be_read_is_named_and_one_of_another_name_too() -> None:
    report = Report()
    root = compose("a: {from: x, to: 9}\nb: {form: 9}", "f.yaml", report)
    found = [MINUTES.read(Reader(report), node, "it") for _, node in mapping_items(root)]

    assert found == [None, None]
    assert report.mistakes == (
        "f.yaml:1:11: it from: 'x' is not a minute such as 45 or 45+2",
        'f.yaml:2:5: unknown key "form", did you mean "from"?',
    )


@pytest.mark.parametrize(
    ("low", "high", "inside"), [(2, 4, [2, 3, 4]), (None, 2, [1, 2]), (4, None, [4, 5]), (None, None, [1, 2, 3, 4, 5])]
)
def test_a_range_contains_its_ends_and_never_nothing(low: int | None, high: int | None, inside: list[int]) -> None:
    asked = Range(low, high)

    assert [value for value in range(1, 6) if asked.contains(value)] == inside
    assert not asked.contains(None)


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("80-90", "from 80 to 90"),
        ("80 – 90", "from 80 to 90"),
        ("80..90", "from 80 to 90"),
        ("80 to 90", "from 80 to 90"),
        ("from 80 to 90+3", "from 80 to 90+3"),
        ("between 80 and 90", "from 80 to 90"),
        ("Between 45+1 AND 45+9", "from 45+1 to 45+9"),
        ("45+1-45+9", "from 45+1 to 45+9"),
        ("'>80'", "from 81"),
        ("'> 90'", "from 90+1"),
        ("'>= 80'", "from 80"),
        ("≥80", "from 80"),
        ("<80", "to 79"),
        ("<46", "to 45+99"),
        ("<= 45+2", "to 45+2"),
        ("90+", "from 90"),
        ("80 or more", "from 80"),
        ("at least 80", "from 80"),
        ("after 80", "from 81"),
        ("until 30", "to 30"),
        ("before 30'", "to 29"),
        ("30 or less", "to 30"),
        ("'>= 80 and <= 90'", "from 80 to 90"),
        ("'>80, <90'", "from 81 to 89"),
        ("'>80 <90'", "from 81 to 89"),
        ("after 45+1 and before 90", "from 45+2 to 89"),
        ("80 <= minute < 90", "from 80 to 89"),
        ("== 80", "80"),
        ("80", "80"),
        ("{from: 80}", "from 80"),
    ],
)
def test_a_range_is_understood_as_it_is_written(written: str, meaning: str) -> None:
    found, mistakes = read(MINUTES, written)

    assert (str(found), mistakes) == (meaning, ())


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (("from", "since", "at least", "min", ">=", "=>", "≥"), "from 80"),
        (("after", "over", "more than", ">"), "from 81"),
        (("to", "until", "till", "up to", "at most", "max", "<=", "=<", "≤"), "to 80"),
        (("before", "under", "less than", "<"), "to 79"),
        (("=", "=="), "80"),
    ],
)
def test_every_word_and_sign_of_comparison_is_understood_in_any_letter_case(words: tuple[str, ...], meaning: str) -> None:
    for word in words:
        for text in (f"'{word} 80'", f"'{word.upper()} 80'", f'"{word} 80\'"'):
            assert (str(read(MINUTES, text)[0]), text) == (meaning, text)


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (("+", " or more", " or later", " and later", " and more", " onwards", " ONWARDS"), "from 80"),
        ((" or less", " or earlier", " and earlier", " OR LESS"), "to 80"),
        (("-90", "–90", "—90", "...90", "…90", " to 90", " until 90", " - 90"), "from 80 to 90"),
    ],
)
def test_every_word_and_sign_behind_a_value_is_understood(words: tuple[str, ...], meaning: str) -> None:
    assert {str(read(MINUTES, f"'80{word}'")[0]) for word in words} == {meaning}


@pytest.mark.parametrize(
    ("chain", "meaning"),
    [
        ("80 <= minute <= 90", "from 80 to 90"),
        ("80 < minute < 90", "from 81 to 89"),
        ("80 ≤ MINUTE ≤ 90", "from 80 to 90"),
        ("80 <= 90", "None"),
        ("80<x<=90", "from 81 to 90"),
    ],
)
def test_a_value_between_two_others_is_a_range(chain: str, meaning: str) -> None:
    assert str(read(MINUTES, f"'{chain}'")[0]) == meaning


@pytest.mark.parametrize("joint", [" and ", " AND ", " & ", " && ", ", ", " "])
def test_two_comparisons_are_one_range(joint: str) -> None:
    assert str(read(MINUTES, f"'>=80{joint}<90'")[0]) == "from 80 to 89"


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("'>=1 and <=3'", "from 1 to 3"),
        ("<= 1", "to 1"),
        ("<1", "to 0"),
        ("'>1'", "from 2"),
        ("1-3", "from 1 to 3"),
        ("2+", "from 2"),
    ],
)
def test_numbers_of_goals_are_ranges_too(written: str, meaning: str) -> None:
    assert str(read(NUMBERS, written)[0]) == meaning


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("90-80", "it: it runs from 90 to 80: no value lies between; write {from: 80, to: 90}"),
        (
            "[80, 90]",
            "it: a list may mean two things: write {from: 80, to: 90} for all between, or any: [{it: 80}, {it: 90}] for each",
        ),
        ("[80, 81, 82]", "it: one range is expected: write {from: 80, to: 82}"),
        ("[]", "it: one range is expected: write {from: 80, to: 90} for it"),
        ("{min: 80}", "min: the lower end is called from"),
        ("80-", "it: '80-' is not a minute such as 45 or 45+2; a range is written >=80, >80 or <80"),
        ("80 and 90", "it: '80 and 90' is not a minute such as 45 or 45+2; all from one to the other is written 80-90"),
        ("from 80 and 90", "it: 'from 80 and 90' is not a minute such as 45 or 45+2; all from one to the other is written 80-90"),
        ("<0", "it: no value is below 0"),
        ("before 0", "it: no value is below 0"),
        ("0 <= minute < 0", "it: no value is below 0"),
        ("80/90", "it: '80/90' is not a minute such as 45 or 45+2; all from one to the other is written 80-90"),
        ("'80,90'", "it: '80,90' is not a minute such as 45 or 45+2; all from one to the other is written 80-90"),
        (
            "'!= 45'",
            "it: '!= 45' is not a minute such as 45 or 45+2; all but 45 is written with not: beside the other conditions",
        ),
        ("'>90 and <80'", "it: no value is both >90 and <80"),
        ("80.5", "it: '80.5' is not a minute such as 45 or 45+2"),
        ("late", "it: 'late' is not a minute such as 45 or 45+2"),
    ],
)
def test_what_is_no_range_is_answered_with_the_right_form(written: str, sentence: str) -> None:
    assert [line.split(": ", 1)[1] for line in read(MINUTES, written)[1]] == [sentence]


def test_no_number_of_goals_is_below_0() -> None:
    assert read(NUMBERS, "<0") == (None, ("f.yaml:1:4: it: no value is below 0",))


minutes = st.builds(Minute, st.integers(1, 130)) | st.builds(
    Minute, st.sampled_from(sorted(LAST_MINUTE.values())), st.integers(1, 20)
)


@given(value=minutes, other=minutes)
def test_nothing_lies_between_a_minute_and_the_next(value: Minute, other: Minute) -> None:
    after = next_minute(value, 1)

    assert value < after
    assert not value < other < after


@given(value=minutes, other=minutes)
def test_less_than_and_at_least_divide_all_minutes(value: Minute, other: Minute) -> None:
    less, rest = read(MINUTES, f"<{value}")[0], read(MINUTES, f"'>={value}'")[0]
    assert less and rest

    assert less.contains(other) is not rest.contains(other)
