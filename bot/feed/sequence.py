"""Sequence numbers: duplicates, renumbered connections, order and gaps; pure."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from zlib import crc32

import msgspec

from rules.football.action import Packet

TAIL_LENGTH = 64
"""Packets by which a repetition is recognised."""

_TRIM_SLACK = 16
"""So many more until the oldest are let go of together."""


class FeedPosition(msgspec.Struct, frozen=True):
    """How far a match was read: packets told, the highest number, and the last packets as (fingerprint, number, timestamp)."""

    position: int = 0
    seq: int = 0
    tail: tuple[tuple[int, int, float], ...] = ()


def packet_fingerprint(packet: Packet) -> int:
    """What tells a revision from every other, whatever its number; the same in every process."""
    who = packet.player.id or packet.player.name if packet.player else ""
    words = crc32(f"{packet.action_id} {packet.send_type} {packet.type} {packet.sub_type} {who}".encode())
    score = (packet.summary.home or 0) * 100 + (packet.summary.away or 0)
    return hash((words, packet.at.timestamp(), packet.clock, score))  # of numbers: the same in every process


class SequenceTracker:
    """Remembers the last packets of a match, and moves the numbers of a connection that counts from one."""

    def __init__(self, place: FeedPosition) -> None:
        self._fingerprints = array("q", [mark[0] for mark in place.tail])
        self._seqs = array("q", [mark[1] for mark in place.tail])
        self._instants = array("d", [mark[2] for mark in place.tail])
        self._start = self._offset = 0
        self._is_resolved = True

    @property
    def tail(self) -> tuple[tuple[int, int, float], ...]:
        """The last packets, for a `Place`."""
        return tuple(
            zip(self._fingerprints[-TAIL_LENGTH:], self._seqs[-TAIL_LENGTH:], self._instants[-TAIL_LENGTH:], strict=True)
        )

    @property
    def is_unshifted(self) -> bool:
        """Tell whether the connection's numbers are those of the match."""
        return self._is_resolved and not self._offset

    def on_connected(self, start: int) -> None:
        """A connection begins that was asked for what follows `start`; from the beginning, all numbers are the same."""
        self._start, self._offset, self._is_resolved = start, 0, start == 0

    def is_repetition(self, mark: int) -> bool:
        """Tell whether one of the last packets had this fingerprint."""
        return mark in self._fingerprints

    def renumber(self, packet: Packet, mark: int, has: Callable[[Packet], bool]) -> Packet:
        """The packet with its number among all of the match. `has` tells whether that number was read, or is missing."""
        if packet.seq is None:
            return packet
        if not self._is_resolved:
            self._settle(packet, packet.seq, mark, has)
        return msgspec.structs.replace(packet, seq=packet.seq + self._offset) if self._offset else packet

    def remember(self, packet: Packet, mark: int) -> None:
        """Remember a packet, unless it is older than all that is remembered."""
        seq = packet.seq or 0
        if len(self._seqs) >= TAIL_LENGTH and seq < self._seqs[-1] and seq < min(self._seqs):
            return
        self._fingerprints.append(mark)
        self._seqs.append(seq)
        self._instants.append(packet.at.timestamp())
        if len(self._seqs) >= TAIL_LENGTH + _TRIM_SLACK:
            for kept in (self._fingerprints, self._seqs, self._instants):
                del kept[:-TAIL_LENGTH]

    def _settle(self, packet: Packet, seq: int, mark: int, has: Callable[[Packet], bool]) -> None:
        if self.is_repetition(mark):
            known = self._seqs[self._fingerprints.index(mark)]
            self._offset, self._is_resolved = (known - seq if known else 0), True
        elif has(packet):
            self._is_resolved = self._offset == 0
        elif self._offset == 0 and self._begins_anew(packet, seq):
            self._offset = self._start  # until a repetition tells exactly

    def _begins_anew(self, packet: Packet, seq: int) -> bool:
        """Tell whether the number is too low for what was asked for, and the packet is not an old one that was not asked for."""
        return seq <= self._start and bool(self._instants) and packet.at.timestamp() >= min(self._instants)


REORDER_WAIT = 1.0
"""Seconds that a packet waits for those before it."""

MAX_HELD = 3
"""Packets that wait for one before them, at most."""

MAX_GAP_REQUESTS = 3
"""How often one missing number is asked for at once."""

MAX_REWINDS_PER_MINUTE = 6
"""Connections a minute, at most, that are made for missing numbers."""

GAP_PROBE_INTERVAL = 60.0
"""Seconds until the numbers that could not be had are asked for again, all together; twice as long after each vain time."""

_MAX_FUTILE_GAPS = 3
"""So many numbers in a row that could not be had: this feed leaves numbers out, and no packet waits for one."""

_MAX_GAP_WIDTH = 50
"""A wider leap is not a loss of packets but a way to count."""


class SequenceGap(msgspec.Struct):
    """A missing number: the position at which it was missed, since when, and how often it was asked for again."""

    position: int
    since: float
    attempts: int = 0
    is_requested: bool = False


class Reorderer:
    """Holds back a packet that came before its forerunners, for a moment; packets without a number pass.

    A missing number is a gap while it is asked for at once; then it is lost, which stops nothing and is asked for now and then.
    """

    def __init__(self, first: int | None = None) -> None:
        """`first`: the number that the first packet should have; None where it may have any."""
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
        """How many numbers have not come."""
        return len(self._gaps) + len(self._lost)

    @property
    def is_waiting(self) -> bool:
        """Tell whether packets are held, or missing ones are being asked for."""
        return bool(self._held or self._gaps)

    @property
    def wake_at(self) -> float | None:
        """When `wake` has something to do; None while nothing waits."""
        if not self._gaps:
            return None
        due = min((gap.since + REORDER_WAIT for gap in self._gaps.values() if not gap.is_requested), default=math.inf)
        at = min(max(due, self._may_rewind_at), self._held_until)
        return None if at == math.inf else at

    @property
    def rewind_to(self) -> int | None:
        """The position before the earliest missing number that is asked for now; None where there is none."""
        asked = [gap.position for gap in self._gaps.values()]
        return min(asked + list(self._lost.values()) if self._probing else asked, default=None)

    def is_missing(self, seq: int) -> bool:
        """Tell whether this number is missing."""
        return seq in self._gaps or seq in self._lost

    def take(self, packet: Packet, position: int, now: float) -> tuple[Packet, ...]:
        """A new packet; those that may be told now, in order. `position` counts the packets so far, this one included."""
        if packet.seq is None:
            return (packet,)
        if packet.seq == self._next and not self._held and not self._gaps:
            self.highest, self._next = max(self.highest, packet.seq), packet.seq + 1
            return (packet,)
        self._close_gap(packet.seq)
        self._note_gap(packet.seq, position, now)
        self.on_repeated(packet, now)
        self.highest = max(self.highest, packet.seq)
        if self._next is not None and packet.seq < self._next:
            return (packet,)
        self._held.append(packet)
        self._held.sort(key=_sequence_number)
        return self._release(now)

    def on_repeated(self, packet: Packet, now: float) -> None:
        """What is read again has come past the gaps before this packet."""
        if packet.seq is not None and self._gaps:
            self._rearm_gaps(packet.seq, now)

    def on_caught_up(self, now: float) -> None:
        """All that there is was read again."""
        self._probing = False
        self._rearm_gaps(self.highest, now)

    def release_due(self, now: float) -> tuple[Packet, ...]:
        """Time has passed; the packets that have waited long enough."""
        return self._release(now)

    def flush(self) -> tuple[Packet, ...]:
        """All that is held, in order."""
        held, self._held = tuple(self._held), []
        if held:
            self._next = _sequence_number(held[-1]) + 1
        return held

    def should_rewind(self, now: float) -> bool:
        """Tell whether missing packets should be read again now; those asked for too often are lost for the time being."""
        if not self._gaps and not self._lost:
            return False
        for seq in [seq for seq, gap in self._gaps.items() if gap.attempts >= MAX_GAP_REQUESTS and self._is_due(gap, now)]:
            self._give_up(seq, now)
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
        """When the first of those that are held need not wait any longer."""
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
        self._rewinds = (*self._rewinds[1 - MAX_REWINDS_PER_MINUTE :], now)
        if self._probing:
            self._probe_every *= 2
            self._probe_at = now + self._probe_every

    def _rearm_gaps(self, seq: int, now: float) -> None:
        for missing, gap in self._gaps.items():
            if gap.is_requested and missing < seq:
                gap.is_requested, gap.since = False, now

    def _give_up(self, seq: int, now: float) -> None:
        self._mark_lost(seq, self._gaps.pop(seq).position, now)
        self._futile += 1

    def _mark_lost(self, seq: int, position: int, now: float) -> None:
        if not self._lost:
            self._probe_at = now + self._probe_every
        self._lost[seq] = position

    def _close_gap(self, seq: int) -> None:
        """A number has come; where it had been asked for, asking is not in vain."""
        gap = self._gaps.pop(seq, None)
        if self._lost.pop(seq, None) is not None or (gap and gap.attempts):
            self._futile, self._probe_every = 0, GAP_PROBE_INTERVAL

    def _note_gap(self, seq: int, position: int, now: float) -> None:
        if self._next is None or not 1 < seq - self.highest <= _MAX_GAP_WIDTH:
            return
        anywhere = not self.highest and seq > MAX_HELD  # it may begin to count there
        for missing in range(self.highest + 1, seq):
            if anywhere or self._skips_numbers:
                self._mark_lost(missing, position - 1, now)
            else:
                self._gaps[missing] = SequenceGap(position - 1, now)

    def _release(self, now: float) -> tuple[Packet, ...]:
        """Packets whose forerunners are told, or which have waited long enough for them."""
        ready: list[Packet] = []
        while self._held and self._can_release(now):
            packet = self._held.pop(0)
            self._next = _sequence_number(packet) + 1
            ready.append(packet)
        return tuple(ready)

    def _can_release(self, now: float) -> bool:
        first = _sequence_number(self._held[0])
        if self._next is None or first <= self._next or len(self._held) > MAX_HELD:
            return True
        return not any(now < gap.since + REORDER_WAIT and not gap.is_requested for gap in self._gaps_before(first))

    def _gaps_before(self, seq: int) -> list[SequenceGap]:
        """The gaps between what was told and this number."""
        return [gap for missing, gap in self._gaps.items() if (self._next or 0) <= missing < seq]


def _sequence_number(packet: Packet) -> int:
    return packet.seq or 0


_MAX_LEAP = 4096
"""A number that leaps further is kept apart: the feed counts in another way."""


class Deduplicator:
    """Knows a packet by its action id and its number; without a number, by whatever tells revisions apart (section 7)."""

    def __init__(self) -> None:
        self._actions = array("I")
        self._others: set[int] = set()

    def __contains__(self, packet: Packet) -> bool:
        seq = packet.seq
        if seq is not None and 0 <= seq < len(self._actions) and self._actions[seq] == _short_hash(packet):
            return True
        return bool(self._others) and _full_hash(packet) in self._others

    def add(self, packet: Packet) -> None:
        """Remember a packet."""
        seq, known = packet.seq, len(self._actions)
        if seq is None or not 0 <= seq < known + _MAX_LEAP or (seq < known and self._actions[seq]):
            self._others.add(_full_hash(packet))
            return
        if seq >= known:
            self._actions.frombytes(bytes(4 * (seq + 1 - known)))
        self._actions[seq] = _short_hash(packet)


def _short_hash(packet: Packet) -> int:
    """Never 0, which stands for a number not read."""
    return crc32(packet.action_id.encode()) or 1


def _full_hash(packet: Packet) -> int:
    if packet.seq is not None:
        return hash((packet.action_id, packet.seq))
    return hash((packet.action_id, packet.send_type, packet.at, packet.type, packet.sub_type, packet.clock, packet.player))
