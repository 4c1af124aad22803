"""Decides whether a chat is notified of a news item, and why; pure."""

from __future__ import annotations

import datetime as dt

import msgspec

from bot.outbox.delivery import Delivery, DeliveryStatus, Reason
from bot.outbox.news import NewsItem
from bot.subscribers import Chat
from rules.engine.alert import Alert, State


class Decision(msgspec.Struct, frozen=True):
    """Why, and which alternative the chat hears or sees now; None where it hears nothing."""

    reason: Reason
    alert: Alert | None = None

    @property
    def is_visible(self) -> bool:
        """Tell whether the chat hears or sees something."""
        return self.alert is not None


def decide(delivery: Delivery | None, news: NewsItem, chat: Chat, now: dt.datetime, *, superseded: bool = False) -> Decision:
    """Decide for one chat. `entry` is None where the chat was never considered for this action."""
    if delivery is not None and delivery.is_sent:
        return _decide_revision(delivery, news, chat)
    decision = _decide_first_message(delivery, news, chat, now, superseded)
    return (
        Decision(Reason.POSTPONED)
        if news.is_live_message and decision.reason in (Reason.MUTED, Reason.HELD_FOR_QUIET_HOURS)
        else decision
    )


def _decide_first_message(delivery: Delivery | None, news: NewsItem, chat: Chat, now: dt.datetime, superseded: bool) -> Decision:
    alert = choose_first_alert(news, chat)
    if not news.firing_alternatives:
        return Decision(Reason.SUPERSEDED)
    if alert is None:
        return Decision(Reason.NOT_WANTED)
    if not news.line_ids and (waits := _find_missing_detail(alert, chat)):
        return Decision(waits)
    if superseded:
        return Decision(Reason.SUPERSEDED)
    if delivery is not None and delivery.status is DeliveryStatus.DROPPED and _stays_dropped(delivery, alert):
        return Decision(Reason(delivery.reason))
    if news.key.fixture_id in chat.muted_matches or (chat.muted_until is not None and now < chat.muted_until):
        return Decision(Reason.MUTED)
    if is_expired(news, alert, now, chat.delay):
        return Decision(Reason.EXPIRED)
    if not news.line_ids and chat.held_until(now):
        return Decision(Reason.HELD_FOR_QUIET_HOURS)
    if _joins_burst(delivery, news, chat, now):
        return Decision(Reason.HELD_FOR_BURST)
    return Decision(Reason.DELAYED if delivery is None and chat.delay else Reason.FIRST, alert)


def _find_missing_detail(alert: Alert, chat: Chat) -> Reason | None:
    """What the chat waits for; None where it hears news as it is."""
    if not (chat.waits or chat.scorers or chat.ears):
        return None
    confirmed = alert.state is not State.PENDING
    if not chat.ready(alert.kind, confirmed=confirmed, named=True):
        return Reason.UNCONFIRMED
    return None if chat.ready(alert.kind, confirmed=confirmed, named=bool(alert.facts.player)) else Reason.SCORER_UNKNOWN


def _stays_dropped(delivery: Delivery, alert: Alert) -> bool:
    """Once muted, held, grouped or too old, the same news stays untold; another rule's news about the action is new."""
    return (
        delivery.reason in (Reason.MUTED, Reason.EXPIRED, Reason.HELD_FOR_QUIET_HOURS, Reason.HELD_FOR_BURST)
        and delivery.rule == alert.rule
    )


def _joins_burst(delivery: Delivery | None, news: NewsItem, chat: Chat, now: dt.datetime) -> bool:
    """Tell whether news is held for a burst; what waits already leaves by itself, so that its own window does not hold it."""
    if not chat.bursts:
        return False
    single = delivery is not None and delivery.status is not DeliveryStatus.DROPPED
    return not (single or news.line_ids or news.is_live_message) and chat.burst_end(now.timestamp()) is not None


def _decide_revision(delivery: Delivery, news: NewsItem, chat: Chat) -> Decision:
    alert = choose_revision(delivery, news, chat)
    if alert is None or news.seq <= delivery.seq:
        return Decision(Reason.DUPLICATE)
    taken_back = alert.state is State.RETRACTED
    if taken_back and delivery.state is not State.RETRACTED:
        return Decision(Reason.RETRACTION, alert)
    if not taken_back and delivery.state is State.RETRACTED:
        return Decision(Reason.RESTORATION, alert)
    if not taken_back and alert.severity > delivery.severity:
        return Decision(Reason.UPGRADED, alert)
    return Decision(Reason.REVISION, alert)


def is_expired(news: NewsItem, alert: Alert, now: dt.datetime, delay: int = 0) -> bool:
    """Tell whether this is not news any more, counted from when its rule first made it."""
    born = news.first_fired_at.get(alert.rule, alert.at.timestamp())
    return now.timestamp() - born > alert.max_age + delay


def choose_first_alert(news: NewsItem, chat: Chat) -> Alert | None:
    """The first alternative whose kind the chat takes; a summary is chosen line by line later."""
    return next((a for a in news.firing_alternatives if news.line_ids or chat.takes(a.kind)), None)


def choose_revision(delivery: Delivery, news: NewsItem, chat: Chat) -> Alert | None:
    """What a chat that was told sees now, whatever it takes: who got the news gets the correction.

    The rule that told it speaks again if it fires; else the first that the chat takes; else the first that fires; else the words
    for those who were told before.
    """
    fired, others = news.firing_alternatives, [a for a in news.alternatives if a.is_follow_up or a.state is State.RETRACTED]
    choices = [a for a in fired if a.rule == delivery.rule]
    choices += [a for a in fired if chat.takes(a.kind)]
    choices += fired
    choices += [a for a in others if a.rule == delivery.rule]
    return next(iter(choices + others), None)
