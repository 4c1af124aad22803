"""Health of processes and connections, for the tests of what is read from it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from bot.feed.session import SessionState
from bot.feed.source import ConnectionStatus
from bot.monitoring.health import FeedHealth, ProcessHealth
from tests.packets import FIXTURE, KICKOFF

TITLES = {FIXTURE.id: "Arsenal v Chelsea"}


def ago(seconds: float) -> dt.datetime:
    return KICKOFF - dt.timedelta(seconds=seconds)


def status(state: SessionState = SessionState.LIVE, seconds_since_frame: float | None = 1.0, **more: Any) -> ConnectionStatus:
    """A connection wanted for ten minutes whose last frame came so many seconds ago; None: none came."""
    at = None if seconds_since_frame is None else ago(seconds_since_frame)
    made = ConnectionStatus(
        FIXTURE.id,
        state,
        "wss://feed",
        at,
        0,
        0,
        0,
        0,
        0,
        None,
        None,
        last_usable_frame_at=at,
        wanted_since=ago(600),
        kickoff=KICKOFF,
    )
    return msgspec.structs.replace(made, **more)


def facts(*statuses: ConnectionStatus, **more: Any) -> ProcessHealth:
    """The health of a process in which everything works, except for these connections and `more`."""
    feed = FeedHealth(statuses, TITLES, ago(60), dt.timedelta(minutes=10))
    return msgspec.structs.replace(ProcessHealth(KICKOFF, ago(3600), feed=feed), **more)
