"""Which fixtures to follow and from when (pure plan); refreshes, kick-off jobs."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

import msgspec
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.clock import Clock
from bot.config.models import ScheduleSettings
from bot.errors import FeedError, FeedRefused
from bot.feed.source import FixtureSource
from bot.retry import Backoff, retry_while_database_unavailable
from bot.storage.fixtures import FixtureStatusRepository, ListedStatus
from bot.subscribers import Scope, Subscription, list_subscription_keys
from rules.football.action import LIVE_STATUSES, OVER_STATUSES, Fixture


def plan_connections(
    fixtures: Iterable[Fixture], subscriptions: Iterable[Subscription], now: dt.datetime, lead: dt.timedelta
) -> dict[str, dt.datetime]:
    """By fixture id, the instant at which to connect; an instant that has passed is `now`.

    Left out: what nobody follows, what is over or cancelled, and what has no kick-off. A kick-off at midnight may be a
    placeholder (feed documentation, section 14) or a true one: connecting early costs an idle connection, late a goal.
    """
    wanted = {(subscription.scope, subscription.key) for subscription in subscriptions}
    instants = ((fixture, find_connect_time(fixture, now, lead)) for fixture in fixtures if is_followed(fixture, wanted))
    return {fixture.id: instant for fixture, instant in instants if instant is not None}


def is_followed(fixture: Fixture, wanted: set[tuple[Scope, str]]) -> bool:
    """Tell whether some subscription covers the fixture."""
    return not wanted.isdisjoint(list_subscription_keys(fixture))


def find_connect_time(fixture: Fixture, now: dt.datetime, lead: dt.timedelta) -> dt.datetime | None:
    """When to connect to the fixture; None where there is nothing to connect to, or not yet."""
    status = fixture.status.casefold()
    if fixture.is_deleted or status in OVER_STATUSES:
        return None
    if status in LIVE_STATUSES:
        return now
    if fixture.kickoff is None:
        return None
    return max(now, fixture.kickoff - lead)


log = structlog.get_logger()

LOOK_BACK = dt.timedelta(days=1)

LOOK_AHEAD = dt.timedelta(days=14)

POLL_LIVE_EVERY = dt.timedelta(seconds=30)
"""What the vendor asks for during live matches (feed documentation, section 1.4)."""

FOLLOW_RETRY_DELAY = 5.0
"""Seconds until a follower that failed, which none should, is started again."""

_END_OF_TIME = dt.datetime.max.replace(tzinfo=dt.UTC)


class MatchScheduler:
    """Follows every fixture that some subscription covers, from shortly before its kick-off until it is over."""

    def __init__(
        self,
        source: FixtureSource,
        subscriptions: Callable[[], Awaitable[Sequence[Subscription]]],
        follow: Callable[[Fixture], Awaitable[None]],
        settings: Callable[[], ScheduleSettings],
        clock: Clock,
        on_refused: Callable[[str], Awaitable[None]],
        on_update: Callable[[Fixture, Fixture], Awaitable[None]],
        on_accepted: Callable[[], Awaitable[None]] | None = None,
        fixture_statuses: FixtureStatusRepository | None = None,
        find_unfinished: Callable[[], Awaitable[Collection[str]]] | None = None,
    ) -> None:
        """`follow` runs a fixture's connection until its match is over; `on_refused` hears why the feed refuses us, once, and
        `on_accepted` when it does no more; `on_update` gets a fixture before and after its status or its coverage changed, also
        while we were away where `standings` remembers; `unfinished` names the matches that an earlier process left in the middle:
        they are followed to their end though they be over."""
        self._source, self._subscriptions, self._follow = source, subscriptions, follow
        self._settings, self._clock = settings, clock
        self._on_refused, self._on_update, self._on_accepted = on_refused, on_update, on_accepted
        self._fixture_statuses = fixture_statuses
        self._find_unfinished = find_unfinished
        self._unfinished: Collection[str] = ()
        self._before: Mapping[str, ListedStatus] | None = None
        self._jobs = AsyncIOScheduler(timezone=dt.UTC)
        self._fixtures: dict[str, Fixture] = {}
        self._listed: tuple[Fixture, ...] = ()
        self._planned: dict[str, dt.datetime] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self._over: set[str] = set()
        self._changed = asyncio.Event()
        self._refused = ""
        self.retry_after = FOLLOW_RETRY_DELAY
        self.refreshed_at: dt.datetime | None = None

    def list_fixtures(self) -> tuple[Fixture, ...]:
        """The fixtures known now, by kick-off."""
        return self._listed

    def find_fixture(self, fixture_id: str) -> Fixture | None:
        """A fixture as it is listed now; None where it is not (any more)."""
        return self._fixtures.get(fixture_id)

    def request_replan(self) -> None:
        """Plan again at once: a subscription has changed."""
        self._changed.set()

    def followed_ids(self) -> tuple[str, ...]:
        """The ids of the fixtures that have a connection now."""
        return tuple(self._following)

    def planned_connections(self) -> dict[str, dt.datetime]:
        """By fixture id, when connections will be opened that are not yet due."""
        return dict(self._planned)

    async def run(self) -> None:
        """Refresh and plan until cancelled; then stop every connection."""
        self._jobs.start()
        self._jobs.add_job(
            self._refresh, "interval", seconds=self._settings().refresh_fixtures_every.total_seconds(), id="refresh"
        )
        self._jobs.add_job(self._poll_live, "interval", seconds=POLL_LIVE_EVERY.total_seconds(), id="poll live")
        try:
            self._unfinished = await retry_while_database_unavailable(self._find_unfinished) if self._find_unfinished else ()
            await self._first_refresh()
            while True:
                await self._changed.wait()
                self._changed.clear()
                await retry_while_database_unavailable(self._replan)
        finally:
            self._jobs.shutdown(wait=False)
            await self._stop_all()

    async def _first_refresh(self) -> None:
        backoff = Backoff(1.0, 60.0)
        while True:
            if await self._refresh():
                return
            await asyncio.sleep(backoff.next())

    async def _refresh(self) -> bool:
        """Fetch the fixtures; tell whether it worked."""
        today = self._clock.now().date()
        try:
            fetched = await self._source.fetch_fixtures(today - LOOK_BACK, today + LOOK_AHEAD)
        except FeedRefused as error:
            await self._report_refused(str(error))
            return False
        except FeedError as error:
            log.warning("fixtures_not_refreshed", reason=str(error))
            return False
        await self._on_accepted_again()
        self.refreshed_at = self._clock.now()
        await self._apply_fixtures(fetched)
        log.info("fixtures_refreshed", count=len(fetched))
        return True

    async def _poll_live(self) -> None:
        """Ask for each fixture that has a connection: only the REST side tells of some ends (feed documentation, section 10)."""
        for fixture_id in self.followed_ids():
            try:
                fixture = await self._source.fetch_fixture(fixture_id)
            except FeedError as error:
                log.warning("fixture_not_polled", fixture=fixture_id, reason=str(error))
                continue
            known = [other for other in self._fixtures.values() if other.id != fixture_id]
            await self._apply_fixtures([*known, fixture])

    async def _apply_fixtures(self, fetched: Sequence[Fixture]) -> None:
        """Keep what is fetched; of what is no longer listed, only the matches being followed."""
        changed = [
            (known, new) for new in fetched if (known := await self._find_previous(new)) and _has_status_changed(known, new)
        ]
        fresh = [new for new in fetched if new.id not in self._fixtures]
        kept = {fixture_id: self._fixtures[fixture_id] for fixture_id in self._following if fixture_id in self._fixtures}
        self._fixtures = kept | {fixture.id: fixture for fixture in fetched}
        self._listed = tuple(sorted(self._fixtures.values(), key=lambda f: (f.kickoff or _END_OF_TIME, f.title)))
        for known, new in changed:
            if new.status.casefold() in LIVE_STATUSES:
                self._over.discard(new.id)
            await self._on_update(known, new)
        if statuses := self._fixture_statuses:
            await retry_while_database_unavailable(lambda: statuses.save([*fresh, *(new for _, new in changed)]))
        self._changed.set()

    async def _find_previous(self, fixture: Fixture) -> Fixture | None:
        """The fixture as it was listed before, by this process or another; None for a new one."""
        if self._before is None:
            self._before = (
                await retry_while_database_unavailable(self._fixture_statuses.get_all) if self._fixture_statuses else {}
            )
        if known := self._fixtures.get(fixture.id):
            return known
        before = self._before.get(fixture.id)
        if before is None:
            return None
        return msgspec.structs.replace(fixture, status=before.status, collection_status=before.collection_status)

    async def _on_accepted_again(self) -> None:
        if self._refused:
            self._refused = ""
            if self._on_accepted:
                await self._on_accepted()

    async def _report_refused(self, reason: str) -> None:
        if reason != self._refused:
            self._refused = reason
            await self._on_refused(reason)

    async def _replan(self) -> None:
        wanted = plan_connections(
            self._fixtures.values(), await self._subscriptions(), self._clock.now(), self._settings().connect_before_kickoff
        )
        for fixture_id in [i for i in self._planned if i not in wanted]:
            self._unplan(fixture_id)
        for fixture_id in [i for i in self._following if self._is_cancelled(i)]:
            log.info("fixture_dropped", fixture=fixture_id, status=self._fixtures[fixture_id].status)
            self._following[fixture_id].cancel()
        for fixture_id in self._unfinished:
            if self._is_played(fixture_id) and fixture_id not in self._over:
                self._start(fixture_id)
        for fixture_id, instant in wanted.items():
            if fixture_id not in self._following and fixture_id not in self._over:
                self._schedule(fixture_id, instant)

    def _is_cancelled(self, fixture_id: str) -> bool:
        """Cancelled, postponed or deleted; what has been played ends by itself, with all of it told."""
        fixture = self._fixtures.get(fixture_id)
        if fixture is None or self._is_played(fixture_id):
            return False
        return find_connect_time(fixture, self._clock.now(), self._settings().connect_before_kickoff) is None

    def _is_played(self, fixture_id: str) -> bool:
        fixture = self._fixtures.get(fixture_id)
        return fixture is not None and fixture.status.casefold() in ("completed", "unverified", "abandoned")

    def _schedule(self, fixture_id: str, instant: dt.datetime) -> None:
        if instant <= self._clock.now():
            self._unplan(fixture_id)
            self._start(fixture_id)
        elif self._planned.get(fixture_id) != instant:
            self._planned[fixture_id] = instant
            self._jobs.add_job(self._on_due, "date", run_date=instant, args=[fixture_id], id=fixture_id, replace_existing=True)
            log.info("connection_planned", fixture=fixture_id, at=instant.isoformat())

    def _unplan(self, fixture_id: str) -> None:
        if self._planned.pop(fixture_id, None) is not None and self._jobs.get_job(fixture_id):
            self._jobs.remove_job(fixture_id)

    async def _on_due(self, fixture_id: str) -> None:
        self._planned.pop(fixture_id, None)
        self._start(fixture_id)

    def _start(self, fixture_id: str) -> None:
        fixture = self._fixtures.get(fixture_id)
        if fixture is None or fixture_id in self._following:
            return
        task = asyncio.create_task(self._follow_and_log(fixture), name=f"follow {fixture_id}")
        self._following[fixture_id] = task
        task.add_done_callback(lambda _: self._on_follow_ended(fixture_id))

    def _on_follow_ended(self, fixture_id: str) -> None:
        self._following.pop(fixture_id, None)
        self._changed.set()

    async def _follow_and_log(self, fixture: Fixture) -> None:
        log.info("following", fixture=fixture.id, match=fixture.title)
        try:
            await self._follow(fixture)
        except Exception as error:
            log.exception("following_failed", fixture=fixture.id, match=fixture.title, reason=repr(error))
            await asyncio.sleep(self.retry_after)
            return
        self._over.add(fixture.id)
        log.info("match_over", fixture=fixture.id, match=fixture.title)

    async def _stop_all(self) -> None:
        tasks = list(self._following.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _has_status_changed(before: Fixture, after: Fixture) -> bool:
    """Tell whether the status or the coverage is another."""
    return (before.status, before.collection_status) != (after.status, after.collection_status)
