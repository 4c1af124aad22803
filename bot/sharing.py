"""Keeps the event loop responsive: long calculations in short turns, and fewer garbage collections."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")

TURN = 0.002
"""Seconds of a calculation after which other work has its turn: an alert that comes meanwhile leaves so much later at most."""


_GARBAGE_THRESHOLD = 7_000
"""Objects that are made, and not freed yet, until the youngest are searched for garbage: ten times as many as Python's own."""


def tune_garbage_collection() -> None:
    """Leave what exists by now out of every collection, and collect less often. For a process that goes on for long.

    What exists lives as long as the process, and to look through it would stop the event loop for 75 ms each time.
    """
    gc.collect()
    gc.freeze()
    # A request makes some hundred objects, and nearly all end with it. With a few hundred requests in flight, Python would look
    # through all of them every few messages, which takes a fifth of a message's time.
    gc.set_threshold(_GARBAGE_THRESHOLD, 10, 10)


async def share_event_loop(items: Iterable[T], turn: float = TURN) -> AsyncIterator[T]:
    """Yield items, and let the event loop do other work whenever what is done with them has taken `turn` seconds.

    For lists of thousands. A thread would not help: it takes turns of 5 ms with the event loop, at each step of that.
    """
    # Real time, and not the loop's: in a test on a virtual loop that stands still while something is calculated.
    since = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - since >= turn:
            await asyncio.sleep(0)
            since = time.perf_counter()


Steps = Generator[None, None, T]
"""A calculation that yields wherever it may be interrupted, and returns its result."""


def finish(steps: Steps[T]) -> T:
    """Carry out a calculation without a break."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


async def finish_in_turns(steps: Steps[T], turn: float = TURN) -> T:
    """Carry out a calculation, and let the event loop do other work whenever it has taken `turn` seconds."""
    since = time.perf_counter()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        if time.perf_counter() - since >= turn:
            # The turn begins when it comes back: what others took is not counted.
            await asyncio.sleep(0)
            since = time.perf_counter()


class made_in_steps(Generic[T]):  # noqa: N801  (a decorator, as functools.cached_property)
    """A property that is calculated once: without a break when it is first used, or before that by `steps`."""

    def __init__(self, make: Callable[[Any], Steps[T]]) -> None:
        self._make, self._name, self.__doc__ = make, "", make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owner: None, kind: type) -> Self: ...
    @overload
    def __get__(self, owner: object, kind: type) -> T: ...
    def __get__(self, owner: object | None, kind: type) -> Self | T:
        # Called until there is a result: what stands in the object's own dictionary comes before a descriptor like this.
        return self if owner is None else finish(self.steps(owner))

    def steps(self, owner: object) -> Steps[T]:
        """Calculate the property of an object unless that has been done."""
        made: dict[str, T] = owner.__dict__
        if self._name not in made:
            made[self._name] = yield from self._make(owner)
        return made[self._name]
