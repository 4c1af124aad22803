"""Decides whether a chat that Telegram refuses is gone, or one of so many that Telegram itself is at fault; pure."""

from __future__ import annotations

from itertools import takewhile

import msgspec

_WINDOW = 60.0
"""Seconds in which refusals are counted."""

_MAX_REFUSED_CHATS = 3
"""So many refused chats are never a mass: people block a bot, and groups are deleted."""

_MASS_SHARE = 0.2
"""Above this share of the chats that were tried, Telegram's own fault is more likely than that all of them are gone."""

_JUDGE_AFTER = 10.0
"""Seconds for which a chat that is refused for the first time waits: by then others have shown if it is the only one."""

_FIRST_RETRY_DELAY, _LONGEST_RETRY_DELAY = 60.0, 900.0
"""Seconds before a chat is tried again that is held because many others are refused too."""

_LONGEST_HOLD = 6 * 3600.0
"""Seconds after which a chat that is refused again and again is suspended all the same: `SuspendedChatsCheck` goes on asking."""

_SAME_ALERT = 5.0
"""Seconds in which requests belong together: those before the chat's own were most likely of the same alert."""

_MAX_REMEMBERED_CHATS = 20_000


class _HeldChat(msgspec.Struct):
    since: float
    tried_at: float
    delay: float = _FIRST_RETRY_DELAY


class HeldSuspension(msgspec.Struct, frozen=True):
    """A chat that is refused and not suspended yet: it is tried again after `delay` seconds.

    `is_mass`: it is one of so many `refused` of those that were `tried` lately that Telegram is at fault. If not, it was
    refused for the first time.
    """

    delay: float
    refused: int
    tried: int
    is_mass: bool


class SuspensionBrake:
    """Tells a chat that is gone from a mass of refusals; pure. Times are those of the monotonic clock, in seconds.

    In 2021 Telegram answered "chat not found" for every chat for a while, and a Bot API server that was moved without its data
    does the same. Suspending all of them would silence the bot for good. So nobody is suspended by the first refusal: the chat
    waits ten seconds, and what became of the others by then decides.
    """

    def __init__(self) -> None:
        # By chat, when it answered last. An answer moves a chat to the end, so counting can stop at the first that is too old.
        self._tried: dict[int, float] = {}
        self._refused: dict[int, float] = {}
        self._held: dict[int, _HeldChat] = {}

    def on_delivered(self, chat_id: int, now: float) -> None:
        """Note that a chat took a message."""
        _move_to_end(self._tried, chat_id, now)
        self._refused.pop(chat_id, None)
        self._held.pop(chat_id, None)

    def hold(self, chat_id: int, now: float) -> HeldSuspension | None:
        """Note that a chat was refused. Return when to try it again if it must not be suspended, None if it may be."""
        _move_to_end(self._tried, chat_id, now)
        _move_to_end(self._refused, chat_id, now)
        held = self._held.get(chat_id)
        if held is None or now - held.tried_at > 2 * _LONGEST_RETRY_DELAY:
            # The second condition: what it was refused for is long gone, as news that became too old meanwhile.
            self._held[chat_id] = _HeldChat(now, now)
            return HeldSuspension(_JUDGE_AFTER, *self._count_since(now - _WINDOW), is_mass=False)
        # What happened to the others since about when this chat was tried: a mass that was none shows by what they have taken.
        refused, tried = self._count_since(min(now - _WINDOW, held.tried_at - _SAME_ALERT))
        is_mass = refused > _MAX_REFUSED_CHATS and refused > _MASS_SHARE * tried
        if not is_mass or now - held.since > _LONGEST_HOLD:
            del self._held[chat_id]
            return None
        # `since` is kept: the six hours count from the first refusal.
        result = HeldSuspension(held.delay, refused, tried, is_mass=True)
        held.tried_at, held.delay = now, min(2 * held.delay, _LONGEST_RETRY_DELAY)
        return result

    def _count_since(self, since: float) -> tuple[int, int]:
        """Return how many chats were refused, and how many were tried, after a time."""
        return _count_since(self._refused, since), _count_since(self._tried, since)


def _count_since(times: dict[int, float], since: float) -> int:
    return sum(1 for _ in takewhile(lambda at: at > since, reversed(times.values())))


def _move_to_end(times: dict[int, float], chat_id: int, now: float) -> None:
    times.pop(chat_id, None)
    times[chat_id] = now
    if len(times) > _MAX_REMEMBERED_CHATS:
        del times[next(iter(times))]
