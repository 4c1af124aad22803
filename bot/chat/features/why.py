"""`/why`: the reason in a sentence or two; what was compared and when each step came, behind a button."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from operator import itemgetter

from telegram import Message, Update
from telegram.constants import ChatType
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.chat.dialogue import Button, ButtonRow, ChatContext, Screen, make_closing_row
from bot.chat.middleware import Handler, with_origin
from bot.chat.routing import Command, Feature, Router
from bot.chat.services import ChatServices
from bot.chat.texts import back_label, escape_text, subscription_name
from bot.chat.update_origin import HandlerContext, UpdateOrigin, read_origin
from bot.i18n.football import kind_name
from bot.i18n.language import current_locale, join_with_commas, lower_first, to_local_time
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.i18n.shorten import shorten
from bot.outbox.decide import choose_first_alert
from bot.outbox.delivery import HistoryLine, read_history
from bot.outbox.explanation import MessageExplanation
from bot.outbox.latency import LatencyTrace
from bot.outbox.news import SAMPLE, NewsItem, is_burst
from bot.subscribers import Recipient
from rules.engine.alert import CARD, State
from rules.football.corrections.unconfirmed import NOT_CONFIRMED

_MAX_REVISIONS = 8
"""The latest revisions are shown: a match card has many."""

_MAX_VALUE_LENGTH = 120
"""Characters that are shown of either side of a condition."""

_REASON_TEXTS = {
    "first": N_("sent"),
    "revision": N_("the same news, corrected"),
    "graver": N_("changed to other news"),
    "retraction": N_("taken back"),
    "restored": N_("stands after all"),
}
"""By the stored name of a reason. Others are shown by their name."""


_DETAILS_PREFIX, _REASON_PREFIX = "wd", "wb"
"""Prefixes of the buttons to the details of a message and back; the message's number follows."""


def _make_handlers(services: ChatServices, _router: Router) -> Sequence[Handler]:
    async def on_why(origin: UpdateOrigin, message: Message, ptb_context: HandlerContext) -> None:
        # For all members of a group: who reads a message may ask why it is there.
        origin = await services.mark_member(ptb_context.bot, origin)
        context = await services.load_context(origin)
        asked = message.reply_to_message
        # In a forum a message that is no reply looks like one to the message that opened its topic.
        if asked is None or asked.forum_topic_created:
            screen = Screen(_("Reply to an alert with /why to see why you got it."), _make_last_rows(context))
        elif explanation := await services.explain_message(origin.ref.chat_id, asked.message_id):
            screen = render_reason(explanation, context, asked.message_id)
        else:
            screen = Screen(_("That's not one of my alerts, or it is too old."), _make_last_rows(context))
        await services.replies.send(origin, screen)

    async def on_button(update: Update, ptb_context: HandlerContext) -> None:
        query, origin = update.callback_query, read_origin(update)
        if query is None:
            return
        prefix, _colon, number = (query.data or "").partition(":")
        explanation = await services.explain_message(origin.ref.chat_id, int(number)) if origin else None
        if origin is None or explanation is None:
            await services.replies.acknowledge(query, _("This button is outdated: I don't know that message any more."))
            return
        context = await services.load_context(await services.mark_member(ptb_context.bot, origin))
        render = render_details if prefix == _DETAILS_PREFIX else render_reason
        await services.replies.acknowledge(query, "")
        await services.replies.edit(query, render(explanation, context, int(number)))

    return [
        CommandHandler("why", with_origin(on_why), filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST),
        # The number of a message, as long as Telegram's are: a longer one is forged.
        CallbackQueryHandler(on_button, rf"^({_DETAILS_PREFIX}|{_REASON_PREFIX}):\d{{1,10}}$"),
    ]


def render_reason(explanation: MessageExplanation, context: ChatContext, message_id: int) -> Screen:
    """Say in a sentence or two why a chat got a message, and what it follows that brought it."""
    fixture = explanation.news.alternatives[0].fixture
    covering = [one for one in context.subscriptions if one.covers(fixture)] if fixture.id else []
    names = escape_text(join_with_commas([subscription_name(one) for one in covering]))
    followed = [_("Followed here: {names}.").format(names=names)] if covering else []
    lines = [*_render_origin(explanation, context), *followed, *_render_retraction(explanation, context)]
    details = (Button(_("🔎 Details"), f"{_DETAILS_PREFIX}:{message_id}"),)
    return Screen("\n".join(lines), (details, *_make_last_rows(context)))


def render_details(explanation: MessageExplanation, context: ChatContext, message_id: int) -> Screen:
    """Show everything that is known of one message of a chat. What tells a score is behind spoilers if the chat hides scores."""
    parts = (
        _render_origin(explanation, context),
        _render_conditions(explanation, context),
        _render_retraction(explanation, context),
        _render_history(explanation, context),
    )
    back = (Button(back_label(), f"{_REASON_PREFIX}:{message_id}"),)
    return Screen("\n\n".join("\n".join(part) for part in parts if part), (back, *_make_last_rows(context)))


def _make_last_rows(context: ChatContext) -> tuple[ButtonRow, ...]:
    # In a group every member may ask, and the settings are its administrators'.
    return (make_closing_row(),) if context.chat.type == ChatType.PRIVATE else ()


def _render_origin(explanation: MessageExplanation, context: ChatContext) -> list[str]:
    """Say which rule made the message, or why it came without a rule."""
    delivery, news = explanation.delivery, explanation.news
    lines = [_("This reply belongs to the message that it answers.")] if explanation.is_reply else []
    if news.is_live_message and delivery.kind == CARD:
        lines.append(_("This is the match card, updated in this message during the match. No rule makes it."))
    elif news.is_live_message:
        lines.append(_("This is a picture of the match. No rule makes it: pictures are on here."))
    elif delivery.key.fixture_id == SAMPLE:
        text = _("This is the test alert of /test. No rule made it; it came the way real alerts come.")
        lines.append(text)
    elif news.line_ids:
        if is_burst(news.key):
            lines.append(_("Several alerts came within seconds and were combined, as the options say."))
        else:
            lines.append(_("This is a summary of what happened while alerts were held back."))
        lines += [_render_digest_line(line, context) for line in explanation.lines]
    else:
        text = _("Sent by the rule <b>{rule}</b> ({kind}).")
        lines.append(text.format(rule=escape_text(delivery.rule), kind=escape_text(lower_first(kind_name(delivery.kind)))))
        if others := [f"<b>{escape_text(rule)}</b>" for rule in news.conditions if rule != delivery.rule]:
            text = _("Other matching rules: {rules}. The first one that your alerts allow is sent.")
            lines.append(text.format(rules=", ".join(others)))
    return lines


def _render_digest_line(news: NewsItem, context: ChatContext) -> str:
    """Say what happened, and the rule whose alert the chat would have got."""
    facts, alert = news.alternatives[0].facts, choose_first_alert(news, Recipient(context.chat))
    event = " ".join(filter(None, (f"{facts.minute}'" if facts.minute else "", facts.action_type, facts.player)))
    # If the chat has changed its kinds since, no alert is for it any more: then any rule that fired is named.
    rule = alert.rule if alert else next(iter(news.conditions or news.first_fired_at), "")
    text = _("{what}: the rule <b>{rule}</b>")
    return f"• {text.format(what=_hide_if_asked(escape_text(event), context), rule=escape_text(rule))}"


def _render_conditions(explanation: MessageExplanation, context: ChatContext) -> list[str]:
    """Say what the rule compared. Nothing, if that was not stored, as in earlier versions."""
    conditions = explanation.news.conditions.get(explanation.delivery.rule)
    # A digest is made by no rule; what its lines' rules compared would be a long list.
    if conditions is None or explanation.news.line_ids:
        return []
    heading = _("<b>What the rule compared</b>")
    if not conditions:
        return [heading, _("The rule has no conditions: it fires for everything.")]
    lines = [heading]
    for condition in conditions:
        # `✓ minute: from 80 ← 88`
        sign, key = "✓" if condition.holds else "✗", escape_text(condition.key)
        expected = escape_text(shorten(condition.expected, _MAX_VALUE_LENGTH))
        actual = escape_text(shorten(condition.actual, _MAX_VALUE_LENGTH))
        lines.append(f"{sign} <code>{key}</code>: {expected} ← {_hide_if_asked(actual, context)}")
    return lines


def _render_retraction(explanation: MessageExplanation, context: ChatContext) -> list[str]:
    """Say why the message is struck through, if it is."""
    if explanation.delivery.state is not State.RETRACTED:
        return []
    reason = explanation.news.alternatives[0].facts.reason
    if reason == NOT_CONFIRMED:
        text = _("The feed never confirmed it, so it was struck through at the next break in play. No rule decides that.")
    elif reason:
        text = _("The feed took it back ({reason}). No rule decides that: every chat that got it gets the correction.")
        text = text.format(reason=escape_text(reason))
    else:
        text = _("The feed took it back. No rule decides that: every chat that got it gets the correction.")
    return [_hide_if_asked(text, context)]


def _render_history(explanation: MessageExplanation, context: ChatContext) -> list[str]:
    """List every revision that the chat has seen, and when the rule first fired."""
    timezone, delivery, news = context.chat.timezone, explanation.delivery, explanation.news
    entries = [(int(line.at), _render_revision(line, timezone)) for line in read_history(delivery)[-_MAX_REVISIONS:]]
    first_fired_at = news.first_fired_at.get(delivery.rule)
    if first_fired_at and not news.is_live_message and delivery.key.fixture_id != SAMPLE:
        entries.insert(0, (int(first_fired_at), f"{_format_second(first_fired_at, timezone)} {_('the rule fired')}"))
    # By whole seconds, as they are shown, and stable: what happened within one second keeps its order.
    return [_("<b>What this chat saw</b>"), *(text for _at, text in sorted(entries, key=itemgetter(0)))]


def _render_revision(line: HistoryLine, timezone: str) -> str:
    reason = _(_REASON_TEXTS[line.reason]) if line.reason in _REASON_TEXTS else line.reason
    what = _("the reply") if line.reply_id else reason
    # In brackets as the log has it, so that an operator finds the line.
    number = _("no. {number}").format(number=line.seq)
    details = f"<i>({escape_text(line.reason)}, {escape_text(line.state.value)}, {number})</i>"
    text = f"{_format_second(line.at, timezone)} {what} {details}"
    return f"{text}\n   {render_latency(line.latency)}" if line.latency else text


def render_latency(latency: LatencyTrace) -> str:
    """Return `feed 0.8 s · rules 2 ms · sending 4 ms · Telegram 52 ms`, without the steps that are not known."""
    # In the order in which they happen. Zero waiting is left out: nothing was meant to wait.
    parts = (
        (_("feed {time}"), latency.feed),
        (_("rules {time}"), latency.outbox),
        (_("intended wait {time}"), latency.waited or None),
        (_("sending {time}"), latency.request),
        (_("Telegram {time}"), latency.telegram),
    )
    return " · ".join(text.format(time=_format_milliseconds(ms)) for text, ms in parts if ms is not None)


def _format_second(seconds: float, timezone: str) -> str:
    return f"<code>{to_local_time(dt.datetime.fromtimestamp(seconds, dt.UTC), timezone):%H:%M:%S}</code>"


def _format_milliseconds(milliseconds: float) -> str:
    """Return `0.6 ms`, `52 ms`, `1.2 s` or `3 min`."""
    from babel.numbers import format_decimal

    if milliseconds < 10:
        value, pattern, unit = milliseconds, "0.#", "ms"
    elif milliseconds < 1000:
        value, pattern, unit = milliseconds, "0", "ms"
    elif milliseconds < 120_000:
        value, pattern, unit = milliseconds / 1000, "0.#", "s"
    else:
        value, pattern, unit = milliseconds / 60_000, "#,##0", "min"
    return f"{format_decimal(value, pattern, locale=current_locale())} {unit}"


def _hide_if_asked(html: str, context: ChatContext) -> str:
    return f"<tg-spoiler>{html}</tg-spoiler>" if context.chat.spoilers else html


FEATURE = Feature(
    commands={"why": Command(None, N_("Why did I get this alert?"))},
    make_handlers=_make_handlers,
    public_prefixes=frozenset({_DETAILS_PREFIX, _REASON_PREFIX}),
)
