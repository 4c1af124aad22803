"""The health of a process as values, and why it is not ready; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import msgspec

from bot.cluster.roles import Role
from bot.feed.session import SessionState
from bot.feed.source import ConnectionStatus
from bot.telegram.limits.paid_messages import PaidBudget


class FeedHealth(msgspec.Struct, frozen=True):
    """The feed's side of a process that follows matches. `titles` are by fixture id; `planned_connections` will open later.

    `fixtures_cut_at` is how many fixtures were read of a list that has more; 0 if it was read to its end.
    `due_matches` should be connected now, by this process or by another one.
    """

    connections: tuple[ConnectionStatus, ...]
    titles: Mapping[str, str]
    fixtures_read_at: dt.datetime | None
    refresh_every: dt.timedelta
    planned_connections: int = 0
    fixtures_cut_at: int = 0
    due_matches: int = 0
    fixtures_failure: str = ""
    """Why the list could not be read the last time; empty if it could."""
    held_back: int = 0
    """Matches that are due and not followed, since `limits.matches` are."""


class TelegramHealth(msgspec.Struct, frozen=True):
    """Since when no request succeeds, and why the latest did not, or the token is refused; None if all is well.

    `clock_skew` is by how many seconds our clock is ahead of Telegram's.
    """

    failing_since: dt.datetime | None = None
    refused_since: dt.datetime | None = None
    clock_skew: float | None = None
    failure: str = ""


class DatabaseProblem(msgspec.Struct, frozen=True):
    """Why the database cannot be used, as a sentence, and since when."""

    sentence: str
    since: dt.datetime


class ProcessHealth(msgspec.Struct, frozen=True):
    """Everything that readiness, conditions and gauges are computed from.

    While `is_working` is False the start waits for Telegram, since `started_at`; later `started_at` is when the work began.
    `feed` is None if the process follows no matches; `free_disk_bytes` is None if it is not known. `missing_roles` says since
    when no process has had a role; it is empty where one process does everything.
    """

    now: dt.datetime
    started_at: dt.datetime
    is_working: bool = True
    feed: FeedHealth | None = None
    telegram: TelegramHealth = TelegramHealth()
    database: DatabaseProblem | None = None
    free_disk_bytes: int | None = None
    missing_roles: Mapping[Role, dt.datetime] = {}
    is_database_in_the_way: bool = False
    """True while some process cannot use the database, and shortly after."""
    paid_budget: PaidBudget | None = None
    """None if no messages are paid for, or if the database was not asked yet."""


# The feed opens some streams late, and matches kick off late. Nobody should be woken for that.
STREAM_OPEN_GRACE = dt.timedelta(minutes=5)
"""How long after kick-off a stream may still not be open."""

HEARTBEAT_TIMEOUT = dt.timedelta(seconds=30)
"""Three missed heartbeats (feed documentation, section 2.3): a live connection without a frame for so long is silent."""

# One attempt with its handshake. It may be strict: a process that is not ready is not restarted, since /healthz still answers.
RECONNECT_TIMEOUT = dt.timedelta(seconds=5)
"""How long a reconnect may take before the process counts as not ready."""


def is_frame_expected(status: ConnectionStatus, now: dt.datetime) -> bool:
    """Return True if frames should arrive now: the match is not over, and its stream is open or should be."""
    if status.is_ended:
        return False
    # We connect some time before kick-off, and the feed may not have opened the stream by then.
    return not status.is_not_open or (status.kickoff is not None and now >= status.kickoff + STREAM_OPEN_GRACE)


def last_frame_or_start(status: ConnectionStatus) -> dt.datetime | None:
    """Return when the last usable frame arrived; before the first one, since when the connection is wanted."""
    return status.last_usable_frame_at or status.wanted_since


def is_silent(status: ConnectionStatus, now: dt.datetime, longest: dt.timedelta | None = None) -> bool:
    """Return True if frames are expected and none arrived for `longest`; None: for longer than is normal in its state."""
    at = last_frame_or_start(status)
    if at is None or not is_frame_expected(status, now):
        return False
    if longest is None:
        longest = HEARTBEAT_TIMEOUT if status.state is SessionState.LIVE else RECONNECT_TIMEOUT
    return now - at > longest


def outdated_fixtures_since(feed: FeedHealth, started: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """Return since when the fixtures could not be read, if that is too long; else None.

    Three refreshes may fail in a row; before the first success there is only a short grace.
    """
    # The feed is read from the start on, so without a success the start counts.
    since = feed.fixtures_read_at or started
    # Before the first success no match is known at all, so nothing is followed: that cannot wait for three refreshes.
    longest = 3 * feed.refresh_every if feed.fixtures_read_at else HEARTBEAT_TIMEOUT
    return since if now - since > longest else None


TELEGRAM_GRACE = dt.timedelta(seconds=10)
"""How long requests may fail before the process counts as not ready: the sender retries within seconds."""


# A restart takes some seconds, and processes that start together do not start at the same moment.
ROLE_GRACE = dt.timedelta(seconds=20)
"""How long nobody may have a role before that is reported, and the processes count as not ready."""

ROLE_ABSENCES = {Role.FEED: "nobody follows matches", Role.CHAT: "nobody answers people", Role.SEND: "nobody sends"}
"""What it means that no process has a role, for each that is needed."""


def reasons_not_ready(health: ProcessHealth) -> tuple[str, ...]:
    """Return a line for each reason why the process is not ready; none if it is ready."""
    lines = []
    if database := health.database:
        lines.append(f"database: cannot be used since {_format_iso(database.since)}: {database.sentence}")
    if not health.is_working:
        # Before Telegram lets the bot in, the feed and the sender do not run: their silence says nothing.
        return (f"start: Telegram has not let the bot in since {_format_iso(health.started_at)}", *lines)
    for role, since in health.missing_roles.items():
        if health.now - since > ROLE_GRACE:
            lines.append(f"role {role}: {ROLE_ABSENCES[role]} since {_format_iso(since)}")
    telegram = health.telegram
    # Without a grace: a token does not become right by itself.
    if telegram.refused_since:
        lines.append(f"telegram: the bot token is refused since {_format_iso(telegram.refused_since)}")
    if telegram.failing_since and health.now - telegram.failing_since > TELEGRAM_GRACE:
        reason = f": {telegram.failure}" if telegram.failure else ""
        lines.append(f"telegram: no request got through since {_format_iso(telegram.failing_since)}{reason}")
    if health.feed:
        lines += _list_feed_reasons(health.feed, health)
    return tuple(lines)


def _list_feed_reasons(feed: FeedHealth, health: ProcessHealth) -> Iterator[str]:
    if old := outdated_fixtures_since(feed, health.started_at, health.now):
        yield f"feed: the fixtures could not be read since {_format_iso(old)}"
    for status in feed.connections:
        if is_silent(status, health.now):
            title, at = feed.titles.get(status.fixture_id, ""), last_frame_or_start(status)
            # The id first: it is what the log and the feed's support know.
            named = f"{status.fixture_id} ({title})" if title else status.fixture_id
            yield f"feed: fixture {named} has had no frame since {_format_iso(at)}, {status.state.value}"


def _format_iso(instant: dt.datetime | None) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ") if instant else "the start"
