"""Which packet of the match is this: its number where connections count from 1 again, and whether it was read before. Pure.

`session.FeedSession` sends each packet through SequenceTracker (its number in the match), Deduplicator (was it read before?) and
`reorder.Reorderer` (which packets can be handed on now, and which numbers are missing).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from zlib import crc32

import msgspec

from rules.football.action import Packet

TAIL_LENGTH = 64
"""The number of last packets that are remembered, to recognise one that a new connection repeats."""

_TRIM_SLACK = 16
"""The oldest are deleted in blocks of this size: deleting one at each packet would move the whole array each time."""


class FeedPosition(msgspec.Struct, frozen=True):
    """How far a match was read, for another process to resume. Stored in the database.

    `position` is the number of packets handed on, `seq` the highest sequence number, `tail` the last packets as (fingerprint,
    number, timestamp).
    """

    position: int = 0
    seq: int = 0
    tail: tuple[tuple[int, int, float], ...] = ()


def packet_fingerprint(packet: Packet, at: float) -> int:
    """Return what identifies a revision of an action regardless of its number. `at` is its timestamp in seconds since 1970."""
    # Of what does not change when a packet is repeated: its number may, and so may the summary's details.
    player, summary = packet.player, packet.summary
    who = player.id or player.name if player else ""
    words = crc32(f"{packet.action_id} {packet.send_type} {packet.type} {packet.sub_type} {who}".encode())
    # Stored, so it must be the same in every process: hash() of a str is salted, but not of numbers.
    return hash((words, at, packet.clock, (summary.home or 0) * 100 + (summary.away or 0)))


class SequenceTracker:
    """Maps the sequence numbers of a connection to those of the match.

    The documentation contradicts itself: by one page `fixtureSeqNum` belongs to the match, by another each connection counts from
    1 (section 7). On a resumed connection, a packet that repeats one of the last ones shows by how much its numbers are shifted.
    """

    def __init__(self, resume_from: FeedPosition) -> None:
        self._fingerprints = array("q", [entry[0] for entry in resume_from.tail])
        self._seqs = array("q", [entry[1] for entry in resume_from.tail])
        self._instants = array("d", [entry[2] for entry in resume_from.tail])
        self._start = self._offset = 0
        self._is_resolved = True
        self.is_unshifted = True
        """True if the numbers of this connection are known to be those of the match."""

    @property
    def tail(self) -> tuple[tuple[int, int, float], ...]:
        """The last packets, for a FeedPosition."""
        return tuple(
            zip(self._fingerprints[-TAIL_LENGTH:], self._seqs[-TAIL_LENGTH:], self._instants[-TAIL_LENGTH:], strict=True)
        )

    def on_connected(self, start: int) -> None:
        """Begin a connection at `startPosition` `start`. From 0, both ways to count give the same numbers."""
        self._start, self._offset = start, 0
        self._is_resolved = self.is_unshifted = start == 0

    def is_repetition(self, fingerprint: int) -> bool:
        """Return True if one of the last packets had this fingerprint."""
        return fingerprint in self._fingerprints

    def is_before_tail(self, at: float) -> bool:
        """Return True if a packet of this instant is older than all that are remembered, and those are not the whole match."""
        return len(self._instants) >= TAIL_LENGTH and at < min(self._instants)

    def renumber(self, packet: Packet, fingerprint: int, is_known: Callable[[Packet], bool]) -> Packet:
        """Return the packet with its number in the match. `is_known`: was its own number read before, or is it missing?"""
        if packet.seq is None:
            return packet
        # Once a connection: which way a feed counts does not change within one.
        if not self._is_resolved:
            self._determine_offset(packet, packet.seq, fingerprint, is_known)
            self.is_unshifted = self._is_resolved and not self._offset
        return msgspec.structs.replace(packet, seq=packet.seq + self._offset) if self._offset else packet

    def remember(self, seq: int, fingerprint: int, at: float) -> None:
        """Remember a packet, unless it is older than all that are remembered. `seq` is 0 if it has no number."""
        seqs = self._seqs
        # A late packet would push out one that the next connection repeats.
        if len(seqs) >= TAIL_LENGTH and seq < seqs[-1] and seq < min(seqs):
            return
        seqs.append(seq)
        self._fingerprints.append(fingerprint)
        self._instants.append(at)
        if len(seqs) >= TAIL_LENGTH + _TRIM_SLACK:
            for kept in (self._fingerprints, seqs, self._instants):
                del kept[:-TAIL_LENGTH]

    def _determine_offset(self, packet: Packet, seq: int, fingerprint: int, is_known: Callable[[Packet], bool]) -> None:
        """Find the offset of this connection's numbers.

        Guarded, as a wrong offset would renumber, and so mix up, the rest of the match: only a repetition settles it, and the
        guess from the start position is made once, for a packet that is not an old one.
        """
        if self.is_repetition(fingerprint):
            # The exact shift, whatever was requested. A number of 0 stands for none: then there is nothing to shift by.
            known = self._seqs[self._fingerprints.index(fingerprint)]
            self._offset, self._is_resolved = (known - seq if known else 0), True
        elif is_known(packet):
            self._is_resolved = self._offset == 0  # its own number fits the match: this connection does not count anew
        elif self._offset == 0 and seq <= self._start and self._instants and packet.at.timestamp() >= min(self._instants):
            # Too low for the position that was requested, and no old packet: this connection counts from 1.
            self._offset = self._start  # until a repetition gives the exact offset


_MAX_LEAP = 4096
"""A number that jumps further is kept in the set: the array would grow by four bytes for each number left out."""


class Deduplicator:
    """Remembers which packets were read: by action id and number; without a number, by what distinguishes revisions (section 7).

    The number is the index into an array of 4-byte hashes, so that a whole match takes a few KiB. The set holds the rest.
    """

    def __init__(self) -> None:
        self._actions = array("I")
        self._others: set[int] = set()

    def __contains__(self, packet: Packet) -> bool:
        seq = packet.seq
        if seq is not None and 0 <= seq < len(self._actions) and self._actions[seq] == _short_hash(packet):
            return True
        return bool(self._others) and _full_hash(packet) in self._others

    def add(self, packet: Packet) -> bool:
        """Remember a packet. Return False if it was remembered already."""
        seq, actions = packet.seq, self._actions
        known = len(actions)
        # One walk that looks up and remembers: this is called for every packet of every match.
        if seq is None or not 0 <= seq < known + _MAX_LEAP:
            return self._add_to_set(packet)
        short = _short_hash(packet)
        # Another action under a number that was read: both are kept, since a connection may count from 1 again (section 7).
        if seq < known and (kept := actions[seq]):
            return kept != short and self._add_to_set(packet)
        if self._others and _full_hash(packet) in self._others:
            return False
        if seq > known:
            actions.frombytes(bytes(4 * (seq - known)))
        if seq >= known:
            actions.append(short)
        else:
            actions[seq] = short
        return True

    def _add_to_set(self, packet: Packet) -> bool:
        count = len(self._others)
        self._others.add(_full_hash(packet))
        return len(self._others) > count


def _short_hash(packet: Packet) -> int:
    """Return a 32-bit hash of the action id; never 0, which stands for a number that was not read."""
    return crc32(packet.action_id.encode()) or 1


def _full_hash(packet: Packet) -> int:
    if packet.seq is not None:
        return hash((packet.action_id, packet.seq))
    # All that a revision may change: two that differ in one of these are two (section 4.1).
    return hash((packet.action_id, packet.send_type, packet.at, packet.type, packet.sub_type, packet.clock, packet.player))
