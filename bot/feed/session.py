"""The session of one fixture as a pure state machine: where to resume, when a connection is stale, when a match is over.

`connection.FeedConnection` reports what happens (`on_…`) with the monotonic instant in seconds, and reads back what to do:
`failure` (reconnect), `ending` (stop), `wake_at` and `stale_at` (timers). The table is printed in docs/feed.md.
"""

from __future__ import annotations

import datetime as dt
import enum

from bot.feed.decode import Control, ControlKind
from bot.feed.post_match import Listing, PostMatch
from bot.feed.reconnect import FailureCause
from bot.feed.sequence import Deduplicator, FeedPosition, Reorderer, SequenceTracker, packet_fingerprint
from rules.football.action import Packet
from rules.football.statuses import find_status


class SessionState(enum.StrEnum):
    """The state of a connection."""

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
    (_S.LIVE, _E.REFUSED): _S.LIVE,  # an error after the token was accepted is a warning
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
"""Packets that are requested again when resuming. The documentation contradicts itself by one about what `startPosition` counts
(section 2.4), and a repetition is needed to recognise a connection that numbers its packets from 1 again (section 7)."""

_COMPLETED_WAIT = 300.0
"""Seconds after which a match with status Completed is over although no End Match action came."""

_LOST_WAIT = 1800.0
"""Seconds after which a finished match that was abandoned, postponed or cancelled is over; its status may still be corrected."""

_MAX_EMPTY_HEARTBEATS = 2
"""Heartbeats without data after which `startPosition` must lie beyond the server's list: the overlap should have come."""

_MAX_UNREADABLE_TRIES = 3
"""How often in a row a frame that ends the connection is read; then the next one begins behind it."""

_MAX_RECONNECTS_AFTER_END = 5
_MAX_RECONNECTS_WITH_GAPS = 20
"""Lost connections after the end of a match until it is given up; more of them while some of its packets are missing."""

_QUIET_AFTER_END = 2.0
_QUIET_WITHOUT_END = 15.0
"""Seconds without a packet after which a match that is sent as fast as possible has been sent in full: after its End Match, and
where none came. They are more than any pause in such a stream."""

MAX_FULL_REREADS = 5
"""How often in a row a match that is over is read again from 0 without finding any of the missing numbers."""


class FeedSession:
    """The state of one fixture's connection, through all its reconnects."""

    def __init__(
        self,
        stale_after: float,
        resume_from: FeedPosition | None = None,
        *,
        is_sent_at_once: bool = False,
        reads_post_match: bool = False,
        ended_at: float | None = None,
    ) -> None:
        """`resume_from`: how far a previous process had read; None to read the match from its start.

        `is_sent_at_once`: the match is over and comes as fast as possible. It is read to the end of what the server has, also
        beyond its End Match. `reads_post_match`: a live match is read for a while after its end, for what is corrected then;
        otherwise its end is the end of the session. `ended_at`: when it ended, if that is known already.
        """
        resume_from = resume_from or FeedPosition()
        self.state = SessionState.CONNECTING
        self.position = resume_from.position
        self.reconnects = 0
        self.duplicates = 0
        self.last_frame = 0.0
        self.failure: FailureCause | None = None
        self.ending: Ending | None = None
        self.is_caught_up = False
        self._stale_after, self._is_sent_at_once = stale_after, is_sent_at_once
        self._last_packet = 0.0
        self._deduplicator = Deduplicator()
        self._read_until = resume_from.seq
        self._tracker = SequenceTracker(resume_from)
        # Without a number but with a position, the feed does not number its packets, so that any number may be the first.
        is_numbered = resume_from.seq or not resume_from.position
        self._reorderer = Reorderer(first=resume_from.seq + 1) if is_numbered else Reorderer()
        self._start = 0
        self._from_zero = False
        self._unreadable_tries = 0
        """How many connections in a row were ended by a frame that cannot be read, without a new packet."""
        self._first_readable = 0
        """The position behind the last frame that was stepped over: no connection begins before it."""
        self._packets_on_connection = self._heartbeats_on_connection = 0
        self._has_end_match = self._is_finished = False
        self._status = self._status_word = ""
        self._is_over_by_status = self._is_lost = False
        self._status_since = 0.0
        self._reads_post_match = reads_post_match
        self._post_match: PostMatch | None = None
        """Set from the end of the match on; None again if the feed takes its end back."""
        self._ended_at = 0.0
        self._collection_status = ""
        self._listing = Listing()
        self._is_end_taken_back = False
        self._received: dt.datetime | None = None
        """The wall clock's time at the last packet."""
        if ended_at is not None:
            self._has_end_match, self._ended_at = True, ended_at
            self._set_status("Completed", ended_at)
            self._post_match = PostMatch(ended_at)
        self._latest_seq = 0
        self._reconnects_after_end = 0
        self._is_rereading_all = False
        self._missing_before = self._vain_rereads = 0

    @property
    def missing(self) -> int:
        """The number of sequence numbers that have not come."""
        return self._reorderer.missing

    @property
    def start_position(self) -> int:
        """The `startPosition` for the next connection."""
        if self._from_zero or self._is_rereading_all:
            return self._first_readable
        if self._unreadable_tries >= _MAX_UNREADABLE_TRIES:
            # First without the overlap, in which the frame may be; then, one place at a time, behind what was read. Lost frames
            # are in the server's list and not in the position, so that the first place may not be enough.
            return max(self._first_readable, self.position + self._unreadable_tries - _MAX_UNREADABLE_TRIES)
        # Where numbers are missing the next connection begins before them, however far the rest has been read.
        rewind = self._reorderer.rewind_to
        position = self.position if rewind is None else min(rewind, self.position)
        return max(self._first_readable, position - RESUME_OVERLAP)

    @property
    def is_ended(self) -> bool:
        """Return True if the match has ended, by an End Match action or by its status."""
        return self._has_end_match or self._is_over_by_status

    @property
    def is_match_over(self) -> bool:
        """Return True from the end of the match on, while what comes after it is read; False again if its end is taken back."""
        return self._post_match is not None

    @property
    def is_reopened(self) -> bool:
        """Return True if the match had ended and goes on: its End Match was taken back."""
        return self._is_end_taken_back

    def set_listing(self, listing: Listing) -> None:
        """Take over what the list of fixtures says of the match now."""
        self._listing = listing

    @property
    def resume_position(self) -> FeedPosition | None:
        """Where another process can resume; None while packets wait for earlier ones."""
        # Held packets are in no snapshot, and another process that began behind them would never see them.
        if self._reorderer.is_waiting:
            return None
        return FeedPosition(self.position, max(self._reorderer.highest, self._read_until), self._tracker.tail)

    @property
    def wake_at(self) -> float | None:
        """When to call `on_wake` if no frame comes before; None if only a frame can change anything."""
        if self.state is not SessionState.LIVE:
            return None
        if self._is_sent_at_once and not self._reorderer.is_waiting:
            return self._quiet_at
        return self._reorderer.wake_at

    @property
    def stale_at(self) -> float:
        """When to call `check_stale` if no frame comes before."""
        return self.last_frame + self._stale_after

    def on_connecting(self) -> int:
        """Begin a connection; return the `startPosition` to request."""
        self._transition(SessionEvent.RETRY)
        self.failure = None
        self._start, self._packets_on_connection, self._heartbeats_on_connection = self.start_position, 0, 0
        self._from_zero = False
        self._tracker.on_connected(self._start)
        return self._start

    def on_opened(self, now: float) -> None:
        """Record that the handshake succeeded and the token was sent."""
        self.last_frame = self._last_packet = now
        self._transition(SessionEvent.OPENED)

    def on_failure(self, cause: FailureCause, now: float = 0.0) -> tuple[Packet, ...]:
        """Record a failed or lost connection; return the packets that were held back for order and are released by it."""
        # The session's own cause comes first: after a gap or a stale connection it is the session that had it closed.
        cause = self.failure = self.failure or cause
        # A position beyond what the server has brings nothing, ever: the feed was reset, or counts differently. Reading all
        # again costs a second.
        if self._has_overlap and not self._packets_on_connection and self.state in (SessionState.LIVE, SessionState.STALE):
            self._from_zero = True
        self._unreadable_tries += cause is FailureCause.UNREADABLE
        self.reconnects += 1
        self._transition(SessionEvent.REFUSED if cause is FailureCause.REFUSED else SessionEvent.FAILED)
        if cause in (FailureCause.GAP, FailureCause.REPOSITION):
            return ()  # the next connection brings the packets that the held ones wait for
        held = self._learn_status(self._reorderer.flush(), self.last_frame)
        self._finish_after_loss(cause, max(now, self.last_frame))
        return held

    def on_unreadable_frame(self, now: float) -> None:
        """Record a frame that cannot be read. It shows that the peer is alive, like any other frame."""
        self.last_frame = now

    def on_control(self, control: Control, now: float) -> tuple[Packet, ...]:
        """Record a control frame; return the packets that it releases."""
        self.last_frame = now
        if control.kind is ControlKind.REFUSED:
            # Only an error that answers the token is a refusal. Later ones are warnings; the server closes if it means it.
            if self.state is SessionState.AUTHORISING:
                self.failure = FailureCause.REFUSED
            self._transition(SessionEvent.REFUSED)
        elif control.kind is not ControlKind.NOTICE:
            self._transition(SessionEvent.RECEIVED)
        if control.kind is ControlKind.HEARTBEAT:
            return self._on_heartbeat(now)
        return ()

    def on_packet(self, packet: Packet, now: float, received: dt.datetime | None = None) -> tuple[Packet, ...]:
        """Record a data packet; return the packets that can be handed on now, in order; none if it has to wait.

        `received` is the wall clock's time of `now`, by which the packet's own time is told.
        """
        self.last_frame = self._last_packet = now
        self._received = received
        self._packets_on_connection += 1
        if self.state is not SessionState.LIVE:
            self._transition(SessionEvent.RECEIVED)  # no page of the documentation shows the answer to a token: data is one, too
        # By content: a connection may number its packets from 1 again (section 7), so the number alone proves nothing.
        fingerprint = packet_fingerprint(packet)
        if not self._tracker.is_unshifted:
            packet = self._tracker.renumber(packet, fingerprint, self._is_known_or_missing)
        is_new = self._deduplicator.add(packet)
        if not is_new or (self._read_until and self._was_read_elsewhere(packet, fingerprint)):
            self._on_duplicate(packet, now, known=not is_new)
            return self._check_progress(now, ())
        if self._start > self.position:
            # The frames between were stepped over: their numbers will not come, and this packet's place is known again.
            self._reorderer.pass_over(packet.seq or 0)
            self.position = self._start + self._packets_on_connection - 1
        if self._unreadable_tries:
            self._note_readable()
        # Only what is new: the tail is what the next connection is recognised by.
        self._tracker.remember(packet, fingerprint)
        # Packets up to the number that another process had read are in the position it left already.
        self.position += packet.seq is None or packet.seq > self._read_until
        ready = self._reorderer.add(packet, self.position, now)
        return self._check_progress(now, self._learn_status(ready, now))

    def on_wake(self, now: float) -> tuple[Packet, ...]:
        """Return the packets that have waited long enough at `wake_at`."""
        return self._check_progress(now, self._learn_status(self._reorderer.release(now), now))

    def check_stale(self, now: float) -> bool:
        """Return True if no frame came for `stale_after`; the connection is stale from then on.

        The feed sends a heartbeat every 10 s, so that silence means a dead connection, not a quiet match.
        """
        if now < self.stale_at:
            return False
        self.failure = self.failure or FailureCause.STALE
        self._transition(SessionEvent.STALE)
        return True

    def _is_known_or_missing(self, packet: Packet) -> bool:
        """Return True if the packet's number is that of the match: it was read under this number, or the number is missing."""
        return packet in self._deduplicator or self._reorderer.is_missing(packet.seq or 0)

    def _was_read_elsewhere(self, packet: Packet, fingerprint: int) -> bool:
        """Return True if a previous process read this packet."""
        return (packet.seq or 0) <= self._read_until and self._tracker.is_repetition(fingerprint)

    def _on_duplicate(self, packet: Packet, now: float, *, known: bool) -> None:
        """Count a duplicate. If a previous process read it first, learn the status of the match from it."""
        self.duplicates += 1
        # A repetition tells that the server has passed this place: gaps before it will not be filled on this connection.
        self._reorderer.on_repeated(packet, now)
        if not known:
            self._learn_status((packet,), now)

    def _on_heartbeat(self, now: float) -> tuple[Packet, ...]:
        """Record a heartbeat. It is taken to mean that the server has sent all that it has."""
        self.is_caught_up = True
        self._heartbeats_on_connection += 1
        self._note_readable()
        if self._has_overlap and not self._packets_on_connection and self._heartbeats_on_connection >= _MAX_EMPTY_HEARTBEATS:
            self._from_zero = True
            self._rewind(FailureCause.REPOSITION)
        self._reorderer.on_caught_up(now)
        return self._check_progress(now, self._learn_status(self._reorderer.release(now), now), on_heartbeat=True)

    @property
    def _has_overlap(self) -> bool:
        """True if this connection should bring packets that were read before."""
        return 0 < self._start < self.position

    def _note_readable(self) -> None:
        """The connection has passed the place where others before it ended: what lies before its start is left alone."""
        if self._unreadable_tries >= _MAX_UNREADABLE_TRIES:
            self._first_readable = max(self._first_readable, self._start)
        self._unreadable_tries = 0

    def _learn_status(self, ready: tuple[Packet, ...], now: float) -> tuple[Packet, ...]:
        """Learn the status of the match from packets in order; return them."""
        for packet in ready:
            if packet.seq is not None and packet.seq < self._latest_seq:
                continue  # a late packet carries the status of an earlier moment
            self._latest_seq = packet.seq or self._latest_seq
            if packet.summary.status != self._status_word:
                self._set_status(packet.summary.status, now)
                self._ended_at = self._find_own_time(packet, now)
            self._collection_status = packet.summary.collection_status or self._collection_status
            # Of the latest packet, not of any: a restored match takes it back.
            self._is_finished = packet.is_finished
            if packet.type.strip().casefold() == "end match":
                self._learn_end_match(packet, now)
        # Only its End Match ends a match that had one: a correction after the whistle may say "Live" once more.
        if self._post_match and not self._has_end_match and not self._is_completed:
            self._post_match = None
        return ready

    def _learn_end_match(self, packet: Packet, now: float) -> None:
        """Learn from a revision of an End Match. One that is taken back reopens the match."""
        if packet.send_type.is_standing:
            if not self._has_end_match:
                self._ended_at = self._find_own_time(packet, now)
            self._has_end_match, self._is_end_taken_back = True, False
        elif self._has_end_match:
            self._has_end_match, self._is_end_taken_back = False, True
            # A status that still says "Completed" ends the match only if nothing else does for a while.
            self._post_match, self._status_since = None, now

    def _find_own_time(self, packet: Packet, now: float) -> float:
        """Return when a packet was made, on the monotonic clock: earlier than now if it was missed and is read later."""
        age = (self._received - packet.at).total_seconds() if self._received else 0.0
        return now - max(0.0, age)

    def _set_status(self, word: str, now: float) -> None:
        # The word as sent is kept beside the folded one, so that folding is done once and not for every packet.
        self._status_word = word
        status = word.casefold()
        if status and status != self._status:
            self._status, self._status_since = status, now
            meaning = find_status(word)
            self._is_over_by_status, self._is_lost = meaning.is_over, meaning.is_lost

    def _check_progress(self, now: float, ready: tuple[Packet, ...], *, on_heartbeat: bool = False) -> tuple[Packet, ...]:
        """Decide whether to read something again, or whether the match is over; return `ready` unchanged."""
        if self.state is SessionState.LIVE and self._reorderer.should_rewind(now):
            self._rewind(FailureCause.GAP)
        elif (
            (self._is_over_by_status or self._is_sent_at_once)
            and self.failure is None
            and not self._reorderer.is_waiting
            and self._is_over(now, on_heartbeat=on_heartbeat)
        ):
            self._finish_or_reread(now, is_read_through=on_heartbeat or self._is_sent_at_once)
        elif self._post_match and self.failure is None and on_heartbeat:
            self._end_match(now)
        return ready

    def _finish_or_reread(self, now: float, *, is_read_through: bool) -> None:
        """End the match, or read it again from 0 if numbers are missing.

        `is_read_through`: a heartbeat shows that the current reread has reached its end.
        """
        # The packets that are missing may still come on this very reread.
        if self._is_rereading_all and self._reorderer.missing and not is_read_through:
            return
        # A goal that is missing at the end would never be announced: the match is read once more while that finds something.
        if self._start_full_reread():
            self._rewind(FailureCause.GAP)
        elif self._is_completed:
            self._end_match(now)
        else:
            self._finish(Ending.LOST)

    def _start_full_reread(self) -> bool:
        """Return True if the match has to be read again from 0: numbers are missing, and rereads still bring some of them."""
        missing = self._reorderer.missing
        if self._is_rereading_all:
            # Counted only in a row: a reread that brings one of them shows that more may come.
            self._vain_rereads = self._vain_rereads + 1 if missing == self._missing_before else 0
        self._missing_before = missing
        self._is_rereading_all = bool(missing) and self._vain_rereads < MAX_FULL_REREADS
        return self._is_rereading_all

    @property
    def _quiet_at(self) -> float:
        """When a match that is sent as fast as possible has been sent in full, unless another packet comes before."""
        return self._last_packet + (_QUIET_AFTER_END if self.is_ended else _QUIET_WITHOUT_END)

    @property
    def _is_completed(self) -> bool:
        return self._status == "completed"

    def _is_over(self, now: float, *, on_heartbeat: bool) -> bool:
        if self._is_sent_at_once:
            return now >= self._quiet_at
        # `finished` alone is not the end: packets of a suspended or dropped coverage carry it during a match (section 10.3).
        if self._is_completed and self._has_end_match:
            return True
        # Only between packets: a heartbeat shows that nothing more is on its way.
        if not on_heartbeat:
            return False
        since = now - self._status_since
        if self._is_completed:
            return (self._is_finished and not self._is_end_taken_back) or since >= _COMPLETED_WAIT
        return self._is_lost and self._is_finished and since >= _LOST_WAIT

    def _finish_after_loss(self, cause: FailureCause, now: float) -> None:
        """After the end of a match, end it although the server is gone: it closed cleanly, or was lost too often."""
        if self._post_match:
            # Servers often close the stream of a match at its end. It is opened again now and then, for what is corrected.
            self._end_match(now)
            return
        lost = self._is_lost and self._is_finished
        self._reconnects_after_end += self._is_completed or self._has_end_match or lost
        # Servers drop streams soon after the end. Without gaps there is nothing to come back for.
        limit = _MAX_RECONNECTS_WITH_GAPS if self._reorderer.missing else _MAX_RECONNECTS_AFTER_END
        if self._reconnects_after_end > limit or self._was_closed_cleanly(cause):
            if self._is_completed or (self._has_end_match and not self._is_lost):
                self._end_match(now)
            elif lost or self._is_sent_at_once:
                self._finish(Ending.LOST)

    def _was_closed_cleanly(self, cause: FailureCause) -> bool:
        """Return True if the server closed a match that has ended normally, and nothing of it is left to read."""
        if cause is not FailureCause.CLOSED or self._reorderer.is_waiting:
            return False
        if not (self._is_completed or self._has_end_match or self._is_lost or self._is_all_sent):
            return False
        return not self._start_full_reread()

    @property
    def _is_all_sent(self) -> bool:
        return self._is_sent_at_once and self._packets_on_connection > 0

    def _transition(self, event: SessionEvent) -> None:
        # An event that a state does not expect changes nothing: a late frame of a closing connection, for example.
        self.state = TRANSITIONS.get((self.state, event), self.state)

    def _end_match(self, now: float) -> None:
        """Begin the time after the end of a match, or end the session where that time is over, or is not wanted."""
        if not self._reads_post_match or self._is_sent_at_once:
            self._finish(Ending.COMPLETED)
        elif self._post_match is None:
            self._post_match = PostMatch(min(now, self._ended_at))
        elif self._post_match.is_over(now, self._collection_status, self._listing):
            self._finish(Ending.COMPLETED)

    def _finish(self, ending: Ending) -> None:
        self.ending = ending
        self._transition(SessionEvent.MATCH_OVER)

    def _rewind(self, cause: FailureCause) -> None:
        self.failure = cause
        self._transition(SessionEvent.REWIND)
