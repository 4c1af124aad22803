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
from bot.demo.terminal import DrawnChat
from bot.outbox.outbox import Outbox
from bot.pictures.maker import picture
from bot.pipeline import Pipeline
from bot.store.chats import Chats
from bot.store.engine import Database
from bot.store.model import Chat, ChatRef, Scope, Subscription
from bot.telegram.courier import Courier
from bot.telegram.limits import Unlimited
from rules.action import Packet
from rules.advance import advance
from rules.catalogue import shipped as names
from rules.load import pack
from rules.match import Match, Moment
from rules.minute import Period
from rules.scenario import Scenario, shipped
from rules.telling import packets
from rules.timeline import Stage, timeline_of

FOLDER = Path(__file__).parent / "pictures"
CHAT = ChatRef(1)


def make(folder: Path) -> None:
    """Write them all."""
    folder.mkdir(exist_ok=True)
    final, opener = shipped("final"), shipped("opener")
    (folder / "final.png").write_bytes(picture(timeline_of(_until(final, _never))))
    (folder / "final-dark.png").write_bytes(picture(timeline_of(_until(final, _never)), dark=True))
    half = timeline_of(_until(opener, _second_half), Stage.HALF_TIME)
    (folder / "opener-half-time.png").write_bytes(picture(half))
    (folder / "chat.svg").write_text(asyncio.run(chat(opener)), encoding="utf-8")


def _never(_: Moment) -> bool:
    return False


def _second_half(moment: Moment) -> bool:
    return moment.after.period is Period.SECOND_HALF


def _until(scenario: Scenario, over: Callable[[Moment], bool]) -> Match:
    """The match before the first moment of that kind, else at its end."""
    match = Match(scenario.fixture)
    for packet in packets(scenario):
        moment = advance(match, packet)
        if over(moment):
            return match
        match = moment.after
    return match


async def chat(scenario: Scenario, minutes: int = 37) -> str:
    """What the chat in the terminal shows after so many minutes, as SVG."""
    told = [packet for packet in packets(scenario) if packet.clock < minutes * 60]
    console = Console(record=True, width=66, height=44, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    shown = DrawnChat(console)
    database = await Database.open("sqlite://")
    try:
        await _tell(scenario, told, shown, database)
    finally:
        await database.close()
    console.print(shown)
    plain = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="Touchline", code_format=plain, unique_id="touchline")


async def _tell(scenario: Scenario, told: list[Packet], shown: DrawnChat, database: Database) -> None:
    clock, chats = ManualClock(told[0].at), Chats(database)
    await chats.save(Chat(CHAT, all_kinds=True))
    await chats.subscribe(CHAT, Subscription(Scope.ALL))
    outbox = Outbox(database, clock)
    pipeline, courier = Pipeline(pack(), names(), outbox), Courier(outbox, shown, Unlimited(), clock, None)
    await pipeline.open(scenario.fixture)
    for packet in told:
        clock.move_to(packet.at)
        shown.on_match((await pipeline.take(packet)).after)
        await courier.drain()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    make(FOLDER)
