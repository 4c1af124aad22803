"""Where queue items come from if several processes share the database.

Each chat belongs to one sender at a time (`cluster/chat_claims`), so that its messages stay in order. Pages of news are done by
whichever sender locks them first. PostgreSQL's notifications wake the senders; polling makes up for those that are lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog

from bot.clock import Clock
from bot.cluster.chat_claims import ChatClaims, DueRange, choose_gift
from bot.errors import StorageError
from bot.outbox import news_store, repository
from bot.outbox.delivery import QueueItem
from bot.outbox.fanout import reach_next_chats
from bot.outbox.news import LEAST_URGENT_PRIORITY, LIVE_MESSAGE_PRIORITY, NewsItem
from bot.outbox.sources import values_to_item
from bot.outbox.statements import DeliveriesWithChats, read_contexts
from bot.storage.database import Database
from bot.storage.driver import CHATS_CHANNEL, DELIVERIES_CHANNEL, NEWS_CHANNEL, Transaction
from bot.subscribers import ChatRef
from rules.engine.alert import AlertKey

log = structlog.get_logger()

POLL_INTERVAL = 1.0
"""Seconds between two scans for what is due, if no notification came."""

_TAKE_AHEAD = 1.2
"""What is due within so many seconds is taken: a little more than the poll interval. The rest is found when its time comes."""

_RECENT_WINDOW = 7200.0
"""Seconds. What was due longer ago waits for a suspended chat, and only a full scan searches for it."""

_FULL_SCAN_INTERVAL = 60.0
"""Seconds."""

_MAX_ITEMS = 500
"""Items that one scan returns at most."""

_FAIRNESS_INTERVAL = 8
"""Every eighth page goes to the news that waited longest, however urgent others are."""

STABLE_CONTACT_TIME = 11.0
"""Seconds of good contact with the database before this process takes over the chats of a sender that looks dead.

After an outage of the database every sender looks dead, since none could renew its lease.
"""

BALANCE_INTERVAL = 10.0
"""Seconds between two comparisons of how many chats each sender has."""

_CALM_AFTER = 2.0
"""Seconds after its last message for which a chat is not given to another sender."""

_MAX_GIVEN = 1_000
"""Chats that are given away at once at most."""

_IDLE_TIMEOUT, _GROUP_IDLE_TIMEOUT = 30.0, 90.0
"""Seconds after which an unused private chat, or a group, is released.

Longer than the windows of Telegram's limits, so that the next sender need not know what the chat was sent.
"""

LONGEST_LIMIT = 61.0
"""Seconds for which a message counts in Telegram's limits for groups, and a little more."""

_RELEASE_TIMEOUT = 1.0
"""Seconds that a stop takes at most to release its chats. Those of a sender whose lease has ended are taken over anyway."""

# No id of the feed has a line break.
_KEY_SEPARATOR = "\n"
"""Between the fixture id and the action id in a notification of news."""


class SharedSource:
    """The source of one process. `on_available` is called when there may be something to take."""

    is_shared = True
    capacity = 1_000
    batch_size = 96
    """A transaction asks the server ten times, however many messages it begins."""

    def __init__(self, db: Database, clock: Clock, sender: str, stable_after: float = STABLE_CONTACT_TIME) -> None:
        """`sender` is this process's name in the table of claims. `stable_after` is in seconds."""
        self._db, self._clock, self._claims = db, clock, ChatClaims(sender)
        self._stable_after = stable_after
        self.on_available: Callable[[], None] | None = None
        self._must_scan = self._must_scan_all = self._may_have_pages = self._may_have_urgent = True
        self._must_scan_urgent = True
        """True if a scan was asked for and what is urgent has not been searched since."""
        self._page_count = 0
        self._last_used: dict[int, float] = {}
        """By chat of this sender, when it was last used, on the monotonic clock."""
        self.on_recent_sends: Callable[[Sequence[tuple[int, float]]], None] | None = None
        """Called with chats and times (in seconds since 1970) of what other senders have sent to chats that are ours now."""
        self.on_possible_edits: Callable[[Collection[tuple[AlertKey, ChatRef]]], None] | None = None
        """Called with messages in chats that are ours now which another sender may have been editing when it lost the chats."""
        self._revised_keys: set[AlertKey] = set()
        self._stable_since: float | None = None

    @property
    def has_more(self) -> bool:
        """Return True if `take` may return something."""
        return self._must_scan or self._may_have_pages

    @property
    def has_urgent(self) -> bool:
        """Return True if `take` may return urgent items."""
        return self._may_have_urgent

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Receive notifications and poll. At the end release all chats, so that other senders need not wait for the lease."""
        await self._db.listen(NEWS_CHANNEL, self._on_news)
        await self._db.listen(DELIVERIES_CHANNEL, self._on_deliveries)
        await self._db.listen(CHATS_CHANNEL, self._on_chats_changed)
        polling = asyncio.create_task(self._poll())
        try:
            yield
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
            await self._release_all()

    async def take(self, *, urgent_only: bool = False) -> list[QueueItem]:
        """Return what waits for this sender's chats and for unclaimed ones; or else reach the next page of chats of some news."""
        # A failed transaction ends the stable time: while the database comes and goes, other senders are not taken for dead.
        try:
            if urgent_only:
                items = await self._take_urgent()
            else:
                items = await (self._scan() if self._must_scan else self._reach_page())
        except StorageError:
            self._stable_since = None
            raise
        self._stable_since = self._clock.monotonic() if self._stable_since is None else self._stable_since
        self._touch_chats({item.chat.chat_id for item in items})
        return items

    def add_news(self, news: NewsItem) -> None:
        """Note that there is news to work on. It is in the database, from where any process may take it."""
        self._may_have_pages = self._may_have_urgent = True

    def add_items(self, items: Sequence[QueueItem]) -> None:
        """Do nothing: a scan finds their deliveries when they are due."""

    def pop_revised_keys(self) -> Collection[AlertKey]:
        """Return the keys that other processes have revised since the last call."""
        revised, self._revised_keys = self._revised_keys, set()
        return revised

    def rescan(self) -> None:
        """Search the whole database at the next `take`."""
        self._must_scan = self._must_scan_all = self._must_scan_urgent = self._may_have_pages = self._may_have_urgent = True

    async def notify_news(self, tx: Transaction, keys: Collection[AlertKey]) -> None:
        """Notify all processes of news, once the transaction commits."""
        # With the key, so that others read just this news anew and not everything they have cached.
        for key in keys:
            await tx.notify(NEWS_CHANNEL, f"{key.fixture_id}{_KEY_SEPARATOR}{key.action_id}")

    async def notify_deliveries(self, tx: Transaction) -> None:
        """Notify all processes of deliveries, once the transaction commits."""
        await tx.notify(DELIVERIES_CHANNEL)

    async def read_contexts(self, tx: Transaction, items: Sequence[QueueItem]) -> DeliveriesWithChats:
        """Return the deliveries of these items that wait, each with its chat; not of chats that another sender has taken over."""
        # Noted before the first await, so that no chat is given away while its send begins.
        self._touch_chats({item.chat.chat_id for item in items if item.chat.chat_id in self._last_used})
        # Checked in the transaction that begins the send: a chat that was taken over a moment ago is sent to by the other one.
        held = await self._claims.filter_own(tx, {item.chat.chat_id for item in items})
        self._touch_chats(held)
        for chat in {item.chat.chat_id for item in items} - held:
            self._last_used.pop(chat, None)  # another sender's by now: what that sends is learned if the chat comes back
        return await read_contexts(tx, [item for item in items if item.chat.chat_id in held], self.batch_size)

    async def _scan(self) -> list[QueueItem]:
        """Return what is due for the chats of this sender, and claim chats that belong to nobody."""
        # Reset before the reads, so that a request that comes meanwhile is not lost.
        span, self._must_scan, self._must_scan_all, self._must_scan_urgent = self._due_range(), False, False, False
        try:
            async with self._db.transaction() as tx:
                items, free_count = await self._read_due(tx, span)
        except BaseException:
            # What was reset above is due again, and perhaps more.
            self.rescan()
            raise
        # A full page: there may be more.
        self._must_scan = self._must_scan or free_count == _MAX_ITEMS
        return items

    async def _read_due(self, tx: Transaction, span: DueRange) -> tuple[list[QueueItem], int]:
        """Return what is due for this sender's chats, those included that it claims now, and how many items were unclaimed."""
        free = [values_to_item(row) for row in await self._claims.select_unclaimed_rows(tx, span, take_over_dead=self._is_stable)]
        # Claims are made for whole chats, since only one sender may keep a chat's messages in order and within its limits.
        mine = await self._claims.claim(tx, {item.chat.chat_id for item in free}, take_over_dead=self._is_stable)
        waiting = [values_to_item(row) for row in await self._claims.select_own_rows(tx, span)]
        claimed = [item for item in free if item.chat.chat_id in mine]
        found = {(item.key, item.chat): item for item in (*waiting, *claimed)}
        await self._learn_from_others(tx, {item.chat.chat_id for item in found.values()}, mine)
        return sorted(found.values(), key=_due_order), len(free)

    async def _reach_page(self) -> list[QueueItem]:
        """Reach the next chats of some news. Return what is due for those of them that are this sender's."""
        self._may_have_pages = False
        try:
            async with self._db.transaction() as tx:
                news = await news_store.claim_next_news(tx, most_urgent=self._page_count % _FAIRNESS_INTERVAL != 0)
                items = await self._reach_chats_of(tx, news) if news else []
        except BaseException:
            self._may_have_pages = True
            raise
        # Only then: without news there is nothing to be fair about.
        if news:
            self._page_count, self._may_have_pages = self._page_count + 1, True
        return items

    async def _take_urgent(self) -> list[QueueItem]:
        """Return what is due of urgent news, and reach its next chats. Leaves everything else for when there is room for it."""
        # A scan reads all that waits, and most of that is in memory: it is worth its price when something new was announced, but
        # not with each page of a goal to many chats.
        must_scan = self._must_scan_urgent
        self._may_have_urgent = self._must_scan_urgent = False
        items: list[QueueItem] = []
        try:
            async with self._db.transaction() as tx:
                if must_scan:
                    items, free_count = await self._read_due(tx, self._due_range(LEAST_URGENT_PRIORITY))
                    self._must_scan_urgent = free_count == _MAX_ITEMS
                news = await news_store.claim_next_news(tx, most_urgent=True)
                is_urgent = news is not None and news.priority <= LEAST_URGENT_PRIORITY
                items += await self._reach_chats_of(tx, news) if news and is_urgent else []
        except BaseException:
            self._may_have_urgent = self._must_scan_urgent = True
            raise
        self._may_have_urgent = self._may_have_urgent or self._must_scan_urgent or is_urgent
        return items

    async def _reach_chats_of(self, tx: Transaction, news: NewsItem) -> list[QueueItem]:
        _, items = await reach_next_chats(tx, news, self._clock.now())
        items = await self._claim_items(tx, items)
        await tx.notify(NEWS_CHANNEL)  # the lock is free now: another sender may do the next page
        return items

    async def _claim_items(self, tx: Transaction, items: Sequence[QueueItem]) -> list[QueueItem]:
        """Claim the chats of these items. Return all that is due for this sender's; notify the senders of the others."""
        # All, and not only these items: what another sender's page stored for a chat before comes first.
        before = self._clock.now().timestamp() + _TAKE_AHEAD
        due = [item for item in items if item.due_at < before]
        chats = {item.chat.chat_id for item in due}
        mine = await self._claims.claim(tx, chats, take_over_dead=self._is_stable)
        # They look only now and then by themselves: without this their chats would wait for the next poll.
        for sender in await self._claims.find_other_owners(tx, chats - mine.keys()):
            await tx.notify(DELIVERIES_CHANNEL, sender)
        waiting = [values_to_item(row) for row in await self._claims.select_own_rows(tx, self._due_range(), mine)] if mine else []
        await self._learn_from_others(tx, mine.keys(), mine)
        return sorted(waiting, key=_due_order)

    async def _learn_from_others(self, tx: Transaction, chats: Collection[int], claimed: Mapping[int, bool]) -> None:
        """Read what others have done in chats claimed just now: what counts in the chats' limits, and which edits may have
        arrived although nobody noted it.

        `claimed`: the chats that were claimed just now; True stands beside one that nobody had.
        """
        learned = {chat for chat in chats if chat not in self._last_used and not claimed.get(chat)}
        if not learned:
            return
        if self.on_recent_sends:
            self.on_recent_sends(await repository.read_recent_sends(tx, self._clock.now(), LONGEST_LIMIT, learned))
        if self.on_possible_edits and (edits := await repository.read_possible_edits(tx, learned)):
            self.on_possible_edits(edits)

    def _due_range(self, last_priority: int = LIVE_MESSAGE_PRIORITY) -> DueRange:
        now = self._clock.now().timestamp()
        return DueRange(0.0 if self._must_scan_all else now - _RECENT_WINDOW, now + _TAKE_AHEAD, _MAX_ITEMS, last_priority)

    @property
    def _is_stable(self) -> bool:
        return self._stable_since is not None and self._clock.monotonic() - self._stable_since >= self._stable_after

    def _touch_chats(self, chats: Collection[int]) -> None:
        now = self._clock.monotonic()
        for chat in chats:
            self._last_used[chat] = now

    def _request(self, *, scan: bool = False, page: bool = False) -> None:
        self._must_scan, self._may_have_pages = self._must_scan or scan, self._may_have_pages or page
        self._must_scan_urgent = self._must_scan_urgent or scan
        self._may_have_urgent = True
        if self.on_available:
            self.on_available()

    def _on_news(self, name: str) -> None:
        fixture_id, named, action_id = name.partition(_KEY_SEPARATOR)
        # A notification without a key says that a page was finished, and that another sender may do the next.
        if named:
            self._revised_keys.add(AlertKey(fixture_id, action_id))
        self._request(page=True)

    def _on_deliveries(self, sender: str) -> None:
        if sender in ("", self._claims.sender):
            self._request(scan=True)

    def _on_chats_changed(self, _: str) -> None:
        # A chat was resumed or moved: what waits for it may be older than the recent window.
        self.rescan()
        if self.on_available:
            self.on_available()

    async def _poll(self) -> None:
        all_at = self._clock.monotonic() + _FULL_SCAN_INTERVAL
        balance_at = self._clock.monotonic() + BALANCE_INTERVAL
        while True:
            await asyncio.sleep(POLL_INTERVAL)
            if self._clock.monotonic() >= all_at:
                all_at = self._clock.monotonic() + _FULL_SCAN_INTERVAL
                self._must_scan_all = True
            self._request(scan=True, page=True)
            await self._release_idle()
            if self._clock.monotonic() >= balance_at:
                balance_at = self._clock.monotonic() + BALANCE_INTERVAL
                await self.balance()

    async def balance(self) -> None:
        """Give chats to a sender that has many fewer: of those that are calm, so that nothing is on its way to them."""
        try:
            async with self._db.transaction() as tx:
                now = self._clock.monotonic()
                own = await self._claims.select_all_own(tx)
                # First, for it is read only for chats that do not count as used yet, such as those that others have given us.
                await self._learn_from_others(tx, own, {})
                # They do from now on, so that they are released some time, too.
                self._last_used |= {chat: now for chat in own if chat not in self._last_used}
                gift = choose_gift(await self._claims.count_by_sender(tx), self._claims.sender)
                if gift is None:
                    return
                receiver, count = gift
                calm = sorted(chat for chat in own if self._is_calm(chat, now))
                busy = await self._claims.filter_busy(tx, calm)
                given = [chat for chat in calm if chat not in busy][: min(count, _MAX_GIVEN)]
                if not given:
                    return
                await self._claims.give(tx, given, receiver)
                # A send that has begun meanwhile waits for this transaction, or has been committed, and was noted before.
                if any(not self._is_calm(chat, now) for chat in given):
                    raise _ChatsInUseError
                await tx.notify(DELIVERIES_CHANNEL, receiver)
        except StorageError as error:
            log.debug("chats_not_given", reason=str(error))
        except _ChatsInUseError:
            log.debug("chats_in_use")
        else:
            for chat in given:
                self._last_used.pop(chat, None)
            log.info("chats_given", to=receiver, count=len(given))

    def _is_calm(self, chat: int, now: float) -> bool:
        return now - self._last_used.get(chat, now) >= _CALM_AFTER

    async def _release_idle(self) -> None:
        now = self._clock.monotonic()
        idle = {
            chat for chat, used in self._last_used.items() if now - used > (_IDLE_TIMEOUT if chat > 0 else _GROUP_IDLE_TIMEOUT)
        }
        if not idle:
            return
        try:
            async with self._db.transaction() as tx:
                await self._claims.release(tx, idle)
        except StorageError as error:
            log.debug("chats_not_released", reason=str(error))
            return
        for chat in idle:
            self._last_used.pop(chat, None)  # it may have been given away meanwhile

    async def _release_all(self) -> None:
        try:
            async with asyncio.timeout(_RELEASE_TIMEOUT), self._db.transaction() as tx:
                await self._claims.release_all(tx)
                await tx.notify(DELIVERIES_CHANNEL)
        except (StorageError, TimeoutError) as error:
            log.debug("chats_not_released", reason=str(error))


class _ChatsInUseError(Exception):
    """A chat that was about to be given away is being sent to."""


def _due_order(item: QueueItem) -> tuple[float, int]:
    return item.due_at, item.seq
