"""How long each step of a delivery took, from the feed to Telegram's answer."""

from __future__ import annotations

import msgspec

_UNKNOWN_STEP = "-"


class Timestamps(msgspec.Struct, frozen=True):
    """When each step of one delivery happened before its request, in seconds since 1970; 0 if that is not known.

    `due` is when it was to leave at the earliest. `intended_wait` are the seconds until then that were intended, `held` those
    for which the rate limits kept it back after that.
    """

    happened: float = 0.0
    received: float = 0.0
    stored: float = 0.0
    due: float = 0.0
    intended_wait: float = 0.0
    held: float = 0.0


class LatencyTrace(msgspec.Struct, frozen=True):
    """Milliseconds of each step from the feed to Telegram's answer; None if a step is not known.

    `feed` is from the feed's own time to its frame, `outbox` from the frame to the commit, `request` from the commit, or from
    when it was due, to the request, `telegram` from there to the answer. `waited` was intended: the chat's delay, quiet hours,
    Telegram's limits. It is in none of the others.
    """

    feed: float | None = None
    outbox: float | None = None
    waited: float = 0.0
    request: float | None = None
    telegram: float | None = None

    @property
    def total(self) -> float | None:
        """Return the time from the frame to Telegram's answer, without intended waits."""
        # Without `feed`, which compares the feed's clock with ours.
        if self.outbox is None or self.request is None or self.telegram is None:
            return None
        return self.outbox + self.request + self.telegram


def measure_latency(timestamps: Timestamps, sent_at: float, answered_at: float) -> LatencyTrace:
    """Return how long each step took, now that Telegram has answered. Times are in seconds since 1970."""
    # Time in which the limits held it back is reported as `waited`, and not as our own delay.
    due = timestamps.due + timestamps.held
    return LatencyTrace(
        feed=_milliseconds_between(timestamps.happened, timestamps.received),
        outbox=_milliseconds_between(timestamps.received, timestamps.stored),
        waited=(timestamps.intended_wait + timestamps.held) * 1000,
        request=_milliseconds_between(due, sent_at) if timestamps.due else None,
        telegram=_milliseconds_between(sent_at, answered_at),
    )


def _milliseconds_between(one: float, other: float) -> float | None:
    # A clock that was set back in between makes the difference negative.
    return max(0.0, (other - one) * 1000) if one and other else None


def format_latency(latency: LatencyTrace) -> str:
    """Return a latency in one word, for the history of a delivery."""
    steps = (latency.feed, latency.outbox, latency.waited, latency.request, latency.telegram)
    return "/".join(_UNKNOWN_STEP if step is None else f"{step:.1f}" for step in steps)


def parse_latency(word: str) -> LatencyTrace:
    """Read what `format_latency` wrote."""
    steps = (None if step == _UNKNOWN_STEP else float(step) for step in word.split("/"))
    feed, outbox, waited, request, telegram = steps
    return LatencyTrace(feed, outbox, waited or 0.0, request, telegram)
