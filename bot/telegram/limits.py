"""When may a chat get its next message? Telegram's limits as sliding windows; edits count too. Pure: seconds come in.

What is known of them stands in the Bots FAQ: one message a second in a chat with short bursts, 20 a minute in a group, 30 a
second over all, more only when paid. The rest is said by 429 answers, which are obeyed.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from itertools import islice, takewhile
from typing import Protocol

PER_SECOND = 30
_CHAT = (3, 3.05)
_GROUP = (20, 60.2)
_SECOND = 1.008
"""A little more than a second: a clock is not exact."""
_FASTER = 1.6
"""A large allowance leaves so much faster than it allows, not at once: whoever is too busy to hear answers knows no arrivals."""
_WARM = 500
"""So many requests until the fastest answer says how long the way is; the first ones open connections."""
_UNEVEN = 0.002
"""Seconds later than the fastest that make a request one that arrived late."""
_FLOOD = 3
"""So many chats refused within a second mean everybody."""
_RAMP = 10.0
"""Seconds from half the rate to all of it after everybody was refused."""
_REMEMBERED = 20_000


class Pace(Protocol):
    """What the courier asks before each message."""

    def overall_at(self, now: float) -> float:
        """When the next message to anybody may leave."""
        ...

    def chat_at(self, chat_id: int, now: float, *, spare: bool = False) -> float:
        """When the next message to this chat may leave; with `spare`, when it may and room for news is left."""
        ...

    def room(self, now: float, most: int) -> int:
        """How many messages may leave now, of `most`, the chats' own limits apart."""
        ...

    def take(self, chat_id: int, now: float) -> None:
        """A message leaves."""
        ...

    def landed(self, began: float, now: float, left: float | None = None) -> None:
        """The answer came to a message that was taken at `began` and left at `left`; None: at once."""
        ...

    def refused(self, chat_id: int, seconds: float, now: float) -> None:
        """Telegram asked to wait so long."""
        ...


class Window:
    """At most so many in so many seconds, sliding."""

    __slots__ = ("limit", "seconds", "taken")

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        self.taken: deque[float] = deque(maxlen=limit)

    def at(self, now: float, limit: int | None = None) -> float:
        """When one more is allowed; `limit` may be lower than the window's own."""
        limit = limit or self.limit
        return now if len(self.taken) < limit else max(now, self.taken[-limit] + self.seconds)

    def room(self, now: float, most: int, limit: int | None = None) -> int:
        """How many are allowed now, of `most`."""
        limit = limit or self.limit
        free = limit - len(self.taken)
        oldest = (one for one in islice(self.taken, max(0, -free), None))
        gone = sum(1 for _ in takewhile(lambda one: one + self.seconds <= now, islice(oldest, most)))
        return min(most, max(0, free) + gone)

    def move(self, began: float, arrived: float) -> None:
        """One counts from later on than it was taken."""
        if began in self.taken:
            self.taken.remove(began)
            insort(self.taken, arrived)

    def idle(self, now: float) -> bool:
        """Tell whether it forbids nothing."""
        return not self.taken or self.taken[-1] + self.seconds <= now


class Limits:
    """Telegram's limits for one bot."""

    def __init__(self, per_second: int = PER_SECOND) -> None:
        self._all = Window(per_second, _SECOND)
        self._even = Window(max(PER_SECOND, per_second // 20), max(PER_SECOND / per_second, 0.05) / _FASTER)
        self._chats: dict[int, tuple[Window, ...]] = {}
        self._parked: dict[int, float] = {}
        self._refusals: deque[tuple[float, int]] = deque()
        self._closed_until = float("-inf")
        self._fastest = float("inf")
        self._landings = 0

    def when(self, chat_id: int, now: float) -> float:
        """When this chat may get its next message, everything considered."""
        return max(self.overall_at(now), self.chat_at(chat_id, now))

    def overall_at(self, now: float) -> float:
        """When the next message to anybody may leave."""
        if now < self._closed_until:
            return self._closed_until
        return max(self._even.at(now), self._all.at(now, self._share(now)))

    def room(self, now: float, most: int) -> int:
        """How many messages may leave now, of `most`, the chats' own limits apart."""
        return 0 if now < self._closed_until else self._even.room(now, self._all.room(now, most, self._share(now)))

    def chat_at(self, chat_id: int, now: float, *, spare: bool = False) -> float:
        """When the next message to this chat may leave, others apart; with `spare`, when it takes no room that news may need."""
        at = max(now, self._parked.get(chat_id, now))
        windows = self._chats.get(chat_id, ())
        return max((window.at(at, window.limit - (window.limit // 3 if spare else 0)) for window in windows), default=at)

    def take(self, chat_id: int, now: float) -> None:
        """A message leaves now."""
        if chat_id not in self._chats:
            self._chats[chat_id] = (Window(*_CHAT), Window(*_GROUP)) if chat_id < 0 else (Window(*_CHAT),)
        for window in (self._all, self._even, *self._chats[chat_id]):
            window.taken.append(now)
        if len(self._chats) > _REMEMBERED:
            self._forget(now)

    def landed(self, began: float, now: float, left: float | None = None) -> None:
        """A message that was long on its way counts from when it can have arrived at the latest: Telegram counts arrivals."""
        self._landings += 1
        self._fastest = min(self._fastest, now - (began if left is None else left))
        arrived = now - (self._fastest if self._landings > _WARM else 0.0)
        if arrived > began + _UNEVEN:
            self._all.move(began, arrived)

    def refused(self, chat_id: int, seconds: float, now: float) -> None:
        """This chat waits; where several were refused within a second, everybody does."""
        self._parked[chat_id] = max(self._parked.get(chat_id, now), now + seconds)
        self._refusals.append((now, chat_id))
        while self._refusals[0][0] < now - 1.0:
            self._refusals.popleft()
        if len({chat for _, chat in self._refusals}) >= _FLOOD:
            self._closed_until = max(self._closed_until, now + seconds)

    def closed(self, now: float) -> bool:
        """Tell whether everybody was refused, and waits."""
        return now < self._closed_until

    def _share(self, now: float) -> int:
        """What may be used of the allowance: after everybody was refused, half, then more again."""
        share = min(1.0, 0.5 + 0.5 * (now - self._closed_until) / _RAMP)
        return max(1, int(self._all.limit * share))

    def _forget(self, now: float) -> None:
        self._chats = {chat: windows for chat, windows in self._chats.items() if not all(w.idle(now) for w in windows)}
        self._parked = {chat: until for chat, until in self._parked.items() if until > now}


class Unlimited:
    """No limit at all: for replays, and chats in a terminal."""

    def overall_at(self, now: float) -> float:
        """Now."""
        return now

    def chat_at(self, chat_id: int, now: float, *, spare: bool = False) -> float:
        """Now."""
        return now

    def room(self, now: float, most: int) -> int:
        """Any number."""
        return most

    def take(self, chat_id: int, now: float) -> None:
        """Nothing is counted."""

    def landed(self, began: float, now: float, left: float | None = None) -> None:
        """Nothing is counted."""

    def refused(self, chat_id: int, seconds: float, now: float) -> None:
        """Nothing is remembered."""
