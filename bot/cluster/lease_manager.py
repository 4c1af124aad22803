"""Leases of one process on a shared database: acquires and renews them, and stops work whose lease is lost.

Three things move a match from one process to another. A process that was killed has lost its session in the database; the
others end its leases and take its matches. One that is alive and does not renew for `LEASE_DURATION` loses them, too. And one
that follows more than its share hands a match over when another process asks for it and is ready to go on at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress

import msgspec
import structlog

from bot.cluster.balance import READY, choose_leases, is_fixture_lease, may_hand_over, read_requests
from bot.cluster.hand_over import HandOverRequester
from bot.cluster.leased_work import HeldLease
from bot.cluster.leases import LEASE_DURATION, Lease, LeaseRepository, name_process_lease
from bot.cluster.processes import ProcessInfo, read_process_infos
from bot.cluster.roles import Role
from bot.errors import StorageError
from bot.metrics import LEASE_CHANGES

log = structlog.get_logger()

POLL_INTERVAL = 1.0
"""Seconds between two looks at the leases. A notification starts one at once, but can be lost."""

_SHORT_POLL_INTERVAL = 0.25
"""Seconds between two looks while a process seems gone, or a match is about to be handed over."""

RENEW_INTERVAL = 1.0
"""Seconds between two renewals: a process that was stopped for a while soon learns which leases it has lost."""

_EXPIRY_MARGIN = 2.0
"""Seconds before its end at which a lease that could not be renewed counts as lost: work needs a moment to stop."""

GONE_AFTER = 1.5
"""Seconds without a session after which a process is taken for dead: one that only lost its connection has another by then."""

_RELEASE_TIMEOUT = 1.0
"""Seconds that a stop waits for the database. A lease that is not released ends by itself."""


class LeaseManager:
    """Acquires and renews the leases of one process, where several share a database."""

    def __init__(
        self,
        leases: LeaseRepository,
        roles: Collection[Role],
        describe: Callable[[], ProcessInfo] = ProcessInfo,
    ) -> None:
        """`describe` is called at each renewal; what it returns is shown by `/status` and the console of any process."""
        self._leases, self._roles, self._describe = leases, roles, describe
        self._process_lease = name_process_lease(leases.holder)
        self.hand_over = HandOverRequester(leases)
        self._waiting: dict[str, asyncio.Future[HeldLease]] = {}
        """By name of the lease; set to what was granted."""
        self._reopened: set[str] = set()
        """Of those that are waited for, the ones whose work goes on although it was finished."""
        self._calm_checks: dict[str, Callable[[], bool]] = {}
        """By name of the lease, whether another process could go on with its work at this moment."""
        self._held: dict[str, HeldLease] = {}
        self._free_since: dict[str, float] = {}
        """By name of the lease, since when it has been free without a break; on the loop's clock."""
        self._wake_up = asyncio.Event()
        self.registered = asyncio.Event()
        """Set when this process holds the lease that shows the others that it is alive: from then on it may claim chats."""
        self._renew_at = float("-inf")
        self._gone_since: dict[str, float] = {}
        """By process, since when it has had no session; on the loop's clock."""
        self._looked_at = float("-inf")
        self._slot_senders = 0
        self._has_request = False
        """True while a process asks for a match that this one follows."""
        self._expiry_timer: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        """The name of this process."""
        return self._leases.holder

    @asynccontextmanager
    async def hold(
        self, name: str, *, is_calm: Callable[[], bool] | None = None, is_reopened: bool = False
    ) -> AsyncIterator[HeldLease]:
        """Wait for a lease and hold it while the block runs. It may be lost meanwhile, or handed over when `is_calm` allows."""
        granted = self._waiting[name] = asyncio.get_running_loop().create_future()
        if is_calm:
            self._calm_checks[name] = is_calm
        if is_reopened:
            self._reopened.add(name)
        self.check_now()
        try:
            yield await granted
        finally:
            self._waiting.pop(name, None)
            self._reopened.discard(name)
            self._calm_checks.pop(name, None)
            lease = self._held.pop(name, None)
            if lease and lease.handed_to:
                try:
                    async with asyncio.timeout(_RELEASE_TIMEOUT):
                        await self._leases.transfer(name, lease.handed_to)
                except (StorageError, TimeoutError) as error:
                    # It is still ours, and is acquired again.
                    log.debug("lease_not_handed_over", name=name, reason=str(error))
            elif lease and not lease.lost.is_set():
                try:
                    async with asyncio.timeout(_RELEASE_TIMEOUT):
                        await self._leases.release({name}, is_finished=lease.is_finished)
                except (StorageError, TimeoutError) as error:
                    # It ends by itself after at most LEASE_DURATION.
                    log.debug("leases_not_released", name=name, reason=str(error))

    def is_waiting_for(self, name: str) -> bool:
        """Return True if this process waits for a lease that another one may hold."""
        return name in self._waiting

    async def read_processes(self) -> dict[str, ProcessInfo]:
        """Return what every living process says of itself, by its name."""
        return read_process_infos(await self._leases.get_active())

    def count_slot_senders(self) -> int:
        """Return how many senders of 0.1 live, as of the last look: see `SharedRateLimiter`."""
        return self._slot_senders

    def check_now(self, _payload: str = "") -> None:
        """Check for free leases at once. Called when one is wanted, and by the notification that one was released."""
        self._wake_up.set()

    async def run(self) -> None:
        """Acquire and renew until cancelled."""
        try:
            await self._leases.open_session()
            while True:
                self._wake_up.clear()
                try:
                    await self._tick()
                except StorageError as error:
                    # Nothing else to do: if the database stays away, the timer ends the leases in time.
                    log.debug("leases_not_renewed", reason=str(error))
                is_changing = bool(self._gone_since) or self._has_request
                with suppress(TimeoutError):
                    async with asyncio.timeout(_SHORT_POLL_INTERVAL if is_changing else POLL_INTERVAL):
                        await self._wake_up.wait()
        finally:
            await self.hand_over.stop()
            if self._expiry_timer:
                self._expiry_timer.cancel()

    async def unregister(self) -> None:
        """Tell the other processes that this one is gone. Call it when all of its work has stopped."""
        # All leases: one whose release took too long would keep its match from the others until it ends.
        try:
            async with asyncio.timeout(_RELEASE_TIMEOUT):
                await self._leases.release_all()
        except (StorageError, TimeoutError) as error:
            log.debug("leases_not_released", reason=str(error))

    async def _tick(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._renew_at:
            await self._renew(now)
        active = await self._leases.get_active()
        infos = read_process_infos(active)
        self._slot_senders = sum(Role.SEND in info.roles and not info.has_share for info in infos.values())
        if await self._end_leases_of_gone(active, infos, now):
            active = await self._leases.get_active()
            infos = read_process_infos(active)
        if self._waiting:
            await self._acquire_free(active, infos, now)
        self._answer_requests(active)
        self.hand_over.request_if_idle(active, infos, self._waiting, now)

    async def _end_leases_of_gone(
        self, active: Collection[Lease], infos: Mapping[str, ProcessInfo], now: float
    ) -> frozenset[str]:
        """End the leases of processes that were killed, and return these processes.

        The server notices at once that the session of a killed process has ended. A slow one keeps its session.
        """
        others = {name for name, info in infos.items() if info.has_session} - {self.name}
        # A process that has unregistered, and could not release everything.
        others |= {lease.holder for lease in active if not lease.is_finished} - infos.keys() - {self.name}
        session_since, looked_at, self._looked_at = self._leases.session_since, self._looked_at, now
        # Without a session of our own it may be the server that is gone. After a pause of our own, a process that was without a
        # session at both looks may have had one in between.
        if not others or session_since is None or now - looked_at > 2 * POLL_INTERVAL:
            self._gone_since = {}
            return frozenset()
        gone = await self._leases.find_gone(others)
        self._gone_since = {name: self._gone_since.get(name, now) for name in gone}
        dead = {name for name, since in self._gone_since.items() if now - max(since, session_since) >= GONE_AFTER}
        ended = await self._leases.end_leases(dead) if dead else frozenset()
        for name in ended:
            log.warning("process_gone", process=name)
            LEASE_CHANGES.labels("process-gone").inc()
        return ended

    def _answer_requests(self, active: Collection[Lease]) -> None:
        """Hand over a match that another process asks for and is ready to follow, if this one has more than its share."""
        requests = read_requests(active)
        self._has_request = any(name in self._held for name in requests)
        for name, request in requests.items():
            held = self._held.get(name)
            if held is None or held.lost.is_set() or held.is_calm is None or request.process_info != READY:
                continue
            if request.holder != self.name and may_hand_over(active, self.name, request.holder) and held.is_calm():
                log.info("handing_over", name=name, to=request.holder)
                LEASE_CHANGES.labels("handed-over").inc()
                held.hand_over(request.holder)
                return  # one at a time: the next look counts again

    async def _renew(self, now: float) -> None:
        """Renew the lease of this process and those that it holds. `now` is the loop's time from before the request."""
        info = msgspec.structs.replace(
            self._describe(),
            roles=tuple(sorted(self._roles)),
            has_session=self._leases.session_since is not None,
            has_share=True,
            hands_over=self.hand_over.prepare is not None,
        )
        await self._leases.acquire({self._process_lease}, msgspec.json.encode(info).decode())
        # After an outage of the database longer than LEASE_DURATION, another process may have acquired some of them.
        held = {name for name, lease in self._held.items() if not lease.lost.is_set()}
        wanted = held | self.hand_over.request
        renewed = await self._leases.renew(wanted) if wanted else held
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

    async def _acquire_free(self, leases: Collection[Lease], infos: Mapping[str, ProcessInfo], now: float) -> None:
        """Acquire this process's share of the matches that are free, and whatever else it waits for."""
        active = {lease.name: lease for lease in leases}
        finished = {name for name in self._waiting if name in active and active[name].is_finished}
        # Another process has begun the work again. When it finishes, it is finished for this one, too.
        self._reopened &= finished | (self._waiting.keys() - active.keys())
        for name in finished - self._reopened:
            self._grant(name, finished_elsewhere=True)
        # One's own lease was handed over by another process, or is left over from work that was cancelled while the lease was
        # being acquired.
        own = [name for name in self._waiting if name in active and active[name].holder == self.name]
        free = [name for name in self._waiting if name not in active or name in finished]
        self._free_since = {name: self._free_since.get(name, now) for name in free}
        free_seconds = {name: now - self._free_since[name] for name in free if is_fixture_lease(name)}
        held_count = sum(map(is_fixture_lease, (*self._held, *own)))
        wanted_count = held_count + sum(is_fixture_lease(name) for name in self._waiting if name not in own)
        process_count = sum(Role.FEED in info.roles for info in infos.values())
        names = own + choose_leases(free_seconds, held_count, wanted_count, process_count)
        # Other leases, such as that of the chat, exist once and have no share: the first to come gets them.
        names += [name for name in free if not is_fixture_lease(name)]
        if names:
            for name in await self._leases.acquire(names, reopened=finished):
                self._grant(name)

    def _grant(self, name: str, *, finished_elsewhere: bool = False) -> None:
        granted = self._waiting.pop(name, None)
        # The task that waited may have been cancelled meanwhile. Then the lease is not in `_held`, is not renewed, and ends by
        # itself.
        if granted and not granted.done():
            lease = HeldLease(finished_elsewhere=finished_elsewhere, is_calm=self._calm_checks.get(name))
            if not finished_elsewhere:
                LEASE_CHANGES.labels("acquired").inc()
                self._held[name] = lease
            granted.set_result(lease)
        self.hand_over.on_granted(name)

    def _mark_lost(self, name: str) -> None:
        if lease := self._held.get(name):
            log.warning("lease_lost", name=name)
            LEASE_CHANGES.labels("lost").inc()
            lease.lost.set()

    def _on_expiry(self) -> None:
        """Stop all leased work: the leases could not be renewed in time, and soon other processes may acquire them."""
        for name in list(self._held):
            self._mark_lost(name)
