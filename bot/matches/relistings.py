"""Compares each list of fixtures with what chats know, so that each change is reported once across restarts and processes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Collection, Sequence

import msgspec
import structlog

from bot.errors import FeedError, FeedNotOpen
from bot.retry import retry_while_database_unavailable
from bot.sharing import share_event_loop
from bot.storage.fixtures import FixtureListingRepository, StoredListing
from bot.subscribers import Scope, Subscription, make_name_key
from rules.football.action import Fixture, Team
from rules.football.relisting import Relisting, compare_listing, find_successor, list_replaced_teams

log = structlog.get_logger()

LISTS_WITHOUT = 2
"""Lists in a row without a fixture, after which the feed is asked for it by its id."""

OnRelisted = Callable[[Fixture, Relisting, int], Awaitable[bool]]
"""Makes the alerts of a fixture's changes; chats know it as the first argument, and the number goes into the alerts' keys.

Returns False if that is another process's to do.
"""

OnIdentityChange = Callable[[Scope, Collection[str], Subscription], Awaitable[object]]
"""Moves the subscriptions to something from its old keys to what it is now."""


class RelistingTracker:
    """Compares each list of fixtures with what chats know. One per scheduler."""

    def __init__(
        self,
        listings: FixtureListingRepository,
        on_relisted: OnRelisted,
        on_identity_change: OnIdentityChange,
        fetch_fixture: Callable[[str], Awaitable[Fixture]],
    ) -> None:
        self._listings, self._fetch_fixture = listings, fetch_fixture
        self._on_relisted, self._on_identity_change = on_relisted, on_identity_change
        self._known: dict[str, StoredListing] | None = None
        self._absent: dict[str, int] = {}
        self._listed_before: dict[str, frozenset[str]] = {}
        """By fixture that is missing, the ids of the last list that had it."""
        self._last_ids: frozenset[str] = frozenset()

    async def compare(self, listed: Sequence[Fixture]) -> None:
        """Report what changed in these fixtures, and store what chats know afterwards."""
        if self._known is None:
            self._known = await retry_while_database_unavailable(self._listings.get_all)
        fresh = [StoredListing(fixture) for fixture in listed if fixture.id not in self._known]
        for listing in fresh:
            self._known[listing.fixture.id] = listing
        # A fixture that is listed for the first time is no news: it is what later changes are compared with.
        await retry_while_database_unavailable(lambda: self._listings.save(fresh))
        async for fixture in share_event_loop(listed):
            known = self._known[fixture.id]
            # By what is in memory first: nearly no fixture has changed, and a query for each would be thousands.
            if compare_listing(known.fixture, fixture) != Relisting(known.fixture):
                await self._report(fixture)

    async def _report(self, now: Fixture) -> None:
        assert self._known is not None  # noqa: S101  (compare has read it)
        # Read again from the database: another process may have reported the change meanwhile.
        stored = await retry_while_database_unavailable(lambda: self._listings.get(now.id))
        known = stored or self._known[now.id]
        relisting = compare_listing(known.fixture, now)
        revision = known.revision + bool(relisting.changes)
        # Before the report, so that chats that follow a placeholder get it as well.
        for old, new in list_replaced_teams(known.fixture, now):
            await self._move_team(now.id, old, new)
        if relisting.changes and not await self._on_relisted(known.fixture, relisting, revision):
            return
        # Stored after the report: after a kill in between it is reported again, with the same keys.
        self._known[now.id] = StoredListing(relisting.after, revision)
        await retry_while_database_unavailable(lambda: self._listings.save([StoredListing(relisting.after, revision)]))

    async def _move_team(self, fixture_id: str, old: Team, new: Team) -> None:
        """Let chats that follow a placeholder follow its team, unless other fixtures have the same placeholder."""
        others = (known.fixture for known in (self._known or {}).values() if known.fixture.id != fixture_id)
        if any(team.name == old.name for other in others if not other.is_over for team in (other.home, other.away)):
            return
        subscription = Subscription(Scope.TEAM, new.id or make_name_key(new.name), new.name)
        keys = [key for key in (old.id, make_name_key(old.name)) if key and key != subscription.key]
        await self._on_identity_change(Scope.TEAM, keys, subscription)

    async def find_missing(
        self, listed: Sequence[Fixture], window: tuple[dt.datetime, dt.datetime], is_followed: Callable[[Fixture], bool]
    ) -> list[Fixture]:
        """Return the fixtures that a whole list should have and has not, as the feed has them by their ids.

        One that the feed does not have by its id either is returned as deleted, or followed under its new id. `window` is the
        time that the list covers.
        """
        ids = frozenset(fixture.id for fixture in listed)
        found: list[Fixture] = []
        async for known in share_event_loop(list((self._known or {}).values())):
            fixture = known.fixture
            is_expected = fixture.kickoff is not None and window[0] <= fixture.kickoff < window[1]
            if fixture.id in ids or not is_expected or fixture.is_deleted or fixture.is_over or not is_followed(fixture):
                self._absent.pop(fixture.id, None)
                continue
            if fixture.id not in self._absent:
                self._listed_before[fixture.id] = self._last_ids
            # A single list may forget a fixture: see FixtureList.
            self._absent[fixture.id] = self._absent.get(fixture.id, 0) + 1
            if self._absent[fixture.id] < LISTS_WITHOUT:
                continue
            try:
                found.append(await self._fetch_fixture(fixture.id))
            except FeedNotOpen:
                found += await self._follow_successor(fixture, listed)
                self._absent.pop(fixture.id, None)
            except FeedError as error:
                log.warning("fixture_not_found", fixture=fixture.id, reason=str(error))
        self._last_ids = ids
        return found

    async def _follow_successor(self, gone: Fixture, listed: Sequence[Fixture]) -> list[Fixture]:
        """Return the fixture that is gone as a deleted one; nothing if it has another id now."""
        assert self._known is not None  # noqa: S101  (compare has read it)
        successor = find_successor(gone, listed, self._listed_before.pop(gone.id, frozenset()))
        if successor is None:
            log.info("fixture_gone", fixture=gone.id, match=gone.title)
            return [msgspec.structs.replace(gone, is_deleted=True)]
        log.info("fixture_renamed", fixture=gone.id, now=successor.id, match=gone.title)
        await self._on_identity_change(Scope.MATCH, [gone.id], Subscription(Scope.MATCH, successor.id, successor.title))
        # Chats know of the new one what they know of the old one, so that a new date is found when both are compared.
        renamed = StoredListing(msgspec.structs.replace(gone, id=successor.id))
        closed = StoredListing(msgspec.structs.replace(gone, is_deleted=True))
        self._known |= {successor.id: renamed, gone.id: closed}
        await retry_while_database_unavailable(lambda: self._listings.save([renamed, closed]))
        await self.compare([successor])
        return []
