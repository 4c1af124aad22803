"""A timeline as a PNG."""

from __future__ import annotations

import io

from babel.dates import format_date
from PIL import Image

from bot.media.canvas import Canvas, draw_icon, draw_kick_icon
from bot.media.fonts import FittedText, fit_text
from bot.media.labels import MatchLabels, second_score_text, stage_text, translate_labels
from bot.media.layout import (
    GAP,
    HEADER_HEIGHT,
    ICON_SIZE,
    LANE_WIDTH,
    MARGIN,
    MIDDLE,
    MINUTE_WIDTH,
    SMALL_SIZE,
    TITLE_HEIGHT,
    WIDTH,
    EventRow,
    KickRow,
    Layout,
    PeriodBand,
    build_layout,
)
from bot.media.theme import build_palette, choose_theme, team_colours
from rules.football.action import Side
from rules.football.minute import Period
from rules.football.timeline import EventKind, Stage, Timeline

_COMPRESS_LEVEL = 4
"""zlib's level. With a palette of 256 colours the file is a third as large, and made in half the time."""


def draw_picture(timeline: Timeline, *, dark: bool = False, words: MatchLabels | None = None) -> bytes:
    """The picture of a match as a PNG, 1280 pixels wide and as high as it needs."""
    words, theme = words or translate_labels(), choose_theme(dark=dark)
    plan = build_layout(timeline, words)
    canvas = Canvas(WIDTH, plan.height, theme, team_colours(timeline.colours, theme))
    draw_header(canvas, timeline, words)
    for band in plan.bands:
        _draw_band(canvas, band)
    _draw_titles(canvas, timeline, plan, words)
    for row in plan.kicks:
        _draw_kick(canvas, row)
    data = io.BytesIO()
    colours = build_palette(theme, canvas.team_colours[Side.HOME], canvas.team_colours[Side.AWAY])
    few = canvas.image.quantize(palette=colours, dither=Image.Dither.NONE)
    few.save(data, "PNG", compress_level=_COMPRESS_LEVEL)
    return data.getvalue()


def _draw_band(canvas: Canvas, band: PeriodBand) -> None:
    canvas.draw_line(((MIDDLE, band.top), (MIDDLE, band.bottom)), canvas.theme.faint, 6)
    for tick in band.ticks:
        shown = fit_text(tick.label, 26, 2 * LANE_WIDTH, bold=False)
        canvas.draw_box(
            (MIDDLE - LANE_WIDTH + 8, tick.at - 18, MIDDLE + LANE_WIDTH - 8, tick.at + 18), 8, canvas.theme.background
        )
        canvas.draw_text(shown, MIDDLE, tick.at, "middle", canvas.theme.muted)
    for row in band.rows:
        _draw_leader(canvas, row)
    for row in band.rows:
        _draw_row(canvas, row)


def _direction_of(side: Side) -> int:
    return -1 if side is Side.HOME else 1


def _draw_leader(canvas: Canvas, row: EventRow) -> None:
    """From the minute on the axis to the words beside it."""
    out, colour = _direction_of(row.event.side), canvas.team_colours[row.event.side]
    edge = MIDDLE + out * LANE_WIDTH
    canvas.draw_stroke(((MIDDLE, row.at), (edge - out * 12, row.middle), (edge, row.middle)), 3, colour)
    canvas.draw_dot(MIDDLE, row.at, 8, colour)


def _draw_row(canvas: Canvas, row: EventRow) -> None:
    event, out = row.event, _direction_of(row.event.side)
    align = "right" if out < 0 else "left"
    x = MIDDLE + out * (LANE_WIDTH + 10)
    minute = fit_text(f"{event.minute}'", 32, MINUTE_WIDTH)
    canvas.draw_text(minute, x, row.middle, align, canvas.theme.muted)
    x = MIDDLE + out * (LANE_WIDTH + MINUTE_WIDTH + GAP)
    canvas.draw_image(draw_icon(event.kind, ICON_SIZE, canvas.theme), x + out * ICON_SIZE / 2, row.middle)
    x += out * (ICON_SIZE + GAP)
    faded = event.kind is EventKind.DISALLOWED
    name = canvas.theme.muted if faded else canvas.theme.text
    apart = 20 if row.below else 0
    canvas.draw_text(row.name, x, row.middle - apart, align, name)
    if row.below:
        canvas.draw_text(row.below, x, row.middle + apart, align, canvas.theme.text if event.kind.is_goal else canvas.theme.muted)


def _draw_titles(canvas: Canvas, timeline: Timeline, plan: Layout, words: MatchLabels) -> None:
    """The words between the periods, and after the last."""
    scores = f" {timeline.half_time}" if timeline.half_time else ""
    told = {Period.SECOND_HALF: words.half_time + scores, Period.EXTRA_FIRST: words.extra_time}
    for band in plan.bands[1:]:
        _draw_title(canvas, told.get(band.period, ""), band.title, band.top - band.title)
    if plan.end is not None:
        _draw_title(canvas, f"{stage_text(timeline, words)} {timeline.score}", plan.end, TITLE_HEIGHT)
    if plan.shootout is not None:
        _draw_title(canvas, f"{words.shootout} {timeline.shootout or ''}", plan.shootout, TITLE_HEIGHT)


def _draw_title(canvas: Canvas, words: str, top: float, height: float) -> None:
    middle = top + height / 2
    shown = fit_text(words, SMALL_SIZE, 500)
    half = shown.width / 2 + 26 if words else 0
    for start, end in ((MARGIN, MIDDLE - half), (MIDDLE + half, WIDTH - MARGIN)):
        canvas.draw_line(((start, middle), (end, middle)), canvas.theme.faint, 2)
    if words:
        canvas.draw_box((MIDDLE - half, middle - 25, MIDDLE + half, middle + 25), 25, canvas.theme.card)
        canvas.draw_text(shown, MIDDLE, middle, "middle")


def _draw_kick(canvas: Canvas, row: KickRow) -> None:
    out = _direction_of(row.kick.side)
    middle = row.top + 30
    x = MIDDLE + out * (LANE_WIDTH + 20)
    canvas.draw_image(draw_kick_icon(44, canvas.theme, scored=row.kick.is_goal), x + out * 22, middle)
    colour = canvas.theme.text if row.kick.is_goal else canvas.theme.muted
    canvas.draw_text(row.name, x + out * (44 + GAP), middle, "right" if out < 0 else "left", colour)


SCORE_ROOM = 350

SCORE_SIZES = (150, 124, 104, 80, 60)

_TEAM_ROOM = (WIDTH - 2 * MARGIN - SCORE_ROOM) / 2 - 56

_HEADER_TOP, _HEADER_BOTTOM = MARGIN, HEADER_HEIGHT - 16


def draw_header(canvas: Canvas, timeline: Timeline, words: MatchLabels) -> None:
    """Draw it."""
    _draw_card(canvas)
    canvas.draw_text(
        fit_text(_occasion_text(timeline, words), 32, WIDTH - 200, bold=False),
        MIDDLE,
        _HEADER_TOP + 50,
        "middle",
        canvas.theme.muted,
    )
    home, away = timeline.score.home, timeline.score.away
    score = fit_line("–" if timeline.stage is Stage.BEFORE else f"{home} – {away}", SCORE_SIZES, SCORE_ROOM)
    canvas.draw_text(score, MIDDLE, _HEADER_TOP + 158, "middle")
    _draw_standing(canvas, timeline, words)
    for side, middle in ((Side.HOME, MARGIN + 44 + _TEAM_ROOM / 2), (Side.AWAY, WIDTH - MARGIN - 44 - _TEAM_ROOM / 2)):
        _draw_team(canvas, timeline.team_name(side) or "–", middle)


def _draw_card(canvas: Canvas) -> None:
    """A card whose edges are in the colours of the teams."""
    for side, left in ((Side.HOME, MARGIN), (Side.AWAY, WIDTH - MARGIN - 80)):
        canvas.draw_box((left, _HEADER_TOP, left + 80, _HEADER_BOTTOM), 28, canvas.team_colours[side])
    canvas.draw_box((MARGIN + 20, _HEADER_TOP, WIDTH - MARGIN - 20, _HEADER_BOTTOM), 12, canvas.theme.card)


def _occasion_text(timeline: Timeline, words: MatchLabels) -> str:
    date = format_date(timeline.kickoff, format="long", locale=words.locale) if timeline.kickoff else ""
    return "  ·  ".join(filter(None, (timeline.competition, date)))


def _draw_standing(canvas: Canvas, timeline: Timeline, words: MatchLabels) -> None:
    lines = [line for line in (stage_text(timeline, words), second_score_text(timeline, words)) if line]
    for number, line in enumerate(lines):
        shown = fit_text(line, 36 if number == 0 else 33, SCORE_ROOM, bold=number == 0 or timeline.shootout is not None)
        colour = canvas.theme.text if number == 0 or timeline.shootout is not None else canvas.theme.muted
        canvas.draw_text(shown, MIDDLE, _HEADER_TOP + 262 + 44 * number, "middle", colour)


def _draw_team(canvas: Canvas, name: str, middle: float) -> None:
    """The name in one line, or two that are about as long."""
    lines = split_team_name(name)
    for number, line in enumerate(lines):
        canvas.draw_text(line, middle, _HEADER_TOP + 172 + 62 * (number - (len(lines) - 1) / 2), "middle")


def split_team_name(name: str) -> list[FittedText]:
    """One line where there is room for it, else the two that need the least; smaller letters before shorter names."""
    words = name.split()
    if len(words) < 2 or not fit_text(name, 54, _TEAM_ROOM).is_cut:
        return [fit_line(name, (58, 54, 48, 42, 36))]
    cuts = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
    lines = min(cuts, key=lambda cut: max(len(line) for line in cut))
    size = min(fit_line(line, (54, 48, 42, 36)).size for line in lines)
    return [fit_line(line, (size,)) for line in lines]


def fit_line(line: str, sizes: tuple[int, ...], room: float = _TEAM_ROOM) -> FittedText:
    """The line at the first size at which all of it has room, shortened at the last."""
    tried = (fit_text(line, size, room) for size in sizes)
    return next((shown for shown in tried if not shown.is_cut), fit_text(line, sizes[-1], room))
