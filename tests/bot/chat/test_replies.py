"""How replies are sent, and repeated after a 429."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from telegram import CallbackQuery, User
from telegram.error import BadRequest, RetryAfter

from bot.chat.replies import ReplyRetrier, ReplySender
from bot.fake_telegram.state import too_many
from bot.telegram.messenger import build_bot
from tests.bot.chat.conftest import World
from tests.fakes.bot_api import FakeBotApi


@pytest.mark.parametrize("note", ["", "✅ Arsenal"])
async def test_a_press_is_acknowledged_with_exactly_its_note(note: str) -> None:
    async with FakeBotApi() as api, build_bot(api.token, api.url) as bot:
        api.queries.add("5")
        query = CallbackQuery("5", User(42, "Somebody", is_bot=False), "5")
        query.set_bot(bot)

        await ReplySender(bot).acknowledge(query, note)

        answer = api.answer("5")
        assert answer is not None and answer["text"] == note


async def test_a_command_is_answered_though_telegram_asks_to_wait(world: World) -> None:
    world.api.fail("sendMessage", too_many(1))

    answer = await world.ask(42, 42, "/help")

    assert "/subscribe" in answer.text and len(world.api.calls("sendMessage")) == 2


async def test_a_press_is_answered_and_shown_though_telegram_asks_to_wait(world: World) -> None:
    await world.ask(42, 42, "/language")
    before = world.api.chat(42).last.text
    world.api.fail("editMessageText", too_many(1))
    world.api.fail("answerCallbackQuery", too_many(61))

    world.api.tap(42, 42, "Português")
    await world.api.until(lambda: world.api.chat(42).last.text != before)

    assert len(world.api.calls("editMessageText")) == 2


class RefusedRequest:
    """A request that is refused a few times; records when it was tried."""

    def __init__(self, *refusals: Exception) -> None:
        self._refusals = list(refusals)
        self.at: list[float] = []

    async def __call__(self) -> None:
        self.at.append(asyncio.get_running_loop().time())
        if self._refusals:
            raise self._refusals.pop(0)


@pytest.mark.virtual_time
async def test_a_reply_refused_with_a_429_is_sent_after_the_time_that_telegram_asks_for() -> None:
    request = RefusedRequest(RetryAfter(dt.timedelta(seconds=7)), RetryAfter(dt.timedelta(seconds=20)))

    await ReplyRetrier().call(request)

    assert [at - request.at[0] for at in request.at] == [0, 7.5, 28]


@pytest.mark.virtual_time
async def test_while_one_reply_waits_others_are_sent() -> None:
    retrier, held, free = ReplyRetrier(), RefusedRequest(RetryAfter(dt.timedelta(seconds=30))), RefusedRequest()

    waiting = asyncio.create_task(retrier.call(held))
    await asyncio.sleep(1)
    await retrier.call(free)

    assert not waiting.done() and free.at == [held.at[0] + 1]
    await waiting


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("refusals", "tries"),
    [([RetryAfter(dt.timedelta(seconds=61))], 1), ([RetryAfter(dt.timedelta(seconds=1))] * 3, 3), ([BadRequest("no")], 1)],
)
async def test_a_request_refused_for_long_or_again_and_again_or_for_good_raises(refusals: list[Exception], tries: int) -> None:
    request = RefusedRequest(*refusals)

    with pytest.raises(type(refusals[0])):
        await ReplyRetrier().call(request)

    assert len(request.at) == tries


@pytest.mark.virtual_time
async def test_a_request_is_not_repeated_while_too_many_wait_already() -> None:
    retrier, late = ReplyRetrier(max_waiting=1), RefusedRequest(RetryAfter(dt.timedelta(seconds=5)))

    waiting = asyncio.create_task(retrier.call(RefusedRequest(RetryAfter(dt.timedelta(seconds=5)))))
    await asyncio.sleep(1)
    with pytest.raises(RetryAfter):
        await retrier.call(late)
    await waiting
    again = RefusedRequest(RetryAfter(dt.timedelta(seconds=5)))
    await retrier.call(again)

    assert (len(late.at), len(again.at)) == (1, 2)


@pytest.mark.virtual_time
async def test_cancelling_ends_every_wait() -> None:
    retrier, request = ReplyRetrier(), RefusedRequest(RetryAfter(dt.timedelta(seconds=50)))

    waiting = asyncio.create_task(retrier.call(request))
    await asyncio.sleep(1)
    retrier.cancel_all()

    with pytest.raises(RetryAfter):
        await waiting
    assert asyncio.get_running_loop().time() - request.at[0] == 1 and len(request.at) == 1
