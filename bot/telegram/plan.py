"""Plans the one thing to do for a delivery now; pure."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar

import msgspec

from bot.i18n.language import use_language
from bot.media.renderer import PictureAttachment
from bot.outbox import delivery
from bot.outbox.decide import Decision, choose_first_alert, choose_revision, decide
from bot.outbox.delivery import UNREACHABLE_MESSAGE_ID, Delivery, DeliveryContext, PinState, Reason
from bot.outbox.digests import find_retracted_lines, find_uncertain_lines
from bot.outbox.news import NewsItem, format_line_name, is_burst
from bot.subscribers import Chat
from bot.telegram import render
from rules.engine.alert import LIVE_MESSAGE_KINDS, Alert, Importance, State


class Send(msgspec.Struct, frozen=True):
    """A new message. `entry` is what is known of the chat once it is sent, but for the message's id."""

    entry: Delivery
    alert: Alert
    html: str
    silent: bool
    reason: Reason
    bell: bool = False
    """True: the button of the mutes stands below it."""
    scene: PictureAttachment | None = None
    """None: words alone."""


class Edit(msgspec.Struct, frozen=True):
    """The message changes; `entry` holds the reply that follows."""

    entry: Delivery
    alert: Alert
    html: str
    reason: Reason
    bell: bool = False
    scene: PictureAttachment | None = None


class Reply(msgspec.Struct, frozen=True):
    """A reply to the message."""

    entry: Delivery
    alert: Alert
    html: str
    silent: bool
    reason: Reason


class Pin(msgspec.Struct, frozen=True):
    """The message is pinned, or unpinned."""

    entry: Delivery
    alert: Alert
    on: bool
    reason: Reason = Reason.REVISION


class Skip(msgspec.Struct, frozen=True):
    """Nothing is sent."""

    entry: Delivery
    reason: Reason


RequestPlan = Send | Edit | Reply | Pin
"""What is asked of Telegram."""

Plan = RequestPlan | Skip

StructT = TypeVar("StructT", bound=msgspec.Struct)


def plan_delivery(job: DeliveryContext, now: dt.datetime) -> Plan:
    """What to do for one chat, in its language: the latest revision counts, and a reply follows its edit."""
    with use_language(job.chat.language):
        return _apply_chat_settings(_plan_unstyled(job, now), job.chat)


def make_uncertain_delivery(step: Plan) -> Delivery | None:
    """What its chat may have seen from when a message leaves until its answer comes; None where that need not be known.

    Cards and pictures are shown anew until one is known to have arrived, and what they show does not fall.
    """
    if not isinstance(step, Send) or step.alert.kind in LIVE_MESSAGE_KINDS:
        return None
    return _replace(step.entry, message_id=None, unsure=True)


def _apply_chat_settings(step: Plan, chat: Chat) -> Plan:
    """What the chat's own settings put around a message; a reply has no button, and what shows how a match stands neither."""
    if isinstance(step, Skip | Pin):
        return step
    html = render.hide_in_spoiler(step.alert, step.html) if chat.spoilers else step.html
    if isinstance(step, Reply):
        return _replace(step, html=html)
    timeline, bell = step.alert.timeline, shows_mute_button(chat) and step.alert.kind not in LIVE_MESSAGE_KINDS
    scene = PictureAttachment(timeline, chat.language, chat.spoilers) if timeline else None
    return _replace(step, html=html, bell=bell, scene=scene)


def _plan_unstyled(job: DeliveryContext, now: dt.datetime) -> Plan:
    decision = decide(job.entry, job.news, job.chat, now, superseded=job.superseded)
    if job.entry.told:
        return _plan_revision(job, decision, now)
    if decision.alert is not None:
        return _plan_send(job, decision.alert, now)
    return _plan_uncertain(job, decision.reason, now) if job.entry.unsure else _plan_skip(job, decision.reason)


def _plan_uncertain(job: DeliveryContext, reason: Reason, now: dt.datetime) -> Plan:
    """It may have been told, and is not told again: then it was, by a message that cannot be reached. What fell is said now."""
    if _has_retracted_line(job):
        return _plan_send(job, job.news.candidates[0], now)
    entry = _replace(job.entry, message_id=UNREACHABLE_MESSAGE_ID, unsure=bool(job.news.lines) and not is_burst(job.entry.key))
    if not job.news.fired:
        known = _replace(job, entry=entry)
        return _plan_revision(known, decide(entry, job.news, job.chat, now), now)
    return Skip(_replace(entry, reason=reason.value, seq=job.news.seq), reason)


def _has_retracted_line(job: DeliveryContext) -> bool:
    """Tell whether a summary that may stand in the chat tells what fell: it is sent anew, since no edit reaches it."""
    return job.entry.unsure and any(news.state is State.RETRACTED for news in job.lines)


def _plan_skip(job: DeliveryContext, reason: Reason) -> Skip:
    """Never told; the rule is kept so that the same news stays untold."""
    chosen = choose_first_alert(job.news, job.chat)
    seq = job.news.seq if reason is Reason.UNNAMED else job.entry.seq
    return Skip(_replace(job.entry, reason=reason.value, rule=chosen.rule if chosen else "", seq=seq), reason)


def _plan_send(job: DeliveryContext, alert: Alert, now: dt.datetime) -> Send | Skip:
    body, rule = _render_delivery_body(job, alert), alert.rule
    if job.news.lines:
        lines = _select_sendable_lines(job)
        if not lines:
            return Skip(_replace(job.entry, reason=Reason.UNWANTED.value), Reason.UNWANTED)
        body, rule = render.render_digest(alert, lines), "\n".join(format_line_name(news, job.entry.key) for news in lines)
    entry = _make_delivery_after(job, alert, body, rule, restored=False)
    entry = _replace(entry, rings=job.rings) if is_burst(entry.key) else entry
    entry = delivery.record_card_sent(_replace(entry, reason=Reason.FIRST.value, reply=None, unsure=False), alert)
    silent = not entry.rings or job.chat.hushed(now)
    return Send(entry, alert, render.render_message(body, alert.state), silent, Reason.FIRST)


def _plan_revision(job: DeliveryContext, decision: Decision, now: dt.datetime) -> Plan:
    if decision.alert is None:
        return _plan_follow_up(job, now)
    entry, alert, reason = job.entry, attribute_to_rule(decision.alert, job.entry), decision.reason
    if delivery.must_resend_card(entry) or _has_retracted_line(job):
        return _plan_send(job, alert, now)
    body = render.render_digest(alert, job.lines) if job.news.lines else _render_delivery_body(job, alert)
    rule = _format_line_names(job) if job.news.lines else alert.rule
    restored = reason is Reason.RESTORED or (entry.restored and alert.state is not State.RETRACTED)
    after = _replace(_make_delivery_after(job, alert, body, rule, restored=restored), reason=reason.value)
    html = render.render_message(body, alert.state, restored=restored)
    if (
        reason is Reason.RESTORED and entry.message_id == UNREACHABLE_MESSAGE_ID
    ):  # what stands is told whole: no edit reaches the message
        return Send(_replace(after, unsure=False), alert, html, not after.rings or job.chat.hushed(now), reason)
    after = delivery.record_card_edited(_add_reply(after, job, alert, html, reason), alert)
    same = alert.timeline is None and html == render.render_message(entry.body, entry.state, restored=entry.restored)
    if after.reply is None and entry.message_id == UNREACHABLE_MESSAGE_ID:
        return Skip(_replace(after, reason=entry.reason), reason)
    if same and after.reply is None:
        return Skip(after, reason)
    return Edit(after, alert, html, reason)


def _add_reply(after: Delivery, job: DeliveryContext, alert: Alert, html: str, reason: Reason) -> Delivery:
    """Graver news rings unless its kind is silent here; what is taken back or restored rings where the news did."""
    before = job.entry
    if is_burst(before.key):
        return _add_burst_retractions(after, job)
    if reason is Reason.GRAVER:
        return _replace(after, reply=html, reply_rings=job.chat.sounds(alert.kind, important=True))
    if reason is Reason.RETRACTION:
        return _replace(after, reply=render.render_retraction(alert, before.kind), reply_rings=before.rings)
    if reason is Reason.RESTORED:
        return _replace(after, reply=render.render_restoration(alert), reply_rings=before.rings)
    return after


def _add_burst_retractions(after: Delivery, job: DeliveryContext) -> Delivery:
    """What falls in a burst is answered as what falls by itself, as loudly as the burst was told."""
    replies = [
        render.render_retraction(line.candidates[0], line.candidates[0].kind)
        for line in find_retracted_lines(job.entry, job.lines)
    ]
    if not replies:
        return _replace(after, rings=job.entry.rings)
    due = [job.entry.reply] if job.entry.reply else []
    return _replace(after, rings=job.entry.rings, reply=render.join_replies([*due, *replies]), reply_rings=job.entry.rings)


def _format_line_names(job: DeliveryContext) -> str:
    """The lines of a summary as its entry remembers them."""
    return "\n".join(format_line_name(line, job.entry.key) for line in job.lines) if is_burst(job.entry.key) else job.entry.rule


def _plan_follow_up(job: DeliveryContext, now: dt.datetime) -> Reply | Pin | Skip:
    entry = job.entry
    alert = choose_revision(entry, job.news, job.chat)
    if alert and entry.pin in (PinState.DUE, PinState.OFF):
        return Pin(delivery.record_pin_done(entry), alert, on=entry.pin is PinState.DUE)
    if entry.reply is None or alert is None:
        return Skip(entry, Reason.DUPLICATE)
    after = _replace(entry, reply=None)
    silent = not entry.reply_rings or job.chat.hushed(now)
    return Reply(after, attribute_to_rule(alert, entry), entry.reply, silent, Reason(entry.reason))


def _render_delivery_body(job: DeliveryContext, alert: Alert) -> str:
    return render.render_body(alert, job.entry.body, job.chat.timezone)


def _select_sendable_lines(job: DeliveryContext) -> tuple[NewsItem, ...]:
    """Of the old news, what the chat would have been told, or may have been; what a burst holds was decided when it was held."""
    if is_burst(job.entry.key):
        return job.lines
    seen = find_uncertain_lines(job.entry)
    return tuple(news for news in job.lines if news.key in seen or choose_first_alert(news, job.chat))


def attribute_to_rule(alert: Alert, entry: Delivery) -> Alert:
    """What takes news back is no rule's own: it speaks for the rule that told it."""
    if alert.rule and alert.kind:
        return alert
    return msgspec.structs.replace(alert, rule=alert.rule or entry.rule, kind=entry.kind, gravity=entry.gravity)


def _make_delivery_after(job: DeliveryContext, alert: Alert, body: str, rule: str, *, restored: bool) -> Delivery:
    sounds = job.chat.sounds(alert.kind, important=alert.importance is Importance.MAJOR)
    rings = job.entry.rings if alert.state is State.RETRACTED else sounds
    told = _replace(job.entry, rule=rule, kind=alert.kind, rings=rings, gravity=alert.gravity)
    return _replace(told, state=alert.state, seq=job.news.seq, body=body, restored=restored)


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
