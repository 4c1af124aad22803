"""A time line as a PNG: header, axis, events beside it, the kicks of a shootout."""

from __future__ import annotations

import io

from PIL import Image

from bot.pictures.canvas import Canvas
from bot.pictures.fonts import text
from bot.pictures.header import draw_header
from bot.pictures.icons import icon, kick_icon
from bot.pictures.layout import GAP, ICON, LANE, MARGIN, MIDDLE, MINUTE, SMALL, TITLE, WIDTH, Band, KickRow, Layout, Row, layout
from bot.pictures.palette import palette
from bot.pictures.theme import team_colours, themed
from bot.pictures.words import Words, spoken_words, standing
from rules.action import Side
from rules.minute import Period
from rules.timeline import Kind, Timeline

_QUICK = 4
"""zlib's level. With a palette of 256 colours the file is a third as large, and made in half the time."""


def draw(timeline: Timeline, *, dark: bool = False, words: Words | None = None) -> bytes:
    """The picture of a match as a PNG, 1280 pixels wide and as high as it needs."""
    words, theme = words or spoken_words(), themed(dark=dark)
    plan = layout(timeline, words)
    canvas = Canvas(WIDTH, plan.height, theme, team_colours(timeline.colours, theme))
    draw_header(canvas, timeline, words)
    for band in plan.bands:
        _draw_band(canvas, band)
    _draw_titles(canvas, timeline, plan, words)
    for row in plan.kicks:
        _draw_kick(canvas, row)
    data = io.BytesIO()
    colours = palette(theme, canvas.teams[Side.HOME], canvas.teams[Side.AWAY])
    few = canvas.image.quantize(palette=colours, dither=Image.Dither.NONE)
    few.save(data, "PNG", compress_level=_QUICK)
    return data.getvalue()


def _draw_band(canvas: Canvas, band: Band) -> None:
    canvas.line(((MIDDLE, band.top), (MIDDLE, band.bottom)), canvas.theme.faint, 6)
    for tick in band.ticks:
        shown = text(tick.label, 26, 2 * LANE, bold=False)
        canvas.box((MIDDLE - LANE + 8, tick.at - 18, MIDDLE + LANE - 8, tick.at + 18), 8, canvas.theme.ground)
        canvas.write(shown, MIDDLE, tick.at, "middle", canvas.theme.muted)
    for row in band.rows:
        _draw_leader(canvas, row)
    for row in band.rows:
        _draw_row(canvas, row)


def _outward(side: Side) -> int:
    return -1 if side is Side.HOME else 1


def _draw_leader(canvas: Canvas, row: Row) -> None:
    """From the minute on the axis to the words beside it."""
    out, colour = _outward(row.event.side), canvas.teams[row.event.side]
    edge = MIDDLE + out * LANE
    canvas.stroke(((MIDDLE, row.at), (edge - out * 12, row.middle), (edge, row.middle)), 3, colour)
    canvas.dot(MIDDLE, row.at, 8, colour)


def _draw_row(canvas: Canvas, row: Row) -> None:
    event, out = row.event, _outward(row.event.side)
    align = "right" if out < 0 else "left"
    x = MIDDLE + out * (LANE + 10)
    minute = text(f"{event.minute}'", 32, MINUTE)
    canvas.write(minute, x, row.middle, align, canvas.theme.muted)
    x = MIDDLE + out * (LANE + MINUTE + GAP)
    canvas.paste(icon(event.kind, ICON, canvas.theme), x + out * ICON / 2, row.middle)
    x += out * (ICON + GAP)
    faded = event.kind is Kind.DISALLOWED
    name = canvas.theme.muted if faded else canvas.theme.ink
    apart = 20 if row.below else 0
    canvas.write(row.name, x, row.middle - apart, align, name)
    if row.below:
        canvas.write(row.below, x, row.middle + apart, align, canvas.theme.ink if event.kind.is_goal else canvas.theme.muted)


def _draw_titles(canvas: Canvas, timeline: Timeline, plan: Layout, words: Words) -> None:
    """The words between the periods, and after the last."""
    scores = f" {timeline.half_time}" if timeline.half_time else ""
    told = {Period.SECOND_HALF: words.half_time + scores, Period.EXTRA_FIRST: words.extra_time}
    for band in plan.bands[1:]:
        _draw_title(canvas, told.get(band.period, ""), band.title, band.top - band.title)
    if plan.end is not None:
        _draw_title(canvas, f"{standing(timeline, words)} {timeline.score}", plan.end, TITLE)
    if plan.shootout is not None:
        _draw_title(canvas, f"{words.shootout} {timeline.shootout or ''}", plan.shootout, TITLE)


def _draw_title(canvas: Canvas, words: str, top: float, height: float) -> None:
    middle = top + height / 2
    shown = text(words, SMALL, 500)
    half = shown.width / 2 + 26 if words else 0
    for start, end in ((MARGIN, MIDDLE - half), (MIDDLE + half, WIDTH - MARGIN)):
        canvas.line(((start, middle), (end, middle)), canvas.theme.faint, 2)
    if words:
        canvas.box((MIDDLE - half, middle - 25, MIDDLE + half, middle + 25), 25, canvas.theme.card)
        canvas.write(shown, MIDDLE, middle, "middle")


def _draw_kick(canvas: Canvas, row: KickRow) -> None:
    out = _outward(row.kick.side)
    middle = row.top + 30
    x = MIDDLE + out * (LANE + 20)
    canvas.paste(kick_icon(44, canvas.theme, scored=row.kick.scored), x + out * 22, middle)
    colour = canvas.theme.ink if row.kick.scored else canvas.theme.muted
    canvas.write(row.name, x + out * (44 + GAP), middle, "right" if out < 0 else "left", colour)
