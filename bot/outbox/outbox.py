"""The way in: alerts are committed, digests are renewed, match cards are kept up to date."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

import msgspec
import structlog

from bot.clock import Clock
from bot.outbox import news_store, repository
from bot.outbox.decide import is_expired
from bot.outbox.delivery import Delivery, QueueItem
from bot.outbox.depth import count_waiting
from bot.outbox.digest_store import read_digests_containing, read_state_news
from bot.outbox.digests import make_missed_digest, renew_digest
from bot.outbox.match_states import make_state_news, read_match_states, renew_state_news, store_match_state
from bot.outbox.news import SAMPLE, NewsItem, NewsRevision, find_state, revise
from bot.outbox.news_store import NO_FANOUT, FanoutProgress
from bot.outbox.pruning import delete_batch_before, delete_matches_before
from bot.outbox.queue import DeliveryQueue
from bot.outbox.sources import QueueSource
from bot.storage.database import Database
from bot.storage.driver import Transaction
from bot.storage.subscriptions import read_live_message_chats
from bot.subscribers import ChatRef
from rules.engine.alert import LIVE_MESSAGE_IDS, Alert, AlertKey, Facts, Importance, State
from rules.football.action import Fixture
from rules.football.match import Match

log = structlog.get_logger()

_PRUNE_BATCH, _PRUNE_PAUSE = 500, 0.01
"""Deliveries that are deleted in one transaction, which takes a few milliseconds, and seconds until the next one begins."""


class Outbox:
    """Stores alerts until every chat has them. What was put is committed when the call returns, and survives a kill.

    Who gets an alert is decided later, page by page (`fanout`); a sender takes what waits from `queue`.
    """

    def __init__(self, database: Database, clock: Clock, source: QueueSource | None = None) -> None:
        """`source` is where queue items come from: a SharedSource if processes share the database, None for memory alone."""
        self._database, self._clock = database, clock
        self.queue = DeliveryQueue(database, clock, source)

    async def put(self, alerts: Sequence[Alert], match: Match | None = None) -> None:
        """Commit alerts. Those of one key are alternatives; revisions that are not newer than what is stored are left out.

        `match` is how their match stands after them, if that has changed.
        """
        now = self._clock.now()
        async with self._database.transaction() as tx:
            # The match is locked before its news is read: a SELECT FOR UPDATE cannot lock rows that do not exist yet, and
            # two processes would both insert the first revision.
            matches = {match.fixture.id} if match else set()
            await news_store.lock_fixture_news(tx, {alert.key.fixture_id for alert in alerts} | matches)
            stored = await news_store.read_news(tx, {alert.key for alert in alerts}, for_update=True)
            changed = []
            unreadable = news_store.list_unreadable_news(tx)
            for key, group in groupby(alerts, key=lambda alert: alert.key):
                if row := unreadable.get(key):
                    changed += await _replace_unreadable(tx, row["seq"], list(group), now)
                else:
                    changed += await _store_revision(tx, stored.get(key), list(group), now)
            # With the alerts, so that no summary can leave with the score of before.
            if match and await store_match_state(tx, match, now):
                # Every message that shows the state of the match is revised, unless it was just now.
                renewed = {news.key for news in changed}
                shown = [renew_state_news(news) for news in await read_state_news(tx, match.fixture.id)]
                await _replace_for_notified(tx, shown, now)
                changed += [news for news in shown if news.key not in renewed]
            await self.queue.source.notify_news(tx, [news.key for news in changed])
        # After the commit: what a sender takes from memory must be in the database already.
        self.queue.accept(changed)

    async def put_for_chat(self, ref: ChatRef, alert: Alert, delay: int = 0, *, is_known: bool = False) -> None:
        """Commit an alert for one chat alone, whatever it follows, due after `delay` seconds. Does nothing if it is stored.

        `is_known`: the chat was told already in another way. Nothing is sent, now or when the same alert is put again.
        """
        revision, now = revise(None, [alert]), self._clock.now()
        is_loud = alert.importance is Importance.MAJOR
        async with self._database.transaction() as tx:
            await news_store.lock_fixture_news(tx, [alert.key.fixture_id])
            if revision is None or await news_store.read_revision_stamps(tx, [alert.key]):
                return
            delivery = Delivery(alert.key, ref, due_at=now.timestamp() + delay, rule=alert.rule, next_is_loud=is_loud)
            await news_store.add_news(tx, revision.news, NO_FANOUT, now)
            if is_known:
                return
            await repository.add_deliveries(tx, [delivery])
            await self.queue.source.notify_deliveries(tx)
        self.queue.add_items([QueueItem(alert.key, ref, revision.news.priority, alert.seq, delivery.due_at, is_loud)])

    async def put_match_state(self, ref: ChatRef, match: Match, name: str, delay: int = 0) -> None:
        """Put a message with the state of a match for one chat, due in `delay` seconds. A repeated `name` does nothing.

        The score is read when the message is sent, and the message is corrected if a goal in it is retracted.
        """
        now = self._clock.now()
        news = make_state_news(ref, match, name, now)
        delivery = Delivery(news.key, ref, due_at=now.timestamp() + delay)
        async with self._database.transaction() as tx:
            await news_store.lock_fixture_news(tx, [news.key.fixture_id])
            if await news_store.read_revision_stamps(tx, [news.key]):
                return
            # What no packet has changed since an upgrade is not stored yet.
            if not await read_match_states(tx, match.fixture.id):
                await store_match_state(tx, match, now)
            await news_store.add_news(tx, news, NO_FANOUT, now)
            await repository.add_deliveries(tx, [delivery])
            await self.queue.source.notify_deliveries(tx)
        self.queue.add_items([QueueItem(news.key, ref, news.priority, news.seq, delivery.due_at)])

    async def put_live(self, alert: Alert, *, reach_new_chats: bool = True) -> None:
        """Commit how a match stands now: its card or a picture.

        If it looks the same as what is stored, only chats that subscribed since are looked for. Without `reach_new_chats`
        nobody new gets it, and only what was sent is corrected.
        """
        now = self._clock.now()
        async with self._database.transaction() as tx:
            stored = await store_live_message(tx, alert, now, reach_new_chats=reach_new_chats)
            if stored:
                await self.queue.source.notify_news(tx, [alert.key])
        if stored and stored.is_changed:
            self.queue.accept([stored.news])
        elif stored:
            # This is no revision: chats that have the card get nothing, and the delayed view must not record it.
            self.queue.continue_fanout(stored.news)

    async def is_live_message_wanted(self, fixture: Fixture) -> bool:
        """Return True if some chat wants the card or the pictures of a match, or has one that must be kept up to date."""
        async with self._database.transaction() as tx:
            if await read_live_message_chats(tx, fixture, None, 1):
                return True
            keys = [AlertKey(fixture.id, action_id) for action_id in LIVE_MESSAGE_IDS]
            return bool(await news_store.read_revision_stamps(tx, keys))

    async def read_fired_rules(self, fixture_id: str) -> dict[str, set[str]]:
        """Return the names of the rules that fired in a match, by action id."""
        async with self._database.transaction() as tx:
            return await news_store.read_fired_rules(tx, fixture_id)

    async def read_numbers(self, keys: Collection[AlertKey]) -> dict[AlertKey, int]:
        """Return the number of the latest stored revision of each key that is stored."""
        async with self._database.transaction() as tx:
            stamps = await news_store.read_revision_stamps(tx, keys)
        return {key: seq for key, (seq, _) in stamps.items()}

    async def summarise_missed(self, fixture_id: str, *, is_late_join: bool = False) -> None:
        """Put one digest of the alerts of a match that still stand and were too old to be sent when they came.

        `is_late_join`: the match was not followed before, so nothing was missed by a lost connection and the title differs.
        """
        now = self._clock.now()
        async with self._database.transaction() as tx:
            await news_store.lock_fixture_news(tx, [fixture_id])
            if not await news_store.has_missed_news(tx, fixture_id):
                return
            stored = await news_store.read_fixture_news(tx, fixture_id)
            digest = make_missed_digest(stored, now, is_late_join=is_late_join)
            if digest is None:
                return
            for news in stored:
                if news.key.action_id in digest.line_ids:
                    # It is in the digest now: no chat that has not seen it gets it by itself any more.
                    progress = await news_store.read_fanout_progress(tx, news.key)
                    progress = msgspec.structs.replace(progress, new_chats_done=True)
                    line = msgspec.structs.replace(news, digest_id=digest.key.action_id)
                    await news_store.replace_news(tx, line, progress, now)
                    # The cached item does not know yet that a digest contains it.
                    self.queue.forget(news.key)
            await news_store.add_news(tx, digest, FanoutProgress(notified_chats_done=True), now)
            await self.queue.source.notify_news(tx, [digest.key])
        log.info("missed_alerts_summarised", fixture=fixture_id, count=len(digest.line_ids))
        self.queue.accept([digest])

    async def count_waiting(self) -> int:
        """Return how many deliveries wait to be sent, those of suspended chats included."""
        async with self._database.transaction() as tx:
            return await count_waiting(tx)

    async def prune(self, max_age: dt.timedelta) -> int:
        """Delete news that was not revised for `max_age`, with its deliveries. Return how many deliveries were deleted.

        In small transactions: alerts leave meanwhile, however much there is to delete.
        """
        before, deleted, has_more = self._clock.now() - max_age, 0, True
        while has_more:
            async with self._database.transaction() as tx:
                in_batch, has_more = await delete_batch_before(tx, before, _PRUNE_BATCH)
            deleted += in_batch
            await asyncio.sleep(_PRUNE_PAUSE)
        async with self._database.transaction() as tx:
            await delete_matches_before(tx, before, self._clock.now())
        self.queue.forget_all()
        return deleted


async def _store_revision(
    tx: Transaction, previous: NewsItem | None, alerts: Sequence[Alert], now: dt.datetime
) -> list[NewsItem]:
    """Store a revision of one action. Return all news that changed: the action's own, and digests that contain it."""
    revision = revise(previous, alerts)
    if revision is None:
        log.debug("alert_not_new", fixture=alerts[0].key.fixture_id, action=alerts[0].key.action_id, seq=alerts[0].seq)
        return []
    news, fired = revision.news, revision.news.firing_alternatives
    # What is too old for every chat is not sent by itself: `summarise_missed` makes it part of a digest.
    is_late = bool(fired) and all(is_expired(news, alert, now) for alert in fired)
    news = msgspec.structs.replace(news, is_missed=news.is_missed or is_late)
    if previous is None:
        await news_store.add_news(tx, news, FanoutProgress(new_chats_done=is_late, notified_chats_done=True), now)
        return [news]
    await news_store.replace_news(tx, news, await _find_progress_after(tx, revision, is_late=is_late), now)
    return [news, *await _renew_digests(tx, news.key, alerts, now)]


async def _replace_unreadable(tx: Transaction, seq: object, alerts: Sequence[Alert], now: dt.datetime) -> list[NewsItem]:
    """Store a revision of news of which only the number can still be read. Chats that have its message get the revision.

    The same revision replaces it too, as when the match is read again after a restart.
    """
    first = alerts[0]
    if isinstance(seq, int) and first.seq < seq:
        return []
    news = NewsItem(first.key, first.seq - 1, find_state(alerts), tuple(alerts))
    revision = revise(news, alerts)
    if revision is None:
        return []
    # Nobody knows which chats were reached: all are asked, and those that have the message are not sent another.
    progress = FanoutProgress(new_chats_done=not revision.news.firing_alternatives)
    await news_store.replace_news(tx, revision.news, progress, now)
    return [revision.news, *await _renew_digests(tx, first.key, alerts, now)]


async def _find_progress_after(tx: Transaction, revision: NewsRevision, *, is_late: bool) -> FanoutProgress:
    """Return where the fan-out of a revision starts: chats that have the message always get it, new ones not always."""
    before = await news_store.read_fanout_progress(tx, revision.news.key)
    # News in a digest of missed alerts reaches new chats by that digest. The walk over chats that have it always starts:
    # corrections are for them, whatever rules fire now.
    nobody_new = is_late or not revision.news.firing_alternatives or bool(revision.news.digest_id)
    if revision.restarts_fanout:
        return FanoutProgress(None, nobody_new)
    return FanoutProgress(before.last_new_chat, nobody_new or before.new_chats_done)


async def _renew_digests(tx: Transaction, key: AlertKey, alerts: Sequence[Alert], now: dt.datetime) -> list[NewsItem]:
    """Revise the digests that contain an action, so that their messages show what became of it."""
    digests = [renew_digest(digest, alerts, now) for digest in await read_digests_containing(tx, key)]
    await _replace_for_notified(tx, digests, now)
    return digests


async def _replace_for_notified(tx: Transaction, revisions: Sequence[NewsItem], now: dt.datetime) -> None:
    """Store revisions that all chats get that have the message. The walk over the others goes on where it was."""
    for news in revisions:
        before = await news_store.read_fanout_progress(tx, news.key)
        progress = msgspec.structs.replace(before, last_notified_chat=None, notified_chats_done=False)
        await news_store.replace_news(tx, news, progress, now)


class StoredLiveMessage(msgspec.Struct, frozen=True):
    """A card or a picture as it is stored now.

    `is_changed` is False if it looked the same before: then only chats that were not reached are looked for.
    """

    news: NewsItem
    is_changed: bool


async def store_live_message(
    tx: Transaction, alert: Alert, now: dt.datetime, *, reach_new_chats: bool
) -> StoredLiveMessage | None:
    """Store how a match stands. Return None if there is nothing to send. `reach_new_chats`: see `Outbox.put_live`."""
    await news_store.lock_fixture_news(tx, [alert.key.fixture_id])
    previous = (await news_store.read_news(tx, [alert.key], for_update=True)).get(alert.key)
    if previous is None and not reach_new_chats:
        return None
    if previous is not None and looks_same(previous.alternatives[0], alert):
        if not reach_new_chats:
            return None
        # The walk over the chats starts again: who subscribed since gets the card as it is.
        progress = await news_store.read_fanout_progress(tx, alert.key)
        progress = msgspec.structs.replace(progress, last_new_chat=None, new_chats_done=False)
        await news_store.write_fanout_progress(tx, alert.key, progress)
        return StoredLiveMessage(previous, is_changed=False)
    # A revision needs a higher number than the one before it, whatever number the card was made with.
    seq = alert.seq if previous is None else max(alert.seq, previous.seq + 1)
    revision = revise(previous, [msgspec.structs.replace(alert, seq=seq)])
    if revision is None or (previous is None and is_expired(revision.news, alert, now)):
        return None
    if previous is None:
        await news_store.add_news(tx, revision.news, FanoutProgress(notified_chats_done=True), now)
    else:
        await news_store.replace_news(tx, revision.news, FanoutProgress(new_chats_done=not reach_new_chats), now)
    return StoredLiveMessage(revision.news, is_changed=True)


def looks_same(one: Alert, other: Alert) -> bool:
    """Return True if a reader sees no difference between two cards or pictures."""

    def what_shows(alert: Alert) -> tuple[object, ...]:
        return alert.text, alert.texts, alert.rich_texts, alert.timeline, alert.is_match_over

    return what_shows(one) == what_shows(other)


def make_sample_alert(ref: ChatRef, name: str, texts: Mapping[str, str], now: dt.datetime) -> Alert:
    """Make the alert that `/test` sends to one chat, with its text by language.

    The same name makes the same key, so that a request that arrives twice sends one message.
    """
    key = AlertKey(SAMPLE, f"{ref.chat_id}:{ref.topic}:{name}")
    return Alert(key, 1, State.CONFIRMED, now, Fixture(SAMPLE), Facts(), rule=SAMPLE, kind=SAMPLE, text=texts["en"], texts=texts)


def make_notice(ref: ChatRef, name: str, texts: Mapping[str, str], now: dt.datetime, max_age: float) -> Alert:
    """Make a silent message for one chat that is no alert, with its text by language; the same name makes the same key.

    After `max_age` seconds it is not sent any more.
    """
    sample = make_sample_alert(ref, name, texts, now)
    return msgspec.structs.replace(sample, importance=Importance.MINOR, max_age=max_age)
