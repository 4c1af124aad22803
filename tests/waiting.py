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

    @property
    def has_died(self) -> bool:
        """True if it has ended and nobody asked it to: what the test waits for will not come any more."""
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
    return "\n\n".join(_report(witness) for witness in _witnesses)


def _report(witness: Witness) -> str:
    # An error in a hook of pytest ends the whole worker and hides why the test failed.
    try:
        return witness.report()
    except Exception as error:
        return f"{witness!r} cannot report: {error!r}"


@overload
async def until(condition: Callable[[], Awaitable[T]]) -> T: ...
@overload
async def until(condition: Callable[[], T]) -> T: ...
async def until(condition: Callable[[], Any]) -> Any:
    """Wait until the condition holds and return its value.

    Raise AssertionError after `DEADLINE`, and at once if a process that belongs to the test has died.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE
    while True:
        found = condition()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        for witness in _witnesses:
            assert not witness.has_died, f"waits in vain:\n{_report(witness)}"
        assert loop.time() < deadline, f"still not true after {DEADLINE:g} s"
        await asyncio.sleep(_POLL_EVERY)
