"""A match -> its card: one message that shows how it stands, as Telegram's HTML in the language that is spoken. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from bot.extras import words
from bot.pictures.words import Words, detail, nameless, spoken_words, standing
from rules.action import SendType, Side
from rules.bidi import isolated
from rules.match import Match, Record
from rules.minute import Minute, Period
from rules.template import escape
from rules.timeline import Event, Kind, Stage, Timeline, stage_of, timeline_of

GOAL, FALLEN, MISSED, RED, YELLOW, AWAITED = "⚽", "🚫", "❌", "🟥", "🟨", "⏳"
_ORDER = (GOAL, AWAITED, FALLEN, MISSED, RED, YELLOW)
_SIGNS = {
    Kind.GOAL: GOAL,
    Kind.PENALTY_GOAL: GOAL,
    Kind.OWN_GOAL: GOAL,
    Kind.DISALLOWED: FALLEN,
    Kind.PENALTY_MISSED: MISSED,
    Kind.PENALTY_SAVED: MISSED,
    Kind.SECOND_YELLOW: RED,
    Kind.RED_CARD: RED,
    Kind.YELLOW_CARD: YELLOW,
}
"""What is on a card; a substitution is not."""
_PENDING = {"Goal": Kind.GOAL, "Red Card": Kind.RED_CARD, "Yellow Card": Kind.YELLOW_CARD}
_DOUBLED = frozenset({Kind.DISALLOWED, Kind.PENALTY_MISSED})
"""Their sign says it all."""


class Item(msgspec.Struct, frozen=True):
    """One thing on a card: `12'`, with what is to be said of it."""

    side: Side
    sign: str
    player: str
    minute: Minute | None
    about: str = ""


def card_html(match: Match, *, closed: bool = False, timeline: Timeline | None = None) -> str:
    """Score, where the match stands, then each side's goals and cards; what awaits confirmation says so and is not counted.

    `closed`: nothing more is heard of the match; where no end of it came, its card says that the end was not seen. `timeline`:
    the match as `laid_out` gives it, where it is at hand.
    """
    timeline, spoken = timeline or laid_out(match), spoken_words()
    where = words.end_not_seen() if closed and not is_over(match) else _where(timeline, spoken)
    below = " · ".join(escape(part) for part in (where, isolated(timeline.competition)) if part)
    items = [*_told(timeline, spoken), *_awaited(match, spoken)]
    sides = [_side(timeline, side, [item for item in items if item.side is side]) for side in Side]
    return "\n".join(filter(None, [f"<b>{escape(_title(timeline))}</b>", below, *sides, _kicks(timeline)]))


def caption_html(timeline: Timeline) -> str:
    """The words below a picture."""
    spoken = spoken_words()
    below = [standing(timeline, spoken), isolated(timeline.competition)]
    return "\n".join([f"<b>{escape(_title(timeline))}</b>", " · ".join(escape(part) for part in below if part)])


def laid_out(match: Match) -> Timeline:
    """The match in time as a card shows it."""
    return timeline_of(match, stage_told(match))


def stage_told(match: Match) -> Stage:
    """Where a match stands: what the fixtures alone call completed is not over before its end was told."""
    stage = stage_of(match)
    if stage is not Stage.FULL_TIME:
        return stage
    return Stage.LOST if match.lost else Stage.FULL_TIME if match.ended_by else Stage.PLAY


def is_over(match: Match) -> bool:
    """Tell whether its end, or that there will be none, was told; a suspended match may go on."""
    return bool(match.ended_by) or (match.lost and match.status.casefold() != "suspended")


def _title(timeline: Timeline) -> str:
    """`Germany 1–1 (6–5 pens) Italy`."""
    kicks = f"({words.kicks(str(timeline.shootout))})" if timeline.shootout else ""
    parts = (isolated(timeline.home.name), str(timeline.score), kicks, isolated(timeline.away.name))
    return " ".join(filter(None, parts))


def _where(timeline: Timeline, spoken: Words) -> str:
    """`Second half · 67'`, or where it stands in a word."""
    if timeline.stage is not Stage.PLAY or timeline.period is Period.SHOOTOUT:
        return standing(timeline, spoken)
    return " · ".join(filter(None, (words.period(timeline.period), f"{timeline.minute}'" if timeline.minute else "")))


def _told(timeline: Timeline, spoken: Words) -> Iterator[Item]:
    for event in timeline.events:
        if sign := _SIGNS.get(event.kind):
            yield Item(event.side, sign, event.player or nameless(event.kind, spoken), event.minute, _about(event, spoken))


def _about(event: Event, spoken: Words) -> str:
    said = event.player or event.kind.is_goal
    return detail(event.kind, spoken) if said and event.kind not in _DOUBLED else ""


def _awaited(match: Match, spoken: Words) -> Iterator[Item]:
    """What awaits confirmation, in the order in which it was told; kicks of a shootout are told when they count."""
    for record in match.records.values():
        kind, side = _pending(record), record.credited or record.action.side
        if kind and side and record.action.period is not Period.SHOOTOUT:
            name = record.action.player.name if record.action.player else nameless(kind, spoken)
            yield Item(side, AWAITED, f"{_SIGNS[kind]} {name}", record.action.minute, words.awaiting())


def _pending(record: Record) -> Kind | None:
    pending = record.action.send_type is SendType.PENDING and not record.taken_back
    return _PENDING.get(record.action.type) if pending else None


def _side(timeline: Timeline, side: Side, items: Iterable[Item]) -> str:
    """A team's name and a line for each sign: `⚽ Saka 12', 54' (penalty) · Rice 70'`; empty where nothing happened."""
    ordered = sorted(items, key=lambda item: _ORDER.index(item.sign))
    lines = [f"{sign} {_players(list(some))}" for sign, some in groupby(ordered, key=lambda item: item.sign)]
    return "\n".join(["", f"<b>{escape(isolated(timeline.team(side)))}</b>", *lines]) if lines else ""


def _players(items: list[Item]) -> str:
    """Each player once, in the order of what came first."""
    names = dict.fromkeys(item.player for item in items)
    said = [(name, [_minute(item) for item in items if item.player == name]) for name in names]
    told = " · ".join(f"{escape(isolated(name))} {', '.join(minutes)}".rstrip() for name, minutes in said)
    return f"<s>{told}</s>" if items[0].sign == FALLEN else told


def _minute(item: Item) -> str:
    minute = f"{item.minute}'" if item.minute else ""
    return " ".join(filter(None, (minute, f"<i>({escape(item.about)})</i>" if item.about else "")))


def _kicks(timeline: Timeline) -> str:
    """The kicks of a shootout, each side's in a line."""
    if not timeline.kicks:
        return ""
    rows = [(side, "".join(GOAL if kick.scored else MISSED for kick in timeline.kicks if kick.side is side)) for side in Side]
    return "\n".join(["", *(f"{row} {escape(isolated(timeline.team(side)))}" for side, row in rows if row)])
