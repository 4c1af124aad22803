"""The order of the tests: those that mostly wait lie between those that calculate."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Protocol, TypeVar


class HasPath(Protocol):
    """A test of pytest, as far as its order is concerned."""

    @property
    def path(self) -> Path:
        """The file that it is in."""
        ...


TestT = TypeVar("TestT", bound=HasPath)


def spread_waiting_tests(tests: Sequence[TestT], folder: Path) -> list[TestT]:
    """Put the modules of a folder whose tests mostly wait at even distances between the other modules; all keep their order.

    pytest-xdist gives each worker a stretch of the list. So every worker waits now and then, from its beginning on, while others
    use the cores. If these tests lay beside each other, one worker would have them all, and the others would end long before it.
    """
    modules = [list(module) for _, module in groupby(tests, key=lambda test: str(test.path))]
    waiting = [module for module in modules if folder in module[0].path.parents]
    others = [module for module in modules if folder not in module[0].path.parents]
    # None in the last tenth, for what begins there ends last.
    distance = 0.9 * sum(map(len, others)) / len(waiting) if waiting else 0
    spread: list[TestT] = []
    passed, put = 0, 0
    for module in others:
        while put < len(waiting) and passed >= put * distance:
            spread += waiting[put]
            put += 1
        spread += module
        passed += len(module)
    return spread + [test for module in waiting[put:] for test in module]
