"""Repeats what Telegram refuses with a 429, after the time that it asks for, without holding up the chat's next update."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from typing import NamedTuple

import structlog
from telegram.error import RetryAfter, TelegramError

from bot.chat.dialogue import Refusal, Screen
from bot.errors import StorageError

log = structlog.get_logger()

Request = Callable[[], Awaitable[object]]

Redraw = Callable[[], Awaitable[Screen]]
"""Draws a screen again: one that had to wait for Telegram would show an old score."""

MAX_WAITING_REPLIES = 2000
"""Replies in memory that wait out a 429. Each is a few kilobytes, one with a picture some hundred."""

MAX_REPLY_RETRY_DELAY = 900.0
"""The longest wait in seconds. Somebody who would have to wait longer for an answer has asked again by then."""

_RETRY_MARGIN = 0.5
"""Seconds added to what Telegram asks for, since waiting exactly that long does not promise success."""

_RETRY_INTERVAL = 0.05
"""Seconds between replies that have waited. Those of all chats would else leave at the same moment, and be refused again."""


class LatestScreen:
    """A screen for a request that may be repeated: as it was drawn the first time, and drawn again for each repetition."""

    def __init__(self, screen: Screen, redraw: Redraw | None) -> None:
        self._screen, self._redraw, self._is_first = screen, redraw, True
        self._drawn_at = asyncio.get_running_loop().time()

    async def get(self) -> Screen:
        """Return the screen to send now. What cannot be drawn any more, such as a match that is gone, stays as it was."""
        # A reply that stood behind others of its chat has waited too, though this is its first attempt.
        has_waited = asyncio.get_running_loop().time() - self._drawn_at > _RETRY_MARGIN
        if self._redraw and (has_waited or not self._is_first):
            try:
                self._screen = await self._redraw()
            except (Refusal, StorageError) as error:
                log.info("screen_not_redrawn", reason=str(error))
        self._is_first = False
        return self._screen


class _WaitingReply(NamedTuple):
    """A request with the context of its update, which has its language: it may be drawn again."""

    request: Request
    context: Context

    async def make(self) -> None:
        await self.request()


class ReplyRetrier:
    """Repeats requests that Telegram refuses with a 429, after the time that it asks for.

    The caller does not wait: its update counts as handled, and the next one of its chat has its turn.
    """

    def __init__(self, max_waiting: int = MAX_WAITING_REPLIES) -> None:
        self._max_waiting = max_waiting
        self._waiting: dict[int | str, deque[_WaitingReply]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next_at = 0.0

    @property
    def waiting_count(self) -> int:
        """How many requests wait."""
        return sum(map(len, self._waiting.values()))

    async def call(self, key: int | str, request: Request) -> None:
        """Make the request, or after those of the same key that wait already. Raise what it raises at the first attempt.

        RetryAfter is raised only if Telegram asks for more than `MAX_REPLY_RETRY_DELAY`, or if too many requests wait already.
        """
        # Behind those that wait, even if Telegram would take it now: a chat's answers stay in their order.
        if (queue := self._waiting.get(key)) is not None and self.waiting_count < self._max_waiting:
            queue.append(_WaitingReply(request, copy_context()))
            return
        try:
            await request()
        except RetryAfter as refusal:
            delay = read_retry_after(refusal)
            if delay > MAX_REPLY_RETRY_DELAY or self.waiting_count >= self._max_waiting:
                raise
            log.info("reply_retry_scheduled", seconds=delay)
            if (queue := self._waiting.get(key)) is not None:
                queue.append(_WaitingReply(request, copy_context()))  # another one was refused during our request
                return
            self._waiting[key] = deque([_WaitingReply(request, copy_context())])
            task = asyncio.create_task(self._send_waiting(key, delay))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def cancel_all(self) -> None:
        """Give up what waits."""
        if count := self.waiting_count:
            log.info("waiting_replies_dropped", count=count)
        for task in self._tasks:
            task.cancel()

    async def _send_waiting(self, key: int | str, delay: float) -> None:
        """Make the requests of one key, in order, each as soon as Telegram allows."""
        queue = self._waiting[key]
        try:
            await asyncio.sleep(delay + _RETRY_MARGIN)
            while queue:
                # Taken before the sleep, so that each of several chats gets an instant of its own.
                now = asyncio.get_running_loop().time()
                at = max(now, self._next_at)
                self._next_at = at + _RETRY_INTERVAL
                await asyncio.sleep(at - now)
                try:
                    # A task of its own, since only a task can be given the context, and so the language, of another one.
                    await asyncio.create_task(queue[0].make(), context=queue[0].context)
                except RetryAfter as refusal:
                    if (delay := read_retry_after(refusal)) <= MAX_REPLY_RETRY_DELAY:
                        await asyncio.sleep(delay + _RETRY_MARGIN)
                        continue
                    log.warning("reply_not_sent", chat=key, reason=str(refusal))
                except TelegramError as error:
                    log.warning("reply_not_sent", chat=key, reason=str(error))
                except Exception as error:  # such as a picture that cannot be drawn: later replies must not wait for ever
                    log.error("reply_not_sent", chat=key, reason=repr(error), exc_info=error)
                # Only now: while it stands in the queue, later replies wait behind it.
                queue.popleft()
        finally:
            del self._waiting[key]


def read_retry_after(refusal: RetryAfter) -> float:
    """Return how many seconds Telegram asks to wait."""
    after = refusal.retry_after
    return after.total_seconds() if isinstance(after, dt.timedelta) else after
