"""What a process knows of itself at one instant, as values: what readiness, troubles and gauges are read from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from bot.feed.session import State
from bot.feed.standing import Status


class Feed(msgspec.Struct, frozen=True):
    """Of a process that follows matches: its connections, the titles of fixtures, when these were read last, what is planned."""

    statuses: tuple[Status, ...]
    titles: Mapping[str, str]
    fixtures_at: dt.datetime | None
    refresh_every: dt.timedelta
    planned: int = 0


class Telegram(msgspec.Struct, frozen=True):
    """Since when no request gets through, or the token is refused; None: all is well. `skew`: seconds that our clock is ahead."""

    failing_since: dt.datetime | None = None
    refused_since: dt.datetime | None = None
    skew: float | None = None


class Trouble(msgspec.Struct, frozen=True):
    """A sentence of the database's, and since when it holds."""

    sentence: str
    since: dt.datetime


class Facts(msgspec.Struct, frozen=True):
    """All of it. `at_work` is false while the start waits for something, since `started`; afterwards that is when work began.

    `feed` is None where the process follows nothing; `disk_free` is in bytes, None where it is not known.
    """

    now: dt.datetime
    started: dt.datetime
    at_work: bool = True
    feed: Feed | None = None
    telegram: Telegram = Telegram()
    database: Trouble | None = None
    disk_free: int | None = None


GRACE = dt.timedelta(minutes=5)
"""So long after the kick-off a stream may still not be open."""
HEARTBEATS = dt.timedelta(seconds=30)
"""Without a frame for so long, three heartbeats were missed (feed documentation, section 2.3)."""
RECONNECT = dt.timedelta(seconds=5)
"""So long a connection may be without its socket before that is worth a word."""


def due(status: Status, now: dt.datetime) -> bool:
    """Tell whether the connection has to bring frames now: its match is not over, its stream is or should be open."""
    if status.ended:
        return False
    return not status.not_open or (status.kickoff is not None and now >= status.kickoff + GRACE)


def last_good(status: Status) -> dt.datetime | None:
    """When the last usable frame came; before the first one, since when one is waited for."""
    return status.heard or status.since


def quiet(status: Status, now: dt.datetime, longest: dt.timedelta | None = None) -> bool:
    """Tell whether a due connection has brought nothing for so long; None: for longer than is usual in its state."""
    at = last_good(status)
    if at is None or not due(status, now):
        return False
    if longest is None:
        longest = HEARTBEATS if status.state is State.LIVE else RECONNECT
    return now - at > longest


def fixtures_old(feed: Feed, started: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """Since when the fixtures could not be read, where that is for too long; None where all is well."""
    since = feed.fixtures_at or started
    longest = 3 * feed.refresh_every if feed.fixtures_at else HEARTBEATS
    return since if now - since > longest else None
