"""Puts packets in the order of their sequence numbers, and knows which numbers are missing. Pure."""

from __future__ import annotations

import math

import msgspec

from rules.action import Packet

PATIENCE = 1.0
"""Seconds that a packet waits for those before it."""
HELD = 3
"""Packets that wait for one before them, at most."""
REPAIRS = 3
"""How often one missing number is asked for at once."""
REWINDS = 6
"""Connections a minute, at most, that are made for missing numbers."""
PROBE_EVERY = 60.0
"""Seconds until the numbers that could not be had are asked for again, all together; twice as long after each vain time."""
_FUTILE = 3
"""So many numbers in a row that could not be had: this feed leaves numbers out, and no packet waits for one."""
_WIDEST = 50
"""A wider leap is not a loss of packets but a way to count."""


class Gap(msgspec.Struct):
    """A missing number: the position at which it was missed, since when, and how often it was asked for again."""

    position: int
    since: float
    tries: int = 0
    asked: bool = False


class Order:
    """Holds back a packet that came before its forerunners, for a moment; packets without a number pass.

    A missing number is a gap while it is asked for at once; then it is lost, which stops nothing and is asked for now and then.
    """

    def __init__(self, first: int | None = None) -> None:
        """`first`: the number that the first packet should have; None where it may have any."""
        self._next = first
        self.highest = (first or 1) - 1
        self._held: list[Packet] = []
        self._gaps: dict[int, Gap] = {}
        self._lost: dict[int, int] = {}
        self._futile = 0
        self._rewinds: tuple[float, ...] = ()
        self._probing = False
        self._probe_at, self._probe_every = 0.0, PROBE_EVERY

    @property
    def missing(self) -> int:
        """How many numbers have not come."""
        return len(self._gaps) + len(self._lost)

    @property
    def waiting(self) -> bool:
        """Tell whether packets are held, or missing ones are being asked for."""
        return bool(self._held or self._gaps)

    @property
    def wake_at(self) -> float | None:
        """When `wake` has something to do; None while nothing waits."""
        if not self._gaps:
            return None
        due = min((gap.since + PATIENCE for gap in self._gaps.values() if not gap.asked), default=math.inf)
        at = min(max(due, self._may_rewind_at), self._held_until)
        return None if at == math.inf else at

    @property
    def rewind_to(self) -> int | None:
        """The position before the earliest missing number that is asked for now; None where there is none."""
        asked = [gap.position for gap in self._gaps.values()]
        return min(asked + list(self._lost.values()) if self._probing else asked, default=None)

    def lacks(self, seq: int) -> bool:
        """Tell whether this number is missing."""
        return seq in self._gaps or seq in self._lost

    def take(self, packet: Packet, position: int, now: float) -> tuple[Packet, ...]:
        """A new packet; those that may be told now, in order. `position` counts the packets so far, this one included."""
        if packet.seq is None:
            return (packet,)
        if packet.seq == self._next and not self._held and not self._gaps:
            self.highest, self._next = max(self.highest, packet.seq), packet.seq + 1
            return (packet,)
        self._fill(packet.seq)
        self._note_gap(packet.seq, position, now)
        self.again(packet, now)
        self.highest = max(self.highest, packet.seq)
        if self._next is not None and packet.seq < self._next:
            return (packet,)
        self._held.append(packet)
        self._held.sort(key=_seq)
        return self._release(now)

    def again(self, packet: Packet, now: float) -> None:
        """What is read again has come past the gaps before this packet."""
        if packet.seq is not None and self._gaps:
            self._passed(packet.seq, now)

    def caught_up(self, now: float) -> None:
        """All that there is was read again."""
        self._probing = False
        self._passed(self.highest, now)

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
        """Tell whether missing packets should be read again now; those asked for too often are lost for the time being."""
        if not self._gaps and not self._lost:
            return False
        for seq in [seq for seq, gap in self._gaps.items() if gap.tries >= REPAIRS and self._is_due(gap, now)]:
            self._give_up(seq, now)
        if self._leaves_out:
            for seq in list(self._gaps):
                self._lose(seq, self._gaps.pop(seq).position, now)
        due = [gap for gap in self._gaps.values() if self._is_due(gap, now)]
        self._probing = bool(self._lost) and now >= self._probe_at
        if not (due or self._probing) or now < self._may_rewind_at:
            return False
        self._ask(due, now)
        return True

    @property
    def _leaves_out(self) -> bool:
        return self._futile >= _FUTILE

    @property
    def _may_rewind_at(self) -> float:
        return self._rewinds[0] + 60.0 if len(self._rewinds) == REWINDS else -math.inf

    @property
    def _held_until(self) -> float:
        """When the first of those that are held need not wait any longer."""
        if not self._held:
            return math.inf
        return max((gap.since + PATIENCE for gap in self._before(_seq(self._held[0])) if not gap.asked), default=math.inf)

    def _is_due(self, gap: Gap, now: float) -> bool:
        return not gap.asked and now >= gap.since + PATIENCE

    def _ask(self, due: list[Gap], now: float) -> None:
        for gap in due:
            gap.tries, gap.asked = gap.tries + 1, True
        self._rewinds = (*self._rewinds[1 - REWINDS :], now)
        if self._probing:
            self._probe_every *= 2
            self._probe_at = now + self._probe_every

    def _passed(self, seq: int, now: float) -> None:
        for missing, gap in self._gaps.items():
            if gap.asked and missing < seq:
                gap.asked, gap.since = False, now

    def _give_up(self, seq: int, now: float) -> None:
        self._lose(seq, self._gaps.pop(seq).position, now)
        self._futile += 1

    def _lose(self, seq: int, position: int, now: float) -> None:
        if not self._lost:
            self._probe_at = now + self._probe_every
        self._lost[seq] = position

    def _fill(self, seq: int) -> None:
        """A number has come; where it had been asked for, asking is not in vain."""
        gap = self._gaps.pop(seq, None)
        if self._lost.pop(seq, None) is not None or (gap and gap.tries):
            self._futile, self._probe_every = 0, PROBE_EVERY

    def _note_gap(self, seq: int, position: int, now: float) -> None:
        if self._next is None or not 1 < seq - self.highest <= _WIDEST:
            return
        anywhere = not self.highest and seq > HELD  # it may begin to count there
        for missing in range(self.highest + 1, seq):
            if anywhere or self._leaves_out:
                self._lose(missing, position - 1, now)
            else:
                self._gaps[missing] = Gap(position - 1, now)

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
        if self._next is None or first <= self._next or len(self._held) > HELD:
            return True
        return not any(now < gap.since + PATIENCE and not gap.asked for gap in self._before(first))

    def _before(self, seq: int) -> list[Gap]:
        """The gaps between what was told and this number."""
        return [gap for missing, gap in self._gaps.items() if (self._next or 0) <= missing < seq]


def _seq(packet: Packet) -> int:
    return packet.seq or 0
