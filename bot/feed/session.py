"""One connection as a pure state machine: resume, stale, over."""

from __future__ import annotations

import enum

from bot.feed.decode import Control, ControlKind
from bot.feed.reconnect import FailureCause
from bot.feed.sequence import Deduplicator, FeedPosition, Reorderer, SequenceTracker, packet_fingerprint
from rules.football.action import Packet


class SessionState(enum.StrEnum):
    """Where the connection stands."""

    CONNECTING = "connecting"
    AUTHORISING = "authorising"
    LIVE = "live"
    STALE = "stale"
    WAITING = "waiting"
    REFUSED = "refused"
    FINISHED = "finished"


class SessionEvent(enum.StrEnum):
    """What happens to a connection."""

    OPENED = "opened"
    FAILED = "not made, or lost"
    DENIED = "refused"
    HEARD = "accepted, heartbeat or data"
    SILENT = "no frame for stale_after"
    REWIND = "read again from an earlier position"
    DUE = "the wait is over"
    OVER = "the match is over"


_S, _E = SessionState, SessionEvent

TRANSITIONS = {
    (_S.CONNECTING, _E.OPENED): _S.AUTHORISING,
    (_S.CONNECTING, _E.FAILED): _S.WAITING,
    (_S.CONNECTING, _E.DENIED): _S.REFUSED,
    (_S.AUTHORISING, _E.HEARD): _S.LIVE,
    (_S.AUTHORISING, _E.FAILED): _S.WAITING,
    (_S.AUTHORISING, _E.DENIED): _S.REFUSED,
    (_S.AUTHORISING, _E.SILENT): _S.STALE,
    (_S.AUTHORISING, _E.OVER): _S.FINISHED,
    (_S.LIVE, _E.HEARD): _S.LIVE,
    (_S.LIVE, _E.FAILED): _S.WAITING,
    (_S.LIVE, _E.DENIED): _S.LIVE,  # an error after the token was accepted: the server closes if it means it
    (_S.LIVE, _E.SILENT): _S.STALE,
    (_S.LIVE, _E.REWIND): _S.WAITING,
    (_S.LIVE, _E.OVER): _S.FINISHED,
    (_S.STALE, _E.FAILED): _S.WAITING,
    (_S.STALE, _E.OVER): _S.FINISHED,
    (_S.WAITING, _E.DUE): _S.CONNECTING,
    (_S.WAITING, _E.OVER): _S.FINISHED,
    (_S.REFUSED, _E.FAILED): _S.REFUSED,
    (_S.REFUSED, _E.DUE): _S.CONNECTING,
}
"""Every transition; a pair that is not here changes nothing."""


class Ending(enum.StrEnum):
    """Why a connection is not needed any more."""

    COMPLETED = "completed"
    """Full time: from its own action, or from the status."""
    LOST = "lost"
    """Abandoned, postponed, cancelled, or its coverage dropped for good: never full time."""


RESUME_OVERLAP = 8
"""Packets asked for again when resuming: the documentation contradicts itself by one (section 2.4)."""

_LOST_STATUSES = frozenset({"abandoned", "cancelled", "canceled", "postponed", "unverified"})

_COMPLETED_WAIT = 300.0

_LOST_WAIT = 1800.0

_MAX_EMPTY_HEARTBEATS = 2

_MAX_RECONNECTS_AFTER_END = 5

_MAX_RECONNECTS_WITH_GAPS = 20
"""Connections lost after the end of a match, and while something of it is still missing, until it is let be."""

MAX_FULL_REREADS = 5
"""How often in a row all of a match that is over is read again in vain for the numbers that are still missing."""


class FeedSession:
    """What is known of one fixture's connection, through all its reconnects."""

    def __init__(self, stale_after: float, place: FeedPosition | None = None) -> None:
        """`place`: how far the match was read before this process; None for all of its history."""
        place = place or FeedPosition()
        self.state = SessionState.CONNECTING
        self.position = place.position
        self.reconnects = 0
        self.duplicates = 0
        self.last_frame = 0.0
        self.trouble: FailureCause | None = None
        self.ending: Ending | None = None
        self.caught_up = False
        self._stale_after = stale_after
        self._seen = Deduplicator()
        self._told_before = place.seq
        self._numbering = SequenceTracker(place)
        self._order = Reorderer(first=place.seq + 1) if place.seq or not place.position else Reorderer()
        self._start = 0
        self._from_zero = False
        self._data = self._heartbeats = 0
        self._ended = self._final = False
        self._status = self._status_word = ""
        self._closing = False
        self._status_since = 0.0
        self._latest = 0
        self._farewells = 0
        self._reading_all = False
        self._lacking = self._vain = 0

    @property
    def gaps(self) -> int:
        """Sequence numbers that never came."""
        return self._order.missing

    @property
    def start_position(self) -> int:
        """The `startPosition` to ask for now."""
        if self._from_zero or self._reading_all:
            return 0
        rewind = self._order.rewind_to
        return max(0, (self.position if rewind is None else min(rewind, self.position)) - RESUME_OVERLAP)

    @property
    def ended(self) -> bool:
        """Tell whether the match has ended, by its own action or by its status."""
        return self._ended or self._closing

    @property
    def place(self) -> FeedPosition | None:
        """Where another process may go on; None while packets wait for others."""
        if self._order.waiting:
            return None
        return FeedPosition(self.position, max(self._order.highest, self._told_before), self._numbering.tail)

    @property
    def wake_at(self) -> float | None:
        """When to call `wake` if no frame comes before; None while no packet waits for another."""
        return self._order.wake_at if self.state is SessionState.LIVE else None

    @property
    def stale_at(self) -> float:
        """When to call `silent` if no frame comes before."""
        return self.last_frame + self._stale_after

    def connecting(self) -> int:
        """A connection is being made; the position to ask for."""
        self._move(SessionEvent.DUE)
        self.trouble = None
        self._start, self._data, self._heartbeats = self.start_position, 0, 0
        self._from_zero = False
        self._numbering.connected(self._start)
        return self._start

    def opened(self, now: float) -> None:
        """The handshake is done and the token sent."""
        self.last_frame = now
        self._move(SessionEvent.OPENED)

    def failed(self, trouble: FailureCause) -> tuple[Packet, ...]:
        """The connection was not made or is lost; the packets that were held back for order, which may be told now."""
        cause = self.trouble = self.trouble or trouble
        if self._start and not self._data and self.state in (SessionState.LIVE, SessionState.STALE):
            self._from_zero = True
        self.reconnects += 1
        self._move(SessionEvent.DENIED if cause is FailureCause.REFUSED else SessionEvent.FAILED)
        if cause in (FailureCause.GAP, FailureCause.REPOSITION):
            return ()
        held = self._noted(self._order.flush(), self.last_frame)
        self._conclude(cause)
        return held

    def heard(self, now: float) -> None:
        """A frame of any kind has come, readable or not: the peer lives."""
        self.last_frame = now

    def control(self, control: Control, now: float) -> tuple[Packet, ...]:
        """A control frame; the packets that may be told after it."""
        self.last_frame = now
        if control.kind is ControlKind.REFUSED:
            if self.state is SessionState.AUTHORISING:
                self.trouble = FailureCause.REFUSED
            self._move(SessionEvent.DENIED)
        elif control.kind is not ControlKind.NOTICE:
            self._move(SessionEvent.HEARD)
        if control.kind is ControlKind.HEARTBEAT:
            return self._heartbeat(now)
        return ()

    def packet(self, packet: Packet, now: float) -> tuple[Packet, ...]:
        """A data packet; the packets that may be told after it, in order: none after a duplicate or while it waits."""
        self.last_frame = now
        self._data += 1
        if self.state is not SessionState.LIVE:
            self._move(SessionEvent.HEARD)
        mark = packet_fingerprint(packet)
        if not self._numbering.same:
            packet = self._numbering.moved(packet, mark, self._has)
        known = packet in self._seen
        if known or (self._told_before and self._told_by_another(packet, mark)):
            self._repeated(packet, now, known=known)
            return self._checked(now, ())
        self._seen.add(packet)
        self._numbering.keep(packet, mark)
        self.position += packet.seq is None or packet.seq > self._told_before
        ready = self._order.take(packet, self.position, now)
        return self._checked(now, self._noted(ready, now))

    def _told_by_another(self, packet: Packet, mark: int) -> bool:
        """Tell whether another process read this packet."""
        return (packet.seq or 0) <= self._told_before and self._numbering.repeats(mark)

    def _repeated(self, packet: Packet, now: float, *, known: bool) -> None:
        """A duplicate tells how the match stands where another process read it first."""
        self.duplicates += 1
        self._order.again(packet, now)
        if not known:
            self._seen.add(packet)
            self._noted((packet,), now)

    def wake(self, now: float) -> tuple[Packet, ...]:
        """The instant of `wake_at` has come; the packets that need wait no longer."""
        return self._checked(now, self._noted(self._order.wake(now), now))

    def silent(self, now: float) -> bool:
        """Tell whether no frame has come for too long; then the connection is stale."""
        if now < self.stale_at:
            return False
        self.trouble = self.trouble or FailureCause.STALE
        self._move(SessionEvent.SILENT)
        return True

    def _has(self, packet: Packet) -> bool:
        """Tell whether the packet was read under its own number, or is one that is missing."""
        return packet in self._seen or self._order.lacks(packet.seq or 0)

    def _move(self, event: SessionEvent) -> None:
        self.state = TRANSITIONS.get((self.state, event), self.state)

    def _heartbeat(self, now: float) -> tuple[Packet, ...]:
        self.caught_up = True
        self._heartbeats += 1
        if self._start and not self._data and self._heartbeats >= _MAX_EMPTY_HEARTBEATS:
            self._from_zero = True
            self._rewind(FailureCause.REPOSITION)
        self._order.caught_up(now)
        return self._checked(now, self._noted(self._order.wake(now), now), quiet=True)

    def _noted(self, ready: tuple[Packet, ...], now: float) -> tuple[Packet, ...]:
        """Learn from packets in order how the match stands."""
        for packet in ready:
            if packet.seq is not None and packet.seq < self._latest:
                continue
            self._latest = packet.seq or self._latest
            if packet.summary.status != self._status_word:
                self._note_status(packet.summary.status, now)
            self._final = packet.is_finished
            if packet.type.strip().casefold() == "end match":
                self._ended = packet.send_type.is_standing
        return ready

    def _note_status(self, word: str, now: float) -> None:
        self._status_word = word
        status = word.casefold()
        if status and status != self._status:
            self._status, self._status_since = status, now
            self._closing = self._completed or status in _LOST_STATUSES

    def _checked(self, now: float, ready: tuple[Packet, ...], *, quiet: bool = False) -> tuple[Packet, ...]:
        """Decide whether to read something again, or whether the match is over."""
        if self.state is SessionState.LIVE and self._order.wants_rewind(now):
            self._rewind(FailureCause.GAP)
        elif self._closing and self.trouble is None and not self._order.waiting and self._is_over(now, quiet=quiet):
            self._wind_up(through=quiet)
        return ready

    def _wind_up(self, *, through: bool) -> None:
        """The match is over: all of it is read again while numbers are missing, and then it is let be."""
        if self._reading_all and self._order.missing and not through:
            return
        if self._reads_all_again():
            self._rewind(FailureCause.GAP)
        else:
            self._finish(Ending.COMPLETED if self._completed else Ending.LOST)

    def _reads_all_again(self) -> bool:
        """Begin to read all of the match from 0 where numbers are missing, unless that was in vain too often."""
        missing = self._order.missing
        if self._reading_all:
            self._vain = self._vain + 1 if missing == self._lacking else 0
        self._lacking = missing
        self._reading_all = bool(missing) and self._vain < MAX_FULL_REREADS
        return self._reading_all

    @property
    def _completed(self) -> bool:
        return self._status == "completed"

    def _is_over(self, now: float, *, quiet: bool) -> bool:
        if self._completed and self._ended:
            return True
        if not quiet:
            return False
        since = now - self._status_since
        if self._completed:
            return self._final or since >= _COMPLETED_WAIT
        return self._status in _LOST_STATUSES and self._final and since >= _LOST_WAIT

    def _conclude(self, cause: FailureCause) -> None:
        """A match that has ended needs no other connection: the server closed in good order, or is not to be had any more."""
        lost = self._status in _LOST_STATUSES and self._final
        self._farewells += self._completed or self._ended or lost
        missing = bool(self._order.missing)
        if self._farewells > (_MAX_RECONNECTS_WITH_GAPS if missing else _MAX_RECONNECTS_AFTER_END) or self._parted(cause):
            if self._completed or (self._ended and self._status not in _LOST_STATUSES):
                self._finish(Ending.COMPLETED)
            elif lost:
                self._finish(Ending.LOST)

    def _parted(self, cause: FailureCause) -> bool:
        """Tell whether the server closed in good order, with nothing left to be read."""
        if (
            cause is not FailureCause.CLOSED
            or self._order.waiting
            or not (self._completed or self._ended or self._status in _LOST_STATUSES)
        ):
            return False
        return not self._reads_all_again()

    def _finish(self, ending: Ending) -> None:
        self.ending = ending
        self._move(SessionEvent.OVER)

    def _rewind(self, trouble: FailureCause) -> None:
        self.trouble = trouble
        self._move(SessionEvent.REWIND)
