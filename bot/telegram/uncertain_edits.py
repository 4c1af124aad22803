"""Messages that may show an edit of which nobody knows whether it arrived."""

from __future__ import annotations

from bot.outbox.delivery import Delivery, QueueItem, parse_history
from bot.subscribers import ChatRef
from rules.engine.alert import AlertKey

_SUSPECT_SECONDS = 900.0
"""Seconds after a start in which a message may still show an unanswered edit of the process before. Every delivery that
waited then has been planned by the end of them, those of chats with a delay included."""

# Each costs a request within Telegram's limits, and nearly all such messages turn out to be right.
MAX_SUSPECTS = 800
"""How many messages are edited at most to be sure. A killed process had 400 requests in flight, and they are planned first."""


class UncertainEdits:
    """Knows which messages may show something else than is stored; pure. Times are in seconds since 1970.

    An edit that was not answered is remembered. That of a killed process is not, so that after a start every message is
    suspected that was not changed since: Telegram answers "message is not modified" where there was none.
    """

    def __init__(self) -> None:
        self._unanswered: set[tuple[AlertKey, ChatRef]] = set()
        self._started_at = float("-inf")
        self._suspects_left = 0

    def on_start(self, now: float) -> None:
        """Suspect the edits of the process before: this one starts. Only the first call counts."""
        # A second call is no new process: this one knows its own edits.
        if self._started_at == float("-inf"):
            self._started_at, self._suspects_left = now, MAX_SUSPECTS

    def add(self, item: QueueItem) -> None:
        """Note an edit that may have arrived."""
        self._unanswered.add((item.key, item.chat))

    def discard(self, item: QueueItem) -> None:
        """Note that Telegram has answered the latest request for a message."""
        self._unanswered.discard((item.key, item.chat))

    def is_unanswered(self, delivery: Delivery) -> bool:
        """Return True if an edit of this process may have arrived."""
        return (delivery.key, delivery.chat) in self._unanswered

    def is_suspect(self, delivery: Delivery, now: float) -> bool:
        """Return True if the message may show an edit of an earlier process, although none is stored."""
        if not delivery.is_sent or not self._suspects_left or now > self._started_at + _SUSPECT_SECONDS:
            return False
        # A message that this process has changed shows what is stored.
        last_line = delivery.history.rpartition("\n")[2]
        return not last_line or parse_history(last_line)[0].at < self._started_at

    def count_suspect(self) -> None:
        """Note that a message is edited only because it was suspected."""
        self._suspects_left -= 1
