"""Plays a scenario in about a minute through the whole bot: simulator, feed connection, pipeline, sender, chat."""

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
from bot.config.models import FeedSettings
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

DEFAULT_SECONDS = 60.0
"""Seconds that a match takes."""

_QUIET_INTERVAL = 60
"""Seconds of match time between two packets without news, which move the clock on."""

_TOKEN = SecretStr("demo")


class DemoTarget(msgspec.Struct, frozen=True):
    """The chat that the match is sent to, and the rules that decide what is sent."""

    rules: RuleSet
    catalogue: Catalogue
    messenger: Messenger
    chat: ChatRef = TERMINAL_CHAT
    rate_limits: RateLimiter | Unlimited = msgspec.field(default_factory=Unlimited)
    on_match: Callable[[Match], None] | None = None
    """Called with the match as it is at first and after every packet."""
    clock: Clock = msgspec.field(default_factory=SystemClock)


async def play_demo(
    match: str, seconds: float, rules: RuleSet, catalogue: Catalogue, console: Console | None = None, clock: Clock | None = None
) -> None:
    """Show a match in the terminal. Raises UserMistake if there is no such match."""
    scenario = find_scenario(match)
    # Log lines would be drawn into the chat.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with choose_terminal(console or Console()) as terminal:
        target = DemoTarget(rules, catalogue, terminal, on_match=terminal.on_match, clock=clock or SystemClock())
        await play_match(scenario, seconds, target)


async def play_demo_in_telegram(
    match: str, seconds: float, rules: RuleSet, catalogue: Catalogue, token: str, chat_id: int, api_url: str
) -> None:
    """Show a match in a real chat. Raises UserMistake if there is no such match, or if Telegram does not accept the bot."""
    scenario = find_scenario(match)
    # The real limits: a demo in a group that ends with a 429 would be a poor advertisement.
    limits = RateLimiter()
    bot = build_bot(token, api_url, ReplyAccounting(limits, SystemClock()))
    try:
        async with bot:
            await play_match(scenario, seconds, DemoTarget(rules, catalogue, BotMessenger(bot), ChatRef(chat_id), limits))
    except InvalidToken as error:
        raise UserMistake("Telegram refuses the bot token: take the one that @BotFather gave") from error
    except TelegramError as error:
        raise UserMistake(f"Telegram cannot be reached at {api_url}: {error}") from error


def find_scenario(match: str) -> Scenario:
    """Return a shipped match by its name, or the one that a YAML file describes. Raises UserMistake if it cannot be read."""
    if match in SHIPPED_SCENARIOS:
        return load_scenario(match)
    path = Path(match)
    if not path.is_file():
        raise UserMistake(f'there is no match "{match}": name {" or ".join(SHIPPED_SCENARIOS)}, or a scenario file')
    try:
        return parse_scenario(path.read_text(encoding="utf-8"), str(path))
    except (ScenarioInvalid, UnicodeDecodeError, OSError) as error:
        raise UserMistake(str(error)) from error


async def play_match(scenario: Scenario, seconds: float, target: DemoTarget) -> None:
    """Play a match from the simulator to the messenger. Returns when its last message is sent."""
    clock, fixture = target.clock, scenario.fixture
    script = build_script(scenario, seconds)
    # Playback begins at the first frame: with the default lead it would begin a minute before play, and outlast `seconds`.
    lead = script.play_started_at - script.frames[0].at
    simulator = Simulator([script], token=_TOKEN.get_secret_value(), lead=lead, clock=clock)
    # The real simulator, connection and pipeline over loopback: what is shown is what the product does.
    async with _run_pipeline(target) as (pipeline, sender, sending), simulator.serve() as urls:
        await pipeline.open(fixture)
        first = pipeline.match(fixture.id)
        if first and target.on_match:
            target.on_match(first)

        async def on_packet(packet: Packet, received: dt.datetime) -> None:
            moment = await pipeline.process(packet)
            if target.on_match:
                target.on_match(moment.after)

        settings = FeedSettings(token=_TOKEN, stream_url=(urls.stream,))
        connection = FeedConnection(fixture.id, lambda: settings, clock, on_packet)
        await _run_until_sender_fails(connection.run(), sending)
        # What is still due when the match is over, such as the last edit of a message.
        await pipeline.close(fixture.id, clock.now())
        await sender.send_all_due()


@asynccontextmanager
async def _run_pipeline(target: DemoTarget) -> AsyncIterator[tuple[Pipeline, Sender, asyncio.Task[None]]]:
    """Open a database in memory with one chat that is subscribed to everything, and run a sender while the block runs."""
    database = await Database.open("sqlite://")
    await ChatRepository(database).save(Chat(target.chat, filter=AlertFilter(all_kinds=True)))
    await SubscriptionRepository(database).add(target.chat, Subscription(Scope.ALL))
    # In memory: the demo leaves nothing behind.
    outbox = Outbox(database, target.clock)
    sender = Sender(outbox.queue, target.messenger, target.rate_limits, target.clock, None)
    sending = asyncio.create_task(sender.run())
    try:
        yield Pipeline(target.rules, target.catalogue, outbox), sender, sending
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        await database.close()


async def _run_until_sender_fails(playing: Coroutine[Any, Any, Any], sending: asyncio.Task[None]) -> None:
    """Run to the end of the match. If the sender fails before that, such as at a closed pipe, raise its error at once."""
    play = asyncio.ensure_future(playing)
    try:
        await asyncio.wait({play, sending}, return_when=asyncio.FIRST_COMPLETED)
        await (play if play.done() else sending)
    finally:
        play.cancel()


# By the length of their texts, tried until a reader kept up with a match of a minute.
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
"""The time that news of an action type stays on the screen before the next packet, relative to the other types."""

_PENDING_SHARE = 0.8
"""The share of that time for news that is still pending: its confirmation follows."""

_QUIET_WEIGHT = 10.0
"""The time for all packets without news together, on the same scale: about as much as four goals."""


def build_script(scenario: Scenario, seconds: float = DEFAULT_SECONDS) -> Script:
    """Return the whole match as a script for the simulator that takes `seconds`."""
    packets = build_packets(scenario, quiet_interval=_QUIET_INTERVAL)
    return script_from_packets(scenario.fixture, pace_packets(packets, packets[0].at, seconds))


def pace_packets(packets: Sequence[Packet], start: dt.datetime, seconds: float) -> tuple[Packet, ...]:
    """Return the same packets with new times: the first comes at `start`, the last `seconds` later."""
    instants = compute_show_times(packets, seconds)
    return tuple(
        msgspec.structs.replace(packet, at=start + dt.timedelta(seconds=instant))
        for packet, instant in zip(packets, instants, strict=True)
    )


def compute_show_times(packets: Sequence[Packet], seconds: float) -> tuple[float, ...]:
    """Return for each packet the seconds from the start at which it is shown.

    A match has some ninety minutes of play and a few minutes of news. Each packet gets time to be read, and the quiet play
    between them shares a fixed part, however long it is: a plain speed-up would show all goals of a minute in one second.
    """
    if len(packets) < 2:
        return (0.0,) * len(packets)
    # A fixed part for all of them together: however long the quiet play, it takes as long as four goals.
    quiet_count = sum(packet.type not in _READING_WEIGHTS for packet in packets)
    quiet_weight = _QUIET_WEIGHT / max(quiet_count, 1)
    weights = []
    # The last packet is shown at the end and needs no time after it.
    for packet in packets[:-1]:
        weight = _READING_WEIGHTS.get(packet.type, quiet_weight)
        weights.append(weight * _PENDING_SHARE if packet.send_type is SendType.PENDING else weight)
    scale = seconds / sum(weights)
    return tuple(instant * scale for instant in accumulate(weights, initial=0.0))
