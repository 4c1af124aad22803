"""Counts what the chat side sends, so that alerts leave room for it.

Apart from the limits themselves: whoever replays a match needs limits, and not python-telegram-bot, a fifth of its start.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from telegram.ext import BaseRateLimiter

from bot.clock import Clock
from bot.telegram.limits.rate_limits import RateLimitPolicy

ALREADY_COUNTED = "counted"
"""Passed to python-telegram-bot with requests that the sender has counted already."""

# Answers to presses and chat actions are not limited by chat; Telegram counts what makes or changes a message.
_LIMITED_METHODS = frozenset(
    {"sendMessage", "editMessageText", "editMessageReplyMarkup", "sendDocument", "sendPhoto", "editMessageMedia"}
)
"""Methods that count for Telegram's limits by chat."""


class ReplyAccounting(BaseRateLimiter[str]):
    """Counts what the chat side sends, and holds nothing back.

    A person who waits for an answer gets it at once; the alerts make room for it.
    """

    def __init__(self, rate_limiter: RateLimitPolicy, clock: Clock) -> None:
        self._rate_limiter, self._clock = rate_limiter, clock

    async def initialize(self) -> None:
        """Do nothing: there is nothing to open."""

    async def shutdown(self) -> None:
        """Do nothing: there is nothing to close."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: str | None,
    ) -> Any:
        """Make the request at once, and count it if it was not counted."""
        chat_id = data.get("chat_id")
        # The sender's own messages come this way too, where the fast path cannot be used.
        if rate_limit_args != ALREADY_COUNTED and endpoint in _LIMITED_METHODS and isinstance(chat_id, int):
            taken_at = self._clock.monotonic()
            self._rate_limiter.record_send(chat_id, taken_at, is_tracked=True)
            try:
                answer = await callback(*args, **kwargs)
            finally:
                self._rate_limiter.record_answer(taken_at, self._clock.monotonic())
            self._rate_limiter.on_accepted(taken_at, self._clock.monotonic())
            return answer
        return await callback(*args, **kwargs)
