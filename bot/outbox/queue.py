"""The way out: takes what waits, gives all that decides it, commits what came of it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from bot.clock import Clock
from bot.metrics import ALERT_STEP_SECONDS, DECISIONS
from bot.outbox import news_store, repository
from bot.outbox.decide import is_next_loud, make_burst_line
from bot.outbox.delivery import Delivery, DeliveryContext, DeliveryResult, DeliveryStatus, QueueItem, Reason
from bot.outbox.digest_store import (
    expire_burst_lines,
    hold_for_quiet_hours,
    is_announced_elsewhere,
    load_burst_context,
    merge_into_burst,
    supersede_unsent_lines,
)
from bot.outbox.digests import is_quiet_hours_digest, select_lines
from bot.outbox.match_states import fill_in_match_state, read_match_states, select_state, shows_match_state
from bot.outbox.news import NewsItem, is_burst
from bot.outbox.news_cache import DelayedView, NewsCache
from bot.outbox.recent_alerts import RecentAlerts
from bot.outbox.sources import MemorySource, QueueSource
from bot.outbox.statements import DeliveriesWithChats, drop_unreadable_delivery, overwrite_deliveries, write_deliveries
from bot.storage.chats import update_chat
from bot.storage.damage import UNREADABLE
from bot.storage.database import Database
from bot.storage.driver import Transaction
from bot.storage.subscriptions import load_recipients
from bot.subscribers import Chat, ChatRef, MuteOffer, Recipient
from rules.engine.alert import AlertKey

log = structlog.get_logger()

_OUTBOX_LATENCY = ALERT_STEP_SECONDS.labels("outbox")


PlanT = TypeVar("PlanT")


DeliveriesWithRecipients = dict[tuple[AlertKey, ChatRef], tuple[Delivery, Recipient]]


class MergedItems(msgspec.Struct, frozen=True):
    """The item of a message that tells several news items, and the items that it stands for."""

    item: QueueItem
    merged: tuple[QueueItem, ...]


class DeliveryQueue:
    """Hands out what waits for chats, and commits what became of it.

    A sender calls `take` for items, `begin` when their turn has come and `complete` with the results. It sets `on_available`,
    which is called when there may be something to take.
    """

    def __init__(self, database: Database, clock: Clock, source: QueueSource | None = None) -> None:
        """`source` is where items come from; None for a process that has the database to itself."""
        self.database, self._clock = database, clock
        self.source = source or MemorySource(database, clock)
        self._cache = NewsCache()
        self._delayed_view = DelayedView()
        self._recent_alerts = RecentAlerts()
        self.on_available: Callable[[], None] | None = None

    @property
    def has_more(self) -> bool:
        """Return True if `take` may return further items."""
        return self.source.has_more

    @property
    def has_urgent(self) -> bool:
        """Return True if `take` may return urgent items."""
        return self.source.has_urgent

    @property
    def capacity(self) -> int:
        """Return how many items a sender keeps in memory at most: with fewer, it takes more; beyond, only what is urgent."""
        return self.source.capacity

    @property
    def batch_size(self) -> int:
        """Return how many messages a sender begins together at most."""
        return self.source.batch_size

    async def read_recent_sends(self, seconds: float) -> list[tuple[int, float]]:
        """Return each message that left in the last `seconds`: its chat, and when it left, in seconds since 1970."""
        async with self.database.transaction() as tx:
            return await repository.read_recent_sends(tx, self._clock.now(), seconds)

    async def take(self, *, urgent_only: bool = False) -> list[QueueItem]:
        """Return a page of items that wait and were not taken before. May reach further chats of some news on the way."""
        items = await self.source.take(urgent_only=urgent_only)
        if revised := self.source.pop_revised_keys():
            # Read each revision of another process when it is announced: a chat with a delay is shown it later, when the
            # database has only the newest.
            async with self.database.transaction() as tx:
                await self._refresh_cache(tx, revised)
        self._forget_quiet_hours_digests(items)
        await self._note_delayed_news(items)
        return items

    async def _note_delayed_news(self, items: Sequence[QueueItem]) -> None:
        """Note the revisions for which chats with a delay wait since before a restart: the database keeps the newest alone."""
        now = self._clock.now().timestamp()
        # Nearly always empty: what was stored in this process is known.
        keys = {item.key for item in items if item.due_at > now and not self._delayed_view.knows(item.key)}
        if keys:
            async with self.database.transaction() as tx:
                for news in (await news_store.read_news(tx, keys)).values():
                    self._delayed_view.add(news, news.stored_at)

    async def begin(
        self,
        items: Sequence[QueueItem],
        plan: Callable[[DeliveryContext], PlanT],
        make_uncertain: Callable[[PlanT], Delivery | None],
        find_mute_offer: Callable[[PlanT], MuteOffer | None] = lambda _: None,
    ) -> list[tuple[DeliveryContext, PlanT] | None]:
        """Load what decides each item now, and plan it. An entry is None if nothing waits any more.

        `make_uncertain` returns what the chat may have seen from when the request leaves until its answer is known.
        `find_mute_offer` returns the offer that a message makes, None if it makes none.
        """
        if not items:
            return []
        async with self.database.transaction() as tx:
            await self._refresh_cache(tx, {item.key for item in items})
            found = await self._load_recipients(tx, await self.source.read_contexts(tx, items))
            now = self._clock.now()
            begun: list[tuple[DeliveryContext, PlanT] | None] = []
            for item in items:
                # Nothing found: another process has sent it, the chat was suspended, or it was dropped. The item is stale.
                pair = found.get((item.key, item.chat))
                try:
                    context = await self._load_context(tx, *pair, now) if pair else None
                    begun.append((context, plan(context)) if context else None)
                except UNREADABLE as error:
                    # One message must not hold up all others: it would be planned first again after each attempt.
                    log.exception(
                        "message_not_planned", fixture=item.key.fixture_id, action=item.key.action_id, chat=item.chat.chat_id
                    )
                    await drop_unreadable_delivery(tx, _key_to_row(item), error)
                    begun.append(None)
            # Before the request leaves. After a kill between Telegram's answer and our commit we know that the chat may have
            # the message, and a retraction still reaches it.
            uncertain = [delivery for one in begun if one and (delivery := make_uncertain(one[1]))]
            await overwrite_deliveries(tx, uncertain)
            for one in begun:
                # Before the request too: it is made once a match, and an edit has to know that its options stand open.
                if one and (offer := find_mute_offer(one[1])):
                    await update_chat(tx, one[0].delivery.chat, partial(Chat.with_mute_offer, offer=offer))
        return begun

    async def merge(self, items: Sequence[QueueItem]) -> MergedItems | None:
        """Put what may be merged of one chat's items into one message, and commit that. None if there are not two of them.

        The items are of one topic. Only first messages that would leave silently now are merged: a message that the chat has
        is corrected by itself.
        """
        now = self._clock.now()
        async with self.database.transaction() as tx:
            await self._refresh_cache(tx, {item.key for item in items})
            found = await self._load_recipients(tx, await self.source.read_contexts(tx, items))
            lines: list[tuple[Delivery, NewsItem]] = []
            merged = []
            for item in items:
                pair = found.get((item.key, item.chat))
                try:
                    context = await self._load_context(tx, *pair, now) if pair else None
                    line = make_burst_line(context, now) if context else None
                except UNREADABLE as error:
                    # Not dropped: its own message may be possible. If it is not, `begin` drops it when its turn comes.
                    log.debug("message_not_merged", fixture=item.key.fixture_id, action=item.key.action_id, reason=repr(error))
                    continue
                if context and line:
                    lines.append((line, context.news))
                    merged.append(item)
            if len(lines) < 2:
                return None
            chat = found[merged[0].key, merged[0].chat][1].chat
            burst = await merge_into_burst(tx, lines, chat, now)
        DECISIONS.labels(Reason.HELD_FOR_BURST.value).inc(len(merged))
        return MergedItems(burst, tuple(merged))

    async def restore(self, before: Delivery) -> None:
        """Undo what `begin` committed for a delivery: its message certainly did not arrive."""
        async with self.database.transaction() as tx:
            await overwrite_deliveries(tx, [before])

    async def park(self, delivery: Delivery) -> bool:
        """Store that an unanswered message counts as sent until it is sent once more. Its delivery stays due.

        Return False if the news was revised meanwhile: then the revision is to be sent now.
        """
        async with self.database.transaction() as tx:
            # Locked as in `complete`: a revision finds either a delivery that counts as sent, or nothing parked.
            await self._refresh_cache(tx, [delivery.key], lock=True)
            news = await self._cache.get(tx, delivery.key)
            if news is None or news.seq > delivery.seq:
                return False
            await overwrite_deliveries(tx, [delivery])
        return True

    async def complete(self, results: Sequence[DeliveryResult]) -> list[QueueItem | None]:
        """Commit what chats have seen now. Return for each result an item if more is to be sent: a reply, a pin, a revision."""
        if not results:
            return []
        async with self.database.transaction() as tx:
            # The news is locked until the commit: a revision stored in between would find the delivery done with an older
            # number, or not sent yet, and nobody would send it.
            await self._refresh_cache(tx, {result.delivery.key for result in results}, lock=True)
            # In the same transaction as the result: else a revision that is stored at this moment would wait for ever.
            newer = [await self._find_newer_news(tx, result.delivery) for result in results]
            at = self._clock.now().timestamp()
            written = [self._with_next_due(result, news, at) for result, news in zip(results, newer, strict=True)]
            stored = await write_deliveries(tx, written)
            held = [item for result in results for item in await self._handle_unsent(tx, result.delivery)]
        now = self._clock.now().timestamp()
        for result in results:
            self._recent_alerts.add(result, now)
        # Only after the commit: another task could take an item whose delivery is not stored yet.
        self.source.add_items(held)
        return [
            QueueItem(delivery.key, delivery.chat, news.priority, news.seq, delivery.due_at, delivery.next_is_loud)
            if news and (delivery.key, delivery.chat) in stored
            else None
            for delivery, news in zip(written, newer, strict=True)
        ]

    def accept(self, changed: Sequence[NewsItem]) -> None:
        """Take over news that was committed just now: chats are reached from here on."""
        now = self._clock.now().timestamp()
        for news in changed:
            # Only what came from the feed: samples and digests took no way that could be measured.
            if received_at := news.alternatives[0].received_at:
                _OUTBOX_LATENCY.observe(max(0.0, now - received_at))
            stored = msgspec.structs.replace(news, stored_at=now)
            self._delayed_view.add(stored, now)
            self._cache.add(stored)
            self.source.add_news(stored)
        if changed:
            self._notify()

    def continue_fanout(self, news: NewsItem) -> None:
        """Look again for chats to reach with news that has not changed."""
        self.source.add_news(news)
        self._notify()

    def add_items(self, items: Sequence[QueueItem]) -> None:
        """Queue items whose deliveries were committed just now."""
        self.source.add_items(items)
        self._notify()

    def rescan(self) -> None:
        """Search the whole database at the next `take`: chats were resumed or moved, or a transaction failed."""
        self.source.rescan()
        self._notify()

    def forget(self, key: AlertKey) -> None:
        """Read this news from the database at its next use."""
        self._cache.forget(key)

    def forget_all(self) -> None:
        """Read all news from the database at its next use."""
        self._cache.clear()

    async def view_news(self, tx: Transaction, key: AlertKey, delay: int) -> NewsItem | None:
        """Return news as a chat with a delay (in seconds) is shown it now. None if there is none."""
        await self._refresh_cache(tx, [key])
        news = await self._cache.get(tx, key)
        return self._delayed_view.view_for(news, delay, self._clock.now().timestamp()) if news else None

    def _notify(self) -> None:
        if self.on_available:
            self.on_available()

    async def _refresh_cache(self, tx: Transaction, keys: Collection[AlertKey], *, lock: bool = False) -> None:
        """Read news that other processes have changed. `lock`: nobody revises these keys until the transaction ends."""
        if self.source.is_shared:
            for news, changed_at in await self._cache.refresh(tx, keys, lock=lock):
                self._delayed_view.add(news, changed_at)

    async def _load_context(
        self, tx: Transaction, delivery: Delivery, recipient: Recipient, at: dt.datetime
    ) -> DeliveryContext | None:
        news = await self._cache.get(tx, delivery.key)
        if news is None:
            return None
        chat, now = recipient.chat, at.timestamp()
        if is_burst(delivery.key):
            return await load_burst_context(
                tx, delivery, news, chat, at, lambda line: self._delayed_view.view_for(line, chat.delay, now)
            )
        lines = await _load_lines(tx, news, delivery) if news.line_ids else ()
        shown = ""
        if shows_match_state(news):
            states = await read_match_states(tx, news.key.fixture_id)
            if match := select_state(states, chat.delay, at):
                news, state = fill_in_match_state(news, match, delivery)
                shown = str(state)
        is_early = delivery.is_sent and not shows_match_state(news) and self._delayed_view.is_early(news, chat.delay, now)
        news = self._delayed_view.view_for(news, chat.delay, now)
        if is_early and news.seq > delivery.seq:
            # As if there were no revision: it waits until the chat's delay is over, and only a reply that is due leaves.
            news = msgspec.structs.replace(news, seq=delivery.seq)
        is_superseded = not delivery.is_sent and await is_announced_elsewhere(tx, news, delivery.chat)
        recent_kinds = self._recent_alerts.list_kinds(delivery, now)
        return DeliveryContext(delivery, news, recipient, is_superseded, lines, recent_kinds=recent_kinds, shown=shown)

    async def _load_recipients(self, tx: Transaction, found: DeliveriesWithChats) -> DeliveriesWithRecipients:
        """Add the overrides with which a chat follows the match: one query for each news item, not for each chat."""
        recipients = {place: (delivery, Recipient(chat)) for place, (delivery, chat) in found.items()}
        with_overrides: defaultdict[AlertKey, list[Chat]] = defaultdict(list)
        for (key, _), (_, chat) in found.items():
            if chat.has_overrides and not is_burst(key):
                with_overrides[key].append(chat)
        # Nearly always empty: chats without overrides cost no query.
        for key, chats in with_overrides.items():
            news = await self._cache.get(tx, key)
            for recipient in await load_recipients(tx, news.alternatives[0].fixture, chats) if news else ():
                recipients[key, recipient.chat.ref] = recipients[key, recipient.chat.ref][0], recipient
        return recipients

    async def _find_newer_news(self, tx: Transaction, delivery: Delivery) -> NewsItem | None:
        """Return the news if more of it is to be sent to this chat, else None."""
        news = await self._cache.get(tx, delivery.key)
        # A chat that waits for the scorer has seen nothing, and wants the revision that names one.
        # So has one with a delay for which the news was taken back before its turn, though it stands again by now.
        # Others who have seen nothing are asked again by the fan-out, which walks over all chats with each revision.
        wants_revisions = delivery.is_sent or delivery.reason in (Reason.SCORER_UNKNOWN, Reason.SUPERSEDED)
        has_more = delivery.has_follow_up or (wants_revisions and news is not None and news.seq > delivery.seq)
        return news if has_more else None

    def _with_next_due(self, result: DeliveryResult, newer: NewsItem | None, now: float) -> Delivery:
        """Return the delivery to store: done, or waiting until the rest is due."""
        delivery = result.delivery
        if newer is None:
            status = DeliveryStatus.DONE if delivery.is_sent else DeliveryStatus.DROPPED
            return msgspec.structs.replace(delivery, status=status, next_is_loud=False)
        # A reply or a pin belongs to what the chat has just seen. A revision is new, and waits for the chat's delay.
        due_at = now if delivery.has_follow_up else self._delayed_view.next_change_at(newer, delivery.seq, result.delay, now)
        is_loud = is_next_loud(delivery, newer) if delivery.is_sent else delivery.next_is_loud
        return msgspec.structs.replace(delivery, status=DeliveryStatus.WAITING, due_at=due_at, next_is_loud=is_loud)

    async def _handle_unsent(self, tx: Transaction, delivery: Delivery) -> list[QueueItem]:
        """Note what was too old, and what quiet hours hold, for a digest. Return the items of digests for quiet hours."""
        if is_burst(delivery.key) and delivery.reason != Reason.EXPIRED:
            await supersede_unsent_lines(tx, delivery)
        if delivery.reason == Reason.EXPIRED:
            if is_burst(delivery.key):
                await expire_burst_lines(tx, delivery)
            else:
                await news_store.mark_missed(tx, delivery.key)
            self._cache.forget(delivery.key)
        if delivery.reason != Reason.HELD_FOR_QUIET_HOURS:
            return []
        news, chat = await self._cache.get(tx, delivery.key), await repository.read_chat(tx, delivery.chat)
        now = self._clock.now()
        end = chat.quiet_hold_ends_at(now) if chat else None
        items = await hold_for_quiet_hours(tx, news, {delivery.chat: end}, now) if news and end else []
        self._forget_quiet_hours_digests(items)
        return items

    def _forget_quiet_hours_digests(self, items: Sequence[QueueItem]) -> None:
        """Drop digests for quiet hours from the cache: lines are added to them without a revision that would renew it."""
        for item in items:
            if is_quiet_hours_digest(item.key):
                self._cache.forget(item.key)


def _key_to_row(item: QueueItem) -> dict[str, object]:
    """Return the primary key of the delivery of an item."""
    key, ref = item.key, item.chat
    return {"fixture_id": key.fixture_id, "action_id": key.action_id, "chat_id": ref.chat_id, "topic": ref.topic}


async def _load_lines(tx: Transaction, digest: NewsItem, delivery: Delivery) -> tuple[NewsItem, ...]:
    """Return the news of a digest's lines that concern this chat."""
    keys = [AlertKey(digest.key.fixture_id, action_id) for action_id in digest.line_ids]
    news = await news_store.read_news(tx, keys)
    deliveries = [
        line_delivery for key in keys for line_delivery in (await repository.read_deliveries(tx, key, [delivery.chat])).values()
    ]
    return select_lines(delivery, [news[key] for key in keys if key in news], deliveries)
