"""A match in order of time, for cards and pictures.

The outbox stores time lines as JSON with their alerts: a renamed field keeps its stored name, and enum values do not change.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from rules.football.action import Action, Side, Team
from rules.football.colours import Colours
from rules.football.match import ActionRecord, Match, Score
from rules.football.minute import LAST_MINUTE, Minute, Period
from rules.football.statuses import find_status
from rules.football.substitutions import list_substitutions

TIMED_PERIODS = tuple(LAST_MINUTE)
"""The periods that have minutes, in order of play."""


class EventKind(enum.StrEnum):
    """What happens in a match, in the words of scenario files and of stored time lines: the values do not change."""

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
    # Those above are shown on a time line. Those below happen in scenarios alone.
    PENALTY_AWARDED = "penalty awarded"
    SIN_BIN = "sin bin"
    INJURY = "injury"
    WATER_BREAK = "water break"
    ADDED_TIME = "added time"
    VIDEO_CHECK = "video check"
    ABANDONED = "abandoned"
    RESUMED = "resumed"
    HALF_TIME = "half time"
    EXTRA_TIME = "extra time"
    SHOOTOUT = "shootout"
    FULL_TIME = "full time"

    @property
    def is_goal(self) -> bool:
        """Return True if the event changes the score."""
        return self in (EventKind.GOAL, EventKind.PENALTY_GOAL, EventKind.OWN_GOAL)


TIMELINE_KINDS = tuple(EventKind)[: tuple(EventKind).index(EventKind.SUBSTITUTION) + 1]
"""The kinds that a time line shows."""


class Stage(enum.StrEnum):
    """The stage of the match when its time line is built."""

    BEFORE = "before kick-off"
    PLAY = "in play"
    HALF_TIME = "half time"
    FULL_TIME = "full time"
    LOST = "lost"
    """Abandoned, suspended or another status without full time."""


class Event(msgspec.Struct, frozen=True):
    """One thing on the time line. An own goal belongs to the side that gets the goal."""

    side: Side
    kind: EventKind  # one of `TIMELINE_KINDS`
    period: Period
    minute: Minute
    player: str = ""
    """The player; in a substitution the one who comes on. Empty if the feed does not name him."""
    replaced_player: str = msgspec.field(default="", name="off")
    """The player who goes off in a substitution."""
    score: Score | None = None
    """The score after a goal; None where the recorded goals do not add up to the official score."""


class Kick(msgspec.Struct, frozen=True):
    """One kick of a shootout, and the score of the shootout after it."""

    side: Side
    player: str
    is_goal: bool = msgspec.field(name="scored")
    score: Score


class Timeline(msgspec.Struct, frozen=True):
    """Everything that a picture or card of a match shows."""

    home: Team
    away: Team
    competition: str
    kickoff: dt.datetime | None
    stage: Stage
    score: Score
    half_time: Score | None
    """None before half time, and where the recorded goals do not add up to the official score."""
    shootout: Score | None
    period: Period
    minute: Minute | None
    status: str
    """The feed's word where the match ended without full time; else empty."""
    periods: tuple[Period, ...]
    """The periods with minutes that were played or are in play."""
    events: tuple[Event, ...]
    kicks: tuple[Kick, ...]
    colours: Colours = Colours()

    def team_name(self, side: Side) -> str:
        """Return the name of the team on a side."""
        return (self.home if side is Side.HOME else self.away).name


def build_timeline(match: Match, stage: Stage | None = None) -> Timeline:
    """Build the time line of a match. `stage` replaces the stage that the match itself shows, where the caller knows better."""
    score = match.score
    events = tuple(_add_scores(_list_events(match), score))
    return Timeline(
        home=match.fixture.home,
        away=match.fixture.away,
        competition=match.fixture.competition.name,
        kickoff=match.fixture.kickoff,
        stage=stage or determine_stage(match),
        score=score,
        half_time=_find_half_time_score(match, events),
        shootout=match.shootout,
        period=match.period,
        minute=match.minute,
        status=find_status(match.status).name if match.is_lost or match.is_suspended else "",
        periods=_list_periods(match, events),
        events=events,
        kicks=tuple(_list_kicks(match)),
        colours=match.colours,
    )


def determine_stage(match: Match) -> Stage:
    """Return the stage that a match shows by itself."""
    # Full time first: a match that was played to its end has one, even if its coverage is dropped afterwards.
    if match.is_completed or match.ended_by:
        return Stage.FULL_TIME
    if match.is_lost or match.is_suspended:
        return Stage.LOST
    if match.is_half_time:
        return Stage.HALF_TIME
    return Stage.BEFORE if match.period is Period.BEFORE else Stage.PLAY


def build_half_time_timeline(match: Match) -> Timeline | None:
    """Build the time line of the first half with what is known now, also when more has been played.

    None before the first half is over, and where its score is not known.
    """
    now = build_timeline(match)
    score = match.score if match.is_half_time else now.half_time
    if score is None or match.period is Period.BEFORE or (match.period is Period.FIRST_HALF and not match.is_half_time):
        return None
    # What belongs to later play is taken out of today's time line: the first half as chats see it at half time, with what was
    # corrected since.
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
    """List all events by time; within a minute in the feed's own order, else in that in which it first sent them."""
    found: list[tuple[Action, Event]] = []
    for record in match.records.values():
        kind, action = _find_event_kind(record), record.action
        if not kind or not action.side or _is_shootout_kick(record):
            continue
        # A goal that is disallowed while it is pending often has no scorer yet: the disallowance names him.
        by = match.records.get(record.retracted_by)
        named = msgspec.structs.replace(action, player=by.action.player) if by and not action.player else action
        found.append((action, _make_event(named, kind, match)))
    for one in list_substitutions(match):
        event = _make_event(one.action, EventKind.SUBSTITUTION, match)
        comes, goes = (player.name if player else "" for player in (one.comes, one.goes))
        found.append((one.action, msgspec.structs.replace(event, player=comes, replaced_player=goes)))
    # Three times, from the least to the most important key: sorting is stable. Records keep the order of arrival, which sequence
    # numbers do not, because every revision has a new one.
    order = {action_id: number for number, action_id in enumerate(match.records)}
    found.sort(key=lambda pair: order[pair[0].id])
    found.sort(key=lambda pair: pair[0].timeline or Decimal(0))
    return sorted((event for _, event in found), key=lambda event: (TIMED_PERIODS.index(event.period), event.minute))


def _make_event(action: Action, kind: EventKind, match: Match) -> Event:
    """Return an action as an event. One outside of play, such as a card at half time, is placed at the nearest end of play."""
    if action.period in LAST_MINUTE and action.minute:
        period, minute = action.period, action.minute
    elif action.period is Period.BEFORE:
        period, minute = Period.FIRST_HALF, Minute(0)
    else:
        # At the last regular minute: a match does not keep how much time was added to its periods.
        period = ([p for p in TIMED_PERIODS if p in match.played_periods] or [Period.SECOND_HALF])[-1]
        minute = Minute(LAST_MINUTE[period])
    return Event(action.side or Side.HOME, kind, period, minute, action.player.name if action.player else "")


def _is_shootout_kick(record: ActionRecord) -> bool:
    return record.action.period is Period.SHOOTOUT and record.action.type in ("Goal", "Penalty Missed")


def _find_event_kind(record: ActionRecord) -> EventKind | None:
    """Return the kind of event that a record is shown as; None for a type that is not shown and for a retracted action.

    A goal that another action disallowed is shown as such; one that the feed deleted never happened.
    """
    action = record.action
    if action.type == "Goal" and record.is_retracted and record.retracted_by and not record.repeats:
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


def _add_scores(events: Sequence[Event], official: Score) -> Iterator[Event]:
    """Yield the events, with the score after each goal if all goals together add up to the official score."""
    home, away = (sum(event.kind.is_goal and event.side is side for event in events) for side in Side)
    # Where a goal is missing, or its side is not known, the score after every goal would be a guess.
    is_complete, score = Score(home, away) == official, Score()
    for event in events:
        if not (is_complete and event.kind.is_goal):
            yield event
            continue
        score = score.plus_one(event.side)
        yield msgspec.structs.replace(event, score=score)


def _find_half_time_score(match: Match, events: Sequence[Event]) -> Score | None:
    """Return the score at half time, added up from the goals; None where it is not known or not reached."""
    if match.period in (Period.BEFORE, Period.FIRST_HALF):
        return None
    goals = [event for event in events if event.kind.is_goal]
    # The goals before half time count only if all goals of the match are known: the missing one may be among them.
    if any(goal.score is None for goal in goals) or (not goals and match.score != Score()):
        return None
    first = [goal for goal in goals if goal.period is Period.FIRST_HALF]
    return first[-1].score if first else Score()


def _list_periods(match: Match, events: Sequence[Event]) -> tuple[Period, ...]:
    """Return the periods up to the latest that the match or an event is in."""
    # Also those of which there was no packet: a match that was followed from its middle on has a first half too.
    known = {*match.played_periods, match.period, *(event.period for event in events)} & set(TIMED_PERIODS)
    if match.period is Period.SHOOTOUT or match.is_completed:
        # Whatever the packets say: neither comes before two halves.
        known |= {Period.FIRST_HALF, Period.SECOND_HALF}
    last = max((TIMED_PERIODS.index(period) for period in known), default=0)
    return TIMED_PERIODS[: last + 1]


def _list_kicks(match: Match) -> Iterator[Kick]:
    """Yield the kicks of a shootout in order; a pending one is not yet among them."""
    score = Score()
    # All kicks have the same clock, so only the feed's own order tells where a kick belongs that came late.
    for record in sorted(match.records.values(), key=lambda record: record.action.timeline or Decimal(0)):
        action = record.action
        if not (_is_shootout_kick(record) and record.is_standing and action.side):
            continue
        is_goal = action.type == "Goal"
        if is_goal:
            score = score.plus_one(action.side)
        yield Kick(action.side, action.player.name if action.player else "", is_goal, score)
