"""The frames of alerts are kept as they came, and only those."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from bot.errors import StorageUnavailable
from bot.feed.encode import encode_heartbeat, encode_packet
from bot.matches.frame_log import WRITE_INTERVAL, FrameLog
from bot.storage.database import Database
from bot.storage.frames import FrameRepository, StoredFrame
from rules.engine.alert import AlertKey
from rules.football.action import Packet, SendType
from tests.bot.news import NOW, alert
from tests.packets import FIXTURE
from tests.sqlite import new_sqlite
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time


def packet(seq: int, action: str = "g") -> Packet:
    return Packet(FIXTURE.id, action, "Goal", SendType.CONFIRMED, NOW, seq=seq)


class FailingOnce(FrameRepository):
    """The database is away at the first write."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.failures = 1

    async def add(self, stored: object) -> None:
        if self.failures:
            self.failures -= 1
            raise StorageUnavailable("away")
        await super().add(stored)  # type: ignore[arg-type]


async def run_for(log: FrameLog, seconds: float) -> None:
    running = asyncio.create_task(log.run())
    await asyncio.sleep(seconds)
    await cancel_tasks(running)


async def read(database: Database, action: str = "g") -> list[tuple[int, bytes]]:
    return [(one.seq, one.frame) for one in await FrameRepository(database).get_all(AlertKey(FIXTURE.id, action))]


async def test_the_frame_of_each_revision_is_found_also_behind_later_frames_and_once_the_database_is_back(tmp_path: Path) -> None:
    database = await Database.open(new_sqlite(tmp_path))
    log, recorded = FrameLog(FailingOnce(database)), list[bytes]()
    on_frame = log.remember(FIXTURE.id, lambda _, frame: recorded.append(frame))
    frames = [encode_packet(packet(1)), encode_packet(packet(2)), encode_heartbeat(NOW), encode_packet(packet(3, "other"))]
    for number, frame in enumerate(frames):
        on_frame(NOW + dt.timedelta(seconds=number), frame)
    log.on_alerts(packet(1), [alert(1), alert(1, rule="another")])
    log.on_alerts(packet(2), [alert(2)])
    await run_for(log, 2.5 * WRITE_INTERVAL)

    assert recorded == frames
    assert await read(database) == [(1, frames[0]), (2, frames[1])]
    assert await read(database, "other") == []
    await database.close()


async def test_what_waits_is_stored_at_the_end_and_packets_without_a_frame_are_none(tmp_path: Path) -> None:
    database = await Database.open(new_sqlite(tmp_path))
    log = FrameLog(FrameRepository(database))
    log.remember(FIXTURE.id, None)(NOW, encode_packet(packet(1)))
    log.on_alerts(packet(1), [alert(1)])
    log.on_alerts(packet(7, "rest"), [alert(7, action="rest")])
    await run_for(log, 0.1)
    log.drop(FIXTURE.id)
    log.on_alerts(packet(1), [alert(3)])

    assert [seq for seq, _ in await read(database)] == [1]
    assert await read(database, "rest") == []
    await database.close()


async def test_a_frame_is_kept_whole_and_not_replaced(tmp_path: Path) -> None:
    database = await Database.open(new_sqlite(tmp_path))
    frames, key, long = FrameRepository(database), AlertKey("f", "a"), b"x" * 50_000
    await frames.add([StoredFrame(key, 1, 5.0, long)])
    await frames.add([StoredFrame(key, 1, 6.0, b"again")])

    assert await frames.get_all(key) == (StoredFrame(key, 1, 5.0, long),)
    await database.close()
