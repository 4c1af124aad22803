"""One revision of one rule's news, with its facts."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping

import msgspec

from rules.football.action import Fixture, Side
from rules.football.match import Match, Moment
from rules.football.minute import Period
from rules.football.names import isolate
from rules.football.timeline import Timeline

SHIPPED_KINDS = (
    "goal", "red_card", "yellow_card", "penalty", "shootout", "var",
    "kick_off", "half_time", "full_time", "substitution", "lineups", "status",
)  # fmt: skip
"""The kinds that the shipped rules use. A rule may name others: letters, digits and underscores."""

CARD, PICTURE = "card", "picture"

LIVE_MESSAGE_KINDS = (CARD, PICTURE)
"""The kinds that no rule makes, because they show how a match stands and not what happened: chats get them that ask by name."""

HALF_TIME_PICTURE, FULL_TIME_PICTURE = f"{PICTURE}:half_time", f"{PICTURE}:full_time"

LIVE_MESSAGE_IDS = (CARD, HALF_TIME_PICTURE, FULL_TIME_PICTURE)
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


class ConditionResult(msgspec.Struct, frozen=True, array_like=True):
    """One condition of a rule: what it wanted and what there was."""

    key: str
    expected: str
    actual: str
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
    home_score: int = msgspec.field(default=0, name="home")
    away_score: int = msgspec.field(default=0, name="away")
    rule: str = ""
    kind: str = ""
    importance: Importance = Importance.MAJOR
    severity: int = msgspec.field(default=0, name="gravity")
    max_age: float = 300.0
    text: str = ""
    disallows_action: str = msgspec.field(default="", name="takes_back")
    """The action id that this news disallows: a chat that was told of that action hears of it there, not here."""
    is_follow_up: bool = msgspec.field(default=False, name="follow_up")
    """True: only for chats that were told of this action before, by this rule."""
    timeline: Timeline | None = None
    """Of a picture: what it shows."""
    is_match_over: bool = msgspec.field(default=False, name="over")
    """Of a match card: the match is over, and nothing more is expected of it."""
    text_error: str = msgspec.field(default="", name="fault")
    """Why the rule's own text could not be used and a plain one stands in its place; empty when it could."""
    texts: Mapping[str, str] = {}
    """The text in other languages, by code; `text` is said in those that are not there."""
    conditions: Mapping[str, tuple[ConditionResult, ...]] = msgspec.field(default_factory=dict, name="because")
    """By rule, what its conditions compared when it was asked last; of a retraction, those of every rule that told the news."""
    received_at: float = msgspec.field(default=0.0, name="received")
    """When the feed's frame came, in seconds since 1970; 0 where no frame brought it, or its instant is not known."""


def facts_of(moment: Moment, reason: str = "") -> Facts:
    """What is so after the action, in words; empty where the feed is silent."""
    action, match = moment.action, moment.after
    fixture = match.fixture
    return Facts(
        match=scoreline(match),
        score=str(match.score),
        home=fixture.home.name,
        away=fixture.away.name,
        team=_team_name(match, action.side) or (action.team.name if action.team else ""),
        opponent=_team_name(match, action.side.other) if action.side else "",
        player=action.player.name if action.player else "",
        minute=str(action.minute or ""),
        period="" if action.period is Period.BEFORE else action.period.value,
        competition=fixture.competition.name,
        action_type=action.type,
        sub_action_type=action.sub_type,
        side=action.side or "",
        kickoff=f"{fixture.kickoff:%H:%M} UTC" if fixture.kickoff and fixture.is_kickoff_known else "",
        shootout=str(match.shootout or ""),
        score_before=str(match.score_when_coverage_lost),
        reason=reason,
    )


def scoreline(match: Match) -> str:
    """`Germany 1–1 (6–5 pens) Italy`; before the teams are known, the score alone."""
    kicks = f"({match.shootout} pens)" if match.shootout else ""
    return " ".join(filter(None, (isolate(match.fixture.home.name), str(match.score), kicks, isolate(match.fixture.away.name))))


def _team_name(match: Match, side: Side | None) -> str:
    return match.fixture.team(side).name if side else ""
