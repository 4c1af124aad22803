"""Each worker goes through modules in their order, and takes from the busiest one when none is left."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.order import Schedule


class Case(NamedTuple):
    path: Path
    waits: bool


def schedule(*modules: tuple[int, bool]) -> Schedule:
    """A schedule of modules with so many tests, which wait or do not."""
    cases = [Case(Path(f"m{number}.py"), waits) for number, (tests, waits) in enumerate(modules) for _ in range(tests)]
    return Schedule(cases, [case.waits for case in cases])


def test_one_worker_runs_all_tests_each_once_with_the_modules_in_one_piece() -> None:
    alone = schedule((2, False), (3, True), (1, False))

    assert [alone.take(0) for _ in range(7)] == [2, 3, 4, 0, 1, 5, None]


def test_some_workers_begin_with_what_waits_and_the_others_with_what_calculates() -> None:
    shared = schedule((2, False), (2, True), (2, False), (2, True))

    assert [shared.take(worker) for worker in (0, 1, 2, 3)] == [2, 0, 6, 4]
    assert [shared.take(worker) for worker in (0, 1, 2, 3)] == [3, 1, 7, 5]


def test_who_has_nothing_left_takes_the_last_half_of_what_the_busiest_has_before_it() -> None:
    shared = schedule((1, True), (9, False))
    shared.take(0), shared.take(1)

    # Eight are left of the second module, of which the first worker takes four.
    assert [shared.take(0) for _ in range(4)] == [6, 7, 8, 9]
    assert [shared.take(1) for _ in range(3)] == [2, 3, 4]
    assert [shared.take(worker) for worker in (0, 1, 0)] == [5, None, None]


def test_a_module_goes_by_most_of_its_tests() -> None:
    cases = [Case(Path("mixed.py"), waits) for waits in (True, False, False)] + [Case(Path("waiting.py"), waits=True)]

    assert Schedule(cases, [case.waits for case in cases]).take(0) == 3


def test_what_a_worker_that_died_had_taken_comes_next_in_its_place() -> None:
    shared = schedule((3, False))
    taken = [shared.take(0), shared.take(0)]
    shared.give_back(0, taken[1:])

    assert [shared.take(0) for _ in range(3)] == [1, 2, None]
