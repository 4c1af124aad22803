"""The placing of labels beside an axis."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.media.layout import spread_labels

LABELS = st.lists(st.tuples(st.floats(0, 500), st.floats(10, 90)), max_size=25).map(sorted)


@given(LABELS)
def test_labels_do_not_overlap_and_keep_their_order(labels: list[tuple[float, float]]) -> None:
    wanted, heights = [place for place, _ in labels], [height for _, height in labels]
    tops = spread_labels(wanted, heights, 0, 500)

    assert all(top + height <= after + 1e-6 for top, height, after in zip(tops, heights, tops[1:], strict=False))


@given(LABELS)
def test_labels_stay_between_top_and_bottom_if_there_is_room(labels: list[tuple[float, float]]) -> None:
    wanted, heights = [place for place, _ in labels], [height for _, height in labels]
    bottom = max(500.0, sum(heights))
    tops = spread_labels(wanted, heights, 0, bottom)

    assert all(top >= 0 for top in tops)
    assert all(top + height <= bottom + 1e-6 for top, height in zip(tops, heights, strict=True))


def test_a_label_with_room_around_it_is_placed_where_it_is_wanted() -> None:
    assert spread_labels([100, 300], [40, 40], 0, 500) == [80, 280]


def test_two_labels_for_the_same_place_are_shifted_equally() -> None:
    assert spread_labels([100, 100], [40, 40], 0, 500) == [60, 100]


def test_without_labels_the_result_is_empty() -> None:
    assert spread_labels([], [], 0, 500) == []
