"""Scenarios as values: a match that is told in a few lines, its events, and the revisions of each."""

from __future__ import annotations

import datetime as dt
import uuid

import msgspec

from rules.football.action import Fixture, Side
from rules.football.lineups import Lineups
from rules.football.minute import Minute
from rules.football.timeline import EventKind
from rules.scenarios.listings import ListingChange, list_fixtures_in_time

# Ids of shipped scenarios are in recordings and golden files: another namespace would be other matches.
_NAMESPACE = uuid.UUID("5f0b1f3a-4b7e-5d0c-9a63-0d8c1f6f2b11")

SCENARIO_KINDS = tuple(kind for kind in EventKind if kind is not EventKind.DISALLOWED)
"""The words that a line may begin with, after its minute. A disallowed goal is a goal with that detail."""


class EventLifecycle(msgspec.Struct, frozen=True):
    """The later revisions of an event. Times are in seconds after the event; None: there is no such revision."""

    # These are the ways in which the feed may go (feed documentation, section 4.1), and what it is assumed to do besides.
    confirmed_after: int = 0
    """How long it is pending; 0 for an event that is confirmed at once."""
    sub_type: str = ""
    cancelled_after: int | None = None
    disallowed_after: int | None = None
    has_video_check: bool = False
    """True: a video check comes before the disallowance."""
    reason: str = ""
    """Why it is disallowed, such as `Offside`."""
    deleted_after: int | None = None
    restored_after: int | None = None
    correction: tuple[str, int] | None = None
    """The right player's name, and when the feed corrects it."""
    red_card_after: int | None = None
    """When a yellow card turns red."""
    is_sent_twice: bool = False
    """True: each revision of a penalty goal comes as a Penalty Scored, too."""
    is_one_action: bool = False
    """True: a substitution comes as one action that names both players, and not as two."""
    is_never_confirmed: bool = False
    """True: the feed leaves it pending for ever."""


class ScenarioEvent(msgspec.Struct, frozen=True):
    """One thing that happens in a scenario."""

    minute: Minute
    kind: EventKind  # one of `SCENARIO_KINDS`
    side: Side | None = None
    player: str = ""
    """The player's name; for `added time` the number of minutes, for `resumed` the hours since the match was abandoned."""
    replaced_player: str = ""
    """The player who goes off in a substitution; `player` comes on."""
    lifecycle: EventLifecycle = EventLifecycle()


class ScenarioKick(msgspec.Struct, frozen=True):
    """One kick of a shootout."""

    side: Side
    player: str
    outcome: str
    """`scored`, `saved` or `missed`."""


class Scenario(msgspec.Struct, frozen=True):
    """A match to be played: its fixture as it is listed at first, its events in order, and the kicks of a shootout."""

    fixture: Fixture
    events: tuple[ScenarioEvent, ...] = ()
    kicks: tuple[ScenarioKick, ...] = ()
    lineups: Lineups = Lineups()
    listings: tuple[ListingChange, ...] = ()
    """What changes in the list of fixtures before the match, in order."""

    @property
    def played_fixture(self) -> Fixture:
        """The fixture as it is listed in the end: with the kick-off at which it is played."""
        # Its id stays that of the first listing: a match that is moved is the same match.
        return next((fixture for _, fixture in reversed(self.relisted_fixtures)), self.fixture)

    @property
    def relisted_fixtures(self) -> tuple[tuple[dt.datetime, Fixture], ...]:
        """The fixture as it is listed after each change, with the instant of the change."""
        return tuple(list_fixtures_in_time(self.fixture, self.listings))


PERIOD_END_MINUTES = {
    EventKind.HALF_TIME: (45, 105),
    EventKind.EXTRA_TIME: (90,),
    EventKind.SHOOTOUT: (90, 120),
    EventKind.FULL_TIME: (90, 120),
}
"""The kinds of event that end a period, with the minutes in which they may."""

VIDEO_CHECK_DELAY = 10
"""Seconds from the confirmation of a goal to its video check."""

VIDEO_CHECK_DURATION = 60
"""Seconds from the beginning of a video check to its end."""


def make_id(*words: object) -> str:
    """Return an id that is the same for the same words in every process."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, words))))
