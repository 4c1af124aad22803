"""Remembers which alerts each chat was sent in the last minutes, to notice a match of which too much comes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from bot.outbox.delivery import Delivery, DeliveryResult, Reason
from bot.outbox.digests import DIGEST_KIND
from bot.outbox.news import SAMPLE
from bot.subscribers import ChatRef
from rules.engine.alert import LIVE_MESSAGE_KINDS

WINDOW = 600.0
"""Seconds for which an alert counts."""

BUSY_COUNT = 3
"""The alerts of one match within the window that make it busy."""

_MAX_OFFERED_KINDS = 2


class RecentAlerts:
    """Knows the kinds of the alerts of each match that each chat was sent within the window.

    In memory alone: after a restart, or when another process takes a chat over, counting begins anew.
    """

    def __init__(self) -> None:
        self._sent: dict[tuple[ChatRef, str], deque[tuple[float, str]]] = {}
        self._swept_at = 0.0

    def add(self, result: DeliveryResult, now: float) -> None:
        """Note a result, if it is the first message about an alert. `now` is in seconds."""
        delivery = result.delivery
        # Cards, digests and samples make no match busy: nobody would mute it for them.
        is_alert = delivery.key.fixture_id != SAMPLE and delivery.kind not in (*LIVE_MESSAGE_KINDS, DIGEST_KIND)
        if result.message_id and delivery.reason == Reason.FIRST and is_alert:
            kinds = self._sent.setdefault((delivery.chat, delivery.key.fixture_id), deque(maxlen=BUSY_COUNT * 4))
            kinds.append((now, delivery.kind))
        # Once a window is enough: most matches are quiet, and each entry is small.
        if now - self._swept_at > WINDOW:
            self._swept_at = now
            self._sent = {place: sent for place, sent in self._sent.items() if now - sent[-1][0] <= WINDOW}

    def list_kinds(self, delivery: Delivery, now: float) -> tuple[str, ...]:
        """Return the kinds that the chat was sent of the delivery's match within the window, the latest last."""
        sent = self._sent.get((delivery.chat, delivery.key.fixture_id), ())
        return tuple(kind for at, kind in sent if now - at <= WINDOW)


def find_noisy_kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds that came most, the most frequent first."""
    # Counter keeps the order of arrival among equals: the latest first.
    return tuple(kind for kind, _ in Counter(reversed(kinds)).most_common(_MAX_OFFERED_KINDS))
