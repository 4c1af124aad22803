"""The news of one action, and how a revision changes it; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from rules.engine.alert import LIVE_MESSAGE_KINDS, Alert, AlertKey, ConditionResult, Importance, State


class NewsItem(msgspec.Struct, frozen=True):
    """The news of one action as it stands: the alternatives of its latest revision.

    `born` is, by rule, when it first made this news; `lines` are the actions that a summary tells; `summary` names the summary
    that told this action; `missed`: some chat did not hear of it in time.
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
    """When this revision was committed, in seconds since 1970; 0 where that is not known."""

    @property
    def is_live_message(self) -> bool:
        """Tell whether it shows how a match stands, and not what happened: a match card or a picture."""
        return self.alternatives[0].kind in LIVE_MESSAGE_KINDS

    @property
    def firing_alternatives(self) -> tuple[Alert, ...]:
        """The alternatives that rules made of this revision: neither taken back nor only for those told before."""
        return tuple(a for a in self.alternatives if not a.is_follow_up and a.state is not State.RETRACTED)

    @property
    def conditions(self) -> dict[str, tuple[ConditionResult, ...]]:
        """By rule, what its conditions compared when it was asked last."""
        return {rule: compared for alert in self.alternatives for rule, compared in alert.conditions.items()}


class NewsRevision(msgspec.Struct, frozen=True):
    """`anew`: chats that were passed over may hear of it now, so that the audience is walked from its start."""

    news: NewsItem
    restarts_fanout: bool


def revise(previous: NewsItem | None, alerts: Sequence[Alert]) -> NewsRevision | None:
    """Take the alternatives of one key's revision; None where it is not new, or takes back what was never made."""
    first = alerts[0]
    state = state_of(alerts)
    if previous is not None and first.seq <= previous.seq:
        return None
    if previous is None:
        made = NewsItem(first.key, first.seq, state, tuple(alerts), priority=priority_of(alerts))
        made = msgspec.structs.replace(made, first_fired_at=_update_first_fired_at(None, made))
        return NewsRevision(made, True) if made.firing_alternatives else None
    candidates = tuple(_keep_known_conditions(alert, previous) for alert in alerts)
    news = msgspec.structs.replace(previous, seq=first.seq, state=state, alternatives=candidates, priority=priority_of(alerts))
    news = msgspec.structs.replace(news, first_fired_at=_update_first_fired_at(previous, news))
    return NewsRevision(news, _must_restart_fanout(previous, news))


def state_of(alerts: Sequence[Alert]) -> State:
    """Where the news stands: as the rules that fire say, or those for chats told before."""
    return next((a.state for a in alerts if not a.is_follow_up), alerts[0].state)


def priority_of(alerts: Sequence[Alert]) -> int:
    """The place among all that waits: major goals, other major and taken back news, minor news, cards and pictures."""
    return min(_priority_of_alert(alert) for alert in alerts)


def _priority_of_alert(alert: Alert) -> int:
    if alert.kind in LIVE_MESSAGE_KINDS:
        return LIVE_MESSAGE_PRIORITY
    if alert.kind == "goal" and alert.importance is Importance.MAJOR:
        return 0
    return 1 if alert.importance is Importance.MAJOR or alert.state is State.RETRACTED else 2


def _update_first_fired_at(previous: NewsItem | None, news: NewsItem) -> dict[str, float]:
    """When each rule first made this news. What becomes official is news again for who was not told."""
    before = dict(previous.first_fired_at) if previous else {}
    official = previous is not None and previous.state is State.PENDING and news.state is State.CONFIRMED
    kept = {} if official else before
    return before | {a.rule: kept.get(a.rule, a.at.timestamp()) for a in news.firing_alternatives}


def _keep_known_conditions(alert: Alert, previous: NewsItem) -> Alert:
    """What the rules compared stays known where the news is taken back, and where the rule itself is gone."""
    if alert.conditions or not (before := previous.conditions):
        return alert
    kept = {rule: compared for rule, compared in before.items() if alert.rule in ("", rule)}
    return msgspec.structs.replace(alert, conditions=kept)


def _must_restart_fanout(previous: NewsItem, news: NewsItem) -> bool:
    if not news.firing_alternatives or news.digest_id:
        return False
    choices = [[(a.rule, a.kind) for a in one.firing_alternatives] for one in (previous, news)]
    return choices[0] != choices[1] or previous.state is not news.state


LIVE_MESSAGE_PRIORITY = 3
"""The rank of match cards and pictures: everything that happened goes first."""

BURSTS = "bursts"
"""Stands in the place of a fixture: a burst is of several. Also the reason of its summary."""

_RETRACTED_SUFFIX = "\t"


def is_burst(key: AlertKey) -> bool:
    """Tell whether news is a burst."""
    return key.fixture_id == BURSTS


def format_line_name(line: NewsItem, digest_key: AlertKey) -> str:
    """How a summary remembers one of its lines; a burst names the match too, and whether the line is struck."""
    struck = _RETRACTED_SUFFIX if line.state is State.RETRACTED else ""
    return f"{line.key.fixture_id}\t{line.key.action_id}{struck}" if is_burst(digest_key) else line.key.action_id


def parse_line_name(name: str, digest_key: AlertKey) -> AlertKey:
    """The line that a summary remembers."""
    fixture_id, _, action_id = name.removesuffix(_RETRACTED_SUFFIX).rpartition("\t")
    return AlertKey(fixture_id or digest_key.fixture_id, action_id)


SAMPLE = "sample"
"""Its fixture, its rule and its kind."""
