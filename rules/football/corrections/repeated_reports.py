"""Makes one piece of news of the two actions by which a feed may report it.

These are a penalty that was scored, as a Penalty Scored and a Goal, and a sending-off, as a Second Yellow Card and a Red Card.
The one that came first is the original: its record shows what all of them say together, and its message is the only one.
The others repeat it. Which names may be repeated is in the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from rules.football.action import Action, SendType, Side
from rules.football.match import ActionRecord
from rules.football.minute import Period

_SUB_TYPES_OF_PENALTY_GOAL = frozenset({"", "Penalty", "Inside The Box", "Other"})
"""Sub types that the Goal action of a penalty may have; a header is another goal."""


class GoalReport(NamedTuple):
    """A goal's own record after a revision, and what the score did with that revision."""

    record: ActionRecord
    gained: Side | None = None
    """The side whose score rose by this one goal."""
    lost: Side | None = None
    """The side whose score fell by one."""


class CombinedReports(NamedTuple):
    """All records after a revision of a goal or a sending-off, and the other records that it changed."""

    records: dict[str, ActionRecord]
    affected: tuple[ActionRecord, ...] = ()


def combine_reports(records: Mapping[str, ActionRecord], report: GoalReport) -> CombinedReports:
    """Record a revision of a goal: alone, or together with the other actions that report the same goal.

    `records` are those before it. `report.record` is the action as its own revisions say it.
    """
    action_id = report.record.action.id
    known = records.get(action_id)
    if known is not None and known.repeats:
        original = records[known.repeats]
        if report.gained and original.is_shown and not known.is_shown:
            # Both raised the score: they are two goals after all.
            return CombinedReports(_refresh_original({**records, action_id: report.record}, known.repeats))
        return _add_report(records, report, known.repeats)
    if repeating := _list_repeating(records, action_id):
        if report.gained and repeating[0].is_shown and known is not None and not own_record(known).is_shown:
            return _release(records, report.record, repeating)
        return _refresh({**records, action_id: report.record}, action_id, report, records)
    # A goal that has its own message keeps it; one that is new, or was taken back, may report what another action reports.
    has_message = known is not None and known.action.type == "Goal" and not _is_gone(known)
    found = None if has_message else _find_original(records, report)
    if found is None:
        return CombinedReports({**records, action_id: report.record})
    return _add_report(records, report, found.action.id)


_SENDING_OFF_MINUTES = 2
"""Minutes between the two actions of one sending-off: the second may wait until the player has left the pitch."""


def combine_sendings_off(records: Mapping[str, ActionRecord], record: ActionRecord) -> CombinedReports:
    """Record a revision of a red card: alone, or together with the other action that reports the same sending-off.

    A player is sent off once, so that a second yellow card and a red card of one player are one. It stands if one of them does.
    """
    action_id = record.action.id
    known = records.get(action_id)
    if _list_repeating(records, action_id):
        return CombinedReports(_refresh_original({**records, action_id: record}, action_id))
    original_id = known.repeats if known else ""
    if original_id and not _is_one_sending_off(own_record(records[original_id]), record):
        # The revision names another player: it is a sending-off of its own.
        return _combine_with_original(records, record, original_id)
    # One that has a message of its own keeps it.
    if known is None and not record.action.send_type.is_retraction:
        same = [
            r
            for r in records.values()
            if r.action.type == "Red Card" and not r.repeats and not _is_gone(r) and _is_one_sending_off(own_record(r), record)
        ]
        original_id = same[-1].action.id if same else ""
    if not original_id:
        return CombinedReports({**records, action_id: record})
    return _combine_with_original(records, msgspec.structs.replace(record, repeats=original_id), original_id)


def _combine_with_original(records: Mapping[str, ActionRecord], record: ActionRecord, original_id: str) -> CombinedReports:
    """Record an action that repeats the original, or did until now, and update the original."""
    after = _refresh_original({**records, record.action.id: record}, original_id)
    # An original that reads as before is not affected: each chat would get an edit without a difference.
    is_changed = _is_changed(records[original_id], after[original_id])
    return CombinedReports(after, (after[original_id],) if is_changed else ())


def _is_one_sending_off(one: ActionRecord, other: ActionRecord) -> bool:
    first, second = one.action, other.action
    if first.period is not second.period or (first.side and second.side and first.side is not second.side):
        return False
    if first.minute and second.minute and abs(first.minute.total - second.minute.total) > _SENDING_OFF_MINUTES:
        return False
    if first.player and second.player:
        return first.player.id == second.player.id if first.player.id and second.player.id else first.player == second.player
    # Without a name it may be anybody's; only a second yellow card is expected to come with a red one.
    return bool(first.side and second.side) and (first.sub_type == "Second Yellow") is not (second.sub_type == "Second Yellow")


def record_other_type(records: Mapping[str, ActionRecord], record: ActionRecord, lost: Side | None) -> CombinedReports:
    """Record an action that is no goal, or is none any more. A goal that it reported until now stands by its other reports."""
    action_id = record.action.id
    known = records.get(action_id)
    if known is not None and known.repeats:
        return _combine_with_original(records, record, known.repeats)
    repeating = _list_repeating(records, action_id)
    if not repeating:
        return CombinedReports({**records, action_id: record})
    if lost is not None:
        gone = {r.action.id: _mark(r, "", is_retracted=True) for r in repeating}
        return CombinedReports({**records, **gone, action_id: record})
    return _release(records, record, repeating)


def _list_repeating(records: Mapping[str, ActionRecord], original_id: str) -> list[ActionRecord]:
    return [record for record in records.values() if record.repeats == original_id]


def _release(records: Mapping[str, ActionRecord], record: ActionRecord, repeating: list[ActionRecord]) -> CombinedReports:
    """Record an action that is not the goal of those which repeated it: the first of these is the original now."""
    first = repeating[0].action.id
    released = {r.action.id: msgspec.structs.replace(r, repeats="" if r.action.id == first else first) for r in repeating}
    after = _refresh_original({**records, **released, record.action.id: record}, first)
    return CombinedReports(after, (after[first],))


def _add_report(records: Mapping[str, ActionRecord], report: GoalReport, original_id: str) -> CombinedReports:
    repeating = msgspec.structs.replace(report.record, repeats=original_id)
    return _refresh({**records, report.record.action.id: repeating}, original_id, report, records)


def own_record(record: ActionRecord) -> ActionRecord:
    """Return what an action's own revisions say, without what other actions say of the same goal."""
    return record.own or record


def retract_reports(
    records: Mapping[str, ActionRecord], record: ActionRecord, by: str, *, is_retracted: bool
) -> dict[str, ActionRecord]:
    """Return the records of a goal and of all that repeat it, retracted or restored by another action (`by`)."""
    ids = [record.action.id, *(other.action.id for other in _list_repeating(records, record.action.id))]
    changed = {i: _mark(records[i], by if is_retracted else "", is_retracted=is_retracted) for i in ids}
    return _refresh_original({**records, **changed}, record.action.id)


def settle_reports(
    records: Mapping[str, ActionRecord], action_id: str, seq: int, *, is_confirmed: bool
) -> dict[str, ActionRecord]:
    """Return the records after a pending action, with all that repeat it, was settled at the break that packet `seq` begins."""
    changed = {}
    for one in [records[action_id], *_list_repeating(records, action_id)]:
        own = own_record(one)
        if is_confirmed:
            action = msgspec.structs.replace(own.action, send_type=SendType.CONFIRMED)
            own = msgspec.structs.replace(own, action=action, counted=None, is_shown=own.is_shown or action.type == "Goal")
        else:
            own = _mark(own, "", is_retracted=True)
        changed[own.action.id] = msgspec.structs.replace(own, settled_at=seq)
    return _refresh_original({**records, **changed}, action_id)


def find_reporting_action(records: Mapping[str, ActionRecord], action_id: str) -> str:
    """Return the id of the action whose message shows this one: its own, or that of the goal which it repeats."""
    record = records.get(action_id)
    return record.repeats or action_id if record else action_id


def _find_original(records: Mapping[str, ActionRecord], report: GoalReport) -> ActionRecord | None:
    """Return the goal that a new action repeats; None where it is a goal of its own."""
    now = report.record
    if now.action.send_type.is_retraction:
        return None
    goals = [r for r in records.values() if r.action.type in ("Goal", "Penalty Missed")]
    if now.action.period is Period.SHOOTOUT:
        # The sides take turns, so only the last kick may be sent twice; a feed that sends every kick as a Penalty Scored
        # sends it once.
        kicks = [r for r in goals if r.action.period is Period.SHOOTOUT and not r.repeats]
        goals = [r for r in kicks[-1:] if r.action.may_repeat is not now.action.may_repeat and r.credited is now.credited]
    same = [r for r in goals if r.action.type == "Goal" and not r.repeats and _may_be_same(r, report)]
    return same[-1] if same else None


def _may_be_same(other: ActionRecord, report: GoalReport) -> bool:
    one, two = other.action, report.record.action
    if not (one.may_repeat or two.may_repeat) or _is_gone(other) or one.id == two.id:
        return False
    if one.period is not two.period or not {one.sub_type, two.sub_type} <= _SUB_TYPES_OF_PENALTY_GOAL:
        return False
    if other.credited and report.record.credited and other.credited is not report.record.credited:
        return False
    if report.gained and other.is_shown:
        return False
    # Play begins again with a kick-off: nobody scores twice within a minute, one of them by a penalty.
    return one.minute is None or two.minute is None or abs(one.minute.total - two.minute.total) <= 1


def _refresh(
    records: dict[str, ActionRecord], original_id: str, report: GoalReport, before: Mapping[str, ActionRecord]
) -> CombinedReports:
    """Update the original to what all its reports say after a revision of one of them."""
    original, acting = records[original_id], report.record.action
    others = [r for i, r in records.items() if (i == original_id or r.repeats == original_id) and i != acting.id]
    others = [r for r in others if not own_record(r).action.send_type.is_retraction]
    if report.lost and acting.send_type.is_retraction and report.lost is original.credited:
        # The score fell: the goal is gone, whatever is yet to come of its other reports.
        records = records | {r.action.id: _mark(r, "", is_retracted=True) for r in others}
    elif report.gained and report.gained is original.credited:
        # The score has the goal again, and so have the reports that fell with it and were not taken back by themselves.
        fallen = [r for r in others if own_record(r).is_retracted and not own_record(r).retracted_by]
        records = records | {r.action.id: _mark(r, "", is_retracted=False) for r in fallen}
    after = _refresh_original(records, original_id)
    changed = _is_changed(before[original_id], after[original_id])
    return CombinedReports(after, (after[original_id],) if changed and original_id != report.record.action.id else ())


def _refresh_original(records: dict[str, ActionRecord], original_id: str) -> dict[str, ActionRecord]:
    own = own_record(records[original_id])
    repeating = _list_repeating(records, original_id)
    return records | {original_id: _combine(own, repeating) if repeating else own}


def _combine(own: ActionRecord, repeating: list[ActionRecord]) -> ActionRecord:
    """Return the record of a goal as all its reports say it: it stands if one of them stands."""
    reports = [own, *repeating]
    standing = [r for r in reports if r.action.send_type.is_standing and not r.is_retracted]
    pending = [r for r in reports if r.action.send_type is SendType.PENDING and not r.is_retracted]
    live = standing or pending or [own]
    lead = own if any(r is own for r in live) else live[0]
    action = msgspec.structs.replace(
        own.action,
        send_type=lead.action.send_type,
        # Of a goal the penalty, of a sending-off the second yellow card: the more exact of the two.
        sub_type="Penalty" if own.action.type == "Goal" else next((r.action.sub_type for r in live if r.action.sub_type), ""),
        side=lead.action.side or own.action.side,
        team=lead.action.team or own.action.team,
        player=next((r.action.player for r in (lead, *live) if r.action.player), own.action.player),
    )
    is_shown, credited = any(r.is_shown for r in reports), lead.credited or own.credited
    return ActionRecord(
        action,
        credited=credited,
        counted=next((r.counted for r in live if r.counted), credited if is_shown and not standing else None),
        is_retracted=lead.is_retracted,
        retracted_by=lead.retracted_by,
        is_shown=is_shown,
        settled_at=lead.settled_at,
        own=own,
    )


def _mark(record: ActionRecord, by: str, *, is_retracted: bool) -> ActionRecord:
    """Return what an action's own revisions say, retracted or restored by another action."""
    own = own_record(record)
    # Once the goal is gone the score does not show it any more, and may rise by it again.
    return msgspec.structs.replace(own, is_retracted=is_retracted, retracted_by=by, is_shown=own.is_shown and not is_retracted)


def _is_gone(record: ActionRecord) -> bool:
    return record.is_retracted or record.action.send_type.is_retraction


def _is_changed(before: ActionRecord, after: ActionRecord) -> bool:
    """Return True if a reader would see a difference."""

    def what_shows(record: ActionRecord) -> tuple[object, ...]:
        action: Action = record.action
        return record.is_standing, _is_gone(record), action.side, action.player, action.sub_type

    return what_shows(before) != what_shows(after)
