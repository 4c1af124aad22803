"""Puts packets into the order of their numbers, and decides when missing ones are requested again. Pure."""

from __future__ import annotations

import math

import msgspec

from rules.football.action import Packet

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
        """The highest number that has come."""
        self._held: list[Packet] = []
        self._gaps: dict[int, SequenceGap] = {}
        self._lost: dict[int, int] = {}
        """By number that is lost, the position at which it was noticed."""
        self._futile = 0
        self._rewinds: tuple[float, ...] = ()
        self._probing = False
        """True while a reread looks for the lost numbers."""
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
        # Lost numbers wake nobody: they are looked for at the next frame, and a heartbeat comes every ten seconds.
        if not self._gaps:
            return None
        due = min((gap.since + REORDER_WAIT for gap in self._gaps.values() if not gap.is_requested), default=math.inf)
        at = min(max(due, self._next_rewind_at), self._held_until)
        return None if at == math.inf else at

    @property
    def rewind_to(self) -> int | None:
        """The position before the earliest missing number that is requested now; None if there is none."""
        # From the earliest, however far it is behind: one connection then brings all of them.
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
        gap = self._gaps.pop(packet.seq, None)
        if self._lost.pop(packet.seq, None) is not None or (gap and gap.attempts):
            # It had been requested, so the server fills gaps: the pauses between requests start anew.
            self._futile, self._probe_every = 0, GAP_PROBE_INTERVAL
        self._note_gap(packet.seq, position, now)
        self.rearm_gaps_before(packet, now)
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

    def rearm_gaps_before(self, packet: Packet, now: float) -> None:
        """Let the gaps before a packet be requested anew: the connection has passed their places and did not bring them."""
        if packet.seq is not None and self._gaps:
            self._rearm_gaps(packet.seq, now)

    def on_caught_up(self, now: float) -> None:
        """Let all gaps that a reread did not fill be requested anew, now that it has reached its end."""
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
        # What is missing before them comes late, if it comes, and corrects the record.
        if held:
            self._next = _sequence_number(held[-1]) + 1
        return held

    def should_rewind(self, now: float) -> bool:
        """Return True if missing packets should be read again now; gaps that were requested too often become lost."""
        if not self._gaps and not self._lost:
            return False
        # Only after the third request has passed the place, and a second more. A copy: giving up changes the dictionary.
        for seq in [seq for seq, gap in self._gaps.items() if gap.attempts >= MAX_GAP_REQUESTS and self._is_due(gap, now)]:
            self._mark_lost(seq, self._gaps.pop(seq).position, now)
            # Counted until one comes: three in a row tell that this feed skips numbers.
            self._futile += 1
        # The feed counts in steps: waiting a second at each of its gaps would delay every alert.
        if self._skips_numbers:
            for seq in list(self._gaps):
                self._mark_lost(seq, self._gaps.pop(seq).position, now)
        due = [gap for gap in self._gaps.values() if self._is_due(gap, now)]
        self._probing = bool(self._lost) and now >= self._probe_at
        if not (due or self._probing) or now < self._next_rewind_at:
            return False
        for gap in due:
            gap.attempts, gap.is_requested = gap.attempts + 1, True
        # At most six a minute, whatever is missing: each is a new connection, which the vendor limits.
        self._rewinds = (*self._rewinds[1 - MAX_REWINDS_PER_MINUTE :], now)
        # Doubled: what the server did not have for an hour it will hardly have in a minute.
        if self._probing:
            self._probe_every *= 2
            self._probe_at = now + self._probe_every
        return True

    @property
    def _skips_numbers(self) -> bool:
        return self._futile >= _MAX_FUTILE_GAPS

    @property
    def _next_rewind_at(self) -> float:
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

    def _rearm_gaps(self, seq: int, now: float) -> None:
        # Counted from now: what the reread brings out of order has its second, too.
        for missing, gap in self._gaps.items():
            if gap.is_requested and missing < seq:
                gap.is_requested, gap.since = False, now

    def _mark_lost(self, seq: int, position: int, now: float) -> None:
        # The pause begins with the first one: those that are lost meanwhile are requested together with it.
        if not self._lost:
            self._probe_at = now + self._probe_every
        self._lost[seq] = position

    def _note_gap(self, seq: int, position: int, now: float) -> None:
        """Note the numbers between the highest one and this one as missing."""
        # Without a first number the feed may count from anywhere (section 7), and then nothing can be missing.
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
        # What is being requested is not waited for: a new connection takes its time, and the packet that is here is news.
        return not any(now < gap.since + REORDER_WAIT and not gap.is_requested for gap in self._gaps_before(first))

    def _gaps_before(self, seq: int) -> list[SequenceGap]:
        """Return the gaps between the last packet handed on and this number."""
        return [gap for missing, gap in self._gaps.items() if (self._next or 0) <= missing < seq]


def _sequence_number(packet: Packet) -> int:
    return packet.seq or 0
