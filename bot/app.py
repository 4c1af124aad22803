"""The only place that wires everything: one process with its database, its feed connections, its bot and its courier."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import structlog
from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder, ExtBot

from bot.admins import Admins
from bot.chats.commands import Deps, build_handlers, handle_error, register
from bot.chats.updates import Updates
from bot.clock import SystemClock
from bot.config import Config
from bot.errors import StoreError, UserMistake
from bot.feed.api import FeedApi
from bot.follow import Follower
from bot.http import serving
from bot.metrics import DELIVERIES
from bot.outbox.outbox import Outbox
from bot.pipeline import Pipeline
from bot.schedule.runner import Runner
from bot.settings import FixedChat
from bot.status import status_text
from bot.store.chats import Chats
from bot.store.engine import Database
from bot.store.model import Chat, ChatRef, Subscription
from bot.telegram.bot_messenger import BotMessenger, build_bot
from bot.telegram.courier import Courier, Delivery
from bot.telegram.limits import Limits
from bot.telegram.manners import Manners
from rules.action import Fixture
from rules.alert import KINDS
from rules.match import Match

log = structlog.get_logger()

STOP_WITHIN = 3.5
"""Seconds that a stop may take before what still runs is cut off."""
_PRUNE_EVERY = 3600.0

T = TypeVar("T")


async def run_until_stopped(config: Config) -> None:
    """Run until SIGTERM or Ctrl-C; raise UserMistake where it cannot start."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    working = asyncio.create_task(_run(config, stop))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not working.done():
        await asyncio.wait({working}, timeout=STOP_WITHIN)
    if not working.done():
        log.warning("stop_cut_short")
        working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    if not working.cancelled() and (error := working.exception()):
        raise error


async def _run(config: Config, stop: asyncio.Event) -> None:
    for warning in config.warnings:
        log.warning("configuration", reason=warning)
    try:
        async with AsyncExitStack() as stack:
            troubled = await _unless_stopped(stop, _start(config, stack))
            if troubled is not None:
                log.info("started", rules=len(config.rules.rules))
                await _unless_stopped(stop, troubled)
    except StoreError as error:
        raise UserMistake(str(error)) from error
    log.info("stopped")


async def _unless_stopped(stop: asyncio.Event, work: Awaitable[T]) -> T | None:
    """What the work gives, or None after the stop, which cuts it off."""
    working, waiting = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait({waiting, working}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if working.done():
        return working.result()
    log.info("stopping")
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return None


async def _start(config: Config, stack: AsyncExitStack) -> asyncio.Future[Any]:
    """Make every part and set it to work; the future of all that works."""
    clock = SystemClock()
    database = await Database.open(config.storage.url)
    stack.push_async_callback(database.close)
    chats = Chats(database)
    await chats.set_fixed([fixed(chat, config) for chat in config.chats])
    limits = Limits(config.telegram.messages_per_second)
    bot = build_bot(config.telegram.token.get_secret_value(), config.telegram.api_url, Manners(limits, clock))
    application = await _talking(stack, bot)
    messenger = BotMessenger(bot, allow_paid_broadcast=config.telegram.allow_paid_broadcast)
    admins = Admins(messenger, config.telegram.admins)
    outbox = Outbox(database, clock)
    courier = Courier(outbox, messenger, limits, clock, _count, chats)
    pipeline = Pipeline(config.rules, config.catalogue, outbox)
    follower = Follower(pipeline, config.feed, clock, admins.feed_refused)
    http = await stack.enter_async_context(aiohttp.ClientSession())
    source = FeedApi(config.feed, http, clock)
    runner = Runner(
        source, chats.every_subscription, follower.follow, config.schedule, clock, admins.feed_refused, follower.updated
    )
    chats.changed = _both(runner.wake, outbox.recover)

    async def status() -> str:
        return status_text(follower.statuses(), pipeline.match, len(runner.planned()), await outbox.waiting(), clock.now())

    directory = Directory(runner, pipeline)
    deps = Deps(chats, directory, lambda: kinds(pipeline), clock, frozenset(config.telegram.admins), status)
    application.add_handlers(build_handlers(deps))
    application.add_error_handler(handle_error)
    updates = Updates(bot, application.update_queue.put, admins.tell)
    await stack.enter_async_context(serving(config.http.listen, tuple, needed="listen" in config.http.model_fields_set))
    return await stack.enter_async_context(
        _working(courier.run(), runner.run(), updates.run(), _pruning(outbox, config), _introduced(bot))
    )


@asynccontextmanager
async def _working(*parts: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Future[Any]]:
    """Run all parts while the block runs; the first that fails ends the future that is given."""
    tasks = [asyncio.create_task(part) for part in parts]
    together = asyncio.gather(*tasks)
    try:
        yield together
    finally:
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, together, return_exceptions=True)


async def _talking(stack: AsyncExitStack, bot: ExtBot[str]) -> Application[Any, Any, Any, Any, Any, Any]:
    """The application that answers people, once Telegram has let the bot in; raise UserMistake where its token is refused."""
    application = ApplicationBuilder().bot(bot).updater(None).job_queue(None).concurrent_updates(64).build()
    delay = 1.0
    while True:
        try:
            await application.initialize()
            break
        except InvalidToken as error:
            raise UserMistake("Telegram refuses the bot token: put the one that @BotFather gave at telegram.token") from error
        except TelegramError as error:
            log.warning("telegram_not_reached", reason=str(error), retry_in=delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 30.0)
    stack.push_async_callback(application.shutdown)
    await application.start()
    stack.push_async_callback(application.stop)
    return application


async def _introduced(bot: ExtBot[str]) -> None:
    """Tell Telegram the commands; without them the bot works all the same."""
    try:
        await register(bot)
    except TelegramError as error:
        log.warning("commands_not_registered", reason=str(error))


async def _pruning(outbox: Outbox, config: Config) -> None:
    """Forget what is older than `storage.keep`, once an hour."""
    while True:
        gone = await outbox.prune(config.storage.keep)
        log.info("old_entries_forgotten", count=gone)
        await asyncio.sleep(_PRUNE_EVERY)


class Directory:
    """The fixtures that are known now, and how their matches stand: what dialogues look at."""

    def __init__(self, runner: Runner, pipeline: Pipeline) -> None:
        self._runner, self._pipeline = runner, pipeline

    def fixtures(self) -> tuple[Fixture, ...]:
        """The fixtures known now, by kick-off."""
        return self._runner.fixtures()

    def match(self, fixture_id: str) -> Match | None:
        """How a match being followed stands."""
        return self._pipeline.match(fixture_id)


def fixed(chat: FixedChat, config: Config) -> tuple[Chat, tuple[Subscription, ...]]:
    """A chat of the configuration: exactly the kinds it names, or all."""
    place = ChatRef(chat.chat, chat.topic)
    kind = "private" if chat.chat > 0 else "supergroup"
    if chat.kinds is None:
        return Chat(place, kind, all_kinds=True, fixed=True), chat.subscribe
    on = frozenset(chat.kinds)
    return Chat(place, kind, kinds_on=on, kinds_off=frozenset({*KINDS, *config.rules.kinds()}) - on, fixed=True), chat.subscribe


def kinds(pipeline: Pipeline) -> tuple[str, ...]:
    """The kinds on offer: those that some rule uses."""
    return pipeline.rules.kinds()


def _both(*callbacks: Any) -> Any:
    def call() -> None:
        for callback in callbacks:
            callback()

    return call


def _count(delivery: Delivery) -> None:
    """One line and one count for everything that Telegram took."""
    DELIVERIES.labels(delivery.op).inc()
    log.info(
        "told",
        op=delivery.op,
        chat=delivery.chat.chat_id,
        fixture=delivery.alert.key.fixture_id,
        action=delivery.alert.key.action_id,
        rule=delivery.alert.rule,
        kind=delivery.alert.kind,
        reason=delivery.reason.value,
    )
