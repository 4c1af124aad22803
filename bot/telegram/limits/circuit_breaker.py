"""Stops all sending while Telegram as a whole is unreachable; pure.

Times are those of the monotonic clock, in seconds, and given by the caller.
"""

from __future__ import annotations

from bot.retry import Backoff

_FAILED_CHATS_TO_OPEN = 5
"""Different chats that could not be reached, with no success in between, after which Telegram counts as unreachable."""

# Two, so that one chat that is itself in trouble does not hold up everybody else.
_MAX_PROBES = 2
"""Requests at once that find out whether Telegram can be reached again."""

# The longest is short: the failure may be that of several chats alone, and the others must not wait long for them.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 5.0
"""Seconds without any request: the first pause, and the longest as they double."""

_TOKEN_RETRY_DELAY = 60.0
"""Seconds between two attempts with a token that was refused."""


class CircuitBreaker:
    """Stops all sending while Telegram as a whole is unreachable, and lets a few probes through.

    `retry_at` is when the next probe may leave.
    """

    def __init__(self) -> None:
        self.retry_at = float("-inf")
        self._failed: set[int] = set()
        self._all_failed = False
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)

    @property
    def is_open(self) -> bool:
        """Return True while Telegram as a whole is unreachable."""
        return self._all_failed or len(self._failed) >= _FAILED_CHATS_TO_OPEN

    def available(self, now: float, in_flight: int, limit: int) -> int:
        """Return how many requests may be made now, at most `limit`: while Telegram is unreachable, a few probes."""
        if now < self.retry_at:
            return 0
        return max(0, min(limit, _MAX_PROBES - in_flight)) if self.is_open else limit

    def on_success(self) -> None:
        """Note that a request was answered: everything may leave again."""
        # Nearly always nothing has failed: this runs for every message.
        if not self._failed and not self._all_failed:
            return
        # One answer from any chat is enough to show that Telegram can be reached.
        self._failed.clear()
        self._all_failed = False
        self._backoff.reset()
        self.retry_at = float("-inf")

    def on_failure(self, chat_id: int, now: float, *, is_token_refused: bool = False, concerns_all: bool = False) -> None:
        """Note that a chat could not be reached, or for a reason that concerns all chats, as a refused token does."""
        # By chat: one that cannot be reached fails again and again and proves nothing about the others.
        self._failed.add(chat_id)
        self._all_failed = self._all_failed or concerns_all or is_token_refused
        if is_token_refused:
            self.retry_at = now + _TOKEN_RETRY_DELAY
        elif self.is_open and self.retry_at <= now:
            # Requests that were in flight together fail together: only the first of them makes the pause longer.
            self.retry_at = now + self._backoff.next()
