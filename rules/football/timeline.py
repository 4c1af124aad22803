"""A match in order of time, for cards and pictures."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Sequence

import msgspec

from rules.football.action import Action, Side, Team
from rules.football.match import ActionRecord, Colours, Match, Score
from rules.football.minute import LAST_MINUTE, Minute, Period

TIMED_PERIODS = tuple(LAST_MINUTE)
"""The periods that have minutes, in order of play."""


class EventKind(enum.StrEnum):
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
        return self in (EventKind.GOAL, EventKind.PENALTY_GOAL, EventKind.OWN_GOAL)


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
    kind: EventKind
    period: Period
    minute: Minute
    player: str = ""
    """Who it is about; in a substitution who comes on. Empty where the feed does not tell."""
    replaced_player: str = msgspec.field(default="", name="off")
    """Who goes off."""
    score: Score | None = None
    """After a goal; None where the goals told do not make up the score."""


class Kick(msgspec.Struct, frozen=True):
    """One kick of a shootout, and how the shootout stands after it."""

    side: Side
    player: str
    is_goal: bool = msgspec.field(name="scored")
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

    def team_name(self, side: Side) -> str:
        """The name of the team on a side."""
        return (self.home if side is Side.HOME else self.away).name


def build_timeline(match: Match, stage: Stage | None = None) -> Timeline:
    """Lay a match out in time; `stage` says what is known better than the match itself, such as half time."""
    score = match.score
    events = tuple(_add_scores(_list_events(match), score))
    return Timeline(
        home=match.fixture.home,
        away=match.fixture.away,
        competition=match.fixture.competition.name,
        kickoff=match.fixture.kickoff,
        stage=stage or stage_of(match),
        score=score,
        half_time=_half_time_score(match, events),
        shootout=match.shootout,
        period=match.period,
        minute=match.minute,
        status=match.status if match.is_lost else "",
        periods=_list_periods(match, events),
        events=events,
        kicks=tuple(_list_kicks(match)),
        colours=match.colours,
    )


def stage_of(match: Match) -> Stage:
    """Where a match stands by itself."""
    if match.is_completed or match.ended_by:
        return Stage.FULL_TIME
    if match.is_lost:
        return Stage.LOST
    if match.is_half_time:
        return Stage.HALF_TIME
    return Stage.BEFORE if match.period is Period.BEFORE else Stage.PLAY


def build_half_time_timeline(match: Match) -> Timeline | None:
    """The first half as it is known now, also when more has been played; None before it is over, and where its score is not
    known."""
    now = build_timeline(match)
    score = match.score if match.is_half_time else now.half_time
    if score is None or match.period is Period.BEFORE or (match.period is Period.FIRST_HALF and not match.is_half_time):
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


def _list_events(match: Match) -> list[Event]:
    """By time; within a minute in the order in which things were first told."""
    told = list(match.records)
    found = sorted((*_find_incidents(match), *_find_substitutions(match)), key=lambda pair: told.index(pair[0].id))
    return sorted((event for _, event in found), key=lambda event: (TIMED_PERIODS.index(event.period), event.minute))


def _find_incidents(match: Match) -> Iterator[tuple[Action, Event]]:
    """Goals, cards and missed penalties, with the actions that tell them."""
    for record in match.records.values():
        kind = _event_kind(record)
        if kind and record.action.side and not _is_shootout_kick(record):
            yield record.action, _make_event(_fill_player(record, match), kind, match)


def _fill_player(record: ActionRecord, match: Match) -> Action:
    """A goal that was disallowed before its scorer was told has the name that the disallowance tells."""
    by = match.records.get(record.retracted_by)
    if record.action.player or by is None:
        return record.action
    return msgspec.structs.replace(record.action, player=by.action.player)


def _make_event(action: Action, kind: EventKind, match: Match, off: str = "") -> Event:
    period, minute = _place_in_time(action, match)
    return Event(action.side or Side.HOME, kind, period, minute, _player_name(action), off)


def _place_in_time(action: Action, match: Match) -> tuple[Period, Minute]:
    """What happens outside of play, such as a card in the tunnel, stands at the end of play that it is next to."""
    if action.period in LAST_MINUTE and action.minute:
        return action.period, action.minute
    if action.period is Period.BEFORE:
        return Period.FIRST_HALF, Minute(0)
    last = [period for period in TIMED_PERIODS if period in match.played_periods][-1:] or [Period.SECOND_HALF]
    return last[0], Minute(LAST_MINUTE[last[0]])


def _player_name(action: Action) -> str:
    return action.player.name if action.player else ""


def _is_shootout_kick(record: ActionRecord) -> bool:
    return record.action.period is Period.SHOOTOUT and record.action.type in ("Goal", "Penalty Missed")


def _event_kind(record: ActionRecord) -> EventKind | None:
    """None for what is not shown: what does not stand, unless another action disallowed it."""
    action = record.action
    if action.type == "Goal" and record.is_retracted and record.retracted_by:
        return EventKind.DISALLOWED
    if not record.is_standing:
        return None
    if action.type == "Goal":
        return {"Own Goal": EventKind.OWN_GOAL, "Penalty": EventKind.PENALTY_GOAL}.get(action.sub_type, EventKind.GOAL)
    if action.type == "Penalty Missed":
        return EventKind.PENALTY_SAVED if action.sub_type == "Saved" else EventKind.PENALTY_MISSED
    if action.type == "Red Card":
        return EventKind.SECOND_YELLOW if action.sub_type == "Second Yellow" else EventKind.RED_CARD
    return EventKind.YELLOW_CARD if action.type == "Yellow Card" else None


def _find_substitutions(match: Match) -> Iterator[tuple[Action, Event]]:
    """Who comes on beside who goes off: by their links, else in the order in which they are told."""
    standing = [record.action for record in match.records.values() if record.is_standing and record.action.side]
    going = [action for action in standing if action.type == "Substitution Out"]
    coming = [action for action in standing if action.type == "Substitution In"]
    for action in sorted(coming, key=lambda one: not _find_linked(one, going)):
        off = _find_partner(action, going)
        if off is not None:
            going.remove(off)
        yield action, _make_event(action, EventKind.SUBSTITUTION, match, _player_name(off) if off else "")
    for off in going:
        yield off, msgspec.structs.replace(_make_event(off, EventKind.SUBSTITUTION, match, _player_name(off)), player="")


def _find_linked(action: Action, going: Sequence[Action]) -> Action | None:
    return next((off for off in going if off.id in action.related or action.id in off.related), None)


def _find_partner(action: Action, going: Sequence[Action]) -> Action | None:
    """Who goes off for who comes on; None where nobody is told within a minute."""
    linked = _find_linked(action, going)
    if linked or action.minute is None:
        return linked
    near = [off for off in going if off.side is action.side and off.period is action.period and not off.related]
    near = [off for off in near if off.minute and abs(_total_minutes(off.minute) - _total_minutes(action.minute)) <= 1]
    return min(near, key=lambda off: abs(off.seq - action.seq), default=None)


def _total_minutes(minute: Minute) -> int:
    return minute.base + minute.added


def _add_scores(events: Sequence[Event], official: Score) -> Iterator[Event]:
    """The events, the goals with the score after each where all goals together make up the official score."""
    home, away = (sum(event.kind.is_goal and event.side is side for event in events) for side in Side)
    told, score = Score(home, away) == official, Score()
    for event in events:
        if not (told and event.kind.is_goal):
            yield event
            continue
        score = Score(score.home + (event.side is Side.HOME), score.away + (event.side is Side.AWAY))
        yield msgspec.structs.replace(event, score=score)


def _half_time_score(match: Match, events: Sequence[Event]) -> Score | None:
    goals = [event for event in events if event.kind.is_goal]
    over = match.period not in (Period.BEFORE, Period.FIRST_HALF)
    if not over or any(goal.score is None for goal in goals) or (not goals and match.score != Score()):
        return None
    first = [goal for goal in goals if goal.period is Period.FIRST_HALF]
    return first[-1].score if first else Score()


def _list_periods(match: Match, events: Sequence[Event]) -> tuple[Period, ...]:
    """At least those of the events; a match that has come further than the first half has had one."""
    seen = {*match.played_periods, match.period, *(event.period for event in events)} & set(TIMED_PERIODS)
    if match.period is Period.SHOOTOUT or match.is_completed:
        seen |= {Period.FIRST_HALF, Period.SECOND_HALF}
    last = max((TIMED_PERIODS.index(period) for period in seen), default=0)
    return TIMED_PERIODS[: last + 1]


def _list_kicks(match: Match) -> Iterator[Kick]:
    """The kicks that were taken, in order; a pending one is not yet among them."""
    score = Score()
    for record in match.records.values():
        action = record.action
        if not (_is_shootout_kick(record) and record.is_standing and action.side):
            continue
        scored = action.type == "Goal"
        gains = [scored and action.side is side for side in Side]
        score = Score(score.home + gains[0], score.away + gains[1])
        yield Kick(action.side, _player_name(action), scored, score)
