"""Asks a process that follows more than its share of the matches for one of them, and gets ready to go on with it at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

import structlog

from bot.cluster.balance import READY, choose_hand_over, is_fixture_lease, name_hand_over_request
from bot.cluster.leases import Lease, LeaseRepository
from bot.cluster.processes import ProcessInfo
from bot.cluster.roles import Role
from bot.errors import StorageError

log = structlog.get_logger()

BALANCE_DELAY = 5.0
"""Seconds for which the same processes must have lived before one asks for matches: others may be starting, too."""

HAND_OVER_TIMEOUT = 25.0
"""Seconds that a hand-over may take: up to the next heartbeat of the feed, and then to a pause in the match."""

_RETRY_DELAY = 300.0
"""Seconds until a process asks again for a match whose hand-over did not succeed, such as one that is about to end."""

_REST = 1.0
"""Seconds between two hand-overs to one process: the feed takes five connections a second from all processes."""


class HandOverRequester:
    """Asks for one lease at a time.

    The request is a lease of its own, which ends by itself if this process dies. It says `READY` once the work could begin at
    once. Only then does the holder stop its own work and give the lease away, so that the match is read all the time.
    """

    def __init__(self, leases: LeaseRepository) -> None:
        self._leases = leases
        self.prepare: Callable[[str], Awaitable[bool]] | None = None
        """Gets ready for the work of a lease; returns True once it could begin at once, False if it cannot get ready."""
        self.discard: Callable[[str], Awaitable[None]] | None = None
        """Undoes what `prepare` has done for a lease that was not granted."""
        self._requested = ""
        self._granted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._feeds: frozenset[str] = frozenset()
        self._feeds_since = self._next_at = float("-inf")
        self._retry_at: dict[str, float] = {}
        """By lease, when it may be asked for again; on the loop's clock."""

    @property
    def request(self) -> frozenset[str]:
        """The name of the lease that stands for the request of this moment; empty if there is none."""
        return frozenset({name_hand_over_request(self._requested)} if self._requested else ())

    def request_if_idle(
        self, active: Collection[Lease], infos: Mapping[str, ProcessInfo], waiting: Collection[str], now: float
    ) -> None:
        """Ask for a match if others follow more of them, all live for a while already and no match is free."""
        feeds = frozenset(name for name, info in infos.items() if Role.FEED in info.roles)
        if feeds != self._feeds:
            self._feeds, self._feeds_since = feeds, now
        if self.prepare is None or self._task is not None or now < max(self._next_at, self._feeds_since + BALANCE_DELAY):
            return
        wanted = {name for name in waiting if is_fixture_lease(name)}
        # Free matches are shared out first.
        if not wanted <= {lease.name for lease in active}:
            return
        self._retry_at = {name: at for name, at in self._retry_at.items() if at > now}
        # Others, such as processes of an earlier version, would never answer a request.
        owners = {name for name in feeds if infos[name].hands_over}
        if name := choose_hand_over(active, self._leases.holder, owners, wanted - self._retry_at.keys()):
            self._requested = name
            self._granted.clear()
            self._task = asyncio.create_task(self._take_over(name, self.prepare), name=f"take over {name}")

    def on_granted(self, name: str) -> None:
        """Note that this process holds a lease now."""
        if name == self._requested:
            self._granted.set()

    async def stop(self) -> None:
        """Take back a request."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _take_over(self, name: str, prepare: Callable[[str], Awaitable[bool]]) -> None:
        request = name_hand_over_request(name)
        try:
            async with asyncio.timeout(HAND_OVER_TIMEOUT):
                # The request is a lease too: of several processes that ask for one match, one prepares for it.
                if request in await self._leases.acquire({request}) and await prepare(name):
                    await self._leases.announce(request, READY)
                    await self._granted.wait()
        except (StorageError, TimeoutError) as error:
            log.debug("hand_over_failed", name=name, reason=str(error))
        finally:
            is_granted = self._granted.is_set()
            self._requested, self._task = "", None
            now = asyncio.get_running_loop().time()
            self._next_at = now + _REST
            if not is_granted:
                self._retry_at[name] = now + _RETRY_DELAY
                # What was prepared for a match that was granted is its connection by now.
                if self.discard:
                    await self.discard(name)
            # Not for longer: the database may be what has failed, and the request ends by itself too.
            try:
                async with asyncio.timeout(1.0):
                    await self._leases.release({request})
            except (StorageError, TimeoutError) as error:
                log.debug("leases_not_released", reason=str(error))
