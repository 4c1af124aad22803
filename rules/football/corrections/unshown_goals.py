"""Goals that only the score takes back: the feed sent no revision of them, and its summaries do not show them any more.

A feed may drop a goal without a word. Its score also flaps, for some seconds, while a goal is checked. So a goal is in doubt at
first, and is struck at the next break in play if its doubt has lasted for a minute by then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec

from rules.football.action import Action, SendType, Side
from rules.football.corrections.repeated_reports import retract_reports
from rules.football.match import ActionRecord, Match, Moment, Score, UnshownGoal, order_of_play
from rules.football.minute import Period

BY_SCORE = "score"
"""The value of `retracted_by` for a goal that only the score took back, in place of an action's id."""

MIN_DOUBT = dt.timedelta(minutes=1)
"""How long the score has to leave a goal out: a shorter flap of the score changes nothing."""


def review_goals(before: Match, after: Match, action: Action) -> tuple[Match, tuple[ActionRecord, ...]]:
    """Compare the standing goals with the score after an action.

    Return the match with the goals that are in doubt, and the records of those that are struck now, or stand again because the
    score shows them again.
    """
    if after.records is before.records and after.score == before.score and not before.unshown_goals:
        return after, ()
    counted = after.score
    for change in after.uncounted.values():
        # What the feed's score has not counted yet has not been in it, though the official score has it.
        counted = counted.minus_one(change.side) if change.by > 0 and not change.is_kick else counted
    highest = Score(max(before.highest_score.home, counted.home), max(before.highest_score.away, counted.away))
    after, restored = _restore_shown(msgspec.structs.replace(after, highest_score=highest))
    after = msgspec.structs.replace(after, unshown_goals=_find_unshown(after, action.at))
    # A restart is the last moment for what came too late for the break. A delayed action is about the past, so that its type
    # says nothing about now. Nor does a correction of the start of an earlier period.
    is_restart = action.type == "Start Period" and action.send_type.is_standing and action.period is after.period
    if action.is_delayed or not (is_restart or _is_over_or_in_break(after)):
        return after, restored
    after, struck = _strike(after, [i for i, doubt in after.unshown_goals.items() if doubt.has_lasted])
    return after, restored + struck


def strike_unshown_goals(match: Match, at: dt.datetime, *, is_last: bool = False) -> Moment | None:
    """Strike the goals in doubt of a match in whose break no packet comes; None if there are none.

    `is_last`: nothing more is read of the match, so that no doubt can be a flap.
    """
    if not (is_last or _is_over_or_in_break(match)):
        return None
    doubts = match.unshown_goals.items()
    after, struck = _strike(match, [i for i, doubt in doubts if is_last or at - doubt.since >= MIN_DOUBT])
    if not struck:
        return None
    # The number is that of the next packet, so that the outbox takes this for a newer revision.
    cause = Action(match.fixture.id, "", "Score Review", "", SendType.CONFIRMED, match.seq + 1, at, match.period, match.minute)
    return Moment(match, cause, after, is_news=False, affected=struck)


def _restore_shown(match: Match) -> tuple[Match, tuple[ActionRecord, ...]]:
    """Let goals stand again that were struck by the score, as far as it has more goals now than stand."""
    struck = [r for r in match.records.values() if r.is_retracted and r.retracted_by == BY_SCORE]
    if not struck:
        return match, ()
    records, ids = match.records, []
    for side in Side:
        own = sorted((r for r in struck if r.credited is side), key=lambda r: order_of_play(r.action))
        room = match.score.goals_of(side) - len(_list_standing(match, side))
        ids += [r.action.id for r in own[: max(0, room)]]
    for action_id in ids:
        records = retract_reports(records, records[action_id], "", is_retracted=False)
    return msgspec.structs.replace(match, records=records), tuple(records[i] for i in ids)


def _find_unshown(match: Match, at: dt.datetime) -> dict[str, UnshownGoal]:
    """Return the standing goals that the score does not show, though it has been as high as with them."""
    goals = {side: _list_standing(match, side) for side in Side}
    # If the totals agree, no goal is in doubt, even if the sides differ: the side of an own goal is not always known.
    if sum(map(len, goals.values())) <= match.score.home + match.score.away:
        return {}
    found: dict[str, UnshownGoal] = {}
    for side, own in goals.items():
        ids, shown = [r.action.id for r in own], match.score.goals_of(side)
        doubted = [i for i in match.unshown_goals if i in ids]
        others = [i for i in ids if i not in doubted]
        # A goal that was scored since is in the score before one that the score has left out.
        doubted = doubted[: max(0, len(doubted) - max(0, shown - len(others)))]
        # A goal that the score has never shown is not missing: the score is only late.
        missing = min(len(others), match.highest_score.goals_of(side)) - shown
        for action_id in [*doubted, *others[::-1][: max(0, missing)]]:
            since = match.unshown_goals[action_id].since if action_id in match.unshown_goals else at
            found[action_id] = UnshownGoal(since, at - since >= MIN_DOUBT)
    return found


def _list_standing(match: Match, side: Side) -> list[ActionRecord]:
    """Return the standing goals of play of one side, in the order of play."""
    goals = (r for r in match.records.values() if r.is_standing and r.action.type == "Goal" and r.credited is side)
    return sorted((r for r in goals if r.action.period is not Period.SHOOTOUT), key=lambda r: order_of_play(r.action))


def _is_over_or_in_break(match: Match) -> bool:
    return bool(match.ended_by) or match.is_completed or match.is_lost or match.last_ended_period is match.period


def _strike(match: Match, ids: Iterable[str]) -> tuple[Match, tuple[ActionRecord, ...]]:
    records, ids = match.records, tuple(ids)
    for action_id in ids:
        records = retract_reports(records, records[action_id], BY_SCORE, is_retracted=True)
    left = {i: doubt for i, doubt in match.unshown_goals.items() if i not in ids}
    return msgspec.structs.replace(match, records=records, unshown_goals=left), tuple(records[i] for i in ids)
