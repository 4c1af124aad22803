"""What to do about a connection that failed: one table, and the delays. Pure."""

from __future__ import annotations

import datetime as dt
import enum
import random
import socket
import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import msgspec

REFUSED_DELAY = 300.0
NOT_OPEN_DELAY = 30.0
NEAR_KICKOFF_DELAY = 5.0
_NEAR_KICKOFF = dt.timedelta(minutes=5)
_LONGEST_RETRY_AFTER = 600.0


class Trouble(enum.StrEnum):
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


class Wait(enum.StrEnum):
    """How long until the next attempt."""

    JITTER = "full jitter, 1 to 60 s"
    NONE = "at once"
    REFUSED = "5 min, or at once when the configuration is reloaded"
    NOT_OPEN = "30 s, 5 s from five minutes before the kick-off on"


class Remedy(msgspec.Struct, frozen=True):
    """What is done about a trouble. `next_host`: after a minute of it, the next of the configured hosts is tried."""

    wait: Wait = Wait.JITTER
    refused: bool = False
    next_host: bool = False


REMEDIES = {
    Trouble.REFUSED: Remedy(Wait.REFUSED, refused=True),
    Trouble.NOT_OPEN: Remedy(Wait.NOT_OPEN),
    Trouble.BUSY: Remedy(),
    Trouble.SERVER: Remedy(),
    Trouble.REJECTED: Remedy(),
    Trouble.DNS: Remedy(next_host=True),
    Trouble.TLS: Remedy(next_host=True),
    Trouble.NETWORK: Remedy(),
    Trouble.CLOSED: Remedy(),
    Trouble.STALE: Remedy(),
    Trouble.GAP: Remedy(Wait.NONE),
    Trouble.REPOSITION: Remedy(Wait.NONE),
}
"""The one table. A `Retry-After` of the server's lengthens any wait."""

_STATUSES = {401: Trouble.REFUSED, 403: Trouble.REFUSED, 404: Trouble.NOT_OPEN, 204: Trouble.NOT_OPEN, 429: Trouble.BUSY}
_CLOSE_CODES = {
    1000: Trouble.CLOSED,
    1001: Trouble.CLOSED,
    1008: Trouble.REFUSED,
    1011: Trouble.SERVER,
    1012: Trouble.SERVER,
    1013: Trouble.BUSY,
    1015: Trouble.TLS,
}


def of_status(status: int) -> Trouble:
    """What a handshake answered with this HTTP status means."""
    return _STATUSES.get(status) or (Trouble.SERVER if status >= 500 else Trouble.REJECTED)


def of_close(code: int | None, *, authorised: bool) -> Trouble:
    """What a close code means; a policy violation is a refusal only until the token was accepted."""
    trouble = _CLOSE_CODES.get(code or 0, Trouble.NETWORK)
    return Trouble.CLOSED if trouble is Trouble.REFUSED and authorised else trouble


def of_error(error: BaseException) -> Trouble:
    """What an exception of the network means."""
    if isinstance(error, socket.gaierror):
        return Trouble.DNS
    if isinstance(error, ssl.SSLError):
        return Trouble.TLS
    return Trouble.NETWORK


def full_jitter(chance: random.Random) -> Iterator[float]:
    """Delays in seconds between 1 and 60, their ceiling doubling.

    Their floor is a quarter of the ceiling: no luck makes more than ten attempts of a minute.
    """
    ceiling = 2.0
    while True:
        yield chance.uniform(max(1.0, ceiling / 4), ceiling)
        ceiling = min(60.0, ceiling * 2)


def not_open_delay(kickoff: dt.datetime | None, now: dt.datetime) -> float:
    """Seconds until a stream that is not open yet is tried again."""
    return NEAR_KICKOFF_DELAY if kickoff and now >= kickoff - _NEAR_KICKOFF else NOT_OPEN_DELAY


def retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for, at most ten minutes; None where there is none that can be read."""
    if not value:
        return None
    try:
        seconds = float(value) if value.strip().isdecimal() else (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)
