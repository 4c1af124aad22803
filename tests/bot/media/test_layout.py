"""Where everything stands: nothing over anything else, nothing outside, nothing left out."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings

from bot.media.labels import translate_labels
from bot.media.layout import LANE_WIDTH, MINUTE_WIDTH, NAME_ROOM, WIDTH, Layout, build_layout
from rules.football.action import Side
from rules.football.timeline import Timeline
from tests.bot.media.timelines import full, timelines

_few = settings(max_examples=60, deadline=None)


def _rows(plan: Layout, side: Side) -> list[tuple[float, float]]:
    rows = [(row.top, row.top + row.height) for band in plan.bands for row in band.rows if row.event.side is side]
    return rows + [(row.top, row.top + 60) for row in plan.kicks if row.kick.side is side]


@_few
@given(timelines())
def test_no_names_stand_over_each_other(timeline: Timeline) -> None:
    plan = build_layout(timeline, translate_labels())

    for side in Side:
        assert all(above[1] <= below[0] + 1e-6 for above, below in pairwise(sorted(_rows(plan, side))))


@_few
@given(timelines())
def test_every_event_and_kick_is_there_in_order(timeline: Timeline) -> None:
    plan = build_layout(timeline, translate_labels())
    rows = [row for band in plan.bands for row in band.rows]

    for side in Side:
        shown = [row.event for row in sorted(rows, key=lambda row: row.top) if row.event.side is side]
        assert shown == [event for event in timeline.events if event.side is side]
    assert [row.kick for row in plan.kicks] == list(timeline.kicks)


@_few
@given(timelines())
def test_every_row_stands_within_its_period_and_the_picture(timeline: Timeline) -> None:
    plan = build_layout(timeline, translate_labels())

    for band in plan.bands:
        assert all(band.top - 1e-6 <= row.top and row.top + row.height <= band.bottom + 1e-6 for row in band.rows)
        assert all(band.top <= row.at <= band.bottom for row in band.rows)
    assert all(bottom <= plan.height for side in Side for _, bottom in _rows(plan, side))


@_few
@given(timelines())
def test_every_name_has_room(timeline: Timeline) -> None:
    plan = build_layout(timeline, translate_labels())
    texts = [text for band in plan.bands for row in band.rows for text in (row.name, row.below) if text]

    assert all(text.text and text.width <= NAME_ROOM for text in texts)
    assert NAME_ROOM + MINUTE_WIDTH + LANE_WIDTH < WIDTH / 2


@_few
@given(timelines())
def test_the_picture_is_one_that_telegram_takes(timeline: Timeline) -> None:
    height = build_layout(timeline, translate_labels()).height

    assert height + WIDTH <= 10_000 and height / WIDTH < 20


def test_a_match_full_of_everything_fits() -> None:
    plan = build_layout(full(), translate_labels())

    assert sum(len(band.rows) for band in plan.bands) == 32 and len(plan.kicks) == 18
    assert plan.height < 3600
