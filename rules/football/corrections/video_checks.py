"""What a check by the video referee decided, read from what became of the goal, penalty or card that was checked."""

from __future__ import annotations

from rules.football.action import Action, SendType
from rules.football.match import ActionRecord, Match, order_of_play

_CHECKED_TYPES = {"goal": "Goal", "penalty": "Penalty Awarded", "red card": "Red Card"}
"""What a video check may be about: the word for it in the check's sub type, and the action type."""

_MAX_CHECKED_MINUTES = 5
"""Minutes between an action and the video check that may be about it."""

_SETTLED_AFTER_MINUTES = 2
"""Minutes of play after the end of a video check, from which what was checked is taken to stand."""


def find_check_outcome(match: Match, check: ActionRecord) -> str:
    """Return what a video check decided: `goal stands`, `no goal`, `penalty`, `no penalty`, `red card`, `no red card`.

    Empty while that is open, and if the feed does not say what the check is about. The end of a check has no outcome in it
    (section 10.10), so the outcome is read from what became of the action that was checked.
    """
    begun = [r for r in match.records.values() if r.action.type == "Video Check Underway" and r.action.seq < check.action.seq]
    start = max(begun, key=lambda r: r.action.seq, default=None)
    about = start.action.sub_type.casefold().removeprefix("potential ") if start else ""
    for word, action_type in _CHECKED_TYPES.items():
        near = [r for r in match.records.values() if r.action.type == action_type and _is_checked(r.action, check.action)]
        latest = max(near, key=lambda r: order_of_play(r.action), default=None)
        if latest is None or (latest.action.send_type is SendType.PENDING and not latest.is_retracted):
            continue
        is_revised = start is not None and latest.action.seq > start.action.seq
        # A check that names nothing may be about anything: only what fell after it began is certainly its doing.
        if latest.is_retracted and (about == word or is_revised):
            return f"no {word}"
        # The feed may take the goal back seconds after it ended the check. It counts as standing once the feed has sent it
        # again since the check began, or once play has gone on.
        if not latest.is_retracted and about == word and (is_revised or _has_play_gone_on(match, check.action)):
            return "goal stands" if word == "goal" else word
    return ""


def _has_play_gone_on(match: Match, check: Action) -> bool:
    if match.period is not check.period or match.minute is None or check.minute is None:
        return match.period is not check.period
    return match.minute.total - check.minute.total >= _SETTLED_AFTER_MINUTES


def _is_checked(action: Action, check: Action) -> bool:
    if action.period is not check.period or action.minute is None or check.minute is None:
        return False
    return 0 <= check.minute.total - action.minute.total <= _MAX_CHECKED_MINUTES
