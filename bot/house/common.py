"""What every process has, whatever its roles."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Callable, Collection, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import structlog
from telegram.ext import ExtBot

from bot.clock import Clock
from bot.config import Config
from bot.feed.api import FeedApi
from bot.fixed import fixed
from bot.house.keeper import Alone, Keeper, Leasing, holder
from bot.house.role import EVERY, Role
from bot.outbox.outbox import Outbox
from bot.outbox.shared import SharedSource
from bot.pictures.maker import available
from bot.rulebook.book import Rulebook
from bot.rulebook.current import Current
from bot.rulebook.last_matches import LastMatches
from bot.rulebook.reload import Reloader
from bot.rulebook.takeover import Takeover
from bot.schedule.plan import OVER
from bot.store.channels import CHATS, LEASES, RULES
from bot.store.chats import Chats
from bot.store.claims import sweep
from bot.store.engine import Database
from bot.store.history import History
from bot.store.leases import Leases
from bot.store.patience import patiently
from bot.store.positions import Positions
from bot.telegram.bot_messenger import BotMessenger
from bot.telegram.limits import Pace
from bot.telegram.shared_limits import SharedLimits
from bot.telegram.wire import Wire
from bot.watch.admins import Admins
from bot.watch.dead_man import DeadMan
from bot.watch.watch import Watch, disk_of
from rules.alert import CARD, PICTURE
from rules.catalogue import Catalogue
from rules.rule import RuleSet

log = structlog.get_logger()

_PRUNE_EVERY = 3600.0
_MUTED_AFTER = dt.timedelta(hours=1)
"""So long after its end the mute of a match is let go: until then its end may be on its way."""

Work = Coroutine[Any, Any, None]


class Room(Protocol):
    """The part of a process that does the work of one role."""

    def works(self) -> tuple[Work, ...]:
        """What has to run for as long as the process does."""
        ...


class Common:
    """Made once a process and given to its rooms, which say in `on_chats`, `on_settings`, `on_rules` what they want to hear."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        database: Database,
        bot: ExtBot[str],
        pace: Pace,
        http: aiohttp.ClientSession,
        wire: Wire,
        roles: Collection[Role] = EVERY,
    ) -> None:
        self.clock, self.database, self.bot, self.pace = clock, database, bot, pace
        self.on_chats: list[Callable[[], None]] = []
        self.on_settings: list[Callable[[], None]] = []
        self.on_rules: list[Callable[[RuleSet, Catalogue], None]] = []
        self.current = Current(config)
        self.source = FeedApi(self.current.feed, http, clock)
        self.lines: Callable[[], Sequence[str]] = tuple
        """How this process stands, for `/status`."""
        shared = database.shared
        self.keeper = Keeper(Leases(database, holder()), roles, lambda: self.lines()) if shared else None
        self.leasing: Leasing = self.keeper or Alone()
        self._ruled = asyncio.Event()
        self.chats = Chats(database) if shared else Chats(database, self._chats_changed)
        self.tickets = SharedSource(database, clock, self.keeper.name) if self.keeper else None
        self.outbox = Outbox(database, clock, self.tickets)
        self.messenger = BotMessenger(bot, allow_paid_broadcast=config.telegram.allow_paid_broadcast)
        self.admins = Admins(self.messenger, self.current.admins)
        self.watch = Watch(clock, database, wire, self.admins, disk_of(config.storage.url))
        self.positions = Positions(database, clock)
        self.last_matches = LastMatches(Path(config.storage.last_matches_folder), config.storage.last_matches)
        self.book = Rulebook(History(database), clock, config, self._use)
        takeover = Takeover(self.current, self.book, self.settle, self._settings_changed, self.admins.tell)
        signals = self.watch.signals
        self.reloader = Reloader(config, os.environ, takeover, signals.rules_refused, signals.rules_accepted)
        self.watch.rules = lambda: len(self.book.standing.rules.rules)
        self._dead_man = DeadMan(lambda: self.current.config.http, http, self.watch.unready)

    async def settle(self, config: Config) -> None:
        """Store the configuration's chats."""
        await self.chats.set_fixed([fixed(chat, config) for chat in config.chats])

    async def open_book(self, config: Config) -> None:
        """Begin with the rules that hold: the configuration's, or those applied in Telegram."""
        if ended := await self.book.take(config):
            await self.admins.tell(ended)

    async def listen(self) -> None:
        """Hear what other processes on the same database do."""
        if self.keeper:
            await self.database.listen(LEASES, self.keeper.wake)
            await self.database.listen(CHATS, lambda _: self._chats_changed())
            await self.database.listen(RULES, lambda _: self._ruled.set())

    def works(self) -> tuple[Work, ...]:
        """What every process does from its start on."""
        shared = (self.keeper.run(), self._obeying()) if self.keeper else ()
        reserving = (self.pace.run(),) if isinstance(self.pace, SharedLimits) else ()
        return *shared, *reserving, self.reloader.run(), self._pruning()

    def works_with_telegram(self) -> tuple[Work, ...]:
        """What every process does once Telegram has let the bot in."""
        return self.watch.run(), self._dead_man.run()

    def kinds(self) -> tuple[str, ...]:
        """The kinds on offer: those that some rule uses, and what shows how a match stands."""
        return (*self.book.standing.rules.kinds(), CARD, *((PICTURE,) if available() else ()))

    def _chats_changed(self) -> None:
        for hear in self.on_chats:
            hear()

    def _settings_changed(self) -> None:
        for hear in self.on_settings:
            hear()

    def _use(self, rules: RuleSet, names: Catalogue) -> None:
        for hear in self.on_rules:
            hear(rules, names)

    async def _obeying(self) -> None:
        """Take over the rules that another process put into effect."""
        while True:
            await self._ruled.wait()
            self._ruled.clear()
            await patiently(self.book.look)

    async def _pruning(self) -> None:
        """Forget what is older than `storage.keep`, once an hour."""
        while True:
            await patiently(self._prune)
            await asyncio.sleep(_PRUNE_EVERY)

    async def _prune(self) -> None:
        gone = await self.outbox.prune(self.current.config.storage.keep)
        log.info("old_entries_forgotten", count=gone)
        await self.chats.forget_mutes(OVER, self.clock.now() - _MUTED_AFTER)
        await Leases(self.database, "").sweep(_PRUNE_EVERY)
        if self.keeper:
            async with self.database.transaction() as tx:
                await sweep(tx)
