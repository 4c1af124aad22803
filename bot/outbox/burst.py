"""News of several matches within seconds, as one piece of news for the chats that want it so. Pure.

A burst is named by the instant at which it is told, shared by all chats that are told then; what a chat is told in it are the
lines that were held for that chat.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from bot.outbox.entry import Entry, News
from rules.action import Fixture
from rules.alert import Alert, AlertKey, Facts, Importance, State

BURSTS = "bursts"
"""Stands in the place of a fixture: a burst is of several. Also the reason of its summary."""
_KIND = "summary"
_MAX_AGE = 300.0
_RANK = 1
_STRUCK = "\t"
_LINES = ("*",)
"""It has lines; which ones, each chat's entries say."""


def is_burst(key: AlertKey) -> bool:
    """Tell whether news is a burst."""
    return key.fixture_id == BURSTS


def burst_key(end: float) -> AlertKey:
    """The burst that is told at an instant, in seconds since 1970."""
    return AlertKey(BURSTS, f"{end:.0f}")


def end_of(key: AlertKey) -> float:
    """When a burst is told."""
    return float(key.action_id)


def burst_news(key: AlertKey, latest: Alert, seq: int = 1) -> News:
    """A burst as news; it carries the instant and nothing else of the latest of its lines."""
    made = Alert(key, seq, State.CONFIRMED, latest.at, Fixture(""), Facts(reason=BURSTS), kind=_KIND)
    alert = msgspec.structs.replace(made, importance=Importance.MINOR, max_age=_MAX_AGE)
    return News(key, seq, alert.state, (alert,), {"": end_of(key)}, _LINES, rank=_RANK)


def line_name(line: News, within: AlertKey) -> str:
    """How a summary remembers one of its lines; a burst names the match too, and whether the line is struck."""
    struck = _STRUCK if line.state is State.RETRACTED else ""
    return f"{line.key.fixture_id}\t{line.key.action_id}{struck}" if is_burst(within) else line.key.action_id


def line_key(name: str, within: AlertKey) -> AlertKey:
    """The line that a summary remembers."""
    fixture_id, _, action_id = name.removesuffix(_STRUCK).rpartition("\t")
    return AlertKey(fixture_id or within.fixture_id, action_id)


def fallen(entry: Entry, lines: Sequence[News]) -> tuple[News, ...]:
    """The lines of a burst that a chat has seen standing, and that are taken back now."""
    seen = entry.rule.split("\n")
    now = ((line, line_name(line, entry.key)) for line in lines if line.state is State.RETRACTED)
    return tuple(line for line, name in now if name not in seen)


def told_keys(entry: Entry) -> list[AlertKey]:
    """The lines that a chat was told in a summary, in their order."""
    return [line_key(name, entry.key) for name in entry.rule.split("\n") if name]


def perhaps_told(entry: Entry) -> frozenset[AlertKey]:
    """The lines of a summary that has left, and may or may not have arrived."""
    return frozenset(told_keys(entry)) if entry.unsure else frozenset()


def to_tell(lines: Sequence[News], muted: Collection[str], seen: Collection[AlertKey] = ()) -> tuple[News, ...]:
    """Of what was held, what is told, as it happened: neither what was taken back by now nor what is of a muted match.

    `seen` are those that the chat may have seen: they are told whatever became of them.
    """
    standing = (news for news in lines if news.key in seen or _stands(news, muted))
    return tuple(sorted(standing, key=lambda news: (min(news.born.values(), default=0.0), news.seq)))


def _stands(news: News, muted: Collection[str]) -> bool:
    return news.state is not State.RETRACTED and news.key.fixture_id not in muted
