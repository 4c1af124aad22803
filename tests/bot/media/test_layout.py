"""The layout of a picture: nothing overlaps, nothing is outside, nothing is missing."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given

from bot.media.labels import translate_labels
from bot.media.layout import LANE_WIDTH, MINUTE_WIDTH, NAME_ROOM, WIDTH, Layout, build_layout
from rules.football.action import Side
from rules.football.timeline import Timeline
from tests.bot.media.timelines import full, timelines
from tests.laws import try_examples

_few = try_examples(60)


def _rows(layout: Layout, side: Side) -> list[tuple[float, float]]:
    rows = [(row.top, row.top + row.height) for band in layout.bands for row in band.rows if row.event.side is side]
    return rows + [(row.top, row.top + 60) for row in layout.kicks if row.kick.side is side]


@_few
@given(timelines())
def test_names_do_not_overlap(timeline: Timeline) -> None:
    layout = build_layout(timeline, translate_labels())

    for side in Side:
        assert all(above[1] <= below[0] + 1e-6 for above, below in pairwise(sorted(_rows(layout, side))))


@_few
@given(timelines())
def test_every_event_and_kick_is_placed_in_order(timeline: Timeline) -> None:
    layout = build_layout(timeline, translate_labels())
    rows = [row for band in layout.bands for row in band.rows]

    for side in Side:
        events = [row.event for row in sorted(rows, key=lambda row: row.top) if row.event.side is side]
        assert events == [event for event in timeline.events if event.side is side]
    assert [row.kick for row in layout.kicks] == list(timeline.kicks)


@_few
@given(timelines())
def test_every_row_is_within_its_period_and_the_picture(timeline: Timeline) -> None:
    layout = build_layout(timeline, translate_labels())

    for band in layout.bands:
        assert all(band.top - 1e-6 <= row.top and row.top + row.height <= band.bottom + 1e-6 for row in band.rows)
        assert all(band.top <= row.axis_y <= band.bottom for row in band.rows)
    assert all(bottom <= layout.height for side in Side for _, bottom in _rows(layout, side))


@_few
@given(timelines())
def test_every_name_fits_its_column(timeline: Timeline) -> None:
    layout = build_layout(timeline, translate_labels())
    texts = [text for band in layout.bands for row in band.rows for text in (row.name, row.second_line) if text]

    assert all(text.text and text.width <= NAME_ROOM for text in texts)
    assert NAME_ROOM + MINUTE_WIDTH + LANE_WIDTH < WIDTH / 2


@_few
@given(timelines())
def test_the_size_of_the_picture_is_within_telegrams_limits(timeline: Timeline) -> None:
    height = build_layout(timeline, translate_labels()).height

    assert height + WIDTH <= 10_000 and height / WIDTH < 20


def test_a_match_full_of_everything_fits() -> None:
    layout = build_layout(full(), translate_labels())

    assert sum(len(band.rows) for band in layout.bands) == 32 and len(layout.kicks) == 18
    assert layout.height < 3600
