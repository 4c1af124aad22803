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

    def __init__(self, db: Database, clock: Clock, source: QueueSource | None = None) -> None:
        """`source` is where tickets come from; None: of a process that is alone on its database."""
        self.db, self._clock = db, clock
        self._source = source or MemorySource(db, clock)
        self._known = NewsCache()
        self._earlier = DelayedView()
        self.on_put: Callable[[], None] = _do_nothing

    async def put(self, alerts: Sequence[Alert]) -> None:
        """Commit alerts; those of one key are alternatives. Revisions that are not new are left out."""
        now = self._clock.now()
        async with self.db.transaction() as tx:
            await repository.lock_fixture_news(tx, {alert.key.fixture_id for alert in alerts})
            known = await repository.read_news(tx, {alert.key for alert in alerts}, write=True)
            groups = [list(group) for _, group in groupby(alerts, key=lambda alert: alert.key)]
            changed = [news for group in groups for news in await self._put(tx, known.get(group[0].key), group, now)]
            await self._source.announce(tx, [news.key for news in changed])
        self._take_in(changed)

    async def give(self, ref: ChatRef, alert: Alert, delay: int = 0) -> None:
        """Commit an alert for one chat alone, whatever it follows; one that is known is left out. `delay` in seconds."""
        revised, now = revise(None, [alert]), self._clock.now()
        async with self.db.transaction() as tx:
            await repository.lock_fixture_news(tx, [alert.key.fixture_id])
            if revised is None or await repository.read_news(tx, [alert.key]):
                return
            entry = Delivery(alert.key, ref, due_at=now.timestamp() + delay, rule=alert.rule)
            await repository.add_news(tx, revised.news, FanoutProgress(first_done=True, told_done=True), now)
            await repository.add_deliveries(tx, [entry])
            await self._source.announce_entries(tx)
        self._source.hold([QueueItem(alert.key, ref, revised.news.rank, alert.seq, entry.due_at)])
        self.on_put()

    async def show(self, alert: Alert, *, begin: bool = True) -> None:
        """Commit how something stands now, such as a match card. Where it stood so already, only chats that ask for it since are
        looked for; without `begin`, only what was told is put right."""
        now = self._clock.now()
        async with self.db.transaction() as tx:
            standing = await store_live_message(tx, alert, now, begin=begin)
            if standing:
                await self._source.announce(tx, [alert.key])
        if standing and standing.changed:
            self._take_in([standing.news])
        elif standing:
            self._source.add(standing.news)
            self.on_put()

    async def asked(self, fixture: Fixture) -> bool:
        """Tell whether some chat asks for the card or the pictures of a match, or has one."""
        async with self.db.transaction() as tx:
            return await is_live_message_wanted(tx, fixture)

    async def told(self, fixture_id: str) -> dict[str, set[str]]:
        """By action of a match, the names of the rules that made news of it."""
        async with self.db.transaction() as tx:
            return await repository.read_fired_rules(tx, fixture_id)

    async def catch_up(self, fixture_id: str, *, joined: bool = False) -> None:
        """Tell once, in one message a chat, what stands and was too old to be told as news.

        `joined`: the match was not followed before, so that nothing was missed by a connection that was down.
        """
        now = self._clock.now()
        async with self.db.transaction() as tx:
            await repository.lock_fixture_news(tx, [fixture_id])
            known = await repository.read_fixture_news(tx, fixture_id) if await repository.has_missed_news(tx, fixture_id) else ()
            summary = missed_digest(known, now, joined=joined)
            if summary is None:
                return
            for news in known:
                if news.key.action_id in summary.lines:
                    told = msgspec.structs.replace(news, summary=summary.key.action_id)
                    spread = msgspec.structs.replace(await repository.read_fanout_progress(tx, news.key), first_done=True)
                    await repository.replace_news(tx, told, spread, now)
                    self._known.forget(news.key)
            await repository.add_news(tx, summary, FanoutProgress(told_done=True), now)
            await self._source.announce(tx, [summary.key])
        log.info("old_news_summarised", fixture=fixture_id, count=len(summary.lines))
        self._take_in([summary])

    @property
    def busy(self) -> bool:
        """Tell whether `take` has more to give."""
        return self._source.busy

    @property
    def room(self) -> int:
        """Fewer tickets than this in memory, and further chats are reached."""
        return self._source.room

    async def take(self) -> list[QueueItem]:
        """A page of what waits and was not taken before; reaches further chats."""
        tickets = await self._source.take()
        if revised := self._source.revised():  # each revision, for the chats with a delay
            async with self.db.transaction() as tx:
                await self._refresh(tx, revised)
        self._forget_summaries(tickets)
        return tickets

    async def begin(
        self,
        tickets: Sequence[QueueItem],
        decide: Callable[[DeliveryContext], PlanT],
        perhaps: Callable[[PlanT], Delivery | None],
    ) -> list[tuple[DeliveryContext, PlanT] | None]:
        """All that decides what is sent for each ticket now, and what that is; None where nothing waits any more.

        What chats may have seen as soon as it leaves, as `perhaps` tells, is committed before: neither a kill nor an answer that
        is lost makes anybody forget it.
        """
        if not tickets:
            return []
        async with self.db.transaction() as tx:
            await self._refresh(tx, {ticket.key for ticket in tickets})
            found = await self._with_tastes(tx, await self._source.jobs(tx, tickets))
            jobs = [await self._job(tx, *found[place]) if (place := (t.key, t.ref)) in found else None for t in tickets]
            begun = [(job, decide(job)) if job else None for job in jobs]
            await overwrite_deliveries(tx, [entry for one in begun if one and (entry := perhaps(one[1]))])
        return begun

    async def never_left(self, before: Delivery) -> None:
        """What was begun surely did not arrive: what is known is what was known before."""
        async with self.db.transaction() as tx:
            await overwrite_deliveries(tx, [before])

    async def keep(self, seen: Sequence[DeliveryResult]) -> list[QueueItem | None]:
        """Commit what chats have seen now; for each a ticket where more is to be sent, a revision after the chat's delay."""
        if not seen:
            return []
        async with self.db.transaction() as tx:
            await self._refresh(tx, {sight.entry.key for sight in seen}, hold=True)
            more = [await self._left(tx, sight.entry) for sight in seen]
            dues = [self._due(sight, news) for sight, news in zip(seen, more, strict=True)]
            written = [_with_next_due(sight.entry, due) for sight, due in zip(seen, dues, strict=True)]
            there = await write_deliveries(tx, written)
            held = [ticket for sight in seen for ticket in await self._untold(tx, sight.entry)]
        self._source.hold(held)
        return [
            QueueItem(entry.key, entry.ref, news.rank, news.seq, entry.due_at)
            if news and (entry.key, entry.ref) in there
            else None
            for entry, news in zip(written, more, strict=True)
        ]

    async def why(self, chat_id: int, message_id: int) -> MessageExplanation | None:
        """What a message of a chat tells, and how that news stands for it; None where it is no alert, or was forgotten."""
        async with self.db.transaction() as tx:
            entry = await find_delivery(tx, chat_id, message_id)
            await self._refresh(tx, [entry.key] if entry else ())
            news = await self._known.latest(tx, entry.key) if entry else None
            if entry is None or news is None:
                return None
            chat = await repository.read_chat(tx, entry.ref)
            now = self._earlier.seen(news, chat.delay if chat else 0, self._clock.now().timestamp())
            return MessageExplanation(
                entry, now, await read_digest_lines(tx, news, entry), as_reply=entry.message_id != message_id
            )

    async def waiting(self) -> int:
        """How many entries wait to be sent."""
        async with self.db.transaction() as tx:
            return await repository.count_waiting(tx)

    async def prune(self, keep: dt.timedelta) -> int:
        """Erase what is older than `keep`; how many entries."""
        async with self.db.transaction() as tx:
            gone = await repository.delete_before(tx, self._clock.now() - keep)
        self._known.clear()
        return gone

    def recover(self) -> None:
        """Look through the whole database at the next `take`: chats were resumed or moved."""
        self._source.recover()
        self.on_put()

    async def _put(self, tx: Transaction, known: NewsItem | None, group: Sequence[Alert], now: dt.datetime) -> list[NewsItem]:
        revised = revise(known, group)
        if revised is None:
            log.debug("alert_not_new", fixture=group[0].key.fixture_id, action=group[0].key.action_id, seq=group[0].seq)
            return []
        news = revised.news
        late = bool(news.fired) and all(is_expired(news, alert, now) for alert in news.fired)
        news = msgspec.structs.replace(news, missed=news.missed or late)
        if known is None:
            await repository.add_news(tx, news, FanoutProgress(first_done=late, told_done=True), now)
            return [news]
        before = await repository.read_fanout_progress(tx, news.key)
        done = late or not news.fired or bool(news.summary) or (before.first_done and not revised.anew)
        spread = FanoutProgress(None if revised.anew else before.first, done)
        await repository.replace_news(tx, news, spread, now)
        return [news, *await self._renew(tx, news, group, now)]

    async def _renew(self, tx: Transaction, news: NewsItem, group: Sequence[Alert], now: dt.datetime) -> list[NewsItem]:
        """The summaries that told this news show what became of it."""
        changed = []
        for summary in (*await digest_store.digests_containing(tx, news.key), *await bursts_containing(tx, news.key)):
            again = renew_digest(summary, group, now)
            before = await repository.read_fanout_progress(tx, summary.key)
            await repository.replace_news(tx, again, msgspec.structs.replace(before, told=None, told_done=False), now)
            changed.append(again)
        return changed

    def _take_in(self, changed: Sequence[NewsItem]) -> None:
        now = self._clock.now().timestamp()
        for news in (msgspec.structs.replace(news, put_at=now) for news in changed):
            if received := news.candidates[0].received:
                _OUTBOX_LATENCY.observe(max(0.0, now - received))
            self._earlier.add(news, now)
            self._known.add(news)
            self._source.add(news)
        if changed:
            self.on_put()

    async def _refresh(self, tx: Transaction, keys: Collection[AlertKey], *, hold: bool = False) -> None:
        """Know what other processes have changed. `hold`: what is written of chats now is not passed by a revision."""
        if self._source.shared:
            for news, changed_at in await self._known.refresh(tx, keys, hold=hold):
                self._earlier.add(news, changed_at)

    async def _job(self, tx: Transaction, entry: Delivery, chat: Chat) -> DeliveryContext | None:
        news = await self._known.latest(tx, entry.key)
        if news is None:
            return None
        if is_burst(entry.key):
            now = self._clock.now().timestamp()
            return await load_burst_context(tx, entry, news, chat, lambda line: self._earlier.seen(line, chat.delay, now))
        lines = await self._lines(tx, news, entry) if news.lines else ()
        news = self._earlier.seen(news, chat.delay, self._clock.now().timestamp())
        return DeliveryContext(entry, news, chat, not entry.told and await is_announced_elsewhere(tx, news, entry.ref), lines)

    async def _with_tastes(self, tx: Transaction, found: DeliveriesWithChats) -> DeliveriesWithChats:
        """The same, with each chat as it hears its match; one query for each piece of news that chats with tastes wait for."""
        tasted: defaultdict[AlertKey, list[Chat]] = defaultdict(list)
        for (key, _), (_, chat) in found.items():
            if chat.tasted and not is_burst(key):
                tasted[key].append(chat)
        for key, chats in tasted.items():
            news = await self._known.latest(tx, key)
            for chat in await load_recipients(tx, news.candidates[0].fixture, chats) if news else ():
                found[key, chat.ref] = found[key, chat.ref][0], chat
        return found

    async def _left(self, tx: Transaction, entry: Delivery) -> NewsItem | None:
        """The news of which there is more to send; None where all was."""
        news = await self._known.latest(tx, entry.key)
        waits = entry.told or entry.reason == Reason.UNNAMED
        return news if news and (has_follow_up(entry) or (waits and news.seq > entry.seq)) else None

    def _due(self, sight: DeliveryResult, more: NewsItem | None) -> float | None:
        """When what follows is sent: a reply or a pin at once, a revision after the chat's delay; None where nothing does."""
        now = self._clock.now().timestamp()
        if more is None or has_follow_up(sight.entry):
            return None if more is None else now
        return self._earlier.due(more, sight.entry.seq, sight.delay, now)

    async def _untold(self, tx: Transaction, entry: Delivery) -> list[QueueItem]:
        """Note what was too old, and what quiet hours hold, for a summary."""
        if is_burst(entry.key) and entry.reason != Reason.EXPIRED:
            await supersede_unsent_lines(tx, entry)
        if entry.told and entry.reason not in (Reason.EXPIRED, Reason.HELD):
            return []
        if entry.reason == Reason.EXPIRED:
            if is_burst(entry.key):
                await expire_burst_lines(tx, entry)
            else:
                await repository.mark_missed(tx, entry.key)
            self._known.forget(entry.key)
        chat, now = await repository.read_chat(tx, entry.ref) if entry.reason == Reason.HELD else None, self._clock.now()
        news, end = await self._known.latest(tx, entry.key), chat.held_until(now) if chat else None
        tickets = await hold_for_quiet_hours(tx, news, {entry.ref: end}, now) if news and end else []
        self._forget_summaries(tickets)
        return tickets

    def _forget_summaries(self, tickets: Sequence[QueueItem]) -> None:
        """Quiet hours may have held more: their summaries are read anew."""
        for key in {ticket.key for ticket in tickets if ticket.key.action_id.startswith(f"{QUIET_HOURS_DIGEST}:")}:
            self._known.forget(key)

    async def _lines(self, tx: Transaction, news: NewsItem, entry: Delivery) -> tuple[NewsItem, ...]:
        keys = [AlertKey(news.key.fixture_id, action) for action in news.lines]
        told = await repository.read_news(tx, keys)
        seen = [e for key in keys for e in (await repository.read_deliveries(tx, key, [entry.ref])).values()]
        return select_lines(entry, [told[key] for key in keys if key in told], seen)


def _with_next_due(entry: Delivery, due: float | None) -> Delivery:
    """The entry as it is kept, with when more is due."""
    if due is None:
        return msgspec.structs.replace(entry, status=DeliveryStatus.DONE if entry.told else DeliveryStatus.DROPPED)
    return msgspec.structs.replace(entry, status=DeliveryStatus.WAITING, due_at=due)


class StoredLiveMessage(msgspec.Struct, frozen=True):
    """What is kept now; `changed` is false where it stood so already and only chats that were not reached are looked for."""

    news: NewsItem
    changed: bool


async def store_live_message(tx: Transaction, alert: Alert, now: dt.datetime, *, begin: bool) -> StoredLiveMessage | None:
    """Keep how it stands; None where there is nothing to tell. Its number follows the one that is known, whatever its own.

    With `begin` the walk over those who were not told begins anew, so that a chat that has asked for it since gets it.
    """
    await repository.lock_fixture_news(tx, [alert.key.fixture_id])
    known = (await repository.read_news(tx, [alert.key], write=True)).get(alert.key)
    if known is None and not begin:
        return None
    if known is not None and looks_same(known.candidates[0], alert):
        if not begin:
            return None
        spread = await repository.read_fanout_progress(tx, alert.key)
        await repository.write_fanout_progress(tx, alert.key, msgspec.structs.replace(spread, first=None, first_done=False))
        return StoredLiveMessage(known, changed=False)
    seq = alert.seq if known is None else max(alert.seq, known.seq + 1)
    revised = revise(known, [msgspec.structs.replace(alert, seq=seq)])
    if revised is None or (known is None and is_expired(revised.news, alert, now)):
        return None
    if known is None:
        await repository.add_news(tx, revised.news, FanoutProgress(told_done=True), now)
    else:
        await repository.replace_news(tx, revised.news, FanoutProgress(first_done=not begin), now)
    return StoredLiveMessage(revised.news, changed=True)


async def is_live_message_wanted(tx: Transaction, fixture: Fixture) -> bool:
    """Tell whether some chat asks for the card or the pictures of a match, or has one: it is kept true."""
    if await tx.fetch(select_live_message_chats(fixture, None, 1)):
        return True
    return bool(await repository.read_revision_stamps(tx, [AlertKey(fixture.id, name) for name in LIVE_MESSAGE_IDS]))


def looks_same(one: Alert, other: Alert) -> bool:
    """Tell whether a reader sees no difference."""
    return (one.text, one.texts, one.timeline, one.over) == (other.text, other.texts, other.timeline, other.over)


def make_sample_alert(ref: ChatRef, name: str, texts: Mapping[str, str], now: dt.datetime) -> Alert:
    """News for one chat, its text by language; the same name makes the same key, so that one request tells it once."""
    key = AlertKey(SAMPLE, f"{ref.chat_id}:{ref.topic}:{name}")
    return Alert(key, 1, State.CONFIRMED, now, Fixture(SAMPLE), Facts(), rule=SAMPLE, kind=SAMPLE, text=texts["en"], texts=texts)
