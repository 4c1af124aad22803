"""One numbering over all connections of a match, and the place at which another process may go on. Pure.

Sequence numbers belong to the match by one page of the documentation, and begin anew with each connection by another (feed
documentation, section 7). Both are read: what a connection repeats of the one before tells how its numbers are to be moved.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from zlib import crc32

import msgspec

from rules.action import Packet

KEPT = 64
"""Packets by which a repetition is recognised."""
_SLACK = 16
"""So many more until the oldest are let go of together."""


class Place(msgspec.Struct, frozen=True):
    """How far a match was read: packets told, the highest number, and the last packets as (fingerprint, number, timestamp)."""

    position: int = 0
    seq: int = 0
    tail: tuple[tuple[int, int, float], ...] = ()


def fingerprint(packet: Packet) -> int:
    """What tells a revision from every other, whatever its number; the same in every process."""
    who = packet.player.id or packet.player.name if packet.player else ""
    words = crc32(f"{packet.action_id} {packet.send_type} {packet.type} {packet.sub_type} {who}".encode())
    score = (packet.summary.home or 0) * 100 + (packet.summary.away or 0)
    return hash((words, packet.at.timestamp(), packet.clock, score))  # of numbers: the same in every process


class Numbering:
    """Remembers the last packets of a match, and moves the numbers of a connection that counts from one."""

    def __init__(self, place: Place) -> None:
        self._prints = array("q", [mark[0] for mark in place.tail])
        self._seqs = array("q", [mark[1] for mark in place.tail])
        self._instants = array("d", [mark[2] for mark in place.tail])
        self._start = self._offset = 0
        self._settled = True

    @property
    def tail(self) -> tuple[tuple[int, int, float], ...]:
        """The last packets, for a `Place`."""
        return tuple(zip(self._prints[-KEPT:], self._seqs[-KEPT:], self._instants[-KEPT:], strict=True))

    @property
    def same(self) -> bool:
        """Tell whether the connection's numbers are those of the match."""
        return self._settled and not self._offset

    def connected(self, start: int) -> None:
        """A connection begins that was asked for what follows `start`; from the beginning, all numbers are the same."""
        self._start, self._offset, self._settled = start, 0, start == 0

    def repeats(self, mark: int) -> bool:
        """Tell whether one of the last packets had this fingerprint."""
        return mark in self._prints

    def moved(self, packet: Packet, mark: int, has: Callable[[Packet], bool]) -> Packet:
        """The packet with its number among all of the match. `has` tells whether that number was read, or is missing."""
        if packet.seq is None:
            return packet
        if not self._settled:
            self._settle(packet, packet.seq, mark, has)
        return msgspec.structs.replace(packet, seq=packet.seq + self._offset) if self._offset else packet

    def keep(self, packet: Packet, mark: int) -> None:
        """Remember a packet, unless it is older than all that is remembered."""
        seq = packet.seq or 0
        if len(self._seqs) >= KEPT and seq < self._seqs[-1] and seq < min(self._seqs):
            return
        self._prints.append(mark)
        self._seqs.append(seq)
        self._instants.append(packet.at.timestamp())
        if len(self._seqs) >= KEPT + _SLACK:
            for kept in (self._prints, self._seqs, self._instants):
                del kept[:-KEPT]

    def _settle(self, packet: Packet, seq: int, mark: int, has: Callable[[Packet], bool]) -> None:
        if self.repeats(mark):
            known = self._seqs[self._prints.index(mark)]
            self._offset, self._settled = (known - seq if known else 0), True
        elif has(packet):
            self._settled = self._offset == 0
        elif self._offset == 0 and self._begins_anew(packet, seq):
            self._offset = self._start  # until a repetition tells exactly

    def _begins_anew(self, packet: Packet, seq: int) -> bool:
        """Tell whether the number is too low for what was asked for, and the packet is not an old one that was not asked for."""
        return seq <= self._start and bool(self._instants) and packet.at.timestamp() >= min(self._instants)
