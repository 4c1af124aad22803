"""Keeps the frames that brought alerts, so that the console can show what the feed sent."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque
from collections.abc import Sequence

import structlog

from bot.errors import FrameUnreadable, StorageError
from bot.feed.decode import decode_frame
from bot.feed.recording import WriteFrame
from bot.storage.frames import FrameRepository, StoredFrame
from rules.engine.alert import Alert
from rules.football.action import Packet

log = structlog.get_logger()

WRITE_INTERVAL = 0.5
"""Seconds between two writes: frames are stored together and after their alerts, so that no alert waits for them."""

_MAX_RECENT = 16
"""The latest frames of a match that are in memory. A packet that is held back for its order waits for fewer."""

_MAX_WAITING = 2000
"""Frames that wait to be stored while the database is away. Later ones are lost: only the console shows them."""


class FrameLog:
    """Remembers the latest frames of every match, and stores those that led to alerts."""

    def __init__(self, repository: FrameRepository) -> None:
        self._repository = repository
        self._recent: dict[str, deque[tuple[dt.datetime, bytes]]] = {}
        self._waiting: list[StoredFrame] = []

    def remember(self, fixture_id: str, write_frame: WriteFrame | None) -> WriteFrame:
        """Return what a connection calls with each frame. It calls `write_frame` too, which records the match."""
        recent = self._recent[fixture_id] = deque(maxlen=_MAX_RECENT)

        def on_frame(received: dt.datetime, frame: bytes) -> None:
            recent.append((received, frame))
            if write_frame:
                write_frame(received, frame)

        return on_frame

    def drop(self, fixture_id: str) -> None:
        """Forget the frames of a match that is not followed any more."""
        self._recent.pop(fixture_id, None)

    def on_alerts(self, packet: Packet, alerts: Sequence[Alert]) -> None:
        """Note that a packet led to alerts: its frame is stored with the next write."""
        found = self._find_frame(packet)
        if found is None or len(self._waiting) >= _MAX_WAITING:
            return  # from the REST side or made by the program, or the database has been away for long
        received, frame = found
        # One frame can revise several alerts, such as a video check that disallows a goal. Alternatives share their key.
        for key, seq in {(alert.key, alert.seq) for alert in alerts}:
            self._waiting.append(StoredFrame(key, seq, received.timestamp(), frame))

    async def run(self) -> None:
        """Store what waits until cancelled, and then what is left."""
        try:
            while True:
                await asyncio.sleep(WRITE_INTERVAL)
                await self._write()
        finally:
            await self._write()

    async def _write(self) -> None:
        if not self._waiting:
            return
        # A copy: more may come while the database is at work.
        batch = tuple(self._waiting)
        try:
            await self._repository.add(batch)
        except StorageError as error:
            log.debug("frames_not_stored", reason=str(error))
            return
        del self._waiting[: len(batch)]

    def _find_frame(self, packet: Packet) -> tuple[dt.datetime, bytes] | None:
        """Return the latest frame of the packet's action, and of its number if there is one with it."""
        name = packet.action_id.encode()
        # By the bytes: most of the recent frames are of other actions, and need not be decoded to see that.
        of_action = [one for one in reversed(self._recent.get(packet.fixture_id, ())) if name and name in one[1]]
        # A connection may number its packets from 1 again, and then the packet's number is not that of its frame.
        exact = (one for one in of_action if _read_seq(one[1], packet.fixture_id) == packet.seq)
        return next(exact, None) or next(iter(of_action), None)


def _read_seq(frame: bytes, fixture_id: str) -> int | None:
    try:
        read = decode_frame(frame, fixture_id=fixture_id)
    except FrameUnreadable:
        return None
    return read.seq if isinstance(read, Packet) else None
