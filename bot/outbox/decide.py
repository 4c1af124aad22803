"""Decides whether a chat is notified of a news item, and why; pure.

It is asked twice: by the fan-out for each chat that follows the match, and again by the sender when the message's turn has
come. Much may have changed in between: the news, the chat's settings, the time.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from bot.outbox.delivery import Delivery, DeliveryContext, DeliveryStatus, Reason, Subject
from bot.outbox.news import SAMPLE, NewsItem, is_burst
from bot.subscribers import Chat, Recipient
from rules.engine.alert import Alert, Importance, State


class Decision(msgspec.Struct, frozen=True):
    """Why a chat is notified or not, and of which alternative; None if of nothing."""

    reason: Reason
    alert: Alert | None = None

    @property
    def is_visible(self) -> bool:
        """Return True if the chat sees something of it: a message, an edit or a reply."""
        return self.alert is not None


def decide(
    delivery: Delivery | None, news: NewsItem, recipient: Recipient, now: dt.datetime, *, is_superseded: bool = False
) -> Decision:
    """Decide for one chat. `delivery` is None if the chat was never considered for this action.

    `is_superseded`: the news disallows an action that the chat has a message about. The correction of that message says it.
    """
    if delivery is not None and delivery.is_sent:
        revision = choose_revision(delivery, news, recipient)
        # The same revision again, after a restart or from a second walk: the chat shows it already.
        if revision is None or news.seq <= delivery.seq:
            return Decision(Reason.DUPLICATE)
        return Decision(_classify_revision(delivery, revision), revision)
    decision = _decide_first_message(delivery, news, recipient, now, is_superseded)
    # A card shows how the match stands and is as good later: it is not dropped, but sent when the mute or the quiet hours end.
    if news.is_live_message and decision.reason in (Reason.MUTED, Reason.HELD_FOR_QUIET_HOURS):
        return Decision(Reason.POSTPONED)
    return decision


def _decide_first_message(
    delivery: Delivery | None, news: NewsItem, recipient: Recipient, now: dt.datetime, is_superseded: bool
) -> Decision:
    """Decide for a chat that has seen nothing of it. The first reason that applies is the one that `/why` and metrics show."""
    alert, chat = choose_first_alert(news, recipient), recipient.chat
    # Retracted before the chat got it: there is nothing to correct.
    if not news.firing_alternatives:
        return Decision(Reason.SUPERSEDED)
    if alert is None:
        return Decision(Reason.NOT_WANTED)
    # A digest is never pending: its lines were confirmed when it was made.
    if not news.line_ids and news.key.fixture_id != SAMPLE and (missing := _find_missing_detail(alert, recipient)):
        return Decision(missing)
    if is_superseded:
        return Decision(Reason.SUPERSEDED)
    if delivery is not None and delivery.status is DeliveryStatus.DROPPED and _stays_dropped(delivery, alert):
        return Decision(Reason(delivery.reason))
    # Mutes and quiet hours are asked here only, before the first message: corrections of alerts already sent still arrive.
    if news.key.fixture_id in chat.list_muted_matches(now) or (chat.muted_until is not None and now < chat.muted_until):
        return Decision(Reason.MUTED)
    # Behind mutes: what a mute dropped is not missed news, and belongs into no "While the connection was down".
    if is_expired(news, alert, now, chat.delay):
        return Decision(Reason.EXPIRED)
    if not news.line_ids and chat.quiet_hold_ends_at(now):
        return Decision(Reason.HELD_FOR_QUIET_HOURS)
    if _joins_burst(delivery, news, chat, now):
        return Decision(Reason.HELD_FOR_BURST)
    return Decision(Reason.DELAYED if delivery is None and chat.delay else Reason.FIRST, alert)


def _find_missing_detail(alert: Alert, recipient: Recipient) -> Reason | None:
    """Return what the chat waits for: a confirmation, or the name of the scorer. None if it takes the news as it is."""
    confirmed = alert.state is not State.PENDING
    if not recipient.is_ready(alert.kind, confirmed=confirmed, named=True):
        return Reason.UNCONFIRMED
    return None if recipient.is_ready(alert.kind, confirmed=confirmed, named=bool(alert.facts.player)) else Reason.SCORER_UNKNOWN


def _stays_dropped(delivery: Delivery, alert: Alert) -> bool:
    """Return True if a revision changes nothing for a chat whose delivery was dropped. Another rule's alert is news again."""
    is_final = delivery.reason in (Reason.MUTED, Reason.EXPIRED, Reason.HELD_FOR_QUIET_HOURS, Reason.HELD_FOR_BURST)
    return is_final and delivery.rule == alert.rule


def _joins_burst(delivery: Delivery | None, news: NewsItem, chat: Chat, now: dt.datetime) -> bool:
    """Return True if the news is held, to be sent in one message with what else comes within seconds."""
    if not chat.digests:
        return False
    # What waits by itself opened the window, or came before it: its own window must not hold it.
    waits_alone = delivery is not None and delivery.status is not DeliveryStatus.DROPPED
    return not (waits_alone or news.line_ids or news.is_live_message) and chat.digest_window_ends_at(now.timestamp()) is not None


def _classify_revision(delivery: Delivery, alert: Alert) -> Reason:
    """Return what a revision changes for a chat that has a message about it."""
    if alert.state is State.RETRACTED:
        return Reason.REVISION if delivery.state is State.RETRACTED else Reason.RETRACTION
    # By what the chat shows, not by the revision before: it may never have seen that one. Before the restoration, so that a red
    # card that was taken back and stands again as a yellow one is announced as a change.
    if is_other_news(delivery, alert):
        return Reason.CHANGED
    return Reason.RESTORATION if delivery.state is State.RETRACTED else Reason.REVISION


def is_other_news(delivery: Delivery, alert: Alert) -> bool:
    """Return True if a standing revision is about something else than the message that the chat has."""
    # An alert whose rule is gone has no text, and no severity of its own.
    if alert.text and alert.severity != delivery.severity:
        return True
    return Subject.parse(delivery.subject).has_changed_to(Subject.of(alert))


def is_next_loud(delivery: Delivery, news: NewsItem) -> bool:
    """Return True if what a chat gets next about a message that it has will be loud: a reply that waits, or one that will follow.

    It gives the delivery its place among what waits for the chat. Its sound is decided when it leaves.
    """
    if delivery.pending_reply is not None:
        return delivery.reply_is_loud
    # Which of its lines was retracted is known only when it is planned.
    if is_burst(news.key):
        return delivery.is_loud
    alert = choose_revision(delivery, news, None)
    reason = _classify_revision(delivery, alert) if alert and news.seq > delivery.seq else Reason.DUPLICATE
    if alert and reason is Reason.CHANGED:
        return delivery.is_loud or alert.importance is Importance.MAJOR
    return delivery.is_loud and reason in (Reason.RETRACTION, Reason.RESTORATION)


def make_burst_line(context: DeliveryContext, now: dt.datetime) -> Delivery | None:
    """Return the delivery held for a burst, but for its due time; None if its message has to leave by itself.

    Merged is what the limits keep back: first messages that would leave silently now.
    """
    delivery, news, recipient = context.delivery, context.news, context.recipient
    if delivery.is_sent or delivery.is_uncertain or news.line_ids or news.is_live_message:
        return None
    alert = decide(delivery, news, recipient, now, is_superseded=context.is_superseded).alert
    if alert is None or recipient.is_alert_loud(alert):
        return None
    # Dropped and not deleted: the delivery still says that a later revision has to reach this chat.
    reason = Reason.HELD_FOR_BURST.value
    return msgspec.structs.replace(
        delivery, status=DeliveryStatus.DROPPED, reason=reason, rule=alert.rule, severity=alert.severity, is_loud=False
    )


def is_expired(news: NewsItem, alert: Alert, now: dt.datetime, delay: int = 0) -> bool:
    """Return True if the alert is older than its max_age plus the chat's delay (seconds), since its rule first fired."""
    # From the first revision for which the rule fired: a goal that is corrected for the third time is no newer for it.
    first_fired_at = news.first_fired_at.get(alert.rule, alert.at.timestamp())
    return now.timestamp() - first_fired_at > alert.max_age + delay


def choose_first_alert(news: NewsItem, recipient: Recipient) -> Alert | None:
    """Return the first alternative whose kind the chat takes. The lines of a digest are chosen one by one later.

    What is sent to one chat alone has no kind that could be switched off.
    """
    takes_all = bool(news.line_ids) or news.key.fixture_id == SAMPLE
    return next((a for a in news.firing_alternatives if takes_all or recipient.accepts(a.kind)), None)


def choose_revision(delivery: Delivery, news: NewsItem, recipient: Recipient | None) -> Alert | None:
    """Return what a chat that has the message sees now, whatever it takes: who got the news gets the correction.

    In this order: the rule that was sent, if it fires; the first that the chat takes (unless `recipient` is None); the first
    that fires; what corrects messages already sent.
    """
    # The rule that was sent comes first, so that a message does not turn into that of another rule by a correction.
    fired = news.firing_alternatives
    corrections = [a for a in news.alternatives if a.is_follow_up or a.state is State.RETRACTED]
    choices = [
        *(a for a in fired if a.rule == delivery.rule),
        *(a for a in fired if recipient and recipient.accepts(a.kind)),
        *fired,
        *(a for a in corrections if a.rule == delivery.rule),
        *corrections,
    ]
    return choices[0] if choices else None
