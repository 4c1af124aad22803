"""What a message shows, as Telegram's HTML in the language of the task at work: marks, digests, replies, spoilers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from bot.i18n.football import (
    current_wording,
    format_score,
    format_title,
    translate_scoreline,
    translate_team,
    translate_term,
)
from bot.i18n.language import choose_text, format_short_date
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.outbox.delivery import Subject
from bot.outbox.digests import LATE_JOIN_DIGEST, QUIET_HOURS_DIGEST, find_line_alert
from bot.outbox.news import SAMPLE, NewsItem, is_burst
from bot.telegram.html import TEXT_LIMIT, cut, remove_tags, time_tag
from bot.time_zones import find_zone
from rules.engine.alert import Alert, State
from rules.engine.text import escape_html, make_fallback_text, tidy_text
from rules.football.action import Side
from rules.football.corrections.unconfirmed import NOT_CONFIRMED
from rules.football.minute import Period
from rules.football.names import isolate

_UTC = "UTC"
"""The time zone that a rule's text is written in, and that of a chat that has not chosen its own."""

# The longest mark in any of the languages has some forty.
_MARK_ROOM = 64
"""Characters that are left free for a mark below the text."""

_TAGS_NOT_IN_STRIKETHROUGH = frozenset({"s", "strike", "del", "pre", "code", "blockquote"})
"""Tags that Telegram does not take inside of strikethrough."""

_TAGS_NOT_IN_SPOILER = frozenset({"pre", "code", "tg-spoiler", "span"})
"""Tags that Telegram does not take inside of a spoiler, and those that are spoilers themselves."""

# By the kinds of the shipped packs, and by the feed's action types for an operator's own kinds. Each follows the team:
# `Chelsea: no goal`. Without a team it begins the line with a capital.
_RETRACTION_TEXTS = {
    "goal": N_("no goal"),
    "own_goal": N_("no goal"),
    "yellow_card": N_("yellow card cancelled"),
    "red_card": N_("red card cancelled"),
    "penalty": N_("penalty cancelled"),
    "substitution": N_("substitution cancelled"),
    "full_time": N_("the match is not over"),
    "Goal": N_("no goal"),
    "Yellow Card": N_("yellow card cancelled"),
    "Red Card": N_("red card cancelled"),
    "Penalty Awarded": N_("penalty cancelled"),
    "Penalty Missed": N_("the missed penalty does not count"),
    "Substitution In": N_("substitution cancelled"),
    "End Match": N_("the match is not over"),
}

_RESTORATION_TEXTS = {
    "goal": N_("goal stands"),
    "own_goal": N_("goal stands"),
    "yellow_card": N_("the yellow card stands"),
    "red_card": N_("the red card stands"),
    "penalty": N_("the penalty stands"),
    "Goal": N_("goal stands"),
    "Yellow Card": N_("the yellow card stands"),
    "Red Card": N_("the red card stands"),
    "Penalty Awarded": N_("the penalty stands"),
}

_DIGEST_TITLES = {LATE_JOIN_DIGEST: N_("Earlier in this match"), QUIET_HOURS_DIGEST: N_("While it was quiet")}

_PERIOD_WORDS = frozenset({"", *Period})

_DATE = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d UTC)?")
"""A date in an alert as `format_kickoff` writes it."""

_ICONS = {
    "Goal": "⚽",
    "Yellow Card": "🟨",
    "Red Card": "🟥",
    "Penalty Awarded": "❗",
    "Penalty Missed": "❌",
    "Substitution In": "🔁",
}

_LINE_DETAILS = {
    ("Goal", "Own Goal"): "own goal",
    ("Goal", "Penalty"): "penalty",
    ("Red Card", "Second Yellow"): "second yellow",
    ("Penalty Missed", ""): "penalty missed",
}
"""What an icon does not say, by action type and sub type."""


def render_body(alert: Alert, sent_body: str = "", timezone: str = _UTC) -> str:
    """Return the text without marks: the rule's, else the one that was sent before, else the bare facts.

    The kick-off in it is given in the chat's time zone.
    """
    text = choose_text(alert.texts) or alert.text
    if text and alert.is_delayed:
        text = f"{text}\n🕓 <i>{_('reported late')}</i>"
    # No rule writes a text for a retraction: what was sent stays, to be struck through.
    text = text or sent_body or make_fallback_text(alert.facts)
    kickoff, written = alert.fixture.kickoff, alert.facts.kickoff
    tag = written
    if written and kickoff is not None:
        # Alerts are made once for all chats, with the time in UTC; here it becomes the chat's, and in Telegram each reader's.
        tag = time_tag(kickoff, written if timezone == _UTC else f"{kickoff.astimezone(find_zone(timezone)):%H:%M}")
    # Dates and what stands between them, each by itself: a date ends with a time that may be the kick-off's, and a tag in a tag
    # is no tag.
    dates = _DATE.findall(text) if alert.facts.kickoff_date else []
    pieces = _DATE.split(text) if dates else [text]
    pieces = [piece.replace(written, tag) for piece in pieces] if written else pieces
    text = pieces[0] + "".join(_format_date(date, timezone) + piece for date, piece in zip(dates, pieces[1:], strict=True))
    return cut(text, TEXT_LIMIT - _MARK_ROOM)


def _format_date(written: str, timezone: str) -> str:
    """Return `22 August, 16:00` for `2026-08-22 14:00 UTC`, as the time zone has it, and `22 August` for a date alone.

    With a time it is a tag that Telegram shows in each reader's own zone.
    """
    try:
        if not written.endswith(_UTC):
            return format_short_date(dt.date.fromisoformat(written))
        instant = dt.datetime.strptime(written, "%Y-%m-%d %H:%M UTC").replace(tzinfo=dt.UTC)
    except ValueError:
        return written  # an operator's own text has something that only looks like a date
    local = instant.astimezone(find_zone(timezone))
    text = f"{format_short_date(local.date())}, {local:%H:%M}{' UTC' if timezone == _UTC else ''}"
    return time_tag(instant, text, with_day=True)


def render_message(body: str, state: State, *, is_restored: bool = False) -> str:
    """Return the whole message: struck through if it is retracted, or with a mark while it is pending or once restored."""
    if state is State.RETRACTED:
        return f"<s>{remove_tags(body, _TAGS_NOT_IN_STRIKETHROUGH)}</s>"
    if state is State.PENDING:
        return f"{body}\n⏳ <i>{_('unconfirmed')}</i>"
    return f"{body}\n✅ <i>{_('stands after all')}</i>" if is_restored else body


def render_unconfirmed(body: str) -> str:
    """Return the message of an action that was never confirmed: struck through, with the reason below it."""
    return f"{render_message(body, State.RETRACTED)}\n⏳ <i>{_('was not confirmed')}</i>"


def render_with_note(html: str, bodies: Sequence[str]) -> str:
    """Return the message with a note that earlier copies of it do not count, and what they say struck through below.

    A chat may have got the copies or not, and the note has to be right in both cases. `bodies` is empty if they say the same, as
    when only the mark of what is unconfirmed is gone.
    """
    if bodies:
        note = _("An earlier copy no longer counts, if you got one:")
    else:
        note = _("An earlier copy of this message no longer counts, if you got one.")
    struck = (render_message(body, State.RETRACTED) for body in bodies)
    return cut("\n".join([html, f"↩️ <i>{note}</i>", *struck]))


def render_digest(alert: Alert, lines: Sequence[NewsItem]) -> str:
    """Return several news items in one message: a line each, struck through if it was retracted since, and the score now."""
    if is_burst(alert.key):
        return _render_burst(lines)
    title = _DIGEST_TITLES.get(alert.facts.reason)
    heading = f"📋 <b>{_(title) if title else _('While the connection was down')}</b>{_format_score(alert)}{_format_stage(alert)}"
    # No score in each line: the heading has that of the match.
    shown = []
    for news in lines:
        line = _format_line(find_line_alert(news))
        shown.append(f"• {render_message(line, State.RETRACTED) if news.state is State.RETRACTED else line}")
    return cut("\n".join([heading, *shown]))


def render_match_state(alert: Alert) -> str:
    """Return how a match stands: score, minute or stage, and below it the scorers."""
    facts = alert.facts
    minute = f" · {escape_html(facts.minute)}'" if facts.minute and not _format_stage(alert) else ""
    heading = f"📋 <b>{_('The match so far')}</b>{_format_score(alert)}{minute}{_format_stage(alert)}"
    return tidy_text(f"{heading}\n{escape_html(current_wording().format_scorers(facts))}")


def _format_stage(alert: Alert) -> str:
    """Return where the match stands beside its minute, such as ` · half time`; empty while it is played."""
    stage = alert.facts.period
    # A digest of an earlier version has the period of its latest line there.
    return "" if stage in _PERIOD_WORDS else f" · {escape_html(translate_term(stage))}"


def _render_burst(lines: Sequence[NewsItem]) -> str:
    """Return a single line as the alert that it is; of several a line each, with the score of its match."""
    alerts = [find_line_alert(news) for news in lines]
    if len(lines) == 1 and lines[0].state is not State.RETRACTED:
        return render_message(render_body(alerts[0]), lines[0].state)
    shown = []
    for alert, news in zip(alerts, lines, strict=True):
        line = render_line(alert)
        if news.state is State.RETRACTED:
            line = render_message(line, State.RETRACTED)
        shown.append(f"• {'⏳ ' if news.state is State.PENDING else ''}{line}")
    return cut("\n".join([_burst_title(), *shown]))


def render_change(before: Subject, alert: Alert, html: str) -> str:
    """Return the reply that says what a message was about and what it is about now, followed by the message.

    `✏️ Correction: Red Card → Yellow Card`, or of a full time `✏️ The result has changed: 2–2 → 2–3`.
    """
    facts, now = alert.facts, Subject.of(alert)
    if before.result and now.result and before.result != now.result:
        change = f"{format_score(before.result)} → {format_score(now.result)}"
        return cut(f"✏️ <b>{_('The result has changed: {change}').format(change=escape_html(change))}</b>\n{html}")
    if before.action_type and before.action_type != facts.action_type:
        what = f"{translate_term(before.action_type)} → {translate_term(facts.action_type)}"
    elif before.side and facts.side and before.side != facts.side:
        teams = [isolate(alert.fixture.team(Side(side)).name) for side in (before.side, facts.side)]
        what = f"{translate_term(facts.action_type)}, {teams[0]} → {teams[1]}" if all(teams) else ""
    else:
        what = ""
    title = _("Correction: {change}").format(change=escape_html(what)) if what else _("Correction")
    return cut(f"✏️ <b>{title}</b>\n{html}")


def render_retraction(alert: Alert, sent_kind: str) -> str:
    """Return the short reply that says what does not count any more. `sent_kind` is the kind that the chat was sent.

    The first line is what a locked phone shows: whose goal it was, and the score now.
    `❌ Chelsea: no goal, 1–0 (offside)`, and below it `16' Heung-Min Son · Arsenal 1–0 Chelsea`.
    """
    facts = alert.facts
    # `offside` for `Offside`, but abbreviations such as `VAR` as they are.
    word = facts.reason if facts.reason[:2].isupper() else facts.reason[:1].lower() + facts.reason[1:]
    reason = f" ({escape_html(translate_term(word))})" if word else ""
    if alert.is_follow_up or not facts.action_type:
        default = _("taken back")
    elif facts.reason == NOT_CONFIRMED:
        what = _("{action} was not confirmed").format(action=translate_term(facts.action_type.lower()))
        return _render_reply("❌", alert, what)
    else:
        default = _("{action} cancelled").format(action=translate_term(facts.action_type.lower()))
    return _render_reply("❌", alert, _choose_wording(_RETRACTION_TEXTS, alert, sent_kind, default), reason)


def render_restoration(alert: Alert) -> str:
    """Return the short reply that says what counts again.

    `✅ Chelsea: goal stands, 1–1`, and below it `16' Heung-Min Son · Arsenal 1–1 Chelsea`.
    """
    return _render_reply("✅", alert, _choose_wording(_RESTORATION_TEXTS, alert, alert.kind, _("stands after all")))


def _render_reply(sign: str, alert: Alert, what: str, reason: str = "") -> str:
    facts = alert.facts
    team = escape_html(isolate(translate_team(facts.team)))
    headline = _("{name}: {text}").format(name=team, text=escape_html(what)) if team else escape_html(what[:1].upper() + what[1:])
    score = f", {format_score(facts.score)}" if facts.action_type == "Goal" and facts.score and not facts.shootout else ""
    minute = f"{escape_html(facts.minute)}' " if facts.minute else ""
    below = (f"{minute}{_format_name(facts.player)}".strip(), escape_html(translate_scoreline(facts)))
    return tidy_text(f"{sign} <b>{headline}</b>{score}{reason}\n{' · '.join(filter(None, below))}")


def join_replies(replies: Sequence[str]) -> str:
    """Return short replies as one message."""
    return cut("\n".join(replies))


def hide_in_spoiler(alert: Alert, html: str) -> str:
    """Return the message with everything but the names of the match hidden until it is tapped."""
    if is_burst(alert.key):
        visible = _burst_title()
    elif alert.key.fixture_id == SAMPLE:
        # The sample of /test is of no match: its own first line says what it is.
        visible = html.partition("\n")[0]
    else:
        visible = f"🔔 {escape_html(format_title(alert.fixture))}".rstrip()
    # The visible first line of a burst or a sample is not repeated in the hidden part.
    hidden = remove_tags(html.removeprefix(f"{visible}\n"), _TAGS_NOT_IN_SPOILER)
    return cut(f"{visible}\n<tg-spoiler>{hidden}</tg-spoiler>")


def _burst_title() -> str:
    return f"🔔 <b>{_('Just now')}</b>"


def render_line(alert: Alert) -> str:
    """Return an alert in one line, with the score of its match."""
    return f"{_format_line(alert)}{_format_score(alert)}"


def _format_line(alert: Alert) -> str:
    """Return `12' ⚽ Kane (Tottenham Hotspur)`, or the first line of the alert's own text if it is about no player."""
    facts = alert.facts
    minute = f"{escape_html(facts.minute)}' " if facts.minute else ""
    if facts.player:
        what = _ICONS.get(facts.action_type, escape_html(translate_term(facts.action_type)))
        # The team of an own goal is the one that gets it, while its player belongs to the opponent.
        team = facts.opponent if facts.sub_action_type == "Own Goal" else facts.team
        detail = _LINE_DETAILS.get((facts.action_type, facts.sub_action_type)) or _LINE_DETAILS.get((facts.action_type, ""))
        notes = (_format_name(translate_team(team)) if team else "", escape_html(translate_term(detail)) if detail else "")
        inside = ", ".join(filter(None, notes))
        return f"{minute}{what} {_format_name(facts.player)}" + (f" ({inside})" if inside else "")
    # The text may end with the minute, which the line begins with.
    text = (choose_text(alert.texts) or alert.text).split("\n")[0]
    text = text.removesuffix(f" {minute}".rstrip()).removesuffix(f" ({minute.rstrip()})")
    return minute + (text or escape_html(translate_term(facts.action_type)))


def _choose_wording(texts: dict[str, str], alert: Alert, kind: str, default: str) -> str:
    """Return the text for the kind that was sent, or for the action type if the kind is an operator's own."""
    # An alert that only corrects messages already sent may be of another action type than they were.
    text = texts.get(kind) or ("" if alert.is_follow_up else texts.get(alert.facts.action_type))
    return _(text) if text else default


def _format_score(alert: Alert) -> str:
    return f" · {escape_html(translate_scoreline(alert.facts))}" if alert.facts.match else ""


def _format_name(name: str) -> str:
    return escape_html(isolate(name))
