"""One rate for all processes, reserved in slots in the database."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog
from sqlalchemy import select, update

from bot.errors import StorageError
from bot.storage.database import Database, upsert
from bot.storage.driver import Transaction
from bot.storage.schema import allowance
from bot.telegram.rate_limits import RateLimiter

log = structlog.get_logger()

_RESERVE_AHEAD = 0.04
"""Seconds of the whole allowance that are reserved at once."""

_SLOT_MARGIN = 0.04
"""Of the distance between slots, at least; at a low rate three slots in a second."""

_SLOT_LIFETIME = 0.035
"""Seconds after which a slot is not used any more."""

_NO_SLOT_DELAY = 0.1
"""Seconds until the limits are asked again where no slot is known yet; a reservation wakes sooner."""

_RETRY_DELAY = 0.5


class AllowanceStore(Protocol):
    """The allowance in the database."""

    async def reserve(self, count: int, interval: float) -> ReservedSlots: ...
    async def pause_all(self, seconds: float) -> None: ...


class SharedRateLimiter:
    """One a process; `woken` is called when slots have been reserved."""

    def __init__(self, store: AllowanceStore, per_second: int) -> None:
        self._store, self._chats = store, RateLimiter(per_second)
        self._interval = (1.0 + max(_SLOT_MARGIN, 3.0 / per_second)) / per_second
        self._batch = max(1, round(per_second * _RESERVE_AHEAD))
        self._slots: deque[float] = deque()
        self._unpaid = 0
        """Messages that left without a slot: answers to people."""
        self._wanted_slots = 0
        self._requested = asyncio.Event()
        self._pause_seconds = 0.0
        self.on_slots: Callable[[], None] | None = None

    def next_send_at(self, now: float) -> float:
        """When the next message to anybody may leave."""
        return max(now, self._slots[0]) if self._slots else now + _NO_SLOT_DELAY

    def next_chat_send_at(self, chat_id: int, now: float, *, leave_spare: bool = False) -> float:
        """When the next message to this chat may leave, others apart; with `spare`, when room for news is left, too."""
        return self._chats.next_chat_send_at(chat_id, now, leave_spare=leave_spare)

    def available(self, now: float, limit: int) -> int:
        """How many messages may leave now, of `most`, the chats' own limits apart; asks for slots where there are too few."""
        while self._slots and self._slots[0] < now - _SLOT_LIFETIME:
            self._slots.popleft()
        missing = min(limit, 2 * self._batch) - len(self._slots)
        if missing > 0:
            self._request_slots(missing)
        return min(limit, sum(slot <= now for slot in self._slots))

    def record_send(self, chat_id: int, now: float) -> None:
        """A message leaves now; where there is no slot for it, one is given up later."""
        self._chats.record_send(chat_id, now)
        if self._slots and self._slots[0] <= now:
            self._slots.popleft()
        else:
            self._add_unpaid()

    def record_answer(self, taken_at: float, now: float, sent_at: float | None = None) -> None:
        """The distance between slots leaves room for what is late."""

    def on_retry_after(self, chat_id: int, seconds: float, now: float) -> None:
        """This chat waits; where several were refused within a second, everybody does, in every process."""
        self._chats.on_retry_after(chat_id, seconds, now)
        if self._chats.is_paused(now):
            self._slots.clear()
            self._pause_seconds = max(self._pause_seconds, seconds)
            self._requested.set()

    async def run(self) -> None:
        """Reserve for ever."""
        while True:
            await self._requested.wait()
            self._requested.clear()
            try:
                await self._reserve()
            except StorageError as error:
                log.debug("no_slots", reason=str(error))
                self._requested.set()
                await asyncio.sleep(_RETRY_DELAY)

    async def _reserve(self) -> None:
        if closing := self._pause_seconds:
            await self._store.pause_all(closing)
            self._pause_seconds = 0.0
        owed, wanted = self._unpaid, min(self._batch, self._wanted_slots)
        if owed + wanted == 0:
            return
        slots = await self._store.reserve(owed + wanted, self._interval)
        now = asyncio.get_running_loop().time()
        self._unpaid, self._wanted_slots = self._unpaid - owed, 0
        self._slots.extend(now + slots.first_in + number * slots.interval for number in range(owed, slots.count))
        if self.on_slots:
            self.on_slots()

    def _request_slots(self, count: int) -> None:
        self._wanted_slots = count
        self._requested.set()

    def _add_unpaid(self) -> None:
        self._unpaid += 1
        self._requested.set()


_ALLOWANCE_NAME = "telegram"

_RAMP_UP_TIME = 10.0
"""Seconds from half the rate to all of it after everybody was refused."""

_IS_ALLOWANCE = allowance.c.name == _ALLOWANCE_NAME


class ReservedSlots(msgspec.Struct, frozen=True):
    """So many instants at which one message each may leave: the first in so many seconds, the others at this distance."""

    count: int
    first_in: float
    interval: float


class AllowanceState(msgspec.Struct, frozen=True):
    """How far the allowance is used, by the database's clock."""

    next_at: float = 0.0
    closed_until: float = 0.0


def reserve_slots(state: AllowanceState, now: float, count: int, interval: float) -> tuple[AllowanceState, ReservedSlots]:
    """Reserve slots at this distance, at twice as much just after everybody was refused; pure."""
    share = min(1.0, 0.5 + 0.5 * max(0.0, now - state.closed_until) / _RAMP_UP_TIME)
    first, interval = max(state.next_at, state.closed_until, now), interval / share
    return msgspec.structs.replace(state, next_at=first + count * interval), ReservedSlots(count, first - now, interval)


class SendAllowance:
    """The repository of the allowance."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def reserve(self, count: int, interval: float) -> ReservedSlots:
        """Reserve slots for this process alone, at least `step` seconds apart from each other and from everybody else's."""
        async with self._db.transaction() as tx:
            allowed = await _read_allowance(tx)
            after, slots = reserve_slots(allowed, await tx.now(), count, interval)
            await tx.execute(update(allowance).where(_IS_ALLOWANCE).values(**msgspec.structs.asdict(after)))
        return slots

    async def pause_all(self, seconds: float) -> None:
        """Telegram asks everybody to wait so long."""
        async with self._db.transaction() as tx:
            allowed = await _read_allowance(tx)
            until = max(allowed.closed_until, await tx.now() + seconds)
            await tx.execute(update(allowance).where(_IS_ALLOWANCE).values(closed_until=until))


async def _read_allowance(tx: Transaction) -> AllowanceState:
    """Nobody else changes it until the transaction ends."""
    query = select(allowance).where(_IS_ALLOWANCE).with_for_update()
    rows = await tx.fetch(query)
    if not rows:
        await tx.execute(upsert(allowance, keep=True), {"name": _ALLOWANCE_NAME} | msgspec.structs.asdict(AllowanceState()))
        rows = await tx.fetch(query)
    return AllowanceState(rows[0]["next_at"], rows[0]["closed_until"])
