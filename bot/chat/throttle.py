"""Limits how often somebody is told the same thing."""

from __future__ import annotations

from collections.abc import Hashable

from bot.clock import Clock

REFUSAL_INTERVAL = 3600.0
"""Seconds after which a person or a chat is refused in words again."""

# A megabyte or two. Without a limit, invented users could fill the memory.
_MAX_REMEMBERED = 10_000


class Throttle:
    """Allows each key once in `interval` seconds. Keys beyond the latest ten thousand are forgotten, and so allowed again."""

    def __init__(self, clock: Clock, interval: float = REFUSAL_INTERVAL) -> None:
        self._clock, self._interval = clock, interval
        self._allowed_at: dict[Hashable, float] = {}
        """In the order of the last time."""

    def allow(self, key: Hashable) -> bool:
        """Return True, and remember it, unless the key was allowed within the interval."""
        now = self._clock.monotonic()
        if now - self._allowed_at.get(key, float("-inf")) < self._interval:
            return False
        # Taken out first, so that the key stands at the end of the order.
        self._allowed_at.pop(key, None)
        self._allowed_at[key] = now
        if len(self._allowed_at) > _MAX_REMEMBERED:
            del self._allowed_at[next(iter(self._allowed_at))]
        return True
