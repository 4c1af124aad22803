"""Draws a timeline as a PNG: the header with teams and score, then the events along an axis."""

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

SCORE_ROOM = 350

SCORE_SIZES = (150, 124, 104, 80, 60)
"""Font sizes that are tried in this order: the largest at which no digit is cut."""

_TEAM_ROOM = (WIDTH - 2 * MARGIN - SCORE_ROOM) / 2 - 56

_HEADER_TOP, _HEADER_BOTTOM = MARGIN, HEADER_HEIGHT - 16

_COMPRESS_LEVEL = 4
"""zlib's level. With a palette of 256 colours the file is a third as large, and is made in half the time."""


def draw_picture(timeline: Timeline, *, dark: bool = False, labels: MatchLabels | None = None) -> bytes:
    """Draw a match as a PNG, 1280 pixels wide and as high as it needs."""
    labels, theme = labels or translate_labels(), choose_theme(dark=dark)
    layout = build_layout(timeline, labels)
    canvas = Canvas(WIDTH, layout.height, theme, team_colours(timeline.colours, theme))
    _draw_header(canvas, timeline, labels)
    for band in layout.bands:
        _draw_band(canvas, band)
    _draw_titles(canvas, timeline, layout, labels)
    for row in layout.kicks:
        _draw_kick(canvas, row)
    # 256 colours: the picture has few, and a true-colour PNG would be three times as large.
    palette = build_palette(theme, canvas.team_colours[Side.HOME], canvas.team_colours[Side.AWAY])
    # Without dithering, which would put dots into the plain areas and make the file larger.
    image = canvas.image.quantize(palette=palette, dither=Image.Dither.NONE)
    data = io.BytesIO()
    image.save(data, "PNG", compress_level=_COMPRESS_LEVEL)
    return data.getvalue()


def _draw_header(canvas: Canvas, timeline: Timeline, labels: MatchLabels) -> None:
    """Draw the card on top: competition and date, teams, score, and the stage of the match."""
    # A box in each team's colour first: the card covers all of it but the edge.
    for side, left in ((Side.HOME, MARGIN), (Side.AWAY, WIDTH - MARGIN - 80)):
        canvas.draw_box((left, _HEADER_TOP, left + 80, _HEADER_BOTTOM), 28, canvas.team_colours[side])
    canvas.draw_box((MARGIN + 20, _HEADER_TOP, WIDTH - MARGIN - 20, _HEADER_BOTTOM), 12, canvas.theme.card)

    date = format_date(timeline.kickoff, format="long", locale=labels.locale) if timeline.kickoff else ""
    occasion = fit_text("  ·  ".join(filter(None, (timeline.competition, date))), 32, WIDTH - 200, bold=False)
    canvas.draw_text(occasion, MIDDLE, _HEADER_TOP + 50, "middle", canvas.theme.muted)
    home, away = timeline.score.home, timeline.score.away
    # A dash before kick-off: 0 – 0 would look like a result.
    score = fit_line("–" if timeline.stage is Stage.BEFORE else f"{home} – {away}", SCORE_SIZES, SCORE_ROOM)
    canvas.draw_text(score, MIDDLE, _HEADER_TOP + 158, "middle")
    _draw_stage(canvas, timeline, labels)
    for side, x in ((Side.HOME, MARGIN + 44 + _TEAM_ROOM / 2), (Side.AWAY, WIDTH - MARGIN - 44 - _TEAM_ROOM / 2)):
        lines = split_team_name(timeline.team_name(side) or "–")
        for number, line in enumerate(lines):
            canvas.draw_text(line, x, _HEADER_TOP + 172 + 62 * (number - (len(lines) - 1) / 2), "middle")


def _draw_stage(canvas: Canvas, timeline: Timeline, labels: MatchLabels) -> None:
    """Draw the stage below the score, and below that the score at half time or, in bold, that of the shootout."""
    lines = [line for line in (stage_text(timeline, labels), second_score_text(timeline, labels)) if line]
    for number, line in enumerate(lines):
        is_prominent = number == 0 or timeline.shootout is not None
        text = fit_text(line, 36 if number == 0 else 33, SCORE_ROOM, bold=is_prominent)
        colour = canvas.theme.text if is_prominent else canvas.theme.muted
        canvas.draw_text(text, MIDDLE, _HEADER_TOP + 262 + 44 * number, "middle", colour)


def split_team_name(name: str) -> list[FittedText]:
    """Return the name in one line if it fits, otherwise in two lines of about the same length.

    A smaller font is tried before the name is shortened.
    """
    # A name that would need letters smaller than 54 has two lines instead.
    words = name.split()
    if len(words) < 2 or not fit_text(name, 54, _TEAM_ROOM).is_cut:
        return [fit_line(name, (58, 54, 48, 42, 36))]
    splits = [(" ".join(words[:count]), " ".join(words[count:])) for count in range(1, len(words))]
    # By letters and not by width: near enough for two halves, and no font has to be tried for each.
    lines = min(splits, key=lambda split: max(len(line) for line in split))
    # Both lines in the size of the one that needs the smaller.
    size = min(fit_line(line, (54, 48, 42, 36)).size for line in lines)
    return [fit_line(line, (size,)) for line in lines]


def fit_line(line: str, sizes: tuple[int, ...], room: float = _TEAM_ROOM) -> FittedText:
    """Return the line at the first size at which it fits, or shortened at the last size."""
    attempts = (fit_text(line, size, room) for size in sizes)
    return next((text for text in attempts if not text.is_cut), fit_text(line, sizes[-1], room))


def _draw_band(canvas: Canvas, band: PeriodBand) -> None:
    """Draw a period: the axis, its ticks, and the events on both sides."""
    canvas.draw_line(((MIDDLE, band.top), (MIDDLE, band.bottom)), canvas.theme.faint, 6)
    for tick in band.ticks:
        label = fit_text(tick.label, 26, 2 * LANE_WIDTH, bold=False)
        # The axis is interrupted for the label.
        box = (MIDDLE - LANE_WIDTH + 8, tick.axis_y - 18, MIDDLE + LANE_WIDTH - 8, tick.axis_y + 18)
        canvas.draw_box(box, 8, canvas.theme.background)
        canvas.draw_text(label, MIDDLE, tick.axis_y, "middle", canvas.theme.muted)
    # All lines before all labels, so that no line crosses a text.
    for row in band.rows:
        _draw_leader(canvas, row)
    for row in band.rows:
        _draw_row(canvas, row)


def _draw_leader(canvas: Canvas, row: EventRow) -> None:
    """Draw the line from the minute on the axis to the label beside it."""
    direction, colour = _direction_of(row.event.side), canvas.team_colours[row.event.side]
    edge = MIDDLE + direction * LANE_WIDTH
    canvas.draw_stroke(((MIDDLE, row.axis_y), (edge - direction * 12, row.middle), (edge, row.middle)), 3, colour)
    canvas.draw_dot(MIDDLE, row.axis_y, 8, colour)


def _draw_row(canvas: Canvas, row: EventRow) -> None:
    """Draw an event from the axis outwards: minute, icon, name with an optional second line."""
    event, direction, theme = row.event, _direction_of(row.event.side), canvas.theme
    align = "right" if direction < 0 else "left"
    minute = fit_text(f"{event.minute}'", 32, MINUTE_WIDTH)
    canvas.draw_text(minute, MIDDLE + direction * (LANE_WIDTH + 10), row.middle, align, theme.muted)
    x = MIDDLE + direction * (LANE_WIDTH + MINUTE_WIDTH + GAP)
    canvas.draw_image(draw_icon(event.kind, ICON_SIZE, theme), x + direction * ICON_SIZE / 2, row.middle)
    x += direction * (ICON_SIZE + GAP)
    offset = 20 if row.second_line else 0
    canvas.draw_text(row.name, x, row.middle - offset, align, theme.muted if event.kind is EventKind.DISALLOWED else theme.text)
    if row.second_line:
        canvas.draw_text(row.second_line, x, row.middle + offset, align, theme.text if event.kind.is_goal else theme.muted)


def _draw_titles(canvas: Canvas, timeline: Timeline, layout: Layout, labels: MatchLabels) -> None:
    """Draw the titles between the periods, after the last one, and above the kicks of a shootout."""
    half_time_score = f" {timeline.half_time}" if timeline.half_time else ""
    titles = {Period.SECOND_HALF: labels.half_time + half_time_score, Period.EXTRA_FIRST: labels.extra_time}
    for band in layout.bands[1:]:
        _draw_title(canvas, titles.get(band.period, ""), band.title_y, band.top - band.title_y)
    if layout.end_title_y is not None:
        _draw_title(canvas, f"{stage_text(timeline, labels)} {timeline.score}", layout.end_title_y, TITLE_HEIGHT)
    if layout.shootout_title_y is not None:
        _draw_title(canvas, f"{labels.shootout} {timeline.shootout or ''}", layout.shootout_title_y, TITLE_HEIGHT)


def _draw_title(canvas: Canvas, title: str, top: float, height: float) -> None:
    """Draw a horizontal line, with the title in a box in its middle if there is one."""
    middle = top + height / 2
    text = fit_text(title, SMALL_SIZE, 500)
    half_width = text.width / 2 + 26 if title else 0
    for start, end in ((MARGIN, MIDDLE - half_width), (MIDDLE + half_width, WIDTH - MARGIN)):
        canvas.draw_line(((start, middle), (end, middle)), canvas.theme.faint, 2)
    if title:
        canvas.draw_box((MIDDLE - half_width, middle - 25, MIDDLE + half_width, middle + 25), 25, canvas.theme.card)
        canvas.draw_text(text, MIDDLE, middle, "middle")


def _draw_kick(canvas: Canvas, row: KickRow) -> None:
    """Draw a kick of the shootout: icon and name, grey if it was missed."""
    direction = _direction_of(row.kick.side)
    middle = row.top + 30
    x = MIDDLE + direction * (LANE_WIDTH + 20)
    canvas.draw_image(draw_kick_icon(44, canvas.theme, scored=row.kick.is_goal), x + direction * 22, middle)
    colour = canvas.theme.text if row.kick.is_goal else canvas.theme.muted
    canvas.draw_text(row.name, x + direction * (44 + GAP), middle, "right" if direction < 0 else "left", colour)


def _direction_of(side: Side) -> int:
    """Return -1 for the home side, which is on the left, and 1 for the away side."""
    return -1 if side is Side.HOME else 1
