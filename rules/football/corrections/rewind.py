"""Rebuilds an earlier state of a match from what is known now: without later goals, and without goals retracted since."""

from __future__ import annotations

from collections.abc import Callable, Collection
from operator import attrgetter

import msgspec

from rules.football.action import Action
from rules.football.match import ActionRecord, Match, Score, order_of_play
from rules.football.minute import Period, is_later_period

_read_score_fields = attrgetter(
    "score", "shootout", "period", "status", "collection_status", "ended_by", "last_ended_period", "fixture"
)
"""Returns the fields that `keep_score` keeps, apart from the records: compared before a match is reduced."""


def rewind_to_action(match: Match, record: ActionRecord) -> Match:
    """Return the match as it stood right after one of its actions, without the goals of later play.

    Where the feed gives two actions of one minute no order, the one that it sent first came first.
    """
    order = {action_id: number for number, action_id in enumerate(match.records)}  # records keep the order of arrival
    action = record.action

    def is_later(goal: Action) -> bool:
        # The start of a period comes before every goal in it, whatever its clock says.
        if action.type == "Start Period":
            return not is_later_period(action.period, goal.period)
        if action.type in ("End Period", "End Match"):
            # A goal that is reported after the whistle belongs to the period in which it was scored.
            return is_later_period(goal.period, action.period)
        return (order_of_play(goal), order[goal.id]) > (order_of_play(action), order.get(action.id, len(order)))

    rewound = _remove_goals(match, is_later)
    # Before the shootout there was none, and its kicks are no goals of play: 1–1, and not 1–1 (6–5 pens).
    return rewound if action.period is Period.SHOOTOUT else msgspec.structs.replace(rewound, shootout=None)


def rewind_to_goals(match: Match, goal_ids: Collection[str]) -> Match:
    """Return the match with these goals alone, except those that were retracted since."""
    return _remove_goals(match, lambda goal: goal.id not in goal_ids)


def keep_score(match: Match) -> Match:
    """Reduce a match to what its score, scorers and stage depend on: a small value that is equal while these are equal."""
    goals = {action_id: one for action_id, one in match.records.items() if one.action.type == "Goal"}
    # A new match with these fields alone: all others have their defaults, so that they make no difference.
    return Match(
        match.fixture,
        match.score,
        match.shootout,
        match.period,
        status=match.status,
        collection_status=match.collection_status,
        ended_by=match.ended_by,
        records=goals,
        played_periods=match.played_periods,
        last_ended_period=match.last_ended_period,
    )


def has_score_changed(before: Match, after: Match) -> bool:
    """Return True if `keep_score` differs. Cheap if nothing has changed, since it is called for every packet."""
    if before.records is after.records and _read_score_fields(before) == _read_score_fields(after):
        return False
    return keep_score(before) != keep_score(after)


def list_goal_ids(match: Match) -> tuple[str, ...]:
    """Return the ids of the standing goals, the kicks of a shootout among them."""
    return tuple(action_id for action_id, one in match.records.items() if one.is_standing and one.action.type == "Goal")


def _remove_goals(match: Match, is_later: Callable[[Action], bool]) -> Match:
    """Return the match without the goals for which `is_later` holds. Goals of the score that have no action stay in it."""
    score, shootout, records = match.score, match.shootout, dict(match.records)
    for action_id, record in match.records.items():
        if record.action.type != "Goal" or not is_later(record.action):
            continue
        del records[action_id]
        # A goal that the score does not show any more need not be taken from it.
        if not record.is_standing or record.credited is None or action_id in match.unshown_goals:
            continue
        if record.action.period is Period.SHOOTOUT:
            shootout = (shootout or Score()).minus_one(record.credited)
        else:
            score = score.minus_one(record.credited)
    return msgspec.structs.replace(match, score=score, shootout=shootout, records=records)
