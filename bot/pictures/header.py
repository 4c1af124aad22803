"""The upper part of a picture: competition and date, both teams, the score and where the match stands."""

from __future__ import annotations

from babel.dates import format_date

from bot.pictures.canvas import Canvas
from bot.pictures.fonts import Text, text
from bot.pictures.layout import HEADER, MARGIN, MIDDLE, WIDTH
from bot.pictures.words import Words, below_the_score, standing
from rules.action import Side
from rules.timeline import Stage, Timeline

SCORE_ROOM = 350
SCORE_SIZES = (150, 124, 104, 80, 60)
_TEAM = (WIDTH - 2 * MARGIN - SCORE_ROOM) / 2 - 56
_TOP, _BOTTOM = MARGIN, HEADER - 16


def draw_header(canvas: Canvas, timeline: Timeline, words: Words) -> None:
    """Draw it."""
    _card(canvas)
    canvas.write(text(_occasion(timeline, words), 32, WIDTH - 200, bold=False), MIDDLE, _TOP + 50, "middle", canvas.theme.muted)
    home, away = timeline.score.home, timeline.score.away
    score = fitting("–" if timeline.stage is Stage.BEFORE else f"{home} – {away}", SCORE_SIZES, SCORE_ROOM)
    canvas.write(score, MIDDLE, _TOP + 158, "middle")
    _standing(canvas, timeline, words)
    for side, middle in ((Side.HOME, MARGIN + 44 + _TEAM / 2), (Side.AWAY, WIDTH - MARGIN - 44 - _TEAM / 2)):
        _team(canvas, timeline.team(side) or "–", middle)


def _card(canvas: Canvas) -> None:
    """A card whose edges are in the colours of the teams."""
    for side, left in ((Side.HOME, MARGIN), (Side.AWAY, WIDTH - MARGIN - 80)):
        canvas.box((left, _TOP, left + 80, _BOTTOM), 28, canvas.teams[side])
    canvas.box((MARGIN + 20, _TOP, WIDTH - MARGIN - 20, _BOTTOM), 12, canvas.theme.card)


def _occasion(timeline: Timeline, words: Words) -> str:
    date = format_date(timeline.kickoff, format="long", locale=words.locale) if timeline.kickoff else ""
    return "  ·  ".join(filter(None, (timeline.competition, date)))


def _standing(canvas: Canvas, timeline: Timeline, words: Words) -> None:
    lines = [line for line in (standing(timeline, words), below_the_score(timeline, words)) if line]
    for number, line in enumerate(lines):
        shown = text(line, 36 if number == 0 else 33, SCORE_ROOM, bold=number == 0 or timeline.shootout is not None)
        colour = canvas.theme.ink if number == 0 or timeline.shootout is not None else canvas.theme.muted
        canvas.write(shown, MIDDLE, _TOP + 262 + 44 * number, "middle", colour)


def _team(canvas: Canvas, name: str, middle: float) -> None:
    """The name in one line, or two that are about as long."""
    lines = team_lines(name)
    for number, line in enumerate(lines):
        canvas.write(line, middle, _TOP + 172 + 62 * (number - (len(lines) - 1) / 2), "middle")


def team_lines(name: str) -> list[Text]:
    """One line where there is room for it, else the two that need the least; smaller letters before shorter names."""
    words = name.split()
    if len(words) < 2 or not text(name, 54, _TEAM).cut:
        return [fitting(name, (58, 54, 48, 42, 36))]
    cuts = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
    lines = min(cuts, key=lambda cut: max(len(line) for line in cut))
    size = min(fitting(line, (54, 48, 42, 36)).size for line in lines)
    return [fitting(line, (size,)) for line in lines]


def fitting(line: str, sizes: tuple[int, ...], room: float = _TEAM) -> Text:
    """The line at the first size at which all of it has room, shortened at the last."""
    tried = (text(line, size, room) for size in sizes)
    return next((shown for shown in tried if not shown.cut), text(line, sizes[-1], room))
