"""Writes what the feed sends, fixture by fixture, until the matches are over."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path

from bot.clock import Clock
from bot.feed.client import Connection, StreamSettings
from bot.feed.encode import fixture_object
from bot.feed.gate import Gate
from bot.feed.recording import Writer
from bot.feed.session import Ending
from rules.action import Fixture, Packet

_DATA = b'"fixtureAction"'


def path_for(fixture: Fixture, folder: Path) -> Path:
    """Where a fixture's recording is written: `2018-05-13-arsenal-v-chelsea.jsonl.gz`."""
    words = "".join(letter if letter.isalnum() else " " for letter in fixture.title.casefold()).split()
    day = fixture.kickoff.date().isoformat() if fixture.kickoff else "undated"
    return folder / f"{day}-{'-'.join(words) or fixture.id}.jsonl.gz"


async def record(fixtures: Sequence[Fixture], settings: StreamSettings, clock: Clock, folder: Path) -> dict[str, Path]:
    """Record matches until all are over; return the file of each fixture. The fixtures are written beside."""
    gate = Gate(clock)
    paths = {fixture.id: path_for(fixture, folder) for fixture in fixtures}
    await asyncio.gather(*(_record(fixture, settings, clock, gate, paths[fixture.id]) for fixture in fixtures))
    listed = [fixture_object(fixture) | {"recording": paths[fixture.id].name} for fixture in fixtures]
    (folder / "fixtures.json").write_text(json.dumps(listed, ensure_ascii=False, indent=1), encoding="utf-8")
    return paths


async def _record(fixture: Fixture, settings: StreamSettings, clock: Clock, gate: Gate, path: Path) -> Ending:
    async def ignore(_packet: Packet, _received: dt.datetime) -> None:
        """The frame itself is written."""

    with Writer(path) as writer:

        def keep(received: dt.datetime, frame: bytes) -> None:
            """Frames of data, however strange; neither heartbeats nor the answer to the token."""
            if _DATA in frame:
                writer.write(received, frame)

        return await Connection(fixture.id, settings, clock, ignore, on_frame=keep, gate=gate, kickoff=fixture.kickoff).run()
