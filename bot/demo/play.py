"""A match in a minute, from simulator to chat."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
import structlog
from pydantic import SecretStr
from rich.console import Console
from telegram.error import InvalidToken, TelegramError

from bot.clock import Clock, SystemClock
from bot.demo.terminal import choose_terminal
from bot.errors import UserMistake
from bot.feed.connection import FeedConnection
from bot.feed.simulator.script import Script, script_from_packets
from bot.feed.simulator.server import Simulator
from bot.matches.pipeline import Pipeline
from bot.outbox.outbox import Outbox
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.messenger import BotMessenger, Messenger, build_bot
from bot.telegram.rate_limits import RateLimiter, ReplyAccounting, Unlimited
from bot.telegram.sender import Sender
from rules.engine.rule import RuleSet
from rules.football.action import Packet, SendType
from rules.football.catalogue import Catalogue
from rules.football.match import Match
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import SHIPPED_SCENARIOS, Scenario, ScenarioInvalid, load_scenario, parse_scenario

TERMINAL_CHAT = ChatRef(1)
"""The chat in the terminal."""

DEFAULT_SECONDS = 60.0
"""How long a match takes."""

_QUIET_INTERVAL = 60

_TOKEN = SecretStr("demo")


class DemoFeedSettings(msgspec.Struct, frozen=True):
    """Where the demo's feed is to be had."""

    stream_url: tuple[str, ...]
    token: SecretStr = _TOKEN
    stale_after: dt.timedelta = dt.timedelta(seconds=25)


class DemoTarget(msgspec.Struct, frozen=True):
    """Whom the match is told to, by which rules."""

    rules: RuleSet
    names: Catalogue
    messenger: Messenger
    chat: ChatRef = TERMINAL_CHAT
    rate_limits: RateLimiter | Unlimited = msgspec.field(default_factory=Unlimited)
    on_match: Callable[[Match], None] = lambda match: None
    clock: Clock = msgspec.field(default_factory=SystemClock)


def find_scenario(match: str) -> Scenario:
    """A match that ships, or one told in a YAML file; raise `UserMistake`."""
    if match in SHIPPED_SCENARIOS:
        return load_scenario(match)
    path = Path(match)
    if not path.is_file():
        raise UserMistake(f'there is no match "{match}": name {" or ".join(SHIPPED_SCENARIOS)}, or a scenario file')
    try:
        return parse_scenario(path.read_text(encoding="utf-8"), str(path))
    except (ScenarioInvalid, UnicodeDecodeError, OSError) as error:
        raise UserMistake(str(error)) from error


def build_script(scenario: Scenario, seconds: float = DEFAULT_SECONDS) -> Script:
    """The whole match, as the simulator is to speak it in so many seconds."""
    told = build_packets(scenario, quiet_interval=_QUIET_INTERVAL)
    return script_from_packets(scenario.fixture, pace_packets(told, told[0].at, seconds))


async def play_demo(
    match: str, seconds: float, rules: RuleSet, catalogue: Catalogue, console: Console | None = None, clock: Clock | None = None
) -> None:
    """Show a match in the terminal; raise `UserMistake` where there is no such match."""
    scenario = find_scenario(match)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with choose_terminal(console or Console()) as chat:
        await play_match(
            scenario, seconds, DemoTarget(rules, catalogue, chat, on_match=chat.on_match, clock=clock or SystemClock())
        )


async def play_demo_in_telegram(
    match: str, seconds: float, rules: RuleSet, catalogue: Catalogue, token: str, chat_id: int, api_url: str
) -> None:
    """Show a match in a real chat; raise `UserMistake` where Telegram does not let the bot in."""
    scenario = find_scenario(match)
    limits = RateLimiter()
    bot = build_bot(token, api_url, ReplyAccounting(limits, SystemClock()))
    try:
        async with bot:
            await play_match(scenario, seconds, DemoTarget(rules, catalogue, BotMessenger(bot), ChatRef(chat_id), limits))
    except InvalidToken as error:
        raise UserMistake("Telegram refuses the bot token: take the one that @BotFather gave") from error
    except TelegramError as error:
        raise UserMistake(f"Telegram cannot be reached at {api_url}: {error}") from error


async def play_match(scenario: Scenario, seconds: float, cast: DemoTarget) -> None:
    """Play a match from the simulator to the messenger, until all of it is told."""
    clock = cast.clock
    script = build_script(scenario, seconds)
    simulator = Simulator(
        [script], token=_TOKEN.get_secret_value(), lead=script.play_started_at - script.frames[0].at, clock=clock
    )
    async with _open_stage(cast, clock) as (pipeline, sender, working), simulator.serve() as urls:
        await pipeline.open(scenario.fixture)
        if first := pipeline.match(scenario.fixture.id):
            cast.on_match(first)

        async def take(packet: Packet, received: dt.datetime) -> None:
            cast.on_match((await pipeline.process(packet)).after)

        await _play_while_sending(
            working, FeedConnection(scenario.fixture.id, DemoFeedSettings((urls.stream,)), clock, take).run()
        )
        await pipeline.close(scenario.fixture.id, clock.now())
        await sender.send_all_due()


@asynccontextmanager
async def _open_stage(cast: DemoTarget, clock: Clock) -> AsyncIterator[tuple[Pipeline, Sender, asyncio.Task[None]]]:
    """A database in memory with one chat that takes everything, and a courier at work."""
    database = await Database.open("sqlite://")
    chats = ChatRepository(database)
    await chats.save(Chat(cast.chat, filter=AlertFilter(all_kinds=True)))
    await SubscriptionRepository(database).add(cast.chat, Subscription(Scope.ALL))
    outbox = Outbox(database, clock)
    sender = Sender(outbox.queue, cast.messenger, cast.rate_limits, clock, None)
    working = asyncio.create_task(sender.run())
    try:
        yield Pipeline(cast.rules, cast.names, outbox), sender, working
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        await database.close()


async def _play_while_sending(working: asyncio.Task[None], playing: Coroutine[Any, Any, Any]) -> None:
    """Play to the end; where the courier ends before that, such as by a closed pipe, raise what ended it."""
    play = asyncio.ensure_future(playing)
    try:
        await asyncio.wait({play, working}, return_when=asyncio.FIRST_COMPLETED)
        await (play if play.done() else working)
    finally:
        play.cancel()


_READING_WEIGHTS = {
    "Goal": 2.8,
    "Goal Disallowed": 1.8,
    "Own Goal": 2.8,
    "Penalty Awarded": 1.6,
    "Penalty Missed": 1.6,
    "Yellow Card": 1.4,
    "Red Card": 1.8,
    "Substitution In": 0.8,
    "Video Check Underway": 0.8,
    "Video Check Over": 1.0,
    "Start Clock": 0.8,
    "End Period": 1.4,
}
"""How long, against each other, the news of an action type is looked at before the next."""

_PENDING_SHARE = 0.8
"""The share of that for news that is not confirmed yet."""

_QUIET_WEIGHT = 10.0
"""What all quiet play of a match weighs together."""


def pace_packets(packets: Sequence[Packet], start: dt.datetime, seconds: float) -> tuple[Packet, ...]:
    """The same packets, moved so that the first comes at `start` and the last so many seconds later."""
    instants = compute_show_times(packets, seconds)
    return tuple(
        msgspec.structs.replace(packet, at=start + dt.timedelta(seconds=instant))
        for packet, instant in zip(packets, instants, strict=True)
    )


def compute_show_times(packets: Sequence[Packet], seconds: float) -> tuple[float, ...]:
    """For each packet, the seconds from the start at which it is to be shown; the last comes at the end."""
    if len(packets) < 2:
        return (0.0,) * len(packets)
    quiet = sum(1 for packet in packets if packet.type not in _READING_WEIGHTS)
    weights = [_reading_weight(packet, _QUIET_WEIGHT / max(quiet, 1)) for packet in packets[:-1]]
    scale = seconds / sum(weights)
    return tuple(instant * scale for instant in accumulate(weights, initial=0.0))


def _reading_weight(packet: Packet, quiet: float) -> float:
    reading = _READING_WEIGHTS.get(packet.type, quiet)
    return reading * _PENDING_SHARE if packet.send_type is SendType.PENDING else reading
