"""Where everything stands in it, in pixels."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.media.fonts import FittedText, fit_text
from bot.media.labels import MatchLabels, event_detail_text, unnamed_player_text
from rules.football.action import Side
from rules.football.minute import LAST_MINUTE, Minute, Period
from rules.football.timeline import Event, EventKind, Kick, Stage, Timeline

WIDTH = 1280

MARGIN = 40

MIDDLE = WIDTH // 2

HEADER_HEIGHT = 400

LANE_WIDTH = 46
"""Half of the lane in the middle, which the axis and its minutes have."""

MINUTE_WIDTH = 104
"""The column of an event's minute."""

ICON_SIZE = 46

GAP = 14

NAME_ROOM = MIDDLE - LANE_WIDTH - MINUTE_WIDTH - ICON_SIZE - 2 * GAP - MARGIN
"""The room of a name."""

ONE_LINE_HEIGHT, TWO_LINES_HEIGHT = 58, 92

TITLE_HEIGHT, PAUSE_HEIGHT = 76, 44
"""The height of the words between two periods, and of a line without words."""

PER_MINUTE = 7.0

MIN_HEIGHTS = {Period.EXTRA_FIRST: 150.0, Period.EXTRA_SECOND: 150.0}

MAX_LABEL_DISTANCE = 100.0
"""How far words may stand from their minute before the period is drawn longer, by one of these shares."""

STRETCHES = (1.0, 1.1, 1.2, 1.3)

KICK_HEIGHT = 60

BOTTOM_MARGIN = 44

NAME_SIZE, SMALL_SIZE = 37, 30


class EventRow(msgspec.Struct, frozen=True):
    """One event as it is drawn: `at` is its minute on the axis, `top` the upper edge of its words."""

    event: Event
    at: float
    top: float
    height: float
    name: FittedText
    below: FittedText | None = None
    """The second line: the score, who goes off, or what the sign alone does not say."""

    @property
    def middle(self) -> float:
        """Half way down."""
        return self.top + self.height / 2


class Tick(msgspec.Struct, frozen=True):
    """A quarter of an hour on the axis."""

    at: float
    label: str


class PeriodBand(msgspec.Struct, frozen=True):
    """One period: its title above it, its rows beside its stretch of the axis."""

    period: Period
    title: float
    top: float
    bottom: float
    rows: tuple[EventRow, ...]
    ticks: tuple[Tick, ...]


class KickRow(msgspec.Struct, frozen=True):
    """One kick of a shootout as it is drawn."""

    kick: Kick
    top: float
    name: FittedText


class Layout(msgspec.Struct, frozen=True):
    """The whole picture. `end` is where the last title stands, `shootout` that of the kicks; None where there is none."""

    height: int
    bands: tuple[PeriodBand, ...]
    end: float | None
    shootout: float | None
    kicks: tuple[KickRow, ...]


def build_layout(timeline: Timeline, words: MatchLabels) -> Layout:
    """Lay a time line out."""
    bands, at = [], float(HEADER_HEIGHT)
    for period in timeline.periods:
        bands.append(_build_band(timeline, period, at, words))
        at = bands[-1].bottom
    end = at if timeline.stage in (Stage.HALF_TIME, Stage.FULL_TIME, Stage.LOST) else None
    at += TITLE_HEIGHT if end is not None else 0
    shootout = at if timeline.kicks else None
    kicks = _build_kick_rows(timeline.kicks, at + TITLE_HEIGHT)
    bottom = at + (TITLE_HEIGHT + KICK_HEIGHT * max(_count_kicks(kicks)) if kicks else 0)
    return Layout(round(bottom) + BOTTOM_MARGIN, tuple(bands), end, shootout, kicks)


def _build_band(timeline: Timeline, period: Period, at: float, words: MatchLabels) -> PeriodBand:
    events = [event for event in timeline.events if event.period is period]
    sides = [[_build_row(event, words) for event in events if event.side is side] for side in Side]
    first, last = _minute_range(period, events, timeline)
    least = max(MIN_HEIGHTS.get(period, 0.0), PER_MINUTE * (last - first))
    least = max([least, *(sum(row.height for row in rows) for rows in sides)])
    top = at + (PAUSE_HEIGHT if period in (Period.FIRST_HALF, Period.EXTRA_SECOND) else TITLE_HEIGHT)
    for height in (least * stretch for stretch in STRETCHES):
        placed = [row for rows in sides for row in _place_rows(rows, top, height, first, last)]
        if all(abs(row.at - row.middle) <= MAX_LABEL_DISTANCE for row in placed):
            break
    return PeriodBand(period, at, top, top + height, tuple(placed), tuple(_build_ticks(period, placed, top, height, first, last)))


def _minute_range(period: Period, events: Sequence[Event], timeline: Timeline) -> tuple[int, int]:
    """The first minute of a period and its last, stoppage time included as far as it is known."""
    first = {Period.FIRST_HALF: 0, Period.SECOND_HALF: 45, Period.EXTRA_FIRST: 90, Period.EXTRA_SECOND: 105}[period]
    added = [event.minute.added for event in events]
    if timeline.period is period and timeline.minute:
        added.append(timeline.minute.added)
    return first, LAST_MINUTE[period] + max(added, default=0)


def _build_row(event: Event, words: MatchLabels) -> EventRow:
    name = fit_text(event.player or unnamed_player_text(event.kind, words), NAME_SIZE, NAME_ROOM)
    below = _second_line(event, words)
    if not below:
        return EventRow(event, 0, 0, ONE_LINE_HEIGHT, name)
    return EventRow(event, 0, 0, TWO_LINES_HEIGHT, name, fit_text(below, SMALL_SIZE, NAME_ROOM, bold=event.kind.is_goal))


def _second_line(event: Event, words: MatchLabels) -> str:
    if event.kind is EventKind.SUBSTITUTION:
        return event.replaced_player or "–"
    said = event_detail_text(event.kind, words) if event.player or event.kind.is_goal else ""
    return " · ".join(filter(None, (str(event.score) if event.score else "", said)))


def _place_rows(rows: Sequence[EventRow], top: float, height: float, first: int, last: int) -> list[EventRow]:
    """The rows of one side, each beside its minute or as near as there is room."""
    wanted = [_minute_position(row.event.minute, top, height, first, last) for row in rows]
    tops = spread_labels(wanted, [row.height for row in rows], top, top + height)
    return [msgspec.structs.replace(row, at=at, top=edge) for row, at, edge in zip(rows, wanted, tops, strict=True)]


def _minute_position(minute: Minute, top: float, height: float, first: int, last: int) -> float:
    """The place of a minute's middle on the axis."""
    gone = minute.base + minute.added - 0.5 - first
    return top + height * min(max(gone / (last - first), 0.0), 1.0)


def _build_ticks(period: Period, rows: Sequence[EventRow], top: float, height: float, first: int, last: int) -> list[Tick]:
    """Every quarter of an hour within the period that no event stands too near to."""
    ticks = [Tick(top + height * (at - first) / (last - first), f"{at}'") for at in range(first + 15, LAST_MINUTE[period], 15)]
    if last > LAST_MINUTE[period]:
        ticks.append(Tick(top + height * (LAST_MINUTE[period] - first) / (last - first), f"{LAST_MINUTE[period]}'"))
    free = [tick for tick in ticks if top + 20 < tick.at < top + height - 20]
    return [tick for tick in free if not any(_is_near_tick(row, tick.at) for row in rows)]


def _is_near_tick(row: EventRow, at: float) -> bool:
    """Tell whether the line from a row's minute to its words comes near a place on the axis."""
    near, far = sorted((row.at, row.middle))
    return near - 26 < at < far + 26


def _count_kicks(kicks: Sequence[KickRow]) -> list[int]:
    return [sum(row.kick.side is side for row in kicks) for side in Side]


def _build_kick_rows(kicks: Sequence[Kick], top: float) -> tuple[KickRow, ...]:
    """Each side's kicks under each other, in the order in which they were taken."""
    taken = dict.fromkeys(Side, 0)
    rows = []
    for kick in kicks:
        rows.append(KickRow(kick, top + KICK_HEIGHT * taken[kick.side], fit_text(kick.player or "–", NAME_SIZE, NAME_ROOM)))
        taken[kick.side] += 1
    return tuple(rows)


def spread_labels(wanted: Sequence[float], heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """The upper edges of labels whose middles are wanted at these places, in rising order, between top and bottom.

    The sum of squared distances is the least there is (pool adjacent violators). Where the room does not do for all,
    they run over the bottom rather than over each other.
    """
    before = [sum(heights[:number]) for number in range(len(heights))]
    ideal = [middle - height / 2 - offset for middle, height, offset in zip(wanted, heights, before, strict=True)]
    room = max(top, bottom - sum(heights))
    return [min(max(place, top), room) + offset for place, offset in zip(_fit_rising(ideal), before, strict=True)]


def _fit_rising(values: Sequence[float]) -> list[float]:
    """The nearest values that never fall."""
    pools: list[tuple[float, int]] = []
    for value in values:
        mean, count = value, 1
        while pools and pools[-1][0] > mean:
            other, size = pools.pop()
            mean = (mean * count + other * size) / (count + size)
            count += size
        pools.append((mean, count))
    return [mean for mean, count in pools for _ in range(count)]
