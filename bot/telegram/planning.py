"""Plans the one thing to do for a delivery now; pure.

A revision edits the message. If a chat must notice it, a reply follows: the delivery keeps the reply until its turn comes, so
that no kill between the two loses it.
"""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from bot.i18n.language import ENGLISH, choose_text, use_language
from bot.media.card import shorten_to_caption
from bot.media.renderer import PictureAttachment
from bot.outbox.decide import Decision, choose_first_alert, choose_revision, decide
from bot.outbox.delivery import (
    UNREACHABLE_MESSAGE_ID,
    Delivery,
    DeliveryContext,
    PinState,
    Reason,
    Subject,
    read_copies,
    record_copy,
)
from bot.outbox.digests import DIGEST_KIND, find_uncertain_lines, format_line_subjects
from bot.outbox.match_cards import (
    is_picture_card,
    must_resend_card,
    record_card_edited,
    record_card_form,
    record_card_sent,
    record_pin_done,
)
from bot.outbox.match_states import is_state_message
from bot.outbox.news import NewsItem, format_line_name, is_burst
from bot.subscribers import CardForm, Chat
from bot.telegram.alert_keyboard import find_mute_offer, has_mute_button, render_keyboard
from bot.telegram.change_replies import add_reply
from bot.telegram.mentions import render_mentions, split_replies
from bot.telegram.plan import Edit, Pin, Plan, Reply, Send, Skip
from bot.telegram.render import (
    hide_in_spoiler,
    render_body,
    render_digest,
    render_match_state,
    render_message,
    render_unconfirmed,
    render_with_note,
)
from rules.engine.alert import CARD, Alert, State
from rules.football.corrections.unconfirmed import NOT_CONFIRMED


def plan_delivery(context: DeliveryContext, now: dt.datetime, *, is_shown_uncertain: bool = False) -> Plan:
    """Plan what to do for one chat, in its language and with its settings. Only the latest revision counts.

    `is_shown_uncertain`: an edit of the message may have arrived, so that it may show something else than is known.
    """
    chat = context.recipient.chat
    with use_language(chat.language):
        plan = _plan_without_settings(context, now, is_shown_uncertain=is_shown_uncertain)
        if isinstance(plan, Skip | Pin):
            return plan
        # Last, around everything: texts are stored and compared without it, so switching it on edits nothing.
        html = hide_in_spoiler(plan.alert, plan.html) if chat.spoilers else plan.html
    if chat.spoilers and isinstance(plan, Send | Reply):
        # All messages are silent: a sound would reveal a goal before anybody taps.
        plan = replace(plan, is_silent=True)
    if isinstance(plan, Reply):
        return replace(plan, html=html)
    kind = plan.alert.kind
    if kind == CARD:
        plan = _add_card_form(plan, chat)
    elif plan.alert.timeline:
        plan = replace(plan, picture=PictureAttachment(plan.alert.timeline, chat.language, chat.spoilers))
    is_muteable = has_mute_button(chat, kind)
    offer = find_mute_offer(context, kind, is_new=isinstance(plan, Send)) if is_muteable else None
    with use_language(chat.language):
        keyboard = render_keyboard(chat, kind, offer)
    return replace(plan, html=html, has_mute_button=is_muteable, mute_offer=offer, keyboard=keyboard)


def _add_card_form(plan: Send | Edit, chat: Chat) -> Send | Edit:
    """Return the plan of a card in the form that the chat has chosen; its text is kept for where that form is not available.

    A photo stays a photo, and a text does not become one, until the card of the next match: Telegram has no edit for either.
    Texts and rich messages are edited into each other.
    """
    alert, delivery = plan.alert, plan.delivery
    is_picture = chat.card_form is CardForm.PICTURE if isinstance(plan, Send) else is_picture_card(delivery)
    if is_picture and alert.timeline:
        with use_language(chat.language):
            caption = shorten_to_caption(delivery.body)
            caption = hide_in_spoiler(alert, caption) if chat.spoilers else caption
        picture = PictureAttachment(alert.timeline, chat.language, chat.spoilers, caption=caption)
        return replace(plan, picture=picture, delivery=record_card_form(delivery, is_picture=True))
    rich = ""
    # A rich message cannot be hidden as a whole.
    if chat.card_form is CardForm.RICH and not chat.spoilers:
        with use_language(chat.language):
            rich = choose_text(alert.rich_texts) or alert.rich_texts.get(ENGLISH, "")
    return replace(plan, rich=rich, delivery=record_card_form(delivery, is_picture=False))


def _add_note(html: str, delivery: Delivery) -> str:
    """Return the message with a note about the copies that may be in the chat and do not show the same.

    A message that is struck through has none: the reply that says what does not count names the copies too.
    """
    if delivery.state is State.RETRACTED:
        return html
    copies = read_copies(delivery)
    outdated = [copy for copy in copies if render_message(copy.body, copy.state, is_restored=copy.is_restored) != html]
    # A digest shows its lines struck through by itself.
    bodies = [copy.body for copy in outdated if copy.body != delivery.body and delivery.kind != DIGEST_KIND]
    return render_with_note(html, list(dict.fromkeys(bodies))) if outdated else html


def attribute_to_rule(alert: Alert, delivery: Delivery) -> Alert:
    """Return the alert with the rule, kind and severity of the one that was sent, if it has none."""
    # No rule makes a retraction, but metrics and /why count it for the rule whose alert it corrects.
    if alert.rule and alert.kind:
        return alert
    return replace(alert, rule=alert.rule or delivery.rule, kind=delivery.kind, severity=delivery.severity)


def _plan_without_settings(context: DeliveryContext, now: dt.datetime, *, is_shown_uncertain: bool) -> Plan:
    delivery = context.delivery
    if _waits_for_answer(context):
        # It counts as sent only for the fan-out. Here it is handled like any other message that may have arrived.
        delivery = replace(delivery, message_id=None)
        context = replace(context, delivery=delivery)
    decision = decide(delivery, context.news, context.recipient, now, is_superseded=context.is_superseded)
    if delivery.is_sent:
        return _plan_revision(context, decision, now, is_shown_uncertain=is_shown_uncertain)
    # A message that may have arrived is sent again while it is news: twice is better than never.
    if decision.alert is not None:
        return _plan_send(context, decision.alert, now)
    if delivery.is_uncertain:
        return _plan_uncertain(context, decision.reason, now)
    # The rule is stored with the reason, so that the same news is not considered again for this chat.
    alert = choose_first_alert(context.news, context.recipient)
    # What is taken back may stand again in a later revision, which a chat with a delay is shown later.
    keeps_number = decision.reason in (Reason.SCORER_UNKNOWN, Reason.SUPERSEDED)
    seq = context.news.seq if keeps_number else delivery.seq
    rule = alert.rule if alert else ""
    return Skip(replace(delivery, reason=decision.reason.value, rule=rule, seq=seq), decision.reason)


def _waits_for_answer(context: DeliveryContext) -> bool:
    """Return True for a message that counts as sent until it is sent once more: see `DeliveryQueue.park`."""
    delivery, news = context.delivery, context.news
    if not (delivery.is_uncertain and delivery.is_sent) or delivery.state is State.RETRACTED:
        return False
    # A digest that is too old to be sent again stays uncertain for good: it is revised when a line of it is retracted.
    return not news.line_ids or news.seq <= delivery.seq


def _plan_uncertain(context: DeliveryContext, reason: Reason, now: dt.datetime) -> Plan:
    """Plan for a message that may have arrived and is not sent again: it counts as sent, and cannot be edited."""
    news, delivery = context.news, context.delivery
    if _has_retracted_line(context):
        return _plan_send(context, news.alternatives[0], now)
    # Its lines are corrected by sending it again, which needs to know that it may have arrived.
    is_match_digest = bool(news.line_ids) and not is_burst(delivery.key)
    delivery = replace(record_copy(delivery), message_id=UNREACHABLE_MESSAGE_ID, is_uncertain=is_match_digest)
    if not news.line_ids:
        # What a copy shows may be outdated by now: it is corrected as if it had arrived, however old the news is. The number
        # -1, because the message that is uncertain may itself have been the correction of an earlier copy.
        context = replace(context, delivery=replace(delivery, seq=-1))
        plan = _plan_revision(context, decide(context.delivery, news, context.recipient, now), now)
        if not isinstance(plan, Skip):
            return plan
    return Skip(replace(delivery, reason=reason.value, seq=news.seq), reason)


def _has_retracted_line(context: DeliveryContext) -> bool:
    """Return True for a digest that may have arrived and has a line that is retracted now: it is sent again, corrected."""
    return context.delivery.is_uncertain and any(news.state is State.RETRACTED for news in context.lines)


def _plan_send(context: DeliveryContext, alert: Alert, now: dt.datetime) -> Send | Skip:
    """Plan the first message, or one in the place of a message that cannot be reached."""
    if is_state_message(context.delivery.key):
        body, rule = render_match_state(alert), ""
    elif context.news.line_ids:
        lines = _select_sendable_lines(context)
        if not lines:
            return Skip(replace(context.delivery, reason=Reason.NOT_WANTED.value), Reason.NOT_WANTED)
        body, rule = render_digest(alert, lines), "\n".join(format_line_name(line, context.delivery.key) for line in lines)
    else:
        body, rule = render_body(alert, context.delivery.body, context.recipient.chat.timezone), alert.rule
    if context.delivery.is_uncertain:
        context = replace(context, delivery=record_copy(context.delivery))
    # A repeat shows what it repeats, so that two copies of one message do not seem to differ.
    is_restored = context.delivery.is_uncertain and context.delivery.is_restored and alert.state is not State.RETRACTED
    delivery = _make_delivery_after(context, alert, body, rule, Reason.FIRST, is_restored=is_restored)
    if is_burst(delivery.key):
        delivery = replace(delivery, is_loud=context.is_loud)
    if delivery.pending_reply is not None or delivery.is_uncertain:
        delivery = replace(delivery, pending_reply=None, is_uncertain=False)
    # This counts how often the card was sent: one that was deleted twice is not sent again.
    delivery = record_card_sent(delivery, alert, pins_cards=context.recipient.chat.pins_cards)
    is_silent = not delivery.is_loud or context.recipient.chat.is_quiet(now)
    html = _add_note(render_message(body, alert.state, is_restored=is_restored), delivery)
    if mentions := render_mentions(context.recipient.chat, context.news, alert, now, is_silent=is_silent):
        # They follow as replies, since the message itself is edited and an edit mentions nobody.
        delivery = replace(delivery, pending_reply=mentions, reply_is_loud=True)
    return Send(delivery, alert, html, is_silent, Reason.FIRST)


def _select_sendable_lines(context: DeliveryContext) -> tuple[NewsItem, ...]:
    """Return the lines of a digest whose kind the chat takes, or that it may have seen."""
    if is_burst(context.delivery.key):
        # Decided when each was held.
        return context.lines
    uncertain = find_uncertain_lines(context.delivery)
    return tuple(line for line in context.lines if line.key in uncertain or choose_first_alert(line, context.recipient))


def _plan_revision(context: DeliveryContext, decision: Decision, now: dt.datetime, *, is_shown_uncertain: bool = False) -> Plan:
    """Plan the edit of a message that the chat has."""
    if decision.alert is None:
        return _plan_follow_up(context, now)
    before, reason = context.delivery, decision.reason
    alert = attribute_to_rule(decision.alert, before)
    if must_resend_card(before) or _has_retracted_line(context):
        return _plan_send(context, alert, now)
    body, rule = _write_revised_body(context, alert, reason)
    stays_restored = before.is_restored and alert.state is not State.RETRACTED and reason is not Reason.CHANGED
    is_restored = reason is Reason.RESTORATION or stays_restored
    after = _make_delivery_after(context, alert, body, rule, reason, is_restored=is_restored)
    if alert.facts.reason == NOT_CONFIRMED and not context.news.line_ids:
        without_note = render_unconfirmed(body)
    else:
        without_note = render_message(body, alert.state, is_restored=is_restored)
    html = _add_note(without_note, after)
    if before.message_id == UNREACHABLE_MESSAGE_ID:
        return _plan_unreachable_revision(context, alert, after, html, has_note=html != without_note, reason=reason, now=now)
    after = record_card_edited(add_reply(after, context, alert, html, reason), alert)
    shown = _add_note(render_message(before.body, before.state, is_restored=before.is_restored), before)
    # Pictures and rich messages show more than their text.
    chat_form = context.recipient.chat.card_form
    shows_more = is_picture_card(before) or chat_form is CardForm.RICH if alert.kind == CARD else alert.timeline is not None
    # Telegram would answer "message is not modified", and the request would count against the limits.
    if after.pending_reply is None and not shows_more and html == shown and not is_shown_uncertain:
        return Skip(after, reason)
    return Edit(after, alert, html, reason)


def _write_revised_body(context: DeliveryContext, alert: Alert, reason: Reason) -> tuple[str, str]:
    """Return the body of a revised message, and the names of the rules that wrote it."""
    before = context.delivery
    if is_state_message(before.key):
        return render_match_state(alert), alert.rule
    if context.news.line_ids:
        names = "\n".join(format_line_name(line, before.key) for line in context.lines)
        return render_digest(alert, context.lines), names if is_burst(before.key) else before.rule
    # A text that was about something else does not stay, even if the rule that wrote it is gone.
    sent_body = "" if reason is Reason.CHANGED else before.body
    return render_body(alert, sent_body, context.recipient.chat.timezone), alert.rule


def _plan_unreachable_revision(
    context: DeliveryContext, alert: Alert, after: Delivery, html: str, *, has_note: bool, reason: Reason, now: dt.datetime
) -> Plan:
    """Plan the revision of a message that may have arrived, but whose id is not known, so that it cannot be edited.

    What matters is sent. `has_note`: the text says that an earlier copy shows something else.
    """
    if reason is Reason.RESTORATION:
        # A short reply would speak of a message that is not there: the whole alert is sent.
        is_silent = not after.is_loud or context.recipient.chat.is_quiet(now)
        # A reply that says that it was taken back, and has not left yet, is not true any more.
        return Send(replace(after, is_uncertain=False, pending_reply=None), alert, html, is_silent, reason)
    after = record_card_edited(add_reply(after, context, alert, html, reason), alert)
    # A reply of an earlier revision does not say what counts now.
    is_explained = after.pending_reply != context.delivery.pending_reply
    if after.pending_reply is not None and (is_explained or not has_note):
        # Nothing is edited; the reply follows as it would after an edit.
        return Edit(after, alert, html, reason)
    if has_note:
        # One silent message says what counts, in place of an edit.
        return Send(replace(after, is_uncertain=False), alert, html, is_silent=True, reason=reason)
    return Skip(replace(after, reason=context.delivery.reason), reason)


def _plan_follow_up(context: DeliveryContext, now: dt.datetime) -> Reply | Pin | Skip:
    """Plan what is left to do after a message or an edit: the pin of a card, a reply."""
    before = context.delivery
    alert = choose_revision(before, context.news, context.recipient)
    # Before a reply, and alone: each plan is one request.
    if alert and before.pin in (PinState.TO_PIN, PinState.TO_UNPIN):
        return Pin(record_pin_done(before), alert, is_pinned=before.pin is PinState.TO_PIN)
    if before.pending_reply is None or alert is None:
        return Skip(before, Reason.DUPLICATE)
    is_silent = not before.reply_is_loud or context.recipient.chat.is_quiet(now)
    # The reply that says what does not count has named the copies: what is sent later need not explain them again.
    copies = "" if before.state is State.RETRACTED else before.earlier_copies
    reply, left = split_replies(before.pending_reply)
    after = replace(before, pending_reply=left, earlier_copies=copies)
    return Reply(after, attribute_to_rule(alert, before), reply, is_silent, Reason(before.reason))


def _make_delivery_after(
    context: DeliveryContext, alert: Alert, body: str, rule: str, reason: Reason, *, is_restored: bool
) -> Delivery:
    """Return the delivery with what the chat sees now, its message id and reply apart."""
    if is_burst(context.delivery.key):
        subject = format_line_subjects(context.delivery, context.lines)
    elif context.shown:
        subject = context.shown
    elif alert.kind == CARD:
        # What the message is: see `record_card_form`.
        subject = context.delivery.subject
    else:
        subject = context.delivery.subject if alert.state is State.RETRACTED else str(Subject.of(alert))
    before = context.delivery
    # A later correction is as loud as the message was, whatever came of it in between.
    keeps_sound = alert.state is State.RETRACTED or (alert.is_delayed and before.is_sent)
    is_loud = before.is_loud if keeps_sound else context.recipient.is_alert_loud(alert)
    return replace(
        context.delivery,
        reason=reason.value,
        rule=rule,
        kind=alert.kind,
        is_loud=is_loud,
        severity=alert.severity,
        state=alert.state,
        seq=context.news.seq,
        body=body,
        is_restored=is_restored,
        subject=subject,
    )
