"""Facts for the tests of what is read from them."""

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


def status(state: SessionState = SessionState.LIVE, heard: float | None = 1.0, **more: Any) -> ConnectionStatus:
    """A connection wanted for ten minutes that heard something so many seconds ago."""
    at = None if heard is None else ago(heard)
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
    """All is well, but for these connections and `more`."""
    feed = FeedHealth(statuses, TITLES, ago(60), dt.timedelta(minutes=10))
    return msgspec.structs.replace(ProcessHealth(KICKOFF, ago(3600), feed=feed), **more)
