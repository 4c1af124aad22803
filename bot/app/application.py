"""One process from start to stop: signals, roles, waiting for Telegram and the database."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import structlog
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot.app.services import BackgroundWork, Services
from bot.app.workers import ChatWorker, FeedWorker, SenderWorker
from bot.clock import Clock, SystemClock
from bot.cluster.lease_manager import ALL_ROLES, Role
from bot.config.load import Config
from bot.errors import StorageError, StorageUnavailable, UserMistake
from bot.matches.snapshots import MatchDirectory
from bot.monitoring.http import serve
from bot.retry import Backoff, OutageLog, retry_while_database_unavailable
from bot.storage.database import Database
from bot.telegram.http import ApiHealth
from bot.telegram.messenger import build_bot
from bot.telegram.rate_limits import RateLimiter, ReplyAccounting
from bot.telegram.shared_rate_limits import SendAllowance, SharedRateLimiter

log = structlog.get_logger()

_DATABASE_START_TIMEOUT = 60.0
"""Seconds that a start waits for a database that is away."""

_DATABASE_RETRY_DELAY = 1.0

NEEDS_POSTGRES = (
    "several processes need PostgreSQL: put storage.url: postgresql://USER@HOST/NAME into the configuration, "
    "or leave --role out, so that one process does everything"
)


async def run_until_stopped(config: Config, roles: frozenset[Role] = ALL_ROLES) -> None:
    """Run until SIGTERM or Ctrl-C; raise UserMistake where it cannot start."""
    for warning in config.warnings:
        log.warning("configuration_warning", reason=warning)
    try:
        await StopSignal().run(lambda stack, stop: _start_application(config, roles, stack, stop))
    except StorageError as error:
        raise UserMistake(str(error)) from error


async def _start_application(
    config: Config, roles: frozenset[Role], stack: AsyncExitStack, stop: StopSignal
) -> asyncio.Future[Any]:
    """Make every part and set it to work; return the future of all background work."""
    clock = SystemClock()
    database = await _open_database(config.storage.url, clock)
    stack.push_async_callback(database.close)
    if roles != ALL_ROLES and not database.is_shared:
        raise UserMistake(NEEDS_POSTGRES)
    rate_limiter = _make_rate_limiter(config, database)
    api_health = ApiHealth(clock)
    bot = build_bot(
        config.telegram.token.get_secret_value(), config.telegram.api_url, ReplyAccounting(rate_limiter, clock), health=api_health
    )
    http = await stack.enter_async_context(aiohttp.ClientSession())
    application = Application(Services(config, clock, database, bot, rate_limiter, http, api_health, roles), roles)
    await (retry_while_database_unavailable(application.start) if database.is_shared else application.start())
    stop.on_hangup(application.services.reloader.request_reload)
    needed = "listen" in config.http.model_fields_set
    monitor = application.services.monitor
    await stack.enter_async_context(
        serve(config.http.listen, monitor.reasons_not_ready, monitor.render_metrics, is_required=needed)
    )
    stack.push_async_callback(bot.shutdown)
    if application.services.lease_manager:
        stack.push_async_callback(application.services.lease_manager.unregister)
    return await stack.enter_async_context(
        run_together(*application.background_work(), _run_with_telegram(application, bot, roles))
    )


async def _run_with_telegram(application: Application, bot: ExtBot[str], roles: frozenset[Role]) -> None:
    """Wait until Telegram accepts the bot, then run everything that needs Telegram for as long as the process runs."""
    await _wait_for_telegram(bot)
    async with run_together(*application.background_work_with_telegram()) as running:
        gc.collect()
        gc.freeze()  # what is made by now stays: to look through all of it would stop the loop for 75 ms now and then
        log.info("started", roles=",".join(sorted(roles)), rules=len(application.services.rule_versions.active.rules.rules))
        await running


class Application:
    """A running Touchline: what every process has, and a worker for each of its roles; None for those of other processes."""

    def __init__(self, services: Services, roles: frozenset[Role]) -> None:
        self.services = services
        self.feed = FeedWorker(services) if Role.FEED in roles else None
        self.sender = SenderWorker(services) if Role.SEND in roles else None
        self.match_directory = MatchDirectory(
            services.feed_api, services.positions, lambda: services.config.schedule, services.clock
        )
        self.chat = (
            ChatWorker(services, self.feed or self.match_directory, services.monitor.render_status)
            if Role.CHAT in roles
            else None
        )

    async def start(self) -> None:
        """Listen to the other processes, store the configured chats and load the rules."""
        services = self.services
        await services.listen()
        await services.store_configured_chats(services.config)
        await services.load_rules(services.config)

    def background_work(self) -> tuple[BackgroundWork, ...]:
        """Return what runs from the start, even while Telegram is unreachable: the outbox keeps the alerts until then."""
        return (*(self.feed.background_work() if self.feed else ()), *self.services.background_work())

    def background_work_with_telegram(self) -> tuple[BackgroundWork, ...]:
        """Return what runs only after Telegram has accepted the bot."""
        return (
            *(self.sender.background_work() if self.sender else ()),
            *(self.chat.background_work() if self.chat else ()),
            *((self.match_directory.run(),) if self.chat and not self.feed else ()),
            *self.services.background_work_with_telegram(),
        )


async def _open_database(url: str, clock: Clock) -> Database:
    """The database; a server that is away is waited for, for it may be starting or starting again. Raise StoreError."""
    until, outage = clock.monotonic() + _DATABASE_START_TIMEOUT, OutageLog()
    while True:
        try:
            return await Database.open(url)
        except StorageUnavailable as error:
            if url.startswith("sqlite") or clock.monotonic() >= until:
                raise
            if outage.on_failure():
                log.warning("waiting_for_database", reason=str(error))
            await asyncio.sleep(_DATABASE_RETRY_DELAY)


def _make_rate_limiter(config: Config, database: Database) -> RateLimiter | SharedRateLimiter:
    """Make the limiter for Telegram's rate limits. Several processes on one database share one allowance."""
    per_second = config.telegram.messages_per_second
    return SharedRateLimiter(SendAllowance(database), per_second) if database.is_shared else RateLimiter(per_second)


async def _wait_for_telegram(bot: ExtBot[str]) -> None:
    """Wait until Telegram accepts the bot; raise UserMistake where its token is refused."""
    backoff = Backoff(1.0, 30.0)
    while True:
        try:
            await bot.initialize()
            return
        except InvalidToken as error:
            raise UserMistake("Telegram refuses the bot token: put the one that @BotFather gave at telegram.token") from error
        except TelegramError as error:
            delay = backoff.next()
            log.warning("telegram_not_reached", reason=str(error), retry_in=delay)
            await asyncio.sleep(delay)


STOP_TIMEOUT = 3.5
"""Seconds that a stop may take before what still runs is cut off."""

T = TypeVar("T")


class StopSignal:
    """Set by SIGTERM and Ctrl-C."""

    def __init__(self) -> None:
        self._requested = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._requested.set)

    def on_hangup(self, call: Callable[[], None]) -> None:
        """Call the function at every SIGHUP."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, call)

    async def run(self, start: Callable[[AsyncExitStack, StopSignal], Awaitable[asyncio.Future[Any]]]) -> None:
        """Start, run until stopped, and shut down within STOP_TIMEOUT. Raise what a part raised."""
        running = asyncio.create_task(self._run(start))
        asked = asyncio.create_task(self._requested.wait())
        await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not running.done():
            await asyncio.wait({running}, timeout=STOP_TIMEOUT)
        if not running.done():
            log.warning("stop_cut_short")
            running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled() and (error := running.exception()):
            raise error

    async def _run(self, start: Callable[[AsyncExitStack, StopSignal], Awaitable[asyncio.Future[Any]]]) -> None:
        async with AsyncExitStack() as stack:
            running = await self._run_unless_stopped(start(stack, self))
            if running is not None:
                await self._run_unless_stopped(running)
        log.info("stopped")

    async def _run_unless_stopped(self, work: Awaitable[T]) -> T | None:
        """Return the result of the work, or None if the stop signal came first and cancelled it."""
        running, waiting = asyncio.ensure_future(work), asyncio.ensure_future(self._requested.wait())
        await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if running.done():
            return running.result()
        log.info("stopping")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return None


@asynccontextmanager
async def run_together(*parts: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Future[Any]]:
    """Run all parts while the block runs; the first that fails ends the future that is given."""
    tasks = [asyncio.create_task(part) for part in parts]
    together = asyncio.gather(*tasks)
    try:
        yield together
    finally:
        for task in reversed(tasks):
            if not task.cancelling():  # a second time would cut off what it does to put itself down
                task.cancel()
        await asyncio.gather(*tasks, together, return_exceptions=True)
