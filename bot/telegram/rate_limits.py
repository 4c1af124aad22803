"""When the next message may leave: sliding windows, circuit breaker, accounting of replies."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable, Coroutine
from itertools import islice, takewhile
from typing import Any, Protocol

from telegram.ext import BaseRateLimiter

from bot.clock import Clock

DEFAULT_MESSAGES_PER_SECOND = 30

_CHAT_LIMIT = (3, 3.05)

_GROUP_LIMIT = (20, 60.2)

_SECOND_WITH_MARGIN = 1.008
"""A little more than a second: a clock is not exact."""

_SMOOTHING_FACTOR = 1.6
"""A large allowance leaves so much faster than it allows, not at once: whoever is too busy to hear answers knows no arrivals."""

_WARM_UP_REQUESTS = 500
"""So many requests until the fastest answer says how long the way is; the first ones open connections."""

_ARRIVAL_TOLERANCE = 0.002
"""Seconds later than the fastest that make a request one that arrived late."""

_REFUSED_CHATS_BEFORE_PAUSE = 3
"""So many chats refused within a second mean everybody."""

_RAMP_UP_TIME = 10.0
"""Seconds from half the rate to all of it after everybody was refused."""

_MAX_REMEMBERED_CHATS = 20_000


class RateLimitPolicy(Protocol):
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


class SlidingWindow:
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


class RateLimiter:
    """Telegram's limits for one bot."""

    def __init__(self, per_second: int = DEFAULT_MESSAGES_PER_SECOND) -> None:
        self._all = SlidingWindow(per_second, _SECOND_WITH_MARGIN)
        self._even = SlidingWindow(
            max(DEFAULT_MESSAGES_PER_SECOND, per_second // 20),
            max(DEFAULT_MESSAGES_PER_SECOND / per_second, 0.05) / _SMOOTHING_FACTOR,
        )
        self._chats: dict[int, tuple[SlidingWindow, ...]] = {}
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
            self._chats[chat_id] = (
                (SlidingWindow(*_CHAT_LIMIT), SlidingWindow(*_GROUP_LIMIT)) if chat_id < 0 else (SlidingWindow(*_CHAT_LIMIT),)
            )
        for window in (self._all, self._even, *self._chats[chat_id]):
            window.taken.append(now)
        if len(self._chats) > _MAX_REMEMBERED_CHATS:
            self._forget(now)

    def landed(self, began: float, now: float, left: float | None = None) -> None:
        """A message that was long on its way counts from when it can have arrived at the latest: Telegram counts arrivals."""
        self._landings += 1
        self._fastest = min(self._fastest, now - (began if left is None else left))
        arrived = now - (self._fastest if self._landings > _WARM_UP_REQUESTS else 0.0)
        if arrived > began + _ARRIVAL_TOLERANCE:
            self._all.move(began, arrived)

    def refused(self, chat_id: int, seconds: float, now: float) -> None:
        """This chat waits; where several were refused within a second, everybody does."""
        self._parked[chat_id] = max(self._parked.get(chat_id, now), now + seconds)
        self._refusals.append((now, chat_id))
        while self._refusals[0][0] < now - 1.0:
            self._refusals.popleft()
        if len({chat for _, chat in self._refusals}) >= _REFUSED_CHATS_BEFORE_PAUSE:
            self._closed_until = max(self._closed_until, now + seconds)

    def closed(self, now: float) -> bool:
        """Tell whether everybody was refused, and waits."""
        return now < self._closed_until

    def _share(self, now: float) -> int:
        """What may be used of the allowance: after everybody was refused, half, then more again."""
        share = min(1.0, 0.5 + 0.5 * (now - self._closed_until) / _RAMP_UP_TIME)
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


ALREADY_COUNTED = "counted"
"""Passed by the courier, which has counted its request already."""

_LIMITED_METHODS = frozenset(
    {"sendMessage", "editMessageText", "editMessageReplyMarkup", "sendDocument", "sendPhoto", "editMessageMedia"}
)
"""The methods that Telegram limits by chat."""


class ReplyAccounting(BaseRateLimiter[str]):
    """Holds nothing back; counts what was not counted."""

    def __init__(self, pace: RateLimitPolicy, clock: Clock) -> None:
        self._pace, self._clock = pace, clock

    async def initialize(self) -> None:
        """There is nothing to open."""

    async def shutdown(self) -> None:
        """There is nothing to close."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: str | None,
    ) -> Any:
        """Make the request now."""
        chat_id = data.get("chat_id")
        if rate_limit_args != ALREADY_COUNTED and endpoint in _LIMITED_METHODS and isinstance(chat_id, int):
            self._pace.take(chat_id, self._clock.monotonic())
        return await callback(*args, **kwargs)


_FAILED_CHATS_TO_OPEN = 5
"""So many chats in a row that cannot be reached mean that none can."""

_MAX_PROBES = 2

_FIRST_PAUSE = 1.0

_LAST_PAUSE = 5.0
"""Short: the trouble may be that of several chats, and the others are not to wait for them."""

_TOKEN_RETRY_DELAY = 60.0
"""Seconds between two tries with a token that was refused."""


class CircuitBreaker:
    """Holds everything back while nothing gets through; `clear_at` is when the next try is due."""

    def __init__(self) -> None:
        self.clear_at = float("-inf")
        self._failed: set[int] = set()
        self._wait = _FIRST_PAUSE

    def room(self, now: float, in_flight: int, most: int) -> int:
        """How many requests may be made now, of `most`: while nothing gets through, a few to see whether something does."""
        if now < self.clear_at:
            return 0
        return most if len(self._failed) < _FAILED_CHATS_TO_OPEN else max(0, min(most, _MAX_PROBES - in_flight))

    def fine(self) -> None:
        """Something got through."""
        self._failed.clear()
        self._wait = _FIRST_PAUSE
        self.clear_at = float("-inf")

    def bad(self, chat_id: int, now: float, *, token: bool = False) -> None:
        """A chat could not be reached; with `token`, because the bot's token was refused."""
        self._failed.add(chat_id)
        if token:
            self.clear_at = now + _TOKEN_RETRY_DELAY
        elif len(self._failed) >= _FAILED_CHATS_TO_OPEN and self.clear_at <= now:
            self.clear_at = now + self._wait
            self._wait = min(_LAST_PAUSE, self._wait * 2)
