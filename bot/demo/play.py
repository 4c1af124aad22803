"""Plays a match in about a minute through the whole bot: simulator, feed connection, pipeline, sender, chat."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from pydantic import SecretStr
from rich.console import Console

from bot.clock import Clock, SystemClock
from bot.config.models import FeedSettings
from bot.demo.ending import show_ending
from bot.demo.terminal import choose_terminal
from bot.errors import FrameUnreadable, UserMistake
from bot.feed.connection import FeedConnection
from bot.feed.decode import decode_frame
from bot.feed.match_source import open_match
from bot.feed.simulator.script import Script, ScriptFrame, ScriptListing, script_from_match
from bot.feed.simulator.server import Simulator
from bot.matches.pipeline import Pipeline
from bot.outbox.outbox import Outbox
from bot.replay.replay import apply_listing
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.limits.rate_limits import RateLimiter, Unlimited
from bot.telegram.sender import Sender
from rules.engine.rule import RuleSet
from rules.football.action import Packet, SendType
from rules.football.catalogue import Catalogue
from rules.football.match import Match
from rules.football.relisting import KICKOFF_MOVED

if TYPE_CHECKING:
    from bot.telegram.messenger import Messenger

TERMINAL_CHAT = ChatRef(1)

DEFAULT_SECONDS, FAST_SECONDS = 60.0, 8.0
"""Seconds that a match takes: to be read along, or as fast as each message can still be seen before it is edited."""

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
    closed: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    """Set when nobody can see the chat any more."""


async def play_demo(
    match: str, seconds: float, rules: RuleSet, catalogue: Catalogue, console: Console | None = None, clock: Clock | None = None
) -> None:
    """Show a match in the terminal. Raises UserMistake if there is no such match."""
    script = pace_script(script_from_match(open_match(match)), seconds)
    # Log lines would be drawn into the chat.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    console = console or Console()
    with choose_terminal(console) as terminal:
        target = DemoTarget(
            rules, catalogue, terminal, on_match=terminal.on_match, clock=clock or SystemClock(), closed=terminal.closed
        )
        await play_match(script, target)
    if terminal.match:
        show_ending(console, terminal.match)


async def play_demo_in_telegram(
    match: str, seconds: float, rules: RuleSet, catalogue: Catalogue, token: str, chat_id: int, api_url: str
) -> None:
    """Show a match in a real chat. Raises UserMistake if there is no such match, or if Telegram does not accept the bot."""
    # Imported here: python-telegram-bot is a fifth of what a demo in the terminal would wait for, and it sends nothing there.
    from telegram.error import InvalidToken, TelegramError

    from bot.telegram.messenger import BotMessenger, build_bot
    from bot.telegram.reply_accounting import ReplyAccounting

    script = pace_script(script_from_match(open_match(match)), seconds)
    # The real limits: a demo in a group that ends with a 429 would be a poor advertisement.
    limits = RateLimiter()
    bot = build_bot(token, api_url, ReplyAccounting(limits, SystemClock()))
    try:
        async with bot:
            await play_match(script, DemoTarget(rules, catalogue, BotMessenger(bot), ChatRef(chat_id), limits))
    except InvalidToken as error:
        raise UserMistake("Telegram refuses the bot token: take the one that @BotFather gave") from error
    except TelegramError as error:
        raise UserMistake(f"Telegram cannot be reached at {api_url}: {error}") from error


async def play_match(script: Script, target: DemoTarget) -> None:
    """Play a match from the simulator to the messenger. Returns when its last message is sent.

    Raises BrokenPipeError if nobody can see the chat any more.
    """
    clock, fixture = target.clock, script.fixture
    # Playback begins with the first thing that happens: with the default lead it would outlast `seconds`.
    lead = script.play_started_at - script.begins_at
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
        relisting = asyncio.create_task(_relist_in_time(script, pipeline, target))
        try:
            await _run_until_closed(connection.run(), sending, target.closed)
        finally:
            relisting.cancel()
        with suppress(asyncio.CancelledError):
            await relisting  # an error in it ends the demo with its reason
        # What is still due when the match is over, such as the last edit of a message.
        await pipeline.close(fixture.id, clock.now())
        await sender.send_all_due()


async def _relist_in_time(script: Script, pipeline: Pipeline, target: DemoTarget) -> None:
    """Apply each change of the fixture's listing when it is due, with the times of the match itself and not of today."""
    begun = target.clock.monotonic()
    for listing in script.listings:
        due = begun + (listing.at - script.begins_at).total_seconds()
        await asyncio.sleep(max(0.0, due - target.clock.monotonic()))
        await apply_listing(pipeline, listing.fixture, target.clock.now())


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


async def _run_until_closed(playing: Coroutine[Any, Any, Any], sending: asyncio.Task[None], closed: asyncio.Event) -> None:
    """Run to the end of the match; raise what the sender raises before that, and BrokenPipeError once the chat is closed."""
    play, closing = asyncio.ensure_future(playing), asyncio.ensure_future(closed.wait())
    try:
        await asyncio.wait({play, sending, closing}, return_when=asyncio.FIRST_COMPLETED)
        if closing.done():
            # The command line ends on it as after any other output that nobody reads.
            raise BrokenPipeError
        await (play if play.done() else sending)
    finally:
        play.cancel()
        closing.cancel()


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
    KICKOFF_MOVED: 2.0,
}
"""The time that news of an action type stays on the screen before the next packet, relative to the other types."""

_PENDING_SHARE = 0.8
"""The share of that time for news that is still pending: its confirmation follows."""

_QUIET_WEIGHT = 10.0
"""The time for all packets without news together, on the same scale: about as much as four goals."""


def pace_script(script: Script, seconds: float = DEFAULT_SECONDS) -> Script:
    """Return the same match with new times, so that it takes `seconds` and can be read."""
    # A change of the listing takes as long to read as the news of a new kick-off, whatever it is.
    timed: list[tuple[ScriptFrame | ScriptListing, tuple[str, SendType]]] = [
        *((listing, (KICKOFF_MOVED, SendType.CONFIRMED)) for listing in script.listings),
        *((entry, _read_news(entry.frame)) for entry in script.frames),
    ]
    if script.listings:
        timed.sort(key=lambda one: one[0].at)
    instants = compute_show_times([news for _, news in timed], seconds)
    shown = [(one, script.begins_at + dt.timedelta(seconds=at)) for (one, _), at in zip(timed, instants, strict=True)]
    return msgspec.structs.replace(
        script,
        frames=tuple(ScriptFrame(at, one.frame) for one, at in shown if isinstance(one, ScriptFrame)),
        listings=tuple(ScriptListing(at, one.fixture) for one, at in shown if isinstance(one, ScriptListing)),
    )


def _read_news(frame: Mapping[str, Any]) -> tuple[str, SendType]:
    """Return the action type of a frame and its send type; of a frame that cannot be read, those of quiet play."""
    try:
        packet = decode_frame(msgspec.json.encode(frame))
    except FrameUnreadable:
        return "", SendType.CONFIRMED
    return (packet.type, packet.send_type) if isinstance(packet, Packet) else ("", SendType.CONFIRMED)


def compute_show_times(packets: Sequence[tuple[str, SendType]], seconds: float) -> tuple[float, ...]:
    """Return for each packet, of which type and send type are given, the seconds from the start at which it is shown.

    A match has some ninety minutes of play and a few minutes of news. Each packet gets time to be read, and the quiet play
    between them shares a fixed part, however long it is: a plain speed-up would show all goals of a minute in one second.
    """
    if len(packets) < 2:
        return (0.0,) * len(packets)
    quiet_count = sum(action_type not in _READING_WEIGHTS for action_type, _ in packets)
    quiet_weight = _QUIET_WEIGHT / max(quiet_count, 1)
    weights = []
    # The last packet is shown at the end and needs no time after it.
    for action_type, send_type in packets[:-1]:
        weight = _READING_WEIGHTS.get(action_type, quiet_weight)
        weights.append(weight * _PENDING_SHARE if send_type is SendType.PENDING else weight)
    scale = seconds / sum(weights)
    return tuple(instant * scale for instant in accumulate(weights, initial=0.0))
