"""Follows each fixture of the plan (`connection_plan`) when its time has come, until its match is over."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress

import structlog

from bot.clock import Clock
from bot.config.models import ScheduleSettings
from bot.feed.source import FixtureSource
from bot.matches.connection_plan import (
    PlannedConnection,
    find_connect_time,
    make_ranking,
    order_ranked,
    select_within_limit,
)
from bot.matches.fixture_list import FixtureList
from bot.matches.relistings import RelistingTracker
from bot.retry import retry_while_database_unavailable
from bot.sharing import share_event_loop
from bot.storage.fixtures import FixtureStatusRepository
from bot.subscribers import Scope, Subscription, list_subscription_keys
from rules.football.action import Fixture
from rules.football.statuses import find_status

log = structlog.get_logger()

POLL_BEFORE_KICKOFF = dt.timedelta(hours=1)
"""How long before its kick-off a fixture is polled: a kick-off that moves is the only sign of a delay (section 5.4)."""

FOLLOW_RETRY_DELAY = 5.0
"""Seconds before a match is followed again after an unexpected error, so that an error that stays fills no log."""

REOPEN_DELAY = 300.0
"""Seconds after which a match that was read to its end is followed again if the list of fixtures still says "live"."""

CLOCK_CHECK_INTERVAL = 1.0
"""Seconds between two looks at the clocks and at what is due by them."""

_MAX_CLOCK_STEP = 2.0
"""Seconds by which the wall clock may run ahead of the monotonic one, or behind it, between two looks."""

_MAX_STARTS = 25
"""Matches that begin to be followed in one second at most."""

_MAX_LOGGED_PLANS = 50
"""New connections of one plan that are logged one by one. The first list may have thousands."""

_REPLAN_INTERVAL = 30.0
"""Seconds after which everything is planned again although nothing has changed."""


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
        relistings: RelistingTracker | None = None,
        max_matches: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Callbacks:

        - `subscriptions` returns those of all active chats;
        - `follow` follows a fixture until its match is over;
        - `on_refused`, `on_accepted` and `on_update`: see FixtureList;
        - `find_unfinished` returns the ids of matches that an earlier process left in the middle. They are followed to their end
          even if they are over by now;
        - `max_matches` returns how many matches may be followed at the same time, and None if that is not limited.
        """
        self._subscriptions, self._follow, self._settings, self._clock = subscriptions, follow, settings, clock
        self._on_update, self._find_unfinished, self._max_matches = on_update, find_unfinished, max_matches
        self._are_deleted_closed = relistings is not None
        self._changed = asyncio.Event()
        self._planned: dict[str, PlannedConnection] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self.fixtures = FixtureList(
            source,
            subscriptions,
            settings,
            clock,
            on_refused=on_refused,
            on_accepted=on_accepted,
            on_update=self._on_status_change,
            on_changed=self._changed.set,
            list_followed=self.followed_ids,
            list_polled=self._list_near,
            statuses=fixture_statuses,
            relistings=relistings,
        )
        self.held_back: tuple[str, ...] = ()
        """The matches that are due and wait until one that is followed ends: so many may be followed at the same time."""
        self.chosen_held_back: tuple[str, ...] = ()
        """Those of them that some chat follows by match, team or competition."""
        self.on_held_back: Callable[[Collection[Fixture]], None] | None = None
        """Called with the matches that are held back from now on and that some chat has chosen."""
        self._unfinished: Collection[str] = ()
        self._subscription_keys: dict[str, tuple[Fixture, frozenset[tuple[Scope, str]]]] = {}
        """By fixture, and for the fixture as it was then: they are asked for at each plan."""
        self._over: dict[str, float] = {}
        """Followed to the end by this process, by when that was on the monotonic clock."""
        self._reopened: set[str] = set()
        """Listed as live again after they had been listed as over; until they are read to their end once more."""
        self._subscribed: Sequence[Subscription] = ()
        self._chosen_keys: frozenset[tuple[Scope, str]] = frozenset()
        """What chats follow by its name or id, and not with everything alone."""
        self._started_since, self._started = float("-inf"), 0
        """The beginning of the second in which so many matches began to be followed, on the monotonic clock."""

    def is_reopened(self, fixture_id: str) -> bool:
        """Return True if a match has to be read although it was read to its end before, by this process or another one."""
        return fixture_id in self._reopened or fixture_id in self._over

    def request_replan(self) -> None:
        """Plan again at once. Called when a subscription or the settings have changed."""
        self._changed.set()

    def followed_ids(self) -> tuple[str, ...]:
        """Return the ids of the fixtures that are being followed now."""
        return tuple(self._following)

    def planned_connections(self) -> dict[str, dt.datetime]:
        """Return by fixture id when to connect, for the connections that are not yet due."""
        return {fixture_id: planned.at for fixture_id, planned in self._planned.items()}

    async def run(self) -> None:
        """Refresh and plan until cancelled, then stop following."""
        helpers: list[asyncio.Task[None]] = []
        try:
            self._unfinished = await retry_while_database_unavailable(self._find_unfinished) if self._find_unfinished else ()
            self.fixtures.unfinished = set(self._unfinished)
            # Until there is a list, nothing can be followed.
            await self.fixtures.load()
            work = (self.fixtures.keep_fresh(), self.fixtures.keep_polling(), self._watch_clocks())
            helpers += [asyncio.create_task(one) for one in work]
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_REPLAN_INTERVAL):
                        await self._changed.wait()
                self._changed.clear()
                await retry_while_database_unavailable(self._replan)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            followers = list(self._following.values())
            for task in followers:
                task.cancel()
            await asyncio.gather(*followers, return_exceptions=True)

    async def _watch_clocks(self) -> None:
        """Follow what is due, and plan anew at once where the machine slept or its clock was set."""
        wall, monotonic = self._clock.now(), self._clock.monotonic()
        while True:
            await asyncio.sleep(CLOCK_CHECK_INTERVAL)
            passed, ticked = self._clock.now() - wall, self._clock.monotonic() - monotonic
            wall, monotonic = wall + passed, monotonic + ticked
            if abs(step := passed.total_seconds() - ticked) > _MAX_CLOCK_STEP:
                log.info("clock_stepped", seconds=round(step, 1))
                self.fixtures.request_refresh()
                self._changed.set()
            try:
                self._start_due()
            except Exception as error:
                # Nothing else starts a match between two plans, so this goes on. An error that stays ends `run` and the process,
                # because the next plan, half a minute later at most, does the same.
                log.exception("due_matches_not_followed", reason=repr(error))

    def _list_near(self) -> list[str]:
        """Return the fixtures that are followed, and those planned whose kick-off is so near that it may be moved at any time."""
        soon = self._clock.now() + POLL_BEFORE_KICKOFF
        near = [i for i in self._planned if (fixture := self.fixtures.find(i)) and fixture.kickoff and fixture.kickoff <= soon]
        return [*self._following, *near]

    async def _on_status_change(self, before: Fixture, after: Fixture) -> None:
        if after.is_live:
            # Its coverage was dropped and has come back, or its end was a mistake.
            self._over.pop(after.id, None)
            if before.is_over:
                self._reopened.add(after.id)
        await self._on_update(before, after)

    async def _replan(self) -> None:
        """Compare what is planned and followed with what the fixtures and subscriptions want now, and change the difference."""
        self._subscribed = await self._subscriptions()
        self._chosen_keys = frozenset((one.scope, one.key) for one in self._subscribed if one.scope is not Scope.ALL)
        self._subscription_keys = {i: known for i, known in self._subscription_keys.items() if i in self.fixtures.by_id}
        lead = self._settings().connect_before_kickoff
        rank = make_ranking(self._subscribed, self._clock.now(), lead, self._keys_of)
        ranked = [one async for fixture in share_event_loop(self.fixtures.by_id.values()) if (one := rank(fixture))]
        wanted = order_ranked(ranked)
        # A match that no chat follows any more is followed to its end: its alerts may have to be corrected.
        for fixture_id in [i for i in self._following if self._is_cancelled(i)]:
            log.info("fixture_dropped", fixture=fixture_id, status=self.fixtures.by_id[fixture_id].status)
            self._following[fixture_id].cancel()
        # A match that is over is in no plan: only its snapshot says that it was left in the middle.
        for fixture_id in self._unfinished:
            if self._is_played(fixture_id) and fixture_id not in self._over:
                self._start(fixture_id)
        # In the order of the plan: of what is due, the most urgent is followed first.
        planned = {fixture_id: self._plan(fixture_id, instant) async for fixture_id, instant in share_event_loop(wanted.items())}
        self._log_planned(planned)
        # Asked last, for what is due is followed meanwhile, too.
        self._planned = {i: plan for i, plan in planned.items() if i not in self._following and not self._is_read(i)}
        self._start_due()

    def _keys_of(self, fixture: Fixture) -> frozenset[tuple[Scope, str]]:
        """Return the subscription keys of a fixture, from memory where it has not changed."""
        known = self._subscription_keys.get(fixture.id)
        if known is None or known[0] is not fixture:
            known = self._subscription_keys[fixture.id] = (fixture, list_subscription_keys(fixture))
        return known[1]

    def is_chosen(self, fixture_id: str) -> bool:
        """Return True if some chat follows the fixture by its team, competition or match, and not with everything alone."""
        fixture = self.fixtures.find(fixture_id)
        return fixture is not None and not self._chosen_keys.isdisjoint(self._keys_of(fixture))

    def _is_read(self, fixture_id: str) -> bool:
        """Return True if there is nothing more to read of a match: it was read to its end, and is not listed as live still.

        Whatever its stream said, one that is listed as live is read again: it may go on, and the outbox knows what was sent.
        """
        over_at = self._over.get(fixture_id)
        if over_at is None:
            return False
        fixture = self.fixtures.find(fixture_id)
        return fixture is None or not fixture.is_live or self._clock.monotonic() - over_at < REOPEN_DELAY

    def _is_cancelled(self, fixture_id: str) -> bool:
        """Return True for a fixture that is cancelled, postponed or deleted. One that was played ends by itself."""
        fixture = self.fixtures.find(fixture_id)
        # One that was deleted is closed by its follower, which makes the alert first.
        if fixture is None or self._is_played(fixture_id) or (fixture.is_deleted and self._are_deleted_closed):
            return False
        return find_connect_time(fixture, self._clock.now(), self._settings().connect_before_kickoff) is None

    def _is_played(self, fixture_id: str) -> bool:
        """Return True if the match was played at least in part and is over, so that there is something to read."""
        fixture = self.fixtures.find(fixture_id)
        return fixture is not None and find_status(fixture.status).is_played

    def _plan(self, fixture_id: str, instant: dt.datetime) -> PlannedConnection:
        """Return the plan for a fixture; that from before if its instant is the same, whatever was done to the clock since."""
        known = self._planned.get(fixture_id)
        if known and known.at == instant:
            return known
        now, monotonic = self._clock.now(), self._clock.monotonic()
        return PlannedConnection(instant, monotonic + (instant - now).total_seconds())

    def _log_planned(self, planned: Mapping[str, PlannedConnection]) -> None:
        """Log the connections that are new or moved, as one number if they are many: a line each would hold up everything."""
        now = self._clock.now()
        new = [i for i, plan in planned.items() if plan is not self._planned.get(i) and plan.at > now]
        if len(new) > _MAX_LOGGED_PLANS:
            log.info("connections_planned", count=len(new), first_at=planned[new[0]].at.isoformat())
            return
        for fixture_id in new:
            log.info("connection_planned", fixture=fixture_id, at=planned[fixture_id].at.isoformat())

    def _start_due(self) -> None:
        """Follow what is due, the most urgent first. Called every second, which is soon enough for what is due minutes ahead."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        if monotonic >= self._started_since + 1.0:
            self._started_since, self._started = monotonic, 0
        due = [i for i, planned in self._planned.items() if planned.is_due(now, monotonic)]
        for fixture_id in self._hold_back(due, now):
            # The rest in the next second: each reads and writes the database, and only five a second can connect anyway.
            if self._started >= _MAX_STARTS:
                return
            self._started += 1
            del self._planned[fixture_id]
            self._start(fixture_id)

    def _hold_back(self, due: Sequence[str], now: dt.datetime) -> Sequence[str]:
        """Return those of the due matches that may be followed, in their order, and note the others as held back."""
        limit = self._max_matches()
        allowed = select_within_limit(due, limit, self._following, self._planned, self.is_chosen, now)
        kept = set(allowed)
        held_back = tuple(i for i in due if i not in kept)
        if len(held_back) != len(self.held_back):
            log.info("matches_held_back", count=len(held_back), limit=limit)
        self.held_back = held_back
        before, self.chosen_held_back = set(self.chosen_held_back), tuple(i for i in held_back if self.is_chosen(i))
        # Once for each, for as long as it is held back: this runs every second.
        new = [fixture for i in self.chosen_held_back if i not in before and (fixture := self.fixtures.find(i))]
        if new and self.on_held_back:
            try:
                self.on_held_back(new)
            except Exception as error:
                # That chats are not told of a match that waits must not keep the others from being followed.
                log.exception("held_back_not_reported", count=len(new), reason=repr(error))
        return allowed

    def _start(self, fixture_id: str) -> None:
        """Follow a fixture in a task of its own, unless it is followed already or no longer listed."""
        fixture = self.fixtures.find(fixture_id)
        if fixture is None or fixture_id in self._following:
            return
        task = asyncio.create_task(self._follow_and_log(fixture), name=f"follow {fixture_id}")
        self._following[fixture_id] = task

        def on_done(_: asyncio.Task[None]) -> None:
            self._following.pop(fixture_id, None)
            self._changed.set()  # to follow it again if it failed

        task.add_done_callback(on_done)

    async def _follow_and_log(self, fixture: Fixture) -> None:
        """Follow a fixture to its end. Any error is logged and ends only this match, which is then followed again."""
        log.info("following", fixture=fixture.id, match=fixture.title)
        try:
            await self._follow(fixture)
        except Exception as error:
            log.exception("following_failed", fixture=fixture.id, match=fixture.title, reason=repr(error))
            await asyncio.sleep(FOLLOW_RETRY_DELAY)
            return
        self._over[fixture.id] = self._clock.monotonic()
        self._reopened.discard(fixture.id)
        log.info("match_over", fixture=fixture.id, match=fixture.title)
