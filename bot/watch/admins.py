"""What the people who run Touchline are told in their own chats."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from bot.errors import DeliveryError, RetryAfter, TelegramUnreachable
from bot.store.model import ChatRef
from bot.telegram.messenger import Messenger
from rules.template import escape

log = structlog.get_logger()

AGAIN_AFTER = 600.0
"""Seconds after which the same sentence is told again: till then many fixtures may have said it."""


class Admins:
    """Tells each admin a sentence; not the same one again and again."""

    def __init__(self, messenger: Messenger, user_ids: Iterable[int]) -> None:
        """`user_ids` are looked at anew each time."""
        self._messenger, self._user_ids = messenger, user_ids
        self._told_at: dict[str, float] = {}
        self._refused = False

    async def tell(self, sentence: str) -> None:
        """Send a sentence to every admin who has started the bot; what fails is logged."""
        now = asyncio.get_running_loop().time()
        if now - self._told_at.get(sentence, -AGAIN_AFTER) >= AGAIN_AFTER:
            self._told_at[sentence] = now
            if not await self._told(sentence):
                del self._told_at[sentence]

    async def feed_refused(self, reason: str) -> None:
        """The feed does not let us in: one sentence, however many fixtures and ways there are to be refused."""
        if not self._refused:
            self._refused = True
            log.error("feed_refused", reason=reason)
            sentence = f"The feed refuses us: {reason}. Check feed.token; it is tried again every few minutes."
            self._refused = await self._told(sentence)

    async def feed_accepted(self) -> None:
        """The feed lets us in: another refusal is news again."""
        self._refused = False

    async def _told(self, sentence: str) -> bool:
        """Tell everybody; False where Telegram could not be reached for one of them."""
        reached = True
        for user_id in self._user_ids:
            try:
                await self._messenger.send(ChatRef(user_id), f"🛠 {escape(sentence)}", silent=False)
            except DeliveryError as error:
                log.warning("admin_not_told", admin=user_id, reason=str(error))
                reached = reached and not isinstance(error, RetryAfter | TelegramUnreachable)
        return reached
