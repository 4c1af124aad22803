"""Polling through every trouble, on virtual time."""

import asyncio
from typing import Any

import pytest
from telegram import Update
from telegram.error import NetworkError, TimedOut
from telegram.ext import ExtBot

from bot.chat.updates import SECOND_PROCESS, WEBHOOK_SET, UpdatePoller
from tests.fakes.bot_api_state import BAD_GATEWAY, RefusedError, too_many
from tests.fakes.polls import Answer, ScriptedPolls

pytestmark = pytest.mark.virtual_time

CONFLICT = RefusedError(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
UNAUTHORIZED = RefusedError(401, "Unauthorized")
POISON = {"update_id": 11, "message": {"message_id": "?", "date": [], "chat": 7}}


def said(number: int) -> dict[str, Any]:
    chat = {"id": 42, "type": "private", "first_name": "Anna"}
    return {"update_id": number, "message": {"message_id": number, "date": 1_790_000_000, "chat": chat, "text": "/today"}}


class World:
    """Polls as scripted for so many seconds, then stops."""

    def __init__(self, *answers: Answer) -> None:
        self.polls = ScriptedPolls(*answers)
        self.heard: list[int] = []
        self.told: list[tuple[str, str]] = []
        self.fine = 0
        self.updates = UpdatePoller(ExtBot("1:test", get_updates_request=self.polls), self.take, self.tell, self.well)

    async def take(self, update: Update) -> None:
        self.heard.append(update.update_id)

    def tell(self, name: str, sentence: str) -> None:
        self.told.append((name, sentence))

    def well(self) -> None:
        self.fine += 1

    async def run(self, seconds: float = 60.0) -> "World":
        task = asyncio.create_task(self.updates.run())
        await asyncio.wait({task}, timeout=seconds)
        assert not task.done(), task
        task.cancel()
        self.stopped_at = asyncio.get_running_loop().time()
        await asyncio.gather(task, return_exceptions=True)
        return self


async def test_updates_are_taken_in_order_and_confirmed_by_the_next_poll() -> None:
    world = await World([said(10), said(11)], [said(12)]).run()

    assert world.heard == [10, 11, 12]
    assert world.polls.offsets[:3] == [0, 12, 13]


async def test_an_update_that_cannot_be_read_loses_no_other_and_does_not_come_again() -> None:
    world = await World([said(10), POISON, said(12)]).run()

    assert (world.heard, world.polls.offsets[1]) == ([10, 12], 13)


@pytest.mark.parametrize("strange", [17, None, {}, {"update_id": "x"}, [said(9)]])
async def test_what_is_no_update_is_passed_over(strange: Any) -> None:
    world = await World([strange, said(10)]).run()

    assert (world.heard, world.polls.offsets[1]) == ([10], 11)


@pytest.mark.parametrize("answer", [[{}], b'{"ok": true, "result": true}', b'"no"', b'{"ok": true}'])
async def test_answers_that_bring_nothing_do_not_spin(answer: Answer) -> None:
    world = await World(*[answer] * 100).run(60)

    assert len(world.polls.at) < 15


@pytest.mark.parametrize(("refusal", "told"), [(CONFLICT, {SECOND_PROCESS}), (UNAUTHORIZED, set())])
async def test_what_needs_a_person_is_tried_again_slowly(refusal: RefusedError, told: set[tuple[str, str]]) -> None:
    world = await World(*[refusal] * 100).run(300)

    assert (set(world.told), world.fine) == (told, 0)
    assert len(world.polls.at) < 20


async def test_a_second_process_that_gets_every_other_answer_is_named_each_time_and_so_is_its_end() -> None:
    world = await World(CONFLICT, [said(10)], CONFLICT, [said(11)], CONFLICT, [said(12)]).run(20)

    assert (world.heard, world.told, world.fine) == ([10, 11, 12], [SECOND_PROCESS] * 3, 3)


async def test_a_webhook_is_named_as_such() -> None:
    refusal = RefusedError(
        409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete it first"
    )
    world = await World(refusal).run()

    assert world.told == [WEBHOOK_SET]


async def test_too_many_requests_wait_as_long_as_asked() -> None:
    world = await World(too_many(7), [said(10)]).run()

    assert world.heard == [10]
    assert world.polls.at[1] == pytest.approx(7.5)


@pytest.mark.parametrize("trouble", [NetworkError("down"), BAD_GATEWAY, b"<html>captive portal</html>", b"[]"])
async def test_the_network_may_go_and_come_back(trouble: Answer) -> None:
    world = await World(*[trouble] * 12, [said(10)]).run(300)

    assert (world.heard, world.told) == ([10], [])
    assert 60 < world.polls.at[12] < 300


async def test_an_answer_that_comes_too_late_is_asked_for_again_soon() -> None:
    world = await World(TimedOut(), [said(10)]).run()

    assert world.polls.at[1] < 1


async def test_a_stop_confirms_the_last_updates() -> None:
    world = await World([said(10)], None).run(5)

    assert world.polls.offsets == [0, 11, 11]


async def test_a_stop_with_nothing_to_confirm_asks_nothing() -> None:
    world = await World([said(10)], [], None).run(5)

    assert world.polls.offsets == [0, 11, 11]


async def test_a_stop_does_not_wait_for_a_telegram_that_is_silent() -> None:
    world = await World([said(10)], None, None).run(5)

    assert asyncio.get_running_loop().time() - world.stopped_at <= 1.01
