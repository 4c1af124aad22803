"""News in memory: the items used last, and their revisions of the last minutes for chats with a delay."""

from __future__ import annotations

from collections.abc import Collection

from bot.outbox import news_store
from bot.outbox.news import NewsItem
from bot.storage.driver import Transaction
from bot.subscribers import MAX_DELAY
from rules.engine.alert import AlertKey

_MAX_CACHED_NEWS = 512

_MAX_REVISION_AGE = MAX_DELAY + 30.0
"""Seconds for which a revision is kept for chats with a delay: a little more than the longest delay."""


class NewsCache:
    """The news items used last, at most 512, and which revision of each was read."""

    def __init__(self) -> None:
        self._news: dict[AlertKey, NewsItem] = {}
        self._stamps: dict[AlertKey, tuple[int, float]] = {}

    def add(self, news: NewsItem) -> None:
        """Add or replace news, as the newest of all."""
        self._news.pop(news.key, None)
        self._news[news.key] = news
        if len(self._news) > _MAX_CACHED_NEWS:
            self.forget(next(iter(self._news)))

    def forget(self, key: AlertKey) -> None:
        """Read this news at its next use."""
        self._news.pop(key, None)
        self._stamps.pop(key, None)

    def clear(self) -> None:
        """Read everything at its next use."""
        self._news.clear()
        self._stamps.clear()

    async def get(self, tx: Transaction, key: AlertKey) -> NewsItem | None:
        """Return news, from the database if it is not cached. None if there is none."""
        if key not in self._news:
            for news in (await news_store.read_news(tx, [key])).values():
                self.add(news)
        return self._news.get(key)

    async def refresh(self, tx: Transaction, keys: Collection[AlertKey], *, lock: bool = False) -> list[tuple[NewsItem, float]]:
        """Read what others have changed. Return it with the time of each change. `lock`: see `read_revision_stamps`."""
        stamps = await news_store.read_revision_stamps(tx, keys, lock=lock)
        changed = {key for key, stamp in stamps.items() if self._stamps.get(key) != stamp}
        found = await news_store.read_news(tx, changed)
        for news in found.values():
            self.add(news)
            self._stamps[news.key] = stamps[news.key]
        return [(news, stamps[news.key][1]) for news in found.values()]


class DelayedView:
    """The revisions of the last minutes, so that a chat with a delay is shown news as it stood that long ago.

    Times are in seconds since 1970.
    """

    def __init__(self) -> None:
        self._revisions: dict[AlertKey, list[tuple[float, NewsItem]]] = {}

    def add(self, news: NewsItem, now: float) -> None:
        """Note a revision, and drop news that was not revised lately."""
        known = self._revisions.pop(news.key, [])
        self._revisions[news.key] = [*known, (now, news)]
        # The dictionary is in the order of the last revision, since a revised key is taken out and put at the end.
        while (oldest := next(iter(self._revisions.values())))[-1][0] < now - _MAX_REVISION_AGE:
            del self._revisions[oldest[0][1].key]

    def view_for(self, latest: NewsItem, delay: int, now: float) -> NewsItem:
        """Return the revision that a chat with this delay is shown now; the latest if no earlier one is known."""
        # A chat with a delay also sees a goal that was retracted within it: if it were left out, the chat would know of a check
        # that it has not seen yet.
        known = self._revisions.get(latest.key) if delay and not latest.line_ids else None
        if not known:
            return latest
        return next((news for at, news in reversed(known) if at + delay <= now), known[0][1])

    def is_early(self, latest: NewsItem, delay: int, now: float) -> bool:
        """Return True if `view_for` returns a revision that a chat with this delay must not see yet.

        That happens after a restart: the database has only the newest revision, so the one to show now is not known.
        """
        if not delay or latest.line_ids:
            return False
        known = self._revisions.get(latest.key)
        return (known[0][0] if known else latest.stored_at) + delay > now

    def knows(self, key: AlertKey) -> bool:
        """Return True if some revision is known."""
        return key in self._revisions

    def next_change_at(self, latest: NewsItem, seq: int, delay: int, now: float) -> float:
        """Return when a chat with this delay is shown the first revision after number `seq`."""
        times = [at for at, news in self._revisions.get(latest.key, ()) if news.seq > seq]
        # Of an earlier process only the newest is known, by the database.
        return (times[0] if times else latest.stored_at or now) + delay
