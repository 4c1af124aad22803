"""Do requests get through to Telegram, and does its clock agree with ours? The end of every request says so."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

from bot.clock import Clock

_REFUSED = (401, 404)
"""What Telegram answers to a token that it does not know."""
_BROKEN = 500
_COMPARE_EVERY = 20.0
"""Seconds between two looks at the clocks."""
_BELIEVED = 600.0
"""Seconds for which a look counts: a clock may have been set meanwhile."""
_HALF = 0.5
"""A header tells whole seconds, cut off."""


class Wire:
    """`failing_since`: no request got through since then; `refused_since`: the token is refused since then; None: all is well.

    `skew` is by how many seconds our clock is ahead of Telegram's; None where that was not heard lately.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._compared = float("-inf")
        self.failing_since: dt.datetime | None = None
        self.refused_since: dt.datetime | None = None
        self._skew: float | None = None

    @property
    def skew(self) -> float | None:
        """The difference at the last look."""
        return self._skew if self._clock.monotonic() - self._compared < _BELIEVED else None

    def answered(self, status: int, date: str | None) -> None:
        """An answer came, with this HTTP status and `Date`."""
        if status >= _BROKEN:
            self.failed()
            return
        self.failing_since = None
        self.refused_since = (self.refused_since or self._clock.now()) if status in _REFUSED else None
        if date and self._clock.monotonic() - self._compared >= _COMPARE_EVERY:
            self._compared = self._clock.monotonic()
            self._skew = _difference(date, self._clock.now())

    def failed(self) -> None:
        """No answer came that Telegram would give."""
        self.failing_since = self.failing_since or self._clock.now()


def _difference(date: str, now: dt.datetime) -> float | None:
    try:
        return (now - parsedate_to_datetime(date)).total_seconds() - _HALF
    except (ValueError, TypeError):
        return None
