"""A queue for each chat, the most urgent chat first; pure.

Times are those of the monotonic clock, in seconds, and given by the caller.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count

import msgspec

from bot.outbox.delivery import QueueItem, Urgency
from bot.outbox.digests import is_quiet_hours_digest
from bot.outbox.news import is_burst
from bot.subscribers import ChatRef
from bot.telegram.limits.rate_limits import RateLimitPolicy
from rules.engine.alert import AlertKey

FAIRNESS_INTERVAL = 8
"""Every eighth message is of the match that waited longest, however urgent the others are."""

MAX_MERGED_ITEMS = 25
"""Silent news that one message tells together: with about a line each, it stays far below the longest message."""

# More than are played in a day.
_MAX_REMEMBERED_MATCHES = 1000

_NEVER = float("-inf")


class WaitingItem(msgspec.Struct, frozen=True):
    """An item and when it may leave."""

    item: QueueItem
    due_at: float


@dataclass(slots=True)
class ChatQueue:
    """The items of one chat, in the order in which they came.

    `is_sending`: an item was taken and is not finished. `blocked_until`: Telegram, or a failure, keeps everything back.
    `held_until`, by urgency: the rate limits keep this and what is less urgent back. `is_held`: they have kept silent news
    back since it was last merged or sent. `entry_number` is that of the latest place among all chats: places with another
    number are outdated.
    """

    items: list[WaitingItem] = field(default_factory=list)
    is_sending: bool = False
    blocked_until: float = _NEVER
    held_until: list[float] = field(default_factory=lambda: [_NEVER] * len(Urgency))
    is_held: bool = False
    failures: int = 0
    closed_topics: dict[int, float] | None = None
    entry_number: int = -1

    def ready_at(self, waiting: WaitingItem) -> float:
        """Return when an item may leave, as far as is known."""
        at = max(waiting.due_at, self.blocked_until, self.held_until[waiting.item.urgency])
        return max(at, self.closed_topics.get(waiting.item.chat.topic, _NEVER)) if self.closed_topics else at

    def find_next(self, now: float) -> int:
        """Return the index of the item that leaves next: of those that may, the first of the most urgent."""
        # The usual case. The item is ready, since its chat is.
        if len(self.items) == 1:
            return 0
        ready = (index for index, waiting in enumerate(self.items) if self.ready_at(waiting) <= now)
        return min(ready, key=lambda index: (self.items[index].item.urgency, index))

    def hold(self, urgency: Urgency, until: float) -> None:
        """Keep items of this urgency back until a time, and less urgent ones too: those may use less of the limits."""
        for lower in range(urgency, len(self.held_until)):
            self.held_until[lower] = max(self.held_until[lower], until)
        self.is_held = True


class ChatQueues:
    """All chats in order of urgency: by priority, each match in turn, the newest news first.

    Within a chat what is loud leaves before what is silent, and that before cards and pictures; otherwise strictly in order.
    """

    def __init__(self) -> None:
        self._queues: dict[int, ChatQueue] = {}
        self._queued_keys: set[tuple[AlertKey, ChatRef]] = set()
        # By priority and fixture id a heap of chats that may be next: (-seq, entry number, chat id). A chat whose place
        # changes gets a new entry; the old one is dropped when it comes to the top.
        self._ready: dict[int, dict[str, list[tuple[int, int, int]]]] = {}
        self._delayed: list[tuple[float, int, int]] = []
        """A heap of chats of which nothing is due, or that are blocked: (time, entry number, chat id)."""
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
        """Put an item at the end of its chat's queue, or at its front.

        One whose delivery waits already takes the place of the other, since the sender reads the latest revision anyway. With
        `at_front` it moves to the front.
        """
        name = (item.key, item.chat)
        queue = self._queues.setdefault(item.chat.chat_id, ChatQueue())
        # A rescan of the database finds again what is in memory.
        if name in self._queued_keys:
            if not _replace(queue, item, at_front=at_front):
                return
        else:
            self._queued_keys.add(name)
            if at_front:
                queue.items.insert(_find_front_position(item, due_at, queue), WaitingItem(item, due_at))
            else:
                queue.items.append(WaitingItem(item, _due_in_order(item, due_at, queue)))
        if not queue.is_sending:
            self._schedule(item.chat.chat_id, queue, now)

    def take_next(self, now: float, rate_limits: RateLimitPolicy) -> QueueItem | None:
        """Take the next item of the most urgent chat that may get a message now. The chat gets no other until `finish`."""
        self._wake_due(now)
        while (chat_id := self._pop_most_urgent_chat()) is not None:
            queue = self._queues[chat_id]
            index = queue.find_next(now)
            urgency = queue.items[index].item.urgency
            at = rate_limits.next_chat_send_at(chat_id, now, urgency)
            # One message of a chat at a time: Telegram keeps no order between requests that run together, and a reply needs the
            # id of its message.
            if at <= now:
                queue.is_sending = True
                return self._remove(queue, index)
            # More urgent items of this chat may still leave, so the chat is scheduled again.
            queue.hold(urgency, at)
            self._schedule(chat_id, queue, now)
        return None

    def take_held_with(self, item: QueueItem, now: float) -> list[QueueItem]:
        """Take what is due of the silent news of this chat, in order, if the limits have kept it back: it may be merged.

        Empty for an item that is not silent, or not kept back. What is not merged must be added again.
        """
        queue = self._queues.get(item.chat.chat_id)
        if item.urgency is not Urgency.SILENT or queue is None or not queue.is_held:
            return []
        found = [
            index
            for index, waiting in enumerate(queue.items)
            if waiting.item.urgency is Urgency.SILENT and waiting.item.chat == item.chat and waiting.due_at <= now
        ]
        # From the end, so that earlier indexes stay valid.
        taken = [self._remove(queue, index) for index in reversed(found[: MAX_MERGED_ITEMS - 1])]
        queue.is_held = any(waiting.item.urgency is Urgency.SILENT for waiting in queue.items)
        return taken[::-1]

    def finish(
        self, chat_id: int, now: float, *, failed: bool = False, blocked_until: float = _NEVER, is_limited: bool = False
    ) -> None:
        """Let a chat go on after its item was dealt with. Failures in a row are counted until one does not fail.

        `is_limited`: it is blocked because Telegram's own limit was reached.
        """
        queue = self._queues.get(chat_id)
        if queue is None:
            return
        queue.is_sending, queue.blocked_until = False, blocked_until
        queue.failures = queue.failures + 1 if failed else 0
        queue.is_held = queue.is_held or is_limited
        if queue.items:
            self._schedule(chat_id, queue, now)
        # Kept while it fails, or the next message would begin with the shortest delay again.
        elif not queue.failures:
            del self._queues[chat_id]

    def hold_topic(self, ref: ChatRef, until: float) -> None:
        """Keep everything of a closed topic back until a time, and nothing else of its chat. Its item is being dealt with."""
        queue = self._queues.get(ref.chat_id)
        if queue is not None:
            queue.closed_topics = (queue.closed_topics or {}) | {ref.topic: until}

    def release_topics(self, chat_id: int, now: float) -> None:
        """Keep nothing back any more of the topics of a chat: one of them was opened."""
        queue = self._queues.get(chat_id)
        if queue is not None and queue.closed_topics:
            queue.closed_topics = None
            if queue.items and not queue.is_sending:
                self._schedule(chat_id, queue, now)

    def discard(self, chat_id: int) -> None:
        """Drop everything that waits for a chat."""
        queue = self._queues.pop(chat_id, ChatQueue())
        self._queued_keys -= {(waiting.item.key, waiting.item.chat) for waiting in queue.items}

    def move_digests(self, seconds: float, now: float) -> None:
        """Let the digests of quiet hours leave so many seconds earlier: their times are of the wall clock, which was set."""
        for chat_id, queue in self._queues.items():
            found = [index for index, waiting in enumerate(queue.items) if is_quiet_hours_digest(waiting.item.key)]
            for index in found:
                waiting = queue.items[index]
                queue.items[index] = WaitingItem(waiting.item, waiting.due_at - seconds)
            if found and not queue.is_sending:
                self._schedule(chat_id, queue, now)

    def has_newer(self, item: QueueItem) -> bool:
        """Return True if a newer revision of the same delivery waits in its chat's queue: it came while this one was on its way.

        A rescan of the database may have found the same revision again, which is not news.
        """
        queue = self._queues.get(item.chat.chat_id, ChatQueue())
        return any(
            (waiting.item.key, waiting.item.chat) == (item.key, item.chat) and waiting.item.seq > item.seq
            for waiting in queue.items
        )

    def failures(self, chat_id: int) -> int:
        """Return how often in a row this chat could not be reached."""
        queue = self._queues.get(chat_id)
        return queue.failures if queue else 0

    def blocked_until(self, item: QueueItem) -> float:
        """Return until when the rate limits or an answer of Telegram last kept items of this urgency back in this chat."""
        queue = self._queues.get(item.chat.chat_id)
        if queue is None:
            return _NEVER
        closed_until = (queue.closed_topics or {}).get(item.chat.topic, _NEVER)
        return max(queue.blocked_until, queue.held_until[item.urgency], closed_until)

    def next_due_at(self) -> float | None:
        """Return when the next chat that waits for its time may be ready. None if there is none."""
        return self._delayed[0][0] if self._delayed else None

    def _schedule(self, chat_id: int, queue: ChatQueue, now: float) -> None:
        """Give a chat its place: among those that are ready, or among those that wait for their time."""
        queue.entry_number = next(self._entry_numbers)
        # Nearly always one item: this runs several times for every message.
        if len(queue.items) == 1:
            (waiting,) = queue.items
            if (ready_at := queue.ready_at(waiting)) > now:
                heapq.heappush(self._delayed, (ready_at, queue.entry_number, chat_id))
            else:
                self._push_ready(waiting.item, queue.entry_number, chat_id)
            return
        ready_times = [queue.ready_at(waiting) for waiting in queue.items]
        if (ready_at := min(ready_times)) > now:
            heapq.heappush(self._delayed, (ready_at, queue.entry_number, chat_id))
            return
        # A chat is as urgent as the most urgent of its items: what stands before that one has to leave first.
        ready = (waiting.item for waiting, at in zip(queue.items, ready_times, strict=True) if at <= now)
        best = min(ready, key=lambda item: (item.priority, -item.seq))
        self._push_ready(best, queue.entry_number, chat_id)

    def _push_ready(self, item: QueueItem, entry_number: int, chat_id: int) -> None:
        heap = self._ready.setdefault(item.priority, {}).setdefault(item.key.fixture_id, [])
        heapq.heappush(heap, (-item.seq, entry_number, chat_id))

    def _remove(self, queue: ChatQueue, index: int) -> QueueItem:
        item = queue.items.pop(index).item
        self._queued_keys.discard((item.key, item.chat))
        return item

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
        # A forgotten match counts as never served, so it is next. It has waited longest anyway.
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


def _replace(queue: ChatQueue, item: QueueItem, *, at_front: bool) -> bool:
    """Put an item in the place of the one with the same delivery; it stays loud if that was. Return False if nothing changes."""
    for index, waiting in enumerate(queue.items):
        if (waiting.item.key, waiting.item.chat) == (item.key, item.chat):
            is_loud = item.is_loud or waiting.item.is_loud
            newest = msgspec.structs.replace(item, is_loud=is_loud, due_at=waiting.item.due_at)
            if at_front:
                # The other one was found again or revised while this one was on its way, and stands behind what came meanwhile.
                # The chat gets its news in order all the same.
                del queue.items[index]
                index = _find_front_position(newest, waiting.due_at, queue)
                queue.items.insert(index, WaitingItem(newest, waiting.due_at))
                return True
            queue.items[index] = WaitingItem(newest, waiting.due_at)
            return newest != waiting.item
    return False


def _find_front_position(item: QueueItem, due_at: float, queue: ChatQueue) -> int:
    """Return the front of the queue; for a card or a picture the place behind those that are due before it."""
    if item.urgency is not Urgency.LIVE_MESSAGE:
        return 0
    is_later = (
        index
        for index, waiting in enumerate(queue.items)
        if waiting.item.urgency is Urgency.LIVE_MESSAGE and waiting.due_at >= due_at
    )
    return next(is_later, len(queue.items))


def _due_in_order(item: QueueItem, due_at: float, queue: ChatQueue) -> float:
    """Return when an item may leave so that it does not overtake others of its topic, even if the chat made its delay shorter.

    A digest collects what comes until its time, so other news does not wait for it.
    """
    before = (
        waiting.due_at
        for waiting in queue.items
        if waiting.item.chat == item.chat
        and waiting.item.urgency is item.urgency
        and not (is_quiet_hours_digest(waiting.item.key) or is_burst(waiting.item.key))
    )
    return max(due_at, max(before, default=due_at))
