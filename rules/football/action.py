"""What the feed says and what Touchline makes of it: packets, actions, fixtures and their statuses."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import msgspec

from rules.football.minute import Minute, Period, parse_period
from rules.football.statuses import find_status


class SendType(enum.StrEnum):
    """Where a revision of an action stands (feed documentation, section 4).

    Only the word counts: the published samples give one `sendTypeId` two meanings (section 4.2).
    """

    PENDING = "Pending"
    CONFIRMED = "Confirmed"
    UPDATED = "Updated"
    DELETED = "Deleted"
    CANCELLED = "Cancelled"
    OTHER = "Other"

    @classmethod
    def parse(cls, word: str) -> SendType:
        """Return the send type for the feed's word, in any letter case; `OTHER` for an unknown word."""
        return _SEND_TYPES_BY_WORD.get(word.strip().lower(), cls.OTHER)

    @property
    def is_standing(self) -> bool:
        """Return True if the feed says that the action happened."""
        # Updated also restores what was Deleted (section 4.1).
        return self in (SendType.CONFIRMED, SendType.UPDATED)

    @property
    def is_retraction(self) -> bool:
        """Return True if the feed says that the action did not happen after all."""
        return self in (SendType.DELETED, SendType.CANCELLED)


# The documentation writes Cancelled, and its samples do not keep to one spelling in other places (section 10.12).
_SEND_TYPES_BY_WORD = {send_type.lower(): send_type for send_type in SendType} | {"canceled": SendType.CANCELLED}


class Side(enum.StrEnum):
    """Home or away."""

    HOME = "home"
    AWAY = "away"

    @property
    def other(self) -> Side:
        """The opponent's side."""
        return Side.AWAY if self is Side.HOME else Side.HOME


# One type for both: teams and competitions are named, told apart and looked for alike.
class Team(msgspec.Struct, frozen=True):
    """A team or a competition; `id` is empty where only its name is known."""

    id: str = ""
    name: str = ""
    detail: str = ""
    """What distinguishes it from others of the same name, such as `England` or `U21 Women`; empty where the feed does not say."""

    @property
    def qualified_name(self) -> str:
        """`Premier League (England)`; empty without a `detail`."""
        return f"{self.name} ({self.detail})" if self.name and self.detail else ""


class Player(msgspec.Struct, frozen=True):
    """A player; `id` is empty where only the name is known."""

    id: str = ""
    name: str = ""


class Fixture(msgspec.Struct, frozen=True):
    """A scheduled game.

    `home` and `away` are empty teams until a packet says which team is at home: the order of the fixture's `teams` does not say
    it (feed documentation, section 9.1). `kickoff` is in UTC; `is_kickoff_known` is False where only its date is.
    """

    id: str
    home: Team = Team()
    away: Team = Team()
    competition: Team = Team()
    kickoff: dt.datetime | None = None
    status: str = "Scheduled"
    collection_status: str = ""
    name: str = ""
    # The outbox stores fixtures as JSON: a renamed field keeps its stored name.
    is_deleted: bool = msgspec.field(default=False, name="deleted")
    is_kickoff_known: bool = msgspec.field(default=True, name="kickoff_known")
    venue: str = ""
    coverage_level: str = msgspec.field(default="", name="coverage")
    """One of `COVERAGE_LEVELS`, or the feed's own word; empty where it does not say."""

    def team(self, side: Side) -> Team:
        """Return the team that plays on a side."""
        return self.home if side is Side.HOME else self.away

    @property
    def is_over(self) -> bool:
        """Return True if there is nothing to connect to."""
        return find_status(self.status).is_over

    @property
    def is_live(self) -> bool:
        """Return True if the fixture has a stream now."""
        return find_status(self.status).is_live

    @property
    def is_lost(self) -> bool:
        """Return True if the fixture is over without a full time."""
        return find_status(self.status).is_lost

    @property
    def title(self) -> str:
        """`Arsenal v Chelsea`; the feed's own name for the fixture while a team is unknown."""
        # In this form a rule names a match (`fixture: Arsenal v Chelsea`), whatever the language of a chat.
        return f"{self.home.name} v {self.away.name}" if self.home.name and self.away.name else self.name


class PeriodScore(msgspec.Struct, frozen=True):
    """One element of the summary's `periods` (feed documentation, section 3.3).

    `home` and `away` count all goals up to the end of the period, `home_in_period` and `away_in_period` those scored in it.
    None where the packet does not say.
    """

    id: int
    label: str = ""
    type: str = ""
    home: int | None = None
    away: int | None = None
    home_in_period: int | None = None
    away_in_period: int | None = None
    is_ended: bool = False

    @property
    def period(self) -> Period:
        """The period that the feed's words and the id mean."""
        return parse_period(self.type, self.label, self.id)


class Summary(msgspec.Struct, frozen=True):
    """The state of the match after a packet (feed documentation, section 3.3); None where the packet does not say."""

    home: int | None = None
    away: int | None = None
    period_id: int | None = None
    status: str = ""
    collection_status: str = ""
    clock: int | None = None
    periods: tuple[PeriodScore, ...] = ()  # in the order of play; the current one may be missing (section 11, sample I)


class Packet(msgspec.Struct, frozen=True):
    """One decoded frame of data: a revision of an action in the feed's own words, and the summary after it.

    `at` is the feed's timestamp in UTC; `clock` and the summary's are seconds; `seq` is None where the feed gives none.
    `is_delayed` marks what a scorer collected offline, `is_finished` the last packet of a match or of its coverage.
    """

    # feed/decode builds packets by position, because it is on the hot path: append fields, never reorder them.
    fixture_id: str
    action_id: str
    type: str
    send_type: SendType
    at: dt.datetime
    sub_type: str = ""
    seq: int | None = None
    period_id: int = 0
    clock: int = 0
    team: Team | None = None
    team_side: Side | None = None
    player: Player | None = None
    related: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}  # msgspec gives each packet an empty dictionary of its own
    is_delayed: bool = False
    is_finished: bool = False
    summary: Summary = Summary()
    send_type_word: str = ""
    """The feed's word where `send_type` is OTHER; else empty."""
    trace_id: str = ""
    """The feed's own id of the packet, for logs of trouble."""
    timeline: Decimal | None = None
    """The place in the order of play (section 7): compared only, never computed with. None where the feed gives none."""


class Action(msgspec.Struct, frozen=True):
    """A revision of an action in Touchline's own words: canonical names, period, minute and side resolved against its match.

    For a goal, `side` and `team` are those that get the goal, also when it is an own goal.
    """

    fixture_id: str
    id: str
    type: str
    sub_type: str
    send_type: SendType
    seq: int
    at: dt.datetime
    period: Period
    minute: Minute | None = None
    side: Side | None = None
    team: Team | None = None
    player: Player | None = None
    related: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    is_delayed: bool = False
    may_repeat: bool = False
    """True: the feed calls it by a name such as Penalty Scored, and may report the same thing by a second action, a Goal."""
    timeline: Decimal | None = None
    """The place in the order of play, for actions of one minute; None where the feed gives none."""
    is_sub_type_of_name: bool = False
    """True: the feed says the sub type by the name of the type, such as `Own Goal` for a goal."""
