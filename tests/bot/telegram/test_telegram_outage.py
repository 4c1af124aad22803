"""A strict Telegram with seeded trouble of every kind: the other chats do not notice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.errors import ChatGone, ChatMigrated, DeliveryError, RetryAfter, TelegramUnreachable
from bot.fake_telegram import state as fake_telegram
from bot.subscribers import ChatRef
from bot.telegram.limits.rate_limits import RateLimiter
from tests.bot.news import NOW, alert
from tests.bot.telegram.conftest import World
from tests.laws import choose_seeds
from tests.sqlite import new_sqlite

pytestmark = pytest.mark.virtual_time

CALM_CHATS, TROUBLED_CHATS = range(1, 21), range(101, 121)
PAUSED_CHATS = (119, 120)
"""Those that are asked to wait: three at once would mean everybody."""
GOALS = 12
SEEDS = (0, 6, *choose_seeds(usual=1, thorough=5))
"""With 0 and 6, a group moves while messages of other chats are on their way, so that all that waits is found again. With 1, a
parked message comes behind later news."""
GOAL_INTERVAL = 5.0
"""Seconds between two goals: 40 chats and 30 a second leave time for all."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(new_sqlite(tmp_path))
    made.limits, made.telegram.limits = RateLimiter(), fake_telegram.Limits()
    made.telegram.latency = 0.05
    await made.open()
    yield made
    await made.db.close()


def choose_error(rng: random.Random, chat_id: int) -> DeliveryError:
    """Any of what Telegram may answer for one chat."""
    if chat_id in PAUSED_CHATS:
        return RetryAfter(rng.uniform(1, 40))
    unreachable = TelegramUnreachable("Bad Gateway", maybe_sent=False)
    return rng.choice(
        [
            ChatGone("Forbidden: bot was blocked by the user"),
            ChatMigrated(-1000 - chat_id),
            unreachable,
            TelegramUnreachable("Internal Server Error", maybe_sent=True),
            TelegramUnreachable("Timed out", maybe_sent=True, is_unanswered=True),
        ]
    )


def queue_errors(world: World, rng: random.Random) -> None:
    """Half of the troubled chats get an error each, some lose an answer."""
    for chat_id in rng.sample(TROUBLED_CHATS, 10):
        world.telegram.fail(chat_id, choose_error(rng, chat_id))
    for chat_id in rng.sample(TROUBLED_CHATS, 3):
        is_unanswered = rng.random() < 0.5
        world.telegram.lost_answers[chat_id].append(TelegramUnreachable("lost", maybe_sent=True, is_unanswered=is_unanswered))


async def play(world: World, seed: int | None) -> None:
    """Goal after goal to all chats, with trouble where a seed is given."""
    await world.follow(*CALM_CHATS, *TROUBLED_CHATS)
    async with world.sending():
        for number in range(GOALS):
            if seed is not None:
                queue_errors(world, random.Random(seed * 1000 + number))
            await world.outbox.put([alert(number + 1, f"goal {number}", action=f"g{number}", at=NOW, max_age=36_000.0)])
            await asyncio.sleep(GOAL_INTERVAL)
        # A chat that is refused among many others is tried again after minutes.
        await asyncio.sleep(7200)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [None, *SEEDS])
async def test_calm_chats_get_everything_in_order_and_in_time_and_troubled_ones_miss_nothing_unless_they_are_gone(
    world: World, seed: int | None
) -> None:
    start = asyncio.get_running_loop().time()

    with capture_logs() as logs:
        await play(world, seed)

    for chat_id in CALM_CHATS:
        shown = world.shown(chat_id)
        assert [m.html for m in shown] == [f"goal {number}" for number in range(GOALS)]
        assert max(m.at - start - number * GOAL_INTERVAL for number, m in enumerate(shown)) < 4.0
    assert world.telegram.refusals == 0
    for chat_id in TROUBLED_CHATS:
        moved = ChatRef(-1000 - chat_id)
        chat = await world.chats.get(moved) or await world.chats.get(ChatRef(chat_id))
        assert chat is not None
        shown = list(dict.fromkeys(m.html for m in (*world.shown(chat_id), *world.shown(moved.chat_id))))
        # What was parked may come behind later news; everything else comes in order.
        parked = {
            f"goal {log['action'][1:]}"
            for log in logs
            if log["event"] == "answer_missing" and log["then"] == "park" and log["chat"] in (chat_id, moved.chat_id)
        }
        in_order = [text for text in shown if text not in parked]
        goals = [f"goal {number}" for number in range(GOALS) if f"goal {number}" not in parked]
        assert in_order == goals[: len(in_order)]
        assert len(shown) == GOALS or not chat.is_active
