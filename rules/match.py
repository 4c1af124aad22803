"""A match in play, and `advance`: what one packet makes of it.

The score that a chat reads is official. A summary may already count a pending goal, so what pending goals have added is
subtracted; a shootout is kept apart; own goals are credited by the change in the score where it can be seen
(feed documentation, section 14).
"""

from __future__ import annotations

from typing import Any

import msgspec

from rules.action import Action, Fixture, Packet, Player, SendType, Side, Summary, Team
from rules.catalogue import Catalogue, shipped
from rules.colours import Colours, learnt
from rules.coverage import COVERAGE_LOST, action_of, change
from rules.fold import fold
from rules.minute import Minute, Period, minute_of

LOST = frozenset({"abandoned", "cancelled", "postponed", "suspended", "unverified"})
"""Statuses in which the end of a match is no full time."""


class Score(msgspec.Struct, frozen=True):
    """Goals of both sides."""

    home: int = 0
    away: int = 0

    def __str__(self) -> str:
        return f"{self.home}–{self.away}"

    def of(self, side: Side) -> int:
        """Goals of one side."""
        return self.home if side is Side.HOME else self.away

    def less(self, side: Side) -> Score:
        """One goal fewer on a side, never below zero."""
        return Score(max(0, self.home - (side is Side.HOME)), max(0, self.away - (side is Side.AWAY)))

    def gained(self, before: Score) -> Side | None:
        """The side that has exactly one goal more than before; None where none or both do."""
        home, away = self.home - before.home == 1, self.away - before.away == 1
        return None if home == away else Side.HOME if home else Side.AWAY

    def lost(self, before: Score) -> Side | None:
        """The side that has exactly one goal fewer than before; None where none or both do."""
        return before.gained(self)


class Record(msgspec.Struct, frozen=True):
    """What is known of one key action: its latest revision and whether it counts."""

    action: Action
    credited: Side | None = None
    """The side that gets the goal."""
    counted: Side | None = None
    """While pending: the side on which the feed's summary counts it already."""
    taken_back: bool = False
    taken_back_by: str = ""
    """The action that disallowed it; empty when the feed took it back by its own revision."""

    @property
    def stands(self) -> bool:
        """Tell whether it happened and was not taken back."""
        return self.action.send_type.stands and not self.taken_back


class Match(msgspec.Struct, frozen=True):
    """Everything that the packets so far say of one match."""

    fixture: Fixture
    score: Score = Score()
    """The official score, without the shootout."""
    shootout: Score | None = None
    period: Period = Period.BEFORE
    minute: Minute | None = None
    clock: int = 0
    status: str = ""
    collection_status: str = ""
    seq: int = 0
    ended_by: str = ""
    """The action id of the end of the match; empty while it runs."""
    records: dict[str, Record] = {}
    board: Score = Score()
    """What the feed's summary shows for the period in play: pending goals may be in it."""
    raw: Score = Score()
    score_when_lost: Score = Score()
    """The score when live data was last lost."""
    colours: Colours = Colours()
    periods: tuple[Period, ...] = ()
    """The periods that were played or are in play, as they came."""

    def booked(self, player: Player) -> tuple[Action, ...]:
        """The cards that the player has been shown and that stand, in order."""
        cards = (r.action for r in self.records.values() if r.stands and r.action.type in ("Yellow Card", "Red Card"))
        return tuple(sorted((a for a in cards if a.player and _same(a.player, player)), key=lambda a: a.seq))

    def goals(self) -> tuple[Record, ...]:
        """The goals of play that stand, in order; a shootout's kicks are not among them."""
        records = (r for r in self.records.values() if r.stands and r.action.type == "Goal")
        return tuple(sorted((r for r in records if r.action.period is not Period.SHOOTOUT), key=lambda r: r.action.seq))

    @property
    def completed(self) -> bool:
        """Tell whether the feed calls the match completed."""
        return self.status.casefold() == "completed"

    @property
    def lost(self) -> bool:
        """Tell whether the match, or its coverage, ended without full time."""
        return self.status.casefold() in LOST


class Moment(msgspec.Struct, frozen=True):
    """One step of a match: how it stood, what happened, how it stands. What rules are asked about."""

    before: Match
    action: Action
    after: Match
    news: bool = True
    """False: a repetition, or a revision older than one already known. The record may be corrected, nothing is told."""
    settled: tuple[Record, ...] = ()
    """Other actions that this one took back or restored."""
    coverage: Action | None = None
    """What changed in the coverage or the status of the match, as an action of its own; None for nearly every packet."""

    @property
    def record(self) -> Record | None:
        """What is now known of the action; None for one that is not remembered."""
        return self.after.records.get(self.action.id)


def _same(one: Player, other: Player) -> bool:
    return one.id == other.id if one.id and other.id else bool(one.name) and fold(one.name) == fold(other.name)


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
    action, records, settled = _record(before, action, board, names)
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


def _record(
    before: Match, action: Action, board: Score, names: Catalogue
) -> tuple[Action, dict[str, Record], tuple[Record, ...]]:
    """Remember the action if it is a key one; tell which other actions it took back or restored."""
    meaning = names.of(action.type)
    if not (meaning.key or action.id in before.records):
        return action, before.records, ()
    known = before.records.get(action.id)
    action = _completed(action, known)
    record = _own(before, action, known, board) if meaning.scores else Record(action, taken_back=action.send_type.takes_back)
    if meaning.scores and record.credited and record.credited is not action.side:
        action = _credited(before, action, record.credited)
        record = msgspec.structs.replace(record, action=action)
    records = before.records | {action.id: record}
    settled = _settled(before, action, board, records, meaning.disallows) if meaning.disallows else ()
    records |= {other.action.id: other for other in settled}
    return action, records, settled


def _completed(action: Action, known: Record | None) -> Action:
    """A revision that takes back may come without team or player: keep those that were known."""
    if known is None or not action.send_type.takes_back:
        return action
    was = known.action
    return msgspec.structs.replace(
        action,
        team=action.team or was.team,
        side=action.side or was.side,
        player=action.player or was.player,
        sub_type=action.sub_type or was.sub_type,
    )


def _credited(before: Match, action: Action, side: Side) -> Action:
    team = before.fixture.team(side)
    if not team.name:
        return msgspec.structs.replace(action, side=side) if action.side is None else action
    return msgspec.structs.replace(action, side=side, team=team)


def _own(before: Match, action: Action, known: Record | None, board: Score) -> Record:
    """A goal's record after its own revision: who gets it, whether it counts."""
    last = before.board if (before.shootout is not None) == (action.period is Period.SHOOTOUT) else Score()
    gained = board.gained(last)
    if action.send_type.takes_back:
        was = known or Record(action)
        return Record(action, credited=was.credited or action.side, taken_back=True, taken_back_by=was.taken_back_by)
    if action.send_type is SendType.PENDING:
        counted = gained or (known.counted if known else None)
        return Record(action, credited=counted or action.side, counted=counted, taken_back=bool(known and known.taken_back))
    credited = gained or _kept_credit(action, known) or action.side
    return Record(action, credited=credited, taken_back=_still_taken_back(known, gained))


def _kept_credit(action: Action, known: Record | None) -> Side | None:
    """The side known before, unless the feed has changed its mind about the team."""
    if known is None:
        return None
    return known.counted or (known.credited if known.action.send_type.stands or known.taken_back else None)


def _still_taken_back(known: Record | None, gained: Side | None) -> bool:
    """Updated after Deleted restores. A mere correction of a goal that another action disallowed does not, unless the score
    says so."""
    if known is None or not known.taken_back:
        return False
    return not known.action.send_type.takes_back and gained is None


def _settled(
    before: Match, action: Action, board: Score, records: dict[str, Record], disallows: tuple[str, ...]
) -> tuple[Record, ...]:
    """The actions that this one takes back; or restores, when it is itself taken back."""
    if action.send_type.takes_back:
        ours = (r for r in records.values() if r.taken_back and r.taken_back_by == action.id and r.action.send_type.stands)
        return tuple(msgspec.structs.replace(r, taken_back=False, taken_back_by="") for r in ours)
    if not action.send_type.stands:
        return ()
    targets = [r for r in (records.get(other) for other in action.related) if r and r.action.type in disallows]
    targets = targets or _inferred(before, action, board, records, disallows)
    return tuple(msgspec.structs.replace(r, taken_back=True, taken_back_by=action.id) for r in targets if not r.taken_back)


def _inferred(
    before: Match, action: Action, board: Score, records: dict[str, Record], disallows: tuple[str, ...]
) -> list[Record]:
    """Which goal is disallowed where the feed links none (API version 1): the last of the side whose score falls with it,
    or a pending one of the same team that the score does not count."""
    lost = board.lost(before.board)
    live = [r for r in records.values() if r.action.type in disallows and not r.taken_back and r.action.period is action.period]
    if lost:
        live = [r for r in live if r.credited is lost]
    else:
        live = [r for r in live if r.action.send_type is SendType.PENDING and not r.counted and r.credited is action.side]
    return sorted(live, key=lambda r: r.action.seq)[-1:]
