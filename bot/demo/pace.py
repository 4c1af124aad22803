"""How fast a match is shown: news stays long enough to be read, quiet stretches pass quickly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import accumulate

import msgspec

from rules.action import Packet, SendType

_READING = {
    "Goal": 2.8,
    "Goal Disallowed": 1.8,
    "Own Goal": 2.8,
    "Penalty Awarded": 1.6,
    "Penalty Missed": 1.6,
    "Yellow Card": 1.4,
    "Red Card": 1.8,
    "Substitution In": 0.8,
    "Video Check Underway": 0.8,
    "Video Check Over": 1.0,
    "Start Clock": 0.8,
    "End Period": 1.4,
}
"""How long, against each other, the news of an action type is looked at before the next."""

_PENDING = 0.8
"""The share of that for news that is not confirmed yet."""
_ALL_QUIET = 10.0
"""What all quiet play of a match weighs together."""


def paced(packets: Sequence[Packet], start: dt.datetime, seconds: float) -> tuple[Packet, ...]:
    """The same packets, moved so that the first comes at `start` and the last so many seconds later."""
    instants = pace(packets, seconds)
    return tuple(
        msgspec.structs.replace(packet, at=start + dt.timedelta(seconds=instant))
        for packet, instant in zip(packets, instants, strict=True)
    )


def pace(packets: Sequence[Packet], seconds: float) -> tuple[float, ...]:
    """For each packet, the seconds from the start at which it is to be shown; the last comes at the end."""
    if len(packets) < 2:
        return (0.0,) * len(packets)
    quiet = sum(1 for packet in packets if packet.type not in _READING)
    weights = [_weight(packet, _ALL_QUIET / max(quiet, 1)) for packet in packets[:-1]]
    scale = seconds / sum(weights)
    return tuple(instant * scale for instant in accumulate(weights, initial=0.0))


def _weight(packet: Packet, quiet: float) -> float:
    reading = _READING.get(packet.type, quiet)
    return reading * _PENDING if packet.send_type is SendType.PENDING else reading
