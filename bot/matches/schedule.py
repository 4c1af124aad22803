"""Keeps the list of fixtures fresh, and follows each fixture of the plan (`connection_plan`) when its time has come."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from math import inf
from operator import itemgetter

import msgspec
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.clock import Clock
from bot.config.models import ScheduleSettings
from bot.errors import FeedError, FeedRefused
from bot.feed.source import FixtureSource
from bot.matches.connection_plan import LOOK_AHEAD, LOOK_BACK, PlannedConnection, find_connect_time, make_ranking, order_ranked
from bot.matches.relistings import RelistingTracker
from bot.retry import Backoff, retry_while_database_unavailable
from bot.sharing import share_event_loop
from bot.storage.fixtures import FixtureStatusRepository, ListedStatus
from bot.subscribers import Scope, Subscription, list_subscription_keys
from rules.football.action import Fixture
from rules.football.statuses import find_status

log = structlog.get_logger()

POLL_LIVE_EVERY = dt.timedelta(seconds=30)
"""The interval that the vendor recommends during live matches (feed documentation, section 1.4)."""

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

LONGEST_MATCH = dt.timedelta(hours=3)
"""How long a match may last, with extra time, penalties and what its feed corrects after the end."""

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
        - `on_refused` gets the reason if the feed refuses the token, once; `on_accepted` is called when it accepts it again;
        - `on_update` gets a fixture before and after its status or its coverage changed;
        - `find_unfinished` returns the ids of matches that an earlier process left in the middle. They are followed to their end
          even if they are over by now;
        - `max_matches` returns how many matches may be followed at the same time, and None if that is not limited.

        `relistings` tells what else changes in the list: kick-off, venue, teams and fixtures that are gone.
        `fixture_statuses` remembers statuses over a restart, so that a change in between reaches `on_update` too.
        """
        self._source, self._subscriptions, self._follow = source, subscriptions, follow
        self._settings, self._clock = settings, clock
        self._on_refused, self._on_update, self._on_accepted = on_refused, on_update, on_accepted
        self._fixture_statuses = fixture_statuses
        self._find_unfinished = find_unfinished
        self._relistings, self._max_matches = relistings, max_matches
        self.held_back: tuple[str, ...] = ()
        """The matches that are due and wait until one that is followed ends: so many may be followed at the same time."""
        self.chosen_held_back: tuple[str, ...] = ()
        """Those of them that some chat follows by match, team or competition."""
        self.on_held_back: Callable[[Collection[Fixture]], None] | None = None
        """Called with the matches that are held back from now on and that some chat has chosen."""
        self._unfinished: Collection[str] = ()
        self._stored_statuses: Mapping[str, ListedStatus] | None = None
        """What an earlier process stored; None until it is read, at the first refresh."""
        # By default APScheduler drops a job that is more than a second late: a laptop that sleeps over the time to connect, or
        # a busy moment, would leave a match to the next refresh.
        self._jobs = AsyncIOScheduler(timezone=dt.UTC, job_defaults={"misfire_grace_time": None})
        self._fixtures: dict[str, Fixture] = {}
        self._listed: tuple[Fixture, ...] = ()
        self._last_list: frozenset[str] = frozenset()
        """The ids of the last whole list."""
        self._subscription_keys: dict[str, tuple[Fixture, frozenset[tuple[Scope, str]]]] = {}
        """By fixture, and for the fixture as it was then: they are asked for at each plan."""
        self._planned: dict[str, PlannedConnection] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self._over: dict[str, float] = {}
        """Followed to the end by this process, by when that was on the monotonic clock."""
        self._reopened: set[str] = set()
        """Listed as live again after they had been listed as over; until they are read to their end once more."""
        self._subscribed: Sequence[Subscription] = ()
        self._chosen_keys: frozenset[tuple[Scope, str]] = frozenset()
        """What chats follow by its name or id, and not with everything alone."""
        self._started_since, self._started = float("-inf"), 0
        """The beginning of the second in which so many matches began to be followed, on the monotonic clock."""
        self._alarm: dt.datetime | None = None
        self._applying = asyncio.Lock()
        self._changed = asyncio.Event()
        self._refresh_now = asyncio.Event()
        self._refusal = ""
        self.on_refreshed: Callable[[], None] | None = None
        """Called after the whole list was read."""
        self.retry_after = FOLLOW_RETRY_DELAY
        self.refreshed_at: dt.datetime | None = None
        self.refresh_failure = ""

    def list_fixtures(self) -> tuple[Fixture, ...]:
        """Return the fixtures that the feed lists, by kick-off."""
        return self._listed

    def find_fixture(self, fixture_id: str) -> Fixture | None:
        """Return a fixture as it is listed now; None if it is not listed, or no more."""
        return self._fixtures.get(fixture_id)

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
        self._jobs.start()
        helpers: list[asyncio.Task[None]] = []
        try:
            self._unfinished = await retry_while_database_unavailable(self._find_unfinished) if self._find_unfinished else ()
            # Until there is a list, nothing can be followed.
            backoff = Backoff(1.0, 60.0)
            while True:
                if await self._refresh():
                    break
                await asyncio.sleep(backoff.next())
            # Not jobs: their intervals would go by the wall clock, and stand still for an hour if it is set back by one.
            helpers += [asyncio.create_task(work) for work in (self._keep_fresh(), self._keep_polling(), self._watch_clocks())]
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
            self._jobs.shutdown(wait=False)
            followers = list(self._following.values())
            for task in followers:
                task.cancel()
            await asyncio.gather(*followers, return_exceptions=True)

    async def _refresh(self) -> bool:
        """Fetch and apply the list of fixtures. Return False if it could not be fetched."""
        today = self._clock.now().date()
        try:
            fetched = await self._source.fetch_fixtures(today - LOOK_BACK, today + LOOK_AHEAD)
        except FeedRefused as error:
            if str(error) != self._refusal:
                self._refusal = str(error)
                await self._on_refused(self._refusal)
            return False
        except FeedError as error:
            log.warning("fixtures_not_refreshed", reason=str(error))
            self.refresh_failure = str(error)
            return False
        if self._refusal:
            self._refusal = ""
            if self._on_accepted:
                await self._on_accepted()
        if not fetched and self._has_fixtures_ahead():
            # More likely a fault of the feed than a sport without matches. Those that are gone are found by their ids.
            self.refresh_failure = "the feed lists no fixtures any more; those that were listed are kept"
            log.warning("fixtures_not_refreshed", reason=self.refresh_failure)
            await self._look_for_missing(fetched, today)
            return False
        self.refreshed_at, self.refresh_failure = self._clock.now(), ""
        await self._apply_fixtures(fetched)
        await self._look_for_missing(fetched, today)
        log.info("fixtures_refreshed", count=len(fetched))
        if self.on_refreshed:
            self.on_refreshed()
        return True

    def _has_fixtures_ahead(self) -> bool:
        """Return True if a fixture is known that is still to be played, or in play, so that a list without any is not right."""
        now = self._clock.now()
        return any(
            fixture.is_live or (fixture.kickoff is not None and fixture.kickoff > now)
            for fixture in self._fixtures.values()
            if not fixture.is_deleted and not fixture.is_over
        )

    async def _keep_fresh(self) -> None:
        """Refresh the list at its interval, and at once after the clocks stepped."""
        while True:
            self._refresh_now.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings().refresh_fixtures_every.total_seconds()):
                    await self._refresh_now.wait()
            await self._try(self._refresh)

    async def _keep_polling(self) -> None:
        """Fetch each fixture that is being followed, at the interval that the vendor recommends."""
        while True:
            began = self._clock.monotonic()
            await self._try(self._poll_live)
            passed = self._clock.monotonic() - began
            await asyncio.sleep(max(1.0, POLL_LIVE_EVERY.total_seconds() - passed))

    async def _watch_clocks(self) -> None:
        """Follow what is due, and plan anew at once where the machine slept or its clock was set."""
        wall, monotonic = self._clock.now(), self._clock.monotonic()
        while True:
            await asyncio.sleep(CLOCK_CHECK_INTERVAL)
            passed, ticked = self._clock.now() - wall, self._clock.monotonic() - monotonic
            wall, monotonic = wall + passed, monotonic + ticked
            if abs(step := passed.total_seconds() - ticked) > _MAX_CLOCK_STEP:
                log.info("clock_stepped", seconds=round(step, 1))
                self._refresh_now.set()
                self._changed.set()
            self._start_due()

    async def _try(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do one round of repeated work. An error is logged and does not stop the matches that are followed."""
        try:
            await work()
        except Exception as error:
            log.exception("schedule_failed", reason=repr(error))

    async def _look_for_missing(self, fetched: Sequence[Fixture], today: dt.date) -> None:
        """Fetch by id the followed fixtures that the list no longer has, because they were moved far or are gone."""
        if self._relistings is None:
            return
        subscriptions = await retry_while_database_unavailable(self._subscriptions)
        wanted = {(one.scope, one.key) for one in subscriptions}
        # The days that the list covers in every time zone.
        first = dt.datetime.combine(today, dt.time(), dt.UTC)
        window = (first - dt.timedelta(hours=12), first + LOOK_AHEAD - dt.timedelta(days=1))
        found = await self._relistings.find_missing(
            fetched, window, lambda fixture: not wanted.isdisjoint(list_subscription_keys(fixture))
        )
        for fixture in found:
            await self._apply_fixtures([fixture], is_whole_list=False)

    def _list_near(self) -> list[str]:
        """Return the fixtures that are followed, and those planned whose kick-off is so near that it may be moved at any time."""
        soon = self._clock.now() + POLL_BEFORE_KICKOFF
        near = [i for i in self._planned if (fixture := self._fixtures.get(i)) and fixture.kickoff and fixture.kickoff <= soon]
        return [*self._following, *near]

    async def _poll_live(self) -> None:
        """Fetch each fixture that is being followed, or begins soon."""
        # Coverage that is dropped before kick-off is reported by the REST side alone (feed documentation, section 10.1).
        for fixture_id in self._list_near():
            try:
                fixture = await self._source.fetch_fixture(fixture_id)
            except FeedError as error:
                log.warning("fixture_not_polled", fixture=fixture_id, reason=str(error))
                continue
            if self._fixtures.get(fixture_id) != fixture:
                await self._apply_fixtures([fixture], is_whole_list=False)

    async def _apply_fixtures(self, fetched: Sequence[Fixture], *, is_whole_list: bool = True) -> None:
        """Take over fixtures, report changes of status and coverage, and plan again. `is_whole_list`: no others are listed."""
        # One list after the other: other work runs in between, and an older list must not be put over a newer poll.
        async with self._applying:
            before = self._fixtures
            changed, fresh, relisted, applied = [], [], [], {}
            async for answered in share_event_loop(fetched):
                new = _complete(answered, before.get(answered.id))
                known = await self._find_previous(new)
                if known and (known.status, known.collection_status) != (new.status, new.collection_status):
                    changed.append((known, new))
                if new.id not in before:
                    fresh.append(new)
                # Those of this answer: what is only kept from the one before has been compared.
                if before.get(new.id) is not new:
                    relisted.append(new)
                # An unchanged fixture stays the same object: what was worked out for it is then valid, as it is for an unchanged
                # list.
                applied[new.id] = before[new.id] if before.get(new.id) == new else new
            stays = self._take_over_list(applied) if is_whole_list else before
            self._fixtures = {fixture_id: before[fixture_id] for fixture_id in stays if fixture_id in before} | applied
            await self._list_by_kickoff()
            for known, new in changed:
                if new.is_live:
                    # Its coverage was dropped and has come back, or its end was a mistake.
                    self._over.pop(new.id, None)
                    if known.is_over:
                        self._reopened.add(new.id)
                await self._on_update(known, new)
            # Stored after the callbacks: after a kill in between, the next process reports the change again, and the outbox
            # knows the news by its key.
            if statuses := self._fixture_statuses:
                await retry_while_database_unavailable(lambda: statuses.save([*fresh, *(new for _, new in changed)]))
            if self._relistings:
                # After the changes of status: of a match that is postponed to a new date, chats get "postponed" first.
                await self._relistings.compare(relisted)
        self._changed.set()

    def _take_over_list(self, ids: Iterable[str]) -> Collection[str]:
        """Note what a new whole list has; return the ids of what stays known beside that."""
        # A match that is followed stays known after it has left the list, as one does that lasts until the day after tomorrow.
        # Any other stays for one list more: one that a single list forgets may have to be connected before the next one comes.
        stays = {*self._following, *self._last_list}
        self._last_list = frozenset(ids)
        return stays

    async def _list_by_kickoff(self) -> None:
        keyed = [
            ((fixture.kickoff.timestamp() if fixture.kickoff else inf, fixture.title), fixture)
            async for fixture in share_event_loop(self._fixtures.values())
        ]
        keyed.sort(key=itemgetter(0))
        listed = tuple(fixture for _, fixture in keyed)
        if listed != self._listed:
            self._listed = listed

    async def _find_previous(self, fixture: Fixture) -> Fixture | None:
        """Return the fixture as it was listed before, in this process or an earlier one; None for a new one."""
        if self._stored_statuses is None:
            self._stored_statuses = (
                await retry_while_database_unavailable(self._fixture_statuses.get_all) if self._fixture_statuses else {}
            )
        if known := self._fixtures.get(fixture.id):
            return known
        before = self._stored_statuses.get(fixture.id)
        if before is None:
            return None
        return msgspec.structs.replace(fixture, status=before.status, collection_status=before.collection_status)

    async def _replan(self) -> None:
        """Compare what is planned and followed with what the fixtures and subscriptions want now, and change the difference."""
        self._subscribed = await self._subscriptions()
        self._chosen_keys = frozenset((one.scope, one.key) for one in self._subscribed if one.scope is not Scope.ALL)
        self._subscription_keys = {i: known for i, known in self._subscription_keys.items() if i in self._fixtures}
        lead = self._settings().connect_before_kickoff
        rank = make_ranking(self._subscribed, self._clock.now(), lead, self._keys_of)
        ranked = [one async for fixture in share_event_loop(self._fixtures.values()) if (one := rank(fixture))]
        wanted = order_ranked(ranked)
        # A match that no chat follows any more is followed to its end: its alerts may have to be corrected.
        for fixture_id in [i for i in self._following if self._is_cancelled(i)]:
            log.info("fixture_dropped", fixture=fixture_id, status=self._fixtures[fixture_id].status)
            self._following[fixture_id].cancel()
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
        fixture = self._fixtures.get(fixture_id)
        return fixture is not None and not self._chosen_keys.isdisjoint(self._keys_of(fixture))

    def _is_read(self, fixture_id: str) -> bool:
        """Return True if there is nothing more to read of a match: it was read to its end, and is not listed as live still.

        Whatever its stream said, one that is listed as live is read again: it may go on, and the outbox knows what was sent.
        """
        over_at = self._over.get(fixture_id)
        if over_at is None:
            return False
        fixture = self._fixtures.get(fixture_id)
        return fixture is None or not fixture.is_live or self._clock.monotonic() - over_at < REOPEN_DELAY

    def _is_cancelled(self, fixture_id: str) -> bool:
        """Return True for a fixture that is cancelled, postponed or deleted. One that was played ends by itself."""
        fixture = self._fixtures.get(fixture_id)
        # One that was deleted is closed by its follower, which makes the alert first.
        if fixture is None or self._is_played(fixture_id) or (fixture.is_deleted and self._relistings):
            return False
        return find_connect_time(fixture, self._clock.now(), self._settings().connect_before_kickoff) is None

    def _is_played(self, fixture_id: str) -> bool:
        """Return True if the match was played at least in part and is over, so that there is something to read."""
        fixture = self._fixtures.get(fixture_id)
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
        """Follow what is due, the most urgent first, and set the alarm for what is due next."""
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
        held = set(self.held_back)
        alarm = min((planned.at for i, planned in self._planned.items() if i not in held), default=None)
        # Not again for the same instant: by the library's clock, which is the machine's, it may have passed already.
        if alarm and alarm != self._alarm:
            self._alarm = alarm
            self._jobs.add_job(self._on_due, "date", run_date=alarm, id="connect", replace_existing=True)

    def _hold_back(self, due: Sequence[str], now: dt.datetime) -> Sequence[str]:
        """Return those of the due matches that may be followed, in their order, and note the others as held back.

        Matches that chats have chosen come first. Places are kept for those of them that begin while a match would be played,
        since one that is followed is never cut off for another.
        """
        limit = self._max_matches()
        chosen = due if limit is None else [i for i in due if self.is_chosen(i)]
        others: Sequence[str] = ()
        if limit is not None:
            room = max(0, limit - len(self._following))
            known, until = {*due, *self._following}, now + LONGEST_MATCH
            soon = sum(plan.at <= until and i not in known and self.is_chosen(i) for i, plan in self._planned.items())
            by_choice = set(chosen)
            others = [i for i in due if i not in by_choice][: max(0, room - len(chosen) - soon)]
            chosen = chosen[:room]
        kept = {*chosen, *others}
        held_back = tuple(i for i in due if i not in kept)
        if len(held_back) != len(self.held_back):
            log.info("matches_held_back", count=len(held_back), limit=limit)
        self.held_back = held_back
        before, self.chosen_held_back = set(self.chosen_held_back), tuple(i for i in held_back if self.is_chosen(i))
        new = [self._fixtures[i] for i in self.chosen_held_back if i not in before and i in self._fixtures]
        if new and self.on_held_back:
            self.on_held_back(new)
        return [*chosen, *others]

    async def _on_due(self) -> None:
        # A coroutine, although it awaits nothing: the scheduler would run a plain function in a thread.
        self._start_due()

    def _start(self, fixture_id: str) -> None:
        """Follow a fixture in a task of its own, unless it is followed already or no longer listed."""
        fixture = self._fixtures.get(fixture_id)
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
            await asyncio.sleep(self.retry_after)
            return
        self._over[fixture.id] = self._clock.monotonic()
        self._reopened.discard(fixture.id)
        log.info("match_over", fixture=fixture.id, match=fixture.title)


def _complete(fixture: Fixture, before: Fixture | None) -> Fixture:
    """Return the fixture with what the answer before had of it and this one leaves out: teams, competition, kick-off.

    Without them it would not be connected, or not for those who follow its teams. One that was put off has no kick-off indeed.
    """
    if before is None:
        return fixture
    kept: dict[str, object] = {}
    if not (fixture.home.name or fixture.away.name):
        kept |= {"home": before.home, "away": before.away, "name": fixture.name or before.name}
    if not fixture.competition.name:
        kept["competition"] = before.competition
    if fixture.kickoff is None and not fixture.is_over and not find_status(fixture.status).is_lost:
        kept |= {"kickoff": before.kickoff, "is_kickoff_known": before.is_kickoff_known}
    return msgspec.structs.replace(fixture, **kept) if kept else fixture
