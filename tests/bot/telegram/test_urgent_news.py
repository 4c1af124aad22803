"""What is loud is never behind small news: a busy group, Telegram's limits, and a strict fake that would refuse more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.fake_telegram import state as fake_telegram
from bot.outbox.sources import MemorySource
from bot.telegram.limits.rate_limits import RateLimiter
from rules.engine.alert import Alert, Importance
from tests.bot.news import alert, minor, retracted
from tests.bot.telegram.conftest import World
from tests.sqlite import new_sqlite

pytestmark = pytest.mark.virtual_time

GROUP = -5


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(new_sqlite(tmp_path))
    made.telegram.limits, made.limits = fake_telegram.Limits(), RateLimiter()
    await made.open()
    await made.follow(GROUP)
    yield made
    assert made.telegram.refusals == 0
    await made.db.close()


def kick_offs(count: int) -> list[Alert]:
    return [minor(n, f"kick-off {n}", action=f"k{n}", kind="kick_off") for n in range(1, count + 1)]


async def put(world: World, *alerts: Alert) -> None:
    for one in alerts:
        await world.outbox.put([one])


async def after_small_news(world: World, *alerts: Alert, seconds: float = 60.0) -> float:
    """Let thirty kick-offs come at once, then these alerts one by one; return when the first of them came."""
    async with world.sending():
        await put(world, *kick_offs(30))
        await asyncio.sleep(0.5)
        came = asyncio.get_running_loop().time()
        for one in alerts:
            await put(world, one)
            await asyncio.sleep(1.0)
        await asyncio.sleep(seconds)
    return came


def all_text(world: World) -> str:
    return "\n".join(message.text for message in world.shown(GROUP)) + "\n"


async def test_a_goal_leaves_at_once_whatever_small_news_waits_in_its_group(world: World) -> None:
    came = await after_small_news(world, alert(50, "goal"))

    (goal,) = [message for message in world.shown(GROUP) if message.html == "goal"]
    assert goal.at - came < 0.2 and not goal.silent


async def test_small_news_that_the_limits_keep_back_comes_in_one_silent_message_and_none_is_missing(world: World) -> None:
    await after_small_news(world, alert(50, "goal"))

    assert all(f"kick-off {n}\n" in all_text(world).replace(" · Arsenal 1–0 Chelsea", "") for n in range(1, 31))
    merged = [message for message in world.shown(GROUP) if message.text.startswith("🔔 Just now")]
    assert len(world.shown(GROUP)) <= 6 and len(merged) == 2 and all(message.silent for message in merged)


@pytest.mark.slow
async def test_goal_after_goal_finds_room_while_small_news_never_ends(world: World) -> None:
    async with world.sending():
        late = []
        for second in range(120):
            await put(world, minor(second + 1, f"throw-in {second}", action=f"t{second}"))
            if second % 24 == 20:
                before = asyncio.get_running_loop().time()
                await put(world, alert(1000 + second, f"goal {second}", action=f"g{second}"))
                await asyncio.sleep(0.5)
                late.append(world.shown(GROUP)[-1].at - before)
                assert world.shown(GROUP)[-1].html == f"goal {second}"
            await asyncio.sleep(1.0)

    assert max(late) < 0.2


async def test_a_retraction_and_its_reply_go_before_small_news(world: World) -> None:
    await world.send(alert(50, "goal"), seconds=10)

    came = await after_small_news(world, retracted(51))

    goal, (reply,) = world.shown(GROUP)[0], [message for message in world.shown(GROUP) if message.text.startswith("❌")]
    assert (goal.html, reply.reply_to) == ("<s>goal</s>", goal.id)
    # Two requests, of which the limits of any chat allow three in three seconds. The edit is the third.
    assert next(at for at, operation, _ in world.telegram.requests if operation == "edit") - came < 0.2
    assert reply.at - came < 3.2


async def test_a_yellow_card_that_turns_red_while_it_waits_leaves_at_once(world: World) -> None:
    yellow = minor(40, "yellow", action="card")
    red = alert(41, "red", action="card", rule="reds", kind="red_card", importance=Importance.MAJOR)

    came = await after_small_news(world, yellow, red)

    (card,) = [message for message in world.shown(GROUP) if message.html == "red"]
    assert card.at - came < 1.2 and not card.silent and "yellow" not in all_text(world)


async def test_a_line_that_falls_is_struck_and_answered_in_the_message_that_told_it(world: World) -> None:
    await after_small_news(world)
    async with world.sending():
        await put(world, retracted(60, action="k20"))
        await asyncio.sleep(5)

    (message,) = [message for message in world.shown(GROUP) if "<s>" in message.html]
    assert message.html.count("<s>") == 1 and message.text.startswith("🔔 Just now")
    assert world.shown(GROUP)[-1].reply_to == message.id and world.shown(GROUP)[-1].silent


async def test_merged_news_survives_a_kill_between_its_merging_and_its_message(world: World) -> None:
    await put(world, *kick_offs(10))
    items = await world.outbox.queue.take()
    while world.outbox.queue.has_more:
        items += await world.outbox.queue.take()
    assert await world.outbox.queue.merge(items)
    world.limits = RateLimiter()
    await world.restart()

    await world.send(seconds=5)

    (message,) = world.shown(GROUP)
    assert message.text.count("kick-off") == 10


async def test_revisions_that_wait_are_one_edit_however_many_they_are(world: World) -> None:
    await world.send(alert(50, "goal"), seconds=10)

    await after_small_news(world, *(alert(51 + n, f"goal {n}") for n in range(5)), seconds=90)

    versions = world.shown(GROUP)[0].versions
    assert versions[-1] == "goal 4" and len(versions) < 6


@pytest.mark.slow
async def test_a_goal_leaves_at_once_even_when_the_memory_is_full_of_other_chats_small_news(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemorySource, "capacity", 300)
    await world.follow(*range(1, 400))
    async with world.sending():
        await put(world, *kick_offs(3))
        await asyncio.sleep(1.0)
        came = asyncio.get_running_loop().time()
        await put(world, alert(50, "goal"))
        await asyncio.sleep(60.0)

    goals = sorted(message.at for chat in range(1, 400) for message in world.shown(chat) if message.html == "goal")
    assert (len(goals), goals[0] - came < 0.1, goals[-1] - came < 400 / 30 * 8 / 7 + 1) == (399, True, True)
