"""Recorded matches as they stood after each packet."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bot.feed.decode import decode_frame
from bot.feed.recording import read_fixtures_beside, read_recording
from rules.football.action import Fixture, Packet
from rules.football.advance import advance
from rules.football.match import Match


@cache
def replay_matches(path: Path) -> tuple[Match, ...]:
    """Return the match as it stood after each packet of a recording."""
    fixtures, steps = read_fixtures_beside(path), list[Match]()
    for frame in read_recording(path):
        packet = decode_frame(frame.frame, received=frame.at)
        if isinstance(packet, Packet):
            before = steps[-1] if steps else Match(fixtures.get(packet.fixture_id, Fixture(packet.fixture_id)))
            steps.append(advance(before, packet).after)
    return tuple(steps)
