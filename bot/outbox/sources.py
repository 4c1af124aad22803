"""Where queue items come from, and the source of a process that has the database to itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from bot.clock import Clock
from bot.outbox import news_store, repository
from bot.outbox.delivery import QueueItem
from bot.outbox.fanout import Fanout
from bot.outbox.news import NewsItem
from bot.outbox.statements import DeliveriesWithChats, ResultRow, read_contexts
from bot.storage.damage import read_rows
from bot.storage.database import Database
from bot.storage.driver import Transaction
from bot.storage.schema import entries
from bot.subscribers import ChatRef
from rules.engine.alert import AlertKey


class QueueSource(Protocol):
    """Reaches the chats of news, and knows what waits for each chat."""

    @property
    def has_more(self) -> bool:
        """Return True if `take` may return further items."""
        ...

    @property
    def has_urgent(self) -> bool:
        """Return True if `take` may return urgent items."""
        ...

    @property
    def capacity(self) -> int:
        """Return how many items a sender keeps in memory at most, and as many urgent ones beyond them."""
        ...

    @property
    def batch_size(self) -> int:
        """Return how many messages are begun together at most, their deliveries read in one transaction."""
        ...

    @property
    def is_shared(self) -> bool:
        """Return True if other processes change the same news and deliveries."""
        ...

    async def take(self, *, urgent_only: bool = False) -> list[QueueItem]:
        """Return what waits and was not taken before. May reach further chats of some news on the way."""
        ...

    def add_news(self, news: NewsItem) -> None:
        """Add committed news, or its revision, that may have chats to reach."""
        ...

    def add_items(self, items: Sequence[QueueItem]) -> None:
        """Add items whose deliveries this process has committed."""
        ...

    def pop_revised_keys(self) -> Collection[AlertKey]:
        """Return the keys that other processes have revised since the last call."""
        ...

    def rescan(self) -> None:
        """Search the whole database at the next `take`."""
        ...

    async def notify_news(self, tx: Transaction, keys: Collection[AlertKey]) -> None:
        """Notify other processes of news, once the transaction commits."""
        ...

    async def notify_deliveries(self, tx: Transaction) -> None:
        """Notify other processes of deliveries that wait, once the transaction commits."""
        ...

    async def read_contexts(self, tx: Transaction, items: Sequence[QueueItem]) -> DeliveriesWithChats:
        """Return the deliveries of these items that wait and that this process may send, each with its chat."""
        ...


class MemorySource:
    """The source of one process that does everything: what is to be done is in memory, the database is read at the start."""

    # A few megabytes. A broadcast to more chats is read page by page as it is sent.
    capacity = 10_000
    """Beyond so many items in memory only urgent news reaches further chats."""
    # A message counts from the planning of its batch. In a larger batch the last would leave much later than they count.
    batch_size = 32
    """Begun in less time than the rate limiter's margin."""
    is_shared = False

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._fanout = Fanout(clock)
        self._is_loaded = False
        self._own_items: list[QueueItem] = []

    @property
    def has_more(self) -> bool:
        """Return True if the database was not read yet, some news has chats left to reach, or items were added."""
        return not self._is_loaded or self._fanout.has_work or bool(self._own_items)

    @property
    def has_urgent(self) -> bool:
        """Return True if some urgent news has chats left to reach."""
        return self._fanout.has_urgent_work

    async def take(self, *, urgent_only: bool = False) -> list[QueueItem]:
        """Return a page of what waits and was not taken before."""
        if not urgent_only:
            # What waited in the database before comes first: it is older.
            if not self._is_loaded:
                return await self._load_all()
            if self._own_items:
                items, self._own_items = self._own_items, []
                return items
        # Without a transaction: this is asked many times a second.
        if not (self._fanout.has_urgent_work if urgent_only else self._fanout.has_work):
            return []
        async with self._db.transaction() as tx:
            return await self._fanout.reach_next_page(tx, urgent_only=urgent_only)

    def add_news(self, news: NewsItem) -> None:
        """Add news, or its revision, that may have chats to reach."""
        self._fanout.add(news)

    def add_items(self, items: Sequence[QueueItem]) -> None:
        """Add items for the next `take`."""
        self._own_items += items

    def pop_revised_keys(self) -> Collection[AlertKey]:
        """Return nothing: there is no other process."""
        return ()

    def rescan(self) -> None:
        """Search the whole database at the next `take`."""
        self._is_loaded = False

    async def notify_news(self, tx: Transaction, keys: Collection[AlertKey]) -> None:
        """Do nothing: there is no other process."""

    async def notify_deliveries(self, tx: Transaction) -> None:
        """Do nothing: there is no other process."""

    async def read_contexts(self, tx: Transaction, items: Sequence[QueueItem]) -> DeliveriesWithChats:
        """Return the deliveries of these items that wait, each with its chat."""
        return await read_contexts(tx, items)

    async def _load_all(self) -> list[QueueItem]:
        # Set before the reads: a rescan that is asked for meanwhile must not be lost.
        self._is_loaded = True
        try:
            async with self._db.transaction() as tx:
                # Replaced, since what was stored before may be lost: a repair leaves out the rows of damaged pages.
                self._fanout.replace_all(await news_store.read_unfinished_news(tx))
                return read_rows(tx, entries, await repository.read_waiting_rows(tx), row_to_item)
        except BaseException:
            self._is_loaded = False
            raise


def row_to_item(row: ResultRow) -> QueueItem:
    """Return a row of what waits as an item."""
    key, ref = AlertKey(row["fixture_id"], row["action_id"]), ChatRef(row["chat_id"], row["topic"])
    return QueueItem(key, ref, row["rank"], row["seq"], float(row["due_at"]), bool(row["next_rings"]))


def values_to_item(values: Sequence[Any]) -> QueueItem:
    """Return the values of a row of what waits as an item, by position: they are read with every page."""
    fixture_id, action_id, chat_id, topic, rank, seq, due_at, next_rings = values
    return QueueItem(AlertKey(fixture_id, action_id), ChatRef(chat_id, topic), rank, seq, due_at, next_rings)
