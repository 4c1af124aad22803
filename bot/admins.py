"""What the people who run Touchline are told in their own chats."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.errors import DeliveryError
from bot.store.model import ChatRef
from bot.telegram.messenger import Messenger
from rules.template import escape

log = structlog.get_logger()


class Admins:
    """Tells each admin a sentence; the same sentence only once."""

    def __init__(self, messenger: Messenger, user_ids: Sequence[int]) -> None:
        self._messenger, self._user_ids = messenger, tuple(user_ids)
        self._told: set[str] = set()

    async def tell(self, sentence: str) -> None:
        """Send a sentence to every admin who has started the bot; what fails is logged."""
        if sentence in self._told:
            return
        self._told.add(sentence)
        for user_id in self._user_ids:
            try:
                await self._messenger.send(ChatRef(user_id), f"🛠 {escape(sentence)}", silent=False)
            except DeliveryError as error:
                log.warning("admin_not_told", admin=user_id, reason=str(error))

    async def feed_refused(self, reason: str) -> None:
        """The feed does not let us in."""
        log.error("feed_refused", reason=reason)
        await self.tell(f"The feed refuses us: {reason}. Check feed.token; it is tried again every few minutes.")
