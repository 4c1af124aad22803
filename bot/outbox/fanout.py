"""Reaches the chats of a news item page by page, fairly between matches."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import count

import msgspec
import structlog

from bot.clock import Clock
from bot.metrics import DECISIONS
from bot.outbox import repository
from bot.outbox.decide import Decision, choose_first_alert, decide
from bot.outbox.delivery import Delivery, DeliveryStatus, QueueItem, Reason
from bot.outbox.digest_store import hold_for_burst, hold_for_quiet_hours, open_burst_windows
from bot.outbox.news import NewsItem
from bot.outbox.repository import FanoutProgress
from bot.storage.driver import Transaction
from bot.subscribers import Chat
from rules.engine.alert import AlertKey, Importance

log = structlog.get_logger()

PAGE_SIZE = 200

_FAIRNESS_INTERVAL = 8
"""Every so many pages go to the match that waited longest, however urgent the others are: none starves."""


class Fanout:
    """Knows which news has chats left to reach, and whose turn it is: by rank, then each match in turn, in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._unfinished: dict[AlertKey, tuple[NewsItem, int]] = {}
        self._served: dict[str, int] = {}
        self._sequence = count(1)
        self._pages = 0

    @property
    def has_work(self) -> bool:
        """Tell whether some news has chats left to reach."""
        return bool(self._unfinished)

    def add(self, news: NewsItem) -> None:
        """News, or its revision, that may have chats to reach."""
        _, order = self._unfinished.get(news.key, (news, next(self._sequence)))
        self._unfinished[news.key] = (news, order)

    async def reach_next_page(self, tx: Transaction) -> list[QueueItem]:
        """Reach the next chats of the most urgent news: first those who were not told, then those who were."""
        news = self._choose_news()
        progress, items = await reach_next_chats(tx, news, self._clock.now())
        if progress.is_complete:
            del self._unfinished[news.key]
        return items

    def _choose_news(self) -> NewsItem:
        def turn(item: tuple[NewsItem, int]) -> tuple[int, int, int]:
            return item[0].priority, self._served.get(item[0].key.fixture_id, 0), item[1]

        def longest(item: tuple[NewsItem, int]) -> tuple[int, int, int]:
            return self._served.get(item[0].key.fixture_id, 0), item[0].priority, item[1]

        self._pages += 1
        news, _ = min(self._unfinished.values(), key=longest if self._pages % _FAIRNESS_INTERVAL == 0 else turn)
        self._served[news.key.fixture_id] = next(self._sequence)
        return news


async def reach_next_chats(tx: Transaction, news: NewsItem, now: dt.datetime) -> tuple[FanoutProgress, list[QueueItem]]:
    """Reach the next chats of some news; how far it has come, and what waits for them."""
    progress = await repository.read_fanout_progress(tx, news.key, for_fanout=True)
    items: list[QueueItem] = []
    if not progress.new_chats_done:
        progress, items = await _reach_new_chats(tx, news, progress, now)
    elif not progress.notified_chats_done:
        progress, items = await _reach_notified_chats(tx, news, progress, now)
    await repository.write_fanout_progress(tx, news.key, progress)
    return progress, items


async def _reach_new_chats(
    tx: Transaction, news: NewsItem, progress: FanoutProgress, now: dt.datetime
) -> tuple[FanoutProgress, list[QueueItem]]:
    chats, last = await repository.read_next_followers(tx, news, progress.last_new_chat, PAGE_SIZE)
    known = await repository.read_deliveries(tx, news.key, [chat.ref for chat in chats])
    new = [
        chat for chat in chats if _is_unnotified(known.get(chat.ref)) and not _is_held_for_burst(known.get(chat.ref), news, chat)
    ]
    decided = [(chat, decide(known.get(chat.ref), news, chat, now)) for chat in new]
    made = [delivery for delivery in (_make_first_delivery(news, chat, decision, now) for chat, decision in decided) if delivery]
    await repository.add_deliveries(tx, made)
    reasons = Counter(d.reason.value for _, d in decided if not (news.is_live_message and d.reason is Reason.NOT_WANTED))
    if reasons[Reason.EXPIRED]:
        await repository.mark_missed(tx, news.key)
    if reasons or not news.is_live_message:  # those who ask for extras are looked for again and again
        log.info("alert_decided", fixture=news.key.fixture_id, action=news.key.action_id, state=news.state.value, **reasons)
    _count_decisions(reasons)
    items = [_make_item(news, delivery) for delivery in made if delivery.status is DeliveryStatus.WAITING]
    held = {chat.ref: end for chat, d in decided if d.reason is Reason.HELD_FOR_QUIET_HOURS and (end := chat.held_until(now))}
    items += await hold_for_quiet_hours(tx, news, held, now)
    await open_burst_windows(tx, [chat for chat, d in decided if d.is_visible and not news.is_live_message], now.timestamp())
    items += await hold_for_burst(tx, news, [chat for chat, d in decided if d.reason is Reason.HELD_FOR_BURST], now)
    return msgspec.structs.replace(progress, last_new_chat=last, new_chats_done=last is None), items


async def _reach_notified_chats(
    tx: Transaction, news: NewsItem, progress: FanoutProgress, now: dt.datetime
) -> tuple[FanoutProgress, list[QueueItem]]:
    woken, last = await repository.queue_next_notified_chats(tx, news.key, progress.last_notified_chat, PAGE_SIZE, now)
    items = [QueueItem(news.key, ref, news.priority, news.seq, due) for ref, due in woken]
    return msgspec.structs.replace(progress, last_notified_chat=last, notified_chats_done=last is None), items


def _count_decisions(reasons: Counter[str]) -> None:
    """Those that are told are counted when they are."""
    for reason, times in reasons.items():
        if reason not in (Reason.FIRST, Reason.DELAYED):
            DECISIONS.labels(reason).inc(times)


def _is_unnotified(delivery: Delivery | None) -> bool:
    return delivery is None or (delivery.status is DeliveryStatus.DROPPED and not delivery.is_sent)


def _is_held_for_burst(delivery: Delivery | None, news: NewsItem, chat: Chat) -> bool:
    """Tell whether a burst holds, or told, this very news."""
    if delivery is None or delivery.reason != Reason.HELD_FOR_BURST:
        return False
    alert = choose_first_alert(news, chat)
    return alert is None or alert.rule == delivery.rule


def _make_first_delivery(news: NewsItem, chat: Chat, decision: Decision, now: dt.datetime) -> Delivery | None:
    """The entry that a decision makes; what is too old or not wanted leaves none."""
    if decision.alert is not None:
        delay = chat.delay if not news.line_ids else 0
        return Delivery(
            news.key, chat.ref, reason=decision.reason.value, due_at=now.timestamp() + delay, rule=decision.alert.rule
        )
    if decision.reason is Reason.HELD_FOR_BURST and (alert := choose_first_alert(news, chat)):
        delivery = Delivery(
            news.key, chat.ref, DeliveryStatus.DROPPED, decision.reason.value, chat.burst_end(now.timestamp()) or 0.0
        )
        rings = chat.sounds(alert.kind, important=alert.importance is Importance.MAJOR)
        return msgspec.structs.replace(delivery, rule=alert.rule, is_loud=rings)
    if decision.reason in (Reason.MUTED, Reason.HELD_FOR_QUIET_HOURS, Reason.SCORER_UNKNOWN):
        rule = next((a.rule for a in news.firing_alternatives if chat.takes(a.kind)), "")
        return Delivery(news.key, chat.ref, DeliveryStatus.DROPPED, decision.reason.value, now.timestamp(), rule=rule)
    return None


def _make_item(news: NewsItem, delivery: Delivery) -> QueueItem:
    return QueueItem(news.key, delivery.chat, news.priority, news.seq, delivery.due_at)
