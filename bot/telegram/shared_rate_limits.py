"""One rate for all processes, reserved in slots in the database.

A slot is a time at which one message may leave. Each process reserves a few at a time, of its own, by the database's clock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import msgspec
import structlog
from sqlalchemy import select, update

from bot.errors import StorageError
from bot.outbox.delivery import Urgency
from bot.storage.database import Database, upsert
from bot.storage.driver import Transaction
from bot.storage.schema import allowance
from bot.telegram.rate_limits import RateLimiter, share_after_pause

log = structlog.get_logger()

# Short, so that slots of a process that has nothing to send are not lost to the others; long enough for a round trip to the
# database.
_RESERVE_AHEAD = 0.04
"""Seconds of the whole allowance that one reservation takes."""

_SLOT_MARGIN = 0.04
"""By which part slots are farther apart than the allowance says, at least; with a low rate, by three slots in a second.

Messages do not arrive as evenly as they leave.
"""

_SLOT_LIFETIME = 0.035
"""Seconds after which a slot expires: used late, its message would arrive with those of others' slots."""

_NO_SLOT_DELAY = 0.1
"""Seconds until the limiter is asked again if it has no slot. A reservation wakes the sender sooner."""

_RETRY_DELAY = 0.5
"""Seconds until a reservation that the database refused is tried again."""


_ALLOWANCE_NAME = "telegram"

_IS_ALLOWANCE = allowance.c.name == _ALLOWANCE_NAME


class SharedRateLimiter:
    """The limiter of one process. `on_slots` is called when slots were reserved.

    Limits of single chats are kept in memory: each chat belongs to one process.
    """

    def __init__(self, send_allowance: SendAllowance, per_second: int) -> None:
        self._allowance, self._chats = send_allowance, RateLimiter(per_second)
        self._interval = (1.0 + max(_SLOT_MARGIN, 3.0 / per_second)) / per_second
        # At least one: with a low rate a batch would round to none.
        self._batch = max(1, round(per_second * _RESERVE_AHEAD))
        self._slots: deque[float] = deque()
        self._unpaid = 0
        """Messages that left without a slot, such as answers to people. Later slots pay for them."""
        self._wanted_slots = 0
        self._requested = asyncio.Event()
        self._pause_seconds = 0.0
        self.on_slots: Callable[[], None] | None = None

    def next_send_at(self, now: float) -> float:
        """Return when the next message to any chat may leave."""
        return max(now, self._slots[0]) if self._slots else now + _NO_SLOT_DELAY

    def next_chat_send_at(self, chat_id: int, now: float, urgency: Urgency = Urgency.LOUD) -> float:
        """Return when this chat's own limits allow the next message: see RateLimiter."""
        return self._chats.next_chat_send_at(chat_id, now, urgency)

    def available(self, now: float, limit: int) -> int:
        """Return how many messages may leave now, at most `limit`. Asks for more slots if there are too few."""
        # An unused slot is lost and not kept: ten kept ones would leave in one moment.
        while self._slots and self._slots[0] < now - _SLOT_LIFETIME:
            self._slots.popleft()
        # One batch in use and one on its way, so that the round trip to the database does not show.
        missing = min(limit, 2 * self._batch) - len(self._slots)
        if missing > 0:
            self._request_slots(missing)
        return min(limit, sum(slot <= now for slot in self._slots))

    def record_send(self, chat_id: int, now: float, *, is_tracked: bool = False) -> None:
        """Count a message that leaves now, by a slot if there is one."""
        self._chats.record_send(chat_id, now)
        if self._slots and self._slots[0] <= now:
            self._slots.popleft()
        else:
            self._add_unpaid()

    def restore_sends(self, sends: Sequence[tuple[int, float]]) -> None:
        """Count what an earlier process sent for the limits of its chats. The slots are in the database."""
        self._chats.restore_sends(sends)

    def record_answer(self, taken_at: float, now: float, sent_at: float | None = None) -> None:
        """Do nothing: the distance between slots leaves room for what arrives late."""

    def on_retry_after(self, chat_id: int, seconds: float, now: float) -> None:
        """Pause this chat; if several were refused within a second, pause all chats in all processes."""
        self._chats.on_retry_after(chat_id, seconds, now)
        if self._chats.is_paused(now):
            # They were reserved for a time in which nothing may leave.
            self._slots.clear()
            self._pause_seconds = max(self._pause_seconds, seconds)
            self._requested.set()

    async def run(self) -> None:
        """Reserve slots for ever, as they are requested."""
        while True:
            await self._requested.wait()
            self._requested.clear()
            try:
                await self._reserve()
            except StorageError as error:
                log.debug("slots_not_reserved", reason=str(error))
                self._requested.set()
                await asyncio.sleep(_RETRY_DELAY)

    async def _reserve(self) -> None:
        if closing := self._pause_seconds:
            await self._allowance.pause_all(closing)
            self._pause_seconds = 0.0
        # Answers to people are paid for first, by slots that are reserved and not used: all processes together keep the rate.
        owed, wanted = self._unpaid, min(self._batch, self._wanted_slots)
        if owed + wanted == 0:
            return
        slots = await self._allowance.reserve(owed + wanted, self._interval)
        now = asyncio.get_running_loop().time()
        # Subtracted and not set to 0: others may have been added during the round trip.
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


class ReservedSlots(msgspec.Struct, frozen=True):
    """Slots of one process: the first in `first_in` seconds, the others `interval` seconds apart."""

    count: int
    first_in: float
    interval: float


class AllowanceState(msgspec.Struct, frozen=True):
    """How far the allowance is reserved: times in seconds, by the database's clock. The fields are the table's columns."""

    next_at: float = 0.0
    closed_until: float = 0.0


def reserve_slots(state: AllowanceState, now: float, count: int, interval: float) -> tuple[AllowanceState, ReservedSlots]:
    """Reserve slots, at twice the interval (in seconds) just after a pause of all chats. Pure."""
    interval /= share_after_pause(now - state.closed_until)
    # Never in the past: time in which nobody sent is not saved up.
    first = max(state.next_at, state.closed_until, now)
    return msgspec.structs.replace(state, next_at=first + count * interval), ReservedSlots(count, first - now, interval)


class SendAllowance:
    """The allowance in the database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def reserve(self, count: int, interval: float) -> ReservedSlots:
        """Reserve slots for this process, at least `interval` seconds apart from each other and from those of all others."""
        async with self._db.transaction() as tx:
            # By the database's clock alone: those of the processes may differ by more than a slot.
            state = await _read_allowance(tx)
            after, slots = reserve_slots(state, await tx.now(), count, interval)
            await tx.execute(update(allowance).where(_IS_ALLOWANCE).values(**msgspec.structs.asdict(after)))
        return slots

    async def pause_all(self, seconds: float) -> None:
        """Pause all processes for so many seconds, as Telegram asked."""
        async with self._db.transaction() as tx:
            state = await _read_allowance(tx)
            until = max(state.closed_until, await tx.now() + seconds)
            await tx.execute(update(allowance).where(_IS_ALLOWANCE).values(closed_until=until))


async def _read_allowance(tx: Transaction) -> AllowanceState:
    """Return the state of the allowance, locked until the transaction ends."""
    query = select(allowance).where(_IS_ALLOWANCE).with_for_update()
    rows = await tx.fetch(query)
    if not rows:
        # Two processes may both find it missing: the second insert does nothing, and both read the one row.
        await tx.execute(
            upsert(allowance, keep_existing=True), {"name": _ALLOWANCE_NAME} | msgspec.structs.asdict(AllowanceState())
        )
        rows = await tx.fetch(query)
    return AllowanceState(rows[0]["next_at"], rows[0]["closed_until"])
