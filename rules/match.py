"""A match in play as a value: its score, its periods, what is known of each key action, and one step of it.

The score that a chat reads is official: no pending goal is in it, a shootout is kept apart (feed documentation, section 14).
"""

from __future__ import annotations

import msgspec

from rules.action import Action, Fixture, Player, Side
from rules.colours import Colours
from rules.fold import fold
from rules.minute import Minute, Period

LOST = frozenset({"abandoned", "cancelled", "postponed", "suspended", "unverified"})
"""Statuses in which the end of a match is no full time."""


class Score(msgspec.Struct, frozen=True):
    """Goals of both sides."""

    home: int = 0
    away: int = 0

    def __str__(self) -> str:
        return f"{self.home}–{self.away}"

    def of(self, side: Side) -> int:
        """Goals of one side."""
        return self.home if side is Side.HOME else self.away

    def less(self, side: Side) -> Score:
        """One goal fewer on a side, never below zero."""
        return Score(max(0, self.home - (side is Side.HOME)), max(0, self.away - (side is Side.AWAY)))

    def gained(self, before: Score) -> Side | None:
        """The side that has exactly one goal more than before; None where none or both do."""
        home, away = self.home - before.home == 1, self.away - before.away == 1
        return None if home == away else Side.HOME if home else Side.AWAY

    def lost(self, before: Score) -> Side | None:
        """The side that has exactly one goal fewer than before; None where none or both do."""
        return before.gained(self)


class Record(msgspec.Struct, frozen=True):
    """What is known of one key action: its latest revision and whether it counts."""

    action: Action
    credited: Side | None = None
    """The side that gets the goal."""
    counted: Side | None = None
    """While pending: the side on which the feed's summary counts it already."""
    taken_back: bool = False
    taken_back_by: str = ""
    """The action that disallowed it; empty when the feed took it back by its own revision."""

    @property
    def stands(self) -> bool:
        """Tell whether it happened and was not taken back."""
        return self.action.send_type.stands and not self.taken_back


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
    records: dict[str, Record] = {}
    board: Score = Score()
    """What the feed's summary shows for the period in play: pending goals may be in it."""
    raw: Score = Score()
    score_when_lost: Score = Score()
    """The score when live data was last lost."""
    colours: Colours = Colours()
    periods: tuple[Period, ...] = ()
    """The periods that were played or are in play, as they came."""
    ended: Period | None = None
    """The latest period that the feed ended by an action of its own; None before."""

    def booked(self, player: Player) -> tuple[Action, ...]:
        """The cards that the player has been shown and that stand, in order."""
        cards = (r.action for r in self.records.values() if r.stands and r.action.type in ("Yellow Card", "Red Card"))
        return tuple(sorted((a for a in cards if a.player and _same(a.player, player)), key=lambda a: a.seq))

    def goals(self) -> tuple[Record, ...]:
        """The goals of play that stand, in order; a shootout's kicks are not among them."""
        records = (r for r in self.records.values() if r.stands and r.action.type == "Goal")
        return tuple(sorted((r for r in records if r.action.period is not Period.SHOOTOUT), key=lambda r: r.action.seq))

    @property
    def at_half_time(self) -> bool:
        """Tell whether the first half is over and the second has not begun."""
        return self.period is Period.FIRST_HALF and self.ended is Period.FIRST_HALF

    @property
    def completed(self) -> bool:
        """Tell whether the feed calls the match completed."""
        return self.status.casefold() == "completed"

    @property
    def lost(self) -> bool:
        """Tell whether the match, or its coverage, ended without full time."""
        return self.status.casefold() in LOST


class Moment(msgspec.Struct, frozen=True):
    """One step of a match: how it stood, what happened, how it stands. What rules are asked about."""

    before: Match
    action: Action
    after: Match
    news: bool = True
    """False: a repetition, or a revision older than one already known. The record may be corrected, nothing is told."""
    settled: tuple[Record, ...] = ()
    """Other actions that this one took back or restored."""
    coverage: Action | None = None
    """What changed in the coverage or the status of the match, as an action of its own; None for nearly every packet."""

    @property
    def record(self) -> Record | None:
        """What is now known of the action; None for one that is not remembered."""
        return self.after.records.get(self.action.id)


def _same(one: Player, other: Player) -> bool:
    return one.id == other.id if one.id and other.id else bool(one.name) and fold(one.name) == fold(other.name)
