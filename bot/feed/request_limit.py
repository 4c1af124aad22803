"""At most five requests to the feed in any second: REST calls and new connections together, in all processes of one database.

Start at `FeedRequestLimiter`. Five places stand for the five requests. A request holds its place until one second after its
answer, because only the answer shows that it has arrived: six requests can then never arrive within one second, however long
they are on their way. The places are in memory, or in the database where several processes share one.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import msgspec
import structlog
from sqlalchemy import select

from bot.clock import MIN_WAIT, Clock
from bot.errors import StorageError
from bot.storage.database import Database, upsert
from bot.storage.driver import Transaction
from bot.storage.schema import feed_requests

log = structlog.get_logger()

REQUESTS_PER_SECOND = 5
"""What the vendor asks for (section 2.3)."""

_HOLD_AFTER_ANSWER = 1.02
"""Seconds: a second, and a little for clocks that do not tick finely."""

_MAX_FLIGHT = 5.0
"""Seconds after which a request without an answer is taken to have arrived. A server that hangs must not hold all places."""

_WANTED_FOR = 0.5
"""Seconds for which a process that waits keeps a place from requests of lower priority in other processes."""

_LOOK_AGAIN_AFTER = 0.1
"""Seconds between two looks at the places while other processes may free some."""

_STARVED_AFTER = 10.0
"""Seconds of waiting after which a priority gets every second place, whatever goes before it: a feed that drops all connections
again and again must not keep the fixtures from being read."""


class Priority(enum.IntEnum):
    """Which requests go first. The names are stored in the database."""

    LIVE = 0
    """Connections to matches in play: every second may cost a goal."""
    REST = 1
    PLANNED = 2
    """Connections to matches that have not begun."""


class Places(msgspec.Struct, frozen=True):
    """The places and who waits for one; instants in seconds by one clock."""

    taken_until: tuple[float, ...]
    wanted_until: tuple[float, ...] = (0.0,) * len(Priority)
    """By priority: until when some process says that it waits."""


class Permit(msgspec.Struct, frozen=True):
    """A place that was given to a request, and until when it is taken if no answer comes."""

    place: int
    taken_until: float


def take_place(places: Places, now: float, priority: Priority, *, yields: bool) -> tuple[Places, Permit | float]:
    """Return the places after a request, and its permit, or the seconds until it may be worth asking again. Pure.

    `yields`: leave one free place to each higher priority that another process waits with.
    """
    free = [place for place, until in enumerate(places.taken_until) if until <= now]
    kept = sum(until > now for until in places.wanted_until[:priority]) if yields else 0
    if len(free) > kept:
        # The longest that it may be taken: a process that dies cannot free its places.
        permit = Permit(free[0], now + _MAX_FLIGHT + _HOLD_AFTER_ANSWER)
        taken = _replace(places.taken_until, permit.place, permit.taken_until)
        # If others of this priority wait, they say so at their next look.
        return Places(taken, _replace(places.wanted_until, priority, 0.0)), permit
    wanted = _replace(places.wanted_until, priority, now + _WANTED_FOR)
    # A free place that is kept for others may be left at any time; one that is taken not before its end.
    return Places(places.taken_until, wanted), _LOOK_AGAIN_AFTER if free else max(0.0, min(places.taken_until) - now)


def free_place(places: Places, now: float, permit: Permit) -> Places:
    """Return the places after a request was answered; unchanged if its place was given to another one meanwhile. Pure."""
    # Its end says whose it is: a later request that was given the place has another one.
    if places.taken_until[permit.place] != permit.taken_until:
        return places
    return msgspec.structs.replace(
        places, taken_until=_replace(places.taken_until, permit.place, min(permit.taken_until, now + _HOLD_AFTER_ANSWER))
    )


def _replace(values: tuple[float, ...], index: int, value: float) -> tuple[float, ...]:
    return *values[:index], value, *values[index + 1 :]


class PlaceStore(Protocol):
    """Where the places are. The methods of a database raise StorageError."""

    look_again_after: float
    """Seconds after which a place may have become free without a sign."""

    async def take(self, priority: Priority, *, yields: bool) -> Permit | float:
        """See `take_place`."""
        ...

    async def free(self, permits: Sequence[Permit]) -> None:
        """See `free_place`."""
        ...


class MemoryPlaces:
    """The places of a process that shares its database with no other."""

    look_again_after = float("inf")

    def __init__(self, clock: Clock, count: int = REQUESTS_PER_SECOND) -> None:
        self._clock, self._places = clock, Places((float("-inf"),) * count)

    async def take(self, priority: Priority, *, yields: bool) -> Permit | float:
        self._places, found = take_place(self._places, self._clock.monotonic(), priority, yields=yields)
        return found

    async def free(self, permits: Sequence[Permit]) -> None:
        for permit in permits:
            self._places = free_place(self._places, self._clock.monotonic(), permit)


class SharedPlaces:
    """The places of all processes on one database, by its clock."""

    look_again_after = _LOOK_AGAIN_AFTER

    def __init__(self, database: Database, count: int = REQUESTS_PER_SECOND) -> None:
        self._database = database
        # The names stand in the table, which processes of several versions share: a new priority gets a row of its own.
        self._names = [*(f"place {number}" for number in range(count)), *(f"wanted {priority.name}" for priority in Priority)]

    async def take(self, priority: Priority, *, yields: bool) -> Permit | float:
        async with self._database.transaction() as tx:
            before = await self._read(tx)
            after, found = take_place(before, await tx.now(), priority, yields=yields)
            await self._write(tx, before, after)
        return found

    async def free(self, permits: Sequence[Permit]) -> None:
        async with self._database.transaction() as tx:
            before = after = await self._read(tx)
            for permit in permits:
                after = free_place(after, await tx.now(), permit)
            await self._write(tx, before, after)

    async def _read(self, tx: Transaction) -> Places:
        # One lock for all rows: they are decided on together, and the first process finds no rows that it could lock.
        await tx.lock("feed requests")
        rows = {row["name"]: row["until"] for row in await tx.fetch(select(feed_requests))}
        values = tuple(rows.get(name, 0.0) for name in self._names)
        return Places(values[: -len(Priority)], values[-len(Priority) :])

    async def _write(self, tx: Transaction, before: Places, after: Places) -> None:
        old, new = before.taken_until + before.wanted_until, after.taken_until + after.wanted_until
        # What has not changed is left alone: a look that finds nothing writes one row at most.
        found = zip(self._names, old, new, strict=True)
        if changes := [{"name": name, "until": value} for name, known, value in found if value != known]:
            await tx.execute(upsert(feed_requests), changes)


class _Grant(msgspec.Struct, frozen=True):
    """A permit and where its place is."""

    permit: Permit
    places: PlaceStore


class _Waiter(msgspec.Struct):
    """A request that waits for a place. `due`: among those of one priority the lowest goes first."""

    due: float
    since: float
    granted: asyncio.Future[_Grant]


class FeedRequestLimiter:
    """Lets the requests of this process go, the most urgent first. One for REST and connections of a process."""

    def __init__(self, clock: Clock, per_second: int = REQUESTS_PER_SECOND, places: PlaceStore | None = None) -> None:
        """`places`: those that other processes take too; None for places of this process alone."""
        self._clock, self._places = clock, places or MemoryPlaces(clock, per_second)
        self._own_place = MemoryPlaces(clock, 1)
        """While the database is away each process goes on by itself, slowly enough for five of them."""
        self._numbers = itertools.count()
        self._waiters: dict[Priority, dict[int, _Waiter]] = {priority: {} for priority in Priority}
        self._answered: list[_Grant] = []
        self._changed = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._served_starved = False

    @asynccontextmanager
    async def request(self, priority: Priority = Priority.REST, due: float = 0.0) -> AsyncIterator[None]:
        """Wait until a request may be sent. The block sends it and ends with its answer, or without one."""
        grant = await self._wait_for_place(priority, due)
        try:
            yield
        finally:
            # Freed by the task that serves: it may wait for the database, and the answer that has come must not.
            self._answered.append(grant)
            self._serve()

    async def close(self) -> None:
        """Leave the places; to be called before their database is closed. What is taken becomes free by itself."""
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)

    async def _wait_for_place(self, priority: Priority, due: float) -> _Grant:
        number = next(self._numbers)
        granted: asyncio.Future[_Grant] = asyncio.get_running_loop().create_future()
        self._waiters[priority][number] = _Waiter(due, self._clock.monotonic(), granted)
        self._serve()
        try:
            return await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self._answered.append(granted.result())  # it was given a place, and will not use it
                self._serve()
            raise
        finally:
            self._waiters[priority].pop(number, None)

    def _serve(self) -> None:
        """Start or wake the task that gives places: a request waits, or was answered."""
        self._changed.set()
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve_waiters(), name="feed requests")

    async def _serve_waiters(self) -> None:
        """Give places to those who wait, until nobody does."""
        # One task for all: each look is a transaction, and five hundred connections would hold the database up with theirs.
        try:
            while self._answered or any(self._waiters.values()):
                # Before the look: what changes during it is worth another one.
                self._changed.clear()
                await self._free_answered()
                delay = await self._serve_next()
                if delay > 0:
                    try:
                        async with asyncio.timeout(max(MIN_WAIT, min(delay, self._places.look_again_after))):
                            await self._changed.wait()
                    except TimeoutError:
                        pass
        except Exception as error:  # a fault of our own: requests that wait get it, instead of waiting for ever
            for waiter in [waiter for waiters in self._waiters.values() for waiter in waiters.values()]:
                if not waiter.granted.done():
                    waiter.granted.set_exception(error)
        finally:
            self._serving = None

    async def _free_answered(self) -> None:
        answered, self._answered = self._answered, []
        for places in (self._places, self._own_place):
            if permits := [grant.permit for grant in answered if grant.places is places]:
                try:
                    await places.free(permits)
                except StorageError as error:  # they become free by themselves
                    log.debug("feed_requests_not_shared", reason=str(error))

    async def _serve_next(self) -> float:
        """Give a place to the next request; return the seconds until another look."""
        waiting = [priority for priority in Priority if self._waiters[priority]]
        if not waiting:
            return 0.0
        starved = None if self._served_starved else self._find_starved(waiting[1:])
        priority, places = waiting[0] if starved is None else starved, self._places
        try:
            found = await places.take(priority, yields=starved is None)
        except StorageError as error:
            log.debug("feed_requests_not_shared", reason=str(error))
            # Matches have to be connected whatever happens to the database.
            places = self._own_place
            found = await places.take(priority, yields=False)
        if not isinstance(found, Permit):
            return found
        self._served_starved = starved is not None
        self._grant(_Grant(found, places), priority)
        return 0.0

    def _find_starved(self, priorities: Sequence[Priority]) -> Priority | None:
        """Return the priority whose first request has waited for too long behind more urgent ones."""
        now = self._clock.monotonic()
        # The first of each by its number, which has waited for longest.
        waited = ((priority, now - next(iter(self._waiters[priority].values())).since) for priority in priorities)
        return next((priority for priority, seconds in waited if seconds >= _STARVED_AFTER), None)

    def _grant(self, grant: _Grant, priority: Priority) -> None:
        """Give a place to the first request of a priority, or to another one if all of these have gone meanwhile."""
        for waiters in (self._waiters[priority], *self._waiters.values()):
            for number in sorted(waiters, key=lambda number: (waiters[number].due, number)):
                granted = waiters.pop(number).granted
                if not granted.done():
                    granted.set_result(grant)
                    return
        # All who waited have gone while the place was asked for.
        self._answered.append(grant)
