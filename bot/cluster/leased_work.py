"""Work that one process at a time does, under a lease. Start at `run_while_leased`.

The lease comes from a `LeaseProvider`: `lease_manager.LeaseManager` where several processes share a database, else
`SingleProcess`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol


class HeldLease:
    """A lease that was granted. Its holder sets `is_finished` when the work is finished."""

    def __init__(self, *, finished_elsewhere: bool = False, is_calm: Callable[[], bool] | None = None) -> None:
        self.finished_elsewhere = finished_elsewhere
        """True: another process has finished the work, and there is nothing to do."""
        self.is_calm = is_calm
        """Returns True at a moment at which another process could go on with the work; None: it is never handed over."""
        self.is_finished = False
        self.lost = asyncio.Event()
        """Set when the work has to stop: another process may have the lease, or gets it."""
        self.handed_to = ""
        """The process that gets the lease as soon as the work has stopped."""

    def hand_over(self, process: str) -> None:
        """Stop the work, and give the lease to another process."""
        self.handed_to = process
        self.lost.set()


class LeaseProvider(Protocol):
    """Grants leases, each to one process at a time."""

    def hold(
        self, name: str, *, is_calm: Callable[[], bool] | None = None, is_reopened: bool = False
    ) -> AbstractAsyncContextManager[HeldLease]:
        """Wait for a lease and hold it while the block runs. It may be lost meanwhile.

        `is_calm`: see HeldLease. `is_reopened`: there is work again, although some process may have finished it.
        """
        ...

    def is_waiting_for(self, name: str) -> bool:
        """Return True if this process waits for a lease that another one may hold."""
        ...


async def run_while_leased(
    leases: LeaseProvider,
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    is_calm: Callable[[], bool] | None = None,
    is_reopened: bool = False,
) -> None:
    """Run the work whenever this process holds its lease, until it is finished here or in another process.

    If the lease is lost or handed over, the work is cancelled, and begins again when the lease is held again. Raise what the
    work raises. For `is_calm` and `is_reopened` see `LeaseProvider.hold`.
    """
    while True:
        async with leases.hold(name, is_calm=is_calm, is_reopened=is_reopened) as lease:
            # Set before the lease is released: the processes that wait for it must not begin the work again.
            lease.is_finished = lease.finished_elsewhere or await _run_until_lost(lease, work())
        if lease.is_finished:
            return
        # What was finished after this was another process's new work.
        is_reopened = False


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
    async def hold(
        self, name: str, *, is_calm: Callable[[], bool] | None = None, is_reopened: bool = False
    ) -> AsyncIterator[HeldLease]:
        """Hold the lease; it is never lost."""
        yield HeldLease()

    def is_waiting_for(self, name: str) -> bool:
        """Return False: there is no other process."""
        return False
