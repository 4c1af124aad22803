"""A match as a value, one step of it, and questions rules ask of it."""

from __future__ import annotations

from typing import Any

import msgspec

from rules.football.action import LOST_STATUSES, Action, Fixture, Player, Side
from rules.football.minute import Minute, Period
from rules.football.names import normalise


class Score(msgspec.Struct, frozen=True):
    """Goals of both sides."""

    home: int = 0
    away: int = 0

    def __str__(self) -> str:
        return f"{self.home}–{self.away}"

    def goals_of(self, side: Side) -> int:
        """Goals of one side."""
        return self.home if side is Side.HOME else self.away

    def minus_one(self, side: Side) -> Score:
        """One goal fewer on a side, never below zero."""
        return Score(max(0, self.home - (side is Side.HOME)), max(0, self.away - (side is Side.AWAY)))

    def find_scoring_side(self, before: Score) -> Side | None:
        """The side that has exactly one goal more than before; None where none or both do."""
        home, away = self.home - before.home == 1, self.away - before.away == 1
        return None if home == away else Side.HOME if home else Side.AWAY

    def find_losing_side(self, before: Score) -> Side | None:
        """The side that has exactly one goal fewer than before; None where none or both do."""
        return before.find_scoring_side(self)


class ActionRecord(msgspec.Struct, frozen=True):
    """What is known of one key action: its latest revision and whether it counts."""

    action: Action
    credited: Side | None = None
    """The side that gets the goal."""
    counted: Side | None = None
    """While pending: the side on which the feed's summary counts it already."""
    is_retracted: bool = False
    retracted_by: str = ""
    """The action that disallowed it; empty when the feed took it back by its own revision."""

    @property
    def is_standing(self) -> bool:
        """Tell whether it happened and was not taken back."""
        return self.action.send_type.is_standing and not self.is_retracted


Colour = tuple[int, int, int]
"""Red, green and blue, each from 0 to 255."""


class Colours(msgspec.Struct, frozen=True):
    """What both teams wear; None where the feed does not tell."""

    home: Colour | None = None
    away: Colour | None = None

    def colour_of(self, side: Side) -> Colour | None:
        """What one team wears."""
        return self.home if side is Side.HOME else self.away


class Match(msgspec.Struct, frozen=True):
    """Everything that the packets so far say of one match."""

    fixture: Fixture
    score: Score = Score()
    """The official score, without the shootout."""
    shootout: Score | None = None
    period: Period = Period.BEFORE
    minute: Minute | None = None
    clock: int = 0
    status: str = ""
    collection_status: str = ""
    seq: int = 0
    ended_by: str = ""
    """The action id of the end of the match; empty while it runs."""
    records: dict[str, ActionRecord] = {}
    displayed_score: Score = Score()
    """What the feed's summary shows for the period in play: pending goals may be in it."""
    summary_score: Score = Score()
    score_when_coverage_lost: Score = Score()
    """The score when live data was last lost."""
    colours: Colours = Colours()
    played_periods: tuple[Period, ...] = ()
    """The periods that were played or are in play, as they came."""
    last_ended_period: Period | None = None
    """The latest period that the feed ended by an action of its own; None before."""

    def cards_of(self, player: Player) -> tuple[Action, ...]:
        """The cards that the player has been shown and that stand, in order."""
        cards = (r.action for r in self.records.values() if r.is_standing and r.action.type in ("Yellow Card", "Red Card"))
        return tuple(sorted((a for a in cards if a.player and _is_same_player(a.player, player)), key=lambda a: a.seq))

    def standing_goals(self) -> tuple[ActionRecord, ...]:
        """The goals of play that stand, in order; a shootout's kicks are not among them."""
        records = (r for r in self.records.values() if r.is_standing and r.action.type == "Goal")
        return tuple(sorted((r for r in records if r.action.period is not Period.SHOOTOUT), key=lambda r: r.action.seq))

    @property
    def is_half_time(self) -> bool:
        """Tell whether the first half is over and the second has not begun."""
        return self.period is Period.FIRST_HALF and self.last_ended_period is Period.FIRST_HALF

    @property
    def is_completed(self) -> bool:
        """Tell whether the feed calls the match completed."""
        return self.status.casefold() == "completed"

    @property
    def is_lost(self) -> bool:
        """Tell whether the match, or its coverage, ended without full time."""
        return self.status.casefold() in LOST_STATUSES


class Moment(msgspec.Struct, frozen=True):
    """One step of a match: how it stood, what happened, how it stands. What rules are asked about."""

    before: Match
    action: Action
    after: Match
    is_news: bool = True
    """False: a repetition, or a revision older than one already known. The record may be corrected, nothing is told."""
    affected: tuple[ActionRecord, ...] = ()
    """Other actions that this one took back or restored."""
    coverage_change: Action | None = None
    """What changed in the coverage or the status of the match, as an action of its own; None for nearly every packet."""

    @property
    def record(self) -> ActionRecord | None:
        """What is now known of the action; None for one that is not remembered."""
        return self.after.records.get(self.action.id)


def _is_same_player(one: Player, other: Player) -> bool:
    return one.id == other.id if one.id and other.id else bool(one.name) and normalise(one.name) == normalise(other.name)


_PERIOD_ORDER = {period: number for number, period in enumerate(Period)}


def is_first_goal(moment: Moment) -> bool:
    """Tell whether the action is the earliest of the goals of play; a pending one is, where none stands before it."""
    goals = _list_goals(moment)
    return bool(goals) and goals[0].id == moment.action.id


def is_hat_trick(moment: Moment) -> bool:
    """Tell whether the action is its player's third goal of play; own goals do not count."""
    player = moment.action.player
    if player is None:
        return False
    own = [a for a in _list_goals(moment) if a.sub_type != "Own Goal" and a.player and _is_same_scorer(a.player, player)]
    return len(own) > 2 and own[2].id == moment.action.id


def is_comeback(moment: Moment) -> bool:
    """Tell whether the goal puts its team in front after it was behind, or level after it was two behind.

    How far behind counts from when it was last in front.
    """
    goals, side = _list_goals(moment), moment.action.side
    ids = [goal.id for goal in goals]
    if side is None or moment.action.id not in ids:
        return False
    ahead = behind = 0
    for goal in goals[: ids.index(moment.action.id)]:
        ahead += 1 if goal.side is side else -1
        behind = 0 if ahead > 0 else max(behind, -ahead)
    return (ahead == 0 and behind > 0) or (ahead == -1 and behind > 1)


def _list_goals(moment: Moment) -> list[Action]:
    """The standing goals of play in the order of play, with the action itself where it is one, pending or not.

    Revisions come late and out of order, so the minute decides; within a minute, what was heard of first.
    """
    records = moment.after.records.values()
    goals = [r.action for r in records if r.action.type == "Goal" and (r.is_standing or r.action.id == moment.action.id)]
    return sorted((a for a in goals if a.period is not Period.SHOOTOUT), key=_play_order)


def _play_order(action: Action) -> tuple[int, Minute]:
    return _PERIOD_ORDER[action.period], action.minute or Minute(0)


def _is_same_scorer(one: Player, other: Player) -> bool:
    return one.id == other.id if one.id and other.id else bool(one.name) and normalise(one.name) == normalise(other.name)


def update_colours(before: Colours, action: Action) -> Colours:
    """The colours after an action; what it does not tell stays as it was."""
    if action.type != "Team Colours" or action.send_type.is_retraction:
        return before
    told = {str(key).casefold(): value for key, value in action.metadata.items()}
    home, away = (_parse_colour(told.get(f"{side}teamcolour", told.get(f"{side}teamcolor"))) for side in Side)
    return Colours(home or before.home, away or before.away)


def _parse_colour(value: Any) -> Colour | None:
    """Read `5, 52, 13`; None for anything else."""
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else []
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and int(part) <= 255 for part in parts):
        return None
    return int(parts[0]), int(parts[1]), int(parts[2])
