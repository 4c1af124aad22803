"""Keeps the list of fixtures fresh: reads it whole at its interval and single fixtures in between, and reports what changed."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from math import inf
from operator import itemgetter

import msgspec
import structlog

from bot.clock import Clock
from bot.config.models import ScheduleSettings
from bot.errors import FeedError, FeedNotOpen, FeedRefused
from bot.feed.source import FixtureSource
from bot.matches.connection_plan import LOOK_AHEAD, LOOK_BACK
from bot.matches.relistings import RelistingTracker
from bot.retry import Backoff, retry_while_database_unavailable
from bot.sharing import share_event_loop
from bot.storage.fixtures import FixtureStatusRepository, ListedStatus
from bot.subscribers import Subscription, list_subscription_keys
from rules.football.action import Fixture
from rules.football.statuses import find_status

log = structlog.get_logger()

POLL_EVERY = dt.timedelta(seconds=30)
"""The interval that the vendor recommends during live matches (feed documentation, section 1.4)."""


class FixtureList:
    """The fixtures that the feed lists, and what changes in them. Owned by a MatchScheduler."""

    def __init__(
        self,
        source: FixtureSource,
        subscriptions: Callable[[], Awaitable[Sequence[Subscription]]],
        settings: Callable[[], ScheduleSettings],
        clock: Clock,
        *,
        on_refused: Callable[[str], Awaitable[None]],
        on_accepted: Callable[[], Awaitable[None]] | None,
        on_update: Callable[[Fixture, Fixture], Awaitable[None]],
        on_changed: Callable[[], None],
        list_followed: Callable[[], Collection[str]],
        list_polled: Callable[[], Iterable[str]],
        statuses: FixtureStatusRepository | None = None,
        relistings: RelistingTracker | None = None,
    ) -> None:
        """Callbacks:

        - `subscriptions` returns those of all active chats;
        - `on_refused` gets the reason if the feed refuses the token, once; `on_accepted` is called when it accepts it again;
        - `on_update` gets a fixture before and after its status or its coverage changed;
        - `on_changed` is called after an answer was taken over;
        - `list_followed` returns the ids of fixtures that stay known although the feed lists them no more;
        - `list_polled` returns those that are fetched one by one, between two reads of the whole list.

        `relistings` tells what else changes in the list: kick-off, venue, teams and fixtures that are gone.
        `statuses` remembers statuses over a restart, so that a change in between reaches `on_update` too.
        """
        self._source, self._subscriptions, self._settings, self._clock = source, subscriptions, settings, clock
        self._on_refused, self._on_accepted = on_refused, on_accepted
        self._on_update, self._on_changed = on_update, on_changed
        self._list_followed, self._list_polled = list_followed, list_polled
        self._statuses, self._relistings = statuses, relistings
        self.by_id: dict[str, Fixture] = {}
        self._by_kickoff: tuple[Fixture, ...] = ()
        self._last_list: frozenset[str] = frozenset()
        """The ids of the last whole list."""
        self._stored_statuses: Mapping[str, ListedStatus] | None = None
        """What an earlier process stored; None until it is read, at the first refresh."""
        self._applying = asyncio.Lock()
        self._refresh_now = asyncio.Event()
        self._refusal = ""
        self.unfinished: set[str] = set()
        """Matches that an earlier process left in the middle. They are fetched by their ids if they are too old for the list."""
        self.on_refreshed: Callable[[], None] | None = None
        """Called after the whole list was read."""
        self.refreshed_at: dt.datetime | None = None
        self.refresh_failure = ""
        """Why the list could not be read the last time; empty if it could."""

    def list_by_kickoff(self) -> tuple[Fixture, ...]:
        """Return the fixtures that the feed lists, by kick-off."""
        return self._by_kickoff

    def find(self, fixture_id: str) -> Fixture | None:
        """Return a fixture as it is listed now; None if it is not listed, or no more."""
        return self.by_id.get(fixture_id)

    def request_refresh(self) -> None:
        """Read the list at once: the machine slept, or its clock was set."""
        self._refresh_now.set()

    async def load(self) -> None:
        """Read the list for the first time, however long that takes."""
        backoff = Backoff(1.0, 60.0)
        while True:
            if await _run_round(self.refresh):
                return
            await asyncio.sleep(backoff.next())

    async def keep_fresh(self) -> None:
        """Read the whole list at its interval until cancelled, and at once when that is requested."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings().refresh_fixtures_every.total_seconds()):
                    await self._refresh_now.wait()
            # Before the list is read: what is requested meanwhile needs another read.
            self._refresh_now.clear()
            await _run_round(self.refresh)

    async def keep_polling(self) -> None:
        """Fetch single fixtures at the interval that the vendor recommends, until cancelled."""
        while True:
            began = self._clock.monotonic()
            await _run_round(self.poll)
            passed = self._clock.monotonic() - began
            # With more than 150 fixtures a round takes longer than the interval: at five requests a second.
            await asyncio.sleep(max(1.0, POLL_EVERY.total_seconds() - passed))

    async def refresh(self) -> bool:
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
        await self._apply(fetched)
        await self._look_for_missing(fetched, today)
        await self._fetch_unfinished()
        log.info("fixtures_refreshed", count=len(fetched))
        if self.on_refreshed:
            self.on_refreshed()
        return True

    def _has_fixtures_ahead(self) -> bool:
        """Return True if a fixture is known that is still to be played, or in play, so that a list without any is not right."""
        now = self._clock.now()
        return any(
            fixture.is_live or (fixture.kickoff is not None and fixture.kickoff > now)
            for fixture in self.by_id.values()
            if not fixture.is_deleted and not fixture.is_over
        )

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
            await self._apply([fixture], is_whole_list=False)

    async def _fetch_unfinished(self) -> None:
        self.unfinished -= self.by_id.keys()
        for fixture_id in sorted(self.unfinished):
            try:
                fixture = await self._source.fetch_fixture(fixture_id)
            except FeedNotOpen:
                log.info("fixture_gone", fixture=fixture_id)
                self.unfinished.discard(fixture_id)
            except FeedError as error:
                log.warning("fixture_not_found", fixture=fixture_id, reason=str(error))
            else:
                self.unfinished.discard(fixture_id)
                await self._apply([fixture], is_whole_list=False)

    async def poll(self) -> None:
        """Fetch each fixture that is being followed, or begins soon."""
        # Coverage that is dropped before kick-off is reported by the REST side alone (feed documentation, section 10.1).
        for fixture_id in self._list_polled():
            try:
                fixture = await self._source.fetch_fixture(fixture_id)
            except FeedError as error:
                log.warning("fixture_not_polled", fixture=fixture_id, reason=str(error))
                continue
            if self.by_id.get(fixture_id) != fixture:
                await self._apply([fixture], is_whole_list=False)

    async def _apply(self, fetched: Sequence[Fixture], *, is_whole_list: bool = True) -> None:
        """Take over fixtures, and report changes of status and coverage. `is_whole_list`: no others are listed."""
        # One list after the other: other work runs in between, and an older list must not be put over a newer poll.
        async with self._applying:
            before = self.by_id
            changed, fresh, relisted, applied = [], [], [], {}
            async for answered in share_event_loop(fetched):
                new = _complete(answered, before.get(answered.id))
                known = await self._find_previous(new)
                if known and (known.status, known.collection_status) != (new.status, new.collection_status):
                    changed.append((known, new))
                if new.id not in before:
                    fresh.append(new)
                # Compare only fixtures that were read in this answer; carried-over objects were compared last time.
                if before.get(new.id) is not new:
                    relisted.append(new)
                # An unchanged fixture stays the same object: what was worked out for it is then valid, as it is for an unchanged
                # list.
                applied[new.id] = before[new.id] if before.get(new.id) == new else new
            stays: Collection[str] = before
            if is_whole_list:
                # A match that is followed stays known after it has left the list, as one does that lasts until the day after
                # tomorrow. Any other stays for one list more: one that a single list forgets may have to be connected before the
                # next one comes.
                stays = {*self._list_followed(), *self._last_list}
                self._last_list = frozenset(applied)
            self.by_id = {fixture_id: before[fixture_id] for fixture_id in stays if fixture_id in before} | applied
            await self._sort_by_kickoff()
            for known, new in changed:
                await self._on_update(known, new)
            # Stored after the callbacks: after a kill in between, the next process reports the change again, and the outbox
            # knows the news by its key.
            if statuses := self._statuses:
                await retry_while_database_unavailable(lambda: statuses.save([*fresh, *(new for _, new in changed)]))
            if self._relistings:
                # After the changes of status: of a match that is postponed to a new date, chats get "postponed" first.
                await self._relistings.compare(relisted)
        self._on_changed()

    async def _sort_by_kickoff(self) -> None:
        # The keys of twenty thousand fixtures are made a little at a time; sorting by them is quick then.
        keyed = [
            ((fixture.kickoff.timestamp() if fixture.kickoff else inf, fixture.title), fixture)
            async for fixture in share_event_loop(self.by_id.values())
        ]
        keyed.sort(key=itemgetter(0))
        listed = tuple(fixture for _, fixture in keyed)
        # An unchanged list stays the same object, by which others know that what they made of it still holds.
        if listed != self._by_kickoff:
            self._by_kickoff = listed

    async def _find_previous(self, fixture: Fixture) -> Fixture | None:
        """Return the fixture as it was listed before, in this process or an earlier one; None for a new one."""
        if self._stored_statuses is None:
            self._stored_statuses = await retry_while_database_unavailable(self._statuses.get_all) if self._statuses else {}
        if known := self.by_id.get(fixture.id):
            return known
        before = self._stored_statuses.get(fixture.id)
        if before is None:
            return None
        return msgspec.structs.replace(fixture, status=before.status, collection_status=before.collection_status)


async def _run_round(work: Callable[[], Awaitable[object]]) -> bool:
    """Do one round of repeated work; return True if it succeeded and returned something true.

    An error is logged and does not stop the matches that are followed.
    """
    try:
        return bool(await work())
    except Exception as error:
        log.exception("schedule_failed", reason=repr(error))
        return False


def _complete(fixture: Fixture, before: Fixture | None) -> Fixture:
    """Return the fixture with what the answer before had of it and this one leaves out: teams, competition, kick-off.

    Otherwise the match would not be connected, or not matched to subscriptions. A postponed match really has no kick-off, so
    its kick-off is not restored.
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
