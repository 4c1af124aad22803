"""When a match is over by what its stream says, and how long it is still read after that; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from rules.football.action import Packet
from rules.football.statuses import find_status

_COMPLETED_WAIT = 300.0
"""Seconds after which a match with status Completed is over although no End Match action came."""

_LOST_WAIT = 1800.0
"""Seconds after which a finished match that was abandoned, postponed or cancelled is over; its status may still be corrected."""

MIN_READ_AFTER_END = 600.0
"""Seconds after the end of a match for which its stream is read in any case: corrections come late, such as a penalty that is
given after the whistle."""

MAX_READ_AFTER_END = 3600.0
"""Seconds after the end of a match after which its stream is left, whatever its collection status says."""

# The feed calls a match done when its collection ends, not when play ends (section 6.3). A match is often still
# CollectingLive when its End Match comes, and some feeds never report any other status.
_COLLECTING = frozenset({"collectinglive", "collectingpostmatch"})
_COLLECTED = frozenset({"collectioncompleted", "postmatchchecked"})


@lru_cache(1024)  # of words that come again and again
def _is_end_match(action_type: str) -> bool:
    return action_type.strip().casefold() == "end match"


class Listing(msgspec.Struct, frozen=True):
    """What the list of fixtures says about a match whose stream says that it has ended."""

    is_live: bool = False
    collection_status: str = ""


class MatchEnd:
    """Learns from the packets of a match whether it has ended. All instants are monotonic, in seconds."""

    def __init__(self, ended_at: float | None = None) -> None:
        """`ended_at`: when the match ended, if a previous process has read its end; None for any other."""
        self.has_end_match = False
        """True while an End Match action stands."""
        self.is_taken_back = False
        """True if the match had ended and goes on: its End Match was taken back."""
        self.is_finished = False
        """What `finished` of the latest packet says. Alone it is no end: see `is_certain`."""
        self.is_over_by_status = self.is_lost = False
        self._status = self._status_word = ""
        self._status_since = 0.0
        self._collection_status = ""
        self._listing = Listing()
        self._latest_seq = 0
        self._end_match_seq = 0
        """The highest number of an End Match, whichever of its revisions that is."""
        self._ended_at = 0.0
        self._grace_started_at: float | None = None
        """When reading after the end began; None before the end, and after the end was retracted."""
        if ended_at is not None:
            self.has_end_match = True
            self._ended_at = self._grace_started_at = ended_at
            self._set_status("Completed", ended_at)

    @property
    def has_ended(self) -> bool:
        """Return True if the match has ended, by an End Match action or by its status."""
        return self.has_end_match or self.is_over_by_status

    @property
    def is_completed(self) -> bool:
        """Return True if the status is that of a match that was played to its end."""
        return self._status == "completed"

    @property
    def is_in_grace_period(self) -> bool:
        """Return True while what comes after the end is read."""
        return self._grace_started_at is not None

    def set_listing(self, listing: Listing) -> None:
        """Take over what the list of fixtures says of the match now."""
        self._listing = listing

    def learn(self, packets: Sequence[Packet], now: float, received: dt.datetime | None) -> None:
        """Learn from packets in order. `received` is the wall clock's time of `now`; None if it is not known."""
        for packet in packets:
            seq = packet.seq
            # A late packet carries the status of an earlier moment (section 7).
            if seq is None or seq >= self._latest_seq:
                self._latest_seq = seq or self._latest_seq
                self._learn_status(packet, now, received)
            # Late or not, it ends the match, or reopens it, unless a later revision has come already.
            if _is_end_match(packet.type) and (seq is None or seq >= self._end_match_seq):
                self._end_match_seq = seq or self._end_match_seq
                self._learn_end_match(packet, now, received)
        # Only its End Match ends a match that had one: a correction after the whistle may say "Live" once more.
        if self._grace_started_at is not None and not self.has_end_match and not self.is_completed:
            self._grace_started_at = None

    def _learn_status(self, packet: Packet, now: float, received: dt.datetime | None) -> None:
        summary = packet.summary
        if summary.status != self._status_word:
            self._set_status(summary.status, now)
            self._ended_at = _find_own_time(packet, now, received)
        # The samples of version 1 have none (section 3.3): then the last one holds.
        self._collection_status = summary.collection_status or self._collection_status
        # Of the latest packet, not of any: a restored match takes it back.
        self.is_finished = packet.is_finished

    def _learn_end_match(self, packet: Packet, now: float, received: dt.datetime | None) -> None:
        """Learn from a revision of an End Match. One that is taken back reopens the match."""
        if packet.send_type.is_standing:
            # The first one counts: a later revision of the same end is a correction and begins no new time after it.
            if not self.has_end_match:
                self._ended_at = _find_own_time(packet, now, received)
            self.has_end_match, self.is_taken_back = True, False
        elif self.has_end_match:
            self.has_end_match, self.is_taken_back = False, True
            # A status that still says "Completed" ends the match only if nothing else does for a while.
            self._grace_started_at, self._status_since = None, now

    def _set_status(self, word: str, now: float) -> None:
        # The word as sent is kept beside the folded one, so that folding is done once and not for every packet.
        self._status_word = word
        status = word.casefold()
        # A packet without a status says nothing about it: the one before still holds.
        if status and status != self._status:
            self._status, self._status_since = status, now
            meaning = find_status(word)
            self.is_over_by_status, self.is_lost = meaning.is_over, meaning.is_lost

    def is_certain(self, now: float, *, on_heartbeat: bool) -> bool:
        """Return True if the match is over: it has come to its full time, or is lost for good."""
        # `finished` alone is not the end: packets of a suspended or dropped coverage carry it during a match (section 10.3).
        if self.is_completed and self.has_end_match:
            return True
        # Without its End Match, which no page shows for soccer (section 12), a match ends by its status. Only between packets: a
        # heartbeat shows that nothing more is on its way.
        if not on_heartbeat:
            return False
        since = now - self._status_since
        if self.is_completed:
            return (self.is_finished and not self.is_taken_back) or since >= _COMPLETED_WAIT
        return self.is_lost and self.is_finished and since >= _LOST_WAIT

    def should_keep_reading(self, now: float) -> bool:
        """Return True if more may come after the end. The first call begins this time; it is counted from the end itself."""
        if self._grace_started_at is None:
            # Not from now: where the end is read late, as after an outage, the feed has had that time for its corrections.
            self._grace_started_at = min(now, self._ended_at)
            return True
        since = now - self._grace_started_at
        if since < MIN_READ_AFTER_END:
            return True
        if since >= MAX_READ_AFTER_END:
            return False
        # The stream or the list, whichever says so first: the stream may be silent by then; the list is read every 30 s.
        words = {self._collection_status.casefold(), self._listing.collection_status.casefold()}
        is_collecting = self._listing.is_live or self._collection_status.casefold() in _COLLECTING
        return is_collecting and _COLLECTED.isdisjoint(words)


def _find_own_time(packet: Packet, now: float, received: dt.datetime | None) -> float:
    """Return when a packet was made, on the monotonic clock: earlier than now if it was missed and is read later."""
    age = (received - packet.at).total_seconds() if received else 0.0
    # The feed's clock may be ahead of ours, and no packet is made after it was received.
    return now - max(0.0, age)
