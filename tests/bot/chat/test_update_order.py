"""A chat's updates are handled one after the other, in order and once, by several processes on one database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy import update as update_rows
from telegram import Update

from bot.chat.update_order import UpdateOrder, UpdateRepository, mark_update_stored, read_chats_to_order
from bot.cluster.leases import LeaseRepository, name_process_lease
from bot.errors import StorageUnavailable
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.driver import UPDATES_CHANNEL
from bot.storage.schema import updates
from tests.waiting import until

GROUP, OTHER, CHANNEL = -500, 42, -1_000_000_000_600


def message(update_id: int, chat: int = GROUP, **more: Any) -> Update:
    chat_type = "private" if chat > 0 else "supergroup"
    body = {"message_id": update_id, "date": 1_790_000_000, "chat": {"id": chat, "type": chat_type}, "text": "/today", **more}
    update = Update.de_json({"update_id": update_id, "message": body}, None)
    assert update is not None
    return update


def press(update_id: int, chat: int, data: str) -> Update:
    user = {"id": 7, "is_bot": False, "first_name": "A"}
    below = {"message_id": 1, "date": 1_790_000_000, "chat": {"id": chat, "type": "private" if chat > 0 else "group"}}
    query = {"id": "1", "from": user, "chat_instance": "1", "data": data, "message": below}
    update = Update.de_json({"update_id": update_id, "callback_query": query}, None)
    assert update is not None
    return update


class Handling:
    """Handles updates; records when each began and ended."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.held: dict[int, asyncio.Event] = {}

    def hold(self, update_id: int) -> asyncio.Event:
        """Make the handler of an update wait for an event."""
        return self.held.setdefault(update_id, asyncio.Event())

    def of(self, update_id: int, more: Callable[[], Awaitable[object]] | None = None) -> Callable[[], Awaitable[None]]:
        async def handle() -> None:
            self.events.append(f"{update_id} begins")
            if update_id in self.held:
                await self.held[update_id].wait()
            if more is not None:
                await more()
            self.events.append(f"{update_id} ends")

        return handle

    async def until(self, event: str) -> None:
        await until(lambda: event in self.events)


async def count_waiting(db: Database, count: int) -> bool:
    """Whether so many updates wait for their turn."""
    async with db.transaction() as tx:
        return len(await tx.fetch(select(updates).where(updates.c.state == "waiting"))) == count


async def join(db: Database, name: str, settle_time: float = 0.0) -> UpdateOrder:
    """Let a process join those that handle updates."""
    await LeaseRepository(db, name, duration=600).acquire({name_process_lease(name)})
    order = UpdateOrder(UpdateRepository(db, name), settle_time)
    await db.listen(UPDATES_CHANNEL, order.on_changed)
    return order


async def test_updates_of_one_chat_in_two_processes_are_handled_one_after_the_other_in_order(db: Database) -> None:
    processes = [await join(db, "one"), await join(db, "two")]
    handling, numbers = Handling(), list(range(101, 112))
    held = handling.hold(100)
    random.Random(3).shuffle(numbers)

    first = asyncio.create_task(processes[0].handle(message(100), handling.of(100)))
    await handling.until("100 begins")
    others = [asyncio.create_task(processes[n % 2].handle(message(n), handling.of(n))) for n in numbers]
    await until(lambda: count_waiting(db, len(numbers)))
    held.set()
    await asyncio.gather(first, *others)

    assert handling.events == [f"{n} {what}" for n in range(100, 112) for what in ("begins", "ends")]


async def test_a_slow_chat_holds_up_no_other(db: Database) -> None:
    order, handling = await join(db, "one"), Handling()
    held = handling.hold(1)

    slow = [asyncio.create_task(order.handle(message(n), handling.of(n))) for n in range(1, 101)]
    await handling.until("1 begins")
    await order.handle(message(101, OTHER), handling.of(101))

    assert handling.events == ["1 begins", "101 begins", "101 ends"]
    held.set()
    await asyncio.gather(*slow)
    assert [event for event in handling.events if event.endswith("ends")][-1] == "100 ends"


async def test_an_update_that_comes_twice_is_handled_once(db: Database) -> None:
    one, two, handling = await join(db, "one"), await join(db, "two"), Handling()
    held = handling.hold(1)

    first = asyncio.create_task(one.handle(message(1), handling.of(1)))
    await handling.until("1 begins")
    again = [asyncio.create_task(process.handle(message(1), handling.of(1))) for process in (one, two)]
    await asyncio.sleep(0.05)
    is_answered_early = any(task.done() for task in again)
    held.set()
    await asyncio.gather(first, *again)
    await two.handle(message(1), handling.of(1))

    assert handling.events == ["1 begins", "1 ends"] and not is_answered_early


async def test_an_update_that_failed_for_the_database_is_handled_when_it_comes_again(db: Database) -> None:
    order, handling = await join(db, "one"), Handling()

    async def fail() -> None:
        raise StorageUnavailable("away")

    with pytest.raises(StorageUnavailable):
        await order.handle(message(1), handling.of(1, fail))
    await order.handle(message(2), handling.of(2))
    await order.handle(message(1), handling.of(1))

    assert handling.events == ["1 begins", "2 begins", "2 ends", "1 begins", "1 ends"]


async def test_what_a_process_that_is_killed_had_not_stored_is_handled_by_another_and_what_it_had_is_not(db: Database) -> None:
    killed, handling = await join(db, "killed"), Handling()
    handling.hold(1)
    chats = ChatRepository(db)

    async def store_and_hang() -> None:
        async with chats.changing(followers=False) as tx:
            await mark_update_stored(tx)
        handling.events.append("2 is stored")
        await asyncio.Event().wait()

    lost = asyncio.create_task(killed.handle(message(1), handling.of(1)))
    stored = asyncio.create_task(killed.handle(message(2, OTHER), handling.of(2, store_and_hang)))
    await handling.until("1 begins")
    await handling.until("2 is stored")
    for task in (lost, stored):
        task.cancel()
    await asyncio.gather(lost, stored, return_exceptions=True)
    await LeaseRepository(db, "killed").release({name_process_lease("killed")})
    other = await join(db, "other")
    handling.held.clear()
    for update in (message(1), message(2, OTHER)):
        await other.handle(update, handling.of(update.update_id))
    await other.handle(message(3, OTHER), handling.of(3))

    assert handling.events[3:] == ["1 begins", "1 ends", "3 begins", "3 ends"]


async def test_a_migration_waits_for_both_groups(db: Database) -> None:
    one, two, handling = await join(db, "one"), await join(db, "two"), Handling()
    held = [handling.hold(1), handling.hold(2)]
    tasks = [asyncio.create_task(one.handle(message(n, chat), handling.of(n))) for n, chat in ((1, GROUP), (2, CHANNEL))]
    for n in (1, 2):
        await handling.until(f"{n} begins")

    tasks.append(asyncio.create_task(two.handle(message(3, GROUP, migrate_to_chat_id=CHANNEL), handling.of(3))))
    for n, event in enumerate(held, 1):
        event.set()
        await handling.until(f"{n} ends")
    await asyncio.gather(*tasks)

    assert handling.events[-2:] == ["3 begins", "3 ends"]


async def test_handled_updates_are_remembered_for_a_day(db: Database) -> None:
    order, handling, repository = await join(db, "one"), Handling(), UpdateRepository(db, "one")
    await order.handle(message(1), handling.of(1))
    await repository.delete_old()
    await order.handle(message(1), handling.of(1))
    async with db.transaction() as tx:
        await tx.execute(update_rows(updates).values(at=await tx.now() - 90_000))
    await repository.delete_old()
    await order.handle(message(1), handling.of(1))

    assert handling.events == ["1 begins", "1 ends"] * 2


@pytest.mark.parametrize(
    ("update", "chats"),
    [
        (message(1), (GROUP,)),
        (message(1, GROUP, migrate_to_chat_id=CHANNEL), (GROUP, CHANNEL)),
        (message(1, CHANNEL, migrate_from_chat_id=GROUP), (CHANNEL, GROUP)),
        (press(1, OTHER, "f:spoilers"), (OTHER,)),
        (press(1, OTHER, f"@{CHANNEL};f:spoilers"), (CHANNEL,)),
        (press(1, GROUP, f"@{CHANNEL};f:spoilers"), (GROUP,)),
        (Update(1), ()),
    ],
)
def test_the_chats_of_an_update_are_those_that_it_may_change(update: Update, chats: tuple[int, ...]) -> None:
    assert read_chats_to_order(update) == chats
