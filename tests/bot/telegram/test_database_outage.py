"""The sender while the database fails: nothing leaves that could not be noted, nothing is lost, and it goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import ChatGone
from bot.outbox.outbox import Outbox
from bot.storage.chats import ChatRepository
from bot.storage.subscriptions import SubscriptionRepository
from bot.telegram.sender import Sender
from tests.bot.news import alert, minor
from tests.bot.telegram.conftest import World
from tests.fakes.storage import Disk
from tests.sqlite import new_sqlite

pytestmark = pytest.mark.virtual_time


class FailingWorld(World):
    """A world whose disk can fill up."""

    async def open(self) -> None:
        self.disk = await Disk.open(self.url)
        self.db = self.disk.db
        self.chats, self.outbox = ChatRepository(self.db), Outbox(self.db, self.clock)
        self.subscriptions = SubscriptionRepository(self.db)
        self.sender = Sender(self.outbox.queue, self.telegram, self.limits, self.clock, self.on_delivered, self.chats)

    def texts(self, chat_id: int) -> list[str]:
        return [shown.html for shown in self.shown(chat_id)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[FailingWorld]:
    made = FailingWorld(new_sqlite(tmp_path))
    await made.open()
    yield made
    await made.db.close()


async def test_nothing_leaves_while_the_database_fails_and_everything_does_when_it_is_well(world: FailingWorld) -> None:
    await world.follow(1, 2)
    await world.outbox.put([alert(1)])
    world.disk.protect()
    sending = asyncio.create_task(world.sender.run())
    await asyncio.sleep(30)
    before = world.texts(1), world.texts(2)
    world.disk.make_room()
    await asyncio.sleep(2)

    assert before == ([], []) and (world.texts(1), world.texts(2)) == (["goal"], ["goal"])
    await world.sender.stop()
    await sending


async def test_what_was_on_its_way_when_the_database_failed_is_noted_later_and_not_sent_twice(world: FailingWorld) -> None:
    world.telegram.latency = 1.0
    await world.follow(1)
    sending = asyncio.create_task(world.sender.run())
    await world.outbox.put([alert(1)])
    await asyncio.sleep(0.5)
    world.disk.protect()
    await asyncio.sleep(30)
    world.disk.make_room()
    await world.outbox.put([minor(2, action="card")])
    await asyncio.sleep(5)
    await world.sender.stop()
    await sending
    await world.restart()
    await world.send()

    assert world.texts(1) == ["goal", "yellow"] and await world.outbox.count_waiting() == 0


async def test_messages_whose_turn_came_as_the_database_failed_keep_their_order(world: FailingWorld) -> None:
    await world.follow(1)
    sending = asyncio.create_task(world.sender.run())
    await asyncio.sleep(1)
    for number in range(1, 6):
        await world.outbox.put([alert(number, f"goal {number}", action=f"g{number}")])
    world.disk.protect()
    await asyncio.sleep(10)
    world.disk.make_room()
    await asyncio.sleep(10)

    assert world.texts(1) == [f"goal {number}" for number in range(1, 6)]
    await world.sender.stop()
    await sending


async def test_a_chat_that_is_gone_while_the_database_fails_is_suspended_afterwards(world: FailingWorld) -> None:
    world.telegram.latency = 1.0
    await world.follow(1)
    world.telegram.fail(1, ChatGone("blocked"), ChatGone("blocked"))
    sending = asyncio.create_task(world.sender.run())
    await world.outbox.put([alert(1)])
    await asyncio.sleep(0.5)
    world.disk.protect()
    await asyncio.sleep(10)
    world.disk.make_room()
    await asyncio.sleep(10)

    (chat,) = await world.chats.get_all()
    assert not chat.is_active and world.texts(1) == []
    await world.sender.stop()
    await sending


async def test_a_stop_while_the_database_fails_ends_all_the_same(world: FailingWorld) -> None:
    world.telegram.latency = 1.0
    await world.follow(1)
    sending = asyncio.create_task(world.sender.run())
    await world.outbox.put([alert(1)])
    await asyncio.sleep(0.5)
    world.disk.protect()
    await world.sender.stop()

    assert await asyncio.wait_for(sending, 5) is None and world.texts(1) == ["goal"]
