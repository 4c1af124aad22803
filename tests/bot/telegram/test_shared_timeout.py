import asyncio

import pytest

from bot.telegram.shared_timeout import SharedTimeout

pytestmark = pytest.mark.virtual_time


async def wait_within(shared: SharedTimeout, seconds: float) -> float:
    """Wait so long in a block. Return when it ended."""
    with shared.limit():
        await asyncio.sleep(seconds)
    return asyncio.get_running_loop().time()


async def find_end(shared: SharedTimeout) -> float:
    """Return how long a block may take."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(TimeoutError):
        await wait_within(shared, 1000)
    return loop.time() - began


async def test_a_block_that_takes_too_long_ends_within_a_second_of_its_limit() -> None:
    shared = SharedTimeout(5.0)
    await asyncio.sleep(0.3)
    first = asyncio.create_task(find_end(shared))
    await asyncio.sleep(0.4)
    second = asyncio.create_task(find_end(shared))

    assert (await first, await second) == (pytest.approx(5.7), pytest.approx(5.3))


async def test_a_block_that_ends_in_time_ends_no_other() -> None:
    shared = SharedTimeout(5.0)

    assert await wait_within(shared, 5.0) == 5.0
    await asyncio.sleep(10)
    assert await wait_within(shared, 4.0) == 19.0


async def test_many_blocks_of_one_second_share_a_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, shared = asyncio.get_running_loop(), SharedTimeout(60.0)
    timers: list[float] = []
    call_at = loop.call_at
    monkeypatch.setattr(loop, "call_at", lambda at, *words, **more: timers.append(at) or call_at(at, *words, **more))
    for _ in range(3):
        with shared.limit():
            pass

    assert timers == [61.0]


async def test_who_is_cancelled_from_outside_is_not_told_of_a_limit() -> None:
    task = asyncio.create_task(wait_within(SharedTimeout(5.0), 1000))
    # At the very instant at which the limit ends it too.
    asyncio.get_running_loop().call_at(6.0, task.cancel)
    await asyncio.wait([task])

    assert task.cancelled()


async def test_a_task_that_was_ended_by_a_limit_goes_on() -> None:
    with pytest.raises(TimeoutError):
        await wait_within(SharedTimeout(5.0), 1000)
    task = asyncio.current_task()

    assert task is not None and not task.cancelling()
