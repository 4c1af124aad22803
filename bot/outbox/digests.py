"""Several news items in one message: missed, quiet hours, bursts; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import msgspec

from bot.outbox.delivery import Delivery, Reason
from bot.outbox.news import BURSTS, NewsItem, format_line_name, is_burst, parse_line_name
from rules.engine.alert import Alert, AlertKey, Facts, Importance, State
from rules.football.action import Fixture

_BURST_KIND = "summary"

_BURST_MAX_AGE = 300.0

_BURST_PRIORITY = 1

_LINES_BY_CHAT = ("*",)
"""It has lines; which ones, each chat's entries say."""


def make_burst_key(end: float) -> AlertKey:
    """The burst that is told at an instant, in seconds since 1970."""
    return AlertKey(BURSTS, f"{end:.0f}")


def parse_burst_end(key: AlertKey) -> float:
    """When a burst is told."""
    return float(key.action_id)


def burst_digest(key: AlertKey, latest: Alert, seq: int = 1) -> NewsItem:
    """A burst as news; it carries the instant and nothing else of the latest of its lines."""
    made = Alert(key, seq, State.CONFIRMED, latest.at, Fixture(""), Facts(reason=BURSTS), kind=_BURST_KIND)
    alert = msgspec.structs.replace(made, importance=Importance.MINOR, max_age=_BURST_MAX_AGE)
    return NewsItem(key, seq, alert.state, (alert,), {"": parse_burst_end(key)}, _LINES_BY_CHAT, priority=_BURST_PRIORITY)


def find_retracted_lines(delivery: Delivery, lines: Sequence[NewsItem]) -> tuple[NewsItem, ...]:
    """The lines of a burst that a chat has seen standing, and that are taken back now."""
    seen = delivery.rule.split("\n")
    now = ((line, format_line_name(line, delivery.key)) for line in lines if line.state is State.RETRACTED)
    return tuple(line for line, name in now if name not in seen)


def read_line_keys(delivery: Delivery) -> list[AlertKey]:
    """The lines that a chat was told in a summary, in their order."""
    return [parse_line_name(name, delivery.key) for name in delivery.rule.split("\n") if name]


def find_uncertain_lines(delivery: Delivery) -> frozenset[AlertKey]:
    """The lines of a summary that has left, and may or may not have arrived."""
    return frozenset(read_line_keys(delivery)) if delivery.is_uncertain else frozenset()


def select_burst_lines(
    lines: Sequence[NewsItem], muted_matches: Collection[str], uncertain: Collection[AlertKey] = ()
) -> tuple[NewsItem, ...]:
    """Of what was held, what is told, as it happened: neither what was taken back by now nor what is of a muted match.

    `seen` are those that the chat may have seen: they are told whatever became of them.
    """
    standing = (news for news in lines if news.key in uncertain or _is_sendable_line(news, muted_matches))
    return tuple(sorted(standing, key=lambda news: (min(news.first_fired_at.values(), default=0.0), news.seq)))


def _is_sendable_line(news: NewsItem, muted_matches: Collection[str]) -> bool:
    return news.state is not State.RETRACTED and news.key.fixture_id not in muted_matches


DIGEST_KIND = "summary"

QUIET_HOURS_DIGEST = "quiet"
"""The reason of a summary of what came in quiet hours."""

LATE_JOIN_DIGEST = "joined"
"""The reason of a summary of what came before a match was followed."""

_DIGEST_MAX_AGE = 3600.0


def missed_digest(news_items: Sequence[NewsItem], now: dt.datetime, *, is_late_join: bool = False) -> NewsItem | None:
    """The summary of a match's missed news that stands and was not told yet; None where there is none."""
    news_items = [news for news in news_items if not news.is_live_message]
    missed = [
        news
        for news in news_items
        if news.is_missed and not news.digest_id and news.state is State.CONFIRMED and not news.line_ids
    ]
    if not missed:
        return None
    key = AlertKey(missed[0].key.fixture_id, f"{DIGEST_KIND}:{missed[0].seq}")
    alert = _make_digest_alert(
        key, _find_latest_alert(news_items), max(news.seq for news in news_items), now, LATE_JOIN_DIGEST if is_late_join else ""
    )
    lines = tuple(news.key.action_id for news in missed)
    return NewsItem(key, alert.seq, alert.state, (alert,), {"": now.timestamp()}, lines, priority=2)


def make_quiet_hours_key(news: NewsItem, end: dt.datetime) -> AlertKey:
    """The name of what is told of a match when quiet hours end."""
    return AlertKey(news.key.fixture_id, f"{QUIET_HOURS_DIGEST}:{end.timestamp():.0f}")


def quiet_hours_digest(previous: NewsItem | None, news: NewsItem, end: dt.datetime) -> NewsItem:
    """What quiet hours have held so far, with one piece of news more; it is news from their end on."""
    lines = previous.line_ids if previous else ()
    lines = lines if news.key.action_id in lines else (*lines, news.key.action_id)
    alert = _make_digest_alert(
        make_quiet_hours_key(news, end),
        news.alternatives[0],
        max(news.seq, previous.seq if previous else 0),
        end,
        QUIET_HOURS_DIGEST,
    )
    return NewsItem(alert.key, alert.seq, alert.state, (alert,), {"": end.timestamp()}, lines, priority=2)


def renew_digest(digest: NewsItem, revision: Sequence[Alert], now: dt.datetime) -> NewsItem:
    """The same summary after one of its lines was revised."""
    if is_burst(digest.key):
        return msgspec.structs.replace(
            burst_digest(digest.key, revision[0], digest.seq + 1), first_fired_at=digest.first_fired_at
        )
    reason = digest.alternatives[0].facts.reason
    alert = _make_digest_alert(digest.key, revision[0], max(digest.seq + 1, revision[0].seq), now, reason)
    return msgspec.structs.replace(digest, seq=alert.seq, alternatives=(alert,))


def select_lines(delivery: Delivery, lines: Sequence[NewsItem], line_deliveries: Collection[Delivery]) -> tuple[NewsItem, ...]:
    """The lines that concern a chat: as told before, else those that it heard nothing of."""
    if delivery.is_sent:
        return tuple(news for news in lines if news.key.action_id in delivery.rule.split("\n"))
    perhaps, standing = find_uncertain_lines(delivery), [news.key for news in lines if news.state is not State.RETRACTED]
    if delivery.key.action_id.startswith(f"{QUIET_HOURS_DIGEST}:"):
        held = {e.key for e in line_deliveries if e.reason == Reason.HELD_FOR_QUIET_HOURS}
        return tuple(news for news in lines if news.key in perhaps or (news.key in held and news.key in standing))
    heard = {e.key for e in line_deliveries if e.reason != Reason.EXPIRED}
    return tuple(news for news in lines if news.key in perhaps or (news.key not in heard and news.key in standing))


def _find_latest_alert(news_items: Sequence[NewsItem]) -> Alert:
    return max((news.alternatives[0] for news in news_items), key=lambda alert: alert.seq)


def _make_digest_alert(key: AlertKey, latest: Alert, seq: int, now: dt.datetime, reason: str) -> Alert:
    """It carries the facts as they are now: the score, not what happened."""
    facts = msgspec.structs.replace(latest.facts, player="", minute="", action_type="", sub_action_type="", reason=reason)
    return Alert(
        key,
        seq,
        State.CONFIRMED,
        now,
        latest.fixture,
        facts,
        latest.home_score,
        latest.away_score,
        kind=DIGEST_KIND,
        importance=Importance.MINOR,
        max_age=_DIGEST_MAX_AGE,
    )
