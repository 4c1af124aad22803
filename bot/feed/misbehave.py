"""What a bad day of the feed looks like, on request and by seed: for the simulator. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import msgspec

_STALL_CHANCE = 0.5
_REFUSE_CHANCE = 0.3
_GARBAGE = (b"{", b"[]", b"null", b"\xff\xfe", b'{"fixtureAction":7}', b'{"fixtureAction":{}}', b'{"hello":"world"}', b"<html>")


class Misbehaviour(msgspec.Struct, frozen=True):
    """How often and in which ways; chances are from 0 to 1."""

    drop: float = 0.0
    """The chance of a frame not to be sent on a connection."""
    duplicate: float = 0.0
    garbage: float = 0.0
    """The chance of a frame to be preceded by one that cannot be read."""
    stall: float = 0.0
    """Seconds for which every second connection, at some frame, sends nothing at all."""
    refuse: tuple[int, ...] = ()
    """HTTP statuses, one of which answers three connections of ten."""
    ignore_start_position: bool = False
    reorder: int = 0
    """How many places a frame may come too late."""
    seed: int = 1

    def day(self, fixture_id: str, connection: int) -> Day:
        """The chances of one connection, counted from 0; the same for the same seed."""
        return Day(self, random.Random(f"{self.seed} {fixture_id} {connection}"))


class Timed(msgspec.Struct, frozen=True):
    """A frame and when it is due, in seconds after the simulator's start. `pause`: silence before it, heartbeats too."""

    due: float
    frame: bytes
    pause: float = 0.0


class Day:
    """How one connection misbehaves."""

    def __init__(self, way: Misbehaviour, chance: random.Random) -> None:
        self._way, self._chance = way, chance

    def refusal(self) -> int | None:
        """The HTTP status to answer with; None to let the client in."""
        refused = self._way.refuse and self._chance.random() < _REFUSE_CHANCE
        return self._chance.choice(self._way.refuse) if refused else None

    def start(self, asked: int) -> int:
        """The position from which to send."""
        return 0 if self._way.ignore_start_position else asked

    def spoil(self, frames: Sequence[Timed]) -> list[Timed]:
        """What this connection sends in place of these frames."""
        return self._stalled(self._changed(self._shuffled(frames)))

    def _shuffled(self, frames: Sequence[Timed]) -> Iterable[Timed]:
        reach = self._way.reorder
        if not reach:
            return frames
        places = sorted(range(len(frames)), key=lambda i: i + self._chance.uniform(0, reach))
        latest, moved = 0.0, []
        for place in places:
            latest = max(latest, frames[place].due)
            moved.append(Timed(latest, frames[place].frame))
        return moved

    def _changed(self, frames: Iterable[Timed]) -> Iterable[Timed]:
        for timed in frames:
            if self._chance.random() < self._way.garbage:
                yield Timed(timed.due, self._chance.choice(_GARBAGE))
            if self._chance.random() < self._way.drop:
                continue
            yield timed
            if self._chance.random() < self._way.duplicate:
                yield timed

    def _stalled(self, frames: Iterable[Timed]) -> list[Timed]:
        sent = list(frames)
        if self._way.stall and sent and self._chance.random() < _STALL_CHANCE:
            at = self._chance.randrange(len(sent))
            sent[at] = Timed(sent[at].due, sent[at].frame, self._way.stall)
        return sent
