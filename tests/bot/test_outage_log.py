"""How often a trouble that lasts is worth a line."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.retry import OutageLog
from bot.storage.notification_listener import NotificationListener

pytestmark = pytest.mark.virtual_time


async def test_a_trouble_is_told_at_once_and_then_ever_more_rarely() -> None:
    outage, told = OutageLog(), []
    for second in range(3600):
        if outage.on_failure():
            told.append(second)
        await asyncio.sleep(1)

    assert told == [0, 30, 90, 210, 450, 930, 1530, 2130, 2730, 3330]


async def test_its_end_is_told_once_and_the_next_one_at_once() -> None:
    outage = OutageLog()
    untroubled = outage.on_success()
    outage.on_failure()
    await asyncio.sleep(12)

    assert (untroubled, outage.on_success(), outage.on_success(), outage.on_failure()) == (None, 12.0, None, True)


async def test_a_database_that_cannot_be_heard_for_two_minutes_is_four_lines() -> None:
    async def connect() -> Connection:
        if asyncio.get_running_loop().time() < back:
            raise ConnectionRefusedError("away")
        return Connection()

    back, heard = asyncio.get_running_loop().time() + 120, list[str]()
    ear = NotificationListener(connect)
    with capture_logs() as logs:
        await ear.listen("channel", heard.append)
        await asyncio.sleep(200)
        await ear.close()

    assert [line["event"] for line in logs] == [*["notification_listener_failed"] * 3, "notification_listener_reconnected"]
    assert logs[-1]["after"] == pytest.approx(120, abs=2) and heard == [""]


class Connection:
    """One that lives."""

    def add_termination_listener(self, _: object) -> None:
        """It is never lost."""

    async def add_listener(self, _channel: str, _heard: object) -> None:
        """Nothing is notified."""

    async def execute(self, _query: str, **_: float) -> None:
        """It answers."""

    def terminate(self) -> None:
        """It ends at once."""
