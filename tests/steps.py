"""How recorded matches stood, step by step."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bot.feed.decode import decode
from bot.feed.recording import fixtures_beside, read
from rules.action import Fixture, Packet
from rules.advance import advance
from rules.match import Match


@cache
def recorded(path: Path) -> tuple[Match, ...]:
    """The match after every packet of a recording."""
    fixtures, steps = fixtures_beside(path), list[Match]()
    for frame in read(path):
        packet = decode(frame.frame, received=frame.at)
        if isinstance(packet, Packet):
            before = steps[-1] if steps else Match(fixtures.get(packet.fixture_id, Fixture(packet.fixture_id)))
            steps.append(advance(before, packet).after)
    return tuple(steps)
