"""The role `feed`: makes its parts, from the schedule to the outbox, and ties them together."""

from __future__ import annotations

import datetime as dt

from bot.app.services import BackgroundWork, Services
from bot.clock import CorrectedClock
from bot.cluster.balance import name_fixture_lease, read_fixture_id
from bot.cluster.leased_work import run_while_leased
from bot.cluster.processes import ConnectionInfo
from bot.i18n.football import load_wordings
from bot.matches.follower import MatchFollower
from bot.matches.frame_log import FrameLog
from bot.matches.held_back import HeldBackNotices
from bot.matches.live_messages import LiveMessageUpdater
from bot.matches.pipeline import Pipeline
from bot.matches.relistings import RelistingTracker
from bot.matches.schedule import MatchScheduler
from bot.matches.snapshots import SnapshotStore
from bot.media.renderer import is_available
from bot.monitoring.health import FeedHealth
from bot.monitoring.status import describe_connection, render_connection
from bot.storage.fixtures import FixtureListingRepository, FixtureStatusRepository
from bot.storage.frames import FrameRepository
from rules.football.action import Fixture
from rules.football.match import Match
from rules.football.relisting import Relisting

_UNFINISHED_MAX_AGE = dt.timedelta(days=7)
"""How long ago an unfinished match may have been read last and still be followed to its end after a restart."""


class FeedWorker:
    """Follows matches: the schedule, the connections, and the pipeline from packets to alerts in the outbox."""

    def __init__(self, services: Services) -> None:
        self._services = services
        snapshots = SnapshotStore(services.positions)
        # Built from the outbox back to the feed: each part is given the next one on an alert's way.
        self.pipeline = Pipeline(services.config.rules, services.config.catalogue, services.outbox, snapshots, load_wordings())
        # Only the console shows frames.
        self._frame_log = FrameLog(FrameRepository(services.database)) if services.config.http.console else None
        self.follower = self._build_follower()
        self.scheduler = self._build_scheduler()
        # What chats are sent beside alerts.
        self.live_messages = LiveMessageUpdater(
            self.pipeline.matches_in_play,
            services.outbox,
            services.chats.has_live_message_chats,
            services.chats.list_table_languages,
            services.clock,
            can_draw=is_available(),
        )
        self._held_back_notices = HeldBackNotices(services.outbox, services.subscriptions, services.clock)
        self._connect_parts()
        self._report_to_monitor()

    def _build_follower(self) -> MatchFollower:
        """Make what reads one match from the feed, from its first packet to its last correction."""
        services, clock, on_change = self._services, self._services.clock, self._services.monitor.reported.on_change
        return MatchFollower(
            self.pipeline,
            lambda: services.config.feed,
            clock,
            # What is refused is in the connections' statuses, which the monitor reads: it only has to look soon.
            on_refused=on_change,
            on_accepted=on_change,
            fetch_actions=services.feed_api.fetch_actions,
            fetch_lineups=services.feed_api.fetch_lineups,
            recordings=services.last_matches,
            limiter=services.feed_limiter,
            on_live_packet=clock.on_live_packet if isinstance(clock, CorrectedClock) else None,
            was_telegram_down=services.api_health.has_failed_lately,
            is_chosen=lambda fixture_id: self.scheduler.is_chosen(fixture_id),
            frame_log=self._frame_log,
        )

    def _build_scheduler(self) -> MatchScheduler:
        """Make what reads the list of fixtures and decides which matches are followed, and from when."""
        services, clock, reported = self._services, self._services.clock, self._services.monitor.reported
        relistings = RelistingTracker(
            FixtureListingRepository(services.database, clock),
            self._on_relisted,
            services.subscriptions.move,
            services.feed_api.fetch_fixture,
        )
        return MatchScheduler(
            services.feed_api,
            services.subscriptions.get_active,
            self._follow,
            lambda: services.config.schedule,
            clock,
            on_refused=reported.on_feed_refused,
            on_accepted=reported.on_feed_accepted,
            on_update=self._on_fixture_updated,
            fixture_statuses=FixtureStatusRepository(services.database, clock),
            # Matches of the last week that an earlier process left in the middle.
            find_unfinished=lambda: services.positions.get_unfinished(clock.now() - _UNFINISHED_MAX_AGE),
            relistings=relistings,
            max_matches=lambda: services.config.limits.matches,
        )

    def _connect_parts(self) -> None:
        """Tie the parts to each other, to changes of rules, chats and settings, and to the processes that hand matches over."""
        services = self._services
        self.pipeline.on_over = self.live_messages.on_match_over
        if self._frame_log:
            self.pipeline.on_alerts = self._frame_log.on_alerts
        self.scheduler.on_held_back = self._held_back_notices.request
        services.on_rules_changed.append(self.pipeline.set_rules)
        services.on_chats_changed.append(self.scheduler.request_replan)
        services.on_settings_changed += [self.scheduler.request_replan, self.follower.reload]
        if services.lease_manager:
            requester = services.lease_manager.hand_over
            requester.prepare, requester.discard = self._prepare, lambda lease: self.follower.discard(read_fixture_id(lease))

    def _report_to_monitor(self) -> None:
        """Tell the monitor how the feed is: for health, metrics, `/status` and the console."""
        monitor = self._services.monitor
        monitor.feed = self._measure_health
        monitor.held_back = lambda: self.scheduler.chosen_held_back
        monitor.connection_lines = self._status_lines
        if self._services.config.http.console:
            monitor.list_connections = self._list_connections

    def background_work(self) -> tuple[BackgroundWork, ...]:
        """Return what has to run for as long as the process does."""
        keeping_frames = (self._frame_log.run(),) if self._frame_log else ()
        notices = self._held_back_notices.run()
        return self.scheduler.run(), self.follower.silence.run(), self.live_messages.run(), notices, *keeping_frames

    def fixtures(self) -> tuple[Fixture, ...]:
        """Return the fixtures that the feed lists, by kick-off."""
        return self.scheduler.fixtures.list_by_kickoff()

    def match(self, fixture_id: str) -> Match | None:
        """Return a match that is followed here as it stands; None for any other."""
        return self.pipeline.match(fixture_id)

    async def _follow(self, fixture: Fixture) -> None:
        """Follow a match while this process holds its lease. Every process waits for the leases of all matches."""

        async def follow() -> None:
            # As it is listed now: the lease may have come an hour after the fixture was read.
            await self.follower.follow(self.scheduler.fixtures.find(fixture.id) or fixture)

        try:
            await run_while_leased(
                self._services.leases,
                name_fixture_lease(fixture.id),
                follow,
                is_calm=lambda: self.follower.is_calm(fixture.id),
                is_reopened=self.scheduler.is_reopened(fixture.id),
            )
        finally:
            await self.follower.discard(fixture.id)

    async def _prepare(self, lease: str) -> bool:
        """Get ready to follow a match that another process hands over."""
        fixture = self.scheduler.fixtures.find(read_fixture_id(lease))
        return fixture is not None and await self.follower.prepare(fixture)

    async def _on_fixture_updated(self, before: Fixture, after: Fixture) -> None:
        # The process that follows a match makes the alerts of its changes, for it knows how the match stands. Of a match that
        # nobody follows, all processes make the same alert with the same key, and the outbox stores it once.
        if not self._services.leases.is_waiting_for(name_fixture_lease(after.id)):
            await self.follower.on_fixture_change(before, after)

    async def _on_relisted(self, known: Fixture, relisting: Relisting, revision: int) -> bool:
        # As for a change of status: the process that follows the match makes the alert. If none does, all make it, with one key.
        if self._services.leases.is_waiting_for(name_fixture_lease(relisting.after.id)):
            return False
        await self.follower.on_relisted(known, relisting, revision)
        return True

    def _status_lines(self) -> list[str]:
        now = self._services.clock.now()
        return [render_connection(status, self.match(status.fixture_id), now) for status in self.follower.connection_statuses()]

    def _list_connections(self) -> tuple[ConnectionInfo, ...]:
        titles = {fixture.id: fixture.title for fixture in self.scheduler.fixtures.list_by_kickoff()}
        return tuple(
            describe_connection(status, self.match(status.fixture_id), titles.get(status.fixture_id, ""))
            for status in self.follower.connection_statuses()
        )

    def _measure_health(self) -> FeedHealth:
        """Return the state of the feed, for the monitor."""
        scheduler, interval = self.scheduler, self._services.config.schedule.refresh_fixtures_every
        titles = {fixture.id: fixture.title for fixture in scheduler.fixtures.list_by_kickoff()}
        return FeedHealth(
            self.follower.connection_statuses(lags=False),
            titles,
            scheduler.fixtures.refreshed_at,
            interval,
            len(scheduler.planned_connections()),
            self._services.feed_api.fixtures_cut_at,
            len(scheduler.followed_ids()),
            scheduler.fixtures.refresh_failure,
            len(scheduler.held_back),
        )
