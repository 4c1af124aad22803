"""Records a revision of an action: what the action says now, and which others it retracts or restores.

Sections named in comments are those of the feed documentation.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from rules.football.action import Action, SendType, Side
from rules.football.catalogue import Catalogue
from rules.football.corrections.repeated_reports import (
    CombinedReports,
    GoalReport,
    combine_reports,
    combine_sendings_off,
    find_reporting_action,
    own_record,
    record_other_type,
    retract_reports,
)
from rules.football.match import ActionRecord, Match, is_struck_as_unconfirmed
from rules.football.match_facts import is_same_player
from rules.football.minute import Period
from rules.football.unknown_values import ScoreChange


class RecordedRevision(NamedTuple):
    """An action and all records after a revision of it."""

    action: Action
    """With what earlier revisions and other actions about the same thing say."""
    records: dict[str, ActionRecord]
    affected: tuple[ActionRecord, ...] = ()
    """The other actions that the revision retracted or restored."""


def record_revision(before: Match, action: Action, change: ScoreChange, catalogue: Catalogue) -> RecordedRevision:
    """Record a revision of an action, unless nothing will ever ask for an action of its type.

    `change` is what the feed's summary shows of the score that the action counts in.
    """
    known = before.records.get(action.id)
    is_pending = action.send_type is SendType.PENDING
    is_remembered = catalogue.find_type(action.type).is_remembered
    # An action may change its type (a yellow card becomes red, section 4.1), so a known one is always recorded, and one that
    # awaits confirmation, which may never come.
    if not (is_remembered or known or is_pending):
        return RecordedRevision(action, before.records)
    # Kept if it ever had a remembered type: else a packet of that type that comes twice would count as a new action.
    if known and not (is_pending or is_remembered or _was_remembered(known, catalogue)):
        others = {action_id: record for action_id, record in before.records.items() if action_id != action.id}
        return RecordedRevision(_fill_from_known(action, known), others)
    action = _fill_from_known(action, own_record(known) if known else None)
    # Whether a revision has a place in the order of play is not documented: unless it has moved, it keeps its first place.
    if known and (known.action.period, known.action.minute) == (action.period, action.minute):
        action = msgspec.structs.replace(action, timeline=known.action.timeline or action.timeline)
    recorded = _record_by_type(before, action, change, catalogue)
    # A score that rises with it says that the goal counts after all.
    if change.gained is None and (known is None or own_record(known).action.type != action.type):
        recorded = _strike_if_disallowed(recorded, catalogue)
    return _disallow(before, recorded, change, catalogue)


def _strike_if_disallowed(recorded: RecordedRevision, catalogue: Catalogue) -> RecordedRevision:
    """Retract a goal whose disallowance came first, as when the goal's packets were lost and read again later."""
    action, records, affected = recorded
    goal = records[find_reporting_action(records, action.id)]
    linked = (r.action for r in records.values() if r.is_standing and action.id in r.action.related)
    by = next((one.id for one in linked if action.type in catalogue.find_type(one.type).disallows), "")
    if not by or goal.is_retracted or goal.action.send_type.is_retraction:
        return recorded
    records = retract_reports(records, goal, by, is_retracted=True)
    is_other = goal.action.id != action.id
    return RecordedRevision(action, records, (*affected, records[goal.action.id]) if is_other else affected)


def _record_by_type(before: Match, action: Action, change: ScoreChange, catalogue: Catalogue) -> RecordedRevision:
    """Record a goal or a sending-off with the other actions that report it, and any other action alone."""
    known = before.records.get(action.id)
    own = own_record(known) if known else None
    if catalogue.find_type(action.type).changes_score:
        report = _update_goal_record(action, own, change)
        # The score has shown that the other side gets the goal: the feed's team was that of the player (section 14).
        if report.record.credited and report.record.credited is not action.side:
            action = _credit_side(before, action, report.record.credited)
            report = report._replace(record=msgspec.structs.replace(report.record, action=action))
        return _as_reported_together(action, combine_reports(before.records, report))
    # What was struck as never confirmed stays so while it is still pending.
    is_struck = is_struck_as_unconfirmed(known) and action.send_type is SendType.PENDING
    settled_at = known.settled_at if known else 0
    record = ActionRecord(
        action,
        is_retracted=action.send_type.is_retraction or is_struck,
        settled_at=settled_at,
        was_remembered=not catalogue.find_type(action.type).is_remembered and _was_remembered(known, catalogue),
    )
    # A yellow card that turned red is not combined: it is a change of its own message, and no second report.
    if action.type == "Red Card" and (own is None or own.action.type == "Red Card"):
        return _as_reported_together(action, combine_sendings_off(before.records, record))
    records, affected = record_other_type(before.records, record, change.lost)
    return RecordedRevision(action, records, affected)


def _was_remembered(known: ActionRecord | None, catalogue: Catalogue) -> bool:
    """Return True if the action had a type that is remembered in any revision until now."""
    return known is not None and (known.was_remembered or catalogue.find_type(known.action.type).is_remembered)


def _as_reported_together(action: Action, combined: CombinedReports) -> RecordedRevision:
    """Return the action as all actions that report the same goal or sending-off say it together."""
    together = combined.records[action.id].action
    # The number and the time are those of this packet, so that the outbox takes the alert for a newer revision.
    action = msgspec.structs.replace(together, seq=action.seq, at=action.at)
    return RecordedRevision(action, combined.records, combined.affected)


def _disallow(before: Match, recorded: RecordedRevision, change: ScoreChange, catalogue: Catalogue) -> RecordedRevision:
    """Retract what the action disallows, or restore it where the disallowance itself is taken back."""
    action, records, affected = recorded
    disallows = catalogue.find_type(action.type).disallows
    if not disallows:
        return recorded
    changed = _find_affected(before, action, change, records, disallows)
    for other in changed:
        records = retract_reports(records, other, other.retracted_by, is_retracted=other.is_retracted)
    return RecordedRevision(action, records, affected + tuple(records[other.action.id] for other in changed))


def _fill_from_known(action: Action, known: ActionRecord | None) -> Action:
    """Return a revision with the team, player and sub type of the one before it, where it comes without them.

    A field that is left out is one of which the feed says nothing: it has not changed.
    """
    if known is None:
        return action
    was = known.action
    return msgspec.structs.replace(
        action,
        team=action.team or was.team,
        side=action.side or was.side,
        player=action.player or (was.player if _has_same_player(action, was) else None),
        sub_type=action.sub_type or (was.sub_type if _has_same_sub_type(action, was) else ""),
    )


def _has_same_player(action: Action, was: Action) -> bool:
    """Return True if a revision without a player is about the one before: it has the same team, and means the same."""
    if action.send_type.is_retraction:
        return True
    # The team of an own goal is that of the player in one packet, and the one that gets the goal in the record.
    is_same_side = None in (action.side, was.side) or action.side is was.side or was.sub_type == "Own Goal"
    # The player of an awarded penalty may be the one who was fouled, and not the scorer.
    return is_same_side and (action.type == was.type or (was.type, action.type) == ("Yellow Card", "Red Card"))


def _has_same_sub_type(action: Action, was: Action) -> bool:
    """Return True if a revision without a sub type keeps that of the one before."""
    if action.type != was.type:
        return False
    if action.send_type.is_retraction:
        return True
    # `Own Goal` or `Second Yellow Card` that becomes `Goal` or `Red Card` is a correction, and leaves nothing out.
    if was.is_sub_type_of_name:
        return False
    # Another scorer may have scored for his own team.
    is_other_scorer = action.player and was.player and not is_same_player(action.player, was.player)
    return not (was.sub_type == "Own Goal" and is_other_scorer)


def _credit_side(before: Match, action: Action, side: Side) -> Action:
    """Return a goal with the side that gets it, and with its team where that is known."""
    team = before.fixture.team(side)
    if not team.name:
        # Side and team of an action belong together: without the other team's name they stay as the feed sent them.
        return msgspec.structs.replace(action, side=side) if action.side is None else action
    return msgspec.structs.replace(action, side=side, team=team)


def _update_goal_record(action: Action, known: ActionRecord | None, change: ScoreChange) -> GoalReport:
    """Return a goal's record after its own revision: which side gets it, and whether it counts.

    The change of the score decides the side where it can be seen, because the team of an own goal is not documented
    (section 14).
    """
    gained, lost = change
    # A score that falls with the revision does not show the goal any more.
    was_shown = bool(known and known.is_shown and lost is None)
    settled_at = known.settled_at if known else 0
    if action.send_type.is_retraction:
        was = known or ActionRecord(action)
        record = ActionRecord(
            action, was.credited or action.side, is_retracted=True, retracted_by=was.retracted_by, is_shown=was_shown
        )
        return GoalReport(record, lost=lost)
    if action.send_type is SendType.PENDING:
        # A goal may be pending again after it was confirmed, while the score still has it.
        counted = gained or (known.counted or (known.credited if was_shown else None) if known else None)
        is_retracted = bool(known and known.is_retracted)
        record = ActionRecord(
            action,
            counted or action.side,
            counted,
            is_retracted=is_retracted,
            retracted_by=known.retracted_by if known and is_retracted else "",
            is_shown=was_shown or bool(gained),
            settled_at=settled_at,
        )
        return GoalReport(record, gained)
    # Updated after Deleted restores a goal (section 4.1). A mere correction of a goal that another action disallowed does
    # not restore it, unless the score rises with it.
    was_disallowed = known is not None and known.is_retracted and not known.action.send_type.is_retraction
    was_disallowed = was_disallowed and not is_struck_as_unconfirmed(known)
    is_retracted = was_disallowed and gained is None
    credited_before = None
    if known is not None:
        # The team of a pending revision may still change, so only what the score has shown of it counts.
        is_certain = known.action.send_type.is_standing or known.is_retracted
        credited_before = known.counted or (known.credited if is_certain else None)
    record = ActionRecord(
        action,
        gained or credited_before or action.side,
        is_retracted=is_retracted,
        # Without it neither the disallowance, when it is taken back, nor the score would let the goal stand again.
        retracted_by=known.retracted_by if known and is_retracted else "",
        is_shown=was_shown or bool(gained),
        settled_at=settled_at,
    )
    return GoalReport(record, gained)


def _find_affected(
    before: Match, action: Action, change: ScoreChange, records: dict[str, ActionRecord], disallows: tuple[str, ...]
) -> tuple[ActionRecord, ...]:
    """Return the records that a disallowance changes: those it retracts, or restores when it is itself retracted."""
    if action.send_type.is_retraction:
        # Not a goal that the feed has also deleted by a revision of its own. What repeats a goal follows it in `retract_reports`.
        ours = (r for r in records.values() if r.is_retracted and r.retracted_by == action.id and not r.repeats)
        ours = (r for r in ours if not r.action.send_type.is_retraction)
        return tuple(msgspec.structs.replace(r, is_retracted=False, retracted_by="") for r in ours)
    if not action.send_type.is_standing:
        return ()  # a pending disallowance may still be cancelled
    # The disallowance lists its goal among its related actions (section 3.2), except in API version 1.
    linked = dict.fromkeys(find_reporting_action(records, other) for other in action.related)
    targets = [r for r in (records.get(other) for other in linked) if r and r.action.type in disallows]
    if not targets and not _is_about_another_goal(before, action, change.lost, disallows):
        targets = _infer_disallowed_goal(action, change.lost, records, disallows)
    return tuple(msgspec.structs.replace(r, is_retracted=True, retracted_by=action.id) for r in targets if not r.is_retracted)


def _is_about_another_goal(before: Match, action: Action, losing_side: Side | None, disallows: tuple[str, ...]) -> bool:
    """Return True if a disallowance without a known linked goal must not be matched to one of the known goals."""
    known = before.records.get(action.id)
    if known and own_record(known).action.type in disallows:
        return True  # it was the goal itself, until this revision
    # It has found its goal in an earlier revision.
    if any(r.retracted_by == action.id for r in before.records.values()):
        return True
    if losing_side is None or all(other in before.records for other in action.related):
        return False
    # It names an action that has not come. If the score had a goal that no packet has reported, then it is that goal.
    is_kick = action.period is Period.SHOOTOUT
    score = before.displayed_score if is_kick else before.summary_score
    goals = [r for r in before.records.values() if r.action.type in disallows and (r.is_standing or r.counted) and not r.repeats]
    goals = [r for r in goals if r.credited is losing_side and not r.is_retracted]
    return score.goals_of(losing_side) > sum((r.action.period is Period.SHOOTOUT) is is_kick for r in goals)


def _infer_disallowed_goal(
    action: Action, losing_side: Side | None, records: dict[str, ActionRecord], disallows: tuple[str, ...]
) -> list[ActionRecord]:
    """Return the goal that a disallowance without a link means, if any.

    It is the last goal of the side whose score falls with it, else a pending one of the same team that the score does not
    count.
    """
    live = [r for r in records.values() if r.action.type in disallows and not r.is_retracted and not r.repeats]
    live = [r for r in live if r.action.period is action.period]
    if losing_side:
        live = [r for r in live if r.credited is losing_side]
    else:
        # The score does not fall, so it cannot be a goal that the score has.
        live = [r for r in live if r.action.send_type is SendType.PENDING and not r.counted and r.credited is action.side]
    return sorted(live, key=lambda r: r.action.seq)[-1:]
