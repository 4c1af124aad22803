"""The match card as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from bot.i18n import football
from bot.i18n.language import translate as _
from bot.media.labels import MatchLabels, event_detail_text, stage_text, translate_labels, unnamed_player_text
from rules.engine.text import escape_html
from rules.football.action import SendType, Side
from rules.football.match import ActionRecord, Match
from rules.football.minute import Minute, Period
from rules.football.names import isolate
from rules.football.timeline import Event, EventKind, Stage, Timeline, build_timeline, stage_of

GOAL_SIGN, DISALLOWED_SIGN, MISSED_SIGN, RED_SIGN, YELLOW_SIGN, PENDING_SIGN = "⚽", "🚫", "❌", "🟥", "🟨", "⏳"

_SIGN_ORDER = (GOAL_SIGN, PENDING_SIGN, DISALLOWED_SIGN, MISSED_SIGN, RED_SIGN, YELLOW_SIGN)

_SIGNS = {
    EventKind.GOAL: GOAL_SIGN,
    EventKind.PENALTY_GOAL: GOAL_SIGN,
    EventKind.OWN_GOAL: GOAL_SIGN,
    EventKind.DISALLOWED: DISALLOWED_SIGN,
    EventKind.PENALTY_MISSED: MISSED_SIGN,
    EventKind.PENALTY_SAVED: MISSED_SIGN,
    EventKind.SECOND_YELLOW: RED_SIGN,
    EventKind.RED_CARD: RED_SIGN,
    EventKind.YELLOW_CARD: YELLOW_SIGN,
}
"""What is on a card; a substitution is not."""

_PENDING_KINDS = {"Goal": EventKind.GOAL, "Red Card": EventKind.RED_CARD, "Yellow Card": EventKind.YELLOW_CARD}

_KINDS_WITHOUT_DETAIL = frozenset({EventKind.DISALLOWED, EventKind.PENALTY_MISSED})
"""Their sign says it all."""


class CardEntry(msgspec.Struct, frozen=True):
    """One thing on a card: `12'`, with what is to be said of it."""

    side: Side
    sign: str
    player: str
    minute: Minute | None
    detail: str = ""


def render_card(match: Match, *, closed: bool = False, timeline: Timeline | None = None) -> str:
    """Score, where the match stands, then each side's goals and cards; what awaits confirmation says so and is not counted.

    `closed`: nothing more is heard of the match; where no end of it came, its card says that the end was not seen. `timeline`:
    the match as `laid_out` gives it, where it is at hand.
    """
    timeline, spoken = timeline or build_card_timeline(match), translate_labels()
    where = end_not_seen_text() if closed and not is_end_announced(match) else _render_stage(timeline, spoken)
    below = " · ".join(escape_html(part) for part in (where, isolate(timeline.competition)) if part)
    items = [*_list_entries(timeline, spoken), *_list_pending_entries(match, spoken)]
    sides = [_render_side(timeline, side, [item for item in items if item.side is side]) for side in Side]
    return "\n".join(filter(None, [f"<b>{escape_html(_render_title(timeline))}</b>", below, *sides, _render_kicks(timeline)]))


def render_caption(timeline: Timeline) -> str:
    """The words below a picture."""
    spoken = translate_labels()
    below = [stage_text(timeline, spoken), isolate(timeline.competition)]
    return "\n".join([f"<b>{escape_html(_render_title(timeline))}</b>", " · ".join(escape_html(part) for part in below if part)])


def build_card_timeline(match: Match) -> Timeline:
    """The match in time as a card shows it."""
    return build_timeline(match, find_announced_stage(match))


def find_announced_stage(match: Match) -> Stage:
    """Where a match stands: what the fixtures alone call completed is not over before its end was told."""
    stage = stage_of(match)
    if stage is not Stage.FULL_TIME:
        return stage
    return Stage.LOST if match.is_lost else Stage.FULL_TIME if match.ended_by else Stage.PLAY


def is_end_announced(match: Match) -> bool:
    """Tell whether its end, or that there will be none, was told; a suspended match may go on."""
    return bool(match.ended_by) or (match.is_lost and match.status.casefold() != "suspended")


def _render_title(timeline: Timeline) -> str:
    """`Germany 1–1 (6–5 pens) Italy`."""
    kicks = f"({pens_text(str(timeline.shootout))})" if timeline.shootout else ""
    parts = (isolate(timeline.home.name), str(timeline.score), kicks, isolate(timeline.away.name))
    return " ".join(filter(None, parts))


def _render_stage(timeline: Timeline, spoken: MatchLabels) -> str:
    """`Second half · 67'`, or where it stands in a word."""
    if timeline.stage is not Stage.PLAY or timeline.period is Period.SHOOTOUT:
        return stage_text(timeline, spoken)
    return " · ".join(filter(None, (period_text(timeline.period), f"{timeline.minute}'" if timeline.minute else "")))


def _list_entries(timeline: Timeline, spoken: MatchLabels) -> Iterator[CardEntry]:
    for event in timeline.events:
        if sign := _SIGNS.get(event.kind):
            yield CardEntry(
                event.side,
                sign,
                event.player or unnamed_player_text(event.kind, spoken),
                event.minute,
                _entry_detail(event, spoken),
            )


def _entry_detail(event: Event, spoken: MatchLabels) -> str:
    said = event.player or event.kind.is_goal
    return event_detail_text(event.kind, spoken) if said and event.kind not in _KINDS_WITHOUT_DETAIL else ""


def _list_pending_entries(match: Match, spoken: MatchLabels) -> Iterator[CardEntry]:
    """What awaits confirmation, in the order in which it was told; kicks of a shootout are told when they count."""
    for record in match.records.values():
        kind, side = _pending_kind(record), record.credited or record.action.side
        if kind and side and record.action.period is not Period.SHOOTOUT:
            name = record.action.player.name if record.action.player else unnamed_player_text(kind, spoken)
            yield CardEntry(side, PENDING_SIGN, f"{_SIGNS[kind]} {name}", record.action.minute, pending_text())


def _pending_kind(record: ActionRecord) -> EventKind | None:
    pending = record.action.send_type is SendType.PENDING and not record.is_retracted
    return _PENDING_KINDS.get(record.action.type) if pending else None


def _render_side(timeline: Timeline, side: Side, items: Iterable[CardEntry]) -> str:
    """A team's name and a line for each sign: `⚽ Saka 12', 54' (penalty) · Rice 70'`; empty where nothing happened."""
    ordered = sorted(items, key=lambda item: _SIGN_ORDER.index(item.sign))
    lines = [f"{sign} {_render_players(list(some))}" for sign, some in groupby(ordered, key=lambda item: item.sign)]
    return "\n".join(["", f"<b>{escape_html(isolate(timeline.team_name(side)))}</b>", *lines]) if lines else ""


def _render_players(items: list[CardEntry]) -> str:
    """Each player once, in the order of what came first."""
    names = dict.fromkeys(item.player for item in items)
    said = [(name, [_render_minute(item) for item in items if item.player == name]) for name in names]
    told = " · ".join(f"{escape_html(isolate(name))} {', '.join(minutes)}".rstrip() for name, minutes in said)
    return f"<s>{told}</s>" if items[0].sign == DISALLOWED_SIGN else told


def _render_minute(item: CardEntry) -> str:
    minute = f"{item.minute}'" if item.minute else ""
    return " ".join(filter(None, (minute, f"<i>({escape_html(item.detail)})</i>" if item.detail else "")))


def _render_kicks(timeline: Timeline) -> str:
    """The kicks of a shootout, each side's in a line."""
    if not timeline.kicks:
        return ""
    rows = [
        (side, "".join(GOAL_SIGN if kick.is_goal else MISSED_SIGN for kick in timeline.kicks if kick.side is side))
        for side in Side
    ]
    return "\n".join(["", *(f"{row} {escape_html(isolate(timeline.team_name(side)))}" for side, row in rows if row)])


def end_not_seen_text() -> str:
    """Of a match that is over without its end having been told."""
    return _("over – its end was not seen")


def pending_text() -> str:
    """Of what may still not count."""
    return _("awaiting confirmation")


def period_text(period: Period) -> str:
    """`Second half`, at the beginning of a line."""
    said = football.translate_term(period.value)
    return said[:1].upper() + said[1:]


def pens_text(score: str) -> str:
    """`6–5 pens`."""
    return football.shootout_text(score)
