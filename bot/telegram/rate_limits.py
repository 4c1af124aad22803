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

    def next_send_at(self, now: float) -> float:
        """When the next message to anybody may leave."""
        ...

    def next_chat_send_at(self, chat_id: int, now: float, *, leave_spare: bool = False) -> float:
        """When the next message to this chat may leave; with `spare`, when it may and room for news is left."""
        ...

    def available(self, now: float, limit: int) -> int:
        """How many messages may leave now, of `most`, the chats' own limits apart."""
        ...

    def record_send(self, chat_id: int, now: float) -> None:
        """A message leaves."""
        ...

    def record_answer(self, taken_at: float, now: float, sent_at: float | None = None) -> None:
        """The answer came to a message that was taken at `began` and left at `left`; None: at once."""
        ...

    def on_retry_after(self, chat_id: int, seconds: float, now: float) -> None:
        """Telegram asked to wait so long."""
        ...


class SlidingWindow:
    """At most so many in so many seconds, sliding."""

    __slots__ = ("limit", "seconds", "taken")

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        self.taken: deque[float] = deque(maxlen=limit)

    def next_free_at(self, now: float, limit: int | None = None) -> float:
        """When one more is allowed; `limit` may be lower than the window's own."""
        limit = limit or self.limit
        return now if len(self.taken) < limit else max(now, self.taken[-limit] + self.seconds)

    def available(self, now: float, wanted: int, limit: int | None = None) -> int:
        """How many are allowed now, of `most`."""
        limit = limit or self.limit
        free = limit - len(self.taken)
        oldest = (one for one in islice(self.taken, max(0, -free), None))
        gone = sum(1 for _ in takewhile(lambda one: one + self.seconds <= now, islice(oldest, wanted)))
        return min(wanted, max(0, free) + gone)

    def shift(self, taken_at: float, arrived_at: float) -> None:
        """One counts from later on than it was taken."""
        if taken_at in self.taken:
            self.taken.remove(taken_at)
            insort(self.taken, arrived_at)

    def is_idle(self, now: float) -> bool:
        """Tell whether it forbids nothing."""
        return not self.taken or self.taken[-1] + self.seconds <= now


class RateLimiter:
    """Telegram's limits for one bot."""

    def __init__(self, per_second: int = DEFAULT_MESSAGES_PER_SECOND) -> None:
        self._all = SlidingWindow(per_second, _SECOND_WITH_MARGIN)
        self._smooth = SlidingWindow(
            max(DEFAULT_MESSAGES_PER_SECOND, per_second // 20),
            max(DEFAULT_MESSAGES_PER_SECOND / per_second, 0.05) / _SMOOTHING_FACTOR,
        )
        self._chats: dict[int, tuple[SlidingWindow, ...]] = {}
        self._chat_paused_until: dict[int, float] = {}
        self._refusals: deque[tuple[float, int]] = deque()
        self._paused_until = float("-inf")
        self._shortest_round_trip = float("inf")
        self._answer_count = 0

    def next_send_to(self, chat_id: int, now: float) -> float:
        """When this chat may get its next message, everything considered."""
        return max(self.next_send_at(now), self.next_chat_send_at(chat_id, now))

    def next_send_at(self, now: float) -> float:
        """When the next message to anybody may leave."""
        if now < self._paused_until:
            return self._paused_until
        return max(self._smooth.next_free_at(now), self._all.next_free_at(now, self._allowed_rate(now)))

    def available(self, now: float, limit: int) -> int:
        """How many messages may leave now, of `most`, the chats' own limits apart."""
        return (
            0
            if now < self._paused_until
            else self._smooth.available(now, self._all.available(now, limit, self._allowed_rate(now)))
        )

    def next_chat_send_at(self, chat_id: int, now: float, *, leave_spare: bool = False) -> float:
        """When the next message to this chat may leave, others apart; with `spare`, when it takes no room that news may need."""
        at = max(now, self._chat_paused_until.get(chat_id, now))
        windows = self._chats.get(chat_id, ())
        return max(
            (window.next_free_at(at, window.limit - (window.limit // 3 if leave_spare else 0)) for window in windows), default=at
        )

    def record_send(self, chat_id: int, now: float) -> None:
        """A message leaves now."""
        if chat_id not in self._chats:
            self._chats[chat_id] = (
                (SlidingWindow(*_CHAT_LIMIT), SlidingWindow(*_GROUP_LIMIT)) if chat_id < 0 else (SlidingWindow(*_CHAT_LIMIT),)
            )
        for window in (self._all, self._smooth, *self._chats[chat_id]):
            window.taken.append(now)
        if len(self._chats) > _MAX_REMEMBERED_CHATS:
            self._drop_idle_chats(now)

    def record_answer(self, taken_at: float, now: float, sent_at: float | None = None) -> None:
        """A message that was long on its way counts from when it can have arrived at the latest: Telegram counts arrivals."""
        self._answer_count += 1
        self._shortest_round_trip = min(self._shortest_round_trip, now - (taken_at if sent_at is None else sent_at))
        arrived = now - (self._shortest_round_trip if self._answer_count > _WARM_UP_REQUESTS else 0.0)
        if arrived > taken_at + _ARRIVAL_TOLERANCE:
            self._all.shift(taken_at, arrived)

    def on_retry_after(self, chat_id: int, seconds: float, now: float) -> None:
        """This chat waits; where several were refused within a second, everybody does."""
        self._chat_paused_until[chat_id] = max(self._chat_paused_until.get(chat_id, now), now + seconds)
        self._refusals.append((now, chat_id))
        while self._refusals[0][0] < now - 1.0:
            self._refusals.popleft()
        if len({chat for _, chat in self._refusals}) >= _REFUSED_CHATS_BEFORE_PAUSE:
            self._paused_until = max(self._paused_until, now + seconds)

    def is_paused(self, now: float) -> bool:
        """Tell whether everybody was refused, and waits."""
        return now < self._paused_until

    def _allowed_rate(self, now: float) -> int:
        """What may be used of the allowance: after everybody was refused, half, then more again."""
        share = min(1.0, 0.5 + 0.5 * (now - self._paused_until) / _RAMP_UP_TIME)
        return max(1, int(self._all.limit * share))

    def _drop_idle_chats(self, now: float) -> None:
        self._chats = {chat: windows for chat, windows in self._chats.items() if not all(w.is_idle(now) for w in windows)}
        self._chat_paused_until = {chat: until for chat, until in self._chat_paused_until.items() if until > now}


class Unlimited:
    """No limit at all: for replays, and chats in a terminal."""

    def next_send_at(self, now: float) -> float:
        """Now."""
        return now

    def next_chat_send_at(self, chat_id: int, now: float, *, leave_spare: bool = False) -> float:
        """Now."""
        return now

    def available(self, now: float, limit: int) -> int:
        """Any number."""
        return limit

    def record_send(self, chat_id: int, now: float) -> None:
        """Nothing is counted."""

    def record_answer(self, taken_at: float, now: float, sent_at: float | None = None) -> None:
        """Nothing is counted."""

    def on_retry_after(self, chat_id: int, seconds: float, now: float) -> None:
        """Nothing is remembered."""


ALREADY_COUNTED = "counted"
"""Passed by the courier, which has counted its request already."""

_LIMITED_METHODS = frozenset(
    {"sendMessage", "editMessageText", "editMessageReplyMarkup", "sendDocument", "sendPhoto", "editMessageMedia"}
)
"""The methods that Telegram limits by chat."""


class ReplyAccounting(BaseRateLimiter[str]):
    """Holds nothing back; counts what was not counted."""

    def __init__(self, rate_limiter: RateLimitPolicy, clock: Clock) -> None:
        self._rate_limiter, self._clock = rate_limiter, clock

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
            self._rate_limiter.record_send(chat_id, self._clock.monotonic())
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
        self.retry_at = float("-inf")
        self._failed: set[int] = set()
        self._pause = _FIRST_PAUSE

    def available(self, now: float, in_flight: int, limit: int) -> int:
        """How many requests may be made now, of `most`: while nothing gets through, a few to see whether something does."""
        if now < self.retry_at:
            return 0
        return limit if len(self._failed) < _FAILED_CHATS_TO_OPEN else max(0, min(limit, _MAX_PROBES - in_flight))

    def on_success(self) -> None:
        """Something got through."""
        self._failed.clear()
        self._pause = _FIRST_PAUSE
        self.retry_at = float("-inf")

    def on_failure(self, chat_id: int, now: float, *, is_token_refused: bool = False) -> None:
        """A chat could not be reached; with `token`, because the bot's token was refused."""
        self._failed.add(chat_id)
        if is_token_refused:
            self.retry_at = now + _TOKEN_RETRY_DELAY
        elif len(self._failed) >= _FAILED_CHATS_TO_OPEN and self.retry_at <= now:
            self.retry_at = now + self._pause
            self._pause = min(_LAST_PAUSE, self._pause * 2)
