"""How news stood some minutes ago: what a chat with a delay sees is as old as its picture. Kept in memory."""

from __future__ import annotations

from bot.outbox.entry import News
from rules.alert import AlertKey

_LONGEST = 330.0
"""Seconds, a little more than the longest delay."""


class Earlier:
    """The revisions of the last minutes, each with the instant at which it came, in seconds since 1970."""

    def __init__(self) -> None:
        self._revisions: dict[AlertKey, list[tuple[float, News]]] = {}

    def add(self, news: News, now: float) -> None:
        """A revision came."""
        known = self._revisions.pop(news.key, [])
        self._revisions[news.key] = [*known, (now, news)]
        while (oldest := next(iter(self._revisions.values())))[-1][0] < now - _LONGEST:
            del self._revisions[oldest[0][1].key]

    def seen(self, latest: News, delay: int, now: float) -> News:
        """How news stands for a chat with a delay; as it is now where what came before is not known (any more)."""
        known = self._revisions.get(latest.key) if delay and not latest.lines else None
        if not known:
            return latest
        return next((news for at, news in reversed(known) if at + delay <= now), known[0][1])

    def due(self, latest: News, seq: int, delay: int, now: float) -> float:
        """When a chat with a delay sees what comes after the revision `seq`."""
        ats = [at for at, news in self._revisions.get(latest.key, ()) if news.seq > seq]
        return (ats[0] if ats else now) + delay
