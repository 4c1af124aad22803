"""The same where several processes share the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

import structlog

from bot.clock import Clock
from bot.cluster.chat_claims import ChatClaims, DueRange
from bot.errors import StorageError
from bot.outbox import repository
from bot.outbox.delivery import QueueItem
from bot.outbox.fanout import reach_next_chats
from bot.outbox.news import NewsItem
from bot.outbox.sources import row_to_item
from bot.outbox.statements import DeliveriesWithChats, read_contexts
from bot.storage.database import Database
from bot.storage.driver import CHATS_CHANNEL, DELIVERIES_CHANNEL, NEWS_CHANNEL, Transaction
from rules.engine.alert import AlertKey

log = structlog.get_logger()

POLL_INTERVAL = 1.0
"""Seconds between two looks at what is due, in case that nobody called."""

_TAKE_AHEAD = 1.2
"""What is due within so many seconds is taken; a delayed message is looked for when its time comes."""

_RECENT_WINDOW = 7200.0
"""What was due longer ago waits for a suspended chat, and is looked for now and then only."""

_FULL_SCAN_INTERVAL = 60.0

_MAX_ITEMS = 500

_FAIRNESS_INTERVAL = 8
"""Every so many pages go to the news that waited longest."""

STABLE_CONTACT_TIME = 11.0
"""Seconds of good contact with the database before a sender that seems dead is believed to be: it may have been away for all."""

_IDLE_TIMEOUT, _GROUP_IDLE_TIMEOUT = 30.0, 90.0
"""Seconds after which a chat is left to others: longer than Telegram counts what a chat is sent."""

_RELEASE_TIMEOUT = 1.0

_KEY_SEPARATOR = "\n"
"""Between the fixture and the action in what is heard of news."""


def _do_nothing() -> None:
    """Nobody sends here."""


class SharedSource:
    """One a process; `woken` is called when there may be something to take."""

    shared = True
    room = 1_000

    def __init__(self, db: Database, clock: Clock, sender: str, calm: float = STABLE_CONTACT_TIME) -> None:
        """`calm` is in seconds."""
        self._db, self._clock, self._claims = db, clock, ChatClaims(sender)
        self._calm_after = calm
        self.woken: Callable[[], None] = _do_nothing
        self._looks = self._looks_at_all = self._pages = True
        self._count = 0
        self._used: dict[int, float] = {}
        self._revised: set[AlertKey] = set()
        self._well_since: float | None = None

    @property
    def busy(self) -> bool:
        """Tell whether `take` may have something."""
        return self._looks or self._pages

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Hear what other processes put and leave for the chats of this one, look now and then; then leave all to others."""
        await self._db.listen(NEWS_CHANNEL, self._hear_news)
        await self._db.listen(DELIVERIES_CHANNEL, self._hear_entries)
        await self._db.listen(CHATS_CHANNEL, self._hear_chats)
        looking = asyncio.create_task(self._run())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await self._leave()

    async def take(self) -> list[QueueItem]:
        """What waits for this sender's chats, and for those that are nobody's; else a page of news."""
        try:
            tickets = await (self._look() if self._looks else self._page())
        except StorageError:
            self._well_since = None
            raise
        self._well_since = self._clock.monotonic() if self._well_since is None else self._well_since
        self._use({ticket.ref.chat_id for ticket in tickets})
        return tickets

    def add(self, news: NewsItem) -> None:
        """It stands in the database."""
        self._pages = True

    def hold(self, tickets: Sequence[QueueItem]) -> None:
        """They stand in the database, and are looked for when they are due."""

    def revised(self) -> Collection[AlertKey]:
        """What other processes have revised since this was asked last."""
        revised, self._revised = self._revised, set()
        return revised

    def recover(self) -> None:
        """Look through the whole database at the next `take`."""
        self._looks = self._looks_at_all = self._pages = True

    async def announce(self, tx: Transaction, keys: Collection[AlertKey]) -> None:
        """Let the senders hear of news."""
        for key in keys:
            await tx.notify(NEWS_CHANNEL, f"{key.fixture_id}{_KEY_SEPARATOR}{key.action_id}")

    async def announce_entries(self, tx: Transaction) -> None:
        """Let the senders hear of entries."""
        await tx.notify(DELIVERIES_CHANNEL)

    async def jobs(self, tx: Transaction, tickets: Sequence[QueueItem]) -> DeliveriesWithChats:
        """The entries of these tickets that wait, each with its chat; not those that another sender has taken over."""
        held = await self._claims.held(tx, {ticket.ref.chat_id for ticket in tickets})
        self._use(held)
        return await read_contexts(tx, [ticket for ticket in tickets if ticket.ref.chat_id in held])

    async def _look(self) -> list[QueueItem]:
        span, self._looks, self._looks_at_all = self._span(), False, False
        try:
            async with self._db.transaction() as tx:
                free = [row_to_item(row) for row in await self._claims.free(tx, span, dead=self._calm)]
                mine = await self._claims.take(tx, {ticket.ref.chat_id for ticket in free}, dead=self._calm)
                waiting = [row_to_item(row) for row in await self._claims.mine(tx, span)]
        except BaseException:
            self.recover()
            raise
        self._looks = self._looks or len(free) == _MAX_ITEMS
        found = {(t.key, t.ref): t for t in (*waiting, *free) if t.ref.chat_id in mine or t in waiting}
        return sorted(found.values(), key=_due_order)

    async def _page(self) -> list[QueueItem]:
        self._pages = False
        try:
            async with self._db.transaction() as tx:
                news = await repository.claim_next_news(tx, urgent=self._count % _FAIRNESS_INTERVAL != 0)
                if news is None:
                    return []
                _, tickets = await reach_next_chats(tx, news, self._clock.now())
                tickets = await self._claimed(tx, tickets)
                await tx.notify(NEWS_CHANNEL)  # another sender may go on
        except BaseException:
            self._pages = True
            raise
        self._count, self._pages = self._count + 1, True
        return tickets

    async def _claimed(self, tx: Transaction, tickets: Sequence[QueueItem]) -> list[QueueItem]:
        """All that is due for those of the chats that are this sender's; the senders of the others hear of theirs.

        All: what another sender's page has left for a chat comes before.
        """
        before = self._clock.now().timestamp() + _TAKE_AHEAD
        due = [ticket for ticket in tickets if ticket.due_at < before]
        chats = {ticket.ref.chat_id for ticket in due}
        mine = await self._claims.take(tx, chats, dead=self._calm)
        for sender in await self._claims.owners(tx, chats - mine):
            await tx.notify(DELIVERIES_CHANNEL, sender)
        waiting = [row_to_item(row) for row in await self._claims.mine(tx, self._span(), mine)] if mine else []
        return sorted(waiting, key=_due_order)

    def _span(self) -> DueRange:
        now = self._clock.now().timestamp()
        return DueRange(0.0 if self._looks_at_all else now - _RECENT_WINDOW, now + _TAKE_AHEAD, _MAX_ITEMS)

    @property
    def _calm(self) -> bool:
        return self._well_since is not None and self._clock.monotonic() - self._well_since >= self._calm_after

    def _use(self, chats: Collection[int]) -> None:
        now = self._clock.monotonic()
        for chat in chats:
            self._used[chat] = now

    def _wake(self, *, looks: bool = False, pages: bool = False) -> None:
        self._looks, self._pages = self._looks or looks, self._pages or pages
        self.woken()

    def _hear_news(self, name: str) -> None:
        fixture_id, named, action_id = name.partition(_KEY_SEPARATOR)
        if named:
            self._revised.add(AlertKey(fixture_id, action_id))
        self._wake(pages=True)

    def _hear_entries(self, sender: str) -> None:
        if sender in ("", self._claims.sender):
            self._wake(looks=True)

    def _hear_chats(self, _: str) -> None:
        self.recover()
        self.woken()

    async def _run(self) -> None:
        all_at = self._clock.monotonic() + _FULL_SCAN_INTERVAL
        while True:
            await asyncio.sleep(POLL_INTERVAL)
            if self._clock.monotonic() >= all_at:
                all_at = self._clock.monotonic() + _FULL_SCAN_INTERVAL
                self._looks_at_all = True
            self._wake(looks=True, pages=True)
            await self._release_idle()

    async def _release_idle(self) -> None:
        now = self._clock.monotonic()
        idle = {chat for chat, used in self._used.items() if now - used > (_IDLE_TIMEOUT if chat > 0 else _GROUP_IDLE_TIMEOUT)}
        if not idle:
            return
        try:
            async with self._db.transaction() as tx:
                await self._claims.release(tx, idle)
        except StorageError as error:
            log.debug("chats_not_released", reason=str(error))
            return
        for chat in idle:
            del self._used[chat]

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(_RELEASE_TIMEOUT), self._db.transaction() as tx:
                await self._claims.release_all(tx)
                await tx.notify(DELIVERIES_CHANNEL)
        except (StorageError, TimeoutError) as error:
            log.debug("chats_not_released", reason=str(error))


def _due_order(ticket: QueueItem) -> tuple[float, int]:
    return ticket.due_at, ticket.seq
