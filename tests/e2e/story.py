"""A short match for whole-bot tests: a goal confirmed late, a red card, a goal that falls, a second goal, the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from bot.feed.simulator.script import Script, script_from_packets
from bot.feed.simulator.server import Simulator, SimulatorUrls
from tests.e2e.stage import FEED_TOKEN
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.stepped_feed import SteppedFeed
from tests.packets import FIXTURE, Story

CHAT = 42
SPEED = 600.0
"""A minute of the match lasts a tenth of a second, the whole nine seconds."""
RULES = f"""
chats: [{{chat: {CHAT}, subscribe: [all]}}]
rules:
  - name: full time
    match: {{action_type: End Match}}
    alert: {{kind: full_time, text: "Full time {{{{ score }}}}"}}
  - name: goals
    match: {{action_type: Goal, send_type: [Pending, Confirmed, Updated]}}
    alert: {{kind: goal, text: "Goal {{{{ player }}}} {{{{ minute }}}}'"}}
  - name: reds
    match: {{action_type: Red Card}}
    alert: {{kind: red_card, text: "Red {{{{ player }}}} {{{{ minute }}}}'"}}
"""
STANDING = ["Goal Saka 10'", "Red Palmer 30'", "Goal Rice 70'", "Full time 2–0"]
"""What the chat shows in the end."""
TAKEN_BACK = "❌"
"""So begins what takes news back; it answers no message where nobody knows whether that arrived."""
FALLEN = ["Goal Havertz 45'"]
"""What it shows struck through."""


def match() -> Script:
    """The match itself."""
    told = Story()
    told.tell("Start Match", minute=1)
    told.goal("g1", send="Pending", minute=10, player="Saka")
    told.goal("g1", minute=12, clock=545, player="Saka", score=(1, 0))
    told.tell("Red Card", action="r1", side="away", minute=30, player="Palmer")
    told.goal("g2", minute=45, player="Havertz", score=(2, 0))
    told.goal("g2", send="Deleted", minute=48, player="Havertz", score=(1, 0))
    told.goal("g3", minute=70, player="Rice", score=(2, 0))
    told.tell("End Match", minute=90, status="Completed")
    return script_from_packets(FIXTURE, told.packets)


def stepped() -> SteppedFeed:
    """The match, of which a test sends as much as it wants."""
    return SteppedFeed([match()], FEED_TOKEN)


@asynccontextmanager
async def feed(token: str = FEED_TOKEN, port: int = 0, speed: float = SPEED) -> AsyncIterator[SimulatorUrls]:
    """The match, played from its beginning."""
    async with Simulator([match()], speed, token).serve(port=port) as urls:
        yield urls


def shown(telegram: FakeBotApi, chat_id: int = CHAT) -> tuple[list[str], list[str]]:
    """The first line of every alert in a chat: those that stand, and those that are struck through."""
    alerts = [m for m in telegram.chat(chat_id).messages if m.reply_to is None and not m.text.startswith(TAKEN_BACK)]
    standing = [message.text.splitlines()[0] for message in alerts if not message.struck]
    return standing, [message.text.splitlines()[0] for message in alerts if message.struck]


async def full_time(telegram: FakeBotApi, chat_id: int = CHAT, within: float = 25.0) -> None:
    """Wait until a chat was told of the end."""
    await telegram.until(lambda: STANDING[-1] in shown(telegram, chat_id)[0], within=within)


async def completed(api: str, within: float = 25.0) -> None:
    """Wait until the feed's fixtures call the match completed."""
    headers = {"Authorization": f"Bearer {FEED_TOKEN}"}
    async with aiohttp.ClientSession(api, headers=headers) as http, asyncio.timeout(within):
        while True:
            async with http.get(f"/soccer/fixtures/{FIXTURE.id}") as answer:
                if (await answer.json())["status"] == "Completed":
                    return
            await asyncio.sleep(0.05)


SHOWN: tuple[tuple[list[str], list[str]], ...] = (
    ([], []),
    ([], []),
    (STANDING[:1], []),
    (STANDING[:1], []),
    (STANDING[:2], []),
    ([*STANDING[:2], *FALLEN], []),
    (STANDING[:2], FALLEN),
    (STANDING[:3], FALLEN),
    (STANDING, FALLEN),
)
"""By how many packets were sent, what a chat that follows everything shows then."""


async def until_shown(telegram: FakeBotApi, packets: int, chat_id: int = CHAT) -> None:
    """Wait until a chat shows what it should after so many packets."""

    def is_shown() -> bool:
        awaiting = any("awaiting" in message.text for message in telegram.chat(chat_id).messages)
        return shown(telegram, chat_id) == SHOWN[packets] and awaiting == (packets == 2)

    await telegram.until(is_shown)


async def play(feed: SteppedFeed, telegram: FakeBotApi, until: int = len(SHOWN) - 1, chat_id: int = CHAT) -> None:
    """Send packet after packet up to this one, each as soon as the chat shows the one before; wait until it shows the last."""
    while feed.sent() < until:
        await feed.send_next()
        await until_shown(telegram, feed.sent(), chat_id)
