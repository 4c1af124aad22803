"""What to do after a failed connection: its cause, the remedy, the delay, and the next host.

The table of causes and remedies is printed in docs/feed.md.
"""

from __future__ import annotations

import datetime as dt
import enum
import random
import socket
import ssl
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

from bot.retry import Backoff

REFUSED_DELAY = 300.0
"""Seconds between attempts with a refused token: only a person can repair it, and a reload retries at once."""

NOT_OPEN_DELAY = 30.0
"""Seconds between attempts while a stream is not open: as often as fixtures are to be polled before a match (section 10.1)."""

_DELAY_AFTER_END = 20.0
"""Seconds that are added to each wait before a match that is over is connected again."""

_MAX_FRESH_STARTS = 8
"""How often in a minute the back-off starts anew at most: a server that sends one packet and closes must not be stormed."""

NEAR_KICKOFF_DELAY = 5.0
_NEAR_KICKOFF_PERIOD = dt.timedelta(minutes=5)

_MAX_RETRY_AFTER = 600.0
"""Seconds that a `Retry-After` can ask for at most: a wrong header must not cost a whole match."""


class FailureCause(enum.StrEnum):
    """Why a connection was not made, or was lost. The values are labels of the metric `touchline_feed_lost` and stay."""

    REFUSED = "refused"
    NOT_OPEN = "not-open"
    BUSY = "busy"
    SERVER = "server-error"
    REJECTED = "rejected"
    MOVED = "moved"
    DNS = "dns"
    TLS = "tls"
    NETWORK = "network"
    CLOSED = "closed"
    STALE = "stale"
    UNREADABLE = "unreadable"
    GAP = "gap"
    REPOSITION = "reposition"


class WaitPolicy(enum.StrEnum):
    """How long until the next attempt."""

    JITTER = "full jitter, 1 to 60 s"
    NONE = "at once"
    REFUSED = "5 min, or at once when the configuration is reloaded"
    NOT_OPEN = "30 s, 5 s from five minutes before the kick-off on"


class Remedy(msgspec.Struct, frozen=True):
    """What is done about a failure. `switches_host`: after a minute of it, the next configured host is tried."""

    wait: WaitPolicy = WaitPolicy.JITTER
    is_refusal: bool = False
    switches_host: bool = False


REMEDIES = {
    FailureCause.REFUSED: Remedy(WaitPolicy.REFUSED, is_refusal=True),
    FailureCause.NOT_OPEN: Remedy(WaitPolicy.NOT_OPEN),
    FailureCause.BUSY: Remedy(),
    FailureCause.SERVER: Remedy(),
    FailureCause.REJECTED: Remedy(),
    FailureCause.MOVED: Remedy(switches_host=True),
    FailureCause.DNS: Remedy(switches_host=True),
    FailureCause.TLS: Remedy(switches_host=True),
    FailureCause.NETWORK: Remedy(),
    FailureCause.CLOSED: Remedy(),
    FailureCause.STALE: Remedy(),
    FailureCause.UNREADABLE: Remedy(),
    FailureCause.GAP: Remedy(WaitPolicy.NONE),
    FailureCause.REPOSITION: Remedy(WaitPolicy.NONE),
}
"""A `Retry-After` header lengthens the jittered waits. Only failures of a name or of TLS and redirects switch hosts: they show
that this host is gone or misconfigured, while the others also happen on a good one."""

# A stream that is not open yet answers 204 by the documentation of another sport; 404 is treated alike (section 2.2).
_CAUSES_BY_STATUS = {
    **dict.fromkeys((301, 302, 303, 307, 308), FailureCause.MOVED),
    401: FailureCause.REFUSED,
    403: FailureCause.REFUSED,
    404: FailureCause.NOT_OPEN,
    204: FailureCause.NOT_OPEN,
    429: FailureCause.BUSY,
}

# The documentation names no close codes; these are the meanings of RFC 6455 and the IANA registry.
_CAUSES_BY_CLOSE_CODE = {
    1000: FailureCause.CLOSED,
    1001: FailureCause.CLOSED,
    1008: FailureCause.REFUSED,
    1011: FailureCause.SERVER,
    1012: FailureCause.SERVER,
    1013: FailureCause.BUSY,
    1014: FailureCause.SERVER,
    1015: FailureCause.TLS,
    3000: FailureCause.REFUSED,
    3003: FailureCause.REFUSED,
    # Private codes; many servers add 4000 to the HTTP status that they mean.
    4401: FailureCause.REFUSED,
    4403: FailureCause.REFUSED,
    4429: FailureCause.BUSY,
}


def classify_status(status: int) -> FailureCause:
    """Return the cause for an HTTP status that answers a handshake or a REST call."""
    return _CAUSES_BY_STATUS.get(status) or (FailureCause.SERVER if status >= 500 else FailureCause.REJECTED)


def classify_close_code(code: int | None, *, is_authorised: bool) -> FailureCause:
    """Return the cause for a websocket close code. One that refuses, such as 1008, does so only until the token was accepted."""
    cause = _CAUSES_BY_CLOSE_CODE.get(code or 0, FailureCause.NETWORK)
    # After that it cannot be about the token, and treating it so would stop the match for minutes.
    return FailureCause.CLOSED if cause is FailureCause.REFUSED and is_authorised else cause


def classify_network_error(error: BaseException) -> FailureCause:
    """Return the cause for an exception of the network."""
    if isinstance(error, socket.gaierror):
        return FailureCause.DNS
    # Before the general case: it is an OSError too.
    if isinstance(error, ssl.SSLError):
        return FailureCause.TLS
    return FailureCause.NETWORK


def jittered_delays(rng: random.Random) -> Iterator[float]:
    """Yield delays in seconds between 1 and 60; their ceiling doubles.

    The floor is a quarter of the ceiling: with jitter down to 0, a run of small numbers would hammer the server. With the floor
    there are at most ten attempts in the first minute.
    """
    # Jitter, because all connections of a host fail in the same moment and would come back in the same moment.
    ceilings = Backoff(2.0, 60.0)
    while True:
        ceiling = ceilings.next()
        yield rng.uniform(max(1.0, ceiling / 4), ceiling)


def choose_not_open_delay(kickoff: dt.datetime | None, now: dt.datetime) -> float:
    """Return the seconds until a stream that is not open yet is tried again."""
    # The documentation does not say when a stream opens (section 2.2): it is asked for more often where it should be soon.
    return NEAR_KICKOFF_DELAY if kickoff and now >= kickoff - _NEAR_KICKOFF_PERIOD else NOT_OPEN_DELAY


def describe_redirect(location: str | None) -> str:
    """Return the host to which an answer redirects, as the end of a reason; empty if it names none.

    Not the whole address: it may hold a secret.
    """
    try:
        host = urlsplit(location or "").hostname
    except ValueError:
        return ""
    return f", it leads to {host[:100]}" if host else ""


def mask_token(words: str, token: str) -> str:
    """Return the server's words for people and logs: without the token, which a server may echo, and at most 200 characters."""
    return (words.replace(token, "***") if token else words)[:200]


def parse_retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, at most 600; None if it is absent or cannot be read."""
    if not value:
        return None
    try:
        seconds = float(value) if value.strip().isdecimal() else (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    # A wrong header must not take a match away for hours.
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER)


class RetryDelays:
    """Chooses how long one connection waits before each attempt."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._jittered = jittered_delays(rng)
        self._has_backed_off = False
        self._fresh_starts: list[float] = []

    def start_anew(self, now: float) -> None:
        """Begin with short delays again, since the last connection was good. `now` is monotonic."""
        # Delays that have not grown yet are short already, and leave the start for later.
        if not self._has_backed_off:
            return
        self._fresh_starts = [at for at in self._fresh_starts if at > now - 60.0]
        if len(self._fresh_starts) < _MAX_FRESH_STARTS:
            self._fresh_starts.append(now)
            self._jittered, self._has_backed_off = jittered_delays(self._rng), False

    def choose(
        self,
        cause: FailureCause,
        now: dt.datetime,
        kickoff: dt.datetime | None,
        *,
        retry_after: float | None,
        is_match_over: bool,
    ) -> float:
        """Return the seconds until the next attempt. `retry_after` are those that the server asked for, if it did."""
        wait = REMEDIES[cause].wait
        if wait is WaitPolicy.NONE:
            return 0.0
        if wait is WaitPolicy.REFUSED:
            return REFUSED_DELAY
        # After its end nothing of a match is urgent, and most servers close its stream then.
        longer = _DELAY_AFTER_END if is_match_over else 0.0
        if wait is WaitPolicy.NOT_OPEN:
            return choose_not_open_delay(kickoff, now) + longer
        self._has_backed_off = True
        # Retry-After is a minimum; the jitter still keeps the connections apart.
        return max(next(self._jittered) + longer, retry_after or 0.0)


HOST_SWITCH_AFTER = 60.0
"""Seconds of failures of a host's name or TLS until the next host is tried: one failed lookup is not a dead host."""


class HostRotation:
    """Chooses among the configured hosts, in their order; after the last comes the first again."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(url.rstrip("/") for url in urls)
        self._index = 0
        self._failing_since: float | None = None

    @property
    def current(self) -> str:
        """The URL of the host to connect to, without a path."""
        return self._urls[self._index]

    def on_success(self) -> None:
        """Record that the current host answered."""
        self._failing_since = None

    def on_failure(self, cause: FailureCause, now: float) -> bool:
        """Record a failed connection; return True if the next host is tried from now on. `now` is monotonic."""
        if not REMEDIES[cause].switches_host or len(self._urls) < 2:
            return False
        self._failing_since = now if self._failing_since is None else self._failing_since
        # All connections of the process rotate by themselves: each measures its own minute.
        if now < self._failing_since + HOST_SWITCH_AFTER:
            return False
        self._index, self._failing_since = (self._index + 1) % len(self._urls), None
        return True
