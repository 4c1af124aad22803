"""Chats that Telegram refuses: whether they are gone or Telegram is at fault, and whether they are there again.

`SuspensionBrake` holds suspensions back while too many chats are refused at once. `SuspendedChatsCheck` asks for suspended
chats again, some hours and days later.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from itertools import takewhile

import msgspec
import structlog
from sqlalchemy import delete, false, select, update

from bot.clock import Clock
from bot.errors import ChatGone, DeliveryError, StorageError
from bot.storage.chats import ChatRepository
from bot.storage.database import Database, upsert
from bot.storage.driver import Transaction
from bot.storage.schema import chats, suspensions

log = structlog.get_logger()

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


_CHECK_INTERVAL = 600.0
"""Seconds between two looks for suspended chats that are due."""

_PACE = 1.0
"""Seconds between two chats that are asked for: nobody waits for these answers."""

_PAGE_SIZE = 200

_ASK_AFTER = (3 * 3600.0, 12 * 3600.0, 86_400.0, 3 * 86_400.0, 7 * 86_400.0, 14 * 86_400.0, 30 * 86_400.0)
"""Seconds before a suspended chat is asked for: the first time since it was suspended, then since the time before. The last one
repeats."""


_SUSPENDED_CHATS = select(chats.c.chat_id).where(chats.c.active == false())


class SuspensionRepository:
    """Knows when each suspended chat is to be asked for again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_due(self, now: dt.datetime, limit: int = _PAGE_SIZE) -> list[int]:
        """Return suspended chats that are due to be asked for. Each counts as asked, so that no other process asks too."""
        at = now.timestamp()
        async with self._database.transaction() as tx:
            # Every sender process does this: without the lock, two would ask for the same chats.
            await tx.lock("suspensions")
            await self._add_unknown(tx, at)
            due = select(suspensions).where(suspensions.c.next_at <= at, suspensions.c.chat_id.in_(_SUSPENDED_CHATS))
            rows = await tx.fetch(due.order_by(suspensions.c.next_at).limit(limit))
            for row in rows:
                asked = row["asked"] + 1
                values = {"asked": asked, "next_at": at + _ASK_AFTER[min(asked, len(_ASK_AFTER) - 1)]}
                await tx.execute(update(suspensions).where(suspensions.c.chat_id == row["chat_id"]).values(**values))
        return [row["chat_id"] for row in rows]

    async def _add_unknown(self, tx: Transaction, at: float) -> None:
        """Plan for chats that are suspended and not known here; forget those that were deleted or moved."""
        # Chats that were resumed stay: if they are refused again, they are asked for less and less often.
        await tx.execute(delete(suspensions).where(suspensions.c.chat_id.not_in(select(chats.c.chat_id))))
        unknown = _SUSPENDED_CHATS.where(chats.c.chat_id.not_in(select(suspensions.c.chat_id)))
        rows = await tx.fetch(unknown.distinct())
        new = [{"chat_id": row["chat_id"], "asked": 0, "next_at": at + _ASK_AFTER[0]} for row in rows]
        if new:
            await tx.execute(upsert(suspensions, keep_existing=True), new)


class SuspendedChatsCheck:
    """Asks Telegram for suspended chats, some hours and days later, and resumes those that are there again."""

    def __init__(
        self,
        repository: SuspensionRepository,
        chat_repository: ChatRepository,
        ask: Callable[[int], Awaitable[None]],
        clock: Clock,
    ) -> None:
        """`ask` raises ChatGone if the bot cannot write to a chat, by a call that nobody notices."""
        self._repository, self._chats, self._ask, self._clock = repository, chat_repository, ask, clock

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await asyncio.sleep(_CHECK_INTERVAL)
            try:
                await self.ask_for_due()
            except StorageError as error:
                log.debug("suspended_chats_not_asked", reason=str(error))

    async def ask_for_due(self) -> None:
        """Ask for each suspended chat that is due."""
        for chat_id in await self._repository.take_due(self._clock.now()):
            try:
                await self._ask(chat_id)
            except ChatGone as error:
                # `take_due` has planned the next time already.
                log.debug("chat_still_gone", chat=chat_id, reason=str(error))
            except DeliveryError as error:
                log.info("suspended_chat_not_asked", chat=chat_id, reason=str(error))
            else:
                # This notifies the senders, which look for what waits for the chat.
                log.info("chat_resumed", chat=chat_id)
                await self._chats.resume(chat_id)
            await asyncio.sleep(_PACE)
