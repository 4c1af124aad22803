"""What a process knows of itself, and why it is not ready; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import msgspec

from bot.feed.session import SessionState
from bot.feed.source import ConnectionStatus


class FeedHealth(msgspec.Struct, frozen=True):
    """Of a process that follows matches: its connections, the titles of fixtures, when these were read last, what is planned."""

    connections: tuple[ConnectionStatus, ...]
    titles: Mapping[str, str]
    fixtures_read_at: dt.datetime | None
    refresh_every: dt.timedelta
    planned_connections: int = 0


class TelegramHealth(msgspec.Struct, frozen=True):
    """Since when no request gets through, or the token is refused; None: all is well. `skew`: seconds that our clock is ahead."""

    failing_since: dt.datetime | None = None
    refused_since: dt.datetime | None = None
    clock_skew: float | None = None


class DatabaseProblem(msgspec.Struct, frozen=True):
    """A sentence of the database's, and since when it holds."""

    sentence: str
    since: dt.datetime


class ProcessHealth(msgspec.Struct, frozen=True):
    """All of it. `at_work` is false while the start waits for something, since `started`; afterwards that is when work began.

    `feed` is None where the process follows nothing; `disk_free` is in bytes, None where it is not known.
    """

    now: dt.datetime
    started_at: dt.datetime
    is_working: bool = True
    feed: FeedHealth | None = None
    telegram: TelegramHealth = TelegramHealth()
    database: DatabaseProblem | None = None
    free_disk_bytes: int | None = None


STREAM_OPEN_GRACE = dt.timedelta(minutes=5)
"""So long after the kick-off a stream may still not be open."""

HEARTBEAT_TIMEOUT = dt.timedelta(seconds=30)
"""Without a frame for so long, three heartbeats were missed (feed documentation, section 2.3)."""

RECONNECT_TIMEOUT = dt.timedelta(seconds=5)
"""So long a connection may be without its socket before that is worth a word."""


def is_frame_expected(status: ConnectionStatus, now: dt.datetime) -> bool:
    """Tell whether the connection has to bring frames now: its match is not over, its stream is or should be open."""
    if status.is_ended:
        return False
    return not status.is_not_open or (status.kickoff is not None and now >= status.kickoff + STREAM_OPEN_GRACE)


def last_frame_or_start(status: ConnectionStatus) -> dt.datetime | None:
    """When the last usable frame came; before the first one, since when one is waited for."""
    return status.last_usable_frame_at or status.wanted_since


def is_silent(status: ConnectionStatus, now: dt.datetime, longest: dt.timedelta | None = None) -> bool:
    """Tell whether a due connection has brought nothing for so long; None: for longer than is usual in its state."""
    at = last_frame_or_start(status)
    if at is None or not is_frame_expected(status, now):
        return False
    if longest is None:
        longest = HEARTBEAT_TIMEOUT if status.state is SessionState.LIVE else RECONNECT_TIMEOUT
    return now - at > longest


def outdated_fixtures_since(feed: FeedHealth, started: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """Since when the fixtures could not be read, where that is for too long; None where all is well."""
    since = feed.fixtures_read_at or started
    longest = 3 * feed.refresh_every if feed.fixtures_read_at else HEARTBEAT_TIMEOUT
    return since if now - since > longest else None


TELEGRAM_GRACE = dt.timedelta(seconds=10)
"""So long requests may fail: the courier tries again within seconds."""


def reasons_not_ready(facts: ProcessHealth) -> tuple[str, ...]:
    """What is not well, a line each; none where all is."""
    if not facts.is_working:
        return (*_start_reasons(facts), *_database_reasons(facts))
    return (*_database_reasons(facts), *_telegram_reasons(facts.telegram, facts.now), *_feed_reasons(facts))


def _start_reasons(facts: ProcessHealth) -> Iterator[str]:
    yield f"start: Telegram has not let the bot in since {_format_iso(facts.started_at)}"


def _database_reasons(facts: ProcessHealth) -> Iterator[str]:
    if facts.database:
        yield f"database: cannot be used since {_format_iso(facts.database.since)}: {facts.database.sentence}"


def _telegram_reasons(telegram: TelegramHealth, now: dt.datetime) -> Iterator[str]:
    if telegram.refused_since:
        yield f"telegram: the bot token is refused since {_format_iso(telegram.refused_since)}"
    if telegram.failing_since and now - telegram.failing_since > TELEGRAM_GRACE:
        yield f"telegram: no request got through since {_format_iso(telegram.failing_since)}"


def _feed_reasons(facts: ProcessHealth) -> Iterator[str]:
    if facts.feed is None:
        return
    if old := outdated_fixtures_since(facts.feed, facts.started_at, facts.now):
        yield f"feed: the fixtures could not be read since {_format_iso(old)}"
    yield from (
        _describe_silent_connection(status, facts.feed) for status in facts.feed.connections if is_silent(status, facts.now)
    )


def _describe_silent_connection(status: ConnectionStatus, feed: FeedHealth) -> str:
    title, at = feed.titles.get(status.fixture_id, ""), last_frame_or_start(status)
    named = f"{status.fixture_id} ({title})" if title else status.fixture_id
    return f"feed: fixture {named} has had no frame since {_format_iso(at)}, {status.state.value}"


def _format_iso(instant: dt.datetime | None) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ") if instant else "the start"
