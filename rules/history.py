"""Questions about a match so far that rules may ask: which goal was the first, which its player's third, which a comeback."""

from __future__ import annotations

from rules.action import Action, Player
from rules.fold import fold
from rules.match import Moment
from rules.minute import Minute, Period

_ORDER = {period: number for number, period in enumerate(Period)}


def is_first_goal(moment: Moment) -> bool:
    """Tell whether the action is the earliest of the goals of play; a pending one is, where none stands before it."""
    goals = _goals_with(moment)
    return bool(goals) and goals[0].id == moment.action.id


def is_hat_trick(moment: Moment) -> bool:
    """Tell whether the action is its player's third goal of play; own goals do not count."""
    player = moment.action.player
    if player is None:
        return False
    own = [a for a in _goals_with(moment) if a.sub_type != "Own Goal" and a.player and _same(a.player, player)]
    return len(own) > 2 and own[2].id == moment.action.id


def is_comeback(moment: Moment) -> bool:
    """Tell whether the goal puts its team in front after it was behind, or level after it was two behind.

    How far behind counts from when it was last in front.
    """
    goals, side = _goals_with(moment), moment.action.side
    ids = [goal.id for goal in goals]
    if side is None or moment.action.id not in ids:
        return False
    ahead = behind = 0
    for goal in goals[: ids.index(moment.action.id)]:
        ahead += 1 if goal.side is side else -1
        behind = 0 if ahead > 0 else max(behind, -ahead)
    return (ahead == 0 and behind > 0) or (ahead == -1 and behind > 1)


def _goals_with(moment: Moment) -> list[Action]:
    """The standing goals of play in the order of play, with the action itself where it is one, pending or not.

    Revisions come late and out of order, so the minute decides; within a minute, what was heard of first.
    """
    records = moment.after.records.values()
    goals = [r.action for r in records if r.action.type == "Goal" and (r.stands or r.action.id == moment.action.id)]
    return sorted((a for a in goals if a.period is not Period.SHOOTOUT), key=_played)


def _played(action: Action) -> tuple[int, Minute]:
    return _ORDER[action.period], action.minute or Minute(0)


def _same(one: Player, other: Player) -> bool:
    return one.id == other.id if one.id and other.id else bool(one.name) and fold(one.name) == fold(other.name)
