"""One process from start to stop: opens the database, runs the parts that its roles need, and stops them in time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot.app.chat_worker import ChatWorker, send_sample
from bot.app.feed_worker import FeedWorker
from bot.app.sender_worker import SenderWorker
from bot.app.services import BackgroundWork, Services
from bot.chat.search.nicknames import Nicknames
from bot.chat.search.unknown_names import NameCheck
from bot.clock import Clock, CorrectedClock, SystemClock
from bot.cluster.processes import make_process_name
from bot.cluster.roles import ALL_ROLES, NEEDS_POSTGRES, Role, are_enough_alone
from bot.config.load import Config, load_config
from bot.config.reload import LoadConfig
from bot.errors import StorageError, StorageUnavailable, StorageUnusable, UserMistake
from bot.matches.match_directory import MatchDirectory
from bot.monitoring.http import serve
from bot.network import open_http_session, trust_authority
from bot.retry import Backoff, OutageLog, retry_while_database_unavailable
from bot.sharing import tune_garbage_collection
from bot.storage.database import Database, read_storage_url
from bot.storage.database_file import (
    DatabaseFileGuard,
    DatabaseLock,
    count_stored_chats,
    describe_empty_database,
    find_database_file,
)
from bot.storage.driver import UPDATES_CHANNEL
from bot.telegram.http import ApiHealth
from bot.telegram.limits.paid_messages import FREE_MESSAGES_PER_SECOND, PaidMessageRepository, PaidMessages
from bot.telegram.limits.rate_limits import RateLimiter, RateLimitPolicy
from bot.telegram.limits.rate_shares import RateShareRepository
from bot.telegram.limits.shared_rate_limits import SharedRateLimiter
from bot.telegram.messenger import build_bot
from bot.telegram.reply_accounting import ReplyAccounting
from bot.threads import DaemonThreads

if TYPE_CHECKING:
    from bot.app.console_worker import ConsoleWorker

log = structlog.get_logger()

_DATABASE_START_TIMEOUT = 60.0
"""Seconds that a start waits for a PostgreSQL server that cannot be reached: longer than one needs to start."""

_DATABASE_RETRY_DELAY = 1.0

_MAX_THREADS = 256
"""Threads of the event loop. Each name that is looked up takes one for as long as its name server is silent, and the feed's must
not keep Telegram's name waiting: five are asked for a second, for up to 40 s."""


async def run_until_stopped(
    config: Config,
    roles: frozenset[Role] = ALL_ROLES,
    *,
    stop: StopSignal | None = None,
    load: LoadConfig = load_config,
) -> None:
    """Run until SIGTERM or Ctrl-C. Raises UserMistake with a sentence if it cannot start, and what a part raised later.

    `stop` lets the caller stop it, too. `load` reads the configuration again when its files change.
    """
    for warning in config.warnings:
        log.warning("configuration_warning", reason=warning)
    asyncio.get_running_loop().set_default_executor(DaemonThreads(_MAX_THREADS, "touchline"))
    try:
        await (stop or StopSignal()).run(lambda stack, stop: _start_application(config, roles, load, stack, stop))
    except StorageError as error:
        raise UserMistake(str(error)) from error


async def _start_application(
    config: Config, roles: frozenset[Role], load: LoadConfig, stack: AsyncExitStack, stop: StopSignal
) -> asyncio.Future[Any]:
    """Make every part and set it to work. Return the future of all background work; leaving `stack` stops and closes it."""
    machine_clock = SystemClock()
    api_health = ApiHealth(machine_clock)
    clock = CorrectedClock(machine_clock, lambda: api_health.clock_skew)
    # Before the database is opened, since opening migrates it: another version may be at work on it.
    file, lock = find_database_file(read_storage_url(config.storage.url)), None
    if file is not None:
        lock = DatabaseLock(file)
        await lock.acquire()
        stack.callback(lock.release)
    database = await _open_database(config.storage.url, clock)
    # The stack is left in the opposite order, which is why the order of these lines matters: first all work stops, then leases
    # are released, then the bot and the pages are closed, and the database last.
    stack.push_async_callback(database.close)
    if not are_enough_alone(roles) and not database.is_shared:
        raise UserMistake(NEEDS_POSTGRES)
    process_name = make_process_name()
    rate_limiter, paid = _build_rate_limiter(config, database, clock, process_name, is_sender=Role.SEND in roles)
    trust_authority(config.tls.ca_file)
    bot = build_bot(
        config.telegram.token.get_secret_value(),
        config.telegram.api_url,
        ReplyAccounting(rate_limiter, clock),
        health=api_health,
        proxy=config.telegram.proxy.get_secret_value() if config.telegram.proxy else None,
    )
    http = await stack.enter_async_context(open_http_session())
    services = Services(config, clock, database, process_name, bot, rate_limiter, http, api_health, roles, load, paid)
    application = Application(services, roles)
    guard: DatabaseFileGuard | None = None
    if file is not None and lock is not None:
        guard = await _guard_database_file(application.services, file, lock)
        stack.push_async_callback(guard.finish)
    # A server may go away between opening the database and here. A file that fails now will not be better later.
    await (_start_on_file(application, guard) if guard else retry_while_database_unavailable(application.start))
    stop.on_hangup(application.services.reloader.request_reload)
    # The default port may be taken, as by a second bot on this machine: only a port that the operator wrote is a must.
    needed = "listen" in config.http.model_fields_set
    monitor = application.services.monitor
    await stack.enter_async_context(
        serve(config.http.listen, monitor.reasons_not_ready, monitor.render_metrics, is_required=needed)
    )
    if application.console:
        await stack.enter_async_context(application.console.serving())
    stack.push_async_callback(bot.shutdown)
    stack.push_async_callback(application.services.feed_limiter.close)
    if application.services.lease_manager:
        stack.push_async_callback(application.services.lease_manager.unregister)
    return await stack.enter_async_context(
        run_together(
            *application.background_work(), *((guard.run(),) if guard else ()), _run_with_telegram(application, bot, roles)
        )
    )


async def _run_with_telegram(application: Application, bot: ExtBot[str], roles: frozenset[Role]) -> None:
    """Wait until Telegram accepts the bot, then run everything that needs Telegram for as long as the process runs."""
    await _wait_for_telegram(bot)
    async with run_together(*application.background_work_with_telegram()) as running:
        tune_garbage_collection()
        log.info("started", roles=",".join(sorted(roles)), rules=len(application.services.rule_versions.active.rules.rules))
        await running


class Application:
    """A process with its roles: the services that every process has, and a worker for each role; None for other roles."""

    def __init__(self, services: Services, roles: frozenset[Role]) -> None:
        self.services = services
        self.feed = FeedWorker(services) if Role.FEED in roles else None
        self.sender = SenderWorker(services) if Role.SEND in roles else None
        self.match_directory = MatchDirectory(
            services.feed_api, services.positions, lambda: services.config.schedule, services.clock
        )
        directory = self.feed or self.match_directory
        self.name_check = NameCheck(
            directory.fixtures,
            lambda: self.chat.season_fixtures() if self.chat else (),
            lambda: (services.rule_versions.active.rules.names, services.config.chat_names),
            Nicknames(services.config.telegram.nicknames),
        )
        services.monitor.name_lines = self.name_check.list_lines
        if self.feed:
            self.feed.scheduler.fixtures.on_refreshed = self.name_check.request_check
            services.on_settings_changed.append(self.name_check.request_check)
            services.on_rules_changed.append(lambda _rules, _catalogue: self.name_check.request_check())
        status, names = services.monitor.render_status, self.name_check.list_lines
        self.chat = ChatWorker(services, directory, status, names) if Role.CHAT in roles else None
        self.console: ConsoleWorker | None = None
        if (console := services.config.http.console) and Role.CONSOLE in roles:
            # Only here: most bots have no console, and what its pages read takes time and memory to import.
            from bot.app.console_worker import ConsoleWorker

            self.console = ConsoleWorker(services, console, partial(send_sample, services))

    async def start(self) -> None:
        """Listen to the other processes, store the configured chats and load the rules. May be called again if it failed."""
        services = self.services
        # First, because the times that other processes have stored are by the database's clock.
        await services.read_database_clock()
        # Before anything is read: a change between reading and listening would go unnoticed.
        await services.listen()
        if self.chat:
            await services.database.listen(UPDATES_CHANNEL, self.chat.update_order.on_changed)
        await services.configured_chats.store(services.config)
        await services.load_rules(services.config)

    def background_work(self) -> tuple[BackgroundWork, ...]:
        """Return what runs from the start, even while Telegram is unreachable: the outbox keeps the alerts until then."""
        # Where fixtures are read for matches, names are compared with them too; other processes do it when they are asked.
        feed = (*self.feed.background_work(), self.name_check.run()) if self.feed else ()
        return (*feed, *self.services.background_work())

    def background_work_with_telegram(self) -> tuple[BackgroundWork, ...]:
        """Return what runs only after Telegram has accepted the bot."""
        return (
            *(self.sender.background_work() if self.sender else ()),
            *(self.chat.background_work() if self.chat else ()),
            # A process that follows matches knows them itself and needs no directory.
            *((self.match_directory.run(),) if (self.chat or self.console) and not self.feed else ()),
            *((self.console.run(),) if self.console else ()),
            *self.services.background_work_with_telegram(),
        )


async def _open_database(url: str, clock: Clock) -> Database:
    """Open the database, and wait for a server that cannot be reached: it may be starting too. Raises StorageError."""
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


async def _guard_database_file(services: Services, file: Path, lock: DatabaseLock) -> DatabaseFileGuard:
    """Tell the admins of a database that lost its chats since the last run; return what looks after its file."""
    if lock.kept_damaged_file:
        services.admins.post_event(
            f"The database {file} was damaged, and its repair was interrupted. All that could be read is in a new file now. The "
            f"damaged file is {lock.kept_damaged_file}. Check the disk; if chats are missing, restore your last backup."
        )
    # A damaged file is met again by the start, which repairs it.
    with suppress(StorageUnusable):
        # Before the configured chats are stored, so that only those count that the last run knew.
        if (known := lock.read_chat_count()) and not await count_stored_chats(services.database):
            log.warning("database_is_empty", file=str(file), chats_before=known)
            services.admins.post_event(describe_empty_database(file, known))
    reported = services.monitor.reported
    return DatabaseFileGuard(
        services.database, file, lock, services.clock, reported.report, reported.clear, services.admins.post_event
    )


def _build_rate_limiter(
    config: Config, database: Database, clock: Clock, process_name: str, *, is_sender: bool
) -> tuple[RateLimitPolicy, PaidMessages | None]:
    """Make what says when messages may leave, and what counts those that are paid for; None: none are."""
    per_second, paid = config.telegram.messages_per_second, None
    if config.telegram.allow_paid_broadcast and per_second > FREE_MESSAGES_PER_SECOND:
        paid = PaidMessages(PaidMessageRepository(database), clock, per_second)
    if not database.is_shared:
        return RateLimiter(per_second, paid), paid
    # Telegram counts all messages of a bot together, so several processes share one rate.
    shares = RateShareRepository(database, process_name)
    return SharedRateLimiter(shares, per_second, is_sender=is_sender, paid=paid), paid


async def _start_on_file(application: Application, guard: DatabaseFileGuard) -> None:
    """Start on a SQLite file; of a damaged one, what can be read is enough."""
    try:
        await application.start()
    except StorageUnusable:
        if not await guard.repair():
            raise
        await application.start()


async def _wait_for_telegram(bot: ExtBot[str]) -> None:
    """Wait until Telegram accepts the bot. Raises UserMistake if it refuses the token."""
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
"""Seconds that a stop may take before what still runs is cut off. Docker kills a container after 10 s."""

T = TypeVar("T")


class StopSignal:
    """Runs a process until SIGTERM or Ctrl-C."""

    def __init__(self) -> None:
        self._requested, self._hung_up = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._requested.set)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up.set)

    def request(self) -> None:
        """Stop, as SIGTERM does."""
        self._requested.set()

    def on_hangup(self, call: Callable[[], None]) -> None:
        """Call a function at every SIGHUP, which asks for a reload by tradition, and for one that came before."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, call)
        if self._hung_up.is_set():
            call()

    async def run(self, start: Callable[[AsyncExitStack, StopSignal], Awaitable[asyncio.Future[Any]]]) -> None:
        """Start, run until stopped, and shut down within STOP_TIMEOUT. Raise what a part raised."""
        running = asyncio.create_task(self._run(start))
        requested = asyncio.create_task(self._requested.wait())
        await asyncio.wait({running, requested}, return_when=asyncio.FIRST_COMPLETED)
        requested.cancel()
        if not running.done():
            # `_run` reacts to the signal itself, in whichever of its two phases it is. Here only its time is limited.
            await asyncio.wait({running}, timeout=STOP_TIMEOUT)
        if not running.done():
            log.warning("stop_cut_short")
            running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled() and (error := running.exception()):
            raise error

    async def _run(self, start: Callable[[AsyncExitStack, StopSignal], Awaitable[asyncio.Future[Any]]]) -> None:
        async with AsyncExitStack() as stack:
            # A start may wait for the database or another process, and then must be stoppable too.
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
    """Run all parts while the block runs, and yield a future that ends with the first error of one of them."""
    tasks = [asyncio.create_task(part) for part in parts]
    together = asyncio.gather(*tasks)
    try:
        yield together
    finally:
        for task in reversed(tasks):
            # A second cancellation would interrupt what a task does to finish, such as storing what was sent.
            if not task.cancelling():
                task.cancel()
        await asyncio.gather(*tasks, together, return_exceptions=True)
