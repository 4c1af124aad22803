"""What each role runs; all callbacks between packages are tied here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import structlog
from telegram import Update
from telegram.error import TelegramError
from telegram.ext import Application, ApplicationBuilder, CallbackContext

from bot.app.services import BackgroundWork, Services
from bot.chat.application import ROUTER, build_handlers, on_error, set_command_menu
from bot.chat.features.admin_rules import build_admin_rules_handlers
from bot.chat.features.sample import sample_alert_text
from bot.chat.middleware import use_chat_language
from bot.chat.replies import ReplySender
from bot.chat.services import ChatServices, FixtureLookup
from bot.chat.updates import UpdatePoller, WebhookServer, delete_webhook
from bot.cluster.lease_manager import name_fixture_lease, run_while_leased
from bot.errors import StorageError
from bot.i18n.football import load_wordings
from bot.i18n.language import in_each_language
from bot.matches.follower import MatchFollower
from bot.matches.live_messages import LiveMessageUpdater
from bot.matches.pipeline import Pipeline
from bot.matches.schedule import MatchScheduler
from bot.matches.snapshots import SnapshotStore
from bot.media.renderer import is_available, render_match
from bot.monitoring.delivery_log import DeliveryLog
from bot.monitoring.health import FeedHealth
from bot.monitoring.monitor import render_connections
from bot.outbox.explanation import explain_message
from bot.outbox.outbox import make_sample_alert
from bot.replay.dry_run import run_dry_run
from bot.storage.fixtures import FixtureStatusRepository
from bot.subscribers import ChatRef
from bot.telegram.sender import Sender
from bot.telegram.shared_rate_limits import SharedRateLimiter
from rules.football.action import Fixture
from rules.football.match import Match

_UNFINISHED_MAX_AGE = dt.timedelta(days=1)


class FeedWorker:
    """The plan, the connections and the line from packets to alerts."""

    def __init__(self, common: Services) -> None:
        self._common = common
        config, signals, clock = common.current.config, common.watch.reported, common.clock
        self.pipeline = Pipeline(config.rules, config.catalogue, common.outbox, SnapshotStore(common.positions), load_wordings())
        self.extras = LiveMessageUpdater(
            self.pipeline.matches_in_play, common.outbox, common.chats.has_live_message_chats, clock, pictures=is_available()
        )
        self.pipeline.on_over = self.extras.on_match_over
        self.follower = MatchFollower(
            self.pipeline,
            common.current.feed,
            clock,
            signals.on_change,
            signals.on_change,
            archive=common.source,
            last=common.last_matches,
        )
        self.runner = MatchScheduler(
            common.source,
            common.subscriptions.get_active,
            self._follow,
            common.current.schedule,
            clock,
            signals.on_feed_refused,
            self._updated,
            signals.on_feed_accepted,
            FixtureStatusRepository(common.database, clock),
            self._unfinished,
        )
        common.watch.feed = self._standing
        common.lines = self._lines
        common.on_rules.append(self.pipeline.set_rules)
        common.on_chats.append(self.runner.request_replan)
        common.on_settings += [self.runner.request_replan, self.follower.reload]

    def works(self) -> tuple[BackgroundWork, ...]:
        """Follow for ever."""
        return self.runner.run(), self.extras.run()

    def fixtures(self) -> tuple[Fixture, ...]:
        """The fixtures known now, by kick-off."""
        return self.runner.list_fixtures()

    def match(self, fixture_id: str) -> Match | None:
        """How a match being followed here stands; None for any other."""
        return self.pipeline.match(fixture_id)

    async def _follow(self, fixture: Fixture) -> None:
        """Follow a match as it is listed when its turn comes, as long as no other process does."""
        follow, known = self.follower.follow, self.runner.find_fixture
        await run_while_leased(self._common.leasing, name_fixture_lease(fixture.id), lambda: follow(known(fixture.id) or fixture))

    async def _updated(self, before: Fixture, after: Fixture) -> None:
        """Whoever follows the match tells what becomes of it; where nobody does, everybody says the same."""
        if not self._common.leasing.is_waiting_for(name_fixture_lease(after.id)):
            await self.follower.on_fixture_change(before, after)

    def _lines(self) -> list[str]:
        return render_connections(self.follower.connection_statuses(), self.match, self._common.clock.now())

    def _standing(self) -> FeedHealth:
        """How it stands, for those who watch."""
        runner, every = self.runner, self._common.current.schedule.refresh_fixtures_every
        titles = {fixture.id: fixture.title for fixture in runner.list_fixtures()}
        return FeedHealth(
            self.follower.connection_statuses(lags=False), titles, runner.refreshed_at, every, len(runner.planned_connections())
        )

    async def _unfinished(self) -> frozenset[str]:
        """The matches of the last day that an earlier process left in the middle."""
        return await self._common.positions.get_unfinished(self._common.clock.now() - _UNFINISHED_MAX_AGE)


class SenderWorker:
    """The courier of a process."""

    def __init__(self, common: Services) -> None:
        self._common, self._delivery_log = common, DeliveryLog(common.clock)
        on_delivered = self._delivery_log.on_delivered
        self.courier = Sender(common.outbox.queue, common.messenger, common.pace, common.clock, on_delivered, common.chats)
        self.courier.on_text_refused = common.watch.reported.on_text_refused
        common.watch.backlog = self.courier.count_pending
        if isinstance(common.pace, SharedRateLimiter):
            common.pace.on_slots = self.courier.wake
        if common.tickets:
            common.tickets.on_available = self.courier.wake
        else:
            common.on_chats.append(common.outbox.queue.rescan)

    def works(self) -> tuple[BackgroundWork, ...]:
        """Send for ever."""
        return self._send(), self._delivery_log.run()

    async def _send(self) -> None:
        """Of several senders, one whose lease says that it lives; its chats are left to others when all in flight has landed."""
        keeper, tickets = self._common.keeper, self._common.tickets
        if keeper is None or tickets is None:
            await self.courier.run()
            return
        await keeper.registered.wait()
        async with tickets.running():
            await self.courier.run()


log = structlog.get_logger()


class ChatWorker:
    """Hears what people say, and says what there is to say."""

    def __init__(self, common: Services, directory: FixtureLookup, status: Callable[[], Awaitable[str]]) -> None:
        """`directory` knows fixtures and matches; `status` is what `/status` says."""
        self._common = common
        common.watch.reports_database = True
        application = ApplicationBuilder().bot(common.bot).updater(None).job_queue(None).concurrent_updates(64)
        self._application: Application[Any, Any, Any, Any, Any, Any] = application.build()
        self._replies = ReplySender(common.bot, render_match if is_available() else None)
        self._application.add_handlers(self._handlers(directory, status))
        self._application.add_error_handler(partial(on_error, self._replies))
        self._failed: dict[int, StorageError] = {}
        if common.current.config.telegram.webhook is not None:
            self._application.add_error_handler(self._note_failure)

    def works(self) -> tuple[BackgroundWork, ...]:
        """Answer for ever."""
        return self._answer(), self._introduce()

    def _handlers(self, directory: FixtureLookup, status: Callable[[], Awaitable[str]]) -> list[Any]:
        """Everything that people can say; the rules desk first, since the others take every button."""
        common = self._common
        admins = common.current.admins
        services = ChatServices(
            chats=common.chats,
            subscriptions=common.subscriptions,
            directory=directory,
            list_kinds=common.kinds,
            clock=common.clock,
            replies=self._replies,
            commands=ROUTER.menu,
            admin_ids=admins,
            render_status=status,
            explain_message=partial(explain_message, common.outbox.queue),
            send_sample=self._give_sample,
        )
        rules = build_admin_rules_handlers(common.book, admins, run_dry_run, common.last_matches.recordings, self._replies)
        return [*use_chat_language(rules, common.chats), *build_handlers(services)]

    async def _answer(self) -> None:
        async with self._application:
            await self._application.start()
            try:
                await self._hear()
            finally:
                self._replies.cancel_waiting()
                await self._application.stop()

    async def _hear(self) -> None:
        """Behind a webhook every process hears; else one fetches for all, and the others stand by."""
        common, webhook = self._common, self._common.current.config.telegram.webhook
        if webhook is not None:
            await WebhookServer(common.bot, webhook, self._deal, self._replies.cancel_waiting).run()
            return
        await run_while_leased(common.leasing, "chat", self._fetch)

    async def _deal(self, update: Update) -> None:
        """Deal with an update; raise StoreError where the database was in the way."""
        await self._application.process_update(update)
        if error := self._failed.pop(update.update_id, None):
            raise error

    async def _note_failure(self, update: object, context: CallbackContext[Any, Any, Any, Any]) -> None:
        """Of a brought update, one that has to come again."""
        if isinstance(update, Update) and isinstance(context.error, StorageError):
            self._failed[update.update_id] = context.error

    async def _fetch(self) -> None:
        await delete_webhook(self._common.bot)
        signals = self._common.watch.reported
        try:
            await UpdatePoller(self._common.bot, self._application.update_queue.put, signals.report, signals.on_polling).run()
        finally:
            signals.on_polling()  # whoever takes them now tells of what is in the way

    async def _introduce(self) -> None:
        """Tell Telegram the commands; without them the bot works all the same."""
        try:
            await set_command_menu(self._common.bot)
        except TelegramError as error:
            log.warning("commands_not_registered", reason=str(error))

    async def _give_sample(self, ref: ChatRef, name: str, delay: int) -> None:
        """Send one chat a sample alert by the way of real ones."""
        alert = make_sample_alert(ref, name, in_each_language(sample_alert_text), self._common.clock.now())
        await self._common.outbox.put_for_chat(ref, alert, delay)
