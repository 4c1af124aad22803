"""The way out: takes what waits, gives all that decides it, commits what came of it."""

from __future__ import annotations

from collections.abc import Collection

from bot.outbox import repository
from bot.outbox.news import NewsItem
from bot.storage.driver import Transaction
from rules.engine.alert import AlertKey

_MAX_CACHED_NEWS = 512


class NewsCache:
    """The latest few hundred pieces of news."""

    def __init__(self) -> None:
        self._news: dict[AlertKey, NewsItem] = {}
        self._stamps: dict[AlertKey, tuple[int, float]] = {}

    def add(self, news: NewsItem) -> None:
        """News as it is now."""
        self._news.pop(news.key, None)
        self._news[news.key] = news
        if len(self._news) > _MAX_CACHED_NEWS:
            self.forget(next(iter(self._news)))

    def forget(self, key: AlertKey) -> None:
        """It is to be read anew."""
        self._news.pop(key, None)
        self._stamps.pop(key, None)

    def clear(self) -> None:
        """Everything is to be read anew."""
        self._news.clear()
        self._stamps.clear()

    async def get(self, tx: Transaction, key: AlertKey) -> NewsItem | None:
        """News as it is known, read where it is not; None where there is none."""
        if key not in self._news:
            for news in (await repository.read_news(tx, [key])).values():
                self.add(news)
        return self._news.get(key)

    async def refresh(self, tx: Transaction, keys: Collection[AlertKey], *, lock: bool = False) -> list[tuple[NewsItem, float]]:
        """Read anew what others have changed: the news, each with the instant of its change. `hold`: no more is put meanwhile."""
        stamps = await repository.read_revision_stamps(tx, keys, lock=lock)
        changed = {key for key, stamp in stamps.items() if self._stamps.get(key) != stamp}
        found = await repository.read_news(tx, changed)
        for news in found.values():
            self.add(news)
            self._stamps[news.key] = stamps[news.key]
        return [(news, stamps[news.key][1]) for news in found.values()]


_MAX_REVISION_AGE = 330.0
"""Seconds, a little more than the longest delay."""


class DelayedView:
    """The revisions of the last minutes, each with the instant at which it came, in seconds since 1970."""

    def __init__(self) -> None:
        self._revisions: dict[AlertKey, list[tuple[float, NewsItem]]] = {}

    def add(self, news: NewsItem, now: float) -> None:
        """A revision came."""
        known = self._revisions.pop(news.key, [])
        self._revisions[news.key] = [*known, (now, news)]
        while (oldest := next(iter(self._revisions.values())))[-1][0] < now - _MAX_REVISION_AGE:
            del self._revisions[oldest[0][1].key]

    def view_for(self, latest: NewsItem, delay: int, now: float) -> NewsItem:
        """How news stands for a chat with a delay; as it is now where what came before is not known (any more)."""
        known = self._revisions.get(latest.key) if delay and not latest.line_ids else None
        if not known:
            return latest
        return next((news for at, news in reversed(known) if at + delay <= now), known[0][1])

    def next_change_at(self, latest: NewsItem, seq: int, delay: int, now: float) -> float:
        """When a chat with a delay sees what comes after the revision `seq`."""
        ats = [at for at, news in self._revisions.get(latest.key, ()) if news.seq > seq]
        return (ats[0] if ats else now) + delay
