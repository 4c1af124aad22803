"""When the next message may leave: Telegram's limits, as sliding windows.

Times are those of the monotonic clock, in seconds, and given by the caller.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Sequence
from math import ceil
from typing import Protocol

from bot.outbox.delivery import Urgency
from bot.telegram.limits.paid_messages import FREE_MESSAGES_PER_SECOND, PaidMessages
from bot.telegram.limits.sending_pause import SendingPause

# From Telegram's FAQ for bots: to one chat no more than one message a second but for short bursts, to a group no
# more than 20 a minute. Both times are a little longer, since no clock is exact.
_CHAT_LIMIT = (3, 3.05)
"""Messages to one chat, and in how many seconds: one a second on average, with short bursts."""

_GROUP_LIMIT = (20, 60.2)
"""Messages to one group or channel, and in how many seconds."""

LONGEST_WINDOW = _GROUP_LIMIT[1]
"""Seconds for which a message counts."""

_SPARE_SHARE = {Urgency.LOUD: 0.0, Urgency.SILENT: 0.25, Urgency.LIVE_MESSAGE: 0.3}
"""Which share of a chat's limits is left for what is more urgent: of a group's 20, silent news leaves 5, cards leave 6.

Of each limit it is one message at least: a goal need not even wait for the end of a short burst.
"""

_SECOND_WITH_MARGIN = 1.008
"""A little more than a second, since no clock is exact."""

_SMOOTHING_FACTOR = 1.6
"""A large allowance is used up so much faster than it allows, but not at once: a process that is too busy to read answers
would not know when its messages arrived, by which Telegram counts."""

_WARM_UP_REQUESTS = 500
"""Requests until the shortest round trip is trusted: the first ones open connections."""

# The margin of the windows is larger.
_ARRIVAL_TOLERANCE = 0.002
"""Seconds by which a request may arrive later than it left and still count from then."""

_LONGEST_LATENESS = 2.0
"""Seconds for which an unanswered message counts after its window has ended. By then it has arrived, or never will."""

_RETRY_WITHOUT_ANSWERS = 0.05
"""Seconds until the limiter is asked again while unanswered messages take up the whole allowance."""

_REFUSED_CHATS_BEFORE_PAUSE = 3
"""Different chats refused within a second that mean that the whole bot is over its limit."""

_RAMP_UP_TIME = 10.0
"""Seconds from half the rate to all of it after a pause of all chats."""

_MAX_REMEMBERED_CHATS = 20_000


class RateLimitPolicy(Protocol):
    """What the sender asks before each message. `SharedRateLimiter` is the one for several processes."""

    def next_send_at(self, now: float) -> float:
        """Return when the next message to any chat may leave."""
        ...

    def next_chat_send_at(self, chat_id: int, now: float, urgency: Urgency = Urgency.LOUD) -> float:
        """Return when a message of this urgency may leave to this chat. A less urgent one must leave more of its limits free."""
        ...

    def available(self, now: float, limit: int) -> int:
        """Return how many messages may leave now, at most `limit`. The chats' own limits are asked one by one."""
        ...

    def record_send(self, chat_id: int, now: float, *, is_tracked: bool = False, may_be_paid: bool = False) -> bool:
        """Count a message that leaves now, and return True if it has to be paid for.

        `is_tracked`: `record_answer` follows with the same time, when its request ends. `may_be_paid`: it is a new message.
        """
        ...

    def give_back_paid(self, taken_at: float) -> None:
        """Note that a paid message, counted then, was refused, so that it costs nothing."""
        ...

    def record_payment(self, taken_at: float, now: float, *, is_accepted: bool) -> None:
        """Note whether Telegram took the payment of a message. If it did not, nothing is paid for a while."""
        ...

    def restore_sends(self, sends: Sequence[tuple[int, float]]) -> None:
        """Count what an earlier process sent: chats and times, in order. To be called before anything is sent."""
        ...

    def record_answer(self, taken_at: float, now: float, sent_at: float | None = None) -> None:
        """Note that an answer came, to a message counted at `taken_at` and sent at `sent_at`; None if at the same time."""
        ...

    def on_retry_after(self, chat_id: int, seconds: float, now: float) -> None:
        """Note that Telegram asked to wait `seconds` before the next message to this chat."""
        ...

    def on_accepted(self, sent_at: float, now: float) -> bool:
        """Note that Telegram took a message that left at `sent_at`. Return True if that has ended a pause of all chats."""
        ...


class RateLimiter:
    """Keeps Telegram's limits for one bot in one process."""

    def __init__(self, per_second: int = FREE_MESSAGES_PER_SECOND, paid: PaidMessages | None = None) -> None:
        """`paid` says how many messages may be paid for, beside those that are free; None: the rate needs no payment."""
        self.rate = per_second
        """Messages a second that may leave at most; never more than `per_second`, and 0 for none."""
        self.unpaid_rate = FREE_MESSAGES_PER_SECOND
        """Messages that may leave in a second, all counted, until one more has to be paid for."""
        self._paid = paid
        self.on_unpaid_used: Callable[[], None] | None = paid.request if paid else None
        """Called when more is due than may leave without payment, and too little is reserved."""
        self._all = SlidingWindow(per_second, _SECOND_WITH_MARGIN)
        # A second window, short and narrow, inside the one of a second: without it the first 30 would leave in a millisecond.
        self._smooth = SlidingWindow(
            max(FREE_MESSAGES_PER_SECOND, per_second // 20),
            max(FREE_MESSAGES_PER_SECOND / per_second, 0.05) / _SMOOTHING_FACTOR,
        )
        self._chats: dict[int, tuple[SlidingWindow, ...]] = {}
        self._chat_paused_until: dict[int, float] = {}
        self._refusals: deque[tuple[float, int]] = deque()
        self._pause = SendingPause()
        self._shortest_round_trip = float("inf")
        self._answer_count = 0
        self._unanswered: dict[float, int] = {}
        """By the time at which they were counted, how many requests have no answer yet."""

    def next_send_at(self, now: float) -> float:
        """Return when the next message to any chat may leave."""
        if self._pause.is_active(now):
            return self._pause.next_send_at(now)
        rate = self._free_rate(now)
        if self._paid and not self._paid.count_available(now):
            # More that may be paid for wakes the sender sooner.
            rate = min(rate, self._free_unpaid_rate(now))
        if rate <= 0:
            # The next answer wakes the sender sooner.
            return now + _RETRY_WITHOUT_ANSWERS
        return max(self._smooth.next_free_at(now), self._all.next_free_at(now, rate))

    def available(self, now: float, limit: int) -> int:
        """Return how many messages may leave now, at most `limit`."""
        limit = self._pause.limit(now, limit)
        if not limit:
            return 0
        rate = self._free_rate(now)
        allowed = self._all.available(now, limit, rate) if rate > 0 else 0
        if self._paid:
            unpaid, paid = self.count_unpaid(now, allowed), self._paid.count_available(now)
            # Compared before the rate is smoothed: what leaves a little later has to be paid for too.
            if unpaid + paid < allowed and self.on_unpaid_used:
                self.on_unpaid_used()
            allowed = min(allowed, unpaid + paid)
        return self._smooth.available(now, allowed)

    def count_unpaid(self, now: float, limit: int) -> int:
        """Return how many messages may leave now without payment, at most `limit`; the limit of all is not asked."""
        rate = self._free_unpaid_rate(now)
        return self._all.available(now, limit, rate) if rate > 0 else 0

    def next_chat_send_at(self, chat_id: int, now: float, urgency: Urgency = Urgency.LOUD) -> float:
        """Return when this chat's own limits allow a message of this urgency."""
        # Less urgent messages see a smaller limit: cards are edited often, and a goal must find room in a group's twenty.
        at = max(now, self._chat_paused_until.get(chat_id, now))
        windows = self._chats.get(chat_id, ())
        spare = _SPARE_SHARE[urgency]
        return max((window.next_free_at(at, window.limit - ceil(window.limit * spare)) for window in windows), default=at)

    def count_in_use(self, now: float) -> int:
        """Return how many messages count in the second that ends now."""
        return self._all.count(now) + self._count_late(now)

    def record_send(self, chat_id: int, now: float, *, is_tracked: bool = False, may_be_paid: bool = False) -> bool:
        """Count a message that leaves now, and return True if it has to be paid for.

        One that is tracked counts until its answer has come.
        """
        is_paid = may_be_paid and self._paid is not None and not self.count_unpaid(now, 1) and self._paid.take(now)
        if is_tracked:
            self._unanswered[now] = self._unanswered.get(now, 0) + 1
        self._all.add(now)
        self._smooth.add(now)
        self._record_for_chat(chat_id, now)
        self._pause.on_sent(now)
        return is_paid

    def give_back_paid(self, taken_at: float) -> None:
        """Note that a paid message, counted then, was refused, so that it costs nothing."""
        if self._paid:
            self._paid.give_back(taken_at)

    def record_payment(self, taken_at: float, now: float, *, is_accepted: bool) -> None:
        """Note whether Telegram took the payment of a message."""
        if self._paid:
            self._paid.record_payment(taken_at, now, is_accepted=is_accepted)

    def restore_chats(self, sends: Sequence[tuple[int, float]]) -> None:
        """Count what another process sent, for the limits of its chats alone."""
        for chat_id, at in sends:
            self._record_for_chat(chat_id, at)

    def _record_for_chat(self, chat_id: int, now: float) -> None:
        if chat_id not in self._chats:
            # Negative ids are groups and channels: Telegram allows them 20 messages a minute.
            self._chats[chat_id] = (
                (SlidingWindow(*_CHAT_LIMIT), SlidingWindow(*_GROUP_LIMIT)) if chat_id < 0 else (SlidingWindow(*_CHAT_LIMIT),)
            )
        for window in self._chats[chat_id]:
            window.add(now)
        if len(self._chats) > _MAX_REMEMBERED_CHATS:
            self._drop_idle_chats(now)

    def restore_sends(self, sends: Sequence[tuple[int, float]]) -> None:
        """Count what an earlier process sent: Telegram has counted it too."""
        # Untracked, because their answers do not reach this process.
        for chat_id, at in sends:
            self.record_send(chat_id, at)

    def record_answer(self, taken_at: float, now: float, sent_at: float | None = None) -> None:
        """Count a message from when it can have arrived at the latest: Telegram counts arrivals, not departures."""
        was_tracked = self._forget_unanswered(taken_at)
        self._answer_count += 1
        self._shortest_round_trip = min(self._shortest_round_trip, now - (taken_at if sent_at is None else sent_at))
        # The answer's way back took half of the shortest round trip at least. All of it would be too much: the first requests
        # leave in bursts, so that even the quickest of them waits for the others.
        arrived_at = now - (self._shortest_round_trip / 2 if self._answer_count > _WARM_UP_REQUESTS else 0.0)
        if arrived_at > taken_at + _ARRIVAL_TOLERANCE and not self._all.shift(taken_at, arrived_at) and was_tracked:
            # It arrived so late that the window had dropped it: it is counted again.
            self._all.add(arrived_at)

    def on_retry_after(self, chat_id: int, seconds: float, now: float) -> None:
        """Pause this chat; if several were refused within a second, pause all until Telegram takes a message again."""
        self._chat_paused_until[chat_id] = max(self._chat_paused_until.get(chat_id, now), now + seconds)
        # One chat may be over its own limit. Several in a second mean that it is the bot's.
        self._refusals.append((now, chat_id))
        while self._refusals[0][0] < now - 1.0:
            self._refusals.popleft()
        if len({chat for _, chat in self._refusals}) >= _REFUSED_CHATS_BEFORE_PAUSE:
            self.pause_until(now + seconds, now)

    def pause_until(self, at: float, now: float) -> None:
        """Pause all chats until then, as this or another process was asked to."""
        self._pause.extend(at, now)

    def on_accepted(self, sent_at: float, now: float) -> bool:
        """Note that Telegram took a message. Return True if that has ended a pause of all chats."""
        return self._pause.on_accepted(sent_at, now)

    def end_pause(self, now: float) -> None:
        """End a pause of all chats, as another process has found it over."""
        self._pause.end(now)

    def is_paused(self, now: float) -> bool:
        """Return True while all chats are paused."""
        return self._pause.is_active(now)

    def _free_rate(self, now: float) -> int:
        """Return how many messages a second are allowed beside those that left longer ago and whose answers have not come.

        If this process or Telegram is held up, they may have arrived a moment ago, and Telegram counts arrivals.
        """
        return self._allowed_rate(now) - self._count_late(now)

    def _free_unpaid_rate(self, now: float) -> int:
        """Return the same for messages that are not paid for."""
        return min(self.unpaid_rate, self._allowed_rate(now)) - self._count_late(now)

    def _count_late(self, now: float) -> int:
        late, lost = 0, []
        for taken_at, count in self._unanswered.items():
            # Sorted by time: the window itself counts this one and all later ones.
            if taken_at + self._all.seconds > now:
                break
            if taken_at + self._all.seconds + _LONGEST_LATENESS > now:
                late += count
            else:
                lost.append(taken_at)
        for taken_at in lost:
            del self._unanswered[taken_at]
        return late

    def _forget_unanswered(self, taken_at: float) -> bool:
        count = self._unanswered.get(taken_at, 0)
        if count > 1:
            self._unanswered[taken_at] = count - 1
        elif count:
            del self._unanswered[taken_at]
        return count > 0

    def _allowed_rate(self, now: float) -> int:
        """Return how many messages a second are allowed: half of them after a pause of all chats, then more again."""
        # At full rate at once the next burst would be refused as the last one was.
        if not self.rate:
            return 0
        return max(1, int(min(self._all.limit, self.rate) * share_after_pause(now - self._pause.until)))

    def _drop_idle_chats(self, now: float) -> None:
        # A chat without recent messages starts with an empty window, which is what it has.
        self._chats = {chat: windows for chat, windows in self._chats.items() if not all(w.is_idle(now) for w in windows)}
        self._chat_paused_until = {chat: until for chat, until in self._chat_paused_until.items() if until > now}


class Unlimited:
    """No limit at all, for replays and chats in a terminal."""

    def next_send_at(self, now: float) -> float:
        """Return now."""
        return now

    def next_chat_send_at(self, chat_id: int, now: float, urgency: Urgency = Urgency.LOUD) -> float:
        """Return now."""
        return now

    def available(self, now: float, limit: int) -> int:
        """Return the limit."""
        return limit

    def record_send(self, chat_id: int, now: float, *, is_tracked: bool = False, may_be_paid: bool = False) -> bool:
        """Return False."""
        return False

    def give_back_paid(self, taken_at: float) -> None:
        """Do nothing."""

    def record_payment(self, taken_at: float, now: float, *, is_accepted: bool) -> None:
        """Do nothing."""

    def restore_sends(self, sends: Sequence[tuple[int, float]]) -> None:
        """Do nothing."""

    def record_answer(self, taken_at: float, now: float, sent_at: float | None = None) -> None:
        """Do nothing."""

    def on_retry_after(self, chat_id: int, seconds: float, now: float) -> None:
        """Do nothing."""

    def on_accepted(self, sent_at: float, now: float) -> bool:
        """Return False."""
        return False


class SlidingWindow:
    """Allows at most `limit` events in any `seconds`."""

    __slots__ = ("limit", "seconds", "taken")

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        # In order. A list, whose middle a bisection reaches at once: nearly every answer moves an event of the last second.
        self.taken: list[float] = []

    def next_free_at(self, now: float, limit: int | None = None) -> float:
        """Return when one more is allowed. `limit` may be lower than the window's own."""
        limit = limit or self.limit
        return now if len(self.taken) < limit else max(now, self.taken[-limit] + self.seconds)

    def available(self, now: float, wanted: int, limit: int | None = None) -> int:
        """Return how many are allowed now, at most `wanted`."""
        limit = limit or self.limit
        # With a lower limit the oldest events do not count: only those after them have to end.
        uncounted = max(0, len(self.taken) - limit)
        free = max(0, limit - len(self.taken))
        return min(wanted, free + max(0, self._count_ended(now) - uncounted))

    def count(self, now: float) -> int:
        """Return how many events the window holds now."""
        return len(self.taken) - self._count_ended(now)

    def shift(self, taken_at: float, arrived_at: float) -> bool:
        """Count one event from a later time than it was taken at. Return False if it does not count any more."""
        index = bisect_left(self.taken, taken_at)
        if index == len(self.taken) or self.taken[index] != taken_at:
            return False
        del self.taken[index]
        self.add(arrived_at)
        return True

    def add(self, at: float) -> None:
        """Count an event that may be earlier than the last one, in the place of the oldest if the window is full."""
        if len(self.taken) == self.limit:
            if at < self.taken[0]:
                return
            del self.taken[0]
        # In order, since `next_free_at` reads the window by position.
        insort(self.taken, at)

    def is_idle(self, now: float) -> bool:
        """Return True if the window forbids nothing now."""
        return not self.taken or self.taken[-1] + self.seconds <= now

    def _count_ended(self, now: float) -> int:
        return bisect_right(self.taken, now, key=lambda at: at + self.seconds)


def share_after_pause(seconds: float) -> float:
    """Return the part of the rate that may be used `seconds` after a pause of all chats: half of it at first, then more again."""
    return min(1.0, 0.5 + 0.5 * max(0.0, seconds) / _RAMP_UP_TIME)
