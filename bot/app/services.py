"""What every process has, made once; takes a changed configuration over."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import structlog
from telegram.ext import ExtBot

from bot.clock import Clock
from bot.cluster.chat_claims import delete_orphaned_claims
from bot.cluster.lease_manager import ALL_ROLES, LeaseManager, LeaseProvider, Role, SingleProcess, make_holder_name
from bot.cluster.leases import LeaseRepository
from bot.config.load import Config, configured_chat
from bot.config.reload import ConfigReloader, CurrentConfig
from bot.config.rule_versions import RuleVersionRepository, RuleVersions
from bot.feed.recording import RecentRecordings
from bot.feed.rest import RestClient
from bot.media.renderer import is_available
from bot.monitoring.admin_messages import AdminMessages
from bot.monitoring.http import DeadMansSwitch
from bot.monitoring.monitor import Monitor, find_database_folder
from bot.outbox.outbox import Outbox
from bot.outbox.shared_source import SharedSource
from bot.retry import retry_while_database_unavailable
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.driver import CHATS_CHANNEL, LEASES_CHANNEL, RULES_CHANNEL
from bot.storage.fixtures import FeedPositionRepository
from bot.storage.subscriptions import SubscriptionRepository
from bot.telegram.http import ApiHealth
from bot.telegram.messenger import BotMessenger
from bot.telegram.rate_limits import RateLimitPolicy
from bot.telegram.shared_rate_limits import SharedRateLimiter
from rules.engine.alert import CARD, PICTURE
from rules.engine.rule import RuleSet
from rules.football.action import OVER_STATUSES
from rules.football.catalogue import Catalogue

log = structlog.get_logger()

_PRUNE_INTERVAL = 3600.0

_MUTE_GRACE_PERIOD = dt.timedelta(hours=1)
"""So long after its end the mute of a match is let go: until then its end may be on its way."""

BackgroundWork = Coroutine[Any, Any, None]


class Worker(Protocol):
    """The part of a process that does the work of one role."""

    def works(self) -> tuple[BackgroundWork, ...]:
        """What has to run for as long as the process does."""
        ...


class Services:
    """Made once a process and given to its rooms, which say in `on_chats`, `on_settings`, `on_rules` what they want to hear."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        database: Database,
        bot: ExtBot[str],
        pace: RateLimitPolicy,
        http: aiohttp.ClientSession,
        wire: ApiHealth,
        roles: Collection[Role] = ALL_ROLES,
    ) -> None:
        self.clock, self.database, self.bot, self.pace = clock, database, bot, pace
        self.on_chats: list[Callable[[], None]] = []
        self.on_settings: list[Callable[[], None]] = []
        self.on_rules: list[Callable[[RuleSet, Catalogue], None]] = []
        self.current = CurrentConfig(config)
        self.source = RestClient(self.current.feed, http, clock)
        self.lines: Callable[[], Sequence[str]] = tuple
        """How this process stands, for `/status`."""
        shared = database.is_shared
        self.keeper = LeaseManager(LeaseRepository(database, make_holder_name()), roles, lambda: self.lines()) if shared else None
        self.leasing: LeaseProvider = self.keeper or SingleProcess()
        self._ruled = asyncio.Event()
        # Where the database is shared, this process hears of its own changes as the others do: by a notification.
        on_change = None if shared else self._chats_changed
        self.chats, self.subscriptions = ChatRepository(database, on_change), SubscriptionRepository(database, on_change)
        self.tickets = SharedSource(database, clock, self.keeper.name) if self.keeper else None
        self.outbox = Outbox(database, clock, self.tickets)
        self.messenger = BotMessenger(bot, allow_paid_broadcast=config.telegram.allow_paid_broadcast)
        self.admins = AdminMessages(self.messenger, self.current.admins)
        self.watch = Monitor(clock, database, wire, self.admins, find_database_folder(config.storage.url))
        self.positions = FeedPositionRepository(database, clock)
        self.last_matches = RecentRecordings(Path(config.storage.last_matches_folder), config.storage.last_matches)
        self.book = RuleVersions(RuleVersionRepository(database), clock, config, self._use)
        takeover = ConfigApplier(self.current, self.book, self.settle, self._settings_changed, self.admins.post_event)
        signals = self.watch.reported
        self.reloader = ConfigReloader(config, os.environ, takeover, signals.on_config_refused, signals.on_config_accepted)
        self.watch.rules = lambda: len(self.book.active.rules.rules)
        self._dead_man = DeadMansSwitch(lambda: self.current.config.http, http, self.watch.reasons_not_ready)

    async def settle(self, config: Config) -> None:
        """Store the configuration's chats."""
        await self.subscriptions.store_configured_chats([configured_chat(chat, config) for chat in config.chats])

    async def open_book(self, config: Config) -> None:
        """Begin with the rules that hold: the configuration's, or those applied in Telegram."""
        if ended := await self.book.load(config):
            await self.admins.post_event(ended)

    async def listen(self) -> None:
        """Hear what other processes on the same database do."""
        if self.keeper:
            await self.database.listen(LEASES_CHANNEL, self.keeper.check_now)
            await self.database.listen(CHATS_CHANNEL, lambda _: self._chats_changed())
            await self.database.listen(RULES_CHANNEL, lambda _: self._ruled.set())

    def works(self) -> tuple[BackgroundWork, ...]:
        """What every process does from its start on."""
        shared = (self.keeper.run(), self._obeying()) if self.keeper else ()
        reserving = (self.pace.run(),) if isinstance(self.pace, SharedRateLimiter) else ()
        return *shared, *reserving, self.reloader.run(), self._pruning()

    def works_with_telegram(self) -> tuple[BackgroundWork, ...]:
        """What every process does once Telegram has let the bot in."""
        return self.watch.run(), self._dead_man.run()

    def kinds(self) -> tuple[str, ...]:
        """The kinds on offer: those that some rule uses, and what shows how a match stands."""
        return (*self.book.active.rules.list_kinds(), CARD, *((PICTURE,) if is_available() else ()))

    def _chats_changed(self) -> None:
        for hear in self.on_chats:
            hear()

    def _settings_changed(self) -> None:
        for hear in self.on_settings:
            hear()

    def _use(self, rules: RuleSet, catalogue: Catalogue) -> None:
        for hear in self.on_rules:
            hear(rules, catalogue)

    async def _obeying(self) -> None:
        """Take over the rules that another process put into effect."""
        while True:
            await self._ruled.wait()
            self._ruled.clear()
            await retry_while_database_unavailable(self.book.load_latest)

    async def _pruning(self) -> None:
        """Forget what is older than `storage.keep`, once an hour."""
        while True:
            await retry_while_database_unavailable(self._prune)
            await asyncio.sleep(_PRUNE_INTERVAL)

    async def _prune(self) -> None:
        gone = await self.outbox.prune(self.current.config.storage.keep)
        log.info("old_entries_forgotten", count=gone)
        await self.chats.clear_finished_mutes(OVER_STATUSES, self.clock.now() - _MUTE_GRACE_PERIOD)
        await LeaseRepository(self.database, "").delete_expired(_PRUNE_INTERVAL)
        if self.keeper:
            async with self.database.transaction() as tx:
                await delete_orphaned_claims(tx)


class ConfigApplier:
    """Takes a good configuration over: to be the `apply` of a Reloader."""

    def __init__(
        self,
        current: CurrentConfig,
        book: RuleVersions,
        settle: Callable[[Config], Awaitable[None]],
        wake: Callable[[], None],
        tell: Callable[[str], Awaitable[None]],
    ) -> None:
        """`settle` stores the configuration's chats, `wake` makes everybody look again, `tell` is for the admins."""
        self._current, self._book = current, book
        self._settle, self._wake, self._tell = settle, wake, tell

    async def __call__(self, config: Config) -> None:
        """Take it over; raise StoreError where it cannot be remembered."""
        before = self._current.config
        if (config.chats, config.rules.list_kinds()) != (before.chats, before.rules.list_kinds()):
            await self._settle(config)
        ended = await self._book.load(config)
        self._current.config = config
        self._wake()
        if ended:
            await self._tell(ended)
