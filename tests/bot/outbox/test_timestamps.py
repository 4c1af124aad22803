"""The way of an alert as the courier measures it, on a virtual clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.outbox.delivery import read_history
from bot.telegram.rate_limits import RateLimiter
from rules.engine.alert import Alert
from tests.bot.news import NOW, alert, retracted
from tests.bot.telegram.test_sender import World
from tests.sqlite import new_sqlite

pytestmark = pytest.mark.virtual_time


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(new_sqlite(tmp_path))
    made.telegram.latency = 0.05
    await made.open()
    yield made
    await made.db.close()


def of_frame(seq: int = 1) -> Alert:
    """A goal whose frame came when the clock stood at nought."""
    return alert(seq, received=NOW.timestamp())


async def test_the_wait_for_telegram_is_its_own_step(world: World) -> None:
    await world.follow(1)
    await world.tell(of_frame())

    way = world.deliveries[0].way
    assert way.accepted == pytest.approx(50, abs=1)
    assert way.request is not None and way.request < 10
    assert way.waited == 0 and way.lag == 0


async def test_a_chats_delay_is_meant_and_not_slow(world: World) -> None:
    await world.follow(1, delay=30)
    await world.tell(of_frame())

    way = world.deliveries[0].way
    assert way.waited == pytest.approx(30_000, abs=1)
    assert way.request is not None and way.request < 10


async def test_what_telegrams_limits_hold_back_is_meant_and_not_slow(world: World) -> None:
    world.limits = RateLimiter()
    await world.restart()
    await world.follow(*range(1, 91))
    await world.tell(of_frame())

    ways = [delivery.way for delivery in world.deliveries]
    assert len(ways) == 90
    assert max(way.waited for way in ways) > 1500
    assert max(way.request or 0.0 for way in ways) < 20


async def test_a_reply_counts_from_its_edit_and_its_message_is_remembered(world: World) -> None:
    await world.follow(1)
    await world.tell(of_frame(), retracted(2))

    assert [delivery.op for delivery in world.deliveries] == ["send", "edit", "reply"]
    assert world.deliveries[2].way.request is not None and world.deliveries[2].way.request < 20
    found = await world.outbox.why(1, world.shown()[0].id)
    assert found is not None
    assert [seen.reply for seen in read_history(found.entry)] == [0, 0, world.shown()[1].id]
