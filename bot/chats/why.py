"""What `/why` says of an alert: which rule told it, and what its chat saw of it when and for which reason. Pure."""

from __future__ import annotations

import datetime as dt

from bot.chats import texts
from bot.chats.reply import Reply
from bot.chats.times import local
from bot.languages.speaking import marked as N_
from bot.languages.speaking import translated as _
from bot.outbox.entry import Entry, News

_REASONS = {
    "first": N_("told"),
    "revision": N_("the same news, corrected"),
    "graver": N_("it became graver"),
    "retraction": N_("taken back"),
    "restored": N_("it stands after all"),
}


def why(entry: Entry, news: News, timezone: str) -> Reply:
    """The rule, each revision that the chat has seen with its instant and reason, and when the rule first made the news."""
    head = texts.summary_why() if news.lines else texts.why(entry.rule, texts.kind(entry.kind))
    born = news.born.get(entry.rule)
    made = [f"{_at(born, timezone)} {texts.rule_fired()}"] if born else []
    return Reply("\n".join([head, "", *made, *(_line(line, timezone) for line in entry.history.splitlines())]))


def _line(line: str, timezone: str) -> str:
    at, reason, state, number = line.split(" ")
    said = _(_REASONS[reason]) if reason in _REASONS else reason
    return f"{_at(float(at), timezone)} {said} <i>({reason}, {state}, no. {number})</i>"


def _at(seconds: float, timezone: str) -> str:
    return f"<code>{local(dt.datetime.fromtimestamp(seconds, dt.UTC), timezone):%H:%M:%S}</code>"
