"""Leases in memory, by the loop's clock: what several processes share, with a database that may be away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from bot.cluster.leases import FINISHED_DURATION, LEASE_DURATION, Lease, LeaseRepository
from bot.errors import StorageUnavailable


@dataclass(slots=True)
class Table:
    """The rows: by name, holder, end and facts. `is_away`: no process reaches them."""

    rows: dict[str, tuple[str, float, str]] = field(default_factory=dict)
    is_away: bool = False
    released: list[Callable[[], None]] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    """The processes that have one."""


class FakeLeases(LeaseRepository):
    """The leases as one process reads and writes them."""

    def __init__(self, table: Table, holder: str) -> None:
        self.table, self.holder = table, holder
        self.is_dead = False
        """Killed: nothing is released."""
        self.releases = True
        """False: the database is too slow for every release, but not for saying that the process is gone."""
        self.is_stopped = False
        """Too slow for anything, as after SIGSTOP: it reaches nothing, and its session stays."""
        self._session_since: float | None = None

    @property
    def session_since(self) -> float | None:
        return self._session_since

    async def open_session(self) -> None:
        self._session_since = asyncio.get_running_loop().time()
        self.table.sessions.add(self.holder)

    def lose_session(self) -> None:
        """As after a kill, or where the connection that listens is lost."""
        self._session_since = None
        self.table.sessions.discard(self.holder)

    async def acquire(self, names: Collection[str], process_info: str = "", *, reopened: Collection[str] = ()) -> frozenset[str]:
        now = self._now()
        for name in names:
            holder, until, _ = self.table.rows.get(name, ("", 0.0, ""))
            if until <= now or holder == self.holder or (not holder and name in reopened):
                self.table.rows[name] = self.holder, now + LEASE_DURATION, process_info
        return self._select_own(names, now)

    async def renew(self, names: Collection[str]) -> frozenset[str]:
        now = self._now()
        for name in names:
            if self.table.rows.get(name, ("",))[0] == self.holder:
                self.table.rows[name] = self.holder, now + LEASE_DURATION, self.table.rows[name][2]
        return self._select_own(names, now)

    async def release(self, names: Collection[str], *, is_finished: bool = False) -> None:
        if self.is_dead or not self.releases:
            return
        now = self._now()
        for name in [name for name in names if self.table.rows.get(name, ("",))[0] == self.holder]:
            self.table.rows[name] = "", now + FINISHED_DURATION if is_finished else now, ""
        self._notify()

    async def release_all(self) -> None:
        if not self.is_dead:
            self._now()
            self.table.rows = {
                name: row
                for name, row in self.table.rows.items()
                if row[0] != self.holder or not (self.releases or name.startswith("process:"))
            }
            self._notify()

    async def transfer(self, name: str, holder: str) -> None:
        now = self._now()
        if self.table.rows.get(name, ("",))[0] == self.holder:
            self.table.rows[name] = holder, now + LEASE_DURATION, ""
        self._notify()

    async def announce(self, name: str, process_info: str) -> None:
        now = self._now()
        if self.table.rows.get(name, ("",))[0] == self.holder:
            self.table.rows[name] = self.holder, now + LEASE_DURATION, process_info
        self._notify()

    async def find_gone(self, holders: Collection[str]) -> frozenset[str]:
        self._now()
        return frozenset(holders) - self.table.sessions

    async def end_leases(self, holders: Collection[str]) -> frozenset[str]:
        now, gone = self._now(), await self.find_gone(holders)
        for name, (holder, until, info) in list(self.table.rows.items()):
            if holder in gone and until > now:
                self.table.rows[name] = holder, now, info
        self._notify()
        return gone

    def _notify(self) -> None:
        for listener in self.table.released:
            listener()

    async def get_active(self) -> Sequence[Lease]:
        now = self._now()
        return [Lease(name, holder, facts) for name, (holder, until, facts) in self.table.rows.items() if until > now]

    def _select_own(self, names: Collection[str], now: float) -> frozenset[str]:
        found = {name: self.table.rows[name] for name in names if name in self.table.rows}
        return frozenset(name for name, (holder, until, _) in found.items() if holder == self.holder and until > now)

    def _now(self) -> float:
        if self.table.is_away or self.is_stopped:
            raise StorageUnavailable("away")
        return asyncio.get_running_loop().time()
