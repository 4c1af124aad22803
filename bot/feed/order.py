"""Puts packets in the order of their sequence numbers, and knows which numbers are missing. Pure."""

from __future__ import annotations

import msgspec

from rules.action import Packet

PATIENCE = 1.0
"""Seconds that a packet waits for those before it."""
HELD = 3
"""Packets that wait for one before them, at most."""
REPAIRS = 3
"""How often one missing number is asked for again."""
_FUTILE = 3
"""So many numbers that could not be had: this feed leaves numbers out, and none is asked for any more."""
_WIDEST = 50
"""A wider leap is not a loss of packets but a way to count."""


class Gap(msgspec.Struct):
    """A missing number: the position at which it was missed, since when, and how often it was asked for again."""

    position: int
    since: float
    tries: int = 0
    asked: bool = False


class Order:
    """Holds back a packet that came before its forerunners, for a moment; packets without a number pass."""

    def __init__(self, first: int | None = None) -> None:
        """`first`: the number that the first packet should have; None where it may have any."""
        self.missing = 0
        self._next = first
        self.highest = (first or 1) - 1
        self._held: list[Packet] = []
        self._gaps: dict[int, Gap] = {}
        self._lost: set[int] = set()
        self._futile = 0

    @property
    def waiting(self) -> bool:
        """Tell whether packets are held, or missing ones may still be had."""
        return bool(self._held) or (self._repairs and bool(self._gaps))

    @property
    def wake_at(self) -> float | None:
        """When `wake` has something to do; None while nothing waits."""
        return min((gap.since + PATIENCE for gap in self._gaps.values() if not gap.asked), default=None) if self._gaps else None

    @property
    def rewind_to(self) -> int | None:
        """The position before the earliest missing number that may be had by reading again; None where there is none."""
        return min((gap.position for gap in self._gaps.values()), default=None) if self._repairs else None

    def lacks(self, seq: int) -> bool:
        """Tell whether this number is missing."""
        return seq in self._gaps or seq in self._lost

    @property
    def _repairs(self) -> bool:
        return self._futile < _FUTILE

    def take(self, packet: Packet, position: int, now: float) -> tuple[Packet, ...]:
        """A new packet; those that may be told now, in order. `position` counts the packets so far, this one included."""
        if packet.seq is None:
            return (packet,)
        if packet.seq == self._next and not self._held and not self._gaps:
            self.highest, self._next = max(self.highest, packet.seq), packet.seq + 1
            return (packet,)
        self._fill(packet.seq)
        self._note_gap(packet.seq, position, now)
        self.highest = max(self.highest, packet.seq)
        if self._next is not None and packet.seq < self._next:
            return (packet,)
        self._held.append(packet)
        self._held.sort(key=_seq)
        return self._release(now)

    def again(self, packet: Packet, now: float) -> None:
        """A packet known already: what is read again has come past the gaps before it."""
        if packet.seq is not None:
            for seq, gap in list(self._gaps.items()):
                if gap.asked and seq < packet.seq:
                    gap.asked, gap.since = False, now

    def wake(self, now: float) -> tuple[Packet, ...]:
        """Time has passed; the packets that have waited long enough."""
        return self._release(now)

    def flush(self) -> tuple[Packet, ...]:
        """All that is held, in order."""
        held, self._held = tuple(self._held), []
        if held:
            self._next = _seq(held[-1]) + 1
        return held

    def wants_rewind(self, now: float) -> bool:
        """Tell whether missing packets should be read again now; those that were asked for too often are given up."""
        if not self._gaps:
            return False
        due = [seq for seq, gap in self._gaps.items() if not gap.asked and now >= gap.since + PATIENCE]
        for seq in [seq for seq in due if self._gaps[seq].tries >= REPAIRS or not self._repairs]:
            due.remove(seq)
            self._give_up(seq)
        for seq in due:
            gap = self._gaps[seq]
            gap.tries, gap.asked = gap.tries + 1, True
        return bool(due)

    def _give_up(self, seq: int) -> None:
        del self._gaps[seq]
        self._lost.add(seq)
        self._futile += 1

    def _fill(self, seq: int) -> None:
        if self._gaps.pop(seq, None) is not None:
            self.missing -= 1
        elif seq in self._lost:
            self._lost.discard(seq)
            self.missing -= 1

    def _note_gap(self, seq: int, position: int, now: float) -> None:
        widest = _WIDEST if self.highest else HELD
        if self._next is None or not 1 < seq - self.highest <= widest:
            return
        for lost in range(self.highest + 1, seq):
            self._gaps[lost] = Gap(position - 1, now)
            self.missing += 1

    def _release(self, now: float) -> tuple[Packet, ...]:
        """Packets whose forerunners are told, or which have waited long enough for them."""
        ready: list[Packet] = []
        while self._held and self._may_go(now):
            packet = self._held.pop(0)
            self._next = _seq(packet) + 1
            ready.append(packet)
        return tuple(ready)

    def _may_go(self, now: float) -> bool:
        first = _seq(self._held[0])
        if self._next is None or first <= self._next or len(self._held) > HELD or not self._repairs:
            return True
        before = [gap for seq, gap in self._gaps.items() if self._next <= seq < first]
        return not any(now < gap.since + PATIENCE and not gap.asked for gap in before)


def _seq(packet: Packet) -> int:
    return packet.seq or 0
