"""The fake Bot API that ships, as the tests use it: a test that fails shows its last requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from bot import fake_telegram
from tests.waiting import add_witness, until


class FakeBotApi(fake_telegram.FakeBotApi):
    """Adds its report to that of a failed test, and stops waiting when a process of the test has died."""

    has_died = False

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        add_witness(self)
        return self

    async def until(self, holds: Callable[[], Any]) -> None:
        await until(holds)
