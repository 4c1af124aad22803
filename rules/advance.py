"""`advance`: what one packet makes of a match.

A summary may already count a pending goal, so what pending goals have added is subtracted; own goals are credited by the
change in the score where it can be seen (feed documentation, section 14).
"""

from __future__ import annotations

from typing import Any

import msgspec

from rules.action import Action, Fixture, Packet, SendType, Side, Summary, Team
from rules.catalogue import Catalogue, shipped
from rules.colours import learnt
from rules.coverage import COVERAGE_LOST, action_of, change
from rules.fold import fold
from rules.match import Match, Moment, Record, Score
from rules.minute import Period, minute_of
from rules.records import recorded


def advance(before: Match, packet: Packet, catalogue: Catalogue | None = None) -> Moment:
    """Tell what a packet makes of a match. Any packet of the match is accepted, in any order; nothing is raised."""
    names = catalogue or shipped()
    action = resolve(before, packet, names)
    known = before.records.get(action.id)
    if known and known.action.seq >= action.seq:
        return Moment(before, action, before, news=False)
    late = action.seq < before.seq
    summary = Summary() if late else packet.summary
    board, raw, shootout = _boards(before, summary, action.period)
    action, records, settled = recorded(before, action, board, names)
    after = msgspec.structs.replace(
        _timed(before, action, packet, summary, late),
        fixture=_learnt(before, packet, action, raw),
        records=records,
        colours=learnt(before.colours, action),
        raw=raw,
        board=board,
        score=raw if shootout is not None else _official(raw, records, shootout_period=False),
        shootout=None if shootout is None else _official(shootout, records, shootout_period=True),
    )
    repeated_end = action.type == "End Match" and before.ended_by not in ("", action.id)
    if action.type == "End Match" and not before.ended_by and action.send_type.stands:
        after = msgspec.structs.replace(after, ended_by=action.id)
    return _watched(Moment(before, action, after, news=not repeated_end, settled=settled), summary.clock or 0)


def _watched(moment: Moment, clock: int) -> Moment:
    """The moment with what changed in coverage and status. The first packet of a match changes nothing.

    `clock` is the summary's: a status packet's own stands at zero (feed documentation, section 10).
    """
    before, after = moment.before, moment.after
    name = change((before.status, before.collection_status), (after.status, after.collection_status)) if before.status else ""
    if not name:
        return moment
    if name == COVERAGE_LOST:
        after = msgspec.structs.replace(after, score_when_lost=after.score)
    minute = minute_of(clock, after.period) if clock > after.clock else after.minute
    told = action_of(name, moment.action, after.fixture, minute, after.period)
    return msgspec.structs.replace(moment, after=after, coverage=told)


def resolve(match: Match, packet: Packet, names: Catalogue) -> Action:
    """Read a packet in Touchline's words: canonical names, period, minute, the side of its team."""
    action_type, sub_type = names.canonical(packet.type, packet.sub_type)
    period = period_of(packet.period_id, packet.summary, packet.clock)
    side = packet.team_side or _side_of(match.fixture, packet.team)
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
        delayed=packet.delayed,
    )


def period_of(period_id: int, summary: Summary, clock: int = 0) -> Period:
    """Name a period by its type and label where the summary has them, else by its id (feed documentation, section 6.1 and 14)."""
    if period_id <= 0:
        return Period.BEFORE
    for period in summary.periods:
        if period.id == period_id:
            return _named(period.type, period.label, period_id)
    if period_id == 3 and clock < 45 * 60:
        return Period.SHOOTOUT
    return _BY_ID.get(period_id, Period.SHOOTOUT)


_BY_ID = {1: Period.FIRST_HALF, 2: Period.SECOND_HALF, 3: Period.EXTRA_FIRST, 4: Period.EXTRA_SECOND, 5: Period.SHOOTOUT}


def _named(kind: str, label: str, period_id: int) -> Period:
    words = fold(f"{kind} {label}")
    if "shootout" in words or "shoot-out" in words or "penalt" in words:
        return Period.SHOOTOUT
    if "extra" in words:
        first = "1st" in words or "first" in words or ("2nd" not in words and "second" not in words and period_id <= 3)
        return Period.EXTRA_FIRST if first else Period.EXTRA_SECOND
    return _BY_ID.get(period_id, Period.SECOND_HALF)


def _side_of(fixture: Fixture, team: Team | None) -> Side | None:
    """The side of a team by its id or name; where only one side is known, any other team is on the other."""
    if team is None:
        return None
    for side in Side:
        if _same_team(fixture.team(side), team):
            return side
    known = [side for side in Side if fixture.team(side).name]
    return known[0].other if len(known) == 1 else None


def _same_team(one: Team, other: Team) -> bool:
    return bool(one.id and one.id == other.id) or bool(one.name and fold(one.name) == fold(other.name))


def _boards(before: Match, summary: Summary, period: Period) -> tuple[Score, Score, Score | None]:
    """What the summary shows: for the period in play, for the match without the shootout, and for the shootout."""
    kicks = next((p for p in summary.periods if _named(p.type, p.label, p.id) is Period.SHOOTOUT), None)
    if kicks is None and period is not Period.SHOOTOUT and before.shootout is None:
        raw = _score(summary.home, summary.away, before.raw)
        return raw, raw, None
    played = [p for p in summary.periods if p is not kicks]
    raw = _score(played[-1].home, played[-1].away, before.raw) if played else before.raw
    so_far = before.board if before.shootout is not None else Score()
    shootout = _score(kicks.home_in, kicks.away_in, so_far) if kicks else so_far
    return shootout, raw, shootout


def _score(home: int | None, away: int | None, known: Score) -> Score:
    return Score(known.home if home is None else home, known.away if away is None else away)


def _official(board: Score, records: dict[str, Record], *, shootout_period: bool) -> Score:
    """The board without what pending goals have added to it."""
    for record in records.values():
        pending = record.action.send_type is SendType.PENDING and not record.taken_back
        if pending and record.counted and (record.action.period is Period.SHOOTOUT) is shootout_period:
            board = board.less(record.counted)
    return board


def _timed(before: Match, action: Action, packet: Packet, summary: Summary, late: bool) -> Match:
    """Move period, clock and status on, never back, and never by a packet that says nothing of them (section 10.4)."""
    if late:
        return before
    changes: dict[str, Any] = {"seq": action.seq}
    if summary.status:
        changes["status"] = summary.status
    if summary.collection_status:
        changes["collection_status"] = summary.collection_status
    if action.type == "End Period":
        changes["ended"] = action.period if action.send_type.stands else None
    if packet.period_id > 0 and action.type != "Status Updated" and not action.delayed:
        clock = max(packet.clock, summary.clock or 0)
        if action.period is not before.period or clock >= before.clock:
            changes |= {"period": action.period, "clock": clock, "minute": minute_of(clock, action.period)}
            if action.period not in before.periods:
                changes["periods"] = (*before.periods, action.period)
    return msgspec.structs.replace(before, **changes)


def _learnt(before: Match, packet: Packet, action: Action, raw: Score) -> Fixture:
    """Learn which team is home from what packets say, or from the side that a goal went to, where the fixture does not tell."""
    fixture = before.fixture
    side = action.side if fixture.home.name or fixture.away.name else packet.team_side
    if packet.team is None or (fixture.home.name and fixture.away.name):
        return fixture
    if side is None and action.type == "Goal" and action.sub_type == "" and action.period is not Period.SHOOTOUT:
        side = raw.gained(before.raw)
    if side is None or fixture.team(side).name:
        return fixture
    return msgspec.structs.replace(fixture, **{side.value: packet.team})
