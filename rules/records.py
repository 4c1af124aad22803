"""What is known of the key actions: who gets a goal, whether it counts, what took it back and what restored it."""

from __future__ import annotations

import msgspec

from rules.action import Action, SendType, Side
from rules.catalogue import Catalogue
from rules.match import Match, Record, Score
from rules.minute import Period


def recorded(
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
