"""What there is to say of a message of a chat, on a virtual clock between a real outbox and a fake Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.outbox.outbox import make_sample_alert
from bot.subscribers import ChatRef
from rules.engine.alert import ConditionResult, State
from tests.bot.news import NOW, alert, retracted
from tests.bot.telegram.test_sender import World
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
    await world.tell(alert(1, because=LATE), retracted(2))
    await world.restart()

    of_message, of_reply = [await world.outbox.why(1, shown.id) for shown in world.shown()]

    assert of_message is not None and of_reply is not None
    assert (of_message.as_reply, of_reply.as_reply) == (False, True)
    assert of_reply.entry == of_message.entry and of_message.entry.state is State.RETRACTED
    assert of_message.news.because == LATE


async def test_what_is_no_alert_has_no_account(world: World) -> None:
    await world.follow(1, 2)
    await world.tell(alert(1))

    assert await world.outbox.why(1, 99) is None
    assert await world.outbox.why(2, world.shown(1)[0].id) is None


async def test_a_summary_has_the_news_of_its_lines(world: World) -> None:
    await world.follow(1)
    old = NOW.replace(hour=2)
    await world.outbox.put([alert(1, at=old, because=LATE)])
    await world.outbox.put([alert(2, at=old, action="h")])
    await world.outbox.catch_up("f1")
    await world.tell(seconds=1)

    account = await world.outbox.why(1, world.shown()[0].id)

    assert account is not None
    assert [(news.key.action_id, news.because) for news in account.lines] == [("g", LATE), ("h", {})]


async def test_a_chat_with_a_delay_is_not_told_of_what_it_has_not_seen(world: World) -> None:
    await world.follow(1, delay=30)
    await world.tell(alert(1, because=LATE), seconds=60)
    await world.outbox.put([retracted(2, reason="Offside")])

    account = await world.outbox.why(1, world.shown()[0].id)

    assert account is not None and account.news.state is State.CONFIRMED


async def test_the_sample_has_an_account_with_its_steps(world: World) -> None:
    await world.follow(1)
    await world.outbox.give(ChatRef(1), make_sample_alert(ChatRef(1), "42:7", {"en": "🧪"}, NOW))
    await world.tell(seconds=1)

    account = await world.outbox.why(1, world.shown()[0].id)

    assert account is not None
    assert account.entry.key.fixture_id == "sample" and account.entry.history.count("/") == 4
