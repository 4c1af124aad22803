"""A match as a value, and one step of it. What rules ask of them is in `match_facts.py`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from rules.football.action import Action, Fixture, SendType, Side
from rules.football.colours import Colours
from rules.football.lineups import Lineups
from rules.football.minute import PERIOD_ORDER, Minute, Period
from rules.football.statuses import find_status


class Score(msgspec.Struct, frozen=True):
    """Goals of both sides."""

    home: int = 0
    away: int = 0

    def __str__(self) -> str:
        return f"{self.home}–{self.away}"  # an en dash, by which `Wording.format_score` finds the scores in a text

    def goals_of(self, side: Side) -> int:
        """Return the goals of one side."""
        return self.home if side is Side.HOME else self.away

    def plus_one(self, side: Side) -> Score:
        """Return the score with one goal more on a side."""
        return Score(self.home + (side is Side.HOME), self.away + (side is Side.AWAY))

    def minus_one(self, side: Side) -> Score:
        """Return the score with one goal fewer on a side, never below zero."""
        return Score(max(0, self.home - (side is Side.HOME)), max(0, self.away - (side is Side.AWAY)))

    def swapped(self) -> Score:
        """Return the score as the away team's fans say it."""
        return Score(self.away, self.home)

    def find_scoring_side(self, before: Score) -> Side | None:
        """Return the side that has more goals than before; None if neither or both do."""
        # More than one where a packet between was lost: the score still shows whose goal this is.
        home, away = self.home > before.home, self.away > before.away
        return None if home == away else Side.HOME if home else Side.AWAY


class ActionRecord(msgspec.Struct, frozen=True):
    """What is known of one remembered action: its latest revision, and whether it counts."""

    action: Action
    credited: Side | None = None
    """The side that gets the goal."""
    counted: Side | None = None
    """While pending: the side on which the feed's summary already counts the goal; None where it does not yet."""
    is_retracted: bool = False
    retracted_by: str = ""
    """The id of the action that disallowed it, or `score` where only the score took it back.

    Empty when the feed retracted it by a revision of its own.
    """
    is_shown: bool = False
    """True once the feed's score has risen with a revision of this very goal."""
    repeats: str = ""
    """The id of the goal or sending-off that this action reports a second time; empty for every other action."""
    settled_at: int = 0
    """The number of the packet that began the break at which the action was settled while pending; 0 for nearly every action."""
    was_remembered: bool = False
    """True if the latest revision has a type that is not remembered, and an earlier one had: the record stays."""
    own: ActionRecord | None = None
    """What the action's own revisions say, where other actions report the same thing; None where none does."""

    @property
    def is_standing(self) -> bool:
        """Return True if the action happened, is not retracted, and does not repeat another."""
        return self.action.send_type.is_standing and not self.is_retracted and not self.repeats

    @property
    def is_pending(self) -> bool:
        """Return True if the action awaits confirmation, is not retracted, and does not repeat another."""
        return self.action.send_type is SendType.PENDING and not self.is_retracted and not self.repeats


def is_struck_as_unconfirmed(record: ActionRecord | None) -> bool:
    """Return True if an action was pending up to a break in play, and was struck there."""
    return record is not None and bool(record.settled_at) and record.is_retracted and record.action.send_type is SendType.PENDING


_NO_PLACE = Decimal(0)


def order_of_play(goal: Action) -> tuple[int, Minute, Decimal]:
    """Return the key that sorts goals in the order of play.

    Revisions come late and out of order, so the minute decides, not the sequence number; within a minute the feed's own order
    (section 7). Sorting is stable: where the feed gives none, the goals stay in the order in which it first sent them.
    """
    return PERIOD_ORDER[goal.period], goal.minute or Minute(0), goal.timeline or _NO_PLACE


class UnshownGoal(msgspec.Struct, frozen=True):
    """The doubt about a standing goal that the score does not show any more."""

    since: dt.datetime
    has_lasted: bool = False
    """True once the doubt is old enough not to be a flap of the score."""


class UncountedChange(msgspec.Struct, frozen=True):
    """A goal that the feed's score has not counted yet (`by` 1), or still counts though it was taken back (-1)."""

    side: Side
    by: int
    since: dt.datetime
    is_kick: bool = False
    """True for a kick of a shootout."""


class Match(msgspec.Struct, frozen=True):
    """Everything that the packets so far say of one match."""

    # Stored as JSON in snapshots. A changed field is a new format (`bot/matches/snapshots.py`), after which a restart reads the
    # feed from its start.
    fixture: Fixture
    score: Score = Score()
    """The official score: without pending goals and without the shootout."""
    shootout: Score | None = None
    period: Period = Period.BEFORE
    minute: Minute | None = None
    clock: int = 0
    """Elapsed seconds, as the feed counts them."""
    status: str = ""
    collection_status: str = ""
    seq: int = 0
    """The highest sequence number so far."""
    ended_by: str = ""
    """The action id of the end of the match; empty while it runs."""
    records: dict[str, ActionRecord] = {}
    """The remembered actions by id, in the order in which the feed first sent them.

    Never changed in place: a step that changes no record keeps the very dictionary, and what is costly asks for that first.
    """
    displayed_score: Score = Score()
    """What the feed's summary shows for the period in play: pending goals may be in it."""
    summary_score: Score = Score()
    """What the feed's summary shows for the match without the shootout: pending goals may be in it."""
    score_when_coverage_lost: Score = Score()
    """The score when live data was last lost."""
    is_cut_off: bool = False
    """True while chats have the alert that Touchline itself gets no data of this match."""
    cut_offs: int = 0
    """How often `is_cut_off` became true: part of the alert's id, so that each loss is an alert of its own."""
    colours: Colours = Colours()
    lineups: Lineups = Lineups()
    played_periods: tuple[Period, ...] = ()
    """The periods that were played or are in play, in the order in which the feed sent them."""
    last_ended_period: Period | None = None
    """The latest period that the feed ended by an action of its own; None before."""
    highest_score: Score = Score()
    """The most goals that the official score has shown for each side."""
    unshown_goals: dict[str, UnshownGoal] = {}
    """By action id, the standing goals that the score does not show any more."""
    uncounted: dict[str, UncountedChange] = {}
    """By action id, what the feed's score is behind with; the oldest first."""
    alert_numbers: dict[str, int] = {}
    """By action id, the number of its latest alert, where that is higher than the number of any packet so far."""

    def list_standing_goals(self) -> tuple[ActionRecord, ...]:
        """Return the standing goals of play, in order; the kicks of a shootout are not among them."""
        records = (r for r in self.records.values() if r.is_standing and r.action.type == "Goal")
        return tuple(sorted((r for r in records if r.action.period is not Period.SHOOTOUT), key=lambda r: r.action.seq))

    def score_made_by(self, goal: ActionRecord) -> Score:
        """Return the score that a goal makes, if it stands: of play, or for a kick of a shootout the shootout's.

        For a goal that is retracted this is the official score.
        """
        is_kick = goal.action.period is Period.SHOOTOUT
        score = (self.shootout or Score()) if is_kick else self.score
        if goal.is_retracted:
            return score
        # The official score counts every goal that stands and none that is pending. This goal and those before it count
        # whether they are confirmed or not; those after it do not, so that a late correction of the first goal's scorer does
        # not give its message the score of the second.
        goals = [r for r in self.records.values() if r.action.type == "Goal" and not r.is_retracted and not r.repeats]
        goals = sorted(
            (r for r in goals if (r.action.period is Period.SHOOTOUT) is is_kick), key=lambda r: order_of_play(r.action)
        )
        place = next((number for number, one in enumerate(goals) if one.action.id == goal.action.id), len(goals))
        for number, one in enumerate(goals):
            if one.credited is None:
                continue  # nobody knows on which side it counts
            if doubt := self.unshown_goals.get(one.action.id):
                # The score leaves it out. Up to a minute that may be a flap, in which the goal counts for those after it too.
                if number == place or (number < place and not doubt.has_lasted):
                    score = score.plus_one(one.credited)
                continue
            if number <= place and not one.is_standing:
                score = score.plus_one(one.credited)
            elif number > place and one.is_standing:
                score = score.minus_one(one.credited)
        return score

    @property
    def coverage_level(self) -> str:
        """How the feed covers the match, in the words of `COVERAGE_LEVELS`; empty where it does not say."""
        return self.fixture.coverage_level

    @property
    def is_half_time(self) -> bool:
        """Return True if the first half is over and the second has not begun."""
        # The period of the match stays the first half until a packet of the second comes.
        return self.period is Period.FIRST_HALF and self.last_ended_period is Period.FIRST_HALF

    @property
    def is_completed(self) -> bool:
        """Return True if the feed's status says that the match is completed."""
        return self.status.casefold() == "completed"

    @property
    def has_begun(self) -> bool:
        """Return True if the match has kicked off."""
        # The fixtures API can call a match completed of which no packet came, and whose period is still "before".
        return self.period is not Period.BEFORE or self.is_completed

    @property
    def is_lost(self) -> bool:
        """Return True if the match, or its coverage, ended without full time."""
        return find_status(self.status).is_lost

    @property
    def is_suspended(self) -> bool:
        """Return True if play is interrupted and may go on."""
        return find_status(self.status).is_suspended


class Moment(msgspec.Struct, frozen=True):
    """One step of a match: the match before, what happened, and the match after. Rules are evaluated against it."""

    before: Match
    action: Action
    after: Match
    is_news: bool = True
    """False for a repetition, and for a revision older than one already known: these correct the record and send nothing."""
    affected: tuple[ActionRecord, ...] = ()
    """The other actions that this one retracted or restored."""
    settled: tuple[ActionRecord, ...] = ()
    """The actions that were pending until this break in play: retracted as never confirmed, or confirmed by the score."""
    coverage_change: Action | None = None
    """What changed in the coverage or the status of the match, as an action of its own; None for nearly every packet."""

    @property
    def record(self) -> ActionRecord | None:
        """The action's record after this step; None for an action that is not remembered."""
        return self.after.records.get(self.action.id)

    @property
    def score(self) -> Score:
        """The score of play that alerts show and conditions compare: for a goal the one that it makes, pending or not.

        For any other action, a kick of a shootout among them, it is the official score after it.
        """
        goal = self._find_goal()
        return self.after.score if goal is None or goal.action.period is Period.SHOOTOUT else self.after.score_made_by(goal)

    @property
    def shootout(self) -> Score | None:
        """The score of the shootout, with the acting kick, pending or not; None before a shootout."""
        goal = self._find_goal()
        return (
            self.after.shootout if goal is None or goal.action.period is not Period.SHOOTOUT else self.after.score_made_by(goal)
        )

    def _find_goal(self) -> ActionRecord | None:
        # The goal that counts in the score of this moment; a retracted one makes none.
        record = self.record if self.action.type == "Goal" else None
        return None if record is None or record.is_retracted else record
