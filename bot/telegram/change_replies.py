"""The reply that follows an edit, where the chat must notice what a revision changed; pure.

An edit makes no sound and may be far up in the chat. A retraction or a change of meaning is therefore also
sent as a reply.
"""

from __future__ import annotations

from msgspec.structs import replace

from bot.outbox.delivery import Delivery, DeliveryContext, Reason, Subject, read_copies
from bot.outbox.digests import LineChange, find_line_alert, find_line_changes
from bot.outbox.news import is_burst
from bot.telegram.render import (
    join_replies,
    render_change,
    render_line,
    render_restoration,
    render_retraction,
    render_with_note,
)
from rules.engine.alert import Alert, Importance
from rules.football.corrections.unconfirmed import NOT_CONFIRMED


def add_reply(after: Delivery, context: DeliveryContext, alert: Alert, html: str, reason: Reason) -> Delivery:
    """Return the delivery with the reply that follows the edit, if the chat must notice the revision.

    An upgrade, to a higher severity, is loud unless the chat made its kind silent or the feed collected it offline. A downgrade
    is loud if the alert was loud or its new kind is loud.
    """
    before, recipient = context.delivery, context.recipient
    if is_burst(before.key):
        return _add_burst_reply(after, context)
    subject, is_loud = Subject.parse(before.subject), before.is_loud
    # A minor, silent action whose messages can all be edited.
    needs_no_reply = before.severity <= 0 and not before.is_loud and not before.earlier_copies
    if reason is Reason.CHANGED:
        is_upgraded = alert.severity > before.severity
        if is_upgraded and subject.side in ("", alert.facts.side):
            reply, is_loud = html, not alert.is_delayed and recipient.is_loud(alert.kind, important=True)
        else:
            reply = render_change(subject, alert, html)
            is_loud = is_loud or recipient.is_loud(alert.kind, important=is_upgraded or alert.importance is Importance.MAJOR)
    elif alert.facts.reason == NOT_CONFIRMED and reason is Reason.RETRACTION and needs_no_reply:
        # At half-time the feed may leave many minor actions unconfirmed at once; editing their messages is enough.
        return after
    elif reason is Reason.RETRACTION:
        reply = render_retraction(_with_subject(alert, subject), before.kind)
        if copies := read_copies(before):
            reply = render_with_note(reply, list(dict.fromkeys(copy.body for copy in copies)))
    elif reason is Reason.RESTORATION:
        reply = render_restoration(alert)
    else:
        return after
    # A reply that has not left yet is replaced. The chat still has to notice the change that it was about.
    is_loud = is_loud or (before.pending_reply is not None and before.reply_is_loud)
    return replace(after, pending_reply=reply, reply_is_loud=is_loud)


def _with_subject(alert: Alert, subject: Subject) -> Alert:
    """Return a retraction as one of what the message was about: the action may have changed its type at the same time."""
    if not subject.action_type:
        return alert
    return replace(alert, facts=replace(alert.facts, action_type=subject.action_type))


def _add_burst_reply(after: Delivery, context: DeliveryContext) -> Delivery:
    """Return the delivery of a burst with a reply that says which lines were retracted or changed, as loud as the burst was."""
    before = context.delivery
    after = replace(after, is_loud=before.is_loud)
    replies = [reply for change in find_line_changes(before, context.lines) if (reply := _reply_to_line(change, context))]
    if not replies:
        return after
    # One reply for all of them, as the burst was one message. One that is still to be sent is not lost.
    pending = [before.pending_reply] if before.pending_reply else []
    return replace(after, pending_reply=join_replies([*pending, *replies]), reply_is_loud=before.is_loud)


def _reply_to_line(change: LineChange, context: DeliveryContext) -> str | None:
    """Return what a reply says of a line of a burst; None if a message of its own does."""
    alert = find_line_alert(change.line)
    if change.reason is Reason.RETRACTION:
        return render_retraction(_with_subject(alert, change.subject), alert.kind)
    if change.reason is Reason.RESTORATION:
        return render_restoration(alert)
    # A line that became graver comes as an alert of its own: see `fanout`.
    if alert.severity > change.subject.severity and context.recipient.accepts(alert.kind):
        return None
    return render_change(change.subject, alert, render_line(alert))
