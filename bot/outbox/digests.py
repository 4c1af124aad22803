"""Several news items in one message; pure.

There are three digests. One tells what a match's chats missed, one what a chat's quiet hours held, both of one match. The third
tells a burst: what came within seconds, of any match.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import msgspec

from bot.outbox.delivery import Delivery, Reason, Subject
from bot.outbox.news import BURSTS, RETRACTED_SUFFIX, NewsItem, is_burst, parse_line_name
from rules.engine.alert import Alert, AlertKey, Facts, Importance, State
from rules.football.action import Fixture

DIGEST_KIND = "summary"
"""The kind of every digest, and the prefix of the action id of those for missed alerts. It is stored."""

QUIET_HOURS_DIGEST = "quiet"
"""The reason of a digest for quiet hours, and the prefix of its action id. It is stored."""

LATE_JOIN_DIGEST = "joined"
"""The reason of a digest of what came before a match was followed. It is stored."""

# A summary is still of use when the match is in its second half, and of none the next day.
_DIGEST_MAX_AGE = 3600.0

# About as long as the shipped rules give their alerts.
_BURST_MAX_AGE = 300.0

# Behind news of its own and retractions, before cards and pictures.
_DIGEST_PRIORITY = 2

_BURST_PRIORITY = 1

_LINES_BY_CHAT = ("*",)
"""The line ids of a burst: it has lines, and which ones differs by chat."""


def make_missed_digest(news_items: Sequence[NewsItem], now: dt.datetime, *, is_late_join: bool = False) -> NewsItem | None:
    """Return the digest of a match's missed news that still stands and is in no digest yet. None if there is none."""
    news_items = [news for news in news_items if not news.is_live_message]
    missed = [
        news
        for news in news_items
        if news.is_missed and not news.digest_id and news.state is State.CONFIRMED and not news.line_ids
    ]
    if not missed:
        return None
    # The title shows the score as it is now, which is that of the latest news of all, missed or not.
    latest = max((news.alternatives[0] for news in news_items), key=lambda alert: alert.seq)
    # The first number makes the key the same in every process, and different from the digest of an earlier gap.
    key = AlertKey(missed[0].key.fixture_id, f"{DIGEST_KIND}:{missed[0].seq}")
    seq = max(news.seq for news in news_items)
    alert = _make_digest_alert(key, latest, seq, now, LATE_JOIN_DIGEST if is_late_join else "")
    return _make_digest(alert, now, tuple(news.key.action_id for news in missed))


def make_quiet_hours_key(news: NewsItem, end: dt.datetime) -> AlertKey:
    """Return the key of the digest of a match that is sent when quiet hours end."""
    return AlertKey(news.key.fixture_id, f"{QUIET_HOURS_DIGEST}:{end.timestamp():.0f}")


def is_quiet_hours_digest(key: AlertKey) -> bool:
    """Return True for the digest that is sent when quiet hours end."""
    return key.action_id.startswith(f"{QUIET_HOURS_DIGEST}:")


def make_quiet_hours_digest(previous: NewsItem | None, news: NewsItem, end: dt.datetime) -> NewsItem:
    """Return the digest of what quiet hours have held so far, with one more news item. It counts as news from their end."""
    line_ids = previous.line_ids if previous else ()
    line_ids = line_ids if news.key.action_id in line_ids else (*line_ids, news.key.action_id)
    # Higher than before where lines were added, or chats would take the longer digest for a duplicate.
    seq = max(news.seq, previous.seq if previous else 0)
    alert = _make_digest_alert(make_quiet_hours_key(news, end), news.alternatives[0], seq, end, QUIET_HOURS_DIGEST)
    return _make_digest(alert, end, line_ids)


def make_burst_key(end: float) -> AlertKey:
    """Return the key of the burst that is sent at a time, in seconds since 1970."""
    # By the second, so that all chats whose windows end together share one row and its lines.
    return AlertKey(BURSTS, f"{end:.0f}")


def parse_burst_end(key: AlertKey) -> float:
    """Return when a burst is sent, in seconds since 1970."""
    return float(key.action_id)


def make_burst_digest(key: AlertKey, latest: Alert, *, is_silent: bool) -> NewsItem:
    """Return a burst as news. It takes nothing but the time from the latest of its lines, since they are of several matches."""
    alert = _make_burst_alert(key, latest, seq=1)
    priority = _DIGEST_PRIORITY if is_silent else _BURST_PRIORITY
    return NewsItem(key, alert.seq, alert.state, (alert,), {"": parse_burst_end(key)}, _LINES_BY_CHAT, priority=priority)


def renew_digest(digest: NewsItem, revision: Sequence[Alert], now: dt.datetime) -> NewsItem:
    """Return the digest after one of its lines was revised."""
    latest = revision[0]
    if is_burst(digest.key):
        alert = _make_burst_alert(digest.key, latest, digest.seq + 1)
    else:
        reason = digest.alternatives[0].facts.reason
        alert = _make_digest_alert(digest.key, latest, max(digest.seq + 1, latest.seq), now, reason)
    return msgspec.structs.replace(digest, seq=alert.seq, alternatives=(alert,))


def _make_burst_alert(key: AlertKey, latest: Alert, seq: int) -> Alert:
    made = Alert(key, seq, State.CONFIRMED, latest.at, Fixture(""), Facts(reason=BURSTS), kind=DIGEST_KIND)
    return msgspec.structs.replace(made, importance=Importance.MINOR, max_age=_BURST_MAX_AGE)


def _make_digest(alert: Alert, since: dt.datetime, line_ids: tuple[str, ...]) -> NewsItem:
    return NewsItem(alert.key, alert.seq, alert.state, (alert,), {"": since.timestamp()}, line_ids, priority=_DIGEST_PRIORITY)


def _make_digest_alert(key: AlertKey, latest: Alert, seq: int, now: dt.datetime, reason: str) -> Alert:
    """Return the alert of a digest. It has the facts as they are now, the score above all, and not what happened."""
    return Alert(
        key,
        seq,
        State.CONFIRMED,
        now,
        latest.fixture,
        msgspec.structs.replace(latest.facts, player="", minute="", period="", action_type="", sub_action_type="", reason=reason),
        latest.home_score,
        latest.away_score,
        kind=DIGEST_KIND,
        importance=Importance.MINOR,
        max_age=_DIGEST_MAX_AGE,
    )


def select_lines(delivery: Delivery, lines: Sequence[NewsItem], line_deliveries: Collection[Delivery]) -> tuple[NewsItem, ...]:
    """Return the lines of a match's digest for one chat: as sent before, else those that it has no messages of their own about.

    `line_deliveries` are the chat's deliveries of these lines.
    """
    # What was sent is what is corrected: lines that came later are in a message of their own.
    if delivery.is_sent:
        return tuple(news for news in lines if news.key.action_id in delivery.rule.split("\n"))
    if is_quiet_hours_digest(delivery.key):
        wanted = {one.key for one in line_deliveries if one.reason == Reason.HELD_FOR_QUIET_HOURS}
    else:
        known = {one.key for one in line_deliveries if one.reason != Reason.EXPIRED}
        wanted = {news.key for news in lines} - known
    standing = {news.key for news in lines if news.state is not State.RETRACTED}
    # A digest that may have arrived is sent again with the same lines, whatever became of them.
    chosen = find_uncertain_lines(delivery) | (wanted & standing)
    return tuple(news for news in lines if news.key in chosen)


def select_burst_lines(
    lines: Sequence[NewsItem], muted_matches: Collection[str], uncertain: Collection[AlertKey] = ()
) -> tuple[NewsItem, ...]:
    """Return what is sent of the news that a burst held, in the order of time: nothing retracted, nothing of a muted match.

    `uncertain` are lines that the chat may have seen: they are sent whatever became of them.
    """
    chosen = [
        news
        for news in lines
        if news.key in uncertain or (news.state is not State.RETRACTED and news.key.fixture_id not in muted_matches)
    ]
    return tuple(sorted(chosen, key=lambda news: (min(news.first_fired_at.values(), default=0.0), news.seq)))


def read_line_keys(delivery: Delivery) -> list[AlertKey]:
    """Return the lines that a chat was sent in a digest, in their order."""
    return [parse_line_name(name, delivery.key) for name in delivery.rule.split("\n") if name]


def find_uncertain_lines(delivery: Delivery) -> frozenset[AlertKey]:
    """Return the lines of a digest that was sent and may or may not have arrived."""
    return frozenset(read_line_keys(delivery)) if delivery.is_uncertain else frozenset()


class LineChange(msgspec.Struct, frozen=True):
    """A line of a burst that has changed since it was sent: retracted, restored, or about something else."""

    line: NewsItem
    reason: Reason
    subject: Subject
    """What the line was about."""


def find_line_changes(delivery: Delivery, lines: Sequence[NewsItem]) -> tuple[LineChange, ...]:
    """Return the lines of a burst that a chat must notice, compared with what its message shows."""
    subjects = read_line_subjects(delivery)
    standing = {parse_line_name(name, delivery.key): not name.endswith(RETRACTED_SUFFIX) for name in delivery.rule.split("\n")}
    # A line is stored with a mark once it was shown retracted, so that each change is replied to once.
    changes = []
    for line in lines:
        subject, stands = subjects.get(line.key, Subject()), line.state is not State.RETRACTED
        was_standing = standing.get(line.key, True)
        if not stands and was_standing:
            changes.append(LineChange(line, Reason.RETRACTION, subject))
        elif stands and subject.has_changed_to(Subject.of(find_line_alert(line))):
            changes.append(LineChange(line, Reason.CHANGED, subject))
        elif stands and not was_standing:
            changes.append(LineChange(line, Reason.RESTORATION, subject))
    return tuple(changes)


def read_line_subjects(delivery: Delivery) -> dict[AlertKey, Subject]:
    """Return what the lines of a burst are about, by the actions of the lines; empty for one of an earlier version."""
    subjects = delivery.subject.split("\n") if delivery.subject else []
    return dict(zip(read_line_keys(delivery), map(Subject.parse, subjects), strict=False))


def format_line_subjects(delivery: Delivery, lines: Sequence[NewsItem]) -> str:
    """Return what the lines of a burst are about, as it is stored. A retracted line keeps what it was about."""
    before = read_line_subjects(delivery)
    retracted = {line.key: before.get(line.key, Subject()) for line in lines if line.state is State.RETRACTED}
    return "\n".join(str(retracted.get(line.key) or Subject.of(find_line_alert(line))) for line in lines)


def find_line_alert(line: NewsItem) -> Alert:
    """Return the alert that a line of a digest tells."""
    return (line.firing_alternatives or line.alternatives)[0]
