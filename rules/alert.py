"""News for chats: what a rule made of an action."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping

import msgspec

from rules.action import Fixture
from rules.timeline import Timeline

KINDS = (
    "goal", "red_card", "yellow_card", "penalty", "shootout", "var",
    "kick_off", "half_time", "full_time", "substitution", "lineups", "status",
)  # fmt: skip
"""The kinds that the shipped rules use. A rule may name others: letters, digits and underscores."""

CARD, PICTURE = "card", "picture"
EXTRAS = (CARD, PICTURE)
"""The kinds that no rule makes, because they show how a match stands and not what happened: chats get them that ask by name."""
HALF_TIME_PICTURE, FULL_TIME_PICTURE = f"{PICTURE}:half_time", f"{PICTURE}:full_time"
SHOWN = (CARD, HALF_TIME_PICTURE, FULL_TIME_PICTURE)
"""What stands in the place of an action id in the keys of extras."""


class Importance(enum.StrEnum):
    """Major news rings, minor news is delivered silently."""

    MAJOR = "major"
    MINOR = "minor"


class State(enum.StrEnum):
    """Where the news stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    RETRACTED = "retracted"


class AlertKey(msgspec.Struct, frozen=True):
    """One action of one fixture is one message in one chat, revised."""

    fixture_id: str
    action_id: str


class Facts(msgspec.Struct, frozen=True):
    """What is so after the action, as plain text, unescaped; empty where the feed is silent.

    `match` is `Tottenham Hotspur 1–0 Leicester City`; its score is official: no pending goal is in it.
    """

    match: str = ""
    score: str = ""
    home: str = ""
    away: str = ""
    team: str = ""
    opponent: str = ""
    player: str = ""
    minute: str = ""
    period: str = ""
    competition: str = ""
    action_type: str = ""
    sub_action_type: str = ""
    side: str = ""
    kickoff: str = ""
    shootout: str = ""
    score_before: str = ""
    """The score when live data was last lost."""
    reason: str = ""
    """Why it was taken back, in the feed's words ("Offside"); empty when it gave none."""


class Compared(msgspec.Struct, frozen=True, array_like=True):
    """One condition of a rule: what it wanted and what there was."""

    key: str
    wanted: str
    seen: str
    holds: bool = True


class Alert(msgspec.Struct, frozen=True):
    """One revision of the news of one action, made by one rule.

    `text` is Telegram's HTML without any mark of its state. An empty one keeps the text that was told: in a retraction, which
    strikes it through, and in a follow-up whose rule is gone.
    `seq` orders the revisions of one key; `at` is the feed's instant; `max_age` is in seconds.
    """

    key: AlertKey
    seq: int
    state: State
    at: dt.datetime
    fixture: Fixture
    facts: Facts
    home: int = 0
    away: int = 0
    rule: str = ""
    kind: str = ""
    importance: Importance = Importance.MAJOR
    gravity: int = 0
    max_age: float = 300.0
    text: str = ""
    takes_back: str = ""
    """The action id that this news disallows: a chat that was told of that action hears of it there, not here."""
    follow_up: bool = False
    """True: only for chats that were told of this action before, by this rule."""
    timeline: Timeline | None = None
    """Of a picture: what it shows."""
    over: bool = False
    """Of a match card: the match is over, and nothing more is expected of it."""
    fault: str = ""
    """Why the rule's own text could not be used and a plain one stands in its place; empty when it could."""
    texts: Mapping[str, str] = {}
    """The text in other languages, by code; `text` is said in those that are not there."""
    because: Mapping[str, tuple[Compared, ...]] = {}
    """By rule, what its conditions compared when it was asked last; of a retraction, those of every rule that told the news."""
    received: float = 0.0
    """When the feed's frame came, in seconds since 1970; 0 where no frame brought it, or its instant is not known."""
