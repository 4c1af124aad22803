"""Which test is run next by which of several processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Protocol


class HasPath(Protocol):
    """A test of pytest, as far as its order is concerned."""

    @property
    def path(self) -> Path:
        """The file that it is in."""
        ...


class Schedule:
    """Hands out the numbers of tests, each once.

    A worker goes through a module in its order, so that what the module's fixtures start is started once. Every second worker
    begins with modules whose tests mostly wait for other processes, and the others with those that calculate, so that the
    cores are used all the time. When no module is left, a worker takes half of what the busiest one has before it.
    """

    def __init__(self, tests: Sequence[HasPath], waiting: Sequence[bool]) -> None:
        """`waiting` says of each test whether it mostly waits. A module goes by most of its tests."""
        self._modules: tuple[deque[deque[int]], deque[deque[int]]] = deque(), deque()
        for _, numbers in groupby(range(len(tests)), key=lambda number: tests[number].path):
            module = deque(numbers)
            self._modules[2 * sum(waiting[number] for number in module) < len(module)].append(module)
        self._rests: dict[int, deque[int]] = {}
        """By worker, what it is going to run."""

    def take(self, worker: int) -> int | None:
        """Return the test that a worker runs next; None if all have been handed out."""
        rest = self._rests.get(worker)
        if not rest:
            rest = self._rests[worker] = self._find_work(worker)
        return rest.popleft() if rest else None

    def give_back(self, worker: int, tests: Sequence[int]) -> None:
        """A worker will not run these tests, which it has taken: whoever comes in its place runs them first."""
        self._rests.setdefault(worker, deque()).extendleft(reversed(tests))

    def _find_work(self, worker: int) -> deque[int]:
        wanted, others = self._modules if worker % 2 == 0 else self._modules[::-1]
        if wanted or others:
            return (wanted or others).popleft()
        longest = max(self._rests.values(), key=len, default=deque[int]())
        return deque([longest.pop() for _ in range((len(longest) + 1) // 2)][::-1])
