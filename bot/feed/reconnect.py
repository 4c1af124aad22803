"""What to do about a failed connection: one table, delays, next host, at most 5 new ones a second."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import random
import socket
import ssl
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime

import msgspec

from bot.clock import Clock

REFUSED_DELAY = 300.0

NOT_OPEN_DELAY = 30.0

NEAR_KICKOFF_DELAY = 5.0

_NEAR_KICKOFF_PERIOD = dt.timedelta(minutes=5)

_MAX_RETRY_AFTER = 600.0


class FailureCause(enum.StrEnum):
    """Why a connection was not made, or ended."""

    REFUSED = "refused"
    NOT_OPEN = "not-open"
    BUSY = "busy"
    SERVER = "server-error"
    REJECTED = "rejected"
    DNS = "dns"
    TLS = "tls"
    NETWORK = "network"
    CLOSED = "closed"
    STALE = "stale"
    GAP = "gap"
    REPOSITION = "reposition"


class WaitPolicy(enum.StrEnum):
    """How long until the next attempt."""

    JITTER = "full jitter, 1 to 60 s"
    NONE = "at once"
    REFUSED = "5 min, or at once when the configuration is reloaded"
    NOT_OPEN = "30 s, 5 s from five minutes before the kick-off on"


class Remedy(msgspec.Struct, frozen=True):
    """What is done about a trouble. `next_host`: after a minute of it, the next of the configured hosts is tried."""

    wait: WaitPolicy = WaitPolicy.JITTER
    is_refusal: bool = False
    switches_host: bool = False


REMEDIES = {
    FailureCause.REFUSED: Remedy(WaitPolicy.REFUSED, is_refusal=True),
    FailureCause.NOT_OPEN: Remedy(WaitPolicy.NOT_OPEN),
    FailureCause.BUSY: Remedy(),
    FailureCause.SERVER: Remedy(),
    FailureCause.REJECTED: Remedy(),
    FailureCause.DNS: Remedy(switches_host=True),
    FailureCause.TLS: Remedy(switches_host=True),
    FailureCause.NETWORK: Remedy(),
    FailureCause.CLOSED: Remedy(),
    FailureCause.STALE: Remedy(),
    FailureCause.GAP: Remedy(WaitPolicy.NONE),
    FailureCause.REPOSITION: Remedy(WaitPolicy.NONE),
}
"""The one table. A `Retry-After` of the server's lengthens any wait."""

_CAUSES_BY_STATUS = {
    401: FailureCause.REFUSED,
    403: FailureCause.REFUSED,
    404: FailureCause.NOT_OPEN,
    204: FailureCause.NOT_OPEN,
    429: FailureCause.BUSY,
}

_CAUSES_BY_CLOSE_CODE = {
    1000: FailureCause.CLOSED,
    1001: FailureCause.CLOSED,
    1008: FailureCause.REFUSED,
    1011: FailureCause.SERVER,
    1012: FailureCause.SERVER,
    1013: FailureCause.BUSY,
    1015: FailureCause.TLS,
}


def classify_status(status: int) -> FailureCause:
    """What a handshake answered with this HTTP status means."""
    return _CAUSES_BY_STATUS.get(status) or (FailureCause.SERVER if status >= 500 else FailureCause.REJECTED)


def classify_close_code(code: int | None, *, authorised: bool) -> FailureCause:
    """What a close code means; a policy violation is a refusal only until the token was accepted."""
    trouble = _CAUSES_BY_CLOSE_CODE.get(code or 0, FailureCause.NETWORK)
    return FailureCause.CLOSED if trouble is FailureCause.REFUSED and authorised else trouble


def classify_network_error(error: BaseException) -> FailureCause:
    """What an exception of the network means."""
    if isinstance(error, socket.gaierror):
        return FailureCause.DNS
    if isinstance(error, ssl.SSLError):
        return FailureCause.TLS
    return FailureCause.NETWORK


def jittered_delays(chance: random.Random) -> Iterator[float]:
    """Delays in seconds between 1 and 60, their ceiling doubling.

    Their floor is a quarter of the ceiling: no luck makes more than ten attempts of a minute.
    """
    ceiling = 2.0
    while True:
        yield chance.uniform(max(1.0, ceiling / 4), ceiling)
        ceiling = min(60.0, ceiling * 2)


def choose_not_open_delay(kickoff: dt.datetime | None, now: dt.datetime) -> float:
    """Seconds until a stream that is not open yet is tried again."""
    return NEAR_KICKOFF_DELAY if kickoff and now >= kickoff - _NEAR_KICKOFF_PERIOD else NOT_OPEN_DELAY


def parse_retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for, at most ten minutes; None where there is none that can be read."""
    if not value:
        return None
    try:
        seconds = float(value) if value.strip().isdecimal() else (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER)


HOST_SWITCH_AFTER = 60.0
"""Seconds of trouble with a host's name or TLS before the next one is tried."""


class HostRotation:
    """The hosts in their order; after the last comes the first again."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(url.rstrip("/") for url in urls)
        self._here = 0
        self._since: float | None = None

    @property
    def current(self) -> str:
        """The host to connect to, as a URL without a path."""
        return self._urls[self._here]

    def on_success(self) -> None:
        """The host answered."""
        self._since = None

    def on_failure(self, trouble: FailureCause, now: float) -> bool:
        """A connection was not made; tell whether the next host is to be tried from now on."""
        if not REMEDIES[trouble].switches_host or len(self._urls) < 2:
            return False
        self._since = now if self._since is None else self._since
        if now < self._since + HOST_SWITCH_AFTER:
            return False
        self._here, self._since = (self._here + 1) % len(self._urls), None
        return True


class FeedRequestLimiter:
    """Spaces what passes evenly; first come, first served."""

    def __init__(self, clock: Clock, per_second: float = 5.0) -> None:
        self._clock, self._interval = clock, 1.0 / per_second
        self._next = float("-inf")

    async def wait_turn(self) -> None:
        """Wait for one's turn."""
        now = self._clock.monotonic()
        turn = max(now, self._next)
        self._next = turn + self._interval
        if turn > now:
            await asyncio.sleep(turn - now)
