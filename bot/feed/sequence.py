"""Sequence numbers: order and gaps, duplicates, and connections that count from 1 again. Pure: takes values, does no I/O.

`session.FeedSession` sends each packet through SequenceTracker (its number in the match), Deduplicator (was it read before?) and
Reorderer (which packets can be handed on now, and which numbers are missing).
"""

from __future__ import annotations

import math
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


def packet_fingerprint(packet: Packet) -> int:
    """Return what identifies a revision of an action regardless of its number."""
    # Of what does not change when a packet is repeated: its number may, and so may the summary's details.
    who = packet.player.id or packet.player.name if packet.player else ""
    words = crc32(f"{packet.action_id} {packet.send_type} {packet.type} {packet.sub_type} {who}".encode())
    score = (packet.summary.home or 0) * 100 + (packet.summary.away or 0)
    # Stored, so it must be the same in every process: hash() of a str is salted, but not of numbers.
    return hash((words, packet.at.timestamp(), packet.clock, score))


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

    @property
    def tail(self) -> tuple[tuple[int, int, float], ...]:
        """The last packets, for a FeedPosition."""
        return tuple(
            zip(self._fingerprints[-TAIL_LENGTH:], self._seqs[-TAIL_LENGTH:], self._instants[-TAIL_LENGTH:], strict=True)
        )

    @property
    def is_unshifted(self) -> bool:
        """True if the numbers of this connection are known to be those of the match."""
        return self._is_resolved and not self._offset

    def on_connected(self, start: int) -> None:
        """Begin a connection at `startPosition` `start`. From 0, both ways to count give the same numbers."""
        self._start, self._offset, self._is_resolved = start, 0, start == 0

    def is_repetition(self, fingerprint: int) -> bool:
        """Return True if one of the last packets had this fingerprint."""
        return fingerprint in self._fingerprints

    def renumber(self, packet: Packet, fingerprint: int, is_known: Callable[[Packet], bool]) -> Packet:
        """Return the packet with its number in the match. `is_known`: was its own number read before, or is it missing?"""
        if packet.seq is None:
            return packet
        if not self._is_resolved:
            self._determine_offset(packet, packet.seq, fingerprint, is_known)
        return msgspec.structs.replace(packet, seq=packet.seq + self._offset) if self._offset else packet

    def remember(self, packet: Packet, fingerprint: int) -> None:
        """Remember a packet, unless it is older than all that are remembered."""
        seq = packet.seq or 0
        # A late packet would push out one that the next connection repeats.
        if len(self._seqs) >= TAIL_LENGTH and seq < self._seqs[-1] and seq < min(self._seqs):
            return
        self._fingerprints.append(fingerprint)
        self._seqs.append(seq)
        self._instants.append(packet.at.timestamp())
        if len(self._seqs) >= TAIL_LENGTH + _TRIM_SLACK:
            for kept in (self._fingerprints, self._seqs, self._instants):
                del kept[:-TAIL_LENGTH]

    def _determine_offset(self, packet: Packet, seq: int, fingerprint: int, is_known: Callable[[Packet], bool]) -> None:
        """Find the offset of this connection's numbers.

        Guarded, as a wrong offset would renumber, and so mix up, the rest of the match: only a repetition settles it, and the
        guess from the start position is made once, for a packet that is not an old one.
        """
        if self.is_repetition(fingerprint):
            # A number of 0 stands for none: then there is nothing to shift by.
            known = self._seqs[self._fingerprints.index(fingerprint)]
            self._offset, self._is_resolved = (known - seq if known else 0), True
        elif is_known(packet):
            self._is_resolved = self._offset == 0  # its own number fits the match: this connection does not count anew
        elif self._offset == 0 and self._counts_from_one(packet, seq):
            self._offset = self._start  # until a repetition gives the exact offset

    def _counts_from_one(self, packet: Packet, seq: int) -> bool:
        """Return True if the number is too low for the requested position, and the packet is not an old one."""
        return seq <= self._start and bool(self._instants) and packet.at.timestamp() >= min(self._instants)


REORDER_WAIT = 1.0
"""Seconds that a packet waits for those before it."""

MAX_HELD = 3
"""How many packets wait for an earlier one at most; one more releases the first of them."""

MAX_GAP_REQUESTS = 3
"""How often a missing number is requested at once; then it counts as lost for the time being."""

MAX_REWINDS_PER_MINUTE = 6
"""How many connections a minute are made for missing numbers at most."""

GAP_PROBE_INTERVAL = 60.0
"""Seconds until all lost numbers are requested again together; doubled after each attempt that brought none."""

_MAX_FUTILE_GAPS = 3
"""After so many numbers in a row that the server did not have, the feed is taken to skip numbers: no packet waits for one."""

_MAX_GAP_WIDTH = 50
"""A wider jump is taken for another way to count, not for lost packets."""


class SequenceGap(msgspec.Struct):
    """A missing number: the position at which it was noticed, since when, and how often it was requested again."""

    position: int
    since: float
    attempts: int = 0
    is_requested: bool = False


class Reorderer:
    """Puts packets in order: holds back, for a moment, a packet that came before earlier ones. Packets without a number pass.

    A missing number is a gap while it is requested at once. After that it is lost: nothing waits for it, and it is requested
    from time to time.
    """

    def __init__(self, first: int | None = None) -> None:
        """`first`: the number that the first packet should have; None if it may have any."""
        self._next = first
        self.highest = (first or 1) - 1
        self._held: list[Packet] = []
        self._gaps: dict[int, SequenceGap] = {}
        self._lost: dict[int, int] = {}
        self._futile = 0
        self._rewinds: tuple[float, ...] = ()
        self._probing = False
        self._probe_at, self._probe_every = 0.0, GAP_PROBE_INTERVAL

    @property
    def missing(self) -> int:
        """The number of sequence numbers that have not come."""
        return len(self._gaps) + len(self._lost)

    @property
    def is_waiting(self) -> bool:
        """True while packets are held, or missing ones are being requested."""
        return bool(self._held or self._gaps)

    @property
    def wake_at(self) -> float | None:
        """When `release` has something to do; None while nothing waits."""
        if not self._gaps:
            return None
        due = min((gap.since + REORDER_WAIT for gap in self._gaps.values() if not gap.is_requested), default=math.inf)
        at = min(max(due, self._may_rewind_at), self._held_until)
        return None if at == math.inf else at

    @property
    def rewind_to(self) -> int | None:
        """The position before the earliest missing number that is requested now; None if there is none."""
        requested = [gap.position for gap in self._gaps.values()]
        return min(requested + list(self._lost.values()) if self._probing else requested, default=None)

    def is_missing(self, seq: int) -> bool:
        """Return True if this number is missing."""
        return seq in self._gaps or seq in self._lost

    def add(self, packet: Packet, position: int, now: float) -> tuple[Packet, ...]:
        """Add a new packet; return those that can be handed on now, in order. `position` counts it and all before."""
        # Without a number there is no order to keep.
        if packet.seq is None:
            return (packet,)
        if packet.seq == self._next and not self._held and not self._gaps:
            self.highest, self._next = max(self.highest, packet.seq), packet.seq + 1
            return (packet,)  # in order, with nothing missing: nearly every packet
        self._close_gap(packet.seq)
        self._note_gap(packet.seq, position, now)
        self.on_repeated(packet, now)
        self.highest = max(self.highest, packet.seq)
        if self._next is not None and packet.seq < self._next:
            return (packet,)  # late: its successors were handed on without it, and it corrects the record
        # Four packets at most: sorting them costs nothing.
        self._held.append(packet)
        self._held.sort(key=_sequence_number)
        return self.release(now)

    def pass_over(self, seq: int) -> None:
        """Look for none of the numbers between the last packet and this one: they are of frames that cannot be read."""
        self.highest = max(self.highest, seq - 1)

    def on_repeated(self, packet: Packet, now: float) -> None:
        """A packet was read again: the gaps before it were not filled by this reread, and can be requested anew."""
        if packet.seq is not None and self._gaps:
            self._rearm_gaps(packet.seq, now)

    def on_caught_up(self, now: float) -> None:
        """The reread has reached its end: all gaps that it did not fill can be requested anew."""
        self._probing = False
        self._rearm_gaps(self.highest, now)

    def release(self, now: float) -> tuple[Packet, ...]:
        """Return the held packets that can be handed on: nothing is missing before them, or they have waited long enough."""
        ready: list[Packet] = []
        while self._held and self._can_release(now):
            packet = self._held.pop(0)
            self._next = _sequence_number(packet) + 1
            ready.append(packet)
        return tuple(ready)

    def flush(self) -> tuple[Packet, ...]:
        """Return all packets that are held, in order."""
        held, self._held = tuple(self._held), []
        if held:
            self._next = _sequence_number(held[-1]) + 1
        return held

    def should_rewind(self, now: float) -> bool:
        """Return True if missing packets should be read again now; gaps that were requested too often become lost."""
        if not self._gaps and not self._lost:
            return False
        # A copy: giving up changes the dictionary.
        for seq in [seq for seq, gap in self._gaps.items() if gap.attempts >= MAX_GAP_REQUESTS and self._is_due(gap, now)]:
            self._give_up(seq, now)
        # The feed counts in steps: waiting a second at each of its gaps would delay every alert.
        if self._skips_numbers:
            for seq in list(self._gaps):
                self._mark_lost(seq, self._gaps.pop(seq).position, now)
        due = [gap for gap in self._gaps.values() if self._is_due(gap, now)]
        self._probing = bool(self._lost) and now >= self._probe_at
        if not (due or self._probing) or now < self._may_rewind_at:
            return False
        self._request_gaps(due, now)
        return True

    @property
    def _skips_numbers(self) -> bool:
        return self._futile >= _MAX_FUTILE_GAPS

    @property
    def _may_rewind_at(self) -> float:
        return self._rewinds[0] + 60.0 if len(self._rewinds) == MAX_REWINDS_PER_MINUTE else -math.inf

    @property
    def _held_until(self) -> float:
        """When the first held packet need not wait any longer."""
        if not self._held:
            return math.inf
        return max(
            (gap.since + REORDER_WAIT for gap in self._gaps_before(_sequence_number(self._held[0])) if not gap.is_requested),
            default=math.inf,
        )

    def _is_due(self, gap: SequenceGap, now: float) -> bool:
        return not gap.is_requested and now >= gap.since + REORDER_WAIT

    def _request_gaps(self, due: list[SequenceGap], now: float) -> None:
        for gap in due:
            gap.attempts, gap.is_requested = gap.attempts + 1, True
        # At most six a minute, whatever is missing: each is a new connection, which the vendor limits.
        self._rewinds = (*self._rewinds[1 - MAX_REWINDS_PER_MINUTE :], now)
        # Doubled: what the server did not have for an hour it will hardly have in a minute.
        if self._probing:
            self._probe_every *= 2
            self._probe_at = now + self._probe_every

    def _rearm_gaps(self, seq: int, now: float) -> None:
        for missing, gap in self._gaps.items():
            if gap.is_requested and missing < seq:
                gap.is_requested, gap.since = False, now

    def _give_up(self, seq: int, now: float) -> None:
        # Counted until one comes: three in a row tell that this feed skips numbers.
        self._mark_lost(seq, self._gaps.pop(seq).position, now)
        self._futile += 1

    def _mark_lost(self, seq: int, position: int, now: float) -> None:
        if not self._lost:
            self._probe_at = now + self._probe_every
        self._lost[seq] = position

    def _close_gap(self, seq: int) -> None:
        """A number has come. If it had been requested, the server fills gaps, and the pauses between requests start anew."""
        gap = self._gaps.pop(seq, None)
        if self._lost.pop(seq, None) is not None or (gap and gap.attempts):
            self._futile, self._probe_every = 0, GAP_PROBE_INTERVAL

    def _note_gap(self, seq: int, position: int, now: float) -> None:
        if self._next is None or not 1 < seq - self.highest <= _MAX_GAP_WIDTH:
            return
        # A feed may begin to count at any number: what lies before the first one may never have existed.
        may_start_here = not self.highest and seq > MAX_HELD
        for missing in range(self.highest + 1, seq):
            # Lost at once, so that nothing waits for it, but still looked for from time to time.
            if may_start_here or self._skips_numbers:
                self._mark_lost(missing, position - 1, now)
            else:
                self._gaps[missing] = SequenceGap(position - 1, now)

    def _can_release(self, now: float) -> bool:
        first = _sequence_number(self._held[0])
        if self._next is None or first <= self._next or len(self._held) > MAX_HELD:
            return True
        return not any(now < gap.since + REORDER_WAIT and not gap.is_requested for gap in self._gaps_before(first))

    def _gaps_before(self, seq: int) -> list[SequenceGap]:
        """Return the gaps between the last packet handed on and this number."""
        return [gap for missing, gap in self._gaps.items() if (self._next or 0) <= missing < seq]


def _sequence_number(packet: Packet) -> int:
    return packet.seq or 0


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
        seq, known = packet.seq, len(self._actions)
        if seq is None or not 0 <= seq < known + _MAX_LEAP:
            return self._add_to_set(packet)
        short = _short_hash(packet)
        if seq < known and (kept := self._actions[seq]):
            return kept != short and self._add_to_set(packet)
        if self._others and _full_hash(packet) in self._others:
            return False
        if seq >= known:
            self._actions.frombytes(bytes(4 * (seq + 1 - known)))
        self._actions[seq] = short
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
    return hash((packet.action_id, packet.send_type, packet.at, packet.type, packet.sub_type, packet.clock, packet.player))
