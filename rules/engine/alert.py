"""Alerts: one revision of one rule's news, with its facts.

The outbox stores alerts as JSON, which the old and the new process of an upgrade both read. So a renamed field keeps its stored
name, and values of enums do not change.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
from collections.abc import Mapping

import msgspec

from rules.football.action import Action, Fixture, SendType, Side
from rules.football.corrections.video_checks import find_check_outcome
from rules.football.fixture_changes import read_status_reason
from rules.football.lineups import Lineups
from rules.football.match import Moment, Score
from rules.football.match_facts import count_player_cards, count_player_goals, find_winner, list_scorers
from rules.football.minute import Period, read_added_minutes
from rules.football.names import isolate
from rules.football.relisting import COVERAGE_REDUCED, format_kickoff
from rules.football.substitutions import find_replaced_player
from rules.football.timeline import Timeline

SHIPPED_KINDS = (
    "goal", "red_card", "yellow_card", "penalty", "shootout", "var",
    "kick_off", "half_time", "full_time", "substitution", "lineups", "status", "fixture", "injury", "play",
)  # fmt: skip
"""The kinds that the rules of the packs use. A rule may name others, of letters, digits and underscores."""

DEFAULT_KINDS = frozenset({"goal", "red_card", "shootout", "full_time", "status", "fixture"})
"""The shipped kinds that a chat gets unless it says otherwise, whatever packs the rules extend.

It also gets the kinds that only an operator's own rules use.
"""

# Stored as kinds and in keys of news, and typed by people after /alerts: they do not change.
CARD, PICTURE = "card", "picture"

LIVE_MESSAGE_KINDS = (CARD, PICTURE)
"""Kinds that no rule makes, because they show how a match stands and not what happened. A chat gets them if it asks by name."""

HALF_TIME_PICTURE, FULL_TIME_PICTURE = f"{PICTURE}:half_time", f"{PICTURE}:full_time"

LIVE_MESSAGE_IDS = (CARD, HALF_TIME_PICTURE, FULL_TIME_PICTURE)
"""What the keys of cards and pictures have in place of an action id."""


class Importance(enum.StrEnum):
    """Major news is sent with sound, minor news is sent silently."""

    MAJOR = "major"
    MINOR = "minor"


class State(enum.StrEnum):
    """Whether the news is pending, confirmed or retracted."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    RETRACTED = "retracted"


class AlertKey(msgspec.Struct, frozen=True):
    """What all revisions of a message share: one action of one fixture is one message in a chat."""

    fixture_id: str
    action_id: str

    @property
    def trace_id(self) -> str:
        """Return the id of the alert in logs, the same in every process and for all of its revisions."""
        # Twelve hexadecimal digits: short enough for a line of a log, and enough that no two alerts share them.
        return hashlib.blake2b(f"{self.fixture_id}\t{self.action_id}".encode(), digest_size=6).hexdigest()


class Facts(msgspec.Struct, frozen=True):
    """The facts after the action, as plain text, unescaped; empty where the feed gives no value.

    These are the variables of alert texts, which operators write: no field is renamed. `match` is
    `Tottenham Hotspur 1–0 Leicester City`. For a goal the score is the one that it makes, pending or not, and for a kick of a
    shootout likewise. For anything else it is the official score, without pending goals.
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
    """Why the action was retracted, in the feed's words ("Offside"); empty where it gives no reason."""
    status_reason: str = ""
    """Why live data was lost or the match stopped, in the feed's words ("no signal"); empty where it gives no reason."""
    goal_score: str = ""
    """The score with the scoring side in brackets, `[1]–0`; without brackets for what is no goal, or has no side."""
    home_score: int = 0
    away_score: int = 0
    pending: bool = False
    """True while the feed has not confirmed the action."""
    outcome: str = ""
    """What a video check decided, such as `no goal`; empty for other actions, and where it is not known."""
    scorers: str = ""
    """At the end of a match or period: `Gayle 23', Pérez 59', 63' (pen.) · Hazard 70'`; empty where a scorer is unknown."""
    winner: str = ""
    """At the end of a match: the team that won, on penalties too; empty after a draw."""
    after_extra_time: bool = False
    """True if extra time was played."""
    winner_score: str = ""
    """At the end of a match: the score with the winner's goals first, `6–5` of a shootout; empty after a draw."""
    venue: str = ""
    player_off: str = ""
    """In a substitution: the player who goes off, while `player` comes on; empty where the feed does not name him."""
    added_time: str = ""
    """The minutes that are added to a period, for `Added Time`; empty where the feed does not say."""
    home_lineup: str = ""
    """For `Lineups`: `4-3-3: 22 Raya, 8 Ødegaard (c), …`; empty where the feed does not name the players."""
    away_lineup: str = ""
    minute_number: int = 0
    """The minute without added time, as a number: 90 of 90+3; 0 where there is none."""
    added: int = 0
    """The minutes of added time: 3 of 90+3."""
    player_goals: int = 0
    """How many goals of play the player has so far, this one included; own goals do not count."""
    player_cards: int = 0
    """How many cards the player has so far, this one included."""
    kickoff_date: str = ""
    """Date and time of the kick-off, `2026-08-22 14:00 UTC`; each chat sees it in its language and time zone."""
    kickoff_before: str = ""
    """The same of the kick-off that chats knew before it was moved; else empty."""
    venue_before: str = ""
    """Where the match was to be played, for `Venue Changed`; else empty."""
    coverage: str = ""
    """How the feed covers the match, in its words; empty where it does not say."""
    coverage_before: str = ""
    """The coverage before it was reduced, for `Coverage Reduced`; else empty."""


class ConditionResult(msgspec.Struct, frozen=True, array_like=True):
    """One condition of a rule: what it expects, and what the moment shows."""

    # Stored with alerts as an array: the order of the fields counts, and a new one comes last with a default.
    key: str
    expected: str
    actual: str
    holds: bool = True
    groups: tuple[tuple[ConditionResult, ...], ...] = ()
    """The conditions inside `any`, `all` or `not`; empty for others, and in stored alerts."""


class Alert(msgspec.Struct, frozen=True):
    """One revision of the news of one action, made by one rule.

    `text` is Telegram's HTML without any mark of its state. An empty text keeps the text that was sent: in a retraction, which
    strikes it through, and in a follow-up whose rule is gone.
    `seq` orders the revisions of one key; `at` is the feed's timestamp; `max_age` is in seconds.
    """

    key: AlertKey
    seq: int
    state: State
    at: dt.datetime
    fixture: Fixture
    facts: Facts
    # From here on each field has a default, also those that come later: an alert of an older version has to be read.
    home_score: int = msgspec.field(default=0, name="home")
    away_score: int = msgspec.field(default=0, name="away")
    rule: str = ""
    kind: str = ""
    importance: Importance = Importance.MAJOR
    severity: int = msgspec.field(default=0, name="gravity")
    max_age: float = 300.0  # five minutes, as for a rule that does not set it
    text: str = ""
    disallows_action: str = msgspec.field(default="", name="takes_back")
    """The id of the action that this one disallows: a chat that has a message about that action gets a retraction instead."""
    is_follow_up: bool = msgspec.field(default=False, name="follow_up")
    """True: only for chats that have a message about this action by this rule."""
    timeline: Timeline | None = None
    """What a picture or a card shows; None for other alerts."""
    rich_texts: Mapping[str, str] = msgspec.field(default_factory=dict, name="rich")
    """Of a match card, by language: its content as a rich message."""
    is_match_over: bool = msgspec.field(default=False, name="over")
    """True for the last revision of a match card: the match is over."""
    text_error: str = msgspec.field(default="", name="fault")
    """Why the rule's own text could not be rendered and `text` is a plain one; empty when it could."""
    texts: Mapping[str, str] = {}
    """The text in other languages, by code; `text` is sent in those that are not there."""
    conditions: Mapping[str, tuple[ConditionResult, ...]] = msgspec.field(default_factory=dict, name="because")
    """By rule, the results of its conditions when it was last evaluated; in a retraction of every rule that sent the news."""
    received_at: float = msgspec.field(default=0.0, name="received")
    """When the feed's frame arrived, in seconds since 1970; 0 where no frame brought the alert, or its time is not known."""
    is_delayed: bool = msgspec.field(default=False, name="delayed")
    """True: the feed collected the action offline, so that it is no live news: never loud, and marked."""
    feed_trace_id: str = msgspec.field(default="", name="feed_trace")
    """The feed's own id of the packet that brought this revision, for its support; empty where no packet did."""


def make_facts(moment: Moment, reason: str = "") -> Facts:
    """Return the facts after the action of a moment. `reason` says why the action was retracted."""
    # Each once: the scores are worked out at each access, by a walk through all goals.
    action, record, match, score, shootout = moment.action, moment.record, moment.after, moment.score, moment.shootout
    fixture = match.fixture
    team = fixture.team(action.side).name if action.side else ""
    ahead = find_winner(match) if action.type == "End Match" else None
    # What is known of few types is looked for with those alone: facts are made for every alert.
    replaced = find_replaced_player(match, action)
    added = read_added_minutes(action.metadata, action.sub_type) if action.type == "Added Time" else None
    lineups = match.lineups if action.type == "Lineups" else Lineups()
    return Facts(
        match=format_scoreline(fixture, score, shootout),
        score=str(score),
        home=fixture.home.name,
        away=fixture.away.name,
        # The fixture's name of the team; the packet's own before the fixture knows it.
        team=team or (action.team.name if action.team else ""),
        opponent=fixture.team(action.side.other).name if action.side else "",
        player=action.player.name if action.player else "",
        minute=str(action.minute or ""),
        period="" if action.period is Period.BEFORE else action.period.value,
        competition=fixture.competition.name,
        venue=fixture.venue,
        minute_number=action.minute.base if action.minute else 0,
        added=action.minute.added if action.minute else 0,
        player_goals=count_player_goals(match, action),
        player_cards=count_player_cards(match, action),
        action_type=action.type,
        sub_action_type=action.sub_type,
        side=action.side or "",
        kickoff=f"{fixture.kickoff:%H:%M} UTC" if fixture.kickoff and fixture.is_kickoff_known else "",
        shootout=str(shootout or ""),
        score_before=str(match.score_when_coverage_lost),
        reason=reason,
        status_reason=read_status_reason(action),
        goal_score=_format_goal_score(moment, score),
        home_score=score.home,
        away_score=score.away,
        pending=action.send_type is SendType.PENDING,
        outcome=find_check_outcome(match, record) if record and action.type == "Video Check Over" else "",
        scorers=list_scorers(match) if action.type in ("End Match", "End Period") else "",
        winner=fixture.team(ahead).name if ahead else "",
        after_extra_time=Period.EXTRA_FIRST in match.played_periods,
        winner_score=str(shootout or score if ahead is Side.HOME else (shootout or score).swapped()) if ahead else "",
        player_off=replaced.name if replaced else "",
        added_time=str(added or ""),
        home_lineup=str(lineups.home),
        away_lineup=str(lineups.away),
        kickoff_date=format_kickoff(fixture),
        kickoff_before=_read_text(action, "kickoffBefore"),
        venue_before=_read_text(action, "venueBefore"),
        coverage=fixture.coverage_level,
        coverage_before=_read_text(action, "coverageLevel") if action.type == COVERAGE_REDUCED else "",
    )


def _read_text(action: Action, key: str) -> str:
    """Return a text of the metadata; empty for anything else, because any action may come from the feed."""
    value = action.metadata.get(key, "")
    return value if isinstance(value, str) else ""


def _format_goal_score(moment: Moment, score: Score) -> str:
    """Return the score with the scoring side in brackets, without them for a goal that is retracted or has no side."""
    record, side = moment.record, moment.action.side
    is_goal = moment.action.type == "Goal" and moment.action.period is not Period.SHOOTOUT
    if not is_goal or side is None or record is None or record.is_retracted:
        return str(score)
    return f"[{score.home}]–{score.away}" if side is Side.HOME else f"{score.home}–[{score.away}]"


def format_scoreline(fixture: Fixture, score: Score, shootout: Score | None = None) -> str:
    """Return a line such as `Germany 1–1 (6–5 pens) Italy`; the score alone before the teams are known."""
    kicks = f"({shootout} pens)" if shootout else ""
    return " ".join(filter(None, (isolate(fixture.home.name), str(score), kicks, isolate(fixture.away.name))))
