"""Plans the one thing to do for a delivery now; pure."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, TypeVar

import msgspec

from bot.i18n.language import use_language
from bot.media.renderer import PictureAttachment
from bot.outbox.decide import Decision, choose_first_alert, choose_revision, decide
from bot.outbox.delivery import (
    UNREACHABLE_MESSAGE_ID,
    Delivery,
    DeliveryContext,
    PinState,
    Reason,
    must_resend_card,
    record_card_edited,
    record_card_sent,
    record_pin_done,
)
from bot.outbox.digests import find_retracted_lines, find_uncertain_lines
from bot.outbox.news import NewsItem, format_line_name, is_burst
from bot.subscribers import Chat
from bot.telegram import render
from rules.engine.alert import LIVE_MESSAGE_KINDS, Alert, Importance, State


class Send(msgspec.Struct, frozen=True):
    """A new message. `entry` is what is known of the chat once it is sent, but for the message's id."""

    operation: ClassVar[str] = "send"
    delivery: Delivery
    alert: Alert
    html: str
    is_silent: bool
    reason: Reason
    has_mute_button: bool = False
    """True: the button of the mutes stands below it."""
    picture: PictureAttachment | None = None
    """None: words alone."""


class Edit(msgspec.Struct, frozen=True):
    """The message changes; `entry` holds the reply that follows."""

    operation: ClassVar[str] = "edit"
    delivery: Delivery
    alert: Alert
    html: str
    reason: Reason
    has_mute_button: bool = False
    picture: PictureAttachment | None = None


class Reply(msgspec.Struct, frozen=True):
    """A reply to the message."""

    operation: ClassVar[str] = "reply"
    delivery: Delivery
    alert: Alert
    html: str
    is_silent: bool
    reason: Reason


class Pin(msgspec.Struct, frozen=True):
    """The message is pinned, or unpinned."""

    delivery: Delivery
    alert: Alert
    is_pinned: bool
    reason: Reason = Reason.REVISION


class Skip(msgspec.Struct, frozen=True):
    """Nothing is sent."""

    delivery: Delivery
    reason: Reason


MessagePlan = Send | Edit | Reply
"""What a chat reads."""

RequestPlan = MessagePlan | Pin
"""What is asked of Telegram."""

Plan = RequestPlan | Skip

StructT = TypeVar("StructT", bound=msgspec.Struct)


def plan_delivery(context: DeliveryContext, now: dt.datetime) -> Plan:
    """What to do for one chat, in its language: the latest revision counts, and a reply follows its edit."""
    with use_language(context.recipient.language):
        return _apply_chat_settings(_plan_unstyled(context, now), context.recipient)


def make_uncertain_delivery(plan: Plan) -> Delivery | None:
    """What its chat may have seen from when a message leaves until its answer comes; None where that need not be known.

    Cards and pictures are shown anew until one is known to have arrived, and what they show does not fall.
    """
    if not isinstance(plan, Send) or plan.alert.kind in LIVE_MESSAGE_KINDS:
        return None
    return _replace(plan.delivery, message_id=None, is_uncertain=True)


def _apply_chat_settings(plan: Plan, chat: Chat) -> Plan:
    """What the chat's own settings put around a message; a reply has no button, and what shows how a match stands neither."""
    if isinstance(plan, Skip | Pin):
        return plan
    html = render.hide_in_spoiler(plan.alert, plan.html) if chat.spoilers else plan.html
    if isinstance(plan, Reply):
        return _replace(plan, html=html)
    timeline, bell = plan.alert.timeline, shows_mute_button(chat) and plan.alert.kind not in LIVE_MESSAGE_KINDS
    picture = PictureAttachment(timeline, chat.language, chat.spoilers) if timeline else None
    return _replace(plan, html=html, has_mute_button=bell, picture=picture)


def _plan_unstyled(context: DeliveryContext, now: dt.datetime) -> Plan:
    decision = decide(context.delivery, context.news, context.recipient, now, is_superseded=context.is_superseded)
    if context.delivery.is_sent:
        return _plan_revision(context, decision, now)
    if decision.alert is not None:
        return _plan_send(context, decision.alert, now)
    return (
        _plan_uncertain(context, decision.reason, now) if context.delivery.is_uncertain else _plan_skip(context, decision.reason)
    )


def _plan_uncertain(context: DeliveryContext, reason: Reason, now: dt.datetime) -> Plan:
    """It may have been told, and is not told again: then it was, by a message that cannot be reached. What fell is said now."""
    if _has_retracted_line(context):
        return _plan_send(context, context.news.alternatives[0], now)
    delivery = _replace(
        context.delivery,
        message_id=UNREACHABLE_MESSAGE_ID,
        is_uncertain=bool(context.news.line_ids) and not is_burst(context.delivery.key),
    )
    if not context.news.firing_alternatives:
        known = _replace(context, delivery=delivery)
        return _plan_revision(known, decide(delivery, context.news, context.recipient, now), now)
    return Skip(_replace(delivery, reason=reason.value, seq=context.news.seq), reason)


def _has_retracted_line(context: DeliveryContext) -> bool:
    """Tell whether a summary that may stand in the chat tells what fell: it is sent anew, since no edit reaches it."""
    return context.delivery.is_uncertain and any(news.state is State.RETRACTED for news in context.lines)


def _plan_skip(context: DeliveryContext, reason: Reason) -> Skip:
    """Never told; the rule is kept so that the same news stays untold."""
    chosen = choose_first_alert(context.news, context.recipient)
    seq = context.news.seq if reason is Reason.SCORER_UNKNOWN else context.delivery.seq
    return Skip(_replace(context.delivery, reason=reason.value, rule=chosen.rule if chosen else "", seq=seq), reason)


def _plan_send(context: DeliveryContext, alert: Alert, now: dt.datetime) -> Send | Skip:
    body, rule = _render_delivery_body(context, alert), alert.rule
    if context.news.line_ids:
        lines = _select_sendable_lines(context)
        if not lines:
            return Skip(_replace(context.delivery, reason=Reason.NOT_WANTED.value), Reason.NOT_WANTED)
        body, rule = render.render_digest(alert, lines), "\n".join(format_line_name(news, context.delivery.key) for news in lines)
    delivery = _make_delivery_after(context, alert, body, rule, is_restored=False)
    delivery = _replace(delivery, is_loud=context.is_loud) if is_burst(delivery.key) else delivery
    delivery = record_card_sent(_replace(delivery, reason=Reason.FIRST.value, pending_reply=None, is_uncertain=False), alert)
    silent = not delivery.is_loud or context.recipient.hushed(now)
    return Send(delivery, alert, render.render_message(body, alert.state), silent, Reason.FIRST)


def _plan_revision(context: DeliveryContext, decision: Decision, now: dt.datetime) -> Plan:
    if decision.alert is None:
        return _plan_follow_up(context, now)
    delivery, alert, reason = context.delivery, attribute_to_rule(decision.alert, context.delivery), decision.reason
    if must_resend_card(delivery) or _has_retracted_line(context):
        return _plan_send(context, alert, now)
    body = render.render_digest(alert, context.lines) if context.news.line_ids else _render_delivery_body(context, alert)
    rule = _format_line_names(context) if context.news.line_ids else alert.rule
    restored = reason is Reason.RESTORATION or (delivery.is_restored and alert.state is not State.RETRACTED)
    after = _replace(_make_delivery_after(context, alert, body, rule, is_restored=restored), reason=reason.value)
    html = render.render_message(body, alert.state, is_restored=restored)
    if (
        reason is Reason.RESTORATION and delivery.message_id == UNREACHABLE_MESSAGE_ID
    ):  # what stands is told whole: no edit reaches the message
        return Send(_replace(after, is_uncertain=False), alert, html, not after.is_loud or context.recipient.hushed(now), reason)
    after = record_card_edited(_add_reply(after, context, alert, html, reason), alert)
    same = alert.timeline is None and html == render.render_message(
        delivery.body, delivery.state, is_restored=delivery.is_restored
    )
    if after.pending_reply is None and delivery.message_id == UNREACHABLE_MESSAGE_ID:
        return Skip(_replace(after, reason=delivery.reason), reason)
    if same and after.pending_reply is None:
        return Skip(after, reason)
    return Edit(after, alert, html, reason)


def _add_reply(after: Delivery, context: DeliveryContext, alert: Alert, html: str, reason: Reason) -> Delivery:
    """Graver news rings unless its kind is silent here; what is taken back or restored rings where the news did."""
    before = context.delivery
    if is_burst(before.key):
        return _add_burst_retractions(after, context)
    if reason is Reason.UPGRADED:
        return _replace(after, pending_reply=html, reply_is_loud=context.recipient.sounds(alert.kind, important=True))
    if reason is Reason.RETRACTION:
        return _replace(after, pending_reply=render.render_retraction(alert, before.kind), reply_is_loud=before.is_loud)
    if reason is Reason.RESTORATION:
        return _replace(after, pending_reply=render.render_restoration(alert), reply_is_loud=before.is_loud)
    return after


def _add_burst_retractions(after: Delivery, context: DeliveryContext) -> Delivery:
    """What falls in a burst is answered as what falls by itself, as loudly as the burst was told."""
    replies = [
        render.render_retraction(line.alternatives[0], line.alternatives[0].kind)
        for line in find_retracted_lines(context.delivery, context.lines)
    ]
    if not replies:
        return _replace(after, is_loud=context.delivery.is_loud)
    due = [context.delivery.pending_reply] if context.delivery.pending_reply else []
    return _replace(
        after,
        is_loud=context.delivery.is_loud,
        pending_reply=render.join_replies([*due, *replies]),
        reply_is_loud=context.delivery.is_loud,
    )


def _format_line_names(context: DeliveryContext) -> str:
    """The lines of a summary as its entry remembers them."""
    return (
        "\n".join(format_line_name(line, context.delivery.key) for line in context.lines)
        if is_burst(context.delivery.key)
        else context.delivery.rule
    )


def _plan_follow_up(context: DeliveryContext, now: dt.datetime) -> Reply | Pin | Skip:
    delivery = context.delivery
    alert = choose_revision(delivery, context.news, context.recipient)
    if alert and delivery.pin in (PinState.TO_PIN, PinState.TO_UNPIN):
        return Pin(record_pin_done(delivery), alert, is_pinned=delivery.pin is PinState.TO_PIN)
    if delivery.pending_reply is None or alert is None:
        return Skip(delivery, Reason.DUPLICATE)
    after = _replace(delivery, pending_reply=None)
    silent = not delivery.reply_is_loud or context.recipient.hushed(now)
    return Reply(after, attribute_to_rule(alert, delivery), delivery.pending_reply, silent, Reason(delivery.reason))


def _render_delivery_body(context: DeliveryContext, alert: Alert) -> str:
    return render.render_body(alert, context.delivery.body, context.recipient.timezone)


def _select_sendable_lines(context: DeliveryContext) -> tuple[NewsItem, ...]:
    """Of the old news, what the chat would have been told, or may have been; what a burst holds was decided when it was held."""
    if is_burst(context.delivery.key):
        return context.lines
    seen = find_uncertain_lines(context.delivery)
    return tuple(news for news in context.lines if news.key in seen or choose_first_alert(news, context.recipient))


def attribute_to_rule(alert: Alert, delivery: Delivery) -> Alert:
    """What takes news back is no rule's own: it speaks for the rule that told it."""
    if alert.rule and alert.kind:
        return alert
    return msgspec.structs.replace(alert, rule=alert.rule or delivery.rule, kind=delivery.kind, severity=delivery.severity)


def _make_delivery_after(context: DeliveryContext, alert: Alert, body: str, rule: str, *, is_restored: bool) -> Delivery:
    sounds = context.recipient.sounds(alert.kind, important=alert.importance is Importance.MAJOR)
    rings = context.delivery.is_loud if alert.state is State.RETRACTED else sounds
    told = _replace(context.delivery, rule=rule, kind=alert.kind, is_loud=rings, severity=alert.severity)
    return _replace(told, state=alert.state, seq=context.news.seq, body=body, is_restored=is_restored)


def _replace(value: StructT, **changes: Any) -> StructT:
    return msgspec.structs.replace(value, **changes)


MUTE_BUTTON_LABEL = "🔕"

MUTE_BUTTON_DATA = "a"
"""Its data; the alert is known by its chat and its message."""

MUTE_BUTTON = msgspec.json.encode({"inline_keyboard": [[{"text": MUTE_BUTTON_LABEL, "callback_data": MUTE_BUTTON_DATA}]]})
"""One button, which opens the mutes; the same in every language."""


def shows_mute_button(chat: Chat) -> bool:
    """Tell whether alerts have the button here: not in channels, and not where nothing can be changed."""
    return chat.buttons and not chat.fixed and chat.kind != "channel"
