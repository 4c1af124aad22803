"""Sets of values, compared with what is in them one by one."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine.cases import (
    ANYTHING,
    IS_FALSE,
    IS_TRUE,
    MAX_CASES,
    Case,
    Cases,
    Names,
    Numbers,
    ValueSet,
    complement_cases,
    complement_values,
    intersect_case,
    intersect_cases,
    subtract_case,
    union_cases,
)

WORDS = ("a", "b", "c")
NUMBERS = (None, *range(-1, 12))
"""All that the spans below tell apart, and None for no number."""

names = st.builds(Names, st.frozensets(st.sampled_from(WORDS)), st.booleans())
spans = st.tuples(st.integers(0, 10), st.integers(0, 10)).map(sorted).map(tuple)
numbers = st.builds(Numbers, st.lists(spans, max_size=3).map(tuple), st.booleans())  # type: ignore[arg-type]


def has(values: ValueSet, value: str | int | None) -> bool:
    """Return True if the value is in the set."""
    if isinstance(values, Names):
        return (value in values.words) is not values.is_complement
    return values.has_none if value is None else any(low <= value <= high for low, high in values.spans)  # type: ignore[operator]


@given(names, names)
def test_words_are_in_both_sets_or_in_the_complement_as_each_is(one: Names, other: Names) -> None:
    for word in (*WORDS, "another"):
        assert has(one.intersect(other), word) == (has(one, word) and has(other, word))
        assert has(one.complement(), word) is not has(one, word)
    assert one.is_empty is not any(has(one, word) for word in (*WORDS, "another"))


@given(numbers, numbers)
def test_numbers_are_in_both_sets_or_in_the_complement_as_each_is(one: Numbers, other: Numbers) -> None:
    both, outside = one.intersect(other), one.complement()
    for number in NUMBERS:
        assert has(both, number) == (has(one, number) and has(other, number))
        assert has(outside, number) is not has(one, number)
    assert list(both.spans) == sorted(both.spans)
    assert one.is_empty is not any(has(one, number) for number in NUMBERS)


@pytest.mark.parametrize(
    ("spans", "gaps"),
    [
        ((), ((-math.inf, math.inf),)),
        (((5, 10),), ((-math.inf, 4), (11, math.inf))),
        (((5, math.inf),), ((-math.inf, 4),)),
        (((-math.inf, 10),), ((11, math.inf),)),
        (((8, 9), (1, 2)), ((-math.inf, 0), (3, 7), (10, math.inf))),
        (((1, 9), (2, 3)), ((-math.inf, 0), (10, math.inf))),
        (((1, 4), (5, 9)), ((-math.inf, 0), (10, math.inf))),
    ],
)
def test_what_is_between_spans_begins_and_ends_at_the_next_whole_number(
    spans: tuple[tuple[float, float], ...], gaps: tuple[tuple[float, float], ...]
) -> None:
    assert Numbers(spans).complement() == Numbers(gaps, has_none=True)
    assert Numbers(spans, has_none=True).complement() == Numbers(gaps)


def test_numbers_and_words_are_never_compared() -> None:
    with pytest.raises(TypeError, match="names and numbers are compared"):
        Names(frozenset("a")).intersect(Numbers(()))
    with pytest.raises(TypeError, match="numbers and names are compared"):
        Numbers(()).intersect(Names(frozenset("a")))


KEYS = {"word": (*WORDS, "another"), "number": NUMBERS, "period": ("first half", "second half", "shootout")}
"""What a moment of these tests has, and all values that it may have."""

MOMENTS = [dict(zip(KEYS, values, strict=True)) for values in itertools.product(*KEYS.values())]

periods = st.builds(Names, st.frozensets(st.sampled_from(KEYS["period"]), min_size=1))
cases: st.SearchStrategy[Case] = st.fixed_dictionaries({}, optional={"word": names, "number": numbers, "period": periods})
case_lists: st.SearchStrategy[Cases] = st.lists(cases, max_size=3).map(tuple)  # type: ignore[arg-type]


def holds(case: Case, moment: dict[str, str | int | None]) -> bool:
    return all(has(values, moment[key]) for key, values in case.items())


def which(some: Cases | list[Case]) -> list[bool]:
    """Return for every moment whether one of the cases holds."""
    return [any(holds(case, moment) for case in some) for moment in MOMENTS]


@given(case_lists, case_lists)
def test_cases_hold_together_alone_and_not_at_all_as_their_values_do(one: Cases, other: Cases) -> None:
    both, either, neither = intersect_cases(one, other), union_cases([one, other]), complement_cases(one)

    assert both is not None and which(both) == [a and b for a, b in zip(which(one), which(other), strict=True)]
    assert either is not None and which(either) == [a or b for a, b in zip(which(one), which(other), strict=True)]
    assert neither is None or which(neither) == [not a for a in which(one)]


@given(case_lists, cases)
def test_what_is_left_of_cases_is_where_they_hold_and_the_other_does_not(pieces: Cases, other: Case) -> None:
    left = subtract_case(pieces, other)

    assert left is not None
    assert which(left) == [a and not holds(other, moment) for a, moment in zip(which(pieces), MOMENTS, strict=True)]


def test_a_case_without_a_common_value_is_none() -> None:
    assert intersect_case({"word": Names(frozenset("a"))}, {"word": Names(frozenset("b"))}) is None
    assert intersect_case({"number": Numbers(((1, 2),))}, {"word": Names(frozenset("b"))}) == {
        "number": Numbers(((1, 2),)),
        "word": Names(frozenset("b")),
    }


@pytest.mark.parametrize(
    ("one", "other", "is_possible"),
    [
        ("team=arsenal", "team=chelsea", False),
        ("competition=la liga", "competition=serie a", False),
        ("fixture=a v b", "fixture=c v d", False),
        ("team=arsenal", "competition=chelsea", True),
        ("player=saka", "player=rice", True),
        ("team=arsenal", "team=42", True),
        ("team=schalke 04", "team=chelsea", True),
    ],
)
def test_a_moment_has_one_team_one_competition_and_one_fixture_unless_one_may_be_an_id(
    one: str, other: str, is_possible: bool
) -> None:
    assert (intersect_case({one: IS_TRUE}, {other: IS_TRUE}) is not None) is is_possible
    assert intersect_case({one: IS_TRUE}, {other: IS_FALSE}) is not None


@pytest.mark.parametrize(
    ("key", "values", "others"),
    [
        ("team=arsenal", IS_TRUE, IS_FALSE),
        ("team=arsenal", IS_FALSE, IS_TRUE),
        ("side", Names(frozenset({"home"})), Names(frozenset({"home"}), is_complement=True)),
        ("send_type", Names(frozenset({"pending"})), Names(frozenset({"confirmed", "updated"}))),
        (
            "period",
            Names(frozenset({"first half", "second half"})),
            Names(frozenset({"before kick-off", "first half of extra time", "second half of extra time", "shootout"})),
        ),
    ],
)
def test_what_has_few_values_has_those_that_are_left(key: str, values: Names, others: Names) -> None:
    assert complement_values(key, values) == others


def test_too_many_cases_are_not_compared() -> None:
    many: Cases = tuple({f"team={number}": IS_TRUE} for number in range(MAX_CASES))

    assert intersect_cases(many, ANYTHING) == many and union_cases([many]) == many
    assert intersect_cases((*many, {}), ANYTHING) is None
    assert union_cases([many, ANYTHING]) is None and union_cases([many, None]) is None
    assert complement_cases(tuple({f"a{number}": IS_TRUE, f"b{number}": IS_TRUE} for number in range(6))) is not None
    assert complement_cases(tuple({f"a{number}": IS_TRUE, f"b{number}": IS_TRUE} for number in range(7))) is None


def test_a_case_that_falls_into_too_many_pieces_is_not_compared() -> None:
    other = {f"x{number}": IS_TRUE for number in range(401)}
    some = dict(list(other.items())[:400])

    pieces = subtract_case([{}], some)
    assert pieces is not None and len(pieces) == 400
    assert subtract_case([{}], other) is None
