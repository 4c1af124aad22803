import asyncio
import gc

from bot.sharing import Steps, finish_in_turns, made_in_steps, share_event_loop, tune_garbage_collection


async def test_other_work_has_its_turn_between_the_items_of_a_long_calculation() -> None:
    calculated: list[int] = []
    seen: list[int] = []

    async def watch() -> None:
        while len(calculated) < 3:
            seen.append(len(calculated))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    async for item in share_event_loop([1, 2, 3], turn=0.0):
        calculated.append(item)
    await watching

    assert calculated == [1, 2, 3]
    assert seen == [1, 2]


async def test_a_short_calculation_is_not_interrupted() -> None:
    async def watch() -> None:
        seen.append(len(calculated))

    calculated: list[int] = []
    seen: list[int] = []
    watching = asyncio.create_task(watch())
    async for item in share_event_loop([1, 2, 3], turn=60.0):
        calculated.append(item)
    await watching

    assert seen == [3]


class Sum:
    """Adds up some numbers, and notes each that it adds."""

    def __init__(self, *numbers: int) -> None:
        self.numbers, self.added = numbers, list[int]()

    @made_in_steps
    def total(self) -> Steps[int]:
        """The sum."""
        for number in self.numbers:
            self.added.append(number)
            yield
        return sum(self.numbers)


async def test_a_property_is_made_in_turns_with_other_work_or_at_its_first_use_and_once() -> None:
    ahead, late = Sum(1, 2, 3), Sum(4, 5)
    seen: list[int] = []

    async def watch() -> None:
        while len(ahead.added) < 3:
            seen.append(len(ahead.added))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    assert await finish_in_turns(Sum.total.steps(ahead), turn=0.0) == 6
    await watching

    assert seen == [1, 2]
    assert [ahead.total, ahead.total, late.total, late.total] == [6, 6, 9, 9]
    assert (ahead.added, late.added) == ([1, 2, 3], [4, 5])


def test_a_collection_leaves_out_what_existed_before_and_comes_when_thousands_of_objects_are_new() -> None:
    thresholds, frozen = gc.get_threshold(), gc.get_freeze_count()
    try:
        tune_garbage_collection()

        assert gc.get_freeze_count() > frozen
        assert gc.get_threshold()[0] == 10 * 700
    finally:
        gc.set_threshold(*thresholds)
        if not frozen:
            gc.unfreeze()
