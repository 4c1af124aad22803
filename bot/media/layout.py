"""Computes where everything in a picture stands, in pixels. Needs no canvas, only the widths of texts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.media.fonts import FittedText, fit_text
from bot.media.labels import MatchLabels, event_detail_text, unnamed_player_text
from rules.football.action import Side
from rules.football.minute import LAST_MINUTE, Period
from rules.football.timeline import Event, EventKind, Kick, Stage, Timeline

# Telegram shows photos of up to 1280 pixels as they are, and shrinks larger ones.
WIDTH = 1280

MARGIN = 40

MIDDLE = WIDTH // 2
"""The x of the axis, which runs from top to bottom between the two sides."""

HEADER_HEIGHT = 400

LANE_WIDTH = 46
"""Half of the lane in the middle that the axis and its ticks occupy."""

MINUTE_WIDTH = 104
"""The width of the column with an event's minute."""

ICON_SIZE = 46

GAP = 14

NAME_ROOM = MIDDLE - LANE_WIDTH - MINUTE_WIDTH - ICON_SIZE - 2 * GAP - MARGIN
"""The width that is left for a name."""

ONE_LINE_HEIGHT, TWO_LINES_HEIGHT = 58, 92

TITLE_HEIGHT, PAUSE_HEIGHT = 76, 44
"""The height of a title between two periods, and of a dividing line without one."""

# A half without events is then as high as a phone is wide: the picture stays readable in a chat.
PER_MINUTE = 7.0
"""The height of a minute on the axis, at least."""

MIN_HEIGHTS = {Period.EXTRA_FIRST: 150.0, Period.EXTRA_SECOND: 150.0}
"""A half of extra time has only fifteen minutes, which is too little height for its events."""

MAX_LABEL_DISTANCE = 100.0
"""How far a label may stand from its minute before the period is drawn longer."""

STRETCHES = (1.0, 1.1, 1.2, 1.3)
"""The factors that are tried, in this order."""

KICK_HEIGHT = 60

BOTTOM_MARGIN = 44

NAME_SIZE, SMALL_SIZE = 37, 30


class EventRow(msgspec.Struct, frozen=True):
    """One event as it is drawn. `axis_y` is its minute on the axis, `top` the upper edge of its label, which may be shifted."""

    event: Event
    axis_y: float
    top: float
    height: float
    name: FittedText
    second_line: FittedText | None = None
    """The score, the player who goes off, or what the icon does not say."""

    @property
    def middle(self) -> float:
        """The y of the middle of the label."""
        return self.top + self.height / 2


class Tick(msgspec.Struct, frozen=True):
    """A mark on the axis at a quarter of an hour."""

    axis_y: float
    label: str


class PeriodBand(msgspec.Struct, frozen=True):
    """One period: its title, its part of the axis from `top` to `bottom`, and the rows beside it."""

    period: Period
    title_y: float
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
    """The whole picture. `end_title_y` and `shootout_title_y` are None if there is no such title."""

    height: int
    bands: tuple[PeriodBand, ...]
    end_title_y: float | None
    shootout_title_y: float | None
    kicks: tuple[KickRow, ...]


def build_layout(timeline: Timeline, labels: MatchLabels) -> Layout:
    """Lay out a timeline from top to bottom: header, periods, title of the end, kicks of a shootout."""
    bands: list[PeriodBand] = []
    y = float(HEADER_HEIGHT)
    for period in timeline.periods:
        bands.append(_build_band(timeline, period, y, labels))
        y = bands[-1].bottom
    end_title_y = shootout_title_y = None
    # Without one the picture ends where the match stands: it is still being played.
    if timeline.stage in (Stage.HALF_TIME, Stage.FULL_TIME, Stage.LOST):
        end_title_y = y
        y += TITLE_HEIGHT
    kicks = _build_kick_rows(timeline.kicks, y + TITLE_HEIGHT)
    if kicks:
        shootout_title_y = y
        y = max(row.top for row in kicks) + KICK_HEIGHT
    return Layout(round(y) + BOTTOM_MARGIN, tuple(bands), end_title_y, shootout_title_y, kicks)


def _build_band(timeline: Timeline, period: Period, title_y: float, labels: MatchLabels) -> PeriodBand:
    events = [event for event in timeline.events if event.period is period]
    sides = [[_build_row(event, labels) for event in events if event.side is side] for side in Side]
    first, last = _minute_range(period, events, timeline)
    least = max(MIN_HEIGHTS.get(period, 0.0), PER_MINUTE * (last - first))
    # High enough for all labels of the fuller side, however few minutes there were.
    least = max([least, *(sum(row.height for row in rows) for rows in sides)])
    top = title_y + (PAUSE_HEIGHT if period in (Period.FIRST_HALF, Period.EXTRA_SECOND) else TITLE_HEIGHT)
    # Many events in a few minutes push their labels away; a longer axis brings them nearer. The last factor is used anyway.
    for height in (least * stretch for stretch in STRETCHES):
        placed = [row for rows in sides for row in _place_rows(rows, top, height, first, last)]
        if all(abs(row.axis_y - row.middle) <= MAX_LABEL_DISTANCE for row in placed):
            break
    return PeriodBand(
        period, title_y, top, top + height, tuple(placed), tuple(_build_ticks(period, placed, top, height, first, last))
    )


def _minute_range(period: Period, events: Sequence[Event], timeline: Timeline) -> tuple[int, int]:
    """Return the first minute of a period and its last, with stoppage time as far as it is known."""
    first = {Period.FIRST_HALF: 0, Period.SECOND_HALF: 45, Period.EXTRA_FIRST: 90, Period.EXTRA_SECOND: 105}[period]
    added = [event.minute.added for event in events]
    if timeline.period is period and timeline.minute:
        added.append(timeline.minute.added)
    return first, LAST_MINUTE[period] + max(added, default=0)


def _build_row(event: Event, labels: MatchLabels) -> EventRow:
    """Return an event's row without its place on the axis, which is not known before all rows of the side are."""
    name = fit_text(event.player or unnamed_player_text(event.kind, labels), NAME_SIZE, NAME_ROOM)
    if event.kind is EventKind.SUBSTITUTION:
        # The player who comes on is the name; the one who goes off stands below.
        second_line = event.replaced_player or "–"
    else:
        # Without a player's name, the stand-in for the name is the detail already.
        detail = event_detail_text(event.kind, labels) if event.player or event.kind.is_goal else ""
        second_line = " · ".join(filter(None, (str(event.score) if event.score else "", detail)))
    if not second_line:
        return EventRow(event, 0, 0, ONE_LINE_HEIGHT, name)
    return EventRow(event, 0, 0, TWO_LINES_HEIGHT, name, fit_text(second_line, SMALL_SIZE, NAME_ROOM, bold=event.kind.is_goal))


def _place_rows(rows: Sequence[EventRow], top: float, height: float, first: int, last: int) -> list[EventRow]:
    """Place the rows of one side, each beside its minute or as near to it as there is room."""
    # The middle of the minute: minute 1 is the time from 0:00 to 1:00. Pinned to the axis, since the feed may give a minute that
    # lies outside of the period.
    elapsed = [row.event.minute.base + row.event.minute.added - 0.5 - first for row in rows]
    wanted = [top + height * min(max(minutes / (last - first), 0.0), 1.0) for minutes in elapsed]
    tops = spread_labels(wanted, [row.height for row in rows], top, top + height)
    return [msgspec.structs.replace(row, axis_y=y, top=edge) for row, y, edge in zip(rows, wanted, tops, strict=True)]


def _build_ticks(period: Period, rows: Sequence[EventRow], top: float, height: float, first: int, last: int) -> list[Tick]:
    """Return a tick for every quarter of an hour within the period, except near an event or an end of the axis."""
    minutes = [*range(first + 15, LAST_MINUTE[period], 15)]
    if last > LAST_MINUTE[period]:
        # Stoppage time begins here. Without any, the end of the axis is this minute.
        minutes.append(LAST_MINUTE[period])
    ticks = [Tick(top + height * (minute - first) / (last - first), f"{minute}'") for minute in minutes]
    free = [tick for tick in ticks if top + 20 < tick.axis_y < top + height - 20]
    # What the lines from the minutes to their labels take of the axis, and about half of a label's height around it.
    lines = [(min(row.axis_y, row.middle) - 26, max(row.axis_y, row.middle) + 26) for row in rows]
    return [tick for tick in free if not any(near < tick.axis_y < far for near, far in lines)]


def _build_kick_rows(kicks: Sequence[Kick], top: float) -> tuple[KickRow, ...]:
    """Place each side's kicks under each other, in the order in which they were taken."""
    taken = dict.fromkeys(Side, 0)
    rows = []
    for kick in kicks:
        rows.append(KickRow(kick, top + KICK_HEIGHT * taken[kick.side], fit_text(kick.player or "–", NAME_SIZE, NAME_ROOM)))
        taken[kick.side] += 1
    return tuple(rows)


def spread_labels(wanted: Sequence[float], heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """Return the upper edges of labels whose middles are wanted at these places (in rising order), without overlaps.

    The sum of squared distances is minimal: with the heights of the labels before it subtracted, each edge may only not be
    less than the one before it, which is isotonic regression (pool adjacent violators). If there is too little room between
    `top` and `bottom`, the labels run over the bottom rather than over each other.
    """
    before = [sum(heights[:number]) for number in range(len(heights))]
    ideal = [middle - height / 2 - offset for middle, height, offset in zip(wanted, heights, before, strict=True)]
    room = max(top, bottom - sum(heights))
    return [min(max(place, top), room) + offset for place, offset in zip(_fit_rising(ideal), before, strict=True)]


def _fit_rising(values: Sequence[float]) -> list[float]:
    """Return the non-decreasing values that are nearest to these by squared distance."""
    pools: list[tuple[float, int]] = []
    for value in values:
        mean, count = value, 1
        # Two neighbours in the wrong order get their common mean, and then may disagree with the one before.
        while pools and pools[-1][0] > mean:
            other, size = pools.pop()
            mean = (mean * count + other * size) / (count + size)
            count += size
        pools.append((mean, count))
    return [mean for mean, count in pools for _ in range(count)]
