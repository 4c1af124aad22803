"""Which packets of a match were read: four bytes each, as a thousand matches may be followed at once. Pure."""

from __future__ import annotations

from array import array
from zlib import crc32

from rules.action import Packet

_LEAP = 4096
"""A number that leaps further is kept apart: the feed counts in another way."""


class Seen:
    """Knows a packet by its action id and its number; without a number, by whatever tells revisions apart (section 7)."""

    def __init__(self) -> None:
        self._actions = array("I")
        self._others: set[int] = set()

    def __contains__(self, packet: Packet) -> bool:
        seq = packet.seq
        if seq is not None and 0 <= seq < len(self._actions) and self._actions[seq] == _short(packet):
            return True
        return bool(self._others) and _long(packet) in self._others

    def add(self, packet: Packet) -> None:
        """Remember a packet."""
        seq, known = packet.seq, len(self._actions)
        if seq is None or not 0 <= seq < known + _LEAP or (seq < known and self._actions[seq]):
            self._others.add(_long(packet))
            return
        if seq >= known:
            self._actions.frombytes(bytes(4 * (seq + 1 - known)))
        self._actions[seq] = _short(packet)


def _short(packet: Packet) -> int:
    """Never 0, which stands for a number not read."""
    return crc32(packet.action_id.encode()) or 1


def _long(packet: Packet) -> int:
    if packet.seq is not None:
        return hash((packet.action_id, packet.seq))
    return hash((packet.action_id, packet.send_type, packet.at, packet.type, packet.sub_type, packet.clock, packet.player))
