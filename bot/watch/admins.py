"""What the people who run Touchline are told in their own chats: the messages, as they wait and are brought."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable

import structlog

from bot.errors import DeliveryError, RetryAfter, TelegramUnreachable, TokenRefused
from bot.store.model import ChatRef
from bot.telegram.messenger import Messenger
from bot.watch.words import event

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
"""Seconds until what could not be brought is tried again."""


class Admins:
    """Keeps for each admin what is still to be said, and says it."""

    def __init__(self, messenger: Messenger, user_ids: Iterable[int]) -> None:
        """`user_ids` are looked at anew each time."""
        self._messenger, self._user_ids = messenger, user_ids
        self._waiting: defaultdict[int, dict[str, str]] = defaultdict(dict)
        self._woken = asyncio.Event()

    async def tell(self, sentence: str) -> None:
        """Something happened that every admin who has started the bot should know."""
        self.post(sentence, event(sentence))

    def post(self, name: str, html: str) -> None:
        """Say something to everybody soon; what waits under the same name is out of date and not said."""
        for user_id in self._user_ids:
            self._waiting[user_id].pop(name, None)
            self._waiting[user_id][name] = html
        self._woken.set()

    async def run(self) -> None:
        """Bring what waits, for ever."""
        pause = FIRST_PAUSE
        while True:
            await self._woken.wait()
            self._woken.clear()
            longer = await self._bring()
            if self._waiting:
                await asyncio.sleep(max(pause, longer))
                pause = min(pause * 2, LONGEST_PAUSE)
                self._woken.set()
            else:
                pause = FIRST_PAUSE

    async def _bring(self) -> float:
        """Try all once; the seconds that Telegram asks to wait."""
        waits = [await self._bring_to(user_id) for user_id in list(self._waiting)]
        self._waiting = defaultdict(dict, {user_id: left for user_id, left in self._waiting.items() if left})
        return max(waits, default=0.0)

    async def _bring_to(self, user_id: int) -> float:
        waiting = self._waiting[user_id]
        for name, html in list(waiting.items()):
            try:
                await self._messenger.send(ChatRef(user_id), html, silent=False)
            except (RetryAfter, TelegramUnreachable, TokenRefused) as error:
                log.warning("admin_not_reached", admin=user_id, reason=str(error))
                return error.seconds if isinstance(error, RetryAfter) else 0.0
            except DeliveryError as error:
                log.warning("admin_not_told", admin=user_id, reason=str(error))
            if waiting.get(name) == html:  # else there was news of it meanwhile
                del waiting[name]
        return 0.0
