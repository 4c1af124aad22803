"""Takes, renews and loses leases; runs work only while its lease is held; the roles."""

from __future__ import annotations

import asyncio
import enum
import math
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

import msgspec
import structlog

from bot.cluster.leases import LEASE_DURATION, Lease, name_process_lease
from bot.errors import StorageError

log = structlog.get_logger()

POLL_INTERVAL = 1.0
"""Seconds between two looks at what is free."""

RENEW_INTERVAL = 3.0
"""Seconds between two renewals."""

_EXPIRY_MARGIN = 2.0
"""Seconds before its end at which a lease that could not be renewed is let go: what is at work needs a while to stop."""

_RELEASE_TIMEOUT = 1.0

_FIXTURE_PREFIX, _PROCESS_PREFIX = "fixture:", name_process_lease("")


def name_fixture_lease(fixture_id: str) -> str:
    """The name of the lease under which a match is followed."""
    return f"{_FIXTURE_PREFIX}{fixture_id}"


def make_holder_name() -> str:
    """A name for this process that no other has, nor had."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


class ProcessInfo(msgspec.Struct, frozen=True):
    """What a process says of itself: its roles, and how it stands, a line each."""

    roles: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


class LeaseStore(Protocol):
    """The leases in the database."""

    @property
    def holder(self) -> str: ...
    async def take(self, names: Collection[str], facts: str = "") -> frozenset[str]: ...
    async def renew(self, names: Collection[str]) -> frozenset[str]: ...
    async def release(self, names: Collection[str], *, done: bool = False) -> None: ...
    async def all(self) -> Sequence[Lease]: ...


class HeldLease:
    """A lease that is held. `over`: its work was done by another process; set `done` when it is by this one."""

    def __init__(self, *, over: bool = False) -> None:
        self.over, self.done = over, False
        self.lost = asyncio.Event()


class LeaseProvider(Protocol):
    """Gives the right to do what one process does at a time."""

    def holding(self, name: str) -> AbstractAsyncContextManager[HeldLease]:
        """Wait for a lease and hold it; it may be lost in the middle."""
        ...

    def waits(self, name: str) -> bool:
        """Tell whether another process may be doing this."""
        ...


class SingleProcess:
    """Nobody else works on this database: every lease is ours."""

    @asynccontextmanager
    async def holding(self, name: str) -> AsyncIterator[HeldLease]:
        """At once, and never lost."""
        yield HeldLease()

    def waits(self, name: str) -> bool:
        """There is no other process."""
        return False


class LeaseManager:
    """One a process where several share a database."""

    def __init__(self, leases: LeaseStore, roles: Collection[Role], lines: Callable[[], Sequence[str]] = tuple) -> None:
        """`lines` say how this process stands, for all to read."""
        self._leases, self._roles, self._lines = leases, roles, lines
        self._waiting: dict[str, asyncio.Future[bool]] = {}
        self._held: dict[str, HeldLease] = {}
        self._free_since: dict[str, float] = {}
        self._woken = asyncio.Event()
        self.started = asyncio.Event()
        """Set as soon as other processes know of this one."""
        self._renew_at = float("-inf")
        self._sure: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def holding(self, name: str) -> AsyncIterator[HeldLease]:
        """Wait for a lease and hold it; it may be lost in the middle."""
        given = self._waiting[name] = asyncio.get_running_loop().create_future()
        self.wake()
        try:
            over = await given
            yield HeldLease(over=True) if over else self._held[name]
        finally:
            self._waiting.pop(name, None)
            hold = self._held.pop(name, None)
            if hold and not hold.lost.is_set():
                await self._release({name}, done=hold.done)

    def waits(self, name: str) -> bool:
        """Tell whether another process may be doing this."""
        return name in self._waiting

    async def processes(self) -> dict[str, ProcessInfo]:
        """What every process that lives says of itself, by its name."""
        return read_process_infos(await self._leases.all())

    def wake(self, _payload: str = "") -> None:
        """Look at once: something is wanted, or may be free."""
        self._woken.set()

    async def run(self) -> None:
        """Take and renew until cancelled."""
        try:
            while True:
                self._woken.clear()
                await self._try()
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_INTERVAL):
                        await self._woken.wait()
        finally:
            if self._sure:
                self._sure.cancel()

    async def leave(self) -> None:
        """Let the others know that this process is gone: to be called when all of its work is put down."""
        await self._release({self._name})

    async def _try(self) -> None:
        try:
            await self._beat()
        except StorageError as error:
            log.debug("leases_not_renewed", reason=str(error))

    async def _beat(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._renew_at:
            await self._renew(now)
        if self._waiting:
            await self._look(now)

    async def _renew(self, now: float) -> None:
        """What is not ours any more is lost; the rest is surely ours for a while from when it was asked."""
        await self._leases.take({self._name}, msgspec.json.encode(self._facts()).decode())
        held = {name for name, hold in self._held.items() if not hold.lost.is_set()}
        mine = await self._leases.renew(held) if held else held
        for name in held - mine:
            self._lose(name)
        self._renew_at = now + RENEW_INTERVAL
        self.started.set()
        if self._sure:
            self._sure.cancel()
        self._sure = asyncio.get_running_loop().call_at(now + LEASE_DURATION - _EXPIRY_MARGIN, self._lose_all)

    async def _look(self, now: float) -> None:
        leases = {lease.name: lease for lease in await self._leases.all()}
        for name in [name for name in self._waiting if name in leases and leases[name].retired]:
            self._give(name, over=True)
        free = [name for name in self._waiting if name not in leases or leases[name].holder == self._leases.holder]
        self._free_since = {name: self._free_since.get(name, now) for name in free}
        matches = {name: now - self._free_since[name] for name in free if name.startswith(_FIXTURE_PREFIX)}
        wanted = [name for name in (*self._held, *self._waiting) if name.startswith(_FIXTURE_PREFIX)]
        held = sum(name.startswith(_FIXTURE_PREFIX) for name in self._held)
        names = choose_leases(matches, held, len(wanted), _count_feed_processes(leases.values()))
        names += [name for name in free if not name.startswith(_FIXTURE_PREFIX)]
        if names:
            for name in await self._leases.take(names):
                self._give(name)

    def _give(self, name: str, *, over: bool = False) -> None:
        """Whoever waits for it has it; where nobody does any more, it is not renewed."""
        given = self._waiting.pop(name, None)
        if given and not given.done():
            if not over:
                self._held[name] = HeldLease()
            given.set_result(over)

    def _lose(self, name: str) -> None:
        if hold := self._held.get(name):
            log.warning("lease_lost", name=name)
            hold.lost.set()

    def _lose_all(self) -> None:
        for name in list(self._held):
            self._lose(name)

    async def _release(self, names: Collection[str], *, done: bool = False) -> None:
        """What cannot be released now ends by itself."""
        try:
            async with asyncio.timeout(_RELEASE_TIMEOUT):
                await self._leases.release(names, done=done)
        except (StorageError, TimeoutError) as error:
            log.debug("leases_not_released", reason=str(error))

    @property
    def name(self) -> str:
        """The name of this process."""
        return self._leases.holder

    @property
    def _name(self) -> str:
        return name_process_lease(self._leases.holder)

    def _facts(self) -> ProcessInfo:
        return ProcessInfo(tuple(sorted(self._roles)), tuple(self._lines()))


def read_process_infos(leases: Iterable[Lease]) -> dict[str, ProcessInfo]:
    """What each process that lives says of itself."""
    return {
        lease.holder: msgspec.json.decode(lease.facts, type=ProcessInfo)
        for lease in leases
        if lease.name.startswith(_PROCESS_PREFIX) and lease.facts
    }


def _count_feed_processes(leases: Iterable[Lease]) -> int:
    return sum(Role.FEED in facts.roles for facts in read_process_infos(leases).values())


async def run_while_leased(leasing: LeaseProvider, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work whenever its lease is ours, until it has come to its end, here or in another process. Raise what it raises."""
    while True:
        async with leasing.holding(name) as hold:
            hold.done = hold.over or await _run_until_lost(hold, work())
        if hold.done:
            return


async def _run_until_lost(hold: HeldLease, work: Awaitable[None]) -> bool:
    """Do it until the lease is lost; tell whether it came to its end."""
    working, lost = asyncio.ensure_future(work), asyncio.ensure_future(hold.lost.wait())
    try:
        await asyncio.wait({working, lost}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = working.done()
        for task in (working, lost):
            task.cancel()
        await asyncio.gather(working, lost, return_exceptions=True)
    if ended:
        working.result()
    return ended


EXTRA_LEASE_DELAY = 2.5
"""Seconds that more than one's share is left to others."""


def choose_leases(free_for: Mapping[str, float], held: int, wanted: int, processes: int) -> list[str]:
    """The names to take of those that have been free for so many seconds, where so many are held already.

    Everybody wants the same names, `wanted` in all: each process has its share of them, and takes more only of what is left over.
    """
    room = max(0, math.ceil(wanted / max(1, processes)) - held)
    longest_first = sorted(free_for, key=lambda name: (-free_for[name], name))
    return longest_first[:room] + [name for name in longest_first[room:] if free_for[name] >= EXTRA_LEASE_DELAY]


class Role(enum.StrEnum):
    """One part of the work; on PostgreSQL each may have processes of its own."""

    FEED = "feed"
    """Follows matches and makes alerts."""
    CHAT = "chat"
    """Answers people."""
    SEND = "send"
    """Brings alerts to chats."""


ALL_ROLES = frozenset(Role)


def read_roles(words: Sequence[str]) -> frozenset[Role]:
    """Read `feed`, `feed,send` or several such; none are all. Raise ValueError with a sentence."""
    names = [name.strip() for word in words for name in word.split(",")]
    unknown = [name for name in names if name not in list(Role)]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(Role)}")
    return frozenset(map(Role, names)) or ALL_ROLES
