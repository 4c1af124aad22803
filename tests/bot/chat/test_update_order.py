"""A chat's updates are handled one after the other, in order and once, by several processes on one database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy import update as update_rows
from telegram import Update

from bot.chat.update_order import Registration, UpdateOrder, UpdateRepository, mark_update_stored, read_chats_to_order
from bot.cluster.leases import LeaseRepository, name_process_lease
from bot.errors import StorageUnavailable
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.driver import UPDATES_CHANNEL
from bot.storage.schema import updates
from tests.tasks import cancel_tasks
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


class RecordedHandlers:
    """Handles updates; records when each began and ended."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.held_back: dict[int, asyncio.Event] = {}

    def hold(self, update_id: int) -> asyncio.Event:
        """Make the handler of an update wait for an event."""
        return self.held_back.setdefault(update_id, asyncio.Event())

    def make(self, update_id: int, more: Callable[[], Awaitable[object]] | None = None) -> Callable[[], Awaitable[None]]:
        async def handle() -> None:
            self.events.append(f"{update_id} begins")
            if update_id in self.held_back:
                await self.held_back[update_id].wait()
            if more is not None:
                await more()
            self.events.append(f"{update_id} ends")

        return handle

    async def wait_for(self, event: str) -> None:
        await until(lambda: event in self.events)


async def count_waiting(db: Database, count: int) -> bool:
    """Whether so many updates wait for their turn."""
    async with db.transaction() as tx:
        return len(await tx.fetch(select(updates).where(updates.c.state == "waiting"))) == count


class RecordingRepository(UpdateRepository):
    """Records what it found of each update that came."""

    def __init__(self, db: Database, name: str) -> None:
        super().__init__(db, name)
        self.found: list[Registration] = []

    async def register(self, update_id: int, chat_ids: Collection[int]) -> Registration:
        self.found.append(await super().register(update_id, chat_ids))
        return self.found[-1]


async def join(db: Database, name: str, settle_time: float = 0.0, repository: UpdateRepository | None = None) -> UpdateOrder:
    """Let a process join those that handle updates."""
    await LeaseRepository(db, name, duration=600).acquire({name_process_lease(name)})
    order = UpdateOrder(repository or UpdateRepository(db, name), settle_time)
    await db.listen(UPDATES_CHANNEL, order.on_changed)
    return order


async def test_updates_of_one_chat_in_two_processes_are_handled_one_after_the_other_in_order(db: Database) -> None:
    processes = [await join(db, "one"), await join(db, "two")]
    handlers, numbers = RecordedHandlers(), list(range(101, 112))
    held = handlers.hold(100)
    random.Random(3).shuffle(numbers)

    first = asyncio.create_task(processes[0].handle(message(100), handlers.make(100)))
    await handlers.wait_for("100 begins")
    others = [asyncio.create_task(processes[n % 2].handle(message(n), handlers.make(n))) for n in numbers]
    await until(lambda: count_waiting(db, len(numbers)))
    held.set()
    await asyncio.gather(first, *others)

    assert handlers.events == [f"{n} {what}" for n in range(100, 112) for what in ("begins", "ends")]


async def test_a_slow_chat_holds_up_no_other(db: Database) -> None:
    order, handlers = await join(db, "one"), RecordedHandlers()
    held = handlers.hold(1)

    slow = [asyncio.create_task(order.handle(message(n), handlers.make(n))) for n in range(1, 101)]
    await handlers.wait_for("1 begins")
    await order.handle(message(101, OTHER), handlers.make(101))

    assert handlers.events == ["1 begins", "101 begins", "101 ends"]
    held.set()
    await asyncio.gather(*slow)
    assert [event for event in handlers.events if event.endswith("ends")][-1] == "100 ends"


async def test_an_update_that_comes_twice_is_handled_once(db: Database) -> None:
    repositories = [RecordingRepository(db, name) for name in ("one", "two")]
    one, two = [await join(db, name, repository=known) for name, known in zip(("one", "two"), repositories, strict=True)]
    handlers = RecordedHandlers()
    held = handlers.hold(1)

    first = asyncio.create_task(one.handle(message(1), handlers.make(1)))
    await handlers.wait_for("1 begins")
    again = [asyncio.create_task(process.handle(message(1), handlers.make(1))) for process in (one, two)]
    await until(lambda: all(Registration.IN_PROGRESS in repository.found for repository in repositories))
    is_answered_early = any(task.done() for task in again)
    held.set()
    await asyncio.gather(first, *again)
    await two.handle(message(1), handlers.make(1))

    assert handlers.events == ["1 begins", "1 ends"] and not is_answered_early


async def test_an_update_that_failed_for_the_database_is_handled_when_it_comes_again(db: Database) -> None:
    order, handlers = await join(db, "one"), RecordedHandlers()

    async def fail() -> None:
        raise StorageUnavailable("away")

    with pytest.raises(StorageUnavailable):
        await order.handle(message(1), handlers.make(1, fail))
    await order.handle(message(2), handlers.make(2))
    await order.handle(message(1), handlers.make(1))

    assert handlers.events == ["1 begins", "2 begins", "2 ends", "1 begins", "1 ends"]


async def test_what_a_process_that_is_killed_had_not_stored_is_handled_by_another_and_what_it_had_is_not(db: Database) -> None:
    killed, handlers = await join(db, "killed"), RecordedHandlers()
    handlers.hold(1)
    chats = ChatRepository(db)

    async def store_and_hang() -> None:
        async with chats.changing(followers=False) as tx:
            await mark_update_stored(tx)
        handlers.events.append("2 is stored")
        await asyncio.Event().wait()

    lost = asyncio.create_task(killed.handle(message(1), handlers.make(1)))
    stored = asyncio.create_task(killed.handle(message(2, OTHER), handlers.make(2, store_and_hang)))
    await handlers.wait_for("1 begins")
    await handlers.wait_for("2 is stored")
    await cancel_tasks(lost, stored)
    await LeaseRepository(db, "killed").release({name_process_lease("killed")})
    other = await join(db, "other")
    handlers.held_back.clear()
    for update in (message(1), message(2, OTHER)):
        await other.handle(update, handlers.make(update.update_id))
    await other.handle(message(3, OTHER), handlers.make(3))

    assert handlers.events[3:] == ["1 begins", "1 ends", "3 begins", "3 ends"]


async def test_a_migration_waits_for_both_groups(db: Database) -> None:
    one, two, handlers = await join(db, "one"), await join(db, "two"), RecordedHandlers()
    held = [handlers.hold(1), handlers.hold(2)]
    tasks = [asyncio.create_task(one.handle(message(n, chat), handlers.make(n))) for n, chat in ((1, GROUP), (2, CHANNEL))]
    for n in (1, 2):
        await handlers.wait_for(f"{n} begins")

    tasks.append(asyncio.create_task(two.handle(message(3, GROUP, migrate_to_chat_id=CHANNEL), handlers.make(3))))
    for n, event in enumerate(held, 1):
        event.set()
        await handlers.wait_for(f"{n} ends")
    await asyncio.gather(*tasks)

    assert handlers.events[-2:] == ["3 begins", "3 ends"]


async def test_handled_updates_are_remembered_for_a_day(db: Database) -> None:
    order, handlers, repository = await join(db, "one"), RecordedHandlers(), UpdateRepository(db, "one")
    await order.handle(message(1), handlers.make(1))
    await repository.delete_old()
    await order.handle(message(1), handlers.make(1))
    async with db.transaction() as tx:
        await tx.execute(update_rows(updates).values(at=await tx.now() - 90_000))
    await repository.delete_old()
    await order.handle(message(1), handlers.make(1))

    assert handlers.events == ["1 begins", "1 ends"] * 2


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
