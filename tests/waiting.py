"""Waiting in tests, and what is shown of the fakes and processes of a test that fails."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar, overload

T = TypeVar("T")

DEADLINE = 60.0
"""Seconds after which a wait counts as a hang. It decides nothing else: no test passes or fails by how fast the machine is."""
_POLL_EVERY = 0.01


class Witness(Protocol):
    """A fake or a process that can say what happened to it."""

    @property
    def is_over(self) -> bool:
        """True once nothing more can happen to it: the next test does not show it."""
        ...

    def report(self) -> str:
        """What a reader of a failed test needs to know: the last requests, the last log lines, the script's step."""
        ...


_witnesses: list[Witness] = []


def add_witness(witness: Witness) -> None:
    """Show its report if the running test fails."""
    _witnesses.append(witness)


def forget_finished_witnesses() -> None:
    """Called before each test; what a wider fixture keeps running stays."""
    _witnesses[:] = [witness for witness in _witnesses if not witness.is_over]


def report_witnesses() -> str:
    """All reports, one after the other; empty if the test has no witness."""
    return "\n\n".join(witness.report() for witness in _witnesses)


@overload
async def until(condition: Callable[[], Awaitable[T]]) -> T: ...
@overload
async def until(condition: Callable[[], T]) -> T: ...
async def until(condition: Callable[[], Any]) -> Any:
    """Wait until the condition holds and return its value; raise AssertionError after `DEADLINE`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE
    while True:
        found = condition()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        assert loop.time() < deadline, f"still not true after {DEADLINE:g} s"
        await asyncio.sleep(_POLL_EVERY)
