"""Renders the match card as HTML: as a text, as the caption of a picture, and as a rich message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from bot.i18n import football
from bot.i18n.language import translate as _
from bot.media.labels import (
    MatchLabels,
    event_detail_text,
    period_text,
    stage_text,
    translate_labels,
    unnamed_player_text,
)
from rules.engine.text import escape_html
from rules.football.action import SendType, Side
from rules.football.match import Match
from rules.football.minute import Minute, Period
from rules.football.names import isolate
from rules.football.timeline import EventKind, Stage, Timeline, build_timeline, determine_stage

GOAL_SIGN, DISALLOWED_SIGN, MISSED_SIGN, RED_SIGN, YELLOW_SIGN, PENDING_SIGN = "⚽", "🚫", "❌", "🟥", "🟨", "⏳"

_SIGN_ORDER = (GOAL_SIGN, PENDING_SIGN, DISALLOWED_SIGN, MISSED_SIGN, RED_SIGN, YELLOW_SIGN)
"""The order of the lines below a team's name."""

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
"""The events that are on a card. Substitutions are not."""

_PENDING_KINDS = {"Goal": EventKind.GOAL, "Red Card": EventKind.RED_CARD, "Yellow Card": EventKind.YELLOW_CARD}
"""The action types that are shown while they are pending."""

_SUBSTITUTION_SIGN = "🔁"

_MAX_RICH_EVENTS = 200
"""The rows of the list of all events at most: Telegram takes 500 blocks in a rich message, and each row is one."""

_KINDS_WITHOUT_DETAIL = frozenset({EventKind.DISALLOWED, EventKind.PENALTY_MISSED})
"""The sign alone says what happened."""


class CardEntry(msgspec.Struct, frozen=True):
    """One event on a card. `player` is a name or what stands in for it, `detail` what follows the minute in brackets."""

    side: Side
    sign: str
    player: str
    minute: Minute | None
    detail: str = ""


def render_card(match: Match, *, is_closed: bool = False, timeline: Timeline | None = None) -> str:
    """Render score and stage, then each side's goals and cards. Pending events are marked and do not count.

    `is_closed`: the match is no longer followed. If its end was never announced, the card says that it was not seen.
    `timeline` is the result of `build_card_timeline`, if the caller has it already.
    """
    timeline, labels = timeline or build_card_timeline(match), translate_labels()
    # What is pending is read from the match: the timeline has only what counts.
    entries = [*_list_entries(timeline, labels), *_list_pending_entries(match, labels)]
    title, subtitle = _render_title(timeline), _render_card_subtitle(match, timeline, labels, is_closed=is_closed)
    parts = [
        f"<b>{title}</b>",
        subtitle,
        "" if is_closed or timeline.stage is Stage.FULL_TIME else _render_latest(timeline, entries),
        *(_render_side(timeline, side, [entry for entry in entries if entry.side is side]) for side in Side),
        _render_kicks(timeline),
    ]
    return "\n".join(filter(None, parts))


def shorten_to_caption(card: str) -> str:
    """Return the part of a card's text that stands below its picture: all above the lists, and what is pending.

    The picture shows the rest, but nothing that may yet be retracted.
    """
    # The first empty line of a card stands above its lists.
    above, _blank, lists = card.partition("\n\n")
    return "\n".join([above, *(line for line in lists.split("\n") if line.startswith(PENDING_SIGN))])


def render_rich_card(match: Match, *, is_closed: bool = False, timeline: Timeline | None = None) -> str:
    """Render the card as the HTML of a rich message; the arguments are those of `render_card`.

    Each side's goals and dismissals stand in a table, and below it, collapsed, everything that happened.
    """
    timeline, labels = timeline or build_card_timeline(match), translate_labels()
    entries = [*_list_entries(timeline, labels), *_list_pending_entries(match, labels)]
    is_over = is_closed or timeline.stage is Stage.FULL_TIME
    parts = [
        f"<h3>{_render_title(timeline)}</h3>",
        f"<p>{_render_card_subtitle(match, timeline, labels, is_closed=is_closed)}</p>",
        f"<p>{latest}</p>" if not is_over and (latest := _render_latest(timeline, entries)) else "",
        _render_rich_table(timeline, entries),
        _render_rich_events(timeline, labels),
    ]
    return "".join(filter(None, parts))


def render_caption(timeline: Timeline) -> str:
    """Render the caption of a picture: score, stage and competition."""
    subtitle = _render_subtitle(timeline, stage_text(timeline, translate_labels()))
    return "\n".join(filter(None, [f"<b>{_render_title(timeline)}</b>", subtitle]))


def build_card_timeline(match: Match) -> Timeline:
    """Build the timeline that a card shows."""
    return build_timeline(match, find_announced_stage(match))


def find_announced_stage(match: Match) -> Stage:
    """Return the stage of a match, but full time only after the feed has announced the end.

    The fixtures API calls a match completed before the feed sends its end. A card that trusted it would say "Full time"
    before the alert does.
    """
    stage = determine_stage(match)
    if stage is not Stage.FULL_TIME:
        return stage
    return Stage.LOST if match.is_lost or match.is_suspended else Stage.FULL_TIME if match.ended_by else Stage.PLAY


def is_end_announced(match: Match) -> bool:
    """Return True if the feed announced the end, or that there will be none. A suspended match can be resumed."""
    return bool(match.ended_by) or match.is_lost


def _render_title(timeline: Timeline) -> str:
    """Return `Germany 1–1 (6–5 pens) Italy`."""
    # The score without the shootout: that is how matches are recorded, and how the alerts show it.
    shootout = f"({football.shootout_text(str(timeline.shootout))})" if timeline.shootout else ""
    home, away = (isolate(football.translate_team(team.name)) for team in (timeline.home, timeline.away))
    return escape_html(" ".join(filter(None, (home, football.format_score(timeline.score), shootout, away))))


def _render_card_subtitle(match: Match, timeline: Timeline, labels: MatchLabels, *, is_closed: bool) -> str:
    """Return `Second half · 67' · Premier League`."""
    if is_closed and not is_end_announced(match):
        # The card stays in the chat: without this it would claim for ever that the match is in its 85th minute.
        stage = _("over (end not seen)")
    elif timeline.stage is Stage.PLAY and timeline.period is not Period.SHOOTOUT:
        minute = f"{timeline.minute}'" if timeline.minute else ""
        stage = " · ".join(filter(None, (period_text(timeline.period), minute)))
    else:
        stage = stage_text(timeline, labels)
    return _render_subtitle(timeline, stage)


def _render_subtitle(timeline: Timeline, stage: str) -> str:
    return " · ".join(escape_html(part) for part in (stage, isolate(timeline.competition)) if part)


def _list_entries(timeline: Timeline, labels: MatchLabels) -> Iterator[CardEntry]:
    for event in timeline.events:
        if sign := _SIGNS.get(event.kind):
            # Without a player's name the stand-in is the detail itself, except for a goal, whose stand-in is "Goal".
            has_detail = (event.player or event.kind.is_goal) and event.kind not in _KINDS_WITHOUT_DETAIL
            detail = event_detail_text(event.kind, labels) if has_detail else ""
            yield CardEntry(event.side, sign, event.player or unnamed_player_text(event.kind, labels), event.minute, detail)


def _list_pending_entries(match: Match, labels: MatchLabels) -> Iterator[CardEntry]:
    """Yield what awaits confirmation, in the order of the feed. Kicks of a shootout are shown only once they count."""
    for record in match.records.values():
        action, side = record.action, record.credited or record.action.side
        kind = _PENDING_KINDS.get(action.type)
        # The timeline leaves out what is pending; the card shows it apart, without counting it.
        is_pending = action.send_type is SendType.PENDING and not record.is_retracted
        if kind and side and is_pending and action.period is not Period.SHOOTOUT:
            name = action.player.name if action.player else unnamed_player_text(kind, labels)
            yield CardEntry(side, PENDING_SIGN, f"{_SIGNS[kind]} {name}", action.minute, _("unconfirmed"))


def _render_latest(timeline: Timeline, entries: Iterable[CardEntry]) -> str:
    """Render what happened last, such as `54' ⚽ Saka (Arsenal)`: the lists below are by team, and do not tell it."""
    timed = [entry for entry in entries if entry.minute is not None]
    # With a single event the list below shows already that it was the last.
    if len(timed) < 2:
        return ""
    # The last one of its minute: within a minute the order is that of the feed.
    latest = max(reversed(timed), key=lambda entry: entry.minute or Minute(0))
    name = escape_html(isolate(latest.player))
    return _("Last: {event}").format(event=f"{latest.minute}' {latest.sign} {name} ({_render_team(timeline, latest.side)})")


def _render_team(timeline: Timeline, side: Side) -> str:
    """Return a team's name in the current language, as HTML."""
    return escape_html(isolate(football.translate_team(timeline.team_name(side))))


def _render_side(timeline: Timeline, side: Side, entries: Iterable[CardEntry]) -> str:
    """Render a team's name and a line for each sign, such as `⚽ Saka 12', 54' (penalty) · Rice 70'`; empty without entries."""
    # Stable: within a sign the order of the match is kept.
    ordered = sorted(entries, key=lambda entry: _SIGN_ORDER.index(entry.sign))
    lines = [_render_sign(list(group)) for _sign, group in groupby(ordered, key=lambda entry: entry.sign)]
    return "\n".join(["", f"<b>{_render_team(timeline, side)}</b>", *lines]) if lines else ""


def _render_sign(entries: list[CardEntry]) -> str:
    """Render the entries of one sign, such as `⚽ Saka 12', 54' (penalty) · Rice 70'`; empty without entries.

    Each player stands there once with all minutes, in the order of the first of them.
    """
    if not entries:
        return ""
    players = []
    for name in dict.fromkeys(entry.player for entry in entries):
        minutes = []
        for entry in entries:
            if entry.player == name:
                detail = f"<i>({escape_html(entry.detail)})</i>" if entry.detail else ""
                minutes.append(" ".join(filter(None, (f"{entry.minute}'" if entry.minute else "", detail))))
        players.append(f"{escape_html(isolate(name))} {', '.join(minutes)}".rstrip())
    line = " · ".join(players)
    # Struck through, as the message of the goal is by then.
    return f"{entries[0].sign} {f'<s>{line}</s>' if entries[0].sign == DISALLOWED_SIGN else line}"


def _render_kicks(timeline: Timeline) -> str:
    """Render the kicks of a shootout, one line for each side."""
    if not timeline.kicks:
        return ""
    lines = [""]
    for side in Side:
        if signs := _render_kick_signs(timeline, side):
            lines.append(f"{signs} {_render_team(timeline, side)}")
    return "\n".join(lines)


def _render_kick_signs(timeline: Timeline, side: Side) -> str:
    return "".join(GOAL_SIGN if kick.is_goal else MISSED_SIGN for kick in timeline.kicks if kick.side is side)


def _render_rich_table(timeline: Timeline, entries: Iterable[CardEntry]) -> str:
    """Render a column for each side: its name, then a row for each sign. Yellow cards are left to the list of all events."""
    # In the order of _SIGN_ORDER, so that goals stand beside goals.
    shown = [entry for entry in entries if entry.sign != YELLOW_SIGN]
    rows = [
        [_render_sign([entry for entry in shown if entry.side is side and entry.sign == sign]) for side in Side]
        for sign in _SIGN_ORDER
    ]
    kicks = [_render_kick_signs(timeline, side) for side in Side]
    rows = [row for row in [*rows, kicks] if any(row)]
    if not rows:
        return ""
    head = "".join(f"<th>{_render_team(timeline, side)}</th>" for side in Side)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table bordered><tr>{head}</tr>{body}</table>"


def _render_rich_events(timeline: Timeline, labels: MatchLabels) -> str:
    """Render everything that happened in order of time, collapsed until it is tapped; empty where the table says it all."""
    if all(event.kind.is_goal for event in timeline.events):
        return ""
    rows = []
    # The latest, if there are more: how it began is in the table.
    for event in timeline.events[-_MAX_RICH_EVENTS:]:
        name = escape_html(isolate(event.player or unnamed_player_text(event.kind, labels)))
        if event.replaced_player:
            name += f" ← {escape_html(isolate(event.replaced_player))}"
        detail = event_detail_text(event.kind, labels) if event.player else ""
        text = " ".join(filter(None, (name, f"<i>({escape_html(detail)})</i>" if detail else "")))
        cells = (f"{event.minute}'", f"{_SIGNS.get(event.kind, _SUBSTITUTION_SIGN)} {text}", _render_team(timeline, event.side))
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return f"<details><summary>{escape_html(_('All events'))}</summary><table striped>{''.join(rows)}</table></details>"
