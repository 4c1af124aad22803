"""A pause of all chats that Telegram asked for, with single messages that find out whether it is over; pure."""

from __future__ import annotations

_FIRST_PROBE_AFTER, _LONGEST_PROBE_INTERVAL = 10.0, 300.0
"""Seconds until the first probe of a long pause, and at most between two: each that is refused doubles the time to the next."""

_LATE_REFUSALS = 1.0
"""Seconds after its beginning in which requests still arrive that left before a pause. They say nothing about it."""


class SendingPause:
    """Holds all messages back, but for a probe now and then. Times are those of the monotonic clock, in seconds.

    Telegram refuses a chat and the whole bot in the same words, so several chats that are refused at once may still be over
    limits of their own, and the wait that they are told may be an hour. A message that Telegram takes ends the pause.
    """

    def __init__(self) -> None:
        self.until = float("-inf")
        self._began_at = self._probe_at = float("-inf")
        self._probe_interval = _FIRST_PROBE_AFTER

    def is_active(self, now: float) -> bool:
        """Return True while it lasts."""
        return now < self.until

    def extend(self, until: float, now: float) -> None:
        """Begin a pause, or let the one that lasts end no sooner than `until`."""
        if not self.is_active(now):
            self._began_at, self._probe_interval = now, _FIRST_PROBE_AFTER
            self._probe_at = now + _FIRST_PROBE_AFTER
        self.until = max(self.until, until)

    def next_send_at(self, now: float) -> float:
        """Return when the next message may leave, if only for the sake of a probe."""
        return max(now, min(self.until, self._probe_at)) if self.is_active(now) else now

    def limit(self, now: float, wanted: int) -> int:
        """Return how many of so many messages may leave now."""
        return wanted if not self.is_active(now) else min(1, wanted) if now >= self._probe_at else 0

    def on_sent(self, now: float) -> None:
        """Note a message that leaves. During the pause it is a probe, also an answer to a person, which waits for nothing."""
        if self.is_active(now) and now >= self._probe_at:
            self._probe_interval = min(2 * self._probe_interval, _LONGEST_PROBE_INTERVAL)
            self._probe_at = now + self._probe_interval

    def on_accepted(self, sent_at: float, now: float) -> bool:
        """Note that Telegram took a message. Return True if that has ended the pause."""
        is_over = self.is_active(now) and sent_at >= self._began_at + _LATE_REFUSALS
        if is_over:
            self.end(now)
        return is_over

    def end(self, now: float) -> None:
        """End it now, if it lasts."""
        self.until = min(self.until, now)
