"""Leases of one process: acquires and renews them, and stops work whose lease is lost.

Start at `run_while_leased`. `LeaseManager` is for several processes on PostgreSQL, `SingleProcess` for one.
"""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

import msgspec
import structlog

from bot.cluster.leases import LEASE_DURATION, Lease, LeaseRepository, name_process_lease
from bot.cluster.roles import Role
from bot.errors import StorageError

log = structlog.get_logger()

POLL_INTERVAL = 1.0
"""Seconds between two checks for free leases. A notification starts one at once, but can be lost."""

RENEW_INTERVAL = 3.0
"""Seconds between two renewals: two may fail before a lease of 10 s ends."""

_EXPIRY_MARGIN = 2.0
"""Seconds before its end at which a lease that could not be renewed counts as lost: work needs a moment to stop."""

EXTRA_LEASE_DELAY = 2.5
"""Seconds for which a free match beyond one's share is left to other processes: longer than two of their checks."""

_RELEASE_TIMEOUT = 1.0
"""Seconds that a stop waits for the database. A lease that is not released ends by itself."""

_FIXTURE_PREFIX, _PROCESS_PREFIX = "fixture:", name_process_lease("")


class ProcessInfo(msgspec.Struct, frozen=True):
    """What a process publishes about itself for the others: its roles, and the lines that `/status` shows for it.

    Stored as JSON and read by processes of other versions: its fields keep their names.
    """

    roles: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    summary: str = ""
    """The process's version, and what it sent in the last hour; empty if an earlier version wrote the row."""
    connected: int = 0
    """Matches that are live in this process."""
    due: int = 0
    """Matches that should be connected now, in this process or another; 0 where no matches are followed."""


class HeldLease:
    """A lease that was granted. Whoever holds it sets `is_finished` when its work is finished."""

    def __init__(self, *, finished_elsewhere: bool = False) -> None:
        self.finished_elsewhere = finished_elsewhere
        """True: another process has finished the work, and there is nothing to do."""
        self.is_finished = False
        self.lost = asyncio.Event()


class LeaseProvider(Protocol):
    """Grants leases, each to one process at a time."""

    def hold(self, name: str) -> AbstractAsyncContextManager[HeldLease]:
        """Wait for a lease and hold it while the block runs. It may be lost meanwhile."""
        ...

    def is_waiting_for(self, name: str) -> bool:
        """Return True if this process waits for a lease that another one may hold."""
        ...


async def run_while_leased(leases: LeaseProvider, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run the work whenever this process holds its lease, until it is finished here or in another process.

    If the lease is lost, the work is cancelled, and begins again when the lease is held again. Raise what the work raises.
    """
    while True:
        async with leases.hold(name) as lease:
            # Set before the lease is released: the processes that wait for it must not begin the work again.
            lease.is_finished = lease.finished_elsewhere or await _run_until_lost(lease, work())
        if lease.is_finished:
            return


async def _run_until_lost(lease: HeldLease, work: Awaitable[None]) -> bool:
    """Run the work until it ends or the lease is lost. Return True if it ended."""
    working, lost = asyncio.ensure_future(work), asyncio.ensure_future(lease.lost.wait())
    try:
        await asyncio.wait({working, lost}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # Asked before the cancellation below, after which every task is done.
        has_ended = working.done()
        for task in (working, lost):
            task.cancel()
        await asyncio.gather(working, lost, return_exceptions=True)
    if has_ended:
        working.result()
    return has_ended


class SingleProcess:
    """Grants every lease at once, because no other process works on this database."""

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[HeldLease]:
        """Hold the lease; it is never lost."""
        yield HeldLease()

    def is_waiting_for(self, name: str) -> bool:
        """Return False: there is no other process."""
        return False


class LeaseManager:
    """Acquires and renews the leases of one process, where several share a database."""

    def __init__(
        self,
        leases: LeaseRepository,
        roles: Collection[Role],
        status_lines: Callable[[], Sequence[str]] = tuple,
        status_summary: Callable[[], str] = str,
        count_matches: Callable[[], tuple[int, int]] = lambda: (0, 0),
    ) -> None:
        """`status_lines`, `status_summary` and `count_matches` are read at each renewal and shown by `/status`, whichever process
        answers it. `count_matches` returns how many matches are connected here, and how many should be in all processes."""
        self._leases, self._roles = leases, roles
        self._status_lines, self._status_summary, self._count_matches = status_lines, status_summary, count_matches
        self._process_lease = name_process_lease(leases.holder)
        self._waiting: dict[str, asyncio.Future[bool]] = {}
        """By name of the lease: True is set if its work was finished elsewhere, False if the lease was granted."""
        self._held: dict[str, HeldLease] = {}
        self._free_since: dict[str, float] = {}
        """By name of the lease, since when it has been free without a break; on the loop's clock."""
        self._wake_up = asyncio.Event()
        self.registered = asyncio.Event()
        """Set when this process holds the lease that shows the others that it is alive: from then on it may claim chats."""
        self._renew_at = float("-inf")
        self._expiry_timer: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        """The name of this process."""
        return self._leases.holder

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[HeldLease]:
        """Wait for a lease and hold it while the block runs. It may be lost meanwhile."""
        granted = self._waiting[name] = asyncio.get_running_loop().create_future()
        self.check_now()
        try:
            finished_elsewhere = await granted
            yield HeldLease(finished_elsewhere=True) if finished_elsewhere else self._held[name]
        finally:
            self._waiting.pop(name, None)
            lease = self._held.pop(name, None)
            if lease and not lease.lost.is_set():
                await self._release({name}, is_finished=lease.is_finished)

    def is_waiting_for(self, name: str) -> bool:
        """Return True if this process waits for a lease that another one may hold."""
        return name in self._waiting

    async def read_processes(self) -> dict[str, ProcessInfo]:
        """Return what every living process says of itself, by its name."""
        return read_process_infos(await self._leases.get_active())

    def check_now(self, _payload: str = "") -> None:
        """Check for free leases at once. Called when one is wanted, and by the notification that one was released."""
        self._wake_up.set()

    async def run(self) -> None:
        """Acquire and renew until cancelled."""
        try:
            while True:
                self._wake_up.clear()
                try:
                    await self._tick()
                except StorageError as error:
                    # Nothing else to do: if the database stays away, the timer ends the leases in time.
                    log.debug("leases_not_renewed", reason=str(error))
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_INTERVAL):
                        await self._wake_up.wait()
        finally:
            if self._expiry_timer:
                self._expiry_timer.cancel()

    async def unregister(self) -> None:
        """Tell the other processes that this one is gone. Call it when all of its work has stopped."""
        await self._release({self._process_lease})

    async def _tick(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._renew_at:
            await self._renew(now)
        if self._waiting:
            await self._acquire_free(now)

    async def _renew(self, now: float) -> None:
        """Renew the lease of this process and those that it holds. `now` is the loop's time from before the request."""
        connected, due = self._count_matches()
        info = ProcessInfo(
            tuple(sorted(self._roles)), tuple(self._status_lines()), self._status_summary(), connected=connected, due=due
        )
        await self._leases.acquire({self._process_lease}, msgspec.json.encode(info).decode())
        # After an outage of the database longer than LEASE_DURATION, another process may have acquired some of them.
        held = {name for name, lease in self._held.items() if not lease.lost.is_set()}
        renewed = await self._leases.renew(held) if held else held
        for name in held - renewed:
            self._mark_lost(name)
        self._renew_at = now + RENEW_INTERVAL
        self.registered.set()
        # Counted from before the renewal was asked for: the database counted from a later moment, so we never hold a lease longer
        # than it does. A timer, because a database that does not answer holds up `run`.
        if self._expiry_timer:
            self._expiry_timer.cancel()
        expires_at = now + LEASE_DURATION - _EXPIRY_MARGIN
        self._expiry_timer = asyncio.get_running_loop().call_at(expires_at, self._on_expiry)

    async def _acquire_free(self, now: float) -> None:
        """Acquire this process's share of the matches that are free, and whatever else it waits for."""
        active = {lease.name: lease for lease in await self._leases.get_active()}
        for name in [name for name in self._waiting if name in active and active[name].is_finished]:
            self._grant(name, finished_elsewhere=True)
        # One's own lease counts as free: it may be left over from work that was cancelled while the lease was being acquired.
        free = [name for name in self._waiting if name not in active or active[name].holder == self._leases.holder]
        self._free_since = {name: self._free_since.get(name, now) for name in free}
        free_seconds = {name: now - self._free_since[name] for name in free if name.startswith(_FIXTURE_PREFIX)}
        held_count = sum(name.startswith(_FIXTURE_PREFIX) for name in self._held)
        wanted_count = held_count + sum(name.startswith(_FIXTURE_PREFIX) for name in self._waiting)
        process_count = sum(Role.FEED in info.roles for info in read_process_infos(active.values()).values())
        names = choose_leases(free_seconds, held_count, wanted_count, process_count)
        # Other leases, such as that of the chat, exist once and have no share: the first to come gets them.
        names += [name for name in free if not name.startswith(_FIXTURE_PREFIX)]
        if names:
            for name in await self._leases.acquire(names):
                self._grant(name)

    def _grant(self, name: str, *, finished_elsewhere: bool = False) -> None:
        granted = self._waiting.pop(name, None)
        # Whoever waited may have been cancelled meanwhile. Then the lease is not in `_held`, is not renewed, and ends by itself.
        if granted and not granted.done():
            if not finished_elsewhere:
                self._held[name] = HeldLease()
            granted.set_result(finished_elsewhere)

    def _mark_lost(self, name: str) -> None:
        if lease := self._held.get(name):
            log.warning("lease_lost", name=name)
            lease.lost.set()

    def _on_expiry(self) -> None:
        """Stop all leased work: the leases could not be renewed in time, and soon other processes may acquire them."""
        for name in list(self._held):
            self._mark_lost(name)

    async def _release(self, names: Collection[str], *, is_finished: bool = False) -> None:
        try:
            async with asyncio.timeout(_RELEASE_TIMEOUT):
                await self._leases.release(names, is_finished=is_finished)
        except (StorageError, TimeoutError) as error:
            # The lease ends by itself after at most LEASE_DURATION.
            log.debug("leases_not_released", reason=str(error))


def choose_leases(free_seconds: Mapping[str, float], held_count: int, wanted_count: int, process_count: int) -> list[str]:
    """Choose which free leases a process acquires. `free_seconds` says by name for how long each has been free.

    Every process wants the same `wanted_count` leases. Each acquires its share at once, and more only of what the others leave.
    """
    # The lease that has been free for longest first, and by name among equals: all processes choose in the same order, so the
    # ones that nobody took rise to the top.
    share_left = max(0, math.ceil(wanted_count / max(1, process_count)) - held_count)
    longest_first = sorted(free_seconds, key=lambda name: (-free_seconds[name], name))
    extra = [name for name in longest_first[share_left:] if free_seconds[name] >= EXTRA_LEASE_DELAY]
    return longest_first[:share_left] + extra


def read_process_infos(leases: Iterable[Lease]) -> dict[str, ProcessInfo]:
    """Return what each living process says of itself, by its name."""
    return {
        lease.holder: msgspec.json.decode(lease.process_info, type=ProcessInfo)
        for lease in leases
        if lease.name.startswith(_PROCESS_PREFIX) and lease.process_info
    }


def name_fixture_lease(fixture_id: str) -> str:
    """Return the name of the lease under which a match is followed."""
    return f"{_FIXTURE_PREFIX}{fixture_id}"


def make_holder_name() -> str:
    """Return a name for this process that no other one has, or had."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
