"""What Telegram asks to wait with is said once more."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from telegram.error import BadRequest, RetryAfter

from bot.chat.replies import ReplyRetrier

pytestmark = pytest.mark.virtual_time


class Busy:
    """Something to say that is refused a few times; notes when it was tried."""

    def __init__(self, *refusals: Exception) -> None:
        self._refusals = list(refusals)
        self.at: list[float] = []

    async def __call__(self) -> None:
        self.at.append(asyncio.get_running_loop().time())
        if self._refusals:
            raise self._refusals.pop(0)


async def test_an_answer_that_has_to_wait_is_said_once_the_time_is_over() -> None:
    busy = Busy(RetryAfter(dt.timedelta(seconds=7)), RetryAfter(dt.timedelta(seconds=20)))

    await ReplyRetrier().call(busy)

    assert [at - busy.at[0] for at in busy.at] == [0, 7.5, 28]


async def test_while_one_answer_waits_others_are_said() -> None:
    retrier, held, free = ReplyRetrier(), Busy(RetryAfter(dt.timedelta(seconds=30))), Busy()

    waiting = asyncio.create_task(retrier.call(held))
    await asyncio.sleep(1)
    await retrier.call(free)

    assert not waiting.done() and free.at == [held.at[0] + 1]
    await waiting


@pytest.mark.parametrize(
    ("refusals", "tries"),
    [([RetryAfter(dt.timedelta(seconds=61))], 1), ([RetryAfter(dt.timedelta(seconds=1))] * 3, 3), ([BadRequest("no")], 1)],
)
async def test_what_is_refused_for_long_or_again_and_again_or_for_good_is_given_up(refusals: list[Exception], tries: int) -> None:
    busy = Busy(*refusals)

    with pytest.raises(type(refusals[0])):
        await ReplyRetrier().call(busy)

    assert len(busy.at) == tries


async def test_where_many_wait_already_the_next_is_given_up_at_once() -> None:
    retrier, late = ReplyRetrier(max_waiting=1), Busy(RetryAfter(dt.timedelta(seconds=5)))

    waiting = asyncio.create_task(retrier.call(Busy(RetryAfter(dt.timedelta(seconds=5)))))
    await asyncio.sleep(1)
    with pytest.raises(RetryAfter):
        await retrier.call(late)
    await waiting
    again = Busy(RetryAfter(dt.timedelta(seconds=5)))
    await retrier.call(again)

    assert (len(late.at), len(again.at)) == (1, 2)


async def test_a_stop_gives_up_what_waits() -> None:
    retrier, busy = ReplyRetrier(), Busy(RetryAfter(dt.timedelta(seconds=50)))

    waiting = asyncio.create_task(retrier.call(busy))
    await asyncio.sleep(1)
    retrier.cancel_all()

    with pytest.raises(RetryAfter):
        await waiting
    assert asyncio.get_running_loop().time() - busy.at[0] == 1 and len(busy.at) == 1
