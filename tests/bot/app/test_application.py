import asyncio

import pytest

from bot.app.application import run_together

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
        at_work.cancel()
        await asyncio.gather(at_work, return_exceptions=True)

    assert finished == ["careful"]


async def test_the_first_part_that_fails_ends_the_whole() -> None:
    async def failing() -> None:
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        async with run_together(asyncio.sleep(60), failing()) as at_work:
            await at_work
