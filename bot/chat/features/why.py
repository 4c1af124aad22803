"""`/why`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from operator import itemgetter

from babel.numbers import format_decimal
from telegram import Message
from telegram.ext import CommandHandler, filters

from bot.chat import texts
from bot.chat.dialogue import ChatContext, HandlerContext, Screen, UpdateOrigin
from bot.chat.middleware import Handler, with_origin
from bot.chat.routing import Command, Feature, Router
from bot.chat.services import ChatServices
from bot.chat.texts import escape_text
from bot.i18n.language import current_locale, lower_first, to_local_time
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.outbox.decide import choose_first_alert
from bot.outbox.delivery import HistoryLine, LatencyTrace, read_history
from bot.outbox.explanation import MessageExplanation
from bot.outbox.news import SAMPLE, NewsItem, is_burst
from rules.engine.alert import CARD, ConditionResult, State


def rule_fired_text() -> str:
    return _("the rule fired")


def digest_reason_text() -> str:
    return _("This message sums up what came while it could not be told.")


def why_usage_text() -> str:
    return _("Send /why as a reply to an alert, and I say why it was told.")


def not_an_alert_text() -> str:
    return _("I do not know that message as an alert of mine, or it is too long ago.")


def rule_reason_text(rule: str, kind: str) -> str:
    return _("The rule <b>{rule}</b> told this chat ({kind}).").format(
        rule=escape_text(rule), kind=escape_text(lower_first(kind))
    )


def digest_by_choice_text() -> str:
    return _("Several matches had news within seconds, and this chat wants that in one message.")


_MAX_REVISIONS = 8
"""The latest revisions that are shown; a match card has many."""


def render_explanation(explanation: MessageExplanation, context: ChatContext) -> Screen:
    """Everything that is known of one message of a chat."""
    parts = [
        [*_render_origin(explanation, context)],
        [*_render_conditions(explanation, context)],
        [*_render_retraction(explanation, context)],
        [*_render_history(explanation, context)],
    ]
    return Screen("\n\n".join("\n".join(part) for part in parts if part))


def _render_origin(explanation: MessageExplanation, context: ChatContext) -> Iterator[str]:
    """Who told it."""
    delivery, news = explanation.delivery, explanation.news
    if explanation.is_reply:
        yield reply_reason_text()
    if news.is_live_message:
        yield card_reason_text() if delivery.kind == CARD else picture_reason_text()
    elif delivery.key.fixture_id == SAMPLE:
        yield sample_reason_text()
    elif news.line_ids:
        yield digest_by_choice_text() if is_burst(news.key) else digest_reason_text()
        yield from (_render_digest_line(line, context) for line in explanation.lines)
    else:
        yield rule_reason_text(delivery.rule, texts.kind_name(delivery.kind))
        if others := [rule for rule in news.conditions if rule != delivery.rule]:
            yield also_fired_text(", ".join(f"<b>{texts.escape_text(rule)}</b>" for rule in others))


def _render_digest_line(news: NewsItem, context: ChatContext) -> str:
    """One line of a summary: what happened, and the rule that would have told it here."""
    facts, told = news.alternatives[0].facts, choose_first_alert(news, context.chat)
    what = " ".join(filter(None, (f"{facts.minute}'" if facts.minute else "", facts.action_type, facts.player)))
    rule = told.rule if told else next(iter(news.conditions or news.first_fired_at), "")
    return f"• {digest_line_text(what, rule, hide=context.chat.spoilers)}"


def _render_conditions(explanation: MessageExplanation, context: ChatContext) -> Iterator[str]:
    """What the rule compared; nothing where that was not noted, as in earlier versions."""
    if explanation.delivery.rule not in explanation.news.conditions or explanation.news.line_ids:
        return
    yield conditions_heading_text()
    compared = explanation.news.conditions[explanation.delivery.rule]
    yield from (_render_condition(one, context) for one in compared)
    if not compared:
        yield no_conditions_text()


def _render_condition(one: ConditionResult, context: ChatContext) -> str:
    return condition_text(one.key, one.expected, one.actual, holds=one.holds, hide=context.chat.spoilers)


def _render_retraction(explanation: MessageExplanation, context: ChatContext) -> Iterator[str]:
    """Why it is struck through, where it is."""
    if explanation.delivery.state is State.RETRACTED:
        reason = explanation.news.alternatives[0].facts.reason
        yield hide_behind_spoiler(retracted_text(reason)) if context.chat.spoilers else retracted_text(reason)


def _render_history(explanation: MessageExplanation, context: ChatContext) -> Iterator[str]:
    """Every revision that the chat has seen, and when the rule first made the news."""
    timezone, seen = context.chat.timezone, read_history(explanation.delivery)
    told = [(int(one.at), _render_revision(one, timezone)) for one in seen[-_MAX_REVISIONS:]]
    born = explanation.news.first_fired_at.get(explanation.delivery.rule)
    if born and not explanation.news.is_live_message and explanation.delivery.key.fixture_id != SAMPLE:
        told.insert(0, (int(born), f"{_format_second(born, timezone)} {rule_fired_text()}"))
    yield history_heading_text()
    yield from (said for _, said in sorted(told, key=itemgetter(0)))


def _render_revision(seen: HistoryLine, timezone: str) -> str:
    said = reply_sent_text() if seen.reply_id else reason_text(seen.reason)
    line = f"{_format_second(seen.at, timezone)} {said} {revision_number_text(seen.seq, seen.reason, seen.state.value)}"
    return f"{line}\n   {latency_text(seen.latency)}" if seen.latency else line


def _format_second(seconds: float, timezone: str) -> str:
    return f"<code>{to_local_time(dt.datetime.fromtimestamp(seconds, dt.UTC), timezone):%H:%M:%S}</code>"


_REASON_TEXTS = {
    "first": N_("told"),
    "revision": N_("the same news, corrected"),
    "graver": N_("it became graver"),
    "retraction": N_("taken back"),
    "restored": N_("it stands after all"),
}

_MAX_VALUE_LENGTH = 120
"""Letters of either side of a condition that are shown."""


def sample_reason_text() -> str:
    return _("This is the sample of /test. No rule made it; it came by the way of real alerts, and took as long as they do.")


def card_reason_text() -> str:
    return _("This is the match's card: how the match stands, changed in place as long as it is played. No rule makes it.")


def picture_reason_text() -> str:
    return _("This is a picture of how the match stood. No rule makes it; this chat asks for pictures.")


def reply_reason_text() -> str:
    return _("This reply belongs to the message that it answers.")


def also_fired_text(rules: str) -> str:
    return _("Also fired: {rules}. A chat hears the first whose kind it takes.").format(rules=rules)


def retracted_text(reason: str) -> str:
    if reason:
        return _("The feed took it back ({reason}). No rule is asked then: who was told of it is told so.").format(
            reason=escape_text(reason)
        )
    return _("The feed took it back. No rule is asked then: who was told of it is told so.")


def conditions_heading_text() -> str:
    return _("<b>What the rule compared</b>")


def no_conditions_text() -> str:
    return _("The rule asks for nothing: it fires for everything.")


def condition_text(key: str, wanted: str, seen: str, *, holds: bool, hide: bool) -> str:
    """`✓ minute: from 80 ← 88`: what was wanted, and what there was, `hide` behind a spoiler."""
    sign, value = "✓" if holds else "✗", escape_text(_shorten_value(seen))
    shown = hide_behind_spoiler(value) if hide else value
    return f"{sign} <code>{escape_text(key)}</code>: {escape_text(_shorten_value(wanted))} ← {shown}"


def hide_behind_spoiler(html: str) -> str:
    """Behind Telegram's spoiler."""
    return f"<tg-spoiler>{html}</tg-spoiler>"


def digest_line_text(what: str, rule: str, *, hide: bool) -> str:
    said = hide_behind_spoiler(escape_text(what)) if hide else escape_text(what)
    return _("{what}: the rule <b>{rule}</b>").format(what=said, rule=escape_text(rule))


def history_heading_text() -> str:
    return _("<b>What this chat saw</b>")


def reply_sent_text() -> str:
    return _("the reply")


def reason_text(name: str) -> str:
    """Why a revision was told, in words; a reason without any stays as it is."""
    return _(_REASON_TEXTS[name]) if name in _REASON_TEXTS else name


def revision_number_text(seq: int, name: str, state: str) -> str:
    """What the log calls it."""
    return f"<i>({escape_text(name)}, {escape_text(state)}, {_('no. {number}').format(number=seq)})</i>"


def latency_text(latency: LatencyTrace) -> str:
    """`feed 0.8 s · rules 2 ms · sending 4 ms · Telegram 52 ms`; what is not known is left out."""
    parts = (
        (_("feed {time}"), latency.feed),
        (_("rules {time}"), latency.outbox),
        (_("meant to wait {time}"), latency.waited or None),
        (_("sending {time}"), latency.request),
        (_("Telegram {time}"), latency.telegram),
    )
    return " · ".join(said.format(time=_format_milliseconds(ms)) for said, ms in parts if ms is not None)


def _format_milliseconds(milliseconds: float) -> str:
    """`0.6 ms`, `52 ms`, `1.2 s`, `3 min`."""
    if milliseconds < 1000:
        return f"{_format_decimal(milliseconds, '0.#' if milliseconds < 10 else '0')} ms"
    if milliseconds < 120_000:
        return f"{_format_decimal(milliseconds / 1000, '0.#')} s"
    return f"{_format_decimal(milliseconds / 60_000, '#,##0')} min"


def _format_decimal(value: float, pattern: str) -> str:
    return str(format_decimal(value, pattern, locale=current_locale()))


def _shorten_value(words: str) -> str:
    return words if len(words) <= _MAX_VALUE_LENGTH else f"{words[: _MAX_VALUE_LENGTH - 1].rstrip()}…"


def _make_handlers(services: ChatServices, _router: Router) -> Sequence[Handler]:
    async def on_why(origin: UpdateOrigin, message: Message, _ptb_context: HandlerContext) -> None:
        asked = message.reply_to_message
        # In a forum every message is a reply to the one that opened its topic.
        is_reply = asked is not None and not asked.forum_topic_created
        explanation = None
        if asked is not None and is_reply and services.explain_message is not None:
            explanation = await services.explain_message(origin.ref.chat_id, asked.message_id)
        context = await services.load_context(origin)
        missing = Screen(not_an_alert_text() if is_reply else why_usage_text())
        await services.replies.send(origin, render_explanation(explanation, context) if explanation else missing)

    updates = filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST
    return [CommandHandler("why", with_origin(on_why), updates)]


FEATURE = Feature(
    commands={"why": Command(None, N_("In reply to an alert: why it was told"))},
    make_handlers=_make_handlers,
)
