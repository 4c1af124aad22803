"""Who is refused: one chat that is gone, or all of them because Telegram is at fault; and chats that come back."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable

import pytest
from sqlalchemy import select

from bot.clock import ManualClock
from bot.errors import ChatGone, DeliveryError, StorageUnavailable, TelegramUnreachable
from bot.storage.schema import suspensions
from bot.subscribers import Chat, ChatRef
from bot.telegram.suspension_brake import HeldSuspension, SuspensionBrake
from bot.telegram.suspensions import SuspendedChatsCheck, SuspensionRepository
from tests.bot.news import NOW, alert
from tests.bot.telegram.conftest import World
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time
GONE = ChatGone("Bad Request: chat not found")


async def list_suspended(world: World) -> set[int]:
    return {chat.ref.chat_id for chat in await world.chats.get_all() if not chat.is_active}


def refuse(brake: SuspensionBrake, chat_id: int, now: float) -> float | None:
    """Refuse a chat; return when it is tried again, None if it is suspended."""
    held = brake.hold(chat_id, now)
    return held.delay if held else None


def refuse_twice(brake: SuspensionBrake, chats: Iterable[int], now: float) -> list[float | None]:
    """Refuse chats, and once more ten seconds later; return what is done with each then."""
    chats = list(chats)
    assert {refuse(brake, chat, now) for chat in chats} == {10.0}
    return [refuse(brake, chat, now + 10) for chat in chats]


def test_a_few_chats_that_are_gone_are_suspended_after_ten_seconds_however_small_the_bot() -> None:
    assert refuse_twice(SuspensionBrake(), (1, 2, 3), 0.0) == [None] * 3


def test_four_of_few_chats_are_held_longer_and_longer_and_none_was_suspended_before() -> None:
    brake = SuspensionBrake()

    assert refuse_twice(brake, (1, 2, 3, 4), 0.0) == [60.0] * 4
    assert [[refuse(brake, chat, now) for chat in (1, 2, 3, 4)] for now in (70.0, 190.0)] == [[120.0] * 4, [240.0] * 4]


def test_a_fifth_of_those_that_were_tried_is_no_mass() -> None:
    brake = SuspensionBrake()
    for chat in range(100):
        brake.on_delivered(chat, 0.0)

    assert refuse_twice(brake, range(100, 125), 1.0) == [None] * 25
    assert refuse_twice(brake, range(125, 127), 12.0) == [60.0] * 2


def test_refusals_are_counted_within_a_minute() -> None:
    brake = SuspensionBrake()

    assert [refuse_twice(brake, [chat], 30.0 * chat) for chat in range(20)] == [[None]] * 20


def test_a_chat_that_takes_a_message_is_not_refused() -> None:
    brake = SuspensionBrake()
    for chat in range(5):
        brake.hold(chat, 0.0)
    for chat in range(5):
        brake.on_delivered(chat, 10.0)

    assert refuse_twice(brake, [6], 11.0) == [None]


def test_a_mass_that_was_none_is_known_by_what_the_others_took_meanwhile() -> None:
    brake = SuspensionBrake()
    assert refuse_twice(brake, range(5), 0.0) == [60.0] * 5
    for chat in range(100, 200):
        brake.on_delivered(chat, 15.0)

    assert [brake.hold(chat, 70.0 + chat) for chat in range(5)] == [None] * 5


def test_a_refusal_of_long_ago_does_not_judge_a_chat() -> None:
    brake = SuspensionBrake()
    brake.hold(1, 0.0)

    assert refuse(brake, 1, 7200.0) == 10.0


def test_a_chat_that_is_refused_for_six_hours_is_suspended() -> None:
    brake, now, waits = SuspensionBrake(), 0.0, []
    while held := max((refuse(brake, chat, now) or 0.0 for chat in range(5)), default=0.0):
        waits.append(held)
        now += held

    assert 6 * 3600 < now < 6.5 * 3600 and max(waits) == 900.0


def test_a_first_refusal_says_how_many_were_refused_and_tried_within_a_minute() -> None:
    brake = SuspensionBrake()
    brake.on_delivered(1, 0.0)
    brake.hold(2, 0.0)
    brake.on_delivered(3, 0.5)

    assert brake.hold(4, 60.0) == HeldSuspension(10.0, refused=1, tried=2, is_mass=False)


def test_a_mass_says_how_many_were_refused_and_tried() -> None:
    brake = SuspensionBrake()
    brake.on_delivered(9, 1.0)
    for chat in range(1, 5):
        brake.hold(chat, 5.0)

    assert brake.hold(1, 15.0) == HeldSuspension(60.0, refused=4, tried=5, is_mass=True)


@pytest.mark.parametrize(("others_at", "is_mass"), [(25.1, True), (24.9, False)])
def test_those_that_were_refused_up_to_five_seconds_before_the_chats_own_last_try_count(others_at: float, is_mass: bool) -> None:
    brake = SuspensionBrake()
    for chat in (1, 2, 3):
        brake.hold(chat, others_at)
    brake.hold(4, 30.0)

    assert (brake.hold(4, 130.0) is not None) is is_mass


@pytest.mark.parametrize(("seconds", "delay"), [(1800.0, None), (1801.0, 10.0)])
def test_half_an_hour_after_its_last_refusal_a_chat_is_judged_anew(seconds: float, delay: float | None) -> None:
    brake = SuspensionBrake()
    brake.hold(1, 0.0)

    assert refuse(brake, 1, seconds) == delay


def test_so_many_chats_are_remembered_and_the_one_that_answered_first_is_forgotten() -> None:
    brake = SuspensionBrake()
    for chat in range(20_000):
        brake.on_delivered(chat, 1.0)
    brake.on_delivered(0, 2.0)

    held = brake.hold(20_000, 2.0)

    assert held and (held.refused, held.tried) == (1, 20_000)
    assert next(iter(brake._tried)) == 2, "chat 0 answered again, so chat 1 was the oldest"


async def test_a_chat_that_is_refused_for_a_moment_gets_everything_in_order(world: World) -> None:
    await world.follow(1)
    world.telegram.fail(1, GONE)

    await world.send(*[alert(number, f"goal {number}", action=f"g{number}") for number in range(1, 6)], seconds=9)
    before = list(world.shown())
    await world.send(seconds=2)

    assert (before, [shown.html for shown in world.shown()]) == ([], [f"goal {number}" for number in range(1, 6)])
    assert await list_suspended(world) == set()


async def test_a_mass_of_refusals_suspends_nobody_and_every_chat_gets_everything_in_order(world: World) -> None:
    await world.follow(*range(1, 31))
    world.telegram.failure = GONE
    goals = [alert(number, f"goal {number}", action=f"g{number}", max_age=3600.0) for number in range(1, 6)]
    await world.send(*goals, seconds=200)
    world.telegram.failure = None

    await world.send(seconds=900)

    assert await list_suspended(world) == set()
    assert all([shown.html for shown in world.shown(chat)] == [goal.text for goal in goals] for chat in range(1, 31))


async def test_when_every_chat_is_refused_nobody_is_suspended_and_all_get_the_goal_when_it_is_over(world: World) -> None:
    refusals: list[tuple[str, int, int]] = []
    world.sender.failures.on_mass_refusal = lambda *facts: refusals.append(facts)
    await world.follow(*range(1, 31))
    world.telegram.failure = GONE
    await world.send(alert(1, "goal"), seconds=30)
    during = await list_suspended(world)
    world.telegram.failure = None

    await world.send(seconds=120)

    assert (during, await list_suspended(world)) == (set(), set())
    assert all([shown.html for shown in world.shown(chat)] == ["goal"] for chat in range(1, 31))
    assert refusals[0] == refusals[-1] == ("Bad Request: chat not found", 30, 30)


async def test_some_who_are_gone_among_many_are_suspended_within_a_minute_and_nobody_is_alarmed(world: World) -> None:
    await world.follow(*range(1, 101))
    for chat in range(10, 20):
        world.telegram.fail(chat, *[GONE] * 9)
    refusals: list[tuple[str, int, int]] = []
    world.sender.failures.on_mass_refusal = lambda *facts: refusals.append(facts)

    await world.send(alert(1, "goal"), seconds=90)

    assert (await list_suspended(world), refusals) == (set(range(10, 20)), [])


class FakeChatRequests:
    """Telegram asked for chats; `errors` are what it says of each."""

    def __init__(self) -> None:
        self.chat_ids: list[int] = []
        self.errors: dict[int, DeliveryError] = {}

    async def ask(self, chat_id: int) -> None:
        self.chat_ids.append(chat_id)
        if error := self.errors.get(chat_id):
            raise error


@pytest.mark.slow
async def test_a_suspended_chat_is_asked_for_less_and_less_often_and_comes_back_by_itself(world: World) -> None:
    clock, requests, store, db = ManualClock(NOW), FakeChatRequests(), world.chats, world.db
    for chat in (1, 2, 3):
        await store.save(Chat(ChatRef(chat)))
        if chat < 3:
            await store.suspend(chat, "chat not found")
    requests.errors = {1: GONE, 2: GONE}
    check = SuspendedChatsCheck(SuspensionRepository(db), store, requests.ask, clock)
    asked = []
    for hour in range(24 * 30):
        if hour == 24 * 12:
            requests.errors = {1: TelegramUnreachable("502", maybe_sent=False)}
        clock.move_to(NOW + dt.timedelta(hours=hour))
        await check.ask_for_due()
        asked += [(hour, chat) for chat in requests.chat_ids]
        requests.chat_ids.clear()

    assert [hour for hour, chat in asked if chat == 1] == [3, 15, 39, 111, 279, 615]
    assert [hour for hour, chat in asked if chat == 2] == [3, 15, 39, 111, 279, 615]
    assert {chat.ref.chat_id: chat.is_active for chat in await store.get_all()} == {1: False, 2: True, 3: True}


async def test_a_chat_that_comes_back_gets_what_still_is_news(world: World) -> None:
    await world.follow(1)
    world.telegram.fail(1, GONE, GONE)
    await world.send(alert(1, "goal"), seconds=15)
    assert await list_suspended(world) == {1}
    requests, clock = FakeChatRequests(), ManualClock(NOW)
    check = SuspendedChatsCheck(SuspensionRepository(world.db), world.chats, requests.ask, clock)
    await check.ask_for_due()
    clock.move_to(NOW + dt.timedelta(hours=3))
    await check.ask_for_due()
    world.outbox.queue.rescan()

    await world.send(seconds=5)

    assert (requests.chat_ids, [shown.html for shown in world.shown()]) == ([1], ["goal"])


async def test_two_processes_never_ask_for_the_same_chat(world: World) -> None:
    store, clock, db = world.chats, ManualClock(NOW), world.db
    await store.save(Chat(ChatRef(1)))
    await store.suspend(1, "gone")
    first, second = SuspensionRepository(db), SuspensionRepository(db)
    assert await first.take_due(clock.now()) == []
    later = NOW + dt.timedelta(hours=4)

    assert sorted(await asyncio.gather(first.take_due(later), second.take_due(later))) == [[], [1]]


async def test_chats_are_asked_for_page_by_page_in_the_order_in_which_they_are_due(world: World) -> None:
    store, suspended = world.chats, SuspensionRepository(world.db)
    for hour, chat in enumerate((3, 1, 2)):
        await store.save(Chat(ChatRef(chat)))
        await store.suspend(chat, "gone")
        assert await suspended.take_due(NOW + dt.timedelta(hours=hour)) == []
    pages = [await suspended.take_due(NOW + dt.timedelta(hours=6), limit=2) for _ in range(3)]

    assert pages == [[3, 1], [2], []]


async def test_a_chat_that_was_erased_is_forgotten_and_one_that_was_resumed_keeps_its_count(world: World) -> None:
    store, suspended = world.chats, SuspensionRepository(world.db)
    for chat in (1, 2):
        await store.save(Chat(ChatRef(chat)))
        await store.suspend(chat, "gone")
    await suspended.take_due(NOW)
    first = await suspended.take_due(NOW + dt.timedelta(hours=3))
    await store.erase(ChatRef(1))
    await store.resume(2)
    while_it_is_there = await suspended.take_due(NOW + dt.timedelta(hours=24))
    await store.suspend(2, "gone again")
    again = await suspended.take_due(NOW + dt.timedelta(hours=24))
    async with world.db.transaction() as tx:
        rows = await tx.fetch(select(suspensions))

    assert (sorted(first), while_it_is_there, again) == ([1, 2], [], [2])
    assert [(row["chat_id"], row["asked"]) for row in rows] == [(2, 2)]


async def test_a_look_for_suspended_chats_is_made_every_ten_minutes_and_a_database_that_is_away_ends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_at: list[float] = []

    async def take_due(now: dt.datetime, limit: int = 0) -> list[int]:
        asked_at.append(world.clock.monotonic())
        if len(asked_at) == 1:
            raise StorageUnavailable("away")
        return []

    repository = SuspensionRepository(world.db)
    monkeypatch.setattr(repository, "take_due", take_due)
    started_at = world.clock.monotonic()
    task = asyncio.create_task(SuspendedChatsCheck(repository, world.chats, FakeChatRequests().ask, world.clock).run())
    await asyncio.sleep(1900)
    await cancel_tasks(task)

    assert [round(at - started_at) for at in asked_at] == [600, 1200, 1800]
