"""What must not be lost is done when the database is back."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import StorageUnavailable
from bot.retry import retry_while_database_unavailable

pytestmark = pytest.mark.virtual_time


async def test_a_database_that_is_away_for_twenty_seconds_is_asked_now_and_then_until_it_is_back() -> None:
    asked: list[float] = []

    async def work() -> str:
        asked.append(asyncio.get_running_loop().time())
        if asked[-1] - asked[0] < 20:
            raise StorageUnavailable("away")
        return "done"

    assert await retry_while_database_unavailable(work) == "done"
    assert len(asked) < 20 and asked[-1] - asked[0] < 22.5
