"""A match as a time line: what counts, on whose side, when. Made from a `Match`, for pictures and cards."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Sequence

import msgspec

from rules.action import Action, Side, Team
from rules.colours import Colours
from rules.match import Match, Record, Score
from rules.minute import LAST_MINUTE, Minute, Period

PERIODS = tuple(LAST_MINUTE)
"""The periods that have minutes, in order of play."""


class Kind(enum.StrEnum):
    """What an event is."""

    GOAL = "goal"
    PENALTY_GOAL = "penalty goal"
    OWN_GOAL = "own goal"
    DISALLOWED = "goal disallowed"
    PENALTY_MISSED = "penalty missed"
    PENALTY_SAVED = "penalty saved"
    YELLOW_CARD = "yellow card"
    SECOND_YELLOW = "second yellow"
    RED_CARD = "red card"
    SUBSTITUTION = "substitution"

    @property
    def is_goal(self) -> bool:
        """Tell whether it changes the score."""
        return self in (Kind.GOAL, Kind.PENALTY_GOAL, Kind.OWN_GOAL)


class Stage(enum.StrEnum):
    """Where the match stands when its time line is drawn."""

    BEFORE = "before kick-off"
    PLAY = "in play"
    HALF_TIME = "half time"
    FULL_TIME = "full time"
    LOST = "lost"
    """Abandoned, suspended or the like."""


class Event(msgspec.Struct, frozen=True):
    """One thing on the time line. An own goal stands on the side that gets it."""

    side: Side
    kind: Kind
    period: Period
    minute: Minute
    player: str = ""
    """Who it is about; in a substitution who comes on. Empty where the feed does not tell."""
    off: str = ""
    """Who goes off."""
    score: Score | None = None
    """After a goal; None where the goals told do not make up the score."""


class Kick(msgspec.Struct, frozen=True):
    """One kick of a shootout, and how the shootout stands after it."""

    side: Side
    player: str
    scored: bool
    score: Score


class Timeline(msgspec.Struct, frozen=True):
    """Everything that a picture of a match shows."""

    home: Team
    away: Team
    competition: str
    kickoff: dt.datetime | None
    stage: Stage
    score: Score
    half_time: Score | None
    """None before it, and where the goals told do not make up the score."""
    shootout: Score | None
    period: Period
    minute: Minute | None
    status: str
    """The feed's word, where the match is lost."""
    periods: tuple[Period, ...]
    """Those with minutes that were played or are in play."""
    events: tuple[Event, ...]
    kicks: tuple[Kick, ...]
    colours: Colours = Colours()

    def team(self, side: Side) -> str:
        """The name of the team on a side."""
        return (self.home if side is Side.HOME else self.away).name


def timeline_of(match: Match, stage: Stage | None = None) -> Timeline:
    """Lay a match out in time; `stage` says what is known better than the match itself, such as half time."""
    score = match.score
    events = tuple(_scored(_in_order(match), score))
    return Timeline(
        home=match.fixture.home,
        away=match.fixture.away,
        competition=match.fixture.competition.name,
        kickoff=match.fixture.kickoff,
        stage=stage or stage_of(match),
        score=score,
        half_time=_half_time(match, events),
        shootout=match.shootout,
        period=match.period,
        minute=match.minute,
        status=match.status if match.lost else "",
        periods=_periods(match, events),
        events=events,
        kicks=tuple(_kicks(match)),
        colours=match.colours,
    )


def stage_of(match: Match) -> Stage:
    """Where a match stands by itself."""
    if match.completed or match.ended_by:
        return Stage.FULL_TIME
    if match.lost:
        return Stage.LOST
    if match.at_half_time:
        return Stage.HALF_TIME
    return Stage.BEFORE if match.period is Period.BEFORE else Stage.PLAY


def half_time_of(match: Match) -> Timeline | None:
    """The first half as it is known now, also when more has been played; None before it is over, and where its score is not
    known."""
    now = timeline_of(match)
    score = match.score if match.at_half_time else now.half_time
    if score is None or match.period is Period.BEFORE or (match.period is Period.FIRST_HALF and not match.at_half_time):
        return None
    first = tuple(event for event in now.events if event.period is Period.FIRST_HALF)
    return msgspec.structs.replace(
        now,
        stage=Stage.HALF_TIME,
        score=score,
        half_time=None,
        shootout=None,
        period=Period.FIRST_HALF,
        minute=Minute(LAST_MINUTE[Period.FIRST_HALF]),
        status="",
        periods=(Period.FIRST_HALF,),
        events=first,
        kicks=(),
    )


def _in_order(match: Match) -> list[Event]:
    """By time; within a minute in the order in which things were first told."""
    told = list(match.records)
    found = sorted((*_incidents(match), *_substitutions(match)), key=lambda pair: told.index(pair[0].id))
    return sorted((event for _, event in found), key=lambda event: (PERIODS.index(event.period), event.minute))


def _incidents(match: Match) -> Iterator[tuple[Action, Event]]:
    """Goals, cards and missed penalties, with the actions that tell them."""
    for record in match.records.values():
        kind = _kind(record)
        if kind and record.action.side and not _is_kick(record):
            yield record.action, _event(_named(record, match), kind, match)


def _named(record: Record, match: Match) -> Action:
    """A goal that was disallowed before its scorer was told has the name that the disallowance tells."""
    by = match.records.get(record.taken_back_by)
    if record.action.player or by is None:
        return record.action
    return msgspec.structs.replace(record.action, player=by.action.player)


def _event(action: Action, kind: Kind, match: Match, off: str = "") -> Event:
    period, minute = _when(action, match)
    return Event(action.side or Side.HOME, kind, period, minute, _name(action), off)


def _when(action: Action, match: Match) -> tuple[Period, Minute]:
    """What happens outside of play, such as a card in the tunnel, stands at the end of play that it is next to."""
    if action.period in LAST_MINUTE and action.minute:
        return action.period, action.minute
    if action.period is Period.BEFORE:
        return Period.FIRST_HALF, Minute(0)
    last = [period for period in PERIODS if period in match.periods][-1:] or [Period.SECOND_HALF]
    return last[0], Minute(LAST_MINUTE[last[0]])


def _name(action: Action) -> str:
    return action.player.name if action.player else ""


def _is_kick(record: Record) -> bool:
    return record.action.period is Period.SHOOTOUT and record.action.type in ("Goal", "Penalty Missed")


def _kind(record: Record) -> Kind | None:
    """None for what is not shown: what does not stand, unless another action disallowed it."""
    action = record.action
    if action.type == "Goal" and record.taken_back and record.taken_back_by:
        return Kind.DISALLOWED
    if not record.stands:
        return None
    if action.type == "Goal":
        return {"Own Goal": Kind.OWN_GOAL, "Penalty": Kind.PENALTY_GOAL}.get(action.sub_type, Kind.GOAL)
    if action.type == "Penalty Missed":
        return Kind.PENALTY_SAVED if action.sub_type == "Saved" else Kind.PENALTY_MISSED
    if action.type == "Red Card":
        return Kind.SECOND_YELLOW if action.sub_type == "Second Yellow" else Kind.RED_CARD
    return Kind.YELLOW_CARD if action.type == "Yellow Card" else None


def _substitutions(match: Match) -> Iterator[tuple[Action, Event]]:
    """Who comes on beside who goes off: by their links, else in the order in which they are told."""
    standing = [record.action for record in match.records.values() if record.stands and record.action.side]
    going = [action for action in standing if action.type == "Substitution Out"]
    coming = [action for action in standing if action.type == "Substitution In"]
    for action in sorted(coming, key=lambda one: not _linked(one, going)):
        off = _partner(action, going)
        if off is not None:
            going.remove(off)
        yield action, _event(action, Kind.SUBSTITUTION, match, _name(off) if off else "")
    for off in going:
        yield off, msgspec.structs.replace(_event(off, Kind.SUBSTITUTION, match, _name(off)), player="")


def _linked(action: Action, going: Sequence[Action]) -> Action | None:
    return next((off for off in going if off.id in action.related or action.id in off.related), None)


def _partner(action: Action, going: Sequence[Action]) -> Action | None:
    """Who goes off for who comes on; None where nobody is told within a minute."""
    linked = _linked(action, going)
    if linked or action.minute is None:
        return linked
    near = [off for off in going if off.side is action.side and off.period is action.period and not off.related]
    near = [off for off in near if off.minute and abs(_minutes(off.minute) - _minutes(action.minute)) <= 1]
    return min(near, key=lambda off: abs(off.seq - action.seq), default=None)


def _minutes(minute: Minute) -> int:
    return minute.base + minute.added


def _scored(events: Sequence[Event], official: Score) -> Iterator[Event]:
    """The events, the goals with the score after each where all goals together make up the official score."""
    home, away = (sum(event.kind.is_goal and event.side is side for event in events) for side in Side)
    told, score = Score(home, away) == official, Score()
    for event in events:
        if not (told and event.kind.is_goal):
            yield event
            continue
        score = Score(score.home + (event.side is Side.HOME), score.away + (event.side is Side.AWAY))
        yield msgspec.structs.replace(event, score=score)


def _half_time(match: Match, events: Sequence[Event]) -> Score | None:
    goals = [event for event in events if event.kind.is_goal]
    over = match.period not in (Period.BEFORE, Period.FIRST_HALF)
    if not over or any(goal.score is None for goal in goals) or (not goals and match.score != Score()):
        return None
    first = [goal for goal in goals if goal.period is Period.FIRST_HALF]
    return first[-1].score if first else Score()


def _periods(match: Match, events: Sequence[Event]) -> tuple[Period, ...]:
    """At least those of the events; a match that has come further than the first half has had one."""
    seen = {*match.periods, match.period, *(event.period for event in events)} & set(PERIODS)
    if match.period is Period.SHOOTOUT or match.completed:
        seen |= {Period.FIRST_HALF, Period.SECOND_HALF}
    last = max((PERIODS.index(period) for period in seen), default=0)
    return PERIODS[: last + 1]


def _kicks(match: Match) -> Iterator[Kick]:
    """The kicks that were taken, in order; a pending one is not yet among them."""
    score = Score()
    for record in match.records.values():
        action = record.action
        if not (_is_kick(record) and record.stands and action.side):
            continue
        scored = action.type == "Goal"
        gains = [scored and action.side is side for side in Side]
        score = Score(score.home + gains[0], score.away + gains[1])
        yield Kick(action.side, _name(action), scored, score)
