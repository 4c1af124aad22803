"""Reaches the chats of a news item page by page, fairly between matches.

Two walks over the chats make up a fan-out: over those that do not have the news, and over those that do.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import count

import msgspec
import structlog

from bot.clock import Clock
from bot.metrics import DECISIONS
from bot.outbox import news_store, repository
from bot.outbox.decide import Decision, choose_first_alert, decide
from bot.outbox.delivery import Delivery, DeliveryStatus, QueueItem, Reason
from bot.outbox.digest_store import hold_for_burst, hold_for_quiet_hours, open_burst_windows
from bot.outbox.news import LEAST_URGENT_PRIORITY, NewsItem
from bot.outbox.news_store import FanoutProgress
from bot.storage.driver import Transaction
from bot.subscribers import ChatRef, Recipient
from rules.engine.alert import AlertKey

log = structlog.get_logger()

# Small, because SQLite has a single writer: what Telegram has answered must be committed between two pages.
PAGE_SIZE = 200
"""Chats that one transaction reaches."""

FIRST_PAGE_SIZE = 32
"""Chats that the first transaction of a walk reaches: they need not wait until hundreds are read and stored."""

_FAIRNESS_INTERVAL = 8
"""Every eighth page goes to the match that waited longest, however urgent the others are: none starves."""


class Fanout:
    """Knows which news has chats left to reach, and which is next: by priority, then each match in turn, then in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._unfinished: dict[AlertKey, tuple[NewsItem, int]] = {}
        self._served: dict[str, int] = {}
        """By match, the number of its last page."""
        self._sequence = count(1)
        self._pages = 0

    @property
    def has_work(self) -> bool:
        """Return True if some news has chats left to reach."""
        return bool(self._unfinished)

    @property
    def has_urgent_work(self) -> bool:
        """Return True if some urgent news has chats left to reach."""
        return any(news.priority <= LEAST_URGENT_PRIORITY for news, _ in self._unfinished.values())

    def add(self, news: NewsItem) -> None:
        """Add news, or its revision, that may have chats to reach. A revision keeps the place of the news."""
        # A revision does not go to the back of the line: the chats that were not reached yet get it at once.
        _, order = self._unfinished.get(news.key, (news, next(self._sequence)))
        self._unfinished[news.key] = (news, order)

    def replace_all(self, unfinished: Collection[NewsItem]) -> None:
        """Take over which news is unfinished, as it is stored now. What stays keeps its place."""
        for key in self._unfinished.keys() - {news.key for news in unfinished}:
            del self._unfinished[key]
        for news in unfinished:
            self.add(news)

    async def reach_next_page(self, tx: Transaction, *, urgent_only: bool = False) -> list[QueueItem]:
        """Reach the next chats of the next news, or of the most urgent one. Return what waits for them."""
        news = self._choose_news(urgent_only=urgent_only)
        progress, items = await reach_next_chats(tx, news, self._clock.now())
        if progress.is_complete:
            del self._unfinished[news.key]
        return items

    def _choose_news(self, *, urgent_only: bool) -> NewsItem:
        def by_urgency(entry: tuple[NewsItem, int]) -> tuple[int, int, int]:
            return entry[0].priority, self._served.get(entry[0].key.fixture_id, 0), entry[1]

        def by_waiting(entry: tuple[NewsItem, int]) -> tuple[int, int, int]:
            return self._served.get(entry[0].key.fixture_id, 0), entry[0].priority, entry[1]

        self._pages += 1
        # Not for urgent pages: they are asked for because a goal must not wait.
        order = by_waiting if self._pages % _FAIRNESS_INTERVAL == 0 and not urgent_only else by_urgency
        news, _ = min(self._unfinished.values(), key=order)
        self._served[news.key.fixture_id] = next(self._sequence)
        return news


async def reach_next_chats(tx: Transaction, news: NewsItem, now: dt.datetime) -> tuple[FanoutProgress, list[QueueItem]]:
    """Reach the next page of chats: first those without the news, then those that have it.

    Return how far the fan-out has come, and what waits for these chats.
    """
    progress = await news_store.read_fanout_progress(tx, news.key, for_fanout=True)
    items: list[QueueItem] = []
    if not progress.new_chats_done:
        progress, items = await _reach_new_chats(tx, news, progress, now)
    elif not progress.notified_chats_done:
        after = progress.last_notified_chat
        items, last = await repository.queue_next_notified_chats(tx, news, after, _page_size(after), now)
        progress = msgspec.structs.replace(progress, last_notified_chat=last, notified_chats_done=last is None)
    await news_store.write_fanout_progress(tx, news.key, progress)
    return progress, items


def _page_size(after: ChatRef | None) -> int:
    return PAGE_SIZE if after else FIRST_PAGE_SIZE


async def _reach_new_chats(
    tx: Transaction, news: NewsItem, progress: FanoutProgress, now: dt.datetime
) -> tuple[FanoutProgress, list[QueueItem]]:
    """Decide for the next followers that do not have the news."""
    after = progress.last_new_chat
    recipients, last = await repository.read_next_followers(tx, news, after, _page_size(after))
    # Chats may have a delivery already: from a walk that a kill cut off, or because they were reached by an earlier revision.
    known = await repository.read_deliveries(tx, news.key, [recipient.chat.ref for recipient in recipients])
    decided = _decide_for_all(news, recipients, known, now)
    # A revision may be graver than the one that waits: yellow becomes red before the chat got its yellow.
    louder = [
        delivery
        for recipient in recipients
        if (delivery := known.get(recipient.chat.ref)) and _became_loud(delivery, news, recipient)
    ]
    await repository.make_waiting_loud(tx, news.key, [delivery.chat for delivery in louder])
    # In the transaction of the progress: a kill in between reaches each chat of the page once, not twice and not never.
    made = [first for recipient, decision in decided if (first := _make_first_delivery(news, recipient, decision, now))]
    await repository.add_deliveries(tx, made)
    await _report_decisions(tx, news, [decision for _, decision in decided])

    items = [
        QueueItem(news.key, delivery.chat, news.priority, news.seq, delivery.due_at, delivery.next_is_loud)
        for delivery in made
        if delivery.status is DeliveryStatus.WAITING
    ]
    items += [QueueItem(news.key, delivery.chat, news.priority, news.seq, delivery.due_at, is_loud=True) for delivery in louder]
    held = {
        recipient.chat.ref: end
        for recipient, decision in decided
        if decision.reason is Reason.HELD_FOR_QUIET_HOURS and (end := recipient.chat.quiet_hold_ends_at(now))
    }
    # After the deliveries, in the same order everywhere: locks on news follow locks on deliveries.
    items += await hold_for_quiet_hours(tx, news, held, now)
    if not news.is_live_message:
        # When the message is stored and not when it leaves: what comes in the same second must already find the window open.
        notified = [recipient.chat for recipient, decision in decided if decision.is_visible]
        await open_burst_windows(tx, notified, now.timestamp())
    in_burst = [recipient.chat for recipient, decision in decided if decision.reason is Reason.HELD_FOR_BURST]
    loud_refs = {delivery.chat for delivery in made if delivery.is_loud}
    items += await hold_for_burst(tx, news, in_burst, now, loud_refs)
    return msgspec.structs.replace(progress, last_new_chat=last, new_chats_done=last is None), items


def _decide_for_all(
    news: NewsItem, recipients: Sequence[Recipient], known: Mapping[ChatRef, Delivery], now: dt.datetime
) -> list[tuple[Recipient, Decision]]:
    """Decide for the recipients that were not notified. One for whom that fails is left out: the others must get the news."""
    decided = []
    for recipient in recipients:
        delivery = known.get(recipient.chat.ref)
        try:
            if _is_unnotified(delivery) and not _is_in_burst(delivery, news, recipient):
                decided.append((recipient, decide(delivery, news, recipient, now)))
        except Exception as error:
            facts = {"fixture": news.key.fixture_id, "action": news.key.action_id, "chat": recipient.chat.ref.chat_id}
            log.exception("chat_not_decided", **facts, reason=repr(error))
    return decided


async def _report_decisions(tx: Transaction, news: NewsItem, decisions: Sequence[Decision]) -> None:
    """Log and count the decisions of one page, and note if the news was too old for some chat."""
    # Chats that want cards are searched again and again, and most have theirs: that is no decision to report.
    reasons = Counter(d.reason.value for d in decisions if not (news.is_live_message and d.reason is Reason.NOT_WANTED))
    if reasons[Reason.EXPIRED]:
        await news_store.mark_missed(tx, news.key)
    if reasons or not news.is_live_message:
        # By the page, of which a broadcast has hundreds: too much for every day.
        facts = {"fixture": news.key.fixture_id, "action": news.key.action_id, "state": news.state.value}
        log.debug("alert_decided", trace_id=news.key.trace_id, **facts, **reasons)
    for reason, times in reasons.items():
        # What is sent is counted when it is sent, by the decision made then.
        if reason not in (Reason.FIRST, Reason.DELAYED):
            DECISIONS.labels(reason).inc(times)


def _is_unnotified(delivery: Delivery | None) -> bool:
    return delivery is None or (delivery.status is DeliveryStatus.DROPPED and not delivery.is_sent)


def _became_loud(delivery: Delivery, news: NewsItem, recipient: Recipient) -> bool:
    """Return True if the first message still waits among silent ones, and the news is loud now."""
    waits = delivery.status is DeliveryStatus.WAITING and not delivery.is_sent and not delivery.next_is_loud
    return waits and not news.line_ids and _is_loud(news, recipient)


def _is_loud(news: NewsItem, recipient: Recipient) -> bool:
    """Return True if a first message about the news is loud in this chat."""
    alert = choose_first_alert(news, recipient)
    return alert is not None and recipient.is_alert_loud(alert)


def _is_in_burst(delivery: Delivery | None, news: NewsItem, recipient: Recipient) -> bool:
    """Return True if this news is, or was, part of a burst in this chat. What has become more severe since is news again."""
    if delivery is None or delivery.reason != Reason.HELD_FOR_BURST:
        return False
    alert = choose_first_alert(news, recipient)
    return alert is None or alert.rule == delivery.rule or alert.severity <= delivery.severity


def _make_first_delivery(news: NewsItem, recipient: Recipient, decision: Decision, now: dt.datetime) -> Delivery | None:
    """Return the delivery to store for a decision. None if nothing is stored: the news is too old, or not wanted."""
    reason = decision.reason.value
    if decision.alert is not None:
        delay = recipient.chat.delay if not news.line_ids else 0
        due_at = now.timestamp() + delay
        is_loud = _is_loud(news, recipient)
        return Delivery(
            news.key, recipient.chat.ref, reason=reason, due_at=due_at, rule=decision.alert.rule, next_is_loud=is_loud
        )
    if decision.reason is Reason.HELD_FOR_BURST and (alert := choose_first_alert(news, recipient)):
        # Its due time is that of the burst: by this the burst finds what it holds.
        end = recipient.chat.digest_window_ends_at(now.timestamp()) or 0.0
        is_loud = _is_loud(news, recipient)
        return Delivery(
            news.key,
            recipient.chat.ref,
            DeliveryStatus.DROPPED,
            reason,
            due_at=end,
            rule=alert.rule,
            is_loud=is_loud,
            severity=alert.severity,
        )
    # Stored, so that a revision does not ask again, and so that `/why` and corrections know of it.
    if decision.reason in (Reason.MUTED, Reason.HELD_FOR_QUIET_HOURS, Reason.SCORER_UNKNOWN):
        rule = next((a.rule for a in news.firing_alternatives if recipient.accepts(a.kind)), "")
        return Delivery(news.key, recipient.chat.ref, DeliveryStatus.DROPPED, reason, now.timestamp(), rule=rule)
    return None
