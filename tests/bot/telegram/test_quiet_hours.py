"""Quiet hours over a real outbox: what is loud, what waits, what becomes part of a digest."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from bot.outbox.delivery import Reason
from bot.quiet_hours import QuietHours
from tests.bot.news import NOW, alert, minor, pending, retracted
from tests.bot.telegram.conftest import World

pytestmark = pytest.mark.virtual_time

START = NOW.hour * 60 + NOW.minute
SOON, NIGHT = QuietHours(START + 5, START + 65, holds_alerts=True), QuietHours(START - 5, START + 55, holds_alerts=True)
END = 55 * 60.0
"""Seconds until the night is over."""


async def test_nothing_is_loud_in_silent_hours_and_everything_comes_at_once(world: World) -> None:
    await world.follow(1, quiet_hours=QuietHours(NIGHT.start, NIGHT.end))

    await world.send(alert(1), retracted(2), seconds=10)

    assert [(m.text[0], m.silent) for m in world.shown()] == [("g", True), ("❌", True)]


async def test_held_news_comes_in_one_message_when_the_hours_end(world: World) -> None:
    await world.follow(1, quiet_hours=NIGHT)
    await world.follow(2)

    await world.send(pending(1), alert(2), minor(3, action="card"), alert(4, "second", action="g2"), seconds=60)
    assert (len(world.shown(1)), len(world.shown(2))) == (0, 3)
    await world.restart()
    await world.send(seconds=END)

    (digest,) = world.shown(1)
    assert digest.text.splitlines() == ["📋 While it was quiet · Arsenal 1–0 Chelsea", "• goal", "• yellow", "• second"]
    assert digest.at >= END
    assert digest.silent


@pytest.mark.parametrize("hours", [0.5, -0.5])
async def test_held_news_comes_by_the_time_of_day_also_where_the_clock_is_set_meanwhile(
    world: World, hours: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.follow(1, quiet_hours=NIGHT)
    sending = asyncio.create_task(world.send(alert(1), seconds=2 * END))
    await asyncio.sleep(60)
    monkeypatch.setattr(type(world.clock), "START", NOW + dt.timedelta(hours=hours))
    await sending

    (digest,) = world.shown(1)
    assert 0 <= digest.at - (END - hours * 3600) <= 61


async def test_what_is_taken_back_in_the_night_is_not_told_and_what_is_later_is_struck(world: World) -> None:
    await world.follow(1, quiet_hours=NIGHT)
    await world.send(alert(1), alert(2, "second", action="g2"), retracted(3, action="g2"), seconds=END)
    (digest,) = world.shown(1)
    assert digest.text.splitlines()[1:] == ["• goal"]

    await world.send(retracted(4), seconds=10)

    assert digest.html.splitlines()[1:] == ["• <s>Goal</s>"]


async def test_what_was_told_before_the_night_is_corrected_at_once_and_silently(world: World) -> None:
    await world.follow(1, quiet_hours=SOON)
    await world.send(alert(1), seconds=400)

    await world.send(retracted(2), minor(3, action="card", at=NOW + dt.timedelta(seconds=400)), seconds=10)

    assert [(m.html[:3], m.silent) for m in world.shown()] == [("<s>", False), ("❌ <", True)]
    assert len(world.shown()) == 2


async def test_news_that_was_about_to_leave_when_the_night_began_is_held_too(world: World) -> None:
    await world.follow(1, quiet_hours=SOON, delay=200)
    await asyncio.sleep(200)

    await world.send(alert(1, at=NOW + dt.timedelta(seconds=200)), seconds=300)
    assert (world.shown(), world.sender.skipped[Reason.HELD_FOR_QUIET_HOURS]) == ([], 1)
    await world.send(seconds=3700)

    (digest,) = world.shown()
    assert digest.text.splitlines()[1:] == ["• goal"]
