"""Seeded faults of the simulator: what a connection sends in place of a match's frames. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from zlib import crc32

import msgspec

from bot.feed.simulator.script import ScheduledFrame

_STALL_CHANCE = 0.5

_REFUSE_CHANCE = 0.3

OVERSIZE = 17 * 1024 * 1024
"""Bytes of padding in a frame that is too large: more than the 16 MiB that Touchline reads."""

# Each in another way: cut, of another type, not UTF-8, without an action, with an empty one, unknown, an error page.
_GARBAGE = (b"{", b"[]", b"null", b"\xff\xfe", b'{"fixtureAction":7}', b'{"fixtureAction":{}}', b'{"hello":"world"}', b"<html>")


class Faults(msgspec.Struct, frozen=True):
    """How often the simulator misbehaves, and how; chances are from 0 to 1. The fields are options of the command line."""

    drop: float = 0.0
    """The chance that a frame is not sent on a connection."""
    duplicate: float = 0.0
    garbage: float = 0.0
    """The chance that a frame is preceded by one that cannot be read."""
    stall: float = 0.0
    """Seconds for which half of the connections, at some frame, send nothing at all."""
    refuse: tuple[int, ...] = ()
    """HTTP statuses, one of which answers three in ten connections."""
    ignore_start_position: bool = False
    reorder: int = 0
    """How many places late a frame may come."""
    seed: int = 1
    spoil: float = 0.0
    """The chance that a frame begins with a byte order mark (BOM) and has half a surrogate pair in each name."""
    oversize: float = 0.0
    """The chance that a frame is larger than clients read. It is the same frames on every connection."""
    limit: int = 0
    """Requests in a second that are answered, REST calls and connections together; more get HTTP 429. 0: all."""

    def for_connection(self, fixture_id: str, connection: int) -> ConnectionFaults:
        """Return the faults of one connection, counted from 0; the same for the same seed."""
        # By match and attempt, so that a run is the same again however its connections interleave.
        return ConnectionFaults(self, random.Random(f"{self.seed} {fixture_id} {connection}"))


class ConnectionFaults:
    """The faults of one connection. Drawn from its own generator, so that they do not depend on what other connections do."""

    def __init__(self, faults: Faults, rng: random.Random) -> None:
        self._faults, self._rng = faults, rng

    def choose_refusal(self) -> int | None:
        """Return the HTTP status to refuse the handshake with; None to accept it."""
        refused = self._faults.refuse and self._rng.random() < _REFUSE_CHANCE
        return self._rng.choice(self._faults.refuse) if refused else None

    def choose_start(self, requested: int) -> int:
        """Return the position from which to send."""
        return 0 if self._faults.ignore_start_position else requested

    def apply(self, frames: Sequence[ScheduledFrame]) -> list[ScheduledFrame]:
        """Return what this connection sends in place of these frames."""
        # Large frames first, by their own bytes; a stall last, since it is a place among what is sent in the end.
        return self._stall(self._drop_and_add(self._reorder(self._blow_up(frames))))

    def _blow_up(self, frames: Sequence[ScheduledFrame]) -> Sequence[ScheduledFrame]:
        chance = self._faults.oversize
        if not chance:
            return frames
        blown_up = []
        for scheduled in frames:
            # Drawn by the frame itself and not by the connection: a client that reconnects meets the same frame again.
            if random.Random(f"{self._faults.seed} {crc32(scheduled.frame)}").random() < chance:
                padding = b'{"padding":"' + b"x" * OVERSIZE + b'",'
                scheduled = msgspec.structs.replace(scheduled, frame=padding + scheduled.frame[1:])
            blown_up.append(scheduled)
        return blown_up

    def _reorder(self, frames: Sequence[ScheduledFrame]) -> Iterable[ScheduledFrame]:
        reach = self._faults.reorder
        if not reach:
            return frames
        # Each place is moved back by less than `reach`, so that no frame comes later than that.
        order = sorted(range(len(frames)), key=lambda i: i + self._rng.uniform(0, reach))
        latest, moved = 0.0, []
        for index in order:
            # A frame that comes late is due when the one before it is: time never runs back on a connection.
            latest = max(latest, frames[index].due)
            moved.append(ScheduledFrame(latest, frames[index].frame))
        return moved

    def _drop_and_add(self, frames: Iterable[ScheduledFrame]) -> Iterable[ScheduledFrame]:
        for scheduled in frames:
            if self._rng.random() < self._faults.garbage:
                yield ScheduledFrame(scheduled.due, self._rng.choice(_GARBAGE))
            if self._rng.random() < self._faults.drop:
                continue
            if self._faults.spoil and self._rng.random() < self._faults.spoil:
                spoilt = b"\xef\xbb\xbf" + scheduled.frame.replace(b'"name":"', b'"name":"\\ud83d')
                scheduled = msgspec.structs.replace(scheduled, frame=spoilt)
            yield scheduled
            if self._rng.random() < self._faults.duplicate:
                yield scheduled

    def _stall(self, frames: Iterable[ScheduledFrame]) -> list[ScheduledFrame]:
        sent = list(frames)
        if self._faults.stall and sent and self._rng.random() < _STALL_CHANCE:
            at = self._rng.randrange(len(sent))
            sent[at] = ScheduledFrame(sent[at].due, sent[at].frame, self._faults.stall)
        return sent
