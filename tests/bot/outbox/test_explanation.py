"""Explanations of the messages of a chat, on a virtual clock between a real outbox and a fake Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.outbox.explanation import explain_message
from bot.outbox.outbox import make_sample_alert
from bot.subscribers import ChatRef
from rules.engine.alert import ConditionResult, State
from tests.bot.news import NOW, alert, retracted
from tests.bot.telegram.conftest import World
from tests.sqlite import new_sqlite

pytestmark = pytest.mark.virtual_time

LATE = {"goals": (ConditionResult("minute", "from 80", "88"),)}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(new_sqlite(tmp_path))
    await made.open()
    yield made
    await made.db.close()


async def test_a_message_and_its_reply_lead_to_the_same_alert_and_what_its_rule_compared(world: World) -> None:
    await world.follow(1)
    await world.send(alert(1, conditions=LATE), retracted(2))
    await world.restart()

    of_message, of_reply = [await explain_message(world.outbox.queue, 1, shown.id) for shown in world.shown()]

    assert of_message is not None and of_reply is not None
    assert (of_message.is_reply, of_reply.is_reply) == (False, True)
    assert of_reply.delivery == of_message.delivery and of_message.delivery.state is State.RETRACTED
    assert of_message.news.conditions == LATE


async def test_what_is_no_alert_has_no_account(world: World) -> None:
    await world.follow(1, 2)
    await world.send(alert(1))

    assert await explain_message(world.outbox.queue, 1, 99) is None
    assert await explain_message(world.outbox.queue, 2, world.shown(1)[0].id) is None


async def test_a_summary_has_the_news_of_its_lines(world: World) -> None:
    await world.follow(1)
    old = NOW.replace(hour=2)
    await world.outbox.put([alert(1, at=old, conditions=LATE)])
    await world.outbox.put([alert(2, at=old, action="h")])
    await world.outbox.summarise_missed("f1")
    await world.send(seconds=1)

    explanation = await explain_message(world.outbox.queue, 1, world.shown()[0].id)

    assert explanation is not None
    assert [(news.key.action_id, news.conditions) for news in explanation.lines] == [("g", LATE), ("h", {})]


async def test_a_chat_with_a_delay_is_not_told_of_what_it_has_not_seen(world: World) -> None:
    await world.follow(1, delay=30)
    await world.send(alert(1, conditions=LATE), seconds=60)
    await world.outbox.put([retracted(2, reason="Offside")])

    explanation = await explain_message(world.outbox.queue, 1, world.shown()[0].id)

    assert explanation is not None and explanation.news.state is State.CONFIRMED


async def test_the_sample_has_an_account_with_its_steps(world: World) -> None:
    await world.follow(1)
    await world.outbox.put_for_chat(ChatRef(1), make_sample_alert(ChatRef(1), "42:7", {"en": "🧪"}, NOW))
    await world.send(seconds=1)

    explanation = await explain_message(world.outbox.queue, 1, world.shown()[0].id)

    assert explanation is not None
    assert explanation.delivery.key.fixture_id == "sample" and explanation.delivery.history.count("/") == 4
