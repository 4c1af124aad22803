"""The session of one fixture as a pure state machine: where to resume, when a connection is stale, when to stop.

`connection.FeedConnection` reports what happens (`on_…`) with the monotonic instant in seconds, and reads back what to do:
`failure` (reconnect), `ending` (stop), `wake_at` and `stale_at` (timers). The table is printed in docs/feed.md. Whether the match
is over is `match_end.MatchEnd`'s to say.
"""

from __future__ import annotations

import datetime as dt
import enum

from bot.feed.decode import Control, ControlKind
from bot.feed.match_end import Listing, MatchEnd
from bot.feed.reconnect import FailureCause
from bot.feed.reorder import Reorderer
from bot.feed.sequence import Deduplicator, FeedPosition, SequenceTracker, packet_fingerprint
from rules.football.action import Packet


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

_MAX_EMPTY_HEARTBEATS = 2
"""Heartbeats without data after which `startPosition` must lie beyond the server's list: the overlap should have come."""

_MAX_UNREADABLE_TRIES = 3
"""How often in a row a frame that ends the connection is read; then the next one begins behind it."""

# A goal that is missing at the end would never be announced, so that it is worth more attempts.
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
        """The highest number that a previous process had read; its packets up to there are not handed on again."""
        self._is_resumed = bool(resume_from.tail)
        self._is_before_overlap = False
        """True until this connection brings a packet without a number that is not older than all that are remembered."""
        self._tracker = SequenceTracker(resume_from)
        # Without a number but with a position, the feed does not number its packets, so that any number may be the first.
        is_numbered = resume_from.seq or not resume_from.position
        self._reorderer = Reorderer(first=resume_from.seq + 1) if is_numbered else Reorderer()
        self._start = 0
        self._from_zero = False
        """True if the position lies beyond the server's list, so that the next connection reads everything."""
        self._unreadable_tries = 0
        """How many connections in a row were ended by a frame that cannot be read, without a new packet."""
        self._first_readable = 0
        """The position behind the last frame that was stepped over: no connection begins before it."""
        self._packets_on_connection = self._heartbeats_on_connection = 0
        self._end, self._reads_post_match = MatchEnd(ended_at), reads_post_match
        self._received: dt.datetime | None = None
        """The wall clock's time at the last packet."""
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
            # Not before a frame that was stepped over: it would end this connection as it ended those before.
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
        return self._end.has_ended

    @property
    def is_match_over(self) -> bool:
        """Return True from the end of the match on, while what comes after it is read; False again if its end is taken back."""
        return self._end.is_in_grace_period

    @property
    def is_reopened(self) -> bool:
        """Return True if the match had ended and goes on: its End Match was taken back."""
        return self._end.is_taken_back

    def set_listing(self, listing: Listing) -> None:
        """Take over what the list of fixtures says of the match now."""
        self._end.set_listing(listing)

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
        # Silence ends a match that is sent at once, and no frame comes to tell of it.
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
        self._from_zero, self._is_before_overlap = False, self._is_resumed
        self._tracker.on_connected(self._start)
        return self._start

    def on_opened(self, now: float) -> None:
        """Record that the handshake succeeded and the token was sent."""
        # As if a frame had come: a server that never answers the token becomes stale like one that falls silent.
        self.last_frame = self._last_packet = now
        self._transition(SessionEvent.OPENED)

    def on_failure(self, cause: FailureCause, now: float = 0.0) -> tuple[Packet, ...]:
        """Record a failed or lost connection; return the packets that were held back for order and are released by it."""
        # The session's own cause comes first: after a gap or a stale connection it is the session that had it closed.
        cause = self.failure = self.failure or cause
        # A position beyond what the server has brings nothing, ever: the feed was reset, or counts differently. Reading all
        # again costs a second. One that was refused or lost before the token was accepted says nothing about the server's list.
        if self._has_overlap and not self._packets_on_connection and self.state in (SessionState.LIVE, SessionState.STALE):
            self._from_zero = True
        self._unreadable_tries += cause is FailureCause.UNREADABLE
        self.reconnects += 1
        self._transition(SessionEvent.REFUSED if cause is FailureCause.REFUSED else SessionEvent.FAILED)
        if cause in (FailureCause.GAP, FailureCause.REPOSITION):
            return ()  # the next connection brings the packets that the held ones wait for
        # After any other failure nobody knows when there is a next one, and what is held may be a goal.
        held = self._reorderer.flush()
        self._end.learn(held, self.last_frame, self._received)
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
            # A message in words that are not known (section 2.1) proves nothing about the token.
            self._transition(SessionEvent.RECEIVED)
        if control.kind is ControlKind.HEARTBEAT:
            return self._on_heartbeat(now)
        return ()

    def on_packet(self, packet: Packet, now: float, received: dt.datetime | None = None) -> tuple[Packet, ...]:
        """Record a data packet; return the packets that can be handed on now, in order; none if it has to wait.

        `received` is the wall clock's time of `now`: a packet's timestamp is compared with it.
        """
        self.last_frame = self._last_packet = now
        self._received = received
        self._packets_on_connection += 1
        if self.state is not SessionState.LIVE:
            self._transition(SessionEvent.RECEIVED)  # no page of the documentation shows the answer to a token: data is one, too
        # By content: a connection may number its packets from 1 again (section 7), so the number alone proves nothing.
        at = packet.at.timestamp()
        fingerprint = packet_fingerprint(packet, at)
        # Before the packet is looked up: the deduplicator knows packets by their numbers in the match.
        if not self._tracker.is_unshifted:
            packet = self._tracker.renumber(packet, fingerprint, self._is_known_or_missing)
        is_new = self._deduplicator.add(packet)
        if not is_new or (self._is_resumed and self._was_read_elsewhere(packet, fingerprint, at)):
            self._on_duplicate(packet, now, known=not is_new)
            # After a restart the end of a match may come only as a repetition.
            return self._check_progress(now, ())
        if self._start > self.position:
            # The frames between were stepped over: their numbers will not come, and this packet's place is known again.
            self._reorderer.pass_over(packet.seq or 0)
            self.position = self._start + self._packets_on_connection - 1
        if self._unreadable_tries:
            self._note_readable()
        # Only what is new: the tail is what the next connection is recognised by.
        self._tracker.remember(packet.seq or 0, fingerprint, at)
        # Packets up to the number that another process had read are in the position it left already.
        self.position += packet.seq is None or packet.seq > self._read_until
        ready = self._reorderer.add(packet, self.position, now)
        self._end.learn(ready, now, received)
        return self._check_progress(now, ready)

    def on_wake(self, now: float) -> tuple[Packet, ...]:
        """Return the packets that have waited long enough at `wake_at`."""
        ready = self._reorderer.release(now)
        self._end.learn(ready, now, self._received)
        return self._check_progress(now, ready)

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

    def _was_read_elsewhere(self, packet: Packet, fingerprint: int, at: float) -> bool:
        """Return True if a previous process read this packet."""
        if packet.seq is not None:
            # By both: a number that it had missed may still come, and a revision that comes again under a later one is no
            # duplicate.
            return packet.seq <= self._read_until and self._tracker.is_repetition(fingerprint)
        is_repetition = self._tracker.is_repetition(fingerprint)
        # A server that ignores `startPosition` begins with packets that are older than those remembered. Later on an old
        # timestamp is that of a packet that was collected offline (section 3.2), which is new.
        self._is_before_overlap = self._is_before_overlap and not is_repetition and self._tracker.is_before_tail(at)
        return is_repetition or self._is_before_overlap

    def _on_duplicate(self, packet: Packet, now: float, *, known: bool) -> None:
        """Count a duplicate. If a previous process read it first, learn the status of the match from it."""
        self.duplicates += 1
        # A repetition tells that the server has passed this place: gaps before it will not be filled on this connection.
        self._reorderer.rearm_gaps_before(packet, now)
        # The snapshot of a previous process has the match and not this session's view of its end.
        if not known:
            self._end.learn((packet,), now, self._received)

    def _on_heartbeat(self, now: float) -> tuple[Packet, ...]:
        """Record a heartbeat. It is taken to mean that the server has sent all that it has."""
        self.is_caught_up = True
        self._heartbeats_on_connection += 1
        self._note_readable()
        if self._has_overlap and not self._packets_on_connection and self._heartbeats_on_connection >= _MAX_EMPTY_HEARTBEATS:
            self._from_zero = True
            self._rewind(FailureCause.REPOSITION)
        self._reorderer.on_caught_up(now)
        ready = self._reorderer.release(now)
        self._end.learn(ready, now, self._received)
        return self._check_progress(now, ready, on_heartbeat=True)

    @property
    def _has_overlap(self) -> bool:
        """True if this connection should bring packets that were read before."""
        return 0 < self._start < self.position

    def _note_readable(self) -> None:
        """Note that the connection has passed the place where others before it ended: its start is the first readable place."""
        if self._unreadable_tries >= _MAX_UNREADABLE_TRIES:
            self._first_readable = max(self._first_readable, self._start)
        self._unreadable_tries = 0

    def _check_progress(self, now: float, ready: tuple[Packet, ...], *, on_heartbeat: bool = False) -> tuple[Packet, ...]:
        """Decide whether to read something again, or whether the match is over; return `ready` unchanged."""
        # Nearly every packet: nothing is missing, and play goes on.
        if not (on_heartbeat or self._end.is_over_by_status or self._is_sent_at_once or self._reorderer.missing):
            return ready
        # Gaps first: what is missing may be a goal before the end, and full time is announced with its score.
        if self.state is SessionState.LIVE and self._reorderer.should_rewind(now):
            self._rewind(FailureCause.GAP)
        elif (
            (self._end.is_over_by_status or self._is_sent_at_once)
            and self.failure is None
            and not self._reorderer.is_waiting
            and self._is_over(now, on_heartbeat=on_heartbeat)
        ):
            self._finish_or_reread(now, is_read_through=on_heartbeat or self._is_sent_at_once)
        elif self._end.is_in_grace_period and self.failure is None and on_heartbeat:
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
        elif self._end.is_completed:
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

    def _is_over(self, now: float, *, on_heartbeat: bool) -> bool:
        if self._is_sent_at_once:
            return now >= self._quiet_at
        return self._end.is_certain(now, on_heartbeat=on_heartbeat)

    def _finish_after_loss(self, cause: FailureCause, now: float) -> None:
        """After the end of a match, end it although the server is gone: it closed cleanly, or was lost too often."""
        end = self._end
        if end.is_in_grace_period:
            # Servers often close the stream of a match at its end. It is opened again now and then, for what is corrected.
            self._end_match(now)
            return
        is_lost = end.is_lost and end.is_finished
        self._reconnects_after_end += end.is_completed or end.has_end_match or is_lost
        # Servers drop streams soon after the end. Without gaps there is nothing to come back for.
        limit = _MAX_RECONNECTS_WITH_GAPS if self._reorderer.missing else _MAX_RECONNECTS_AFTER_END
        if self._reconnects_after_end > limit or self._was_closed_cleanly(cause):
            if end.is_completed or (end.has_end_match and not end.is_lost):
                self._end_match(now)
            elif is_lost or self._is_sent_at_once:
                self._finish(Ending.LOST)

    def _was_closed_cleanly(self, cause: FailureCause) -> bool:
        """Return True if the server closed a match that has ended normally, and nothing of it is left to read."""
        if cause is not FailureCause.CLOSED or self._reorderer.is_waiting:
            return False
        end = self._end
        is_all_sent = self._is_sent_at_once and self._packets_on_connection > 0
        if not (end.is_completed or end.has_end_match or end.is_lost or is_all_sent):
            return False
        return not self._start_full_reread()

    def _transition(self, event: SessionEvent) -> None:
        # An event that a state does not expect changes nothing: a late frame of a closing connection, for example.
        self.state = TRANSITIONS.get((self.state, event), self.state)

    def _end_match(self, now: float) -> None:
        """Begin the time after the end of a match, or end the session where that time is over, or is not wanted."""
        if not self._reads_post_match or self._is_sent_at_once or not self._end.should_keep_reading(now):
            self._finish(Ending.COMPLETED)

    def _finish(self, ending: Ending) -> None:
        self.ending = ending
        self._transition(SessionEvent.MATCH_OVER)

    def _rewind(self, cause: FailureCause) -> None:
        self.failure = cause
        self._transition(SessionEvent.REWIND)
