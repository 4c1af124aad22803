"""Records matches from the feed: what `touchline record` does."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path

from bot.clock import Clock
from bot.config.models import FeedSettings
from bot.errors import FrameUnreadable
from bot.feed.connection import FeedConnection
from bot.feed.decode import decode_frame
from bot.feed.encode import fixture_to_object
from bot.feed.recording import DATA_MARK, LIST_FILE, RecordingWriter, make_recording_path
from bot.feed.request_limit import FeedRequestLimiter
from bot.feed.session import Ending
from bot.feed.source import StreamSpeed
from rules.football.action import Fixture, Packet


async def record_matches(
    fixtures: Sequence[Fixture],
    settings: FeedSettings,
    clock: Clock,
    folder: Path,
    *,
    speed: StreamSpeed | None = None,
    limiter: FeedRequestLimiter | None = None,
) -> dict[str, Path]:
    """Record matches until all are over; return the file of each by fixture id. Writes `fixtures.json` beside them.

    `speed` is for matches that are over already; raise FeedError if one of them cannot be read. `limiter` is the one that the
    REST side uses, too.
    """
    limiter = limiter or FeedRequestLimiter(clock)
    # All at once: matches that are live together can only be recorded together.
    paths = {fixture.id: make_recording_path(fixture, folder) for fixture in fixtures}
    await asyncio.gather(*(_record_match(fixture, settings, clock, limiter, paths[fixture.id], speed) for fixture in fixtures))
    # At the end: the list names only files that are complete.
    listed = [fixture_to_object(fixture) | {"recording": paths[fixture.id].name} for fixture in fixtures]
    (folder / LIST_FILE).write_text(json.dumps(listed, ensure_ascii=False, indent=1), encoding="utf-8")
    return paths


async def _record_match(
    fixture: Fixture,
    settings: FeedSettings,
    clock: Clock,
    limiter: FeedRequestLimiter,
    path: Path,
    speed: StreamSpeed | None,
) -> Ending:
    async def ignore(_packet: Packet, _received: dt.datetime) -> None:
        """Do nothing: `keep` writes the frame itself, which decoding would change."""

    with RecordingWriter(path) as writer:
        # The instants of a recording never go back, even where packets were made in another order than they were sent.
        written_at = dt.datetime.min.replace(tzinfo=dt.UTC)

        def keep(received: dt.datetime, frame: bytes) -> None:
            nonlocal written_at
            if DATA_MARK in frame:
                # A match that is over arrives within seconds, so that its own instants say when each frame was sent.
                written_at = received if speed is None else max(written_at, _find_instant(frame, fixture.id) or written_at)
                writer.write(written_at, frame)

        return await FeedConnection(
            fixture.id, lambda: settings, clock, ignore, on_frame=keep, limiter=limiter, kickoff=fixture.kickoff, speed=speed
        ).run()


def _find_instant(frame: bytes, fixture_id: str) -> dt.datetime | None:
    """Return the timestamp of a frame's packet; None if it cannot be read."""
    try:
        decoded = decode_frame(frame, fixture_id=fixture_id)
    except FrameUnreadable:
        return None
    return decoded.at if isinstance(decoded, Packet) else None
