"""What a process sent in the last hour, and how fast: for `/status`."""

from __future__ import annotations

import datetime as dt
from collections import deque

from bot.clock import Clock
from bot.installation import find_version

_HOUR, _MINUTE = 3600.0, 60.0

_MAX_MEASURED = 10_000
"""Messages whose lag is kept: enough for a p99 of a busy hour, and a few hundred kilobytes."""


class HourlyTraffic:
    """Counts messages and edits of the last hour, and measures the lag from the feed's frame to Telegram's answer.

    In memory alone, and so of this process since its start.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._started_at = clock, clock.monotonic()
        # By full minutes, so that a broadcast to a million chats needs no more memory than a message to one.
        self._counts: deque[tuple[float, int, int]] = deque()
        self._lags: deque[tuple[float, float]] = deque(maxlen=_MAX_MEASURED)

    def add(self, lag_ms: float | None, *, is_edit: bool) -> None:
        """Note a message or an edit that Telegram took. `lag_ms` is None where no frame brought it."""
        now = self._clock.monotonic()
        minute = now // _MINUTE * _MINUTE
        at, messages, edits = self._counts.pop() if self._counts and self._counts[-1][0] == minute else (minute, 0, 0)
        self._counts.append((at, messages + (not is_edit), edits + is_edit))
        if lag_ms is not None:
            self._lags.append((now, lag_ms))
        self._drop_old(now)

    def describe(self) -> str:
        """Return `Touchline 0.2.0, up 3 h 12 min: 512 messages and 130 edits in the last hour, lag 85 ms median, 320 ms p99`."""
        now = self._clock.monotonic()
        self._drop_old(now)
        up = now - self._started_at
        messages, edits = sum(one[1] for one in self._counts), sum(one[2] for one in self._counts)
        # A process that started ten minutes ago has no data for a whole hour.
        since = "in the last hour" if up >= _HOUR else "since the start"
        line = f"Touchline {find_version()}, up {_format_time(up)}: {messages} messages and {edits} edits {since}"
        if not self._lags:
            return line
        lags = sorted(lag for _, lag in self._lags)
        median, p99 = lags[len(lags) // 2], lags[min(len(lags) - 1, len(lags) * 99 // 100)]
        return f"{line}, lag {median:.0f} ms median, {p99:.0f} ms p99"

    def _drop_old(self, now: float) -> None:
        # Counts are of full minutes, so the one in which the hour began is kept until it is over too.
        while self._counts and self._counts[0][0] <= now - _HOUR - _MINUTE:
            self._counts.popleft()
        while self._lags and self._lags[0][0] <= now - _HOUR:
            self._lags.popleft()


def _format_time(seconds: float) -> str:
    minutes = int(dt.timedelta(seconds=seconds).total_seconds() // _MINUTE)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
