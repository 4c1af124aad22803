"""The state of each match (score, scorers, stage), stored with its alerts, for messages that show it.

Digests of missed and held news, and the message to a chat that subscribes in mid-match, show a score that belongs to no single
alert. It is read when the message is sent, and again when a goal that the message counted is retracted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from sqlalchemy import bindparam, select

from bot.outbox.delivery import Delivery
from bot.outbox.digests import DIGEST_KIND
from bot.outbox.news import BURSTS, NewsItem
from bot.storage.database import upsert
from bot.storage.driver import Transaction
from bot.storage.schema import match_states, to_timestamp
from bot.subscribers import MAX_DELAY, ChatRef
from rules.engine.alert import Alert, AlertKey, Facts, Importance, State, format_scoreline
from rules.football.corrections.rewind import keep_score, list_goal_ids, rewind_to_goals
from rules.football.match import Match
from rules.football.match_facts import list_scorers
from rules.football.statuses import find_status
from rules.football.timeline import Stage, determine_stage

STATE_PREFIX = "state:"
"""The prefix of the action id of the message that shows a new subscriber the state of a match. It is stored."""

_STATE_LINES = ("*",)
"""The line ids of such a message: like a digest, it is about no action of its own and waits for no other news."""

_STATE_PRIORITY = 2

_STATE_MAX_AGE = 600.0
"""Seconds after which such a message is not sent any more: by then the chat knows the match from its alerts."""

_MAX_STATE_AGE = MAX_DELAY + 30.0
"""Seconds for which earlier states are kept for chats with a delay: a little more than the longest delay."""

_SHOWN_MARK = "0//"
"""The prefix of a stored `ShownState`. A reader of subjects takes it for a subject without side and severity."""


class StoredState(msgspec.Struct, frozen=True, array_like=True):
    """The state of a match from `at` on, in seconds since 1970."""

    at: float
    match: Match
    seq: int = 0
    """The sequence number of the last packet that the state includes."""


_STATES_DECODER = msgspec.json.Decoder(tuple[StoredState, ...])

_SELECT_STATES = select(match_states.c.body).where(match_states.c.fixture_id == bindparam("of_fixture"))

_UPSERT_STATES = upsert(match_states)


async def read_match_states(tx: Transaction, fixture_id: str) -> tuple[StoredState, ...]:
    """Return the states of a match in the last minutes, the latest last; empty if none is stored."""
    rows = await tx.fetch(_SELECT_STATES, {"of_fixture": fixture_id})
    try:
        return _STATES_DECODER.decode(rows[0]["body"]) if rows else ()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ()  # Written by another version in another form: messages then show the score of their latest news.


async def store_match_state(tx: Transaction, match: Match, now: dt.datetime) -> bool:
    """Store the state of a match now. Return True if messages that show an earlier state may have become wrong.

    The caller has locked the news of the match.
    """
    at, state = to_timestamp(now), keep_score(match)
    states = await read_match_states(tx, match.fixture.id)
    # A match that is read again from its start passes through old scores.
    if states and (states[-1].match == state or match.seq < states[-1].seq):
        return False
    # The latest outdated state is kept: a chat with the longest delay still sees it.
    outdated = [one for one in states if one.at < at - _MAX_STATE_AGE]
    kept = (*outdated[-1:], *states[len(outdated) :], StoredState(at, state, match.seq))
    body = msgspec.json.encode(kept).decode()
    await tx.execute(_UPSERT_STATES, {"fixture_id": match.fixture.id, "body": body, "updated_at": at})
    return bool(states) and _needs_correction(states[-1].match, state)


def _needs_correction(before: Match, after: Match) -> bool:
    """Return True if a shown state became wrong: a goal was retracted or restored, or a match is not over after all."""
    now = rewind_to_goals(after, list_goal_ids(before))
    if any(one in before.records and before.records[one].is_retracted for one in list_goal_ids(after)):
        return True  # a goal that stands again
    if (before.score, list_scorers(before)) != (now.score, list_scorers(now)):
        return True
    if before.shootout is not None and before.shootout != now.shootout:
        return True
    stage = find_stage(before)
    return _is_final(stage) and stage != find_stage(after)


def select_state(states: Sequence[StoredState], delay: int, now: dt.datetime) -> Match | None:
    """Return how the match stands for a chat with a delay (in seconds); None if it is not known."""
    until = to_timestamp(now) - delay
    seen = [one.match for one in states if one.at <= until]
    # A chat whose delay reaches back behind all that is known sees the oldest.
    return seen[-1] if seen else states[0].match if states else None


def find_stage(match: Match) -> str:
    """Return where a match stands beside its minute, as an English term: `half time`, `full time`, `abandoned`; else empty."""
    stage = determine_stage(match)
    status = find_status(match.status)
    if status.news or status.is_suspended:
        return status.name.lower()
    # The list of fixtures may call a match completed before the feed has sent its end.
    if stage is Stage.FULL_TIME:
        return "full time" if match.ended_by and not match.is_lost else ""
    return "half time" if stage is Stage.HALF_TIME else ""


class ShownState(msgspec.Struct, frozen=True):
    """What a message showed of a match when it was sent: the stage, whether there was a shootout, and the goals it counted."""

    stage: str
    has_shootout: bool
    goal_ids: tuple[str, ...]

    @classmethod
    def of(cls, match: Match) -> ShownState:
        """Return what a message that is sent now shows."""
        return cls(find_stage(match), match.shootout is not None, list_goal_ids(match))

    @classmethod
    def parse(cls, text: str) -> ShownState | None:
        """Read what `str` wrote; None for a message that showed no state, or is from an earlier version."""
        if not text.startswith(_SHOWN_MARK):
            return None
        stage, shootout, *goal_ids = text.removeprefix(_SHOWN_MARK).split("\n")
        return cls(stage, shootout == "1", tuple(goal_ids))

    def __str__(self) -> str:
        """The form in which a delivery stores it, in place of an alert's subject."""
        return _SHOWN_MARK + "\n".join((self.stage, str(int(self.has_shootout)), *self.goal_ids))


def shows_match_state(news: NewsItem) -> bool:
    """Return True for a message that shows the state of one match: its digest, or the message to a new subscriber."""
    return bool(news.line_ids) and news.key.fixture_id != BURSTS


def is_state_message(key: AlertKey) -> bool:
    """Return True for the message that shows a new subscriber the state of a match."""
    return key.action_id.startswith(STATE_PREFIX)


def make_state_news(ref: ChatRef, match: Match, name: str, now: dt.datetime) -> NewsItem:
    """Make the message that shows a chat the state of a match. `name` identifies the request."""
    # A hash of the chat's id, because the news is kept longer than the data of a chat that erases them.
    request = blake2b(f"{ref.chat_id}:{ref.topic}:{name}".encode(), digest_size=12).hexdigest()
    key = AlertKey(match.fixture.id, f"{STATE_PREFIX}{request}")
    facts = Facts(home=match.fixture.home.name, away=match.fixture.away.name, minute=str(match.minute or ""))
    made = Alert(key, 1, State.CONFIRMED, now, match.fixture, facts, kind=DIGEST_KIND, importance=Importance.MINOR)
    made = _with_state(msgspec.structs.replace(made, max_age=_STATE_MAX_AGE), keep_score(match), find_stage(match))
    return NewsItem(key, 1, made.state, (made,), {"": now.timestamp()}, _STATE_LINES, priority=_STATE_PRIORITY)


def renew_state_news(news: NewsItem) -> NewsItem:
    """Return the message as a new revision, because the state that it shows has changed."""
    alert = msgspec.structs.replace(news.alternatives[0], seq=news.seq + 1)
    return msgspec.structs.replace(news, seq=alert.seq, alternatives=(alert,))


def fill_in_match_state(news: NewsItem, match: Match, delivery: Delivery) -> tuple[NewsItem, ShownState]:
    """Return a message with the state of the match to show in it, and that state as the delivery stores it.

    A message that was sent keeps showing the moment when it was sent: without later goals, and without goals retracted since.
    """
    shown = ShownState.parse(delivery.subject) if delivery.is_sent else None
    stage = find_stage(match)
    if shown is None:
        shown = ShownState.of(match)
    else:
        match = rewind_to_goals(match, shown.goal_ids)
        match = match if shown.has_shootout else msgspec.structs.replace(match, shootout=None)
        # A half time that was shown stays. A match that was shown as over may be in play again.
        stage = stage if _is_final(shown.stage) else shown.stage
    (alert,) = news.alternatives
    return msgspec.structs.replace(news, alternatives=(_with_state(alert, match, stage),)), shown


def _is_final(stage: str) -> bool:
    return stage not in ("", "half time", "suspended")


def _with_state(alert: Alert, match: Match, stage: str) -> Alert:
    """Return an alert with the score, scorers and stage of a match among its facts."""
    facts = msgspec.structs.replace(
        alert.facts,
        match=format_scoreline(match.fixture, match.score, match.shootout),
        score=str(match.score),
        shootout=str(match.shootout or ""),
        home=match.fixture.home.name,
        away=match.fixture.away.name,
        period=stage,
        scorers=list_scorers(match),
    )
    return msgspec.structs.replace(
        alert, fixture=match.fixture, facts=facts, home_score=match.score.home, away_score=match.score.away
    )
