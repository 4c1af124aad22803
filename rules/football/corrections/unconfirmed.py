"""Settles what the feed reported as pending and never confirmed, at the next break in play or at the end of the match.

The message about such an action says that it awaits confirmation, and must not say so for ever.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from rules.football.action import Action, SendType, Side
from rules.football.corrections.repeated_reports import settle_reports
from rules.football.corrections.score_lag import add_uncounted
from rules.football.match import ActionRecord, Match, Moment, Score, order_of_play
from rules.football.minute import Period, is_later_period

NOT_CONFIRMED = "Was not confirmed"
"""The reason for retracting what the feed neither confirmed nor took back: a term that is translated."""

_MINUTES_TO_SETTLE = 2
"""An action at least so many minutes before the end of its period is settled at that end, a later one at the restart: the feed
takes some seconds to confirm a goal of the last minute."""

_ANSWER_MINUTES = 6
"""Minutes within which a penalty is taken, or a video check ends."""


class _Break(NamedTuple):
    """The end of a period, or of the match."""

    period: Period
    last_total: int | None
    """Only actions up to this minute (`Minute.total`) are settled now; None for all."""


class Settlement(NamedTuple):
    """All records after a break, and those that were settled there: retracted, or confirmed by other evidence."""

    records: dict[str, ActionRecord]
    settled: tuple[ActionRecord, ...] = ()


def settle_unconfirmed(
    records: dict[str, ActionRecord], before: Match, after: Match, action: Action, score: Score, shootout: Score | None
) -> Settlement:
    """Settle the pending actions before a break, if the action begins one.

    `after` needs its clock, period and status only; `score` and `shootout` are what the feed's summary shows after the action.
    """
    now = _find_break(before, after, action)
    return _settle(records, now, action.seq, score, shootout) if now else Settlement(records)


def settle_at_last(match: Match, at: dt.datetime) -> Moment | None:
    """Settle what is still pending when nothing more is read of a match; None if nothing is pending."""
    # With what the feed's score has not counted yet, as after every packet.
    score = add_uncounted(match.summary_score, match.uncounted, is_kick=False)
    shootout = None if match.shootout is None else add_uncounted(match.displayed_score, match.uncounted, is_kick=True)
    records, settled = _settle(match.records, _Break(Period.SHOOTOUT, None), match.seq + 1, score, shootout)
    if not settled:
        return None
    cause = Action(match.fixture.id, "", "Last Review", "", SendType.CONFIRMED, match.seq + 1, at, match.period, match.minute)
    # Nothing is pending any more, so that nothing is taken off the score.
    after = msgspec.structs.replace(match, records=records, score=score, shootout=shootout)
    return Moment(match, cause, after, is_news=False, settled=settled)


def _settle(records: dict[str, ActionRecord], now: _Break, seq: int, score: Score, shootout: Score | None) -> Settlement:
    # Only what came before the packet that begins the break.
    pending = [record for record in records.values() if record.is_pending and record.action.seq < seq]
    # Before any of them is settled: each goal that is settled would leave one fewer in the score for the others.
    counted = _find_goals_in_score(records.values(), score, is_kick=False)
    if shootout is not None:
        counted |= _find_goals_in_score(records.values(), shootout, is_kick=True)
    ids = [record.action.id for record in pending if _is_before(record.action, now)]
    for action_id in ids:
        # Either the score has the goal, or another action shows that this one happened, such as the penalty that was taken.
        is_true = action_id in counted or any(_answers(record, records[action_id].action) for record in records.values())
        records = settle_reports(records, action_id, seq, is_confirmed=is_true)
    return Settlement(records, tuple(records[action_id] for action_id in ids))


def _find_break(before: Match, after: Match, action: Action) -> _Break | None:
    """Return the break that an action begins; None for nearly all actions, and for one that comes late."""
    if action.seq < before.seq or action.is_delayed:
        return None
    # The end of the match settles all that is left, a shootout's kicks among them. One without full time does so as well.
    is_end = action.type == "End Match" and action.send_type.is_standing and not before.ended_by
    if is_end or (after.status != before.status and after.is_lost and not before.is_lost):
        return _Break(Period.SHOOTOUT, None)
    if action.type == "End Period" and action.send_type.is_standing:
        # A shootout has no minutes, so nothing of it is settled before the match ends.
        return _Break(action.period, action.minute.total - _MINUTES_TO_SETTLE if action.minute else 0)
    # Play in the next period: what came too late for the End Period, or a feed that sends none.
    if after.period is not before.period is not Period.BEFORE and is_later_period(after.period, before.period):
        return _Break(before.period, None)
    return None


def _is_before(action: Action, now: _Break) -> bool:
    if action.period is not now.period:
        return is_later_period(now.period, action.period)
    return now.last_total is None or (action.minute is not None and action.minute.total <= now.last_total)


def _find_goals_in_score(records: Iterable[ActionRecord], score: Score, *, is_kick: bool) -> set[str]:
    """Return the pending goals that the feed's score has: as many as it has more than there are confirmed goals.

    A goal that is in the score at the break counts, whether its confirmation was lost or never sent.
    """
    goals = [r for r in records if r.action.type == "Goal" and (r.action.period is Period.SHOOTOUT) is is_kick]
    found: set[str] = set()
    for side in Side:
        own = [r for r in goals if r.credited is side]
        # First the goals with which the score was seen to rise: they are certainly in it.
        waiting = sorted((r for r in own if r.is_pending), key=lambda r: (r.counted is None, order_of_play(r.action)))
        unexplained = score.goals_of(side) - sum(r.is_standing for r in own)
        found |= {r.action.id for r in waiting[: max(0, unexplained)]}
    return found


def _answers(record: ActionRecord, action: Action) -> bool:
    """Return True if a record is what an action leads to, within a few minutes of the same period."""
    answer = record.action
    if answer.period is not action.period or answer.minute is None or action.minute is None:
        return False
    if not 0 <= answer.minute.total - action.minute.total <= _ANSWER_MINUTES:
        return False
    if action.type == "Goal Disallowed":
        # Its side is that of the goal: a goal of this side that is gone is the one that was disallowed.
        return answer.type == "Goal" and record.is_retracted and record.credited is action.side
    if not record.is_standing:
        return False
    if action.type == "Penalty Awarded":
        # It was taken, scored or not.
        is_kick = answer.type == "Penalty Missed" or (answer.type, answer.sub_type) == ("Goal", "Penalty")
        return is_kick and answer.side is action.side
    return action.type == "Video Check Underway" and answer.type == "Video Check Over"
