"""The only place that wires everything: one process with its database, its feed connections, its bot and its courier."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder, ExtBot

from bot.chats.commands import Deps, build_handlers, handle_error, register
from bot.chats.place_words import SAMPLE as SAMPLE_TEXT
from bot.chats.rules_desk import rules_handlers
from bot.chats.updates import Updates
from bot.clock import Clock, SystemClock
from bot.config import Config
from bot.errors import StoreError, UserMistake
from bot.feed.api import FeedApi
from bot.fixed import fixed
from bot.follow import Follower
from bot.metrics import DELIVERIES
from bot.outbox.outbox import Outbox
from bot.outbox.sample import sample_alert
from bot.pictures.maker import available, picture_of
from bot.pipeline import Pipeline
from bot.process import Stop, working
from bot.rulebook.book import Rulebook
from bot.rulebook.current import Current
from bot.rulebook.last_matches import LastMatches
from bot.rulebook.preview import preview
from bot.rulebook.reload import Reloader
from bot.rulebook.takeover import Takeover
from bot.schedule.runner import Runner
from bot.snapshots import Snapshots
from bot.store.chats import Chats
from bot.store.engine import Database
from bot.store.history import History
from bot.store.model import ChatRef
from bot.store.positions import Positions
from bot.store.standings import Standings
from bot.telegram.bot_messenger import BotMessenger, build_bot
from bot.telegram.courier import Courier, Delivery
from bot.telegram.limits import Limits
from bot.telegram.manners import Manners
from bot.watch.admins import Admins
from bot.watch.http import serving
from bot.watch.status import status_text
from rules.action import Fixture
from rules.match import Match

log = structlog.get_logger()

_PRUNE_EVERY = 3600.0
_LEFT_WITHIN = dt.timedelta(days=1)

Talking = Application[Any, Any, Any, Any, Any, Any]


async def run_until_stopped(config: Config) -> None:
    """Run until SIGTERM or Ctrl-C; raise UserMistake where it cannot start."""
    for warning in config.warnings:
        log.warning("configuration", reason=warning)
    try:
        await Stop().around(lambda stack, stop: _start(config, stack, stop))
    except StoreError as error:
        raise UserMistake(str(error)) from error


async def _start(config: Config, stack: AsyncExitStack, stop: Stop) -> asyncio.Future[Any]:
    """Make every part and set it to work; the future of all that works."""
    clock = SystemClock()
    database = await Database.open(config.storage.url)
    stack.push_async_callback(database.close)
    limits = Limits(config.telegram.messages_per_second)
    bot = build_bot(config.telegram.token.get_secret_value(), config.telegram.api_url, Manners(limits, clock))
    talking = await _talking(stack, bot)
    http = await stack.enter_async_context(aiohttp.ClientSession())
    house = House(config, clock, database, bot, limits, http)
    await house.settle(config)
    await house.open_book(config)
    talking.add_handlers(house.handlers())
    talking.add_error_handler(handle_error)
    stop.on_hangup(house.reloader.hangup)
    await stack.enter_async_context(serving(config.http.listen, tuple, needed="listen" in config.http.model_fields_set))
    parts = [house.courier.run(), house.runner.run(), house.reloader.run(), house.updates(talking).run()]
    at_work = await stack.enter_async_context(working(*parts, house.pruning(), _introduced(bot)))
    gc.collect()
    gc.freeze()  # what is made by now stays: to look through all of it would stop the loop for 75 ms now and then
    log.info("started", rules=len(house.pipeline.rules.rules))
    return at_work


class House:
    """Every part of a running Touchline, each made once and given to those that need it."""

    def __init__(
        self, config: Config, clock: Clock, database: Database, bot: ExtBot[str], limits: Limits, http: aiohttp.ClientSession
    ) -> None:
        self.clock, self.bot = clock, bot
        self.current = Current(config)
        self.chats = Chats(database)
        self.outbox = Outbox(database, clock)
        messenger = BotMessenger(bot, allow_paid_broadcast=config.telegram.allow_paid_broadcast)
        self.admins = Admins(messenger, self.current.admins)
        self.courier = Courier(self.outbox, messenger, limits, clock, _count, self.chats)
        self.positions = Positions(database, clock)
        self.pipeline = Pipeline(config.rules, config.catalogue, self.outbox, Snapshots(self.positions))
        self.book = Rulebook(History(database), clock, config, self.pipeline.use)
        self.last_matches = LastMatches(Path(config.storage.last_matches_folder), config.storage.last_matches)
        self._feed(database, http)
        self.chats.changed = self._chats_changed
        takeover = Takeover(self.current, self.book, self.settle, self._look_again, self.admins.tell)
        self.reloader = Reloader(config, os.environ, takeover, self.admins.tell)

    def _feed(self, database: Database, http: aiohttp.ClientSession) -> None:
        admins, source = self.admins, FeedApi(self.current.feed, http, self.clock)
        self.follower = Follower(
            self.pipeline,
            self.current.feed,
            self.clock,
            admins.feed_refused,
            admins.feed_accepted,
            archive=source,
            last=self.last_matches,
        )
        self.runner = Runner(
            source,
            self.chats.every_subscription,
            self.follower.follow,
            self.current.schedule,
            self.clock,
            admins.feed_refused,
            self.follower.updated,
            admins.feed_accepted,
            Standings(database, self.clock),
            self.unfinished,
        )

    async def unfinished(self) -> frozenset[str]:
        """The matches of the last day that an earlier process left in the middle."""
        return await self.positions.unfinished(self.clock.now() - _LEFT_WITHIN)

    async def settle(self, config: Config) -> None:
        """Store the configuration's chats."""
        await self.chats.set_fixed([fixed(chat, config) for chat in config.chats])

    async def open_book(self, config: Config) -> None:
        """Begin with the rules that hold: the configuration's, or those applied in Telegram."""
        if ended := await self.book.take(config):
            await self.admins.tell(ended)

    def _chats_changed(self) -> None:
        self.runner.wake()
        self.outbox.recover()

    def _look_again(self) -> None:
        self.runner.wake()
        self.follower.reload()

    def handlers(self) -> list[Any]:
        """Everything that people can say; the rules desk first, since the others take every button."""
        draw = picture_of if available() else None
        deps = Deps(
            self.chats, self, self.kinds, self.clock, self.current.admins, self.status, self.outbox.why, draw, self.sample
        )
        return [*rules_handlers(self.book, self.current.admins, preview, self.last_matches.recordings), *build_handlers(deps)]

    def updates(self, talking: Talking) -> Updates:
        """What brings people's words in."""
        return Updates(self.bot, talking.update_queue.put, self.admins.tell)

    def fixtures(self) -> tuple[Fixture, ...]:
        """The fixtures known now, by kick-off."""
        return self.runner.fixtures()

    def match(self, fixture_id: str) -> Match | None:
        """How a match being followed stands; None for any other."""
        return self.pipeline.match(fixture_id)

    def kinds(self) -> tuple[str, ...]:
        """The kinds on offer: those that some rule uses."""
        return self.pipeline.rules.kinds()

    async def sample(self, ref: ChatRef, name: str, delay: int) -> None:
        """Send one chat a sample alert by the way of real ones."""
        await self.outbox.give(ref, sample_alert(ref, name, SAMPLE_TEXT, self.clock.now()), delay)

    async def status(self) -> str:
        """What `/status` says."""
        waiting, planned = await self.outbox.waiting(), len(self.runner.planned())
        return status_text(self.follower.statuses(), self.match, planned, waiting, self.clock.now())

    async def pruning(self) -> None:
        """Forget what is older than `storage.keep`, once an hour."""
        while True:
            gone = await self.outbox.prune(self.current.config.storage.keep)
            log.info("old_entries_forgotten", count=gone)
            await asyncio.sleep(_PRUNE_EVERY)


async def _talking(stack: AsyncExitStack, bot: ExtBot[str]) -> Talking:
    """The application that answers people, once Telegram has let the bot in; raise UserMistake where its token is refused."""
    talking = ApplicationBuilder().bot(bot).updater(None).job_queue(None).concurrent_updates(64).build()
    delay = 1.0
    while True:
        try:
            await talking.initialize()
            break
        except InvalidToken as error:
            raise UserMistake("Telegram refuses the bot token: put the one that @BotFather gave at telegram.token") from error
        except TelegramError as error:
            log.warning("telegram_not_reached", reason=str(error), retry_in=delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 30.0)
    stack.push_async_callback(talking.shutdown)
    await talking.start()
    stack.push_async_callback(talking.stop)
    return talking


async def _introduced(bot: ExtBot[str]) -> None:
    """Tell Telegram the commands; without them the bot works all the same."""
    try:
        await register(bot)
    except TelegramError as error:
        log.warning("commands_not_registered", reason=str(error))


def _count(delivery: Delivery) -> None:
    """One line and one count for everything that Telegram took."""
    DELIVERIES.labels(delivery.op, delivery.alert.kind, delivery.reason.value).inc()
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
