"""The parts that every process has, whatever its roles, and how a changed configuration is applied to them."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Awaitable, Callable, Collection, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from telegram.ext import ExtBot

from bot.app.configured_chats import ConfiguredChats
from bot.clock import Clock, CorrectedClock
from bot.cluster.chat_claims import delete_orphaned_claims
from bot.cluster.lease_manager import LeaseManager
from bot.cluster.leased_work import LeaseProvider, SingleProcess
from bot.cluster.leases import LeaseRepository
from bot.cluster.roles import ALL_ROLES, Role
from bot.config.load import Config, load_config
from bot.config.reload import ConfigReloader, LoadConfig, read_bot_id
from bot.config.rule_versions import RuleVersionRepository, RuleVersions
from bot.feed.recent_recordings import RecentRecordings
from bot.feed.request_limit import FeedRequestLimiter, SharedPlaces
from bot.feed.rest import RestClient
from bot.media.renderer import is_available
from bot.monitoring.admin_messages import AdminMessages
from bot.monitoring.http import DeadMansSwitch
from bot.monitoring.monitor import Monitor, find_database_folder
from bot.outbox.outbox import Outbox
from bot.outbox.shared_source import SharedSource
from bot.retry import retry_while_database_unavailable
from bot.storage.chats import ChatRepository, MovedChat, OpenedTopic, parse_chats_notification
from bot.storage.database import Database
from bot.storage.driver import CHATS_CHANNEL, LEASES_CHANNEL, RATE_CHANNEL, RULES_CHANNEL, TROUBLE_CHANNEL
from bot.storage.fixtures import FeedPositionRepository
from bot.storage.subscriptions import SubscriptionRepository
from bot.telegram.http import ApiHealth
from bot.telegram.limits.paid_messages import PaidBudget, PaidMessageRepository, PaidMessages
from bot.telegram.limits.rate_limits import RateLimitPolicy
from bot.telegram.limits.shared_rate_limits import SharedRateLimiter
from bot.telegram.messenger import BotMessenger, replace_token
from rules.engine.alert import CARD, PICTURE
from rules.engine.rule import RuleSet
from rules.football.catalogue import Catalogue
from rules.football.statuses import OVER_WORDS

log = structlog.get_logger()

_CLOCK_INTERVAL = 10.0
"""Seconds between two readings of the database's clock."""

_PRUNE_INTERVAL = 3600.0
"""Seconds between two deletions of old data."""

_MUTE_GRACE_PERIOD = dt.timedelta(hours=1)
"""How long the mute of a match is kept after its end: its full time may still be on the way to the chat."""

BackgroundWork = Coroutine[Any, Any, None]


class Services:
    """Made once in a process and given to its workers, which add their callbacks to the `on_…_changed` lists."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        database: Database,
        process_name: str,
        bot: ExtBot[str],
        rate_limiter: RateLimitPolicy,
        http: aiohttp.ClientSession,
        api_health: ApiHealth,
        roles: Collection[Role] = ALL_ROLES,
        load: LoadConfig = load_config,
        paid: PaidMessages | None = None,
    ) -> None:
        """`paid` is what the rate limiter asks; None: no messages are paid for."""
        self.clock, self.database, self.bot, self.rate_limiter = clock, database, bot, rate_limiter
        self.process_name, self.api_health, self.paid_messages = process_name, api_health, paid
        # Replaced by `apply_config`: parts that outlive a reload are given a function that reads a section of it.
        self.config = config
        self._token = bot.token
        """The token that Telegram is asked with, which is not that of `config` where that is another bot's."""
        self.on_chats_changed: list[Callable[[], None]] = []
        self.on_topic_opened: list[Callable[[int], None]] = []
        """Called with the id of a forum in which a closed topic was opened."""
        self.on_settings_changed: list[Callable[[], None]] = []
        self.on_rules_changed: list[Callable[[RuleSet, Catalogue], None]] = []
        self.prune_more: list[Callable[[], Awaitable[None]]] = []
        """Called with each deletion of old data."""
        # One process on SQLite needs no leases; several on PostgreSQL agree by them on who follows which match.
        self.lease_manager: LeaseManager | None = None
        if database.is_shared:
            # The monitor is made below; it is asked when the manager runs.
            self.lease_manager = LeaseManager(
                LeaseRepository(database, process_name), roles, lambda: self.monitor.describe_process()
            )
        self.leases: LeaseProvider = self.lease_manager or SingleProcess()
        if self.lease_manager and isinstance(rate_limiter, SharedRateLimiter):
            rate_limiter.count_slot_senders = self.lease_manager.count_slot_senders
        # The feed, and what is kept of its matches.
        self.feed_limiter = FeedRequestLimiter(clock, places=SharedPlaces(database) if database.is_shared else None)
        self.feed_api = RestClient(lambda: self.config.feed, http, clock, self.feed_limiter)
        self.positions = FeedPositionRepository(database, clock)
        self.last_matches = RecentRecordings(Path(config.storage.last_matches_folder), config.storage.last_matches)
        # Chats, and what they are sent. On a shared database this process learns of its own changes as the others do, by a
        # notification: one way for all.
        on_change = None if database.is_shared else self._notify_chats_changed
        self.chats, self.subscriptions = ChatRepository(database, on_change), SubscriptionRepository(database, on_change)
        self.shared_source = SharedSource(database, clock, self.lease_manager.name) if self.lease_manager else None
        self.outbox = Outbox(database, clock, self.shared_source)
        self.messenger = BotMessenger(bot)
        # The admins, and what they are told.
        self.admins = AdminMessages(self.messenger, lambda: self.config.telegram.admins)
        self.configured_chats = ConfiguredChats(self.subscriptions, self.chats, bot, lambda: self.config)
        self.configured_chats.on_problem = self.admins.post_event
        self.chats.on_migrated = self._on_chat_migrated
        # On a shared database by the notification, as all processes.
        self.chats.on_topic_opened = None if database.is_shared else self._notify_topic_opened
        self.monitor = self._build_monitor(roles)
        if paid:
            self._watch_paid_messages(paid)
        self._dead_man = DeadMansSwitch(lambda: self.config.http, http, self.monitor.reasons_not_ready)
        self.on_settings_changed.append(self._dead_man.on_settings_changed)
        # The rules and settings, and how they change.
        self._rules_changed = asyncio.Event()
        """Set when another process has changed the rules."""
        self.rule_versions = RuleVersions(RuleVersionRepository(database), clock, config, self._publish_rules)
        reported = self.monitor.reported
        self.reloader = ConfigReloader(
            config, os.environ, self.apply_config, reported.on_config_refused, reported.on_config_accepted, load
        )

    def _build_monitor(self, roles: Collection[Role]) -> Monitor:
        monitor = Monitor(self.clock, self.database, self.api_health, self.admins, find_database_folder(self.config.storage.url))
        monitor.process_name, monitor.roles = self.process_name, tuple(sorted(roles))
        monitor.limits = lambda: (self.config.limits, self.config.telegram.allowed_chats)
        monitor.rules = lambda: len(self.rule_versions.active.rules.rules)
        if self.lease_manager:
            monitor.read_processes = self.lease_manager.read_processes
        return monitor

    def _watch_paid_messages(self, paid: PaidMessages) -> None:
        """Give the counter of paid messages its limit, which a reload may change, and let the monitor read what is left."""
        counts = PaidMessageRepository(self.database)

        async def read_budget() -> PaidBudget:
            return PaidBudget(await counts.read(), self.config.telegram.paid_messages_per_day)

        paid.limit = lambda: self.config.telegram.paid_messages_per_day
        self.monitor.read_paid_budget = read_budget
        self.prune_more.append(counts.delete_old)

    async def load_rules(self, config: Config) -> None:
        """Load the rules in effect: those of the configuration, or those that an admin applied later in Telegram."""
        if ended := await self.rule_versions.load(config):
            self.admins.post_event(ended)

    async def apply_config(self, config: Config) -> None:
        """Apply a configuration that is valid. Raises StorageError if the database fails, and is then called again."""
        # What is stored comes first, for it can fail. The chats may be stored when the rules are not: the next call
        # compares with what was stored, and not with the configuration in effect.
        await self.configured_chats.store_if_changed(config)
        ended = await self.rule_versions.load(config)
        self.config = config
        self._replace_token(config.telegram.token.get_secret_value())
        self.configured_chats.request_look()
        # After `config` is replaced: they read it.
        for callback in self.on_settings_changed:
            callback()
        if ended:
            self.admins.post_event(ended)

    def _replace_token(self, token: str) -> None:
        """Use a new token of the bot from the next request on, as when somebody revoked the one before at @BotFather."""
        # Compared with the token in use, and not with that of the file before, which may be another bot's and waits for a
        # restart. What this bot has sent, another bot could not correct.
        if token != self._token and read_bot_id(token) == read_bot_id(self._token):
            replace_token(self.bot, token)
            self._token = token
            log.info("telegram_token_replaced")

    async def listen(self) -> None:
        """Subscribe to the notifications of other processes on the same database."""
        if self.lease_manager:
            await self.database.listen(LEASES_CHANNEL, self.lease_manager.check_now)
            await self.database.listen(CHATS_CHANNEL, self._on_chats_notification)
            await self.database.listen(RULES_CHANNEL, lambda _: self._rules_changed.set())
            if isinstance(self.rate_limiter, SharedRateLimiter):
                await self.database.listen(RATE_CHANNEL, self.rate_limiter.request_look)
            await self.database.listen(TROUBLE_CHANNEL, self.monitor.on_database_problem_elsewhere)

    def background_work(self) -> tuple[BackgroundWork, ...]:
        """Return what every process runs from its start."""
        shared = (
            (self.lease_manager.run(), self._follow_rule_changes(), self._follow_database_clock()) if self.lease_manager else ()
        )
        reserving = (self.rate_limiter.run(),) if isinstance(self.rate_limiter, SharedRateLimiter) else ()
        return *shared, *reserving, self.reloader.run(), self._prune_regularly()

    def background_work_with_telegram(self) -> tuple[BackgroundWork, ...]:
        """Return what every process runs after Telegram has accepted the bot."""
        return self.monitor.run(), self._dead_man.run()

    def list_kinds(self) -> tuple[str, ...]:
        """Return the kinds on offer: those that some rule uses, match cards, and pictures where they can be drawn."""
        return (*self.rule_versions.active.rules.list_kinds(), CARD, *((PICTURE,) if is_available() else ()))

    def _notify_chats_changed(self) -> None:
        for callback in self.on_chats_changed:
            callback()

    def _on_chats_notification(self, payload: str) -> None:
        """Note what another process, or this one, has changed about the chats."""
        match parse_chats_notification(payload):
            case MovedChat(old_id=old, new_id=new):
                self.configured_chats.on_chat_migrated(old, new)
            case OpenedTopic(chat_id=chat_id):
                self._notify_topic_opened(chat_id)
                return
        self._notify_chats_changed()

    def _notify_topic_opened(self, chat_id: int) -> None:
        for callback in self.on_topic_opened:
            callback(chat_id)

    def _on_chat_migrated(self, old_chat_id: int, new_chat_id: int) -> None:
        """Note the new id of a group that moved, and tell the admins if the configuration names the old one."""
        self.configured_chats.on_chat_migrated(old_chat_id, new_chat_id)
        # By this process alone: the others only learn the id.
        self.configured_chats.report_moves()

    def _publish_rules(self, rules: RuleSet, catalogue: Catalogue) -> None:
        for callback in self.on_rules_changed:
            callback(rules, catalogue)

    async def read_database_clock(self) -> None:
        """Set this process's clock by that of a shared database."""
        if self.database.is_shared and isinstance(self.clock, CorrectedClock):
            async with self.database.transaction() as tx:
                asked_at = self.clock.monotonic()
                database_time = await tx.now()
                # Before the end of the transaction, which takes time too.
                self.clock.on_database_time(database_time, self.clock.monotonic() - asked_at)

    async def _follow_database_clock(self) -> None:
        while True:
            await retry_while_database_unavailable(self.read_database_clock)
            await asyncio.sleep(_CLOCK_INTERVAL)

    async def _follow_rule_changes(self) -> None:
        """Load the rules whenever another process has changed them."""
        while True:
            await self._rules_changed.wait()
            # Before the rules are read: a change during that is read once more.
            self._rules_changed.clear()
            await retry_while_database_unavailable(self.rule_versions.load_latest)

    async def _prune_regularly(self) -> None:
        while True:
            await retry_while_database_unavailable(self._prune)
            await asyncio.sleep(_PRUNE_INTERVAL)
            # Not at the start: a sender that takes over a chat by its old claim counts what the chat was sent before.
            if self.lease_manager:
                await retry_while_database_unavailable(self._delete_orphaned_claims)

    async def _prune(self) -> None:
        """Delete old alerts, mutes of finished matches, chats that have long been suspended, and what dead processes left."""
        # Every process does all of it: deleting twice does no harm, and choosing one of them would need a lease.
        deleted = await self.outbox.prune(self.config.storage.keep)
        log.info("old_data_deleted", count=deleted)
        await self.chats.clear_finished_mutes(OVER_WORDS, self.clock.now() - _MUTE_GRACE_PERIOD)
        if forgotten := await self.chats.forget_suspended(self.config.storage.keep_suspended, self.clock.now()):
            log.info("suspended_chats_forgotten", count=forgotten)
        await LeaseRepository(self.database, "").delete_expired(_PRUNE_INTERVAL)
        for prune in self.prune_more:
            await prune()

    async def _delete_orphaned_claims(self) -> None:
        async with self.database.transaction() as tx:
            await delete_orphaned_claims(tx)
