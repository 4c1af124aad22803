"""What `/why` says of an alert: the rule, what it compared, what its chat saw of it and why, how long that took. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from operator import itemgetter

from bot.chats import manner_words, texts
from bot.chats import why_words as words
from bot.chats.reply import Reply, View
from bot.chats.times import local
from bot.outbox.account import Account
from bot.outbox.burst import is_burst
from bot.outbox.decide import first_for
from bot.outbox.entry import News
from bot.outbox.sample import SAMPLE
from bot.outbox.seen import Seen, seen_of
from rules.alert import CARD, Compared, State

_HISTORY = 8
"""The latest revisions that are shown; a match card has many."""


def why(account: Account, view: View) -> Reply:
    """Everything that is known of one message of a chat."""
    parts = [[*_said(account, view)], [*_conditions(account, view)], [*_became(account, view)], [*_history(account, view)]]
    return Reply("\n\n".join("\n".join(part) for part in parts if part))


def _said(account: Account, view: View) -> Iterator[str]:
    """Who told it."""
    entry, news = account.entry, account.news
    if account.as_reply:
        yield words.as_reply()
    if news.extra:
        yield words.card() if entry.kind == CARD else words.picture()
    elif entry.key.fixture_id == SAMPLE:
        yield words.sample()
    elif news.lines:
        yield manner_words.bursts_why() if is_burst(news.key) else texts.summary_why()
        yield from (_line(line, view) for line in account.lines)
    else:
        yield texts.why(entry.rule, texts.kind(entry.kind))
        if others := [rule for rule in news.because if rule != entry.rule]:
            yield words.also_fired(", ".join(f"<b>{texts.escape(rule)}</b>" for rule in others))


def _line(news: News, view: View) -> str:
    """One line of a summary: what happened, and the rule that would have told it here."""
    facts, told = news.candidates[0].facts, first_for(news, view.chat)
    what = " ".join(filter(None, (f"{facts.minute}'" if facts.minute else "", facts.action_type, facts.player)))
    rule = told.rule if told else next(iter(news.because or news.born), "")
    return f"• {words.line(what, rule, hide=view.chat.spoilers)}"


def _conditions(account: Account, view: View) -> Iterator[str]:
    """What the rule compared; nothing where that was not noted, as in earlier versions."""
    if account.entry.rule not in account.news.because or account.news.lines:
        return
    yield words.compared()
    compared = account.news.because[account.entry.rule]
    yield from (_condition(one, view) for one in compared)
    if not compared:
        yield words.everything()


def _condition(one: Compared, view: View) -> str:
    return words.condition(one.key, one.wanted, one.seen, holds=one.holds, hide=view.chat.spoilers)


def _became(account: Account, view: View) -> Iterator[str]:
    """Why it is struck through, where it is."""
    if account.entry.state is State.RETRACTED:
        reason = account.news.candidates[0].facts.reason
        yield words.hidden(words.taken_back(reason)) if view.chat.spoilers else words.taken_back(reason)


def _history(account: Account, view: View) -> Iterator[str]:
    """Every revision that the chat has seen, and when the rule first made the news."""
    timezone, seen = view.chat.timezone, seen_of(account.entry)
    told = [(int(one.at), _revision(one, timezone)) for one in seen[-_HISTORY:]]
    born = account.news.born.get(account.entry.rule)
    if born and not account.news.extra and account.entry.key.fixture_id != SAMPLE:
        told.insert(0, (int(born), f"{_at(born, timezone)} {texts.rule_fired()}"))
    yield words.history()
    yield from (said for _, said in sorted(told, key=itemgetter(0)))


def _revision(seen: Seen, timezone: str) -> str:
    said = words.replied() if seen.reply else words.reason(seen.reason)
    line = f"{_at(seen.at, timezone)} {said} {words.number(seen.seq, seen.reason, seen.state.value)}"
    return f"{line}\n   {words.steps(seen.way)}" if seen.way else line


def _at(seconds: float, timezone: str) -> str:
    return f"<code>{local(dt.datetime.fromtimestamp(seconds, dt.UTC), timezone):%H:%M:%S}</code>"
