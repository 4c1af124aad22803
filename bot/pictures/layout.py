"""Where everything stands in a picture, in pixels. Pure but for the fonts that measure names."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.pictures.fonts import Text, text
from bot.pictures.spread import spread
from bot.pictures.words import Words, detail, nameless
from rules.action import Side
from rules.minute import LAST_MINUTE, Minute, Period
from rules.timeline import Event, Kick, Kind, Stage, Timeline

WIDTH = 1280
MARGIN = 40
MIDDLE = WIDTH // 2
HEADER = 400
LANE = 46
"""Half of the lane in the middle, which the axis and its minutes have."""
MINUTE = 104
"""The column of an event's minute."""
ICON = 46
GAP = 14
NAMES = MIDDLE - LANE - MINUTE - ICON - 2 * GAP - MARGIN
"""The room of a name."""

ONE_LINE, TWO_LINES = 58, 92
TITLE, PAUSE = 76, 44
"""The height of the words between two periods, and of a line without words."""
PER_MINUTE = 7.0
LEAST = {Period.EXTRA_FIRST: 150.0, Period.EXTRA_SECOND: 150.0}
FAR = 100.0
"""How far words may stand from their minute before the period is drawn longer, by one of these shares."""
STRETCHES = (1.0, 1.1, 1.2, 1.3)
KICK = 60
BELOW = 44

NAME, SMALL = 37, 30


class Row(msgspec.Struct, frozen=True):
    """One event as it is drawn: `at` is its minute on the axis, `top` the upper edge of its words."""

    event: Event
    at: float
    top: float
    height: float
    name: Text
    below: Text | None = None
    """The second line: the score, who goes off, or what the sign alone does not say."""

    @property
    def middle(self) -> float:
        """Half way down."""
        return self.top + self.height / 2


class Tick(msgspec.Struct, frozen=True):
    """A quarter of an hour on the axis."""

    at: float
    label: str


class Band(msgspec.Struct, frozen=True):
    """One period: its title above it, its rows beside its stretch of the axis."""

    period: Period
    title: float
    top: float
    bottom: float
    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]


class KickRow(msgspec.Struct, frozen=True):
    """One kick of a shootout as it is drawn."""

    kick: Kick
    top: float
    name: Text


class Layout(msgspec.Struct, frozen=True):
    """The whole picture. `end` is where the last title stands, `shootout` that of the kicks; None where there is none."""

    height: int
    bands: tuple[Band, ...]
    end: float | None
    shootout: float | None
    kicks: tuple[KickRow, ...]


def layout(timeline: Timeline, words: Words) -> Layout:
    """Lay a time line out."""
    bands, at = [], float(HEADER)
    for period in timeline.periods:
        bands.append(_band(timeline, period, at, words))
        at = bands[-1].bottom
    end = at if timeline.stage in (Stage.HALF_TIME, Stage.FULL_TIME, Stage.LOST) else None
    at += TITLE if end is not None else 0
    shootout = at if timeline.kicks else None
    kicks = _kicks(timeline.kicks, at + TITLE)
    bottom = at + (TITLE + KICK * max(_counts(kicks)) if kicks else 0)
    return Layout(round(bottom) + BELOW, tuple(bands), end, shootout, kicks)


def _band(timeline: Timeline, period: Period, at: float, words: Words) -> Band:
    events = [event for event in timeline.events if event.period is period]
    sides = [[_row(event, words) for event in events if event.side is side] for side in Side]
    first, last = _minutes(period, events, timeline)
    least = max(LEAST.get(period, 0.0), PER_MINUTE * (last - first))
    least = max([least, *(sum(row.height for row in rows) for rows in sides)])
    top = at + (PAUSE if period in (Period.FIRST_HALF, Period.EXTRA_SECOND) else TITLE)
    for height in (least * stretch for stretch in STRETCHES):
        placed = [row for rows in sides for row in _placed(rows, top, height, first, last)]
        if all(abs(row.at - row.middle) <= FAR for row in placed):
            break
    return Band(period, at, top, top + height, tuple(placed), tuple(_ticks(period, placed, top, height, first, last)))


def _minutes(period: Period, events: Sequence[Event], timeline: Timeline) -> tuple[int, int]:
    """The first minute of a period and its last, stoppage time included as far as it is known."""
    first = {Period.FIRST_HALF: 0, Period.SECOND_HALF: 45, Period.EXTRA_FIRST: 90, Period.EXTRA_SECOND: 105}[period]
    added = [event.minute.added for event in events]
    if timeline.period is period and timeline.minute:
        added.append(timeline.minute.added)
    return first, LAST_MINUTE[period] + max(added, default=0)


def _row(event: Event, words: Words) -> Row:
    name = text(event.player or nameless(event.kind, words), NAME, NAMES)
    below = _below(event, words)
    if not below:
        return Row(event, 0, 0, ONE_LINE, name)
    return Row(event, 0, 0, TWO_LINES, name, text(below, SMALL, NAMES, bold=event.kind.is_goal))


def _below(event: Event, words: Words) -> str:
    if event.kind is Kind.SUBSTITUTION:
        return event.off or "–"
    said = detail(event.kind, words) if event.player or event.kind.is_goal else ""
    return " · ".join(filter(None, (str(event.score) if event.score else "", said)))


def _placed(rows: Sequence[Row], top: float, height: float, first: int, last: int) -> list[Row]:
    """The rows of one side, each beside its minute or as near as there is room."""
    wanted = [_place(row.event.minute, top, height, first, last) for row in rows]
    tops = spread(wanted, [row.height for row in rows], top, top + height)
    return [msgspec.structs.replace(row, at=at, top=edge) for row, at, edge in zip(rows, wanted, tops, strict=True)]


def _place(minute: Minute, top: float, height: float, first: int, last: int) -> float:
    """The place of a minute's middle on the axis."""
    gone = minute.base + minute.added - 0.5 - first
    return top + height * min(max(gone / (last - first), 0.0), 1.0)


def _ticks(period: Period, rows: Sequence[Row], top: float, height: float, first: int, last: int) -> list[Tick]:
    """Every quarter of an hour within the period that no event stands too near to."""
    ticks = [Tick(top + height * (at - first) / (last - first), f"{at}'") for at in range(first + 15, LAST_MINUTE[period], 15)]
    if last > LAST_MINUTE[period]:
        ticks.append(Tick(top + height * (LAST_MINUTE[period] - first) / (last - first), f"{LAST_MINUTE[period]}'"))
    free = [tick for tick in ticks if top + 20 < tick.at < top + height - 20]
    return [tick for tick in free if not any(_passes(row, tick.at) for row in rows)]


def _passes(row: Row, at: float) -> bool:
    """Tell whether the line from a row's minute to its words comes near a place on the axis."""
    near, far = sorted((row.at, row.middle))
    return near - 26 < at < far + 26


def _counts(kicks: Sequence[KickRow]) -> list[int]:
    return [sum(row.kick.side is side for row in kicks) for side in Side]


def _kicks(kicks: Sequence[Kick], top: float) -> tuple[KickRow, ...]:
    """Each side's kicks under each other, in the order in which they were taken."""
    taken = dict.fromkeys(Side, 0)
    rows = []
    for kick in kicks:
        rows.append(KickRow(kick, top + KICK * taken[kick.side], text(kick.player or "–", NAME, NAMES)))
        taken[kick.side] += 1
    return tuple(rows)
