"""The way in: alerts are committed, digests renewed, cards kept."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

import msgspec
import structlog

from bot.clock import Clock
from bot.metrics import ALERT_STEP_SECONDS
from bot.outbox import digest_store, repository
from bot.outbox.decide import is_expired
from bot.outbox.delivery import Delivery, DeliveryContext, DeliveryResult, DeliveryStatus, QueueItem, Reason, has_follow_up
from bot.outbox.digest_store import (
    bursts_containing,
    expire_burst_lines,
    hold_for_quiet_hours,
    is_announced_elsewhere,
    load_burst_context,
    supersede_unsent_lines,
)
from bot.outbox.digests import QUIET_HOURS_DIGEST, missed_digest, renew_digest, select_lines
from bot.outbox.explanation import MessageExplanation, find_delivery, read_digest_lines
from bot.outbox.news import SAMPLE, NewsItem, is_burst, revise
from bot.outbox.queue import DelayedView, NewsCache
from bot.outbox.repository import FanoutProgress
from bot.outbox.sources import MemorySource, QueueSource
from bot.outbox.statements import DeliveriesWithChats, overwrite_deliveries, write_deliveries
from bot.storage.database import Database
from bot.storage.driver import Transaction
from bot.storage.subscriptions import load_recipients, select_live_message_chats
from bot.subscribers import Chat, ChatRef
from rules.engine.alert import LIVE_MESSAGE_IDS, Alert, AlertKey, Facts, State
from rules.football.action import Fixture

log = structlog.get_logger()

_OUTBOX_LATENCY = ALERT_STEP_SECONDS.labels("outbox")

PlanT = TypeVar("PlanT")


def _do_nothing() -> None:
    """Nobody waits for alerts."""


class Outbox:
    """Keeps what is to be told and what was. `on_put` is called when there may be something to take."""

    def __init__(self, database: Database, clock: Clock, source: QueueSource | None = None) -> None:
        """`source` is where tickets come from; None: of a process that is alone on its database."""
        self.database, self._clock = database, clock
        self._source = source or MemorySource(database, clock)
        self._cache = NewsCache()
        self._delayed_view = DelayedView()
        self.on_stored: Callable[[], None] = _do_nothing

    async def put(self, alerts: Sequence[Alert]) -> None:
        """Commit alerts; those of one key are alternatives. Revisions that are not new are left out."""
        now = self._clock.now()
        async with self.database.transaction() as tx:
            await repository.lock_fixture_news(tx, {alert.key.fixture_id for alert in alerts})
            known = await repository.read_news(tx, {alert.key for alert in alerts}, for_update=True)
            groups = [list(group) for _, group in groupby(alerts, key=lambda alert: alert.key)]
            changed = [news for group in groups for news in await self._store_revision(tx, known.get(group[0].key), group, now)]
            await self._source.notify_news(tx, [news.key for news in changed])
        self._publish(changed)

    async def put_for_chat(self, ref: ChatRef, alert: Alert, delay: int = 0) -> None:
        """Commit an alert for one chat alone, whatever it follows; one that is known is left out. `delay` in seconds."""
        revised, now = revise(None, [alert]), self._clock.now()
        async with self.database.transaction() as tx:
            await repository.lock_fixture_news(tx, [alert.key.fixture_id])
            if revised is None or await repository.read_news(tx, [alert.key]):
                return
            delivery = Delivery(alert.key, ref, due_at=now.timestamp() + delay, rule=alert.rule)
            await repository.add_news(tx, revised.news, FanoutProgress(new_chats_done=True, notified_chats_done=True), now)
            await repository.add_deliveries(tx, [delivery])
            await self._source.notify_deliveries(tx)
        self._source.add_items([QueueItem(alert.key, ref, revised.news.priority, alert.seq, delivery.due_at)])
        self.on_stored()

    async def put_live(self, alert: Alert, *, reach_new_chats: bool = True) -> None:
        """Commit how something stands now, such as a match card. Where it stood so already, only chats that ask for it since are
        looked for; without `begin`, only what was told is put right."""
        now = self._clock.now()
        async with self.database.transaction() as tx:
            standing = await store_live_message(tx, alert, now, reach_new_chats=reach_new_chats)
            if standing:
                await self._source.notify_news(tx, [alert.key])
        if standing and standing.is_changed:
            self._publish([standing.news])
        elif standing:
            self._source.add_news(standing.news)
            self.on_stored()

    async def is_live_message_wanted(self, fixture: Fixture) -> bool:
        """Tell whether some chat asks for the card or the pictures of a match, or has one."""
        async with self.database.transaction() as tx:
            return await is_live_message_wanted(tx, fixture)

    async def read_fired_rules(self, fixture_id: str) -> dict[str, set[str]]:
        """By action of a match, the names of the rules that made news of it."""
        async with self.database.transaction() as tx:
            return await repository.read_fired_rules(tx, fixture_id)

    async def summarise_missed(self, fixture_id: str, *, is_late_join: bool = False) -> None:
        """Tell once, in one message a chat, what stands and was too old to be told as news.

        `joined`: the match was not followed before, so that nothing was missed by a connection that was down.
        """
        now = self._clock.now()
        async with self.database.transaction() as tx:
            await repository.lock_fixture_news(tx, [fixture_id])
            known = await repository.read_fixture_news(tx, fixture_id) if await repository.has_missed_news(tx, fixture_id) else ()
            digest = missed_digest(known, now, is_late_join=is_late_join)
            if digest is None:
                return
            for news in known:
                if news.key.action_id in digest.line_ids:
                    told = msgspec.structs.replace(news, digest_id=digest.key.action_id)
                    progress = msgspec.structs.replace(await repository.read_fanout_progress(tx, news.key), new_chats_done=True)
                    await repository.replace_news(tx, told, progress, now)
                    self._cache.forget(news.key)
            await repository.add_news(tx, digest, FanoutProgress(notified_chats_done=True), now)
            await self._source.notify_news(tx, [digest.key])
        log.info("old_news_summarised", fixture=fixture_id, count=len(digest.line_ids))
        self._publish([digest])

    @property
    def has_more(self) -> bool:
        """Tell whether `take` has more to give."""
        return self._source.has_more

    @property
    def capacity(self) -> int:
        """Fewer tickets than this in memory, and further chats are reached."""
        return self._source.capacity

    async def take(self) -> list[QueueItem]:
        """A page of what waits and was not taken before; reaches further chats."""
        items = await self._source.take()
        if revised := self._source.pop_revised_keys():  # each revision, for the chats with a delay
            async with self.database.transaction() as tx:
                await self._refresh_cache(tx, revised)
        self._forget_quiet_hours_digests(items)
        return items

    async def begin(
        self,
        items: Sequence[QueueItem],
        plan: Callable[[DeliveryContext], PlanT],
        make_uncertain: Callable[[PlanT], Delivery | None],
    ) -> list[tuple[DeliveryContext, PlanT] | None]:
        """All that decides what is sent for each ticket now, and what that is; None where nothing waits any more.

        What chats may have seen as soon as it leaves, as `perhaps` tells, is committed before: neither a kill nor an answer that
        is lost makes anybody forget it.
        """
        if not items:
            return []
        async with self.database.transaction() as tx:
            await self._refresh_cache(tx, {item.key for item in items})
            found = await self._apply_overrides(tx, await self._source.read_contexts(tx, items))
            contexts = [
                await self._load_context(tx, *found[place]) if (place := (t.key, t.chat)) in found else None for t in items
            ]
            begun = [(context, plan(context)) if context else None for context in contexts]
            await overwrite_deliveries(tx, [delivery for one in begun if one and (delivery := make_uncertain(one[1]))])
        return begun

    async def restore(self, before: Delivery) -> None:
        """What was begun surely did not arrive: what is known is what was known before."""
        async with self.database.transaction() as tx:
            await overwrite_deliveries(tx, [before])

    async def complete(self, seen: Sequence[DeliveryResult]) -> list[QueueItem | None]:
        """Commit what chats have seen now; for each a ticket where more is to be sent, a revision after the chat's delay."""
        if not seen:
            return []
        async with self.database.transaction() as tx:
            await self._refresh_cache(tx, {result.delivery.key for result in seen}, lock=True)
            more = [await self._find_newer_news(tx, result.delivery) for result in seen]
            dues = [self._next_due_at(result, news) for result, news in zip(seen, more, strict=True)]
            written = [_with_next_due(result.delivery, due) for result, due in zip(seen, dues, strict=True)]
            there = await write_deliveries(tx, written)
            held = [item for result in seen for item in await self._handle_unsent(tx, result.delivery)]
        self._source.add_items(held)
        return [
            QueueItem(delivery.key, delivery.chat, news.priority, news.seq, delivery.due_at)
            if news and (delivery.key, delivery.chat) in there
            else None
            for delivery, news in zip(written, more, strict=True)
        ]

    async def explain_message(self, chat_id: int, message_id: int) -> MessageExplanation | None:
        """What a message of a chat tells, and how that news stands for it; None where it is no alert, or was forgotten."""
        async with self.database.transaction() as tx:
            delivery = await find_delivery(tx, chat_id, message_id)
            await self._refresh_cache(tx, [delivery.key] if delivery else ())
            news = await self._cache.get(tx, delivery.key) if delivery else None
            if delivery is None or news is None:
                return None
            chat = await repository.read_chat(tx, delivery.chat)
            now = self._delayed_view.view_for(news, chat.delay if chat else 0, self._clock.now().timestamp())
            return MessageExplanation(
                delivery, now, await read_digest_lines(tx, news, delivery), is_reply=delivery.message_id != message_id
            )

    async def count_waiting(self) -> int:
        """How many entries wait to be sent."""
        async with self.database.transaction() as tx:
            return await repository.count_waiting(tx)

    async def prune(self, max_age: dt.timedelta) -> int:
        """Erase what is older than `keep`; how many entries."""
        async with self.database.transaction() as tx:
            gone = await repository.delete_before(tx, self._clock.now() - max_age)
        self._cache.clear()
        return gone

    def rescan(self) -> None:
        """Look through the whole database at the next `take`: chats were resumed or moved."""
        self._source.rescan()
        self.on_stored()

    async def _store_revision(
        self, tx: Transaction, previous: NewsItem | None, group: Sequence[Alert], now: dt.datetime
    ) -> list[NewsItem]:
        revised = revise(previous, group)
        if revised is None:
            log.debug("alert_not_new", fixture=group[0].key.fixture_id, action=group[0].key.action_id, seq=group[0].seq)
            return []
        news = revised.news
        late = bool(news.firing_alternatives) and all(is_expired(news, alert, now) for alert in news.firing_alternatives)
        news = msgspec.structs.replace(news, is_missed=news.is_missed or late)
        if previous is None:
            await repository.add_news(tx, news, FanoutProgress(new_chats_done=late, notified_chats_done=True), now)
            return [news]
        before = await repository.read_fanout_progress(tx, news.key)
        done = (
            late
            or not news.firing_alternatives
            or bool(news.digest_id)
            or (before.new_chats_done and not revised.restarts_fanout)
        )
        progress = FanoutProgress(None if revised.restarts_fanout else before.last_new_chat, done)
        await repository.replace_news(tx, news, progress, now)
        return [news, *await self._renew_digests(tx, news, group, now)]

    async def _renew_digests(self, tx: Transaction, news: NewsItem, group: Sequence[Alert], now: dt.datetime) -> list[NewsItem]:
        """The summaries that told this news show what became of it."""
        changed = []
        for digest in (*await digest_store.digests_containing(tx, news.key), *await bursts_containing(tx, news.key)):
            again = renew_digest(digest, group, now)
            before = await repository.read_fanout_progress(tx, digest.key)
            await repository.replace_news(
                tx, again, msgspec.structs.replace(before, last_notified_chat=None, notified_chats_done=False), now
            )
            changed.append(again)
        return changed

    def _publish(self, changed: Sequence[NewsItem]) -> None:
        now = self._clock.now().timestamp()
        for news in (msgspec.structs.replace(news, stored_at=now) for news in changed):
            if received := news.alternatives[0].received_at:
                _OUTBOX_LATENCY.observe(max(0.0, now - received))
            self._delayed_view.add(news, now)
            self._cache.add(news)
            self._source.add_news(news)
        if changed:
            self.on_stored()

    async def _refresh_cache(self, tx: Transaction, keys: Collection[AlertKey], *, lock: bool = False) -> None:
        """Know what other processes have changed. `hold`: what is written of chats now is not passed by a revision."""
        if self._source.is_shared:
            for news, changed_at in await self._cache.refresh(tx, keys, lock=lock):
                self._delayed_view.add(news, changed_at)

    async def _load_context(self, tx: Transaction, delivery: Delivery, chat: Chat) -> DeliveryContext | None:
        news = await self._cache.get(tx, delivery.key)
        if news is None:
            return None
        if is_burst(delivery.key):
            now = self._clock.now().timestamp()
            return await load_burst_context(
                tx, delivery, news, chat, lambda line: self._delayed_view.view_for(line, chat.delay, now)
            )
        lines = await self._load_lines(tx, news, delivery) if news.line_ids else ()
        news = self._delayed_view.view_for(news, chat.delay, self._clock.now().timestamp())
        return DeliveryContext(
            delivery, news, chat, not delivery.is_sent and await is_announced_elsewhere(tx, news, delivery.chat), lines
        )

    async def _apply_overrides(self, tx: Transaction, found: DeliveriesWithChats) -> DeliveriesWithChats:
        """The same, with each chat as it hears its match; one query for each piece of news that chats with tastes wait for."""
        tasted: defaultdict[AlertKey, list[Chat]] = defaultdict(list)
        for (key, _), (_, chat) in found.items():
            if chat.tasted and not is_burst(key):
                tasted[key].append(chat)
        for key, chats in tasted.items():
            news = await self._cache.get(tx, key)
            for chat in await load_recipients(tx, news.alternatives[0].fixture, chats) if news else ():
                found[key, chat.ref] = found[key, chat.ref][0], chat
        return found

    async def _find_newer_news(self, tx: Transaction, delivery: Delivery) -> NewsItem | None:
        """The news of which there is more to send; None where all was."""
        news = await self._cache.get(tx, delivery.key)
        waits = delivery.is_sent or delivery.reason == Reason.SCORER_UNKNOWN
        return news if news and (has_follow_up(delivery) or (waits and news.seq > delivery.seq)) else None

    def _next_due_at(self, result: DeliveryResult, more: NewsItem | None) -> float | None:
        """When what follows is sent: a reply or a pin at once, a revision after the chat's delay; None where nothing does."""
        now = self._clock.now().timestamp()
        if more is None or has_follow_up(result.delivery):
            return None if more is None else now
        return self._delayed_view.next_change_at(more, result.delivery.seq, result.delay, now)

    async def _handle_unsent(self, tx: Transaction, delivery: Delivery) -> list[QueueItem]:
        """Note what was too old, and what quiet hours hold, for a summary."""
        if is_burst(delivery.key) and delivery.reason != Reason.EXPIRED:
            await supersede_unsent_lines(tx, delivery)
        if delivery.is_sent and delivery.reason not in (Reason.EXPIRED, Reason.HELD_FOR_QUIET_HOURS):
            return []
        if delivery.reason == Reason.EXPIRED:
            if is_burst(delivery.key):
                await expire_burst_lines(tx, delivery)
            else:
                await repository.mark_missed(tx, delivery.key)
            self._cache.forget(delivery.key)
        chat, now = (
            await repository.read_chat(tx, delivery.chat) if delivery.reason == Reason.HELD_FOR_QUIET_HOURS else None,
            self._clock.now(),
        )
        news, end = await self._cache.get(tx, delivery.key), chat.held_until(now) if chat else None
        items = await hold_for_quiet_hours(tx, news, {delivery.chat: end}, now) if news and end else []
        self._forget_quiet_hours_digests(items)
        return items

    def _forget_quiet_hours_digests(self, items: Sequence[QueueItem]) -> None:
        """Quiet hours may have held more: their summaries are read anew."""
        for key in {item.key for item in items if item.key.action_id.startswith(f"{QUIET_HOURS_DIGEST}:")}:
            self._cache.forget(key)

    async def _load_lines(self, tx: Transaction, news: NewsItem, delivery: Delivery) -> tuple[NewsItem, ...]:
        keys = [AlertKey(news.key.fixture_id, action) for action in news.line_ids]
        told = await repository.read_news(tx, keys)
        seen = [e for key in keys for e in (await repository.read_deliveries(tx, key, [delivery.chat])).values()]
        return select_lines(delivery, [told[key] for key in keys if key in told], seen)


def _with_next_due(delivery: Delivery, due: float | None) -> Delivery:
    """The entry as it is kept, with when more is due."""
    if due is None:
        return msgspec.structs.replace(delivery, status=DeliveryStatus.DONE if delivery.is_sent else DeliveryStatus.DROPPED)
    return msgspec.structs.replace(delivery, status=DeliveryStatus.WAITING, due_at=due)


class StoredLiveMessage(msgspec.Struct, frozen=True):
    """What is kept now; `changed` is false where it stood so already and only chats that were not reached are looked for."""

    news: NewsItem
    is_changed: bool


async def store_live_message(
    tx: Transaction, alert: Alert, now: dt.datetime, *, reach_new_chats: bool
) -> StoredLiveMessage | None:
    """Keep how it stands; None where there is nothing to tell. Its number follows the one that is known, whatever its own.

    With `begin` the walk over those who were not told begins anew, so that a chat that has asked for it since gets it.
    """
    await repository.lock_fixture_news(tx, [alert.key.fixture_id])
    known = (await repository.read_news(tx, [alert.key], for_update=True)).get(alert.key)
    if known is None and not reach_new_chats:
        return None
    if known is not None and looks_same(known.alternatives[0], alert):
        if not reach_new_chats:
            return None
        progress = await repository.read_fanout_progress(tx, alert.key)
        await repository.write_fanout_progress(
            tx, alert.key, msgspec.structs.replace(progress, last_new_chat=None, new_chats_done=False)
        )
        return StoredLiveMessage(known, is_changed=False)
    seq = alert.seq if known is None else max(alert.seq, known.seq + 1)
    revised = revise(known, [msgspec.structs.replace(alert, seq=seq)])
    if revised is None or (known is None and is_expired(revised.news, alert, now)):
        return None
    if known is None:
        await repository.add_news(tx, revised.news, FanoutProgress(notified_chats_done=True), now)
    else:
        await repository.replace_news(tx, revised.news, FanoutProgress(new_chats_done=not reach_new_chats), now)
    return StoredLiveMessage(revised.news, is_changed=True)


async def is_live_message_wanted(tx: Transaction, fixture: Fixture) -> bool:
    """Tell whether some chat asks for the card or the pictures of a match, or has one: it is kept true."""
    if await tx.fetch(select_live_message_chats(fixture, None, 1)):
        return True
    return bool(await repository.read_revision_stamps(tx, [AlertKey(fixture.id, name) for name in LIVE_MESSAGE_IDS]))


def looks_same(one: Alert, other: Alert) -> bool:
    """Tell whether a reader sees no difference."""
    return (one.text, one.texts, one.timeline, one.is_match_over) == (
        other.text,
        other.texts,
        other.timeline,
        other.is_match_over,
    )


def make_sample_alert(ref: ChatRef, name: str, texts: Mapping[str, str], now: dt.datetime) -> Alert:
    """News for one chat, its text by language; the same name makes the same key, so that one request tells it once."""
    key = AlertKey(SAMPLE, f"{ref.chat_id}:{ref.topic}:{name}")
    return Alert(key, 1, State.CONFIRMED, now, Fixture(SAMPLE), Facts(), rule=SAMPLE, kind=SAMPLE, text=texts["en"], texts=texts)
