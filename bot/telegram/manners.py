"""Answers to people leave at once, and count: what the courier sends next to that chat, or to all, waits for them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from telegram.ext import BaseRateLimiter

from bot.clock import Clock
from bot.telegram.limits import Pace

COUNTED = "counted"
"""Passed by the courier, which has counted its request already."""
_SHOWN = frozenset({"sendMessage", "editMessageText", "editMessageReplyMarkup", "sendDocument", "sendPhoto", "editMessageMedia"})
"""The methods that Telegram limits by chat."""


class Manners(BaseRateLimiter[str]):
    """Holds nothing back; counts what was not counted."""

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace, self._clock = pace, clock

    async def initialize(self) -> None:
        """There is nothing to open."""

    async def shutdown(self) -> None:
        """There is nothing to close."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: str | None,
    ) -> Any:
        """Make the request now."""
        chat_id = data.get("chat_id")
        if rate_limit_args != COUNTED and endpoint in _SHOWN and isinstance(chat_id, int):
            self._pace.take(chat_id, self._clock.monotonic())
        return await callback(*args, **kwargs)
