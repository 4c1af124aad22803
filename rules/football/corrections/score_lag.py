"""Goals that the feed's score counts later than the feed reports them, or still counts after their retraction.

A packet's summary should hold the score after its action, which is not documented (section 3.1 of the feed documentation), and
may be a packet or two behind. Until the score follows, the official score is the feed's with what it has not counted yet.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import msgspec

from rules.football.action import Action, SendType, Side
from rules.football.match import ActionRecord, Match, Score, UncountedChange
from rules.football.minute import Period
from rules.football.unknown_values import ScoreChange

MAX_LAG = dt.timedelta(minutes=1)
"""How long the score may be behind its goals. After that the next score in a summary overrides the goals that were counted."""


class ScorePair(NamedTuple):
    """The score of one counter, of play or of the shootout, before a packet and in its summary."""

    before: Score
    now: Score
    given: frozenset[Side]
    """The sides whose score the summary gives; for the other side the last known score is used."""


class LaggingScore(NamedTuple):
    """The changes that the score has not counted yet, after a packet's score was compared with them."""

    uncounted: dict[str, UncountedChange]
    records: dict[str, ActionRecord]
    changes: dict[bool, dict[Side, int]]
    """By counter (True: the shootout's) and side, how the score changed apart from what it had to catch up with."""

    def find_change(self, *, is_kick: bool) -> ScoreChange:
        """Return the sides whose score rose and fell with the packet's own action."""
        # One side, by any number: after a lost packet the score may rise by two, and still shows whose goal this is.
        rose = [side for side, by in self.changes.get(is_kick, {}).items() if by > 0]
        fell = [side for side, by in self.changes.get(is_kick, {}).items() if by < 0]
        return ScoreChange(rose[0] if len(rose) == 1 else None, fell[0] if len(fell) == 1 else None)


def catch_up(before: Match, scores: dict[bool, ScorePair]) -> LaggingScore:
    """Let the score of a packet count what it was behind with, the oldest change first. `scores` are by counter."""
    uncounted, records = dict(before.uncounted), before.records
    changes = {
        is_kick: {Side.HOME: now.home - was.home, Side.AWAY: now.away - was.away} for is_kick, (was, now, _) in scores.items()
    }
    for action_id, change in before.uncounted.items():
        left = changes.get(change.is_kick)
        if left is None or left[change.side] * change.by <= 0:
            continue  # the score has not moved, or the other way
        left[change.side] -= change.by
        del uncounted[action_id]
        if change.by > 0 and action_id in records:
            records = records | {action_id: _mark_shown(records[action_id])}
    return LaggingScore(uncounted, records, changes)


class ReconciledScore(NamedTuple):
    """The goals and the score after a packet."""

    uncounted: dict[str, UncountedChange]
    """The changes that the score has not counted, by the action's id."""
    records: dict[str, ActionRecord]
    credited: tuple[ActionRecord, ...] = ()
    """The own goals that were given to the other side now, because the score has shown it."""


def reconcile_score(
    lagging: LaggingScore, before: Match, records: dict[str, ActionRecord], action: Action, scores: dict[bool, ScorePair]
) -> ReconciledScore:
    """Compare what a packet's action did to the goals with what its summary did to the score."""
    found = ReconciledScore(lagging.uncounted, records)
    # Nearly every packet: its action is no goal, the score stays as it was, and there is nothing that it has not counted.
    has_change = records is not lagging.records or any(any(by_side.values()) for by_side in lagging.changes.values())
    if not has_change and not lagging.uncounted:
        return found
    for is_kick, pair in scores.items():
        for side in Side:
            was, is_now = (_find_counted(some, side, is_kick=is_kick) for some in (lagging.records, found.records))
            # What the action does not explain: -1 after a goal with which the score did not rise, 1 after a rise without a goal.
            rest = lagging.changes[is_kick][side] - (len(is_now) - len(was))
            if len(is_now) == len(was):
                # The action changed no goal, so that the score has changed for another one.
                if rest > 0:
                    found = _explain_rise(found, before, action, side, is_kick=is_kick)
                elif rest < 0:
                    found = _explain_fall(found, action, side, is_kick=is_kick)
                continue
            # Of what the score had more or less than the goals before, this action is the late report: a goal that the score has
            # had for a while is not missing in it.
            known = pair.before.goals_of(side) + _sum_up(before.uncounted, side, is_kick=is_kick) - len(was)
            changed = sorted(is_now - was) if len(is_now) > len(was) else sorted(was - is_now)
            by = 1 if len(is_now) > len(was) else -1
            missing = min(len(changed), max(0, -rest * by) - max(0, known * by))
            for action_id in changed[: max(0, missing)]:
                if by > 0 and side in pair.given and _is_second_report(found.records, found.records[action_id]):
                    continue  # the score is right, and counts the goal once
                change = UncountedChange(side, by, action.at, is_kick)
                found = found._replace(uncounted=_add(found.uncounted, action_id, change))
    # By the feed's own times: a replay, or a connection that catches up, runs faster than the clock. Where a summary gives no
    # score there is none to believe, and the goals themselves are counted.
    recent = {
        i: change
        for i, change in found.uncounted.items()
        if action.at - change.since < MAX_LAG or change.is_kick not in scores or change.side not in scores[change.is_kick].given
    }
    return found._replace(uncounted=recent)


def add_uncounted(score: Score, uncounted: dict[str, UncountedChange], *, is_kick: bool) -> Score:
    """Return the feed's score with what it has not counted yet."""
    if not uncounted:
        return score
    return Score(*(max(0, score.goals_of(side) + _sum_up(uncounted, side, is_kick=is_kick)) for side in Side))


def _sum_up(uncounted: dict[str, UncountedChange], side: Side, *, is_kick: bool) -> int:
    return sum(change.by for change in uncounted.values() if change.side is side and change.is_kick is is_kick)


def _find_counted(records: dict[str, ActionRecord], side: Side, *, is_kick: bool) -> set[str]:
    """Return the ids of the goals that a score without any lag has: those that stand, and pending ones that it counts."""
    goals = (r for r in records.values() if r.action.type == "Goal" and not r.is_retracted and not r.repeats)
    goals = (r for r in goals if (r.action.period is Period.SHOOTOUT) is is_kick)
    return {r.action.id for r in goals if (r.credited if r.is_standing else r.counted if r.is_pending else None) is side}


def _is_waiting(record: ActionRecord) -> bool:
    """Return True for a pending goal that the score does not count."""
    is_pending = record.action.type == "Goal" and record.action.send_type is SendType.PENDING
    return is_pending and record.counted is None and not record.is_retracted


def _add(uncounted: dict[str, UncountedChange], action_id: str, change: UncountedChange) -> dict[str, UncountedChange]:
    """Return the changes with one more. A goal and a retraction of the same side cancel each other, and the score is right."""
    for other, known in uncounted.items():
        if (known.side, known.is_kick, known.by) == (change.side, change.is_kick, -change.by):
            return {i: one for i, one in uncounted.items() if i != other}
    return uncounted | {action_id: change}


def _is_second_report(records: dict[str, ActionRecord], record: ActionRecord) -> bool:
    """Return True if another goal of the same side stands in the same minute: the feed has sent one goal by two actions."""
    goal = record.action
    if goal.period is Period.SHOOTOUT or goal.minute is None:
        return False
    others = (r for r in records.values() if r.is_standing and r.action.type == "Goal" and r.action.id != goal.id)
    return any(
        r.credited is record.credited
        and r.action.period is goal.period
        and r.action.minute is not None
        and abs(r.action.minute.total - goal.minute.total) <= 1
        for r in others
    )


def _explain_rise(found: ReconciledScore, before: Match, action: Action, side: Side, *, is_kick: bool) -> ReconciledScore:
    """Find the goal with which the score rose, in a packet about something else."""
    was = before.records.get(action.id)
    if was is not None and action.send_type.is_retraction and _is_waiting(was) and was.credited is side:
        # The score counts the pending goal only now that it is cancelled.
        return found._replace(uncounted=_add(found.uncounted, action.id, UncountedChange(side, -1, action.at, is_kick)))
    # The side of an own goal is not documented (section 14): the score shows it.
    for action_id, change in found.uncounted.items():
        record = found.records.get(action_id)
        is_own_goal = record is not None and record.action.sub_type == "Own Goal" and record.is_standing
        if record and is_own_goal and change.by > 0 and change.side is not side and change.is_kick is is_kick:
            team = before.fixture.team(side)
            goal = msgspec.structs.replace(record.action, side=side, team=team if team.name else record.action.team)
            moved = _mark_shown(msgspec.structs.replace(record, action=goal, credited=side))
            uncounted = {i: c for i, c in found.uncounted.items() if i != action_id}
            return ReconciledScore(uncounted, found.records | {action_id: moved}, (*found.credited, moved))
    # The one that has waited longest, as in `catch_up`.
    for record in _list_pending_goals(found.records, action, is_kick=is_kick):
        if _is_waiting(record) and record.credited is side:
            return _set_counted(found, record, side)
    return found


def _explain_fall(found: ReconciledScore, action: Action, side: Side, *, is_kick: bool) -> ReconciledScore:
    """Find the pending goal with which the score fell, in a packet about something else."""
    # The latest one: the others have been in the score for longer.
    for record in reversed(_list_pending_goals(found.records, action, is_kick=is_kick)):
        if record.counted is side:
            return _set_counted(found, record, None)
    return found


def _list_pending_goals(records: dict[str, ActionRecord], action: Action, *, is_kick: bool) -> list[ActionRecord]:
    """Return the pending goals of one counter, without the packet's own action."""
    return [
        record
        for record in records.values()
        if record.action.type == "Goal" and record.action.send_type is SendType.PENDING and record.action.id != action.id
        if not (record.is_retracted or record.repeats or record.own)
        if (record.action.period is Period.SHOOTOUT) is is_kick
    ]


def _set_counted(found: ReconciledScore, record: ActionRecord, side: Side | None) -> ReconciledScore:
    changed = msgspec.structs.replace(record, counted=side, is_shown=side is not None)
    return found._replace(records=found.records | {record.action.id: changed})


def _mark_shown(record: ActionRecord) -> ActionRecord:
    # In both views: what the action itself says, and what all reports of the goal say together.
    own = msgspec.structs.replace(record.own, is_shown=True) if record.own else None
    return msgspec.structs.replace(record, is_shown=True, own=own)
