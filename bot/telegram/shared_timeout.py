"""A time limit for many requests at once, which costs a fraction of a timer for each of them."""

from __future__ import annotations

import asyncio
from types import TracebackType


class SharedTimeout:
    """Ends blocks that take longer than `seconds`, or up to a second more: those that begin in one second share a timer."""

    # A timer of the event loop for each request, which nearly always is cancelled, took a tenth of the whole request.

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[int, set[_Limit]] = {}
        """The blocks that run, by the time of the loop at which they are ended."""

    def limit(self) -> _Limit:
        """Return a context manager that raises TimeoutError if its block takes too long."""
        loop = asyncio.get_running_loop()
        end_at = int(loop.time() + self._seconds) + 1
        group = self._running.get(end_at)
        if group is None:
            group = self._running[end_at] = set()
            loop.call_at(end_at, self._end, end_at)
        return _Limit(group)

    def _end(self, end_at: int) -> None:
        for limit in self._running.pop(end_at):
            limit.expire()


class _Limit:
    """One block. Its task is cancelled as by `asyncio.timeout`, and a cancellation by others is left alone."""

    __slots__ = ("_cancelling", "_group", "_is_expired", "_task")

    def __init__(self, group: set[_Limit]) -> None:
        self._group, self._is_expired = group, False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a coroutine is awaited by a task
        self._task, self._cancelling = task, task.cancelling()
        self._group.add(self)

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._group.discard(self)
        # If it was cancelled from outside too, that wins.
        if self._is_expired and self._task.uncancel() <= self._cancelling and error_type is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        """End the block."""
        self._is_expired = True
        self._task.cancel()
