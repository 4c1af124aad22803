"""A message whose answer never came may be in the chat: it may come twice, but nothing retracted is left standing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import DeliveryError, RetryAfter, TelegramUnreachable, TokenRefused
from bot.outbox.delivery import Reason
from bot.subscribers import QuietHours
from rules.engine.alert import Alert
from tests.bot.news import NOW, alert, retracted
from tests.bot.telegram.test_digests import of
from tests.bot.telegram.test_sender import World
from tests.packets import FIXTURE
from tests.sqlite import new_sqlite

pytestmark = pytest.mark.virtual_time

LOST = TelegramUnreachable("Timed out", maybe_sent=True)
AWAY = TelegramUnreachable("no connection", maybe_sent=False)
START = NOW.hour * 60 + NOW.minute
NIGHT = QuietHours(START + 1, START + 31, holds_alerts=True)
"""It begins within the minute after."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(new_sqlite(tmp_path))
    await made.open()
    yield made
    await made.db.close()


async def lose(world: World, *alerts: Alert, seconds: float = 0.2) -> None:
    """What is told arrives, its answer does not."""
    world.telegram.lost_answers[1].append(LOST)
    await world.tell(*alerts, seconds=seconds)


def texts(world: World) -> list[str]:
    return [message.text for message in world.shown()]


async def test_an_alert_retracted_while_it_is_uncertain_is_retracted_in_the_chat(world: World) -> None:
    await world.follow(1)
    await lose(world, alert(1))
    await world.outbox.put([retracted(2)])

    await world.tell()

    assert [(m.text[0], m.reply_to) for m in world.shown()] == [("g", None), ("❌", None)]


async def test_an_alert_retracted_while_uncertain_and_restored_is_sent_whole(world: World) -> None:
    await world.follow(1)
    world.telegram.fail(1, LOST)
    await world.tell(alert(1), seconds=0.2)
    await world.outbox.put([retracted(2)])
    await world.tell()

    await world.tell(alert(3, "goal by Kane"))
    await world.tell(retracted(4))

    assert [m.text.split()[0] for m in world.shown()] == ["❌", "goal", "❌"]
    assert world.shown()[1].versions == ["goal by Kane\n✅ <i>stands after all</i>", "<s>goal by Kane</s>"]


async def test_an_alert_retracted_while_the_process_is_dead_is_retracted_in_the_chat(world: World) -> None:
    await world.follow(1)
    await world.outbox.put([alert(1)])
    (request,) = await world.sender._start_next(1)
    await request  # its id is never committed
    await world.restart()
    await world.outbox.put([retracted(2)])

    await world.sender.send_all_due()

    assert [text[0] for text in texts(world)] == ["g", "❌"]


async def test_an_uncertain_alert_that_stands_is_sent_once_more_and_its_correction_replies_to_that(world: World) -> None:
    await world.follow(1)
    await lose(world, alert(1))

    await world.tell(alert(2, "goal by Kane"), seconds=2)
    await world.tell(retracted(3))

    lost, again, reply = world.shown()
    assert (lost.html, again.versions, reply.reply_to) == ("goal", ["goal by Kane", "<s>goal by Kane</s>"], again.id)


@pytest.mark.parametrize("error", [RetryAfter(5), AWAY, TokenRefused("401")], ids=str)
async def test_an_alert_that_certainly_did_not_arrive_and_was_retracted_is_never_sent(world: World, error: DeliveryError) -> None:
    await world.follow(1)
    world.telegram.fail(1, error)
    await world.tell(alert(1), seconds=0.2)
    await world.outbox.put([retracted(2)])
    await world.restart()

    await world.tell()

    assert texts(world) == []


async def test_an_uncertain_alert_too_old_to_send_again_is_part_of_a_digest_and_corrected_later(world: World) -> None:
    await world.follow(1)
    world.telegram.lost_answers[1].append(LOST)
    world.telegram.fail(1)
    await world.tell(alert(1), seconds=0.2)
    await world.restart()
    world.telegram.fail(1, RetryAfter(400))
    await world.tell(seconds=450)
    await world.outbox.summarise_missed(FIXTURE.id)
    await world.tell(seconds=5)
    await world.tell(retracted(2), seconds=5)

    goal, digest, reply = world.shown()
    assert (goal.html, digest.html.splitlines()[1:], reply.html[0]) == ("goal", ["• <s>Goal</s>"], "❌")


async def test_an_alert_uncertain_before_quiet_hours_is_sent_when_they_end_and_corrected_at_once(world: World) -> None:
    await world.follow(1, quiet_hours=NIGHT)
    await lose(world, alert(1), alert(1, "second", action="g2"))
    world.telegram.fail(1, RetryAfter(120))
    await world.tell(alert(2, "goal by Kane"), retracted(2, action="g2"), seconds=300)
    assert [text[0] for text in texts(world)] == ["g"]

    await world.tell(seconds=1800)

    assert world.shown()[-1].text.splitlines()[1:] == ["• goal by Kane"]


async def test_a_retracted_line_of_an_uncertain_burst_is_struck_through_when_it_is_sent_again(world: World) -> None:
    await world.follow(1, digests=True)
    await world.tell(of("f1", alert(1)), of("f2", alert(1), player="Rice"), of("f3", alert(1), player="Saka"), seconds=5)
    await lose(world, seconds=9.9)
    await world.tell(of("f3", retracted(2), player="Saka"), seconds=60)

    _, lost, again = world.shown()
    assert ("<s>" in lost.html, "• <s>" in again.html.splitlines()[2], "Rice" in again.text) == (False, True, True)


async def test_a_line_retracted_in_an_uncertain_burst_too_old_to_send_again_is_retracted_by_a_reply(world: World) -> None:
    await world.follow(1, digests=True)
    await world.tell(of("f1", alert(1)), of("f2", alert(1), player="Rice"), of("f3", alert(1), player="Saka"), seconds=5)
    await lose(world, seconds=9.9)
    world.telegram.fail(1, RetryAfter(500))
    await world.tell(seconds=600)
    assert len(world.shown()) == 2

    await world.tell(of("f3", retracted(2), player="Saka"), seconds=60)

    assert world.shown()[-1].text[0] == "❌"


async def test_a_stop_that_cancels_a_request_leaves_its_delivery_uncertain(world: World) -> None:
    await world.follow(1)
    world.telegram.latency = 60
    await world.tell(alert(1), seconds=0.2)
    world.telegram.latency = 0
    await world.restart()

    await world.tell(retracted(2), seconds=5)

    assert [text[0] for text in texts(world)] == ["❌"]
    assert Reason.SUPERSEDED not in world.sender.skipped


async def test_an_uncertain_digest_is_sent_again_struck_through_once_a_line_of_it_is_retracted(world: World) -> None:
    await world.follow(1)
    world.telegram.fail(1, RetryAfter(400))
    await world.tell(alert(1), seconds=450)
    await world.outbox.summarise_missed(FIXTURE.id)
    await lose(world)
    world.telegram.fail(1, RetryAfter(4000))
    await world.tell(seconds=4500)
    assert len(world.shown()) == 1

    await world.tell(retracted(2))

    lost, again = world.shown()
    assert ("<s>" in lost.html, again.html.splitlines()[1:]) == (False, ["• <s>Goal</s>"])
