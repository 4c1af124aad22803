"""A queue for each chat, the most urgent first; pure."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

import msgspec

from bot.outbox.delivery import QueueItem
from bot.outbox.digests import QUIET_HOURS_DIGEST
from bot.outbox.news import LIVE_MESSAGE_PRIORITY, is_burst
from bot.subscribers import ChatRef
from rules.engine.alert import AlertKey

FAIRNESS_INTERVAL = 8
"""Every so many messages one goes to the match that waited longest, however urgent the others are."""

_MAX_REMEMBERED_MATCHES = 1000


class WaitingItem(msgspec.Struct, frozen=True):
    """A ticket and when, in the loop's seconds, it may leave."""

    ticket: QueueItem
    due: float


@dataclass(slots=True)
class ChatQueue:
    """One chat's tickets in their order. `turn` tells apart the latest place in the queue from outdated ones."""

    tickets: deque[WaitingItem] = field(default_factory=deque)
    busy: bool = False
    parked_until: float = float("-inf")
    failures: int = 0
    turn: int = -1


class ChatReadyTime(Protocol):
    """When the next message to a chat may leave, as `Pace.chat_at` tells."""

    def __call__(self, chat_id: int, now: float, *, spare: bool = False) -> float: ...


class ChatQueues:
    """Chats in order of urgency: by rank, among matches in turn, fresh before old; within a chat strictly in order."""

    def __init__(self) -> None:
        self._lanes: dict[int, ChatQueue] = {}
        self._known: set[tuple[AlertKey, ChatRef]] = set()
        self._ready: dict[int, dict[str, list[tuple[int, int, int]]]] = {}
        self._later: list[tuple[float, int, int]] = []
        self._count = count()
        self._served: dict[str, int] = {}
        self._turns = 0

    def __len__(self) -> int:
        return len(self._known)

    @property
    def ready(self) -> bool:
        """Tell whether something may wait for nothing but its turn."""
        return bool(self._ready)

    def ready_at(self, now: float) -> int:
        """How many chats wait for nothing but their turn, or a few more."""
        self._wake(now)
        return sum(len(flow) for flows in self._ready.values() for flow in flows.values())

    def add(self, ticket: QueueItem, due: float, now: float, *, first: bool = False) -> None:
        """Put a ticket at the end of its chat's lane, or at its beginning; one that waits already is not added."""
        name = (ticket.key, ticket.ref)
        if name in self._known:
            return
        self._known.add(name)
        lane = self._lanes.setdefault(ticket.ref.chat_id, ChatQueue())
        lane.tickets.insert(
            _find_front_position(ticket, due, lane) if first else _find_position(ticket, due, lane), WaitingItem(ticket, due)
        )
        if not lane.busy:
            self._place(ticket.ref.chat_id, lane, now)

    def pop(self, now: float, chat_at: ChatReadyTime) -> QueueItem | None:
        """The next ticket of the most urgent chat that may get a message now; its lane is busy until `release`."""
        self._wake(now)
        while (chat_id := self._most_urgent()) is not None:
            lane = self._lanes[chat_id]
            at = chat_at(chat_id, now, spare=_is_live_message(lane.tickets[0]))
            if at <= now:
                lane.busy = True
                ticket = lane.tickets.popleft().ticket
                self._known.discard((ticket.key, ticket.ref))
                return ticket
            _postpone(lane, at)
            self._place(chat_id, lane, now)
        return None

    def release(self, chat_id: int, now: float, *, failed: bool = False, parked_until: float = float("-inf")) -> None:
        """The lane's message was dealt with; `failed` counts, anything else forgives."""
        lane = self._lanes.get(chat_id)
        if lane is None:
            return
        lane.busy, lane.parked_until = False, parked_until
        lane.failures = lane.failures + 1 if failed else 0
        if lane.tickets:
            self._place(chat_id, lane, now)
        elif not lane.failures:
            del self._lanes[chat_id]

    def failures(self, chat_id: int) -> int:
        """How often in a row this chat could not be reached."""
        lane = self._lanes.get(chat_id)
        return lane.failures if lane else 0

    def forget(self, chat_id: int) -> None:
        """Let go of everything that waits for a chat."""
        lane = self._lanes.pop(chat_id, ChatQueue())
        self._known -= {(waiting.ticket.key, waiting.ticket.ref) for waiting in lane.tickets}

    def parked_until(self, chat_id: int) -> float:
        """Until when the limits, or an answer of Telegram, kept a chat's next message from leaving."""
        lane = self._lanes.get(chat_id)
        return lane.parked_until if lane else float("-inf")

    def next_at(self) -> float | None:
        """When a lane that waits for its time wants to be looked at; None where there is none."""
        return self._later[0][0] if self._later else None

    def _place(self, chat_id: int, lane: ChatQueue, now: float) -> None:
        """Into the queue, or to those that wait for their time."""
        lane.turn = next(self._count)
        at = max(lane.parked_until, lane.tickets[0].due)
        if at > now:
            heapq.heappush(self._later, (at, lane.turn, chat_id))
            return
        best = min((w.ticket for w in lane.tickets if w.due <= now), key=lambda t: (t.rank, -t.seq))
        flow = self._ready.setdefault(best.rank, {}).setdefault(best.key.fixture_id, [])
        heapq.heappush(flow, (-best.seq, lane.turn, chat_id))

    def _wake(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            _, turn, chat_id = heapq.heappop(self._later)
            lane = self._lanes.get(chat_id)
            if lane and lane.turn == turn and not lane.busy and lane.tickets:
                self._place(chat_id, lane, now)

    def _most_urgent(self) -> int | None:
        """Take the first chat out of the queue; its match goes to the end of its rank."""
        while self._ready:
            rank, fixture_id = self._turn()
            flows = self._ready[rank]
            flow = flows.pop(fixture_id)
            chat_id = self._first_of(flow)
            if flow:
                flows[fixture_id] = flow
            if not flows:
                del self._ready[rank]
            if chat_id is not None:
                self._serve(fixture_id)
                return chat_id
        return None

    def _turn(self) -> tuple[int, str]:
        """The most urgent rank, and there each match in turn; now and then the match that waited longest, none starves."""
        if (self._turns + 1) % FAIRNESS_INTERVAL == 0:
            flows = [(self._served.get(name, -1), rank, name) for rank, flows in self._ready.items() for name in flows]
            return min(flows)[1:]
        rank = min(self._ready)
        return rank, next(iter(self._ready[rank]))

    def _serve(self, fixture_id: str) -> None:
        self._turns += 1
        self._served[fixture_id] = self._turns
        if len(self._served) > _MAX_REMEMBERED_MATCHES:
            self._served = {name: turn for name, turn in self._served.items() if turn > self._turns - _MAX_REMEMBERED_MATCHES}

    def _first_of(self, flow: list[tuple[int, int, int]]) -> int | None:
        while flow:
            _, turn, chat_id = heapq.heappop(flow)
            lane = self._lanes.get(chat_id)
            if lane and lane.turn == turn and not lane.busy and lane.tickets:
                return chat_id
        return None


def _is_live_message(waiting: WaitingItem) -> bool:
    return waiting.ticket.rank >= LIVE_MESSAGE_PRIORITY


def _postpone(lane: ChatQueue, at: float) -> None:
    """Nothing of the lane may leave before, unless it is an extra that has to wait: then only that one waits."""
    first = lane.tickets[0]
    if _is_live_message(first):
        lane.tickets[0] = WaitingItem(first.ticket, max(first.due, at))
    else:
        lane.parked_until = at


def _find_front_position(ticket: QueueItem, due: float, lane: ChatQueue) -> int:
    """The beginning of the lane; an extra stays behind the news, and behind extras that are due before it."""
    if ticket.rank < LIVE_MESSAGE_PRIORITY:
        return 0
    later = (place for place, waiting in enumerate(lane.tickets) if _is_live_message(waiting) and waiting.due >= due)
    return next(later, len(lane.tickets))


def _find_position(ticket: QueueItem, due: float, lane: ChatQueue) -> int:
    """The end of the lane; before what is due later and is another topic's, or the summary of quiet hours; before extras."""
    place = len(lane.tickets)
    while place and _may_overtake(ticket, due, lane.tickets[place - 1]):
        place -= 1
    return place


def _may_overtake(ticket: QueueItem, due: float, other: WaitingItem) -> bool:
    if _is_live_message(other) and ticket.rank < LIVE_MESSAGE_PRIORITY:
        return True
    later = other.due > due
    gathers = other.ticket.key.action_id.startswith(f"{QUIET_HOURS_DIGEST}:") or is_burst(other.ticket.key)
    return later and (other.ticket.ref != ticket.ref or gathers)
