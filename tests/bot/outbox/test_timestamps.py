"""The latency of an alert as the sender measures it, on a virtual clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.outbox.delivery import read_history
from bot.outbox.explanation import explain_message
from bot.telegram.limits.rate_limits import RateLimiter
from rules.engine.alert import Alert
from tests.bot.news import NOW, alert, retracted
from tests.bot.telegram.conftest import World
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
    return alert(seq, received_at=NOW.timestamp())


async def test_the_wait_for_telegram_is_its_own_step(world: World) -> None:
    await world.follow(1)
    await world.send(of_frame())

    latency = world.delivered[0][1].latency
    assert latency.telegram == pytest.approx(50, abs=1)
    assert latency.request is not None and latency.request < 10
    assert latency.waited == 0 and latency.feed == 0


async def test_a_chats_delay_is_meant_and_not_slow(world: World) -> None:
    await world.follow(1, delay=30)
    await world.send(of_frame())

    latency = world.delivered[0][1].latency
    assert latency.waited == pytest.approx(30_000, abs=1)
    assert latency.request is not None and latency.request < 10


async def test_what_telegrams_limits_hold_back_is_meant_and_not_slow(world: World) -> None:
    world.limits = RateLimiter()
    await world.restart()
    await world.follow(*range(1, 91))
    await world.send(of_frame())

    latencies = [result.latency for _, result in world.delivered]
    assert len(latencies) == 90
    assert max(latency.waited for latency in latencies) > 1500
    assert max(latency.request or 0.0 for latency in latencies) < 20


async def test_a_reply_counts_from_its_edit_and_its_message_is_remembered(world: World) -> None:
    await world.follow(1)
    await world.send(of_frame(), retracted(2))

    assert [plan.operation for plan, _ in world.delivered] == ["send", "edit", "reply"]
    assert world.delivered[2][1].latency.request is not None and world.delivered[2][1].latency.request < 20
    found = await explain_message(world.outbox.queue, 1, world.shown()[0].id)
    assert found is not None
    assert [seen.reply_id for seen in read_history(found.delivery)] == [0, 0, world.shown()[1].id]
