"""Applies one packet to a match: score, period, what is taken back or restored."""

from __future__ import annotations

from typing import Any

import msgspec

from rules.football.action import Action, Fixture, Packet, SendType, Side, Summary, Team
from rules.football.catalogue import Catalogue, load_catalogue
from rules.football.fixture_changes import COVERAGE_LOST, detect_change, make_action
from rules.football.match import ActionRecord, Match, Moment, Score, update_colours
from rules.football.minute import PERIODS_BY_ID, Period, minute_of, parse_period
from rules.football.names import normalise


def advance(before: Match, packet: Packet, catalogue: Catalogue | None = None) -> Moment:
    """Tell what a packet makes of a match. Any packet of the match is accepted, in any order; nothing is raised."""
    names = catalogue or load_catalogue()
    action = resolve_action(before, packet, names)
    known = before.records.get(action.id)
    if known and known.action.seq >= action.seq:
        return Moment(before, action, before, is_news=False)
    late = action.seq < before.seq
    summary = Summary() if late else packet.summary
    board, raw, shootout = _read_scores(before, summary, action.period)
    action, records, settled = update_records(before, action, board, names)
    after = msgspec.structs.replace(
        _update_clock(before, action, packet, summary, late),
        fixture=_learn_teams(before, packet, action, raw),
        records=records,
        colours=update_colours(before.colours, action),
        summary_score=raw,
        displayed_score=board,
        score=raw if shootout is not None else _subtract_pending_goals(raw, records, shootout_period=False),
        shootout=None if shootout is None else _subtract_pending_goals(shootout, records, shootout_period=True),
    )
    repeated_end = action.type == "End Match" and before.ended_by not in ("", action.id)
    if action.type == "End Match" and not before.ended_by and action.send_type.is_standing:
        after = msgspec.structs.replace(after, ended_by=action.id)
    return _add_status_change(Moment(before, action, after, is_news=not repeated_end, affected=settled), summary.clock or 0)


def _add_status_change(moment: Moment, clock: int) -> Moment:
    """The moment with what changed in coverage and status. The first packet of a match changes nothing.

    `clock` is the summary's: a status packet's own stands at zero (feed documentation, section 10).
    """
    before, after = moment.before, moment.after
    name = (
        detect_change((before.status, before.collection_status), (after.status, after.collection_status)) if before.status else ""
    )
    if not name:
        return moment
    if name == COVERAGE_LOST:
        after = msgspec.structs.replace(after, score_when_coverage_lost=after.score)
    minute = minute_of(clock, after.period) if clock > after.clock else after.minute
    told = make_action(name, moment.action, after.fixture, minute, after.period)
    return msgspec.structs.replace(moment, after=after, coverage_change=told)


def resolve_action(match: Match, packet: Packet, catalogue: Catalogue) -> Action:
    """Read a packet in Touchline's words: canonical names, period, minute, the side of its team."""
    action_type, sub_type = catalogue.resolve_names(packet.type, packet.sub_type)
    period = resolve_period(packet.period_id, packet.summary, packet.clock)
    side = packet.team_side or _find_side(match.fixture, packet.team)
    team = packet.team
    if side and (known := match.fixture.team(side)).name:
        team = known
    return Action(
        fixture_id=packet.fixture_id,
        id=packet.action_id,
        type=action_type,
        sub_type=sub_type,
        send_type=packet.send_type,
        seq=match.seq + 1 if packet.seq is None else packet.seq,
        at=packet.at,
        period=period,
        minute=minute_of(packet.clock, period),
        side=side,
        team=team,
        player=packet.player,
        related=packet.related,
        metadata=packet.metadata,
        is_delayed=packet.is_delayed,
    )


def resolve_period(period_id: int, summary: Summary, clock: int = 0) -> Period:
    """Name a period by its type and label where the summary has them, else by its id (feed documentation, section 6.1 and 14)."""
    if period_id <= 0:
        return Period.BEFORE
    for period in summary.periods:
        if period.id == period_id:
            return parse_period(period.type, period.label, period_id)
    if period_id == 3 and clock < 45 * 60:
        return Period.SHOOTOUT
    return PERIODS_BY_ID.get(period_id, Period.SHOOTOUT)


def _find_side(fixture: Fixture, team: Team | None) -> Side | None:
    """The side of a team by its id or name; where only one side is known, any other team is on the other."""
    if team is None:
        return None
    for side in Side:
        if _is_same_team(fixture.team(side), team):
            return side
    known = [side for side in Side if fixture.team(side).name]
    return known[0].other if len(known) == 1 else None


def _is_same_team(one: Team, other: Team) -> bool:
    return bool(one.id and one.id == other.id) or bool(one.name and normalise(one.name) == normalise(other.name))


def _read_scores(before: Match, summary: Summary, period: Period) -> tuple[Score, Score, Score | None]:
    """What the summary shows: for the period in play, for the match without the shootout, and for the shootout."""
    kicks = next((p for p in summary.periods if parse_period(p.type, p.label, p.id) is Period.SHOOTOUT), None)
    if kicks is None and period is not Period.SHOOTOUT and before.shootout is None:
        raw = _merge_score(summary.home, summary.away, before.summary_score)
        return raw, raw, None
    played = [p for p in summary.periods if p is not kicks]
    raw = _merge_score(played[-1].home, played[-1].away, before.summary_score) if played else before.summary_score
    so_far = before.displayed_score if before.shootout is not None else Score()
    shootout = _merge_score(kicks.home_in_period, kicks.away_in_period, so_far) if kicks else so_far
    return shootout, raw, shootout


def _merge_score(home: int | None, away: int | None, known: Score) -> Score:
    return Score(known.home if home is None else home, known.away if away is None else away)


def _subtract_pending_goals(board: Score, records: dict[str, ActionRecord], *, shootout_period: bool) -> Score:
    """The board without what pending goals have added to it."""
    for record in records.values():
        pending = record.action.send_type is SendType.PENDING and not record.is_retracted
        if pending and record.counted and (record.action.period is Period.SHOOTOUT) is shootout_period:
            board = board.minus_one(record.counted)
    return board


def _update_clock(before: Match, action: Action, packet: Packet, summary: Summary, late: bool) -> Match:
    """Move period, clock and status on, never back, and never by a packet that says nothing of them (section 10.4)."""
    if late:
        return before
    changes: dict[str, Any] = {"seq": action.seq}
    if summary.status:
        changes["status"] = summary.status
    if summary.collection_status:
        changes["collection_status"] = summary.collection_status
    if action.type == "End Period":
        changes["last_ended_period"] = action.period if action.send_type.is_standing else None
    if packet.period_id > 0 and action.type != "Status Updated" and not action.is_delayed:
        clock = max(packet.clock, summary.clock or 0)
        if action.period is not before.period or clock >= before.clock:
            changes |= {"period": action.period, "clock": clock, "minute": minute_of(clock, action.period)}
            if action.period not in before.played_periods:
                changes["played_periods"] = (*before.played_periods, action.period)
    return msgspec.structs.replace(before, **changes)


def _learn_teams(before: Match, packet: Packet, action: Action, raw: Score) -> Fixture:
    """Learn which team is home from what packets say, or from the side that a goal went to, where the fixture does not tell."""
    fixture = before.fixture
    side = action.side if fixture.home.name or fixture.away.name else packet.team_side
    if packet.team is None or (fixture.home.name and fixture.away.name):
        return fixture
    if side is None and action.type == "Goal" and action.sub_type == "" and action.period is not Period.SHOOTOUT:
        side = raw.find_scoring_side(before.summary_score)
    if side is None or fixture.team(side).name:
        return fixture
    return msgspec.structs.replace(fixture, **{side.value: packet.team})


def update_records(
    before: Match, action: Action, board: Score, catalogue: Catalogue
) -> tuple[Action, dict[str, ActionRecord], tuple[ActionRecord, ...]]:
    """Remember the action if it is a key one; tell which other actions it took back or restored."""
    meaning = catalogue.find_type(action.type)
    if not (meaning.is_remembered or action.id in before.records):
        return action, before.records, ()
    known = before.records.get(action.id)
    action = _fill_from_known(action, known)
    record = (
        _update_goal_record(before, action, known, board)
        if meaning.changes_score
        else ActionRecord(action, is_retracted=action.send_type.is_retraction)
    )
    if meaning.changes_score and record.credited and record.credited is not action.side:
        action = _credit_side(before, action, record.credited)
        record = msgspec.structs.replace(record, action=action)
    records = before.records | {action.id: record}
    settled = _find_affected(before, action, board, records, meaning.disallows) if meaning.disallows else ()
    records |= {other.action.id: other for other in settled}
    return action, records, settled


def _fill_from_known(action: Action, known: ActionRecord | None) -> Action:
    """A revision that takes back may come without team or player: keep those that were known."""
    if known is None or not action.send_type.is_retraction:
        return action
    was = known.action
    return msgspec.structs.replace(
        action,
        team=action.team or was.team,
        side=action.side or was.side,
        player=action.player or was.player,
        sub_type=action.sub_type or was.sub_type,
    )


def _credit_side(before: Match, action: Action, side: Side) -> Action:
    team = before.fixture.team(side)
    if not team.name:
        return msgspec.structs.replace(action, side=side) if action.side is None else action
    return msgspec.structs.replace(action, side=side, team=team)


def _update_goal_record(before: Match, action: Action, known: ActionRecord | None, board: Score) -> ActionRecord:
    """A goal's record after its own revision: who gets it, whether it counts."""
    last = before.displayed_score if (before.shootout is not None) == (action.period is Period.SHOOTOUT) else Score()
    gained = board.find_scoring_side(last)
    if action.send_type.is_retraction:
        was = known or ActionRecord(action)
        return ActionRecord(action, credited=was.credited or action.side, is_retracted=True, retracted_by=was.retracted_by)
    if action.send_type is SendType.PENDING:
        counted = gained or (known.counted if known else None)
        return ActionRecord(
            action, credited=counted or action.side, counted=counted, is_retracted=bool(known and known.is_retracted)
        )
    credited = gained or _find_known_credit(action, known) or action.side
    return ActionRecord(action, credited=credited, is_retracted=_is_still_retracted(known, gained))


def _find_known_credit(action: Action, known: ActionRecord | None) -> Side | None:
    """The side known before, unless the feed has changed its mind about the team."""
    if known is None:
        return None
    return known.counted or (known.credited if known.action.send_type.is_standing or known.is_retracted else None)


def _is_still_retracted(known: ActionRecord | None, gained: Side | None) -> bool:
    """Updated after Deleted restores. A mere correction of a goal that another action disallowed does not, unless the score
    says so."""
    if known is None or not known.is_retracted:
        return False
    return not known.action.send_type.is_retraction and gained is None


def _find_affected(
    before: Match, action: Action, board: Score, records: dict[str, ActionRecord], disallows: tuple[str, ...]
) -> tuple[ActionRecord, ...]:
    """The actions that this one takes back; or restores, when it is itself taken back."""
    if action.send_type.is_retraction:
        ours = (r for r in records.values() if r.is_retracted and r.retracted_by == action.id and r.action.send_type.is_standing)
        return tuple(msgspec.structs.replace(r, is_retracted=False, retracted_by="") for r in ours)
    if not action.send_type.is_standing:
        return ()
    targets = [r for r in (records.get(other) for other in action.related) if r and r.action.type in disallows]
    targets = targets or _infer_disallowed_goal(before, action, board, records, disallows)
    return tuple(msgspec.structs.replace(r, is_retracted=True, retracted_by=action.id) for r in targets if not r.is_retracted)


def _infer_disallowed_goal(
    before: Match, action: Action, board: Score, records: dict[str, ActionRecord], disallows: tuple[str, ...]
) -> list[ActionRecord]:
    """Which goal is disallowed where the feed links none (API version 1): the last of the side whose score falls with it,
    or a pending one of the same team that the score does not count."""
    lost = board.find_losing_side(before.displayed_score)
    live = [r for r in records.values() if r.action.type in disallows and not r.is_retracted and r.action.period is action.period]
    if lost:
        live = [r for r in live if r.credited is lost]
    else:
        live = [r for r in live if r.action.send_type is SendType.PENDING and not r.counted and r.credited is action.side]
    return sorted(live, key=lambda r: r.action.seq)[-1:]
