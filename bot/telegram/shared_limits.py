"""Telegram's limits where several processes send for one bot: a chat's own are its sender's, the one over all is reserved.

Slots lie a little further apart than the allowance says, so that what comes late by less than that makes no second too full.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import structlog

from bot.errors import StoreError
from bot.store.allowance import Slots
from bot.telegram.limits import Limits

log = structlog.get_logger()

_AHEAD = 0.04
"""Seconds of the whole allowance that are reserved at once."""
_SPARE = 0.04
"""Of the distance between slots, at least; at a low rate three slots in a second."""
_LATE = 0.035
"""Seconds after which a slot is not used any more."""
_SOON = 0.1
"""Seconds until the limits are asked again where no slot is known yet; a reservation wakes sooner."""
_AGAIN = 0.5


class Store(Protocol):
    """The allowance in the database."""

    async def reserve(self, count: int, step: float) -> Slots: ...
    async def close(self, seconds: float) -> None: ...


def _nobody() -> None:
    """Nobody waits for a slot."""


class SharedLimits:
    """One a process; `woken` is called when slots have been reserved."""

    def __init__(self, store: Store, per_second: int) -> None:
        self._store, self._chats = store, Limits(per_second)
        self._step = (1.0 + max(_SPARE, 3.0 / per_second)) / per_second
        self._batch = max(1, round(per_second * _AHEAD))
        self._slots: deque[float] = deque()
        self._owed = 0
        """Messages that left without a slot: answers to people."""
        self._wanted = 0
        self._asked = asyncio.Event()
        self._closing = 0.0
        self.woken: Callable[[], None] = _nobody

    def overall_at(self, now: float) -> float:
        """When the next message to anybody may leave."""
        return max(now, self._slots[0]) if self._slots else now + _SOON

    def chat_at(self, chat_id: int, now: float, *, spare: bool = False) -> float:
        """When the next message to this chat may leave, others apart; with `spare`, when room for news is left, too."""
        return self._chats.chat_at(chat_id, now, spare=spare)

    def room(self, now: float, most: int) -> int:
        """How many messages may leave now, of `most`, the chats' own limits apart; asks for slots where there are too few."""
        while self._slots and self._slots[0] < now - _LATE:
            self._slots.popleft()
        missing = min(most, 2 * self._batch) - len(self._slots)
        if missing > 0:
            self._want(missing)
        return min(most, sum(slot <= now for slot in self._slots))

    def take(self, chat_id: int, now: float) -> None:
        """A message leaves now; where there is no slot for it, one is given up later."""
        self._chats.take(chat_id, now)
        if self._slots and self._slots[0] <= now:
            self._slots.popleft()
        else:
            self._owe()

    def landed(self, began: float, now: float, left: float | None = None) -> None:
        """The distance between slots leaves room for what is late."""

    def refused(self, chat_id: int, seconds: float, now: float) -> None:
        """This chat waits; where several were refused within a second, everybody does, in every process."""
        self._chats.refused(chat_id, seconds, now)
        if self._chats.closed(now):
            self._slots.clear()
            self._closing = max(self._closing, seconds)
            self._asked.set()

    async def run(self) -> None:
        """Reserve for ever."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await self._reserve()
            except StoreError as error:
                log.debug("no_slots", reason=str(error))
                self._asked.set()
                await asyncio.sleep(_AGAIN)

    async def _reserve(self) -> None:
        if closing := self._closing:
            await self._store.close(closing)
            self._closing = 0.0
        owed, wanted = self._owed, min(self._batch, self._wanted)
        if owed + wanted == 0:
            return
        slots = await self._store.reserve(owed + wanted, self._step)
        now = asyncio.get_running_loop().time()
        self._owed, self._wanted = self._owed - owed, 0
        self._slots.extend(now + slots.wait + number * slots.step for number in range(owed, slots.count))
        self.woken()

    def _want(self, count: int) -> None:
        self._wanted = count
        self._asked.set()

    def _owe(self) -> None:
        self._owed += 1
        self._asked.set()
