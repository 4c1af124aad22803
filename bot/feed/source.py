"""The interface of a data source, and how a connection stands."""

from __future__ import annotations

import datetime as dt
from array import array
from typing import Protocol

import msgspec

from bot.feed.session import SessionState
from rules.football.action import Fixture

_MAX_LAGS = 200


class ConnectionStatus(msgspec.Struct, frozen=True):
    """How a connection stands, for people; lags are seconds from a packet's timestamp to its arrival.

    `heard` is when the last frame came that could be used, `since` when the connection was first wanted; `not_open`: its stream
    is not open yet; `ended`: its match has ended, and only farewells are left; `refusal`: why the feed does not let it in.
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


class LagStatistics:
    """The latest lags."""

    def __init__(self) -> None:
        self._seconds = array("f")

    def add(self, seconds: float) -> None:
        """One packet's lag."""
        self._seconds.append(seconds)
        if len(self._seconds) > _MAX_LAGS:
            del self._seconds[0]

    def quantiles(self) -> tuple[float | None, float | None]:
        """The median and the 99th percentile; None where there is none."""
        lags = sorted(self._seconds)
        return (lags[len(lags) // 2], lags[len(lags) * 99 // 100]) if lags else (None, None)


class FixtureSource(Protocol):
    """Where fixtures come from: the feed's REST side."""

    async def fetch_fixtures(self, date_from: dt.date, date_to: dt.date) -> tuple[Fixture, ...]:
        """All fixtures of these days; raise FeedError."""
        ...

    async def fetch_fixture(self, fixture_id: str) -> Fixture:
        """One fixture; raise FeedError."""
        ...
