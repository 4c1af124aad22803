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
    REFUSED = "refused"
    RECEIVED = "accepted, heartbeat or data"
    STALE = "no frame for stale_after"
    REWIND = "read again from an earlier position"
    RETRY = "the wait is over"
    MATCH_OVER = "the match is over"


_S, _E = SessionState, SessionEvent

TRANSITIONS = {
    (_S.CONNECTING, _E.OPENED): _S.AUTHORISING,
    (_S.CONNECTING, _E.FAILED): _S.WAITING,
    (_S.CONNECTING, _E.REFUSED): _S.REFUSED,
    (_S.AUTHORISING, _E.RECEIVED): _S.LIVE,
    (_S.AUTHORISING, _E.FAILED): _S.WAITING,
    (_S.AUTHORISING, _E.REFUSED): _S.REFUSED,
    (_S.AUTHORISING, _E.STALE): _S.STALE,
    (_S.AUTHORISING, _E.MATCH_OVER): _S.FINISHED,
    (_S.LIVE, _E.RECEIVED): _S.LIVE,
    (_S.LIVE, _E.FAILED): _S.WAITING,
    (_S.LIVE, _E.REFUSED): _S.LIVE,  # an error after the token was accepted: the server closes if it means it
    (_S.LIVE, _E.STALE): _S.STALE,
    (_S.LIVE, _E.REWIND): _S.WAITING,
    (_S.LIVE, _E.MATCH_OVER): _S.FINISHED,
    (_S.STALE, _E.FAILED): _S.WAITING,
    (_S.STALE, _E.MATCH_OVER): _S.FINISHED,
    (_S.WAITING, _E.RETRY): _S.CONNECTING,
    (_S.WAITING, _E.MATCH_OVER): _S.FINISHED,
    (_S.REFUSED, _E.FAILED): _S.REFUSED,
    (_S.REFUSED, _E.RETRY): _S.CONNECTING,
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
        self.failure: FailureCause | None = None
        self.ending: Ending | None = None
        self.is_caught_up = False
        self._stale_after = stale_after
        self._deduplicator = Deduplicator()
        self._read_until = place.seq
        self._tracker = SequenceTracker(place)
        self._reorderer = Reorderer(first=place.seq + 1) if place.seq or not place.position else Reorderer()
        self._start = 0
        self._from_zero = False
        self._data = self._heartbeats = 0
        self._ended = self._final = False
        self._status = self._status_word = ""
        self._is_over_by_status = False
        self._status_since = 0.0
        self._latest = 0
        self._reconnects_after_end = 0
        self._reading_all = False
        self._missing_before = self._vain_rereads = 0

    @property
    def missing(self) -> int:
        """Sequence numbers that never came."""
        return self._reorderer.missing

    @property
    def start_position(self) -> int:
        """The `startPosition` to ask for now."""
        if self._from_zero or self._reading_all:
            return 0
        rewind = self._reorderer.rewind_to
        return max(0, (self.position if rewind is None else min(rewind, self.position)) - RESUME_OVERLAP)

    @property
    def is_ended(self) -> bool:
        """Tell whether the match has ended, by its own action or by its status."""
        return self._ended or self._is_over_by_status

    @property
    def resume_position(self) -> FeedPosition | None:
        """Where another process may go on; None while packets wait for others."""
        if self._reorderer.is_waiting:
            return None
        return FeedPosition(self.position, max(self._reorderer.highest, self._read_until), self._tracker.tail)

    @property
    def wake_at(self) -> float | None:
        """When to call `wake` if no frame comes before; None while no packet waits for another."""
        return self._reorderer.wake_at if self.state is SessionState.LIVE else None

    @property
    def stale_at(self) -> float:
        """When to call `silent` if no frame comes before."""
        return self.last_frame + self._stale_after

    def on_connecting(self) -> int:
        """A connection is being made; the position to ask for."""
        self._transition(SessionEvent.RETRY)
        self.failure = None
        self._start, self._data, self._heartbeats = self.start_position, 0, 0
        self._from_zero = False
        self._tracker.on_connected(self._start)
        return self._start

    def on_opened(self, now: float) -> None:
        """The handshake is done and the token sent."""
        self.last_frame = now
        self._transition(SessionEvent.OPENED)

    def on_failure(self, trouble: FailureCause) -> tuple[Packet, ...]:
        """The connection was not made or is lost; the packets that were held back for order, which may be told now."""
        cause = self.failure = self.failure or trouble
        if self._start and not self._data and self.state in (SessionState.LIVE, SessionState.STALE):
            self._from_zero = True
        self.reconnects += 1
        self._transition(SessionEvent.REFUSED if cause is FailureCause.REFUSED else SessionEvent.FAILED)
        if cause in (FailureCause.GAP, FailureCause.REPOSITION):
            return ()
        held = self._learn_status(self._reorderer.flush(), self.last_frame)
        self._finish_after_loss(cause)
        return held

    def on_unreadable_frame(self, now: float) -> None:
        """A frame of any kind has come, readable or not: the peer lives."""
        self.last_frame = now

    def on_control(self, control: Control, now: float) -> tuple[Packet, ...]:
        """A control frame; the packets that may be told after it."""
        self.last_frame = now
        if control.kind is ControlKind.REFUSED:
            if self.state is SessionState.AUTHORISING:
                self.failure = FailureCause.REFUSED
            self._transition(SessionEvent.REFUSED)
        elif control.kind is not ControlKind.NOTICE:
            self._transition(SessionEvent.RECEIVED)
        if control.kind is ControlKind.HEARTBEAT:
            return self._heartbeat(now)
        return ()

    def on_packet(self, packet: Packet, now: float) -> tuple[Packet, ...]:
        """A data packet; the packets that may be told after it, in order: none after a duplicate or while it waits."""
        self.last_frame = now
        self._data += 1
        if self.state is not SessionState.LIVE:
            self._transition(SessionEvent.RECEIVED)
        mark = packet_fingerprint(packet)
        if not self._tracker.is_unshifted:
            packet = self._tracker.renumber(packet, mark, self._is_known_or_missing)
        known = packet in self._deduplicator
        if known or (self._read_until and self._was_read_elsewhere(packet, mark)):
            self._on_duplicate(packet, now, known=known)
            return self._check_progress(now, ())
        self._deduplicator.add(packet)
        self._tracker.remember(packet, mark)
        self.position += packet.seq is None or packet.seq > self._read_until
        ready = self._reorderer.take(packet, self.position, now)
        return self._check_progress(now, self._learn_status(ready, now))

    def _was_read_elsewhere(self, packet: Packet, mark: int) -> bool:
        """Tell whether another process read this packet."""
        return (packet.seq or 0) <= self._read_until and self._tracker.is_repetition(mark)

    def _on_duplicate(self, packet: Packet, now: float, *, known: bool) -> None:
        """A duplicate tells how the match stands where another process read it first."""
        self.duplicates += 1
        self._reorderer.on_repeated(packet, now)
        if not known:
            self._deduplicator.add(packet)
            self._learn_status((packet,), now)

    def on_wake(self, now: float) -> tuple[Packet, ...]:
        """The instant of `wake_at` has come; the packets that need wait no longer."""
        return self._check_progress(now, self._learn_status(self._reorderer.release_due(now), now))

    def check_stale(self, now: float) -> bool:
        """Tell whether no frame has come for too long; then the connection is stale."""
        if now < self.stale_at:
            return False
        self.failure = self.failure or FailureCause.STALE
        self._transition(SessionEvent.STALE)
        return True

    def _is_known_or_missing(self, packet: Packet) -> bool:
        """Tell whether the packet was read under its own number, or is one that is missing."""
        return packet in self._deduplicator or self._reorderer.is_missing(packet.seq or 0)

    def _transition(self, event: SessionEvent) -> None:
        self.state = TRANSITIONS.get((self.state, event), self.state)

    def _heartbeat(self, now: float) -> tuple[Packet, ...]:
        self.is_caught_up = True
        self._heartbeats += 1
        if self._start and not self._data and self._heartbeats >= _MAX_EMPTY_HEARTBEATS:
            self._from_zero = True
            self._rewind(FailureCause.REPOSITION)
        self._reorderer.on_caught_up(now)
        return self._check_progress(now, self._learn_status(self._reorderer.release_due(now), now), quiet=True)

    def _learn_status(self, ready: tuple[Packet, ...], now: float) -> tuple[Packet, ...]:
        """Learn from packets in order how the match stands."""
        for packet in ready:
            if packet.seq is not None and packet.seq < self._latest:
                continue
            self._latest = packet.seq or self._latest
            if packet.summary.status != self._status_word:
                self._set_status(packet.summary.status, now)
            self._final = packet.is_finished
            if packet.type.strip().casefold() == "end match":
                self._ended = packet.send_type.is_standing
        return ready

    def _set_status(self, word: str, now: float) -> None:
        self._status_word = word
        status = word.casefold()
        if status and status != self._status:
            self._status, self._status_since = status, now
            self._is_over_by_status = self._completed or status in _LOST_STATUSES

    def _check_progress(self, now: float, ready: tuple[Packet, ...], *, quiet: bool = False) -> tuple[Packet, ...]:
        """Decide whether to read something again, or whether the match is over."""
        if self.state is SessionState.LIVE and self._reorderer.should_rewind(now):
            self._rewind(FailureCause.GAP)
        elif (
            self._is_over_by_status
            and self.failure is None
            and not self._reorderer.is_waiting
            and self._is_over(now, quiet=quiet)
        ):
            self._finish_or_reread(through=quiet)
        return ready

    def _finish_or_reread(self, *, through: bool) -> None:
        """The match is over: all of it is read again while numbers are missing, and then it is let be."""
        if self._reading_all and self._reorderer.missing and not through:
            return
        if self._start_full_reread():
            self._rewind(FailureCause.GAP)
        else:
            self._finish(Ending.COMPLETED if self._completed else Ending.LOST)

    def _start_full_reread(self) -> bool:
        """Begin to read all of the match from 0 where numbers are missing, unless that was in vain too often."""
        missing = self._reorderer.missing
        if self._reading_all:
            self._vain_rereads = self._vain_rereads + 1 if missing == self._missing_before else 0
        self._missing_before = missing
        self._reading_all = bool(missing) and self._vain_rereads < MAX_FULL_REREADS
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

    def _finish_after_loss(self, cause: FailureCause) -> None:
        """A match that has ended needs no other connection: the server closed in good order, or is not to be had any more."""
        lost = self._status in _LOST_STATUSES and self._final
        self._reconnects_after_end += self._completed or self._ended or lost
        missing = bool(self._reorderer.missing)
        if self._reconnects_after_end > (
            _MAX_RECONNECTS_WITH_GAPS if missing else _MAX_RECONNECTS_AFTER_END
        ) or self._was_closed_cleanly(cause):
            if self._completed or (self._ended and self._status not in _LOST_STATUSES):
                self._finish(Ending.COMPLETED)
            elif lost:
                self._finish(Ending.LOST)

    def _was_closed_cleanly(self, cause: FailureCause) -> bool:
        """Tell whether the server closed in good order, with nothing left to be read."""
        if (
            cause is not FailureCause.CLOSED
            or self._reorderer.is_waiting
            or not (self._completed or self._ended or self._status in _LOST_STATUSES)
        ):
            return False
        return not self._start_full_reread()

    def _finish(self, ending: Ending) -> None:
        self.ending = ending
        self._transition(SessionEvent.MATCH_OVER)

    def _rewind(self, trouble: FailureCause) -> None:
        self.failure = trouble
        self._transition(SessionEvent.REWIND)
