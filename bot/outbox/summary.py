"""What nobody heard in time, as one piece of news. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import msgspec

from bot.outbox.burst import burst_news, is_burst, perhaps_told
from bot.outbox.entry import Entry, News, Reason
from rules.alert import Alert, AlertKey, Importance, State

KIND = "summary"
QUIET = "quiet"
"""The reason of a summary of what came in quiet hours."""
JOINED = "joined"
"""The reason of a summary of what came before a match was followed."""
_MAX_AGE = 3600.0


def summary_of(known: Sequence[News], now: dt.datetime, *, joined: bool = False) -> News | None:
    """The summary of a match's missed news that stands and was not told yet; None where there is none."""
    known = [news for news in known if not news.extra]
    missed = [news for news in known if news.missed and not news.summary and news.state is State.CONFIRMED and not news.lines]
    if not missed:
        return None
    key = AlertKey(missed[0].key.fixture_id, f"{KIND}:{missed[0].seq}")
    alert = _alert(key, _latest(known), max(news.seq for news in known), now, JOINED if joined else "")
    lines = tuple(news.key.action_id for news in missed)
    return News(key, alert.seq, alert.state, (alert,), {"": now.timestamp()}, lines, rank=2)


def held_key(news: News, end: dt.datetime) -> AlertKey:
    """The name of what is told of a match when quiet hours end."""
    return AlertKey(news.key.fixture_id, f"{QUIET}:{end.timestamp():.0f}")


def held_summary(known: News | None, news: News, end: dt.datetime) -> News:
    """What quiet hours have held so far, with one piece of news more; it is news from their end on."""
    lines = known.lines if known else ()
    lines = lines if news.key.action_id in lines else (*lines, news.key.action_id)
    alert = _alert(held_key(news, end), news.candidates[0], max(news.seq, known.seq if known else 0), end, QUIET)
    return News(alert.key, alert.seq, alert.state, (alert,), {"": end.timestamp()}, lines, rank=2)


def renewed(summary: News, revision: Sequence[Alert], now: dt.datetime) -> News:
    """The same summary after one of its lines was revised."""
    if is_burst(summary.key):
        return msgspec.structs.replace(burst_news(summary.key, revision[0], summary.seq + 1), born=summary.born)
    reason = summary.candidates[0].facts.reason
    alert = _alert(summary.key, revision[0], max(summary.seq + 1, revision[0].seq), now, reason)
    return msgspec.structs.replace(summary, seq=alert.seq, candidates=(alert,))


def lines_for(entry: Entry, lines: Sequence[News], seen: Collection[Entry]) -> tuple[News, ...]:
    """The lines that concern a chat: as told before, else those that it heard nothing of."""
    if entry.told:
        return tuple(news for news in lines if news.key.action_id in entry.rule.split("\n"))
    perhaps, standing = perhaps_told(entry), [news.key for news in lines if news.state is not State.RETRACTED]
    if entry.key.action_id.startswith(f"{QUIET}:"):
        held = {e.key for e in seen if e.reason == Reason.HELD}
        return tuple(news for news in lines if news.key in perhaps or (news.key in held and news.key in standing))
    heard = {e.key for e in seen if e.reason != Reason.EXPIRED}
    return tuple(news for news in lines if news.key in perhaps or (news.key not in heard and news.key in standing))


def _latest(known: Sequence[News]) -> Alert:
    return max((news.candidates[0] for news in known), key=lambda alert: alert.seq)


def _alert(key: AlertKey, latest: Alert, seq: int, now: dt.datetime, reason: str) -> Alert:
    """It carries the facts as they are now: the score, not what happened."""
    facts = msgspec.structs.replace(latest.facts, player="", minute="", action_type="", sub_action_type="", reason=reason)
    return Alert(
        key,
        seq,
        State.CONFIRMED,
        now,
        latest.fixture,
        facts,
        latest.home,
        latest.away,
        kind=KIND,
        importance=Importance.MINOR,
        max_age=_MAX_AGE,
    )
