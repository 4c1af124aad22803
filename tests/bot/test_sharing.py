import asyncio

from bot.sharing import share_event_loop


async def test_other_work_has_its_turn_between_the_items_of_a_long_calculation() -> None:
    calculated: list[int] = []
    seen: list[int] = []

    async def look() -> None:
        while len(calculated) < 3:
            seen.append(len(calculated))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    async for item in share_event_loop([1, 2, 3], turn=0.0):
        calculated.append(item)
    await looking

    assert calculated == [1, 2, 3]
    assert seen == [1, 2]


async def test_a_short_calculation_is_not_interrupted() -> None:
    async def look() -> None:
        seen.append(len(calculated))

    calculated: list[int] = []
    seen: list[int] = []
    looking = asyncio.create_task(look())
    async for item in share_event_loop([1, 2, 3], turn=60.0):
        calculated.append(item)
    await looking

    assert seen == [3]
