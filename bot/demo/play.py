"""A real match in about a minute: the simulator, the client, the rules, the outbox and the courier, and a chat to show it in."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import structlog
from pydantic import SecretStr
from rich.console import Console
from telegram.error import InvalidToken, TelegramError

from bot.clock import Clock, SystemClock
from bot.demo.pace import paced
from bot.demo.terminal import terminal_messenger
from bot.errors import UserMistake
from bot.feed.client import Connection
from bot.feed.simulator import Simulator
from bot.feed.timeline import Script, from_packets
from bot.outbox.outbox import Outbox
from bot.pipeline import Pipeline
from bot.store.chats import Chats
from bot.store.engine import Database
from bot.store.model import Chat, ChatRef, Scope, Subscription
from bot.telegram.bot_messenger import BotMessenger, build_bot
from bot.telegram.courier import Courier
from bot.telegram.limits import Limits, Unlimited
from bot.telegram.manners import Manners
from bot.telegram.messenger import Messenger
from rules.action import Packet
from rules.catalogue import Catalogue
from rules.match import Match
from rules.rule import RuleSet
from rules.scenario import SHIPPED, Scenario, ScenarioInvalid, read, shipped
from rules.telling import packets

CHAT = ChatRef(1)
"""The chat in the terminal."""

SECONDS = 60.0
"""How long a match takes."""

_QUIET = 60
_TOKEN = SecretStr("demo")


class Settings(msgspec.Struct, frozen=True):
    """Where the demo's feed is to be had."""

    stream_url: tuple[str, ...]
    token: SecretStr = _TOKEN
    stale_after: dt.timedelta = dt.timedelta(seconds=25)


class Cast(msgspec.Struct, frozen=True):
    """Whom the match is told to, by which rules."""

    rules: RuleSet
    names: Catalogue
    messenger: Messenger
    chat: ChatRef = CHAT
    limits: Limits | Unlimited = msgspec.field(default_factory=Unlimited)
    on_match: Callable[[Match], None] = lambda match: None
    clock: Clock = msgspec.field(default_factory=SystemClock)


def scenario_named(match: str) -> Scenario:
    """A match that ships, or one told in a YAML file; raise `UserMistake`."""
    if match in SHIPPED:
        return shipped(match)
    path = Path(match)
    if not path.is_file():
        raise UserMistake(f'there is no match "{match}": name {" or ".join(SHIPPED)}, or a scenario file')
    try:
        return read(path.read_text(encoding="utf-8"), str(path))
    except (ScenarioInvalid, UnicodeDecodeError, OSError) as error:
        raise UserMistake(str(error)) from error


def script_of(scenario: Scenario, seconds: float = SECONDS) -> Script:
    """The whole match, as the simulator is to speak it in so many seconds."""
    told = packets(scenario, quiet=_QUIET)
    return from_packets(scenario.fixture, paced(told, told[0].at, seconds))


async def demo(
    match: str, seconds: float, rules: RuleSet, names: Catalogue, console: Console | None = None, clock: Clock | None = None
) -> None:
    """Show a match in the terminal; raise `UserMistake` where there is no such match."""
    scenario = scenario_named(match)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with terminal_messenger(console or Console()) as chat:
        await perform(scenario, seconds, Cast(rules, names, chat, on_match=chat.on_match, clock=clock or SystemClock()))


async def demo_in_telegram(
    match: str, seconds: float, rules: RuleSet, names: Catalogue, token: str, chat_id: int, api_url: str
) -> None:
    """Show a match in a real chat; raise `UserMistake` where Telegram does not let the bot in."""
    scenario = scenario_named(match)
    limits = Limits()
    bot = build_bot(token, api_url, Manners(limits, SystemClock()))
    try:
        async with bot:
            await perform(scenario, seconds, Cast(rules, names, BotMessenger(bot), ChatRef(chat_id), limits))
    except InvalidToken as error:
        raise UserMistake("Telegram refuses the bot token: take the one that @BotFather gave") from error
    except TelegramError as error:
        raise UserMistake(f"Telegram cannot be reached at {api_url}: {error}") from error


async def perform(scenario: Scenario, seconds: float, cast: Cast) -> None:
    """Play a match from the simulator to the messenger, until all of it is told."""
    clock = cast.clock
    script = script_of(scenario, seconds)
    simulator = Simulator([script], token=_TOKEN.get_secret_value(), lead=script.started - script.frames[0].at, clock=clock)
    async with _stage(cast, clock) as (pipeline, courier, working), simulator.serve() as urls:
        await pipeline.open(scenario.fixture)
        if first := pipeline.match(scenario.fixture.id):
            cast.on_match(first)

        async def take(packet: Packet, received: dt.datetime) -> None:
            cast.on_match((await pipeline.take(packet)).after)

        await _while(working, Connection(scenario.fixture.id, Settings((urls.stream,)), clock, take).run())
        await pipeline.close(scenario.fixture.id, clock.now())
        await courier.drain()


@asynccontextmanager
async def _stage(cast: Cast, clock: Clock) -> AsyncIterator[tuple[Pipeline, Courier, asyncio.Task[None]]]:
    """A database in memory with one chat that takes everything, and a courier at work."""
    database = await Database.open("sqlite://")
    chats = Chats(database)
    await chats.save(Chat(cast.chat, all_kinds=True))
    await chats.subscribe(cast.chat, Subscription(Scope.ALL))
    outbox = Outbox(database, clock)
    courier = Courier(outbox, cast.messenger, cast.limits, clock, None)
    working = asyncio.create_task(courier.run())
    try:
        yield Pipeline(cast.rules, cast.names, outbox), courier, working
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        await database.close()


async def _while(working: asyncio.Task[None], playing: Coroutine[Any, Any, Any]) -> None:
    """Play to the end; where the courier ends before that, such as by a closed pipe, raise what ended it."""
    play = asyncio.ensure_future(playing)
    try:
        await asyncio.wait({play, working}, return_when=asyncio.FIRST_COMPLETED)
        await (play if play.done() else working)
    finally:
        play.cancel()
