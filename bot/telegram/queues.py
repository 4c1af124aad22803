"""A queue for each chat, the most urgent first; pure."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

import msgspec

from bot.outbox.delivery import QueueItem
from bot.outbox.digests import is_quiet_hours_digest
from bot.outbox.news import LIVE_MESSAGE_PRIORITY, is_burst
from bot.subscribers import ChatRef
from rules.engine.alert import AlertKey

FAIRNESS_INTERVAL = 8
"""Every so many messages one goes to the match that waited longest, however urgent the others are."""

_MAX_REMEMBERED_MATCHES = 1000


class WaitingItem(msgspec.Struct, frozen=True):
    """A ticket and when, in the loop's seconds, it may leave."""

    item: QueueItem
    due_at: float


@dataclass(slots=True)
class ChatQueue:
    """One chat's tickets in their order. `turn` tells apart the latest place in the queue from outdated ones."""

    items: deque[WaitingItem] = field(default_factory=deque)
    is_sending: bool = False
    blocked_until: float = float("-inf")
    failures: int = 0
    entry_number: int = -1


class ChatReadyTime(Protocol):
    """When the next message to a chat may leave, as `Pace.chat_at` tells."""

    def __call__(self, chat_id: int, now: float, *, leave_spare: bool = False) -> float: ...


class ChatQueues:
    """Chats in order of urgency: by rank, among matches in turn, fresh before old; within a chat strictly in order."""

    def __init__(self) -> None:
        self._queues: dict[int, ChatQueue] = {}
        self._queued_keys: set[tuple[AlertKey, ChatRef]] = set()
        self._ready: dict[int, dict[str, list[tuple[int, int, int]]]] = {}
        self._delayed: list[tuple[float, int, int]] = []
        self._entry_numbers = count()
        self._last_served: dict[str, int] = {}
        self._served_count = 0

    def __len__(self) -> int:
        return len(self._queued_keys)

    @property
    def has_ready(self) -> bool:
        """Tell whether something may wait for nothing but its turn."""
        return bool(self._ready)

    def count_ready(self, now: float) -> int:
        """How many chats wait for nothing but their turn, or a few more."""
        self._wake_due(now)
        return sum(len(flow) for flows in self._ready.values() for flow in flows.values())

    def add(self, item: QueueItem, due_at: float, now: float, *, at_front: bool = False) -> None:
        """Put a ticket at the end of its chat's lane, or at its beginning; one that waits already is not added."""
        name = (item.key, item.chat)
        if name in self._queued_keys:
            return
        self._queued_keys.add(name)
        queue = self._queues.setdefault(item.chat.chat_id, ChatQueue())
        queue.items.insert(
            _find_front_position(item, due_at, queue) if at_front else _find_position(item, due_at, queue),
            WaitingItem(item, due_at),
        )
        if not queue.is_sending:
            self._schedule(item.chat.chat_id, queue, now)

    def take_next(self, now: float, next_send_at: ChatReadyTime) -> QueueItem | None:
        """The next ticket of the most urgent chat that may get a message now; its lane is busy until `release`."""
        self._wake_due(now)
        while (chat_id := self._pop_most_urgent_chat()) is not None:
            queue = self._queues[chat_id]
            at = next_send_at(chat_id, now, leave_spare=_is_live_message(queue.items[0]))
            if at <= now:
                queue.is_sending = True
                item = queue.items.popleft().item
                self._queued_keys.discard((item.key, item.chat))
                return item
            _postpone(queue, at)
            self._schedule(chat_id, queue, now)
        return None

    def finish(self, chat_id: int, now: float, *, failed: bool = False, blocked_until: float = float("-inf")) -> None:
        """The lane's message was dealt with; `failed` counts, anything else forgives."""
        queue = self._queues.get(chat_id)
        if queue is None:
            return
        queue.is_sending, queue.blocked_until = False, blocked_until
        queue.failures = queue.failures + 1 if failed else 0
        if queue.items:
            self._schedule(chat_id, queue, now)
        elif not queue.failures:
            del self._queues[chat_id]

    def failures(self, chat_id: int) -> int:
        """How often in a row this chat could not be reached."""
        queue = self._queues.get(chat_id)
        return queue.failures if queue else 0

    def discard(self, chat_id: int) -> None:
        """Let go of everything that waits for a chat."""
        queue = self._queues.pop(chat_id, ChatQueue())
        self._queued_keys -= {(waiting.item.key, waiting.item.chat) for waiting in queue.items}

    def blocked_until(self, chat_id: int) -> float:
        """Until when the limits, or an answer of Telegram, kept a chat's next message from leaving."""
        queue = self._queues.get(chat_id)
        return queue.blocked_until if queue else float("-inf")

    def next_due_at(self) -> float | None:
        """When a lane that waits for its time wants to be looked at; None where there is none."""
        return self._delayed[0][0] if self._delayed else None

    def _schedule(self, chat_id: int, queue: ChatQueue, now: float) -> None:
        """Into the queue, or to those that wait for their time."""
        queue.entry_number = next(self._entry_numbers)
        at = max(queue.blocked_until, queue.items[0].due_at)
        if at > now:
            heapq.heappush(self._delayed, (at, queue.entry_number, chat_id))
            return
        best = min((w.item for w in queue.items if w.due_at <= now), key=lambda t: (t.priority, -t.seq))
        flow = self._ready.setdefault(best.priority, {}).setdefault(best.key.fixture_id, [])
        heapq.heappush(flow, (-best.seq, queue.entry_number, chat_id))

    def _wake_due(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now:
            _, turn, chat_id = heapq.heappop(self._delayed)
            queue = self._queues.get(chat_id)
            if queue and queue.entry_number == turn and not queue.is_sending and queue.items:
                self._schedule(chat_id, queue, now)

    def _pop_most_urgent_chat(self) -> int | None:
        """Take the first chat out of the queue; its match goes to the end of its rank."""
        while self._ready:
            rank, fixture_id = self._choose_match()
            flows = self._ready[rank]
            flow = flows.pop(fixture_id)
            chat_id = self._pop_valid(flow)
            if flow:
                flows[fixture_id] = flow
            if not flows:
                del self._ready[rank]
            if chat_id is not None:
                self._mark_served(fixture_id)
                return chat_id
        return None

    def _choose_match(self) -> tuple[int, str]:
        """The most urgent rank, and there each match in turn; now and then the match that waited longest, none starves."""
        if (self._served_count + 1) % FAIRNESS_INTERVAL == 0:
            flows = [(self._last_served.get(name, -1), rank, name) for rank, flows in self._ready.items() for name in flows]
            return min(flows)[1:]
        rank = min(self._ready)
        return rank, next(iter(self._ready[rank]))

    def _mark_served(self, fixture_id: str) -> None:
        self._served_count += 1
        self._last_served[fixture_id] = self._served_count
        if len(self._last_served) > _MAX_REMEMBERED_MATCHES:
            self._last_served = {
                name: turn for name, turn in self._last_served.items() if turn > self._served_count - _MAX_REMEMBERED_MATCHES
            }

    def _pop_valid(self, flow: list[tuple[int, int, int]]) -> int | None:
        while flow:
            _, turn, chat_id = heapq.heappop(flow)
            queue = self._queues.get(chat_id)
            if queue and queue.entry_number == turn and not queue.is_sending and queue.items:
                return chat_id
        return None


def _is_live_message(waiting: WaitingItem) -> bool:
    return waiting.item.priority >= LIVE_MESSAGE_PRIORITY


def _postpone(queue: ChatQueue, at: float) -> None:
    """Nothing of the lane may leave before, unless it is an extra that has to wait: then only that one waits."""
    first = queue.items[0]
    if _is_live_message(first):
        queue.items[0] = WaitingItem(first.item, max(first.due_at, at))
    else:
        queue.blocked_until = at


def _find_front_position(item: QueueItem, due_at: float, queue: ChatQueue) -> int:
    """The beginning of the lane; an extra stays behind the news, and behind extras that are due before it."""
    if item.priority < LIVE_MESSAGE_PRIORITY:
        return 0
    later = (place for place, waiting in enumerate(queue.items) if _is_live_message(waiting) and waiting.due_at >= due_at)
    return next(later, len(queue.items))


def _find_position(item: QueueItem, due_at: float, queue: ChatQueue) -> int:
    """The end of the lane; before what is due later and is another topic's, or the summary of quiet hours; before extras."""
    place = len(queue.items)
    while place and _may_overtake(item, due_at, queue.items[place - 1]):
        place -= 1
    return place


def _may_overtake(item: QueueItem, due_at: float, other: WaitingItem) -> bool:
    if _is_live_message(other) and item.priority < LIVE_MESSAGE_PRIORITY:
        return True
    later = other.due_at > due_at
    gathers = is_quiet_hours_digest(other.item.key) or is_burst(other.item.key)
    return later and (other.item.chat != item.chat or gathers)
