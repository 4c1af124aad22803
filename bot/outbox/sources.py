"""Where queue items come from in a single process."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from bot.clock import Clock
from bot.outbox import repository
from bot.outbox.delivery import QueueItem
from bot.outbox.fanout import Fanout
from bot.outbox.news import NewsItem
from bot.outbox.statements import DeliveriesWithChats, ResultRow, read_contexts
from bot.storage.database import Database
from bot.storage.driver import Transaction
from bot.subscribers import ChatRef
from rules.engine.alert import AlertKey


class QueueSource(Protocol):
    """Reaches chats and knows what waits for them."""

    @property
    def has_more(self) -> bool:
        """Tell whether `take` has more to give."""
        ...

    @property
    def capacity(self) -> int:
        """Fewer tickets than this in memory, and further chats are reached."""
        ...

    @property
    def is_shared(self) -> bool:
        """Tell whether other processes change the same news and entries."""
        ...

    async def take(self) -> list[QueueItem]:
        """What waits and was not taken before; reaches further chats."""
        ...

    def add_news(self, news: NewsItem) -> None:
        """News, or its revision, that may have chats to reach; it is committed."""
        ...

    def add_items(self, items: Sequence[QueueItem]) -> None:
        """Tickets of this process' own making."""
        ...

    def pop_revised_keys(self) -> Collection[AlertKey]:
        """What other processes have revised since this was asked last."""
        ...

    def rescan(self) -> None:
        """Look through the whole database at the next `take`."""
        ...

    async def notify_news(self, tx: Transaction, keys: Collection[AlertKey]) -> None:
        """Let other processes hear of news that is about to be committed."""
        ...

    async def notify_deliveries(self, tx: Transaction) -> None:
        """The same of entries that wait."""
        ...

    async def read_contexts(self, tx: Transaction, items: Sequence[QueueItem]) -> DeliveriesWithChats:
        """The entries of these tickets that wait and are this process' to send, each with its chat."""
        ...


class MemorySource:
    """One process does everything: what is to be done stands in its memory, the database is looked through at the start."""

    capacity = 10_000
    is_shared = False

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._fanout = Fanout(clock)
        self._is_loaded = False
        self._own_items: list[QueueItem] = []

    @property
    def has_more(self) -> bool:
        """Tell whether `take` has more to give: the database was not looked through yet, or some news has chats left to reach."""
        return not self._is_loaded or self._fanout.has_work or bool(self._own_items)

    async def take(self) -> list[QueueItem]:
        """A page of what waits and was not taken before; reaches further chats."""
        if not self._is_loaded:
            return await self._load_all()
        if self._own_items:
            held, self._own_items = self._own_items, []
            return held
        if not self._fanout.has_work:
            return []
        async with self._db.transaction() as tx:
            return await self._fanout.reach_next_page(tx)

    def add_news(self, news: NewsItem) -> None:
        """News, or its revision, that may have chats to reach."""
        self._fanout.add(news)

    def add_items(self, items: Sequence[QueueItem]) -> None:
        """Given by the next `take`."""
        self._own_items += items

    def pop_revised_keys(self) -> Collection[AlertKey]:
        """There is nobody else."""
        return ()

    def rescan(self) -> None:
        """Look through the whole database at the next `take`."""
        self._is_loaded = False

    async def notify_news(self, tx: Transaction, keys: Collection[AlertKey]) -> None:
        """There is nobody else."""

    async def notify_deliveries(self, tx: Transaction) -> None:
        """There is nobody else."""

    async def read_contexts(self, tx: Transaction, items: Sequence[QueueItem]) -> DeliveriesWithChats:
        """The entries of these tickets that wait, each with its chat."""
        return await read_contexts(tx, items)

    async def _load_all(self) -> list[QueueItem]:
        self._is_loaded = True
        try:
            async with self._db.transaction() as tx:
                for news in await repository.read_unfinished_news(tx):
                    self._fanout.add(news)
                rows = await repository.read_waiting_rows(tx)
        except BaseException:
            self._is_loaded = False
            raise
        return [row_to_item(row) for row in rows]


def row_to_item(row: ResultRow) -> QueueItem:
    """A row of what waits."""
    key, ref = AlertKey(row["fixture_id"], row["action_id"]), ChatRef(row["chat_id"], row["topic"])
    return QueueItem(key, ref, row["rank"], row["seq"], row["due_at"])
