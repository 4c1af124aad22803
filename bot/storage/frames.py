"""The frames that brought alerts: what the feed sent, byte for byte, to see why an alert says what it says."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import msgspec
from sqlalchemy import select

from bot.storage.database import Database, upsert
from bot.storage.schema import frames
from rules.engine.alert import AlertKey

_MAX_FRAME_SIZE = 256 * 1024
"""Bytes that a frame may unpack to; the largest of the feed has some kilobytes."""


class StoredFrame(msgspec.Struct, frozen=True):
    """The frame that brought one revision of an alert. `received_at` is in seconds since 1970."""

    key: AlertKey
    seq: int
    received_at: float
    frame: bytes


class FrameRepository:
    """Reads and writes the frames of alerts. They are deleted with old alerts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, stored: Sequence[StoredFrame]) -> None:
        """Store frames; those of revisions that have one already stay as they are. Raises StorageError."""
        rows = [
            {
                "fixture_id": one.key.fixture_id,
                "action_id": one.key.action_id,
                "seq": one.seq,
                "received_at": one.received_at,
                # Cut, so that unpacking never takes more memory than this, whatever the feed sends.
                "body": zlib.compress(one.frame[:_MAX_FRAME_SIZE]),
            }
            for one in stored
        ]
        async with self._database.transaction() as tx:
            # After a reconnect the feed repeats packets. The first frame is the one that made the alert.
            await tx.execute(upsert(frames, keep_existing=True), rows)

    async def get_all(self, key: AlertKey) -> tuple[StoredFrame, ...]:
        """Return the frames of an alert, the first revision first. Raises StorageError."""
        here = select(frames).where(frames.c.fixture_id == key.fixture_id, frames.c.action_id == key.action_id)
        async with self._database.transaction() as tx:
            rows = await tx.fetch(here.order_by(frames.c.seq))
        return tuple(StoredFrame(key, row["seq"], row["received_at"], zlib.decompress(row["body"])) for row in rows)
