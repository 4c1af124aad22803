"""What a message shows: a rule's text with the marks of its state, and the replies. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.languages.speaking import spoken
from bot.outbox.burst import is_burst
from bot.outbox.entry import News
from bot.outbox.sample import SAMPLE
from bot.store.quiet import zone
from bot.telegram import words
from bot.telegram.html import LIMIT, cut, without
from rules.alert import Alert, State
from rules.template import escape, plain, tidy

_UTC = "UTC"
"""The time that a rule's text tells, and that of a chat that has not chosen its own."""
_MARKS = 64
"""Room that is left for a mark."""
_UNSTRIKABLE = frozenset({"s", "strike", "del", "pre", "code", "blockquote"})
"""Tags that cannot stand inside of what is struck through."""

_UNVEILABLE = frozenset({"pre", "code", "tg-spoiler", "span"})
"""Tags that cannot stand inside of spoiler text, or need not."""


def body_of(alert: Alert, told: str = "", timezone: str = _UTC) -> str:
    """The text without marks, in the language that is spoken: the rule's, else the one that was told, else the bare facts.

    The kick-off in it is told in the chat's time.
    """
    text = alert.texts.get(spoken()) or alert.text or told or plain(alert.facts)
    return cut(_in_time_of(timezone, alert, text), LIMIT - _MARKS)


def _in_time_of(timezone: str, alert: Alert, text: str) -> str:
    kickoff, written = alert.fixture.kickoff, alert.facts.kickoff
    if not written or kickoff is None or timezone == _UTC:
        return text
    return text.replace(written, f"{kickoff.astimezone(zone(timezone)):%H:%M}")


def message(body: str, state: State, *, restored: bool = False) -> str:
    """The whole message."""
    if state is State.RETRACTED:
        return f"<s>{without(body, _UNSTRIKABLE)}</s>"
    marks = [words.pending()] if state is State.PENDING else [words.restored()] if restored else []
    return "\n".join([body, *marks])


def summary(alert: Alert, lines: Sequence[News]) -> str:
    """Several pieces of news in one message: a line each, struck where it was taken back since, and the score now."""
    if is_burst(alert.key):
        return _burst(lines)
    return cut("\n".join([words.summary_title(alert), *map(_line, lines)]))


def retraction(alert: Alert, kind: str) -> str:
    """The short reply that tells what is no longer so."""
    return tidy(words.taken_back(alert, kind))


def replies(several: Sequence[str]) -> str:
    """Short replies in one message."""
    return cut("\n".join(several))


def restoration(alert: Alert) -> str:
    """The short reply that tells what is so again."""
    return tidy(words.stands(alert))


def veiled(alert: Alert, html: str) -> str:
    """The match by its name alone, and all else hidden until it is tapped."""
    head = _head(alert, html)
    hidden = without(html.removeprefix(f"{head}\n"), _UNVEILABLE)
    return cut(f"{head}\n<tg-spoiler>{hidden}</tg-spoiler>")


def _head(alert: Alert, html: str) -> str:
    """What a spoiler leaves to be seen; a sample is of no match, and its own first line says so."""
    if is_burst(alert.key):
        return words.burst_title()
    if alert.key.fixture_id == SAMPLE:
        return html.partition("\n")[0]
    return f"🔔 {escape(alert.fixture.title)}".rstrip()


def _burst(lines: Sequence[News]) -> str:
    """One that came alone is told as it is; several get a line each, with the score of their match."""
    alerts = [(news.fired or news.candidates)[0] for news in lines]
    if len(lines) == 1 and lines[0].state is not State.RETRACTED:
        return message(body_of(alerts[0]), lines[0].state)
    shown = [_of_burst(alert, news.state) for alert, news in zip(alerts, lines, strict=True)]
    return cut("\n".join([words.burst_title(), *shown]))


def _of_burst(alert: Alert, state: State) -> str:
    line = words.burst_line(alert)
    return f"• {message(line, state)}" if state is State.RETRACTED else f"• {'⏳ ' if state is State.PENDING else ''}{line}"


def _line(news: News) -> str:
    line = words.summary_line((news.fired or news.candidates)[0])
    return f"• {message(line, State.RETRACTED) if news.state is State.RETRACTED else line}"
