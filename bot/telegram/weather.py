"""Is Telegram itself in trouble, or one chat? Pure: seconds come in."""

from __future__ import annotations

_SEVERAL = 5
"""So many chats in a row that cannot be reached mean that none can."""
_PROBES = 2
_FIRST = 1.0
_LAST = 5.0
"""Short: the trouble may be that of several chats, and the others are not to wait for them."""
_TOKEN = 60.0
"""Seconds between two tries with a token that was refused."""


class Weather:
    """Holds everything back while nothing gets through; `clear_at` is when the next try is due."""

    def __init__(self) -> None:
        self.clear_at = float("-inf")
        self._failed: set[int] = set()
        self._wait = _FIRST

    def room(self, now: float, in_flight: int, most: int) -> int:
        """How many requests may be made now, of `most`: while nothing gets through, a few to see whether something does."""
        if now < self.clear_at:
            return 0
        return most if len(self._failed) < _SEVERAL else max(0, min(most, _PROBES - in_flight))

    def fine(self) -> None:
        """Something got through."""
        self._failed.clear()
        self._wait = _FIRST
        self.clear_at = float("-inf")

    def bad(self, chat_id: int, now: float, *, token: bool = False) -> None:
        """A chat could not be reached; with `token`, because the bot's token was refused."""
        self._failed.add(chat_id)
        if token:
            self.clear_at = now + _TOKEN
        elif len(self._failed) >= _SEVERAL and self.clear_at <= now:
            self.clear_at = now + self._wait
            self._wait = min(_LAST, self._wait * 2)
