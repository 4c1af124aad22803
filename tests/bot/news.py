"""Alerts, chats and entries for tests, with everything left out that a test does not speak of."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bot.outbox.delivery import Delivery
from bot.outbox.news import NewsItem
from bot.subscribers import AlertFilter, Chat, ChatRef
from rules.engine.alert import CARD, LIVE_MESSAGE_KINDS, Alert, AlertKey, Facts, Importance, State
from tests.packets import FIXTURE

NOW = dt.datetime(2026, 8, 15, 14, 30, tzinfo=dt.UTC)
KEY = AlertKey(FIXTURE.id, "g")
REF = ChatRef(7)
LIVE_KINDS = frozenset(LIVE_MESSAGE_KINDS)
CHAT = Chat(REF, filter=AlertFilter(all_kinds=True))


def alert(seq: int = 1, text: str = "goal", state: State = State.CONFIRMED, **more: Any) -> Alert:
    """A revision; `action=` names another action than `g`."""
    facts = more.pop("facts", Facts(match="Arsenal 1–0 Chelsea", action_type="Goal"))
    named: dict[str, Any] = {"rule": "goals", "kind": "goal", "severity": 2, "at": NOW} | more
    key = AlertKey(FIXTURE.id, named.pop("action", KEY.action_id))
    return Alert(key, seq, state, fixture=FIXTURE, facts=facts, text=text, **named)


def pending(seq: int = 1, text: str = "goal", **more: Any) -> Alert:
    """A revision that awaits confirmation."""
    return alert(seq, text, State.PENDING, **more)


def retracted(seq: int = 2, **more: Any) -> Alert:
    """What the feed takes back."""
    facts = Facts(match="Arsenal 0–0 Chelsea", action_type="Goal", reason=more.pop("reason", ""))
    named: dict[str, Any] = {"rule": "", "kind": "", "severity": 0} | more
    return alert(seq, "", State.RETRACTED, facts=facts, **named)


def minor(seq: int = 1, text: str = "yellow", **more: Any) -> Alert:
    """A yellow card."""
    named: dict[str, Any] = {"rule": "yellows", "kind": "yellow_card", "severity": 1, "importance": Importance.MINOR}
    return alert(seq, text, **(named | more))


def match_card(text: str = "0–0", **more: Any) -> Alert:
    """How the match stands."""
    return minor(1, text, action=CARD, rule=CARD, kind=CARD, max_age=3600.0, **more)


def news(*alerts: Alert, **more: Any) -> NewsItem:
    """The news that these alternatives are, made by their rules when they say."""
    first = alerts[0]
    fired_at = {a.rule: a.at.timestamp() for a in alerts}
    return NewsItem(first.key, first.seq, first.state, alerts, **({"first_fired_at": fired_at} | more))


def delivered(by: Alert, **more: Any) -> Delivery:
    """What a chat has seen once it was told."""
    seen: dict[str, Any] = {"rule": by.rule, "kind": by.kind, "severity": by.severity, "seq": by.seq, "body": by.text}
    seen |= {"state": by.state, "is_loud": by.importance is Importance.MAJOR, "message_id": 1}
    return Delivery(by.key, REF, **(seen | more))
