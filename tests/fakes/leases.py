"""Leases in memory, by the loop's clock: what several processes share, with a database that may be away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from bot.cluster.leases import FINISHED_DURATION, LEASE_DURATION, Lease, LeaseRepository
from bot.errors import StorageUnavailable


@dataclass(slots=True)
class Table:
    """The rows: by name, holder, end and facts. `away`: no process reaches them."""

    rows: dict[str, tuple[str, float, str]] = field(default_factory=dict)
    away: bool = False
    released: list[Callable[[], None]] = field(default_factory=list)


class FakeLeases(LeaseRepository):
    """One process' view of them."""

    def __init__(self, table: Table, holder: str) -> None:
        self.table, self.holder = table, holder
        self.dead = False
        """Killed: nothing is released."""

    async def acquire(self, names: Collection[str], process_info: str = "") -> frozenset[str]:
        now = self._now()
        for name in names:
            holder, until, _ = self.table.rows.get(name, ("", 0.0, ""))
            if until <= now or holder == self.holder:
                self.table.rows[name] = self.holder, now + LEASE_DURATION, process_info
        return self._select_own(names, now)

    async def renew(self, names: Collection[str]) -> frozenset[str]:
        now = self._now()
        for name in names:
            if self.table.rows.get(name, ("",))[0] == self.holder:
                self.table.rows[name] = self.holder, now + LEASE_DURATION, ""
        return self._select_own(names, now)

    async def release(self, names: Collection[str], *, is_finished: bool = False) -> None:
        if self.dead:
            return
        now = self._now()
        for name in [name for name in names if self.table.rows.get(name, ("",))[0] == self.holder]:
            self.table.rows[name] = "", now + FINISHED_DURATION if is_finished else now, ""
        for heard in self.table.released:
            heard()

    async def get_active(self) -> Sequence[Lease]:
        now = self._now()
        return [Lease(name, holder, facts) for name, (holder, until, facts) in self.table.rows.items() if until > now]

    def _select_own(self, names: Collection[str], now: float) -> frozenset[str]:
        found = {name: self.table.rows[name] for name in names if name in self.table.rows}
        return frozenset(name for name, (holder, until, _) in found.items() if holder == self.holder and until > now)

    def _now(self) -> float:
        if self.table.away:
            raise StorageUnavailable("away")
        return asyncio.get_running_loop().time()
