"""What others need to know of the feed: the interface of its REST side, and the state of a connection."""

from __future__ import annotations

import datetime as dt
import enum
from array import array
from typing import Protocol

import msgspec

from bot.feed.session import SessionState
from rules.football.action import Fixture

_MAX_LAGS = 200
"""Packets whose lag is kept, on every connection: 800 bytes on each."""


class StreamSpeed(enum.StrEnum):
    """How fast the feed sends a match that is over (section 1.2). The values are those of `speed` in the URL."""

    FAST = "fast"
    NORMAL = "normal"


class ConnectionStatus(msgspec.Struct, frozen=True):
    """The state of a connection, for people. Lags are seconds from a packet's timestamp to its arrival.

    `last_usable_frame_at` leaves out frames that could not be read. `wanted_since` is when the connection was first wanted.
    `is_not_open`: the stream is not open yet. `is_ended`: the match has ended and the connection only waits to be closed.
    `refusal` is why the feed refuses the token; empty if it does not. `connect_failure` is why the connection could not be made
    the last time, as for a certificate or a proxy; empty if it could.
    """

    fixture_id: str
    state: SessionState
    host: str
    last_frame_at: dt.datetime | None
    position: int
    reconnects: int
    duplicates: int
    missing: int
    unreadable: int
    lag_median: float | None
    lag_p99: float | None
    last_usable_frame_at: dt.datetime | None = None
    wanted_since: dt.datetime | None = None
    kickoff: dt.datetime | None = None
    is_not_open: bool = False
    is_ended: bool = False
    refusal: str = ""
    connect_failure: str = ""


class LagStatistics:
    """The lags of the last 200 packets."""

    def __init__(self) -> None:
        self._seconds = array("f")  # four bytes each, on every connection

    def add(self, seconds: float) -> None:
        """Add the lag of one packet."""
        self._seconds.append(seconds)
        if len(self._seconds) > _MAX_LAGS:
            del self._seconds[0]

    def quantiles(self) -> tuple[float | None, float | None]:
        """Return the median and the 99th percentile; None before the first packet."""
        lags = sorted(self._seconds)
        return (lags[len(lags) // 2], lags[len(lags) * 99 // 100]) if lags else (None, None)


class FixtureSource(Protocol):
    """The REST side of the feed. All methods raise FeedError."""

    async def fetch_fixtures(self, date_from: dt.date, date_to: dt.date) -> tuple[Fixture, ...]:
        """Return all fixtures of these days, both included."""
        ...

    async def fetch_fixture(self, fixture_id: str) -> Fixture:
        """Return one fixture."""
        ...
