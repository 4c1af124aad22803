"""The news of one action, and how a revision changes it; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from rules.engine.alert import LIVE_MESSAGE_KINDS, Alert, AlertKey, ConditionResult, Importance, State

LIVE_MESSAGE_PRIORITY = 3
"""The priority of match cards and pictures: everything that happened goes first."""

LEAST_URGENT_PRIORITY = 1
"""The last priority of urgent news, which is reached even when the sender's memory is full of other news."""

BURSTS = "bursts"
"""Stands in the place of a fixture id: a burst digest has lines of several matches. Also the reason of its alert."""

SAMPLE = "sample"
"""The fixture id, rule and kind of the alert that `/test` sends."""

RETRACTED_SUFFIX = "\t"
"""The end of the name of a line that a burst shows struck through."""


class NewsItem(msgspec.Struct, frozen=True, dict=True):
    """The news of one action as it stands: the alternatives of its latest revision, of which each chat gets one at most.

    `first_fired_at` says by rule when it first fired, in seconds since 1970. `line_ids` are the actions of a digest.
    `digest_id` is the action id of the digest of missed alerts that contains this news. `is_missed`: some chat did not get it
    in time.
    """

    key: AlertKey
    seq: int
    state: State
    alternatives: tuple[Alert, ...]
    first_fired_at: Mapping[str, float] = {}
    line_ids: tuple[str, ...] = ()
    is_missed: bool = False
    digest_id: str = ""
    priority: int = 0
    stored_at: float = 0.0
    """When this revision was committed, in seconds since 1970; 0 if that is not known."""

    @property
    def is_live_message(self) -> bool:
        """Return True for match cards and pictures, which show how a match stands and not what happened."""
        return self.alternatives[0].kind in LIVE_MESSAGE_KINDS

    # Asked several times for every chat.
    @cached_property
    def firing_alternatives(self) -> tuple[Alert, ...]:
        """Return what rules say of this revision: no retractions, and nothing that only corrects messages already sent."""
        return tuple(a for a in self.alternatives if not a.is_follow_up and a.state is not State.RETRACTED)

    @property
    def conditions(self) -> dict[str, tuple[ConditionResult, ...]]:
        """Return what each rule's conditions compared when the rule was last evaluated."""
        return {rule: results for alert in self.alternatives for rule, results in alert.conditions.items()}


class NewsRevision(msgspec.Struct, frozen=True):
    """News after a revision. `restarts_fanout`: chats that did not get it may want it now, so all are asked again."""

    news: NewsItem
    restarts_fanout: bool


def revise(previous: NewsItem | None, alerts: Sequence[Alert]) -> NewsRevision | None:
    """Apply the alternatives of one key's revision. None if it is not newer, or retracts what was never sent."""
    first = alerts[0]
    # A packet that is read again after a reconnect or by another process changes nothing.
    if previous is not None and first.seq <= previous.seq:
        return None
    state, priority = find_state(alerts), find_priority(alerts)
    if previous is None:
        news = NewsItem(first.key, first.seq, state, tuple(alerts), priority=priority)
        news = msgspec.structs.replace(news, first_fired_at=_update_first_fired_at(None, news))
        # A retraction of something that no rule ever fired for has nobody to reach.
        return NewsRevision(news, True) if news.firing_alternatives else None
    alternatives = tuple(_keep_known_conditions(alert, previous) for alert in alerts)
    news = msgspec.structs.replace(previous, seq=first.seq, state=state, alternatives=alternatives, priority=priority)
    news = msgspec.structs.replace(news, first_fired_at=_update_first_fired_at(previous, news))
    return NewsRevision(news, _must_restart_fanout(previous, news))


def find_state(alerts: Sequence[Alert]) -> State:
    """Return the state of the news: that of the rules that fire, or of what corrects messages already sent."""
    return next((a.state for a in alerts if not a.is_follow_up), alerts[0].state)


def find_priority(alerts: Sequence[Alert]) -> int:
    """Return the place among all that waits, 0 first: major goals, other major news and retractions, minor news, cards."""
    # The most urgent alternative decides: the news is one row, with one priority for all chats.
    return min(_find_alert_priority(alert) for alert in alerts)


def _find_alert_priority(alert: Alert) -> int:
    if alert.kind in LIVE_MESSAGE_KINDS:
        return LIVE_MESSAGE_PRIORITY
    # Goals before everything: in a broadcast to many chats the order decides who knows minutes earlier.
    if alert.kind == "goal" and alert.importance is Importance.MAJOR:
        return 0
    return 1 if alert.importance is Importance.MAJOR or alert.state is State.RETRACTED else 2


def _update_first_fired_at(previous: NewsItem | None, news: NewsItem) -> dict[str, float]:
    """Return by rule when it first fired. Alerts expire by this time, not by that of their latest revision."""
    before = dict(previous.first_fired_at) if previous else {}
    # A confirmation is news again for chats that wait for confirmations: its time starts anew.
    is_confirmation = previous is not None and previous.state is State.PENDING and news.state is State.CONFIRMED
    kept = {} if is_confirmation else before
    return before | {a.rule: kept.get(a.rule, a.at.timestamp()) for a in news.firing_alternatives}


def _keep_known_conditions(alert: Alert, previous: NewsItem) -> Alert:
    """Return the alert with the conditions known before, if it has none: no rule is asked about a retraction."""
    if alert.conditions or not (before := previous.conditions):
        return alert
    kept = {rule: results for rule, results in before.items() if alert.rule in ("", rule)}
    return msgspec.structs.replace(alert, conditions=kept)


def _must_restart_fanout(previous: NewsItem, news: NewsItem) -> bool:
    """Return True if a chat that did not want the news before may want it now: other rules fire, or its state changed."""
    if not news.firing_alternatives or news.digest_id:
        return False
    # The kinds decide who wants it. A changed text alone reaches those who have it by the second walk.
    before, now = ([(a.rule, a.kind) for a in one.firing_alternatives] for one in (previous, news))
    return before != now or previous.state is not news.state


def is_burst(key: AlertKey) -> bool:
    """Return True for the digest of a burst."""
    return key.fixture_id == BURSTS


def format_line_name(line: NewsItem, digest_key: AlertKey) -> str:
    """Return how a delivery stores a line of a digest. In a burst it names the match too, and whether the line is retracted."""
    suffix = RETRACTED_SUFFIX if line.state is State.RETRACTED else ""
    return f"{line.key.fixture_id}\t{line.key.action_id}{suffix}" if is_burst(digest_key) else line.key.action_id


def parse_line_name(name: str, digest_key: AlertKey) -> AlertKey:
    """Return the key of a stored line of a digest."""
    fixture_id, _, action_id = name.removesuffix(RETRACTED_SUFFIX).rpartition("\t")
    return AlertKey(fixture_id or digest_key.fixture_id, action_id)
