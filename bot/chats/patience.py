"""An answer that Telegram asks to wait with (429) is said again once the time is over, while others are answered."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Awaitable, Callable

import structlog
from telegram.error import RetryAfter

os.environ.setdefault("PTB_TIMEDELTA", "1")  # python-telegram-bot's own switch: without it each RetryAfter warns

TRIES = 3
LONGEST = 60.0
"""Seconds; whoever would have to wait longer for an answer has asked again by then."""
AT_ONCE = 32
"""Answers that wait: half of the updates that are dealt with at once, so that one full group holds up no other chat."""
_MARGIN = 0.5

log = structlog.get_logger()


class Patience:
    """Says things, and waits with them as long as Telegram asks."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._waits: set[asyncio.Event] = set()

    async def say(self, what: Callable[[], Awaitable[object]]) -> None:
        """Say it; raise RetryAfter where Telegram asks for too long a time, too often, or too many wait already."""
        for left in reversed(range(TRIES)):
            try:
                await what()
            except RetryAfter as refusal:
                pause = seconds(refusal)
                if not left or pause > LONGEST or len(self._waits) >= self._at_once:
                    raise
                log.info("answer_waits", seconds=pause)
                if not await self._over(pause + _MARGIN):
                    raise
            else:
                return

    def give_up(self) -> None:
        """Let nothing wait any longer: the bot stops."""
        for given_up in self._waits:
            given_up.set()

    async def _over(self, pause: float) -> bool:
        """Wait; tell whether the time is over, and was not given up before."""
        given_up = asyncio.Event()
        self._waits.add(given_up)
        try:
            async with asyncio.timeout(pause):
                await given_up.wait()
        except TimeoutError:
            return True
        finally:
            self._waits.discard(given_up)
        return False


def seconds(refusal: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    after = refusal.retry_after
    return after.total_seconds() if isinstance(after, dt.timedelta) else after
