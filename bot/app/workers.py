"""One worker for each role: makes the parts of the role and ties the callbacks between packages, which only happens here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import structlog
from telegram import Update
from telegram.error import TelegramError
from telegram.ext import Application as TelegramApplication
from telegram.ext import ApplicationBuilder, CallbackContext

from bot.app.services import BackgroundWork, Services
from bot.chat.application import FORWARDED_COMMANDS, ROUTER, build_handlers, on_error, set_bot_description, set_command_menu
from bot.chat.features.admin_rules import build_admin_rules_handlers
from bot.chat.features.sample import sample_alert_text
from bot.chat.middleware import use_chat_language
from bot.chat.nicknames import Nicknames
from bot.chat.replies import ReplySender
from bot.chat.services import ChatServices, FixtureLookup
from bot.chat.update_order import WEBHOOK_SETTLE_TIME, UpdateOrder, UpdateRepository
from bot.chat.updates import UpdatePoller, WebhookServer, delete_webhook
from bot.clock import CorrectedClock
from bot.cluster.balance import name_fixture_lease, read_fixture_id
from bot.cluster.leased_work import run_while_leased
from bot.cluster.processes import ConnectionInfo
from bot.errors import StorageError
from bot.i18n.football import load_wordings
from bot.i18n.language import in_each_language
from bot.matches.follower import MatchFollower
from bot.matches.frame_log import FrameLog
from bot.matches.held_back import HeldBackNotices
from bot.matches.live_messages import LiveMessageUpdater
from bot.matches.pipeline import Pipeline
from bot.matches.relistings import RelistingTracker
from bot.matches.schedule import MatchScheduler
from bot.matches.season import SeasonFixtures
from bot.matches.snapshots import SnapshotStore
from bot.media.renderer import is_available, render_match
from bot.monitoring.delivery_log import DeliveryLog
from bot.monitoring.health import FeedHealth
from bot.monitoring.status import describe_connection, render_connection
from bot.outbox.explanation import explain_message
from bot.outbox.outbox import make_sample_alert
from bot.replay.dry_run import run_dry_run
from bot.storage.fixtures import FixtureListingRepository, FixtureStatusRepository
from bot.storage.frames import FrameRepository
from bot.subscribers import ChatRef
from bot.telegram.sender import Sender
from bot.telegram.shared_rate_limits import SharedRateLimiter
from bot.telegram.suspensions import SuspendedChatsCheck, SuspensionRepository
from rules.football.action import Fixture
from rules.football.match import Match
from rules.football.relisting import Relisting

_UNFINISHED_MAX_AGE = dt.timedelta(days=1)
"""How long ago an unfinished match may have been read last and still be followed to its end after a restart."""


class FeedWorker:
    """Follows matches: the schedule, the connections, and the pipeline from packets to alerts in the outbox."""

    def __init__(self, services: Services) -> None:
        self._services = services
        config, reported, clock = services.config, services.monitor.reported, services.clock
        self.pipeline = Pipeline(
            config.rules, config.catalogue, services.outbox, SnapshotStore(services.positions), load_wordings()
        )
        self.live_messages = LiveMessageUpdater(
            self.pipeline.matches_in_play, services.outbox, services.chats.has_live_message_chats, clock, can_draw=is_available()
        )
        self.pipeline.on_over = self.live_messages.on_match_over
        # Where nobody has a console, nobody asks for frames.
        self._frame_log = FrameLog(FrameRepository(services.database)) if config.http.console else None
        if self._frame_log:
            self.pipeline.on_alerts = self._frame_log.on_alerts
        self.follower = MatchFollower(
            self.pipeline,
            lambda: services.config.feed,
            clock,
            # What is refused is in the connections' statuses, which the monitor reads: it only has to look soon.
            on_refused=reported.on_change,
            on_accepted=reported.on_change,
            fetch_actions=services.feed_api.fetch_actions,
            fetch_lineups=services.feed_api.fetch_lineups,
            recordings=services.last_matches,
            limiter=services.feed_limiter,
            on_live_packet=clock.on_live_packet if isinstance(clock, CorrectedClock) else None,
            was_telegram_down=services.api_health.has_failed_lately,
            is_chosen=lambda fixture_id: self.scheduler.is_chosen(fixture_id),
            frame_log=self._frame_log,
        )
        self.scheduler = MatchScheduler(
            services.feed_api,
            services.subscriptions.get_active,
            self._follow,
            lambda: services.config.schedule,
            clock,
            reported.on_feed_refused,
            self._on_fixture_updated,
            reported.on_feed_accepted,
            FixtureStatusRepository(services.database, clock),
            # Matches of the last day that an earlier process left in the middle.
            lambda: services.positions.get_unfinished(clock.now() - _UNFINISHED_MAX_AGE),
            RelistingTracker(
                FixtureListingRepository(services.database, clock),
                self._on_relisted,
                services.subscriptions.move,
                services.feed_api.fetch_fixture,
            ),
            lambda: services.config.limits.matches,
        )
        self._held_back_notices = HeldBackNotices(services.outbox, services.subscriptions, clock)
        self.scheduler.on_held_back = self._held_back_notices.request
        if services.lease_manager:
            requester = services.lease_manager.hand_over
            requester.prepare, requester.discard = self._prepare, lambda lease: self.follower.discard(read_fixture_id(lease))
        services.monitor.feed = self._measure_health
        services.monitor.held_back = lambda: self.scheduler.chosen_held_back
        services.monitor.connection_lines = self._status_lines
        if config.http.console:
            services.monitor.list_connections = self._list_connections
        services.on_rules_changed.append(self.pipeline.set_rules)
        services.on_chats_changed.append(self.scheduler.request_replan)
        services.on_settings_changed += [self.scheduler.request_replan, self.follower.reload]

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


class SenderWorker:
    """Sends the deliveries of the outbox to Telegram."""

    def __init__(self, services: Services) -> None:
        self._services, self._delivery_log = services, DeliveryLog(services.clock, services.monitor.traffic)
        on_delivered = self._delivery_log.on_delivered
        self.sender = Sender(
            services.outbox.queue, services.messenger, services.rate_limiter, services.clock, on_delivered, services.chats
        )
        self.sender.on_skipped = self._delivery_log.on_skipped
        self.sender.on_text_refused = services.monitor.reported.on_text_refused
        self.sender.on_request_refused = services.monitor.reported.on_request_refused
        self.sender.on_payment_refused = services.monitor.reported.on_payment_refused
        self.sender.on_mass_refusal = services.monitor.reported.on_mass_refusal
        self._suspended_chats = SuspendedChatsCheck(
            SuspensionRepository(services.database), services.chats, services.messenger.check_chat, services.clock
        )
        services.monitor.backlog = self.sender.count_pending
        if isinstance(services.rate_limiter, SharedRateLimiter):
            # The sender sleeps until something may be sent: a larger share and new deliveries of other processes wake it.
            services.rate_limiter.on_more = self.sender.wake
        if services.paid_messages:
            services.paid_messages.on_reserved = self.sender.wake
        if services.shared_source:
            services.shared_source.on_available = self.sender.wake
            services.shared_source.on_recent_sends = self.sender.count_earlier_sends
        else:
            # A chat that was resumed or moved has deliveries that the queue in memory has dropped.
            services.on_chats_changed.append(services.outbox.queue.rescan)

    def background_work(self) -> tuple[BackgroundWork, ...]:
        """Return what has to run for as long as the process does."""
        paid = (self._services.paid_messages.run(),) if self._services.paid_messages else ()
        return *paid, self._send(), self._delivery_log.run(), self._suspended_chats.run()

    async def _send(self) -> None:
        """Run the sender; where several processes send, only while the others can see that this one is alive."""
        lease_manager, shared_source = self._services.lease_manager, self._services.shared_source
        if lease_manager is None or shared_source is None:
            await self.sender.run()
            return
        # A claim on a chat lasts as long as the lease of its process. Before there is one, others would take the chat over.
        await lease_manager.registered.wait()
        # Left only after the sender has stopped and stored all answers: then its chats are released to the other senders.
        async with shared_source.running():
            await self.sender.run()


log = structlog.get_logger()


_MAX_OPEN_UPDATES = 4096
"""The most updates in memory: those that are being handled, and those that wait for their chat's turn."""


class ChatWorker:
    """Receives updates from Telegram and answers them."""

    def __init__(
        self,
        services: Services,
        directory: FixtureLookup,
        status: Callable[[], Awaitable[str]],
        unknown_names: Callable[[], Awaitable[Sequence[str]]],
    ) -> None:
        """`directory` knows fixtures and matches; `status` returns the text of `/status`.

        `unknown_names` returns lines about names in the configuration that no fixture has, for `/rules`.
        """
        self._services, self._unknown_names = services, unknown_names
        # Updates come from our own poller or webhook server. A slow answer to one chat must not hold up the others, and many
        # updates of one chat, which wait for each other, must not take the places of all: `UpdateOrder` limits those at work.
        application = ApplicationBuilder().bot(services.bot).updater(None).job_queue(None).concurrent_updates(_MAX_OPEN_UPDATES)
        self._application: TelegramApplication[Any, Any, Any, Any, Any, Any] = application.build()
        lease_manager, webhook = services.lease_manager, services.config.telegram.webhook
        self._updates = UpdateRepository(services.database, services.process_name)
        self.update_order = UpdateOrder(
            self._updates,
            # A poll brings updates in their order, and so does a webhook that only one process listens to.
            settle_time=WEBHOOK_SETTLE_TIME if webhook and lease_manager else 0.0,
            ready=lease_manager.registered if lease_manager else None,
        )
        services.prune_more.append(self._updates.delete_old)
        self._season = SeasonFixtures(services.feed_api, services.clock)
        self.season_fixtures = self._season.fixtures
        self._replies = ReplySender(services.bot, render_match if is_available() else None)
        self._application.add_handlers(self._build_handlers(directory, status))
        self._application.add_error_handler(partial(on_error, self._replies))
        self._failed_updates: dict[int, StorageError] = {}
        """By update id, the error of an update from the webhook that Telegram has to bring again."""
        if webhook is not None:
            self._application.add_error_handler(self._note_failure)

    def background_work(self) -> tuple[BackgroundWork, ...]:
        """Return what has to run for as long as the process does."""
        services = self._services
        # In one process: Telegram is asked once for the chats that the configuration names as @name, and the admins get one
        # message about those that it does not have.
        naming = run_while_leased(services.leases, "configured chats", services.configured_chats.run)
        return self._run_application(), self._register_commands(), self._season.run(), naming

    def _build_handlers(self, directory: FixtureLookup, status: Callable[[], Awaitable[str]]) -> list[Any]:
        """Make the handlers of all updates. Those of `/rules` come first: the others take every button."""
        services = self._services

        def is_admin(user_id: int | None) -> bool:
            return user_id in services.config.telegram.admins

        chat_services = ChatServices(
            chats=services.chats,
            subscriptions=services.subscriptions,
            directory=directory,
            list_kinds=services.list_kinds,
            clock=services.clock,
            replies=self._replies,
            commands=ROUTER.menu,
            is_admin=is_admin,
            render_status=status,
            explain_message=partial(explain_message, services.outbox.queue),
            send_sample=partial(send_sample, services),
            send_match_state=services.outbox.put_match_state,
            privacy_url=services.config.telegram.privacy_url or "",
            nicknames=Nicknames(services.config.telegram.nicknames),
            season=self._season,
            max_subscriptions=lambda: services.config.limits.subscriptions_per_chat,
            max_matches=lambda: services.config.limits.matches,
            held_back=services.monitor.list_held_back,
            mark_held_back_as_known=HeldBackNotices(services.outbox, services.subscriptions, services.clock).mark_as_known,
            allowed_chats=lambda: services.config.telegram.allowed_chats,
        )
        rules = build_admin_rules_handlers(
            services.rule_versions, is_admin, run_dry_run, services.last_matches.recordings, self._replies, self._unknown_names
        )
        return [
            FORWARDED_COMMANDS,
            *self.update_order.wrap(use_chat_language(rules, services.chats)),
            *build_handlers(chat_services, self.update_order),
        ]

    async def _run_application(self) -> None:
        """Run the handlers and receive updates until cancelled."""
        async with self._application:
            await self._application.start()
            try:
                await self._receive_updates()
            finally:
                # Answers that wait for Telegram's flood control would hold up the stop, which waits for all handlers.
                self._replies.cancel_waiting()
                await self._application.stop()
                await self.update_order.stop()

    async def _receive_updates(self) -> None:
        """Receive updates by webhook in every process; without a webhook, poll in the one process that holds the lease."""
        services, webhook = self._services, self._services.config.telegram.webhook
        if webhook is not None:
            await WebhookServer(services.bot, webhook, self._process_update, self._replies.cancel_waiting).run()
            return
        await run_while_leased(services.leases, "chat", self._poll_updates)

    async def _process_update(self, update: Update) -> None:
        """Handle an update from the webhook. Raises StorageError if it could not be stored, so that Telegram brings it again."""
        await self._application.process_update(update)
        if error := self._failed_updates.pop(update.update_id, None):
            raise error

    async def _note_failure(self, update: object, context: CallbackContext[Any, Any, Any, Any]) -> None:
        # The library hands errors of handlers to error handlers and not to the caller of `process_update`.
        if isinstance(update, Update) and isinstance(context.error, StorageError):
            self._failed_updates[update.update_id] = context.error

    async def _poll_updates(self) -> None:
        await delete_webhook(self._services.bot)
        reported = self._services.monitor.reported
        try:
            await UpdatePoller(self._services.bot, self._application.update_queue.put, reported.report, reported.on_polling).run()
        finally:
            # The lease is lost: what was in the way here is now the other process's to report.
            reported.on_polling()

    async def _register_commands(self) -> None:
        """Register command menus and descriptions at Telegram. A failure is only logged: the bot works without them."""
        try:
            await set_command_menu(self._services.bot, self._replies.features, self._services.config.telegram.admins)
            await set_bot_description(self._services.bot, self._services.config.telegram.privacy_url)
        except TelegramError as error:
            log.warning("commands_not_registered", reason=str(error))


async def send_sample(services: Services, ref: ChatRef, name: str, delay: int) -> None:
    """Send one chat a sample alert through the outbox, as real alerts are sent."""
    alert = make_sample_alert(ref, name, in_each_language(sample_alert_text), services.clock.now())
    await services.outbox.put_for_chat(ref, alert, delay)
