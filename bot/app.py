"""The only place that wires everything: one process with its database, its bot, and a room for each of its roles."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import structlog
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot.clock import Clock, SystemClock
from bot.config import Config
from bot.errors import StoreAway, StoreError, UserMistake
from bot.house.chatting import Chatting
from bot.house.common import Common, Room, Work
from bot.house.feeding import Feeding
from bot.house.listing import Listing
from bot.house.role import EVERY, Role
from bot.house.sending import Sending
from bot.process import Stop, working
from bot.store.allowance import Allowance
from bot.store.engine import Database
from bot.store.outage import Outage
from bot.store.patience import patiently
from bot.telegram.bot_messenger import build_bot
from bot.telegram.limits import Limits
from bot.telegram.manners import Manners
from bot.telegram.shared_limits import SharedLimits
from bot.telegram.wire import Wire
from bot.watch.http import serving
from bot.watch.status import status_of_all, status_text

log = structlog.get_logger()

_WAIT = 60.0
"""Seconds that a start waits for a database that is away."""
_AGAIN = 1.0
ALONE = (
    "several processes need PostgreSQL: put storage.url: postgresql://USER@HOST/NAME into the configuration, "
    "or leave --role out, so that one process does everything"
)


async def run_until_stopped(config: Config, roles: frozenset[Role] = EVERY) -> None:
    """Run until SIGTERM or Ctrl-C; raise UserMistake where it cannot start."""
    for warning in config.warnings:
        log.warning("configuration", reason=warning)
    try:
        await Stop().around(lambda stack, stop: _start(config, roles, stack, stop))
    except StoreError as error:
        raise UserMistake(str(error)) from error


async def _start(config: Config, roles: frozenset[Role], stack: AsyncExitStack, stop: Stop) -> asyncio.Future[Any]:
    """Make every part and set it to work; the future of all that works."""
    clock = SystemClock()
    database = await _opened(config.storage.url, clock)
    stack.push_async_callback(database.close)
    if roles != EVERY and not database.shared:
        raise UserMistake(ALONE)
    limits = _limits(config, database)
    wire = Wire(clock)
    bot = build_bot(config.telegram.token.get_secret_value(), config.telegram.api_url, Manners(limits, clock), wire=wire)
    http = await stack.enter_async_context(aiohttp.ClientSession())
    house = House(Common(config, clock, database, bot, limits, http, wire, roles), roles)
    await (patiently(house.begin) if database.shared else house.begin())
    stop.on_hangup(house.common.reloader.hangup)
    needed = "listen" in config.http.model_fields_set
    await stack.enter_async_context(serving(config.http.listen, house.common.watch, needed=needed))
    stack.push_async_callback(bot.shutdown)
    if house.common.keeper:
        stack.push_async_callback(house.common.keeper.leave)
    return await stack.enter_async_context(working(*house.works(), _once_let_in(house, bot, roles)))


async def _once_let_in(house: House, bot: ExtBot[str], roles: frozenset[Role]) -> None:
    """What needs Telegram, as soon as that lets the bot in, and as long as the process runs."""
    await _let_in(bot)
    async with working(*house.works_with_telegram()) as at_work:
        gc.collect()
        gc.freeze()  # what is made by now stays: to look through all of it would stop the loop for 75 ms now and then
        log.info("started", roles=",".join(sorted(roles)), rules=len(house.common.book.standing.rules.rules))
        await at_work


class House:
    """A running Touchline: what every process has, and a room for each of its roles; None for those of other processes."""

    def __init__(self, common: Common, roles: frozenset[Role]) -> None:
        self.common = common
        self.feeding = Feeding(common) if Role.FEED in roles else None
        self.sending = Sending(common) if Role.SEND in roles else None
        self.listing = Listing(common.source, common.positions, common.current.schedule, common.clock)
        self.chatting = Chatting(common, self.feeding or self.listing, self.status) if Role.CHAT in roles else None

    async def begin(self) -> None:
        """Hear the other processes, and know chats and rules."""
        common = self.common
        await common.listen()
        await common.settle(common.current.config)
        await common.open_book(common.current.config)

    def works(self) -> tuple[Work, ...]:
        """All that runs from the start on, whether or not Telegram is there: the outbox keeps what is news."""
        return (*(self.feeding.works() if self.feeding else ()), *self.common.works())

    def works_with_telegram(self) -> tuple[Work, ...]:
        """All else that has to run for as long as the process does."""
        rooms: tuple[Room | None, ...] = (self.sending, self.chatting)
        listed = (self.listing.run(),) if self.chatting and not self.feeding else ()
        return (*(work for room in rooms if room for work in room.works()), *listed, *self.common.works_with_telegram())

    async def status(self) -> str:
        """What `/status` says: troubles that last first."""
        return "\n".join([*self.common.watch.lines(), await self._standing()])

    async def _standing(self) -> str:
        waiting = await self.common.outbox.waiting()
        if self.common.keeper:
            processes = await self.common.keeper.processes()
            return status_of_all({name: (facts.roles, facts.lines) for name, facts in processes.items()}, waiting)
        assert self.feeding is not None  # noqa: S101  # a process that is alone does everything
        planned = len(self.feeding.runner.planned())
        return status_text(self.feeding.follower.statuses(), self.feeding.match, planned, waiting, self.common.clock.now())


async def _opened(url: str, clock: Clock) -> Database:
    """The database; a server that is away is waited for, for it may be starting or starting again. Raise StoreError."""
    until, outage = clock.monotonic() + _WAIT, Outage()
    while True:
        try:
            return await Database.open(url)
        except StoreAway as error:
            if url.startswith("sqlite") or clock.monotonic() >= until:
                raise
            if outage.failed():
                log.warning("database_awaited", reason=str(error))
            await asyncio.sleep(_AGAIN)


def _limits(config: Config, database: Database) -> Limits | SharedLimits:
    """Telegram's limits; of several processes, all keep them together."""
    per_second = config.telegram.messages_per_second
    return SharedLimits(Allowance(database), per_second) if database.shared else Limits(per_second)


async def _let_in(bot: ExtBot[str]) -> None:
    """Wait until Telegram has let the bot in; raise UserMistake where its token is refused."""
    delay = 1.0
    while True:
        try:
            await bot.initialize()
            return
        except InvalidToken as error:
            raise UserMistake("Telegram refuses the bot token: put the one that @BotFather gave at telegram.token") from error
        except TelegramError as error:
            log.warning("telegram_not_reached", reason=str(error), retry_in=delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 30.0)
