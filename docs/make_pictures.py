"""Draws the pictures of the documentation from the matches that ship: `python -m docs.make_pictures`."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import Callable
from pathlib import Path

import structlog
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from bot.clock import ManualClock
from bot.demo.terminal import LiveTerminal
from bot.matches.pipeline import Pipeline
from bot.media.renderer import render_picture
from bot.outbox.outbox import Outbox
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.sender import Sender
from rules.football.action import Packet
from rules.football.advance import advance
from rules.football.catalogue import load_catalogue as names
from rules.football.match import Match, Moment
from rules.football.minute import Period
from rules.football.timeline import Stage, build_timeline
from rules.loading.loader import load_pack
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import load_scenario
from rules.scenarios.scenario import Scenario

FOLDER = Path(__file__).parent / "pictures"
CHAT = ChatRef(1)


def make(folder: Path) -> None:
    """Write them all."""
    folder.mkdir(exist_ok=True)
    final, opener = load_scenario("final"), load_scenario("opener")
    (folder / "final.png").write_bytes(render_picture(build_timeline(_until(final, _never))))
    (folder / "final-dark.png").write_bytes(render_picture(build_timeline(_until(final, _never)), dark=True))
    half = build_timeline(_until(opener, _second_half), Stage.HALF_TIME)
    (folder / "opener-half-time.png").write_bytes(render_picture(half))
    (folder / "chat.svg").write_text(asyncio.run(chat(opener)), encoding="utf-8")


def _never(_: Moment) -> bool:
    return False


def _second_half(moment: Moment) -> bool:
    return moment.after.period is Period.SECOND_HALF


def _until(scenario: Scenario, over: Callable[[Moment], bool]) -> Match:
    """The match before the first moment of that kind, else at its end."""
    match = Match(scenario.fixture)
    for packet in build_packets(scenario):
        moment = advance(match, packet)
        if over(moment):
            return match
        match = moment.after
    return match


async def chat(scenario: Scenario, minutes: int = 37) -> str:
    """What the chat in the terminal shows after so many minutes, as SVG."""
    told = [packet for packet in build_packets(scenario) if packet.clock < minutes * 60]
    console = Console(record=True, width=66, height=44, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    shown = LiveTerminal(console)
    database = await Database.open("sqlite://")
    try:
        await _tell(scenario, told, shown, database)
    finally:
        await database.close()
    console.print(shown)
    plain = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="Touchline", code_format=plain, unique_id="touchline")


async def _tell(scenario: Scenario, told: list[Packet], shown: LiveTerminal, database: Database) -> None:
    clock, chats = ManualClock(told[0].at), ChatRepository(database)
    await chats.save(Chat(CHAT, filter=AlertFilter(all_kinds=True)))
    await SubscriptionRepository(database).add(CHAT, Subscription(Scope.ALL))
    outbox = Outbox(database, clock)
    pipeline, sender = Pipeline(load_pack(), names(), outbox), Sender(outbox.queue, shown, Unlimited(), clock, None)
    await pipeline.open(scenario.fixture)
    for packet in told:
        clock.move_to(packet.at)
        shown.on_match((await pipeline.process(packet)).after)
        await sender.send_all_due()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    make(FOLDER)
