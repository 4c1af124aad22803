"""What a message shows: marks, digests, retractions, spoilers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.clock import find_zone
from bot.i18n.football import translate_scoreline, translate_term
from bot.i18n.language import current_language
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.outbox.digests import LATE_JOIN_DIGEST, QUIET_HOURS_DIGEST
from bot.outbox.news import SAMPLE, NewsItem, is_burst
from bot.telegram.html import TEXT_LIMIT, cut, remove_tags
from rules.engine.alert import Alert, State
from rules.engine.text import escape_html, fallback_text, tidy_text
from rules.football.names import isolate

_UTC = "UTC"
"""The time that a rule's text tells, and that of a chat that has not chosen its own."""

_MARK_ROOM = 64
"""Room that is left for a mark."""

_TAGS_NOT_IN_STRIKETHROUGH = frozenset({"s", "strike", "del", "pre", "code", "blockquote"})
"""Tags that cannot stand inside of what is struck through."""

_TAGS_NOT_IN_SPOILER = frozenset({"pre", "code", "tg-spoiler", "span"})
"""Tags that cannot stand inside of spoiler text, or need not."""


def render_body(alert: Alert, sent_body: str = "", timezone: str = _UTC) -> str:
    """The text without marks, in the language that is spoken: the rule's, else the one that was told, else the bare facts.

    The kick-off in it is told in the chat's time.
    """
    text = alert.texts.get(current_language()) or alert.text or sent_body or fallback_text(alert.facts)
    return cut(_convert_kickoff_time(timezone, alert, text), TEXT_LIMIT - _MARK_ROOM)


def _convert_kickoff_time(timezone: str, alert: Alert, text: str) -> str:
    kickoff, written = alert.fixture.kickoff, alert.facts.kickoff
    if not written or kickoff is None or timezone == _UTC:
        return text
    return text.replace(written, f"{kickoff.astimezone(find_zone(timezone)):%H:%M}")


def render_message(body: str, state: State, *, is_restored: bool = False) -> str:
    """The whole message."""
    if state is State.RETRACTED:
        return f"<s>{remove_tags(body, _TAGS_NOT_IN_STRIKETHROUGH)}</s>"
    marks = [format_pending_mark()] if state is State.PENDING else [format_restored_mark()] if is_restored else []
    return "\n".join([body, *marks])


def render_digest(alert: Alert, lines: Sequence[NewsItem]) -> str:
    """Several pieces of news in one message: a line each, struck where it was taken back since, and the score now."""
    if is_burst(alert.key):
        return _render_burst(lines)
    return cut("\n".join([format_digest_title(alert), *map(_render_digest_line, lines)]))


def render_retraction(alert: Alert, sent_kind: str) -> str:
    """The short reply that tells what is no longer so."""
    return tidy_text(format_retraction(alert, sent_kind))


def join_replies(several: Sequence[str]) -> str:
    """Short replies in one message."""
    return cut("\n".join(several))


def render_restoration(alert: Alert) -> str:
    """The short reply that tells what is so again."""
    return tidy_text(format_restoration(alert))


def hide_in_spoiler(alert: Alert, html: str) -> str:
    """The match by its name alone, and all else hidden until it is tapped."""
    head = _render_visible_line(alert, html)
    hidden = remove_tags(html.removeprefix(f"{head}\n"), _TAGS_NOT_IN_SPOILER)
    return cut(f"{head}\n<tg-spoiler>{hidden}</tg-spoiler>")


def _render_visible_line(alert: Alert, html: str) -> str:
    """What a spoiler leaves to be seen; a sample is of no match, and its own first line says so."""
    if is_burst(alert.key):
        return format_burst_title()
    if alert.key.fixture_id == SAMPLE:
        return html.partition("\n")[0]
    return f"🔔 {escape_html(alert.fixture.title)}".rstrip()


def _render_burst(lines: Sequence[NewsItem]) -> str:
    """One that came alone is told as it is; several get a line each, with the score of their match."""
    alerts = [(news.firing_alternatives or news.alternatives)[0] for news in lines]
    if len(lines) == 1 and lines[0].state is not State.RETRACTED:
        return render_message(render_body(alerts[0]), lines[0].state)
    shown = [_render_burst_line(alert, news.state) for alert, news in zip(alerts, lines, strict=True)]
    return cut("\n".join([format_burst_title(), *shown]))


def _render_burst_line(alert: Alert, state: State) -> str:
    line = format_burst_line(alert)
    return (
        f"• {render_message(line, state)}" if state is State.RETRACTED else f"• {'⏳ ' if state is State.PENDING else ''}{line}"
    )


def _render_digest_line(news: NewsItem) -> str:
    line = format_digest_line((news.firing_alternatives or news.alternatives)[0])
    return f"• {render_message(line, State.RETRACTED) if news.state is State.RETRACTED else line}"


_RETRACTION_TEXTS = {
    "goal": N_("Goal disallowed"),
    "own_goal": N_("Own goal disallowed"),
    "yellow_card": N_("Yellow card taken back"),
    "red_card": N_("Red card taken back"),
    "penalty": N_("Penalty taken back"),
    "substitution": N_("Substitution taken back"),
    "Goal": N_("Goal disallowed"),
    "Yellow Card": N_("Yellow card taken back"),
    "Red Card": N_("Red card taken back"),
    "Penalty Awarded": N_("Penalty taken back"),
    "Penalty Missed": N_("The missed penalty does not count"),
    "Substitution In": N_("Substitution taken back"),
}

_RESTORATION_TEXTS = {
    "goal": N_("The goal stands after all"),
    "own_goal": N_("The own goal stands after all"),
    "yellow_card": N_("The yellow card stands after all"),
    "red_card": N_("The red card stands after all"),
    "penalty": N_("The penalty stands after all"),
    "Goal": N_("The goal stands after all"),
    "Yellow Card": N_("The yellow card stands after all"),
    "Red Card": N_("The red card stands after all"),
    "Penalty Awarded": N_("The penalty stands after all"),
}

_DIGEST_TITLES = {LATE_JOIN_DIGEST: N_("Earlier in this match"), QUIET_HOURS_DIGEST: N_("While it was quiet")}

_ICONS = {
    "Goal": "⚽",
    "Yellow Card": "🟨",
    "Red Card": "🟥",
    "Penalty Awarded": "❗",
    "Penalty Missed": "❌",
    "Substitution In": "🔁",
}


def format_pending_mark() -> str:
    """The mark of what may still be taken back."""
    return f"⏳ <i>{_('awaiting confirmation')}</i>"


def format_restored_mark() -> str:
    """The mark of what was taken back and counts again."""
    return f"✅ <i>{_('stands after all')}</i>"


def format_retraction(alert: Alert, sent_kind: str) -> str:
    """`❌ Goal disallowed (offside) · Tottenham Hotspur 0–0 Leicester City`; `kind` is what the chat was told."""
    reason = f" ({escape_html(translate_term(_lower_first_letter(alert.facts.reason)))})" if alert.facts.reason else ""
    nameless = alert.is_follow_up or not alert.facts.action_type
    default = _("Taken back") if nameless else _("{action} taken back").format(action=translate_term(alert.facts.action_type))
    return f"❌ <b>{escape_html(_choose_wording(_RETRACTION_TEXTS, alert, sent_kind, default))}</b>{reason}{_format_score(alert)}"


def format_restoration(alert: Alert) -> str:
    """`✅ The goal stands after all · Tottenham Hotspur 1–0 Leicester City`."""
    text = _choose_wording(_RESTORATION_TEXTS, alert, alert.kind, _("It stands after all"))
    return f"✅ <b>{escape_html(text)}</b>{_format_score(alert)}"


def format_digest_title(alert: Alert) -> str:
    """The first line of a summary of old news."""
    known = _DIGEST_TITLES.get(alert.facts.reason)
    return f"📋 <b>{_(known) if known else _('While the connection was down')}</b>{_format_score(alert)}"


def format_digest_line(alert: Alert) -> str:
    """`12' ⚽ Kane (Tottenham Hotspur)`, or the first line of the alert's own text."""
    facts = alert.facts
    minute = f"{escape_html(facts.minute)}' " if facts.minute else ""
    if facts.player:
        what = _ICONS.get(facts.action_type, escape_html(translate_term(facts.action_type)))
        return f"{minute}{what} {_format_name(facts.player)}" + (f" ({_format_name(facts.team)})" if facts.team else "")
    text = alert.texts.get(current_language(), alert.text).split("\n")[0].removesuffix(f" {minute}".rstrip())
    return minute + (text or escape_html(translate_term(facts.action_type)))


def format_burst_title() -> str:
    """The first line of a message with news of several matches."""
    return f"🔔 <b>{_('Just now')}</b>"


def format_burst_line(alert: Alert) -> str:
    """`12' ⚽ Kane (Tottenham Hotspur) · Tottenham Hotspur 1–0 Leicester City`."""
    return f"{format_digest_line(alert)}{_format_score(alert)}"


def _choose_wording(words: dict[str, str], alert: Alert, kind: str, default: str) -> str:
    """By the kind that was told; an operator's own kind by the type of the action, unless that has changed."""
    known = words.get(kind) or ("" if alert.is_follow_up else words.get(alert.facts.action_type))
    return _(known) if known else default


def _format_score(alert: Alert) -> str:
    return f" · {escape_html(translate_scoreline(alert.facts))}" if alert.facts.match else ""


def _lower_first_letter(reason: str) -> str:
    """`Offside` goes on in lower case; `VAR` stays."""
    return reason if reason[:2].isupper() else reason[:1].lower() + reason[1:]


def _format_name(name: str) -> str:
    return escape_html(isolate(name))
