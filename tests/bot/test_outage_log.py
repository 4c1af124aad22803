"""How often an outage that lasts is logged."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.retry import OutageLog
from bot.storage.notification_listener import NotificationListener

pytestmark = pytest.mark.virtual_time


async def test_an_outage_is_logged_at_once_and_then_ever_more_rarely() -> None:
    outage, logged_at = OutageLog(), []
    for second in range(3600):
        if outage.on_failure():
            logged_at.append(second)
        await asyncio.sleep(1)

    assert logged_at == [0, 30, 90, 210, 450, 930, 1530, 2130, 2730, 3330]


async def test_its_end_is_logged_once_and_the_next_one_at_once() -> None:
    outage = OutageLog()
    before = outage.on_success()
    outage.on_failure()
    await asyncio.sleep(12)

    assert (before, outage.on_success(), outage.on_success(), outage.on_failure()) == (None, 12.0, None, True)


async def test_notifications_that_fail_for_two_minutes_are_four_lines() -> None:
    async def connect() -> Connection:
        if asyncio.get_running_loop().time() < back:
            raise ConnectionRefusedError("away")
        return Connection()

    back, payloads = asyncio.get_running_loop().time() + 120, list[str]()
    listener = NotificationListener(connect)
    with capture_logs() as logs:
        await listener.listen("channel", payloads.append)
        await asyncio.sleep(200)
        await listener.close()

    assert [line["event"] for line in logs] == [*["notification_listener_failed"] * 3, "notification_listener_reconnected"]
    assert logs[-1]["after"] == pytest.approx(120, abs=2) and payloads == [""]


class Connection:
    """A connection that works."""

    def add_termination_listener(self, _: object) -> None:
        """It is never lost."""

    async def add_listener(self, _channel: str, _callback: object) -> None:
        """Nothing is notified."""

    async def execute(self, _query: str, **_: float) -> None:
        """It answers."""

    def terminate(self) -> None:
        """It ends at once."""
