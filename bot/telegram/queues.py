"""A queue for each chat, the most urgent chat first; pure.

Times are those of the monotonic clock, in seconds, and given by the caller.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from itertools import count

import msgspec

from bot.outbox.delivery import QueueItem
from bot.outbox.digests import is_quiet_hours_digest
from bot.outbox.news import LIVE_MESSAGE_PRIORITY, is_burst
from bot.subscribers import ChatRef
from bot.telegram.rate_limits import RateLimitPolicy
from rules.engine.alert import AlertKey

FAIRNESS_INTERVAL = 8
"""Every eighth message is of the match that waited longest, however urgent the others are."""

_MAX_REMEMBERED_MATCHES = 1000


class WaitingItem(msgspec.Struct, frozen=True):
    """An item and when it may leave."""

    item: QueueItem
    due_at: float


@dataclass(slots=True)
class ChatQueue:
    """The items of one chat, in order.

    `is_sending`: its first item was taken and is not finished. `blocked_until`: the rate limits or Telegram keep its next
    message back. `entry_number` is that of its latest place among all chats: places with another number are outdated.
    """

    items: deque[WaitingItem] = field(default_factory=deque)
    is_sending: bool = False
    blocked_until: float = float("-inf")
    failures: int = 0
    entry_number: int = -1


class ChatQueues:
    """All chats in order of urgency: by priority, each match in turn, the newest news first. Within a chat strictly in order."""

    def __init__(self) -> None:
        self._queues: dict[int, ChatQueue] = {}
        self._queued_keys: set[tuple[AlertKey, ChatRef]] = set()
        # By priority and fixture id a heap of chats that may be next: (-seq, entry number, chat id). A chat whose place
        # changes gets a new entry; the old one is dropped when it comes to the top.
        self._ready: dict[int, dict[str, list[tuple[int, int, int]]]] = {}
        self._delayed: list[tuple[float, int, int]] = []
        """A heap of chats whose first item is not due or that are blocked: (time, entry number, chat id)."""
        self._entry_numbers = count()
        self._last_served: dict[str, int] = {}
        self._served_count = 0

    def __len__(self) -> int:
        return len(self._queued_keys)

    @property
    def has_ready(self) -> bool:
        """Return True if some chat may be ready. Outdated places count too."""
        return bool(self._ready)

    def count_ready(self, now: float) -> int:
        """Return how many chats are ready, or a few more: outdated places count too."""
        self._wake_due(now)
        return sum(len(heap) for heaps in self._ready.values() for heap in heaps.values())

    def add(self, item: QueueItem, due_at: float, now: float, *, at_front: bool = False) -> None:
        """Put an item at the end of its chat's queue, or at its front. An item that waits already is not added."""
        name = (item.key, item.chat)
        if name in self._queued_keys:
            return
        self._queued_keys.add(name)
        queue = self._queues.setdefault(item.chat.chat_id, ChatQueue())
        position = _find_front_position(item, due_at, queue) if at_front else _find_position(item, due_at, queue)
        queue.items.insert(position, WaitingItem(item, due_at))
        if not queue.is_sending:
            self._schedule(item.chat.chat_id, queue, now)

    def take_next(self, now: float, rate_limits: RateLimitPolicy) -> QueueItem | None:
        """Take the next item of the most urgent chat that may get a message now. The chat gets no other until `finish`."""
        self._wake_due(now)
        while (chat_id := self._pop_most_urgent_chat()) is not None:
            queue = self._queues[chat_id]
            at = rate_limits.next_chat_send_at(chat_id, now, leave_spare=_is_live_message(queue.items[0]))
            if at <= now:
                queue.is_sending = True
                item = queue.items.popleft().item
                self._queued_keys.discard((item.key, item.chat))
                return item
            _postpone(queue, at)
            self._schedule(chat_id, queue, now)
        return None

    def finish(self, chat_id: int, now: float, *, failed: bool = False, blocked_until: float = float("-inf")) -> None:
        """Let a chat go on after its item was dealt with. Failures in a row are counted until one does not fail."""
        queue = self._queues.get(chat_id)
        if queue is None:
            return
        queue.is_sending, queue.blocked_until = False, blocked_until
        queue.failures = queue.failures + 1 if failed else 0
        if queue.items:
            self._schedule(chat_id, queue, now)
        elif not queue.failures:
            del self._queues[chat_id]

    def discard(self, chat_id: int) -> None:
        """Drop everything that waits for a chat."""
        queue = self._queues.pop(chat_id, ChatQueue())
        self._queued_keys -= {(waiting.item.key, waiting.item.chat) for waiting in queue.items}

    def failures(self, chat_id: int) -> int:
        """Return how often in a row this chat could not be reached."""
        queue = self._queues.get(chat_id)
        return queue.failures if queue else 0

    def blocked_until(self, chat_id: int) -> float:
        """Return until when the rate limits, or an answer of Telegram, keep a chat's next message back."""
        queue = self._queues.get(chat_id)
        return queue.blocked_until if queue else float("-inf")

    def next_due_at(self) -> float | None:
        """Return when the next chat that waits for its time may be ready. None if there is none."""
        return self._delayed[0][0] if self._delayed else None

    def _schedule(self, chat_id: int, queue: ChatQueue, now: float) -> None:
        """Give a chat its place: among those that are ready, or among those that wait for their time."""
        queue.entry_number = next(self._entry_numbers)
        ready_at = max(queue.blocked_until, queue.items[0].due_at)
        if ready_at > now:
            heapq.heappush(self._delayed, (ready_at, queue.entry_number, chat_id))
            return
        # A chat is as urgent as the most urgent of its items: what stands before that one has to leave first.
        due = (waiting.item for waiting in queue.items if waiting.due_at <= now)
        best = min(due, key=lambda item: (item.priority, -item.seq))
        heap = self._ready.setdefault(best.priority, {}).setdefault(best.key.fixture_id, [])
        heapq.heappush(heap, (-best.seq, queue.entry_number, chat_id))

    def _wake_due(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now:
            _, entry_number, chat_id = heapq.heappop(self._delayed)
            if queue := self._current_queue(chat_id, entry_number):
                self._schedule(chat_id, queue, now)

    def _pop_most_urgent_chat(self) -> int | None:
        """Take the first chat out. Its match goes to the end of its priority."""
        while self._ready:
            priority, fixture_id = self._choose_match()
            heaps = self._ready[priority]
            heap = heaps.pop(fixture_id)
            chat_id = self._pop_valid(heap)
            # Taken out and put back, so that the match is the last of its priority: a dictionary keeps the order of insertion.
            if heap:
                heaps[fixture_id] = heap
            if not heaps:
                del self._ready[priority]
            if chat_id is not None:
                self._mark_served(fixture_id)
                return chat_id
        return None

    def _choose_match(self) -> tuple[int, str]:
        """Return the priority and the match that is next: the first of the most urgent, or now and then what waited longest."""
        if (self._served_count + 1) % FAIRNESS_INTERVAL == 0:
            matches = (
                (self._last_served.get(fixture_id, -1), priority, fixture_id)
                for priority, heaps in self._ready.items()
                for fixture_id in heaps
            )
            return min(matches)[1:]
        priority = min(self._ready)
        return priority, next(iter(self._ready[priority]))

    def _mark_served(self, fixture_id: str) -> None:
        self._served_count += 1
        self._last_served[fixture_id] = self._served_count
        if len(self._last_served) > _MAX_REMEMBERED_MATCHES:
            oldest = self._served_count - _MAX_REMEMBERED_MATCHES
            self._last_served = {name: number for name, number in self._last_served.items() if number > oldest}

    def _pop_valid(self, heap: list[tuple[int, int, int]]) -> int | None:
        while heap:
            _, entry_number, chat_id = heapq.heappop(heap)
            if self._current_queue(chat_id, entry_number):
                return chat_id
        return None

    def _current_queue(self, chat_id: int, entry_number: int) -> ChatQueue | None:
        """Return a chat's queue if this place of it is not outdated and it has something to send."""
        queue = self._queues.get(chat_id)
        is_current = queue and queue.entry_number == entry_number and not queue.is_sending and queue.items
        return queue if is_current else None


def _is_live_message(waiting: WaitingItem) -> bool:
    return waiting.item.priority >= LIVE_MESSAGE_PRIORITY


def _postpone(queue: ChatQueue, at: float) -> None:
    """Keep a chat's next message back. If that is a card or a picture, only this one waits, and news may pass it."""
    first = queue.items[0]
    if _is_live_message(first):
        queue.items[0] = WaitingItem(first.item, max(first.due_at, at))
    else:
        queue.blocked_until = at


def _find_front_position(item: QueueItem, due_at: float, queue: ChatQueue) -> int:
    """Return the front of the queue; for a card or a picture the place behind all news, and behind cards due before it."""
    if item.priority < LIVE_MESSAGE_PRIORITY:
        return 0
    later = (i for i, waiting in enumerate(queue.items) if _is_live_message(waiting) and waiting.due_at >= due_at)
    return next(later, len(queue.items))


def _find_position(item: QueueItem, due_at: float, queue: ChatQueue) -> int:
    """Return the end of the queue, before what the item may overtake."""
    position = len(queue.items)
    while position and _may_overtake(item, due_at, queue.items[position - 1]):
        position -= 1
    return position


def _may_overtake(item: QueueItem, due_at: float, other: WaitingItem) -> bool:
    """Return True if the item passes another: news passes cards, and what is due earlier passes another topic's or a digest.

    A digest collects what comes until its time, so other news does not wait behind it.
    """
    if _is_live_message(other) and item.priority < LIVE_MESSAGE_PRIORITY:
        return True
    is_digest = is_quiet_hours_digest(other.item.key) or is_burst(other.item.key)
    return other.due_at > due_at and (other.item.chat != item.chat or is_digest)
