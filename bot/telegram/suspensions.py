"""Asks Telegram for suspended chats again, some hours and days later, and resumes those that are there again."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy import delete, false, select, update

from bot.clock import Clock
from bot.errors import ChatGone, ChatMigrated, DeliveryError, StorageError
from bot.storage.chats import ChatRepository
from bot.storage.database import Database, upsert
from bot.storage.driver import Transaction
from bot.storage.schema import chats, suspensions

log = structlog.get_logger()

_CHECK_INTERVAL = 600.0
"""Seconds between two searches for suspended chats that are due."""

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
        """`ask` raises ChatGone if the bot cannot write to a chat, by a call that its members do not see."""
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
        for suspended_id in await self._repository.take_due(self._clock.now()):
            chat_id = suspended_id
            try:
                try:
                    await self._ask(chat_id)
                except ChatMigrated as moved:
                    # It became a supergroup while it was suspended. Whether the bot may write there is the same question again.
                    chat_id = moved.new_chat_id
                    log.info("chat_migrated", chat=suspended_id, to=chat_id)
                    await self._chats.migrate(suspended_id, chat_id)
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
