import asyncio
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bot.app.application import STOP_TIMEOUT, StopSignal, run_together
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time


async def test_a_part_that_puts_itself_down_is_not_cut_off_by_others_that_are_done_sooner() -> None:
    finished: list[str] = []

    async def careful() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            finished.append("careful")

    async def hasty() -> None:
        await asyncio.Event().wait()

    async with run_together(careful(), hasty()) as at_work:
        await asyncio.sleep(0)
        await cancel_tasks(at_work)

    assert finished == ["careful"]


async def test_the_first_part_that_fails_ends_the_whole() -> None:
    async def failing() -> None:
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        async with run_together(asyncio.sleep(60), failing()) as at_work:
            await at_work


class Signals:
    """The signals of a process, which the test sends; a virtual loop receives none of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._handlers: dict[int, Callable[[], Any]] = {}
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "add_signal_handler", self._handlers.__setitem__)

    def send(self, number: int) -> None:
        self._handlers[number]()


async def never(hangs: bool) -> None:
    """Work for ever; where it hangs, a first cancellation does not end it."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        if hangs:
            await asyncio.Event().wait()
        raise


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("hangs", ["", "start", "work", "end"])
async def test_a_stop_ends_within_five_seconds_whatever_hangs(monkeypatch: pytest.MonkeyPatch, number: int, hangs: str) -> None:
    signals, loop = Signals(monkeypatch), asyncio.get_running_loop()

    async def start(stack: AsyncExitStack, _: StopSignal) -> asyncio.Future[Any]:
        if hangs == "start":
            await never(True)
        stack.push_async_callback(never if hangs == "end" else asyncio.sleep, False if hangs == "end" else 0)
        return await stack.enter_async_context(run_together(never(hangs == "work")))

    running = asyncio.create_task(StopSignal().run(start))
    await asyncio.sleep(1)
    assert not running.done()
    asked = loop.time()
    signals.send(number)
    await running

    assert loop.time() - asked == (STOP_TIMEOUT if hangs else 0)
    assert STOP_TIMEOUT < 5
