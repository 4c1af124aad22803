"""The news that was used last, in memory; of several processes another may have revised it meanwhile."""

from __future__ import annotations

from collections.abc import Collection

from bot.outbox import ledger
from bot.outbox.entry import News
from bot.store.engine import Transaction
from rules.alert import AlertKey

_KNOWN = 512


class Known:
    """The latest few hundred pieces of news."""

    def __init__(self) -> None:
        self._news: dict[AlertKey, News] = {}
        self._stamps: dict[AlertKey, tuple[int, float]] = {}

    def add(self, news: News) -> None:
        """News as it is now."""
        self._news.pop(news.key, None)
        self._news[news.key] = news
        if len(self._news) > _KNOWN:
            self.forget(next(iter(self._news)))

    def forget(self, key: AlertKey) -> None:
        """It is to be read anew."""
        self._news.pop(key, None)
        self._stamps.pop(key, None)

    def clear(self) -> None:
        """Everything is to be read anew."""
        self._news.clear()
        self._stamps.clear()

    async def latest(self, tx: Transaction, key: AlertKey) -> News | None:
        """News as it is known, read where it is not; None where there is none."""
        if key not in self._news:
            for news in (await ledger.read_news(tx, [key])).values():
                self.add(news)
        return self._news.get(key)

    async def refresh(self, tx: Transaction, keys: Collection[AlertKey], *, hold: bool = False) -> list[tuple[News, float]]:
        """Read anew what others have changed: the news, each with the instant of its change. `hold`: no more is put meanwhile."""
        stamps = await ledger.stamps(tx, keys, hold=hold)
        changed = {key for key, stamp in stamps.items() if self._stamps.get(key) != stamp}
        found = await ledger.read_news(tx, changed)
        for news in found.values():
            self.add(news)
            self._stamps[news.key] = stamps[news.key]
        return [(news, stamps[news.key][1]) for news in found.values()]
