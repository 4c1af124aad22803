"""The process is killed again and again while a match plays to twenty chats: nothing is missing in the end, nor left standing."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect
from contextlib import suppress
from pathlib import Path

import pytest

from bot.feed.simulator.script import Script, script_from_packets
from bot.feed.simulator.server import Simulator
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, configuration, running, touchline
from tests.fakes.bot_api import FakeBotApi, Message
from tests.packets import FIXTURE, Story

CHATS = range(1, 21)
KILLS = 25
"""In each of two matches."""
SPEED = 130.0
RULES = f"""
chats: [{", ".join(f"{{chat: {chat}, subscribe: [all]}}" for chat in CHATS)}]
rules:
  - name: full time
    match: {{action_type: End Match}}
    alert: {{kind: full_time, text: "Full time {{{{ score }}}}"}}
  - name: goals
    match: {{action_type: Goal, send_type: [Pending, Confirmed, Updated]}}
    alert: {{kind: goal, max_age: 90m, text: "Goal {{{{ player }}}}"}}
"""
GOALS = range(1, 15)
FALLEN = {f"Goal Player {number}" for number in GOALS if number % 3 == 0}
STANDING = {f"Goal Player {number}" for number in GOALS} - FALLEN | {f"Full time {len(GOALS) - len(FALLEN)}–0"}


def match() -> Script:
    """A goal every six minutes, first pending; every third falls."""
    told, score = Story(), 0
    told.tell("Start Match", minute=1)
    for number in GOALS:
        minute, player = number * 6, f"Player {number}"
        told.goal(f"g{number}", send="Pending", minute=minute, player=player, score=(score, 0))
        told.goal(f"g{number}", minute=minute + 1, player=player, score=(score + 1, 0))
        if number % 3:
            score += 1
        else:
            told.goal(f"g{number}", send="Deleted", minute=minute + 3, player=player, score=(score, 0))
    told.tell("End Match", minute=90, status="Completed")
    return script_from_packets(FIXTURE, told.packets)


def first_line(message: Message) -> str:
    return message.text.splitlines()[0]


def told(messages: list[Message]) -> set[str]:
    """The first lines of all alerts."""
    return {first_line(m) for m in messages if m.reply_to is None} - taken_back(messages)


def taken_back(messages: list[Message]) -> set[str]:
    """What says so of a message of which nobody knows whether it arrived: it answers none."""
    return {first_line(m) for m in messages if m.reply_to is None and m.text.startswith("❌")}


def orphans(messages: list[Message]) -> int:
    """How many goals that fell stand in a chat as if nothing had been: neither struck where they were told nor taken back."""
    struck = {first_line(m) for m in messages if m.struck}
    words = sum(m.reply_to is None and m.text.startswith("❌") for m in messages)
    return max(0, len(told(messages) & FALLEN - struck) - words)


async def killed_once(telegram: FakeBotApi, config: Path, chance: random.Random) -> None:
    """Run until so many requests came, or so many seconds went by, then kill."""
    bot = await touchline("run", "--config", config, folder=config.parent)
    before, wanted = len(telegram.log), chance.randint(1, 50)
    with suppress(AssertionError):  # while it is quiet the time decides
        await telegram.until(lambda: len(telegram.log) >= before + wanted, within=chance.uniform(0.2, 2.2))
    await bot.end("SIGKILL")


def doubled(messages: list[Message], kills: list[float]) -> list[int]:
    """For each alert that came again, the number of the kill that lost the answer to the one before."""
    seen: dict[str, float] = {}
    found = []
    for message in (m for m in messages if m.reply_to is None):
        text = message.text.splitlines()[0]
        found += [bisect(kills, seen[text])] if text in seen else []
        seen[text] = message.at
    return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_kills_at_seeded_instants_lose_nothing_leave_nothing_false_and_double_one_message_at_most(
    tmp_path: Path, seed: int
) -> None:
    chance, loop = random.Random(seed), asyncio.get_running_loop()
    kills: list[float] = []
    async with FakeBotApi(BOT_TOKEN) as telegram, Simulator([match()], SPEED, FEED_TOKEN).serve() as urls:
        config = configuration(tmp_path, urls.stream, urls.api, telegram, RULES)
        for _ in range(KILLS):
            await killed_once(telegram, config, chance)
            kills.append(loop.time())
        chats = {number: telegram.chat(number) for number in CHATS}
        async with running(config):
            await telegram.until(lambda: all(told(chat.messages) >= STANDING for chat in chats.values()), within=60)
            with suppress(AssertionError):  # the last correction may still be on its way
                await telegram.until(lambda: not any(orphans(chat.messages) for chat in chats.values()), within=5)
        doubles = [(number, kill) for number in CHATS for kill in doubled(chats[number].messages, kills)]

    assert all(told(chat.messages) <= STANDING | FALLEN for chat in chats.values())
    assert [number for number in CHATS if orphans(chats[number].messages)] == []
    assert len(doubles) == len(set(doubles)), "one kill doubled two messages of a chat"
