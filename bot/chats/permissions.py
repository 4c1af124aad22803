"""Who may change what a chat hears: in private everybody, elsewhere the chat's administrators, as Telegram says."""

from __future__ import annotations

import structlog
from telegram import Bot
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, TelegramError

from bot.chats.heard import Heard
from bot.clock import Clock

KEEP = 60.0
"""Seconds for which an answer of Telegram's is believed."""
MOST = 5000

_MAY = frozenset({ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR})

log = structlog.get_logger()


class Permissions:
    """Asks Telegram who is an administrator, and remembers the answer for a minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[int, int], tuple[float, bool]] = {}

    async def may_change(self, bot: Bot, heard: Heard) -> bool:
        """Tell whether whoever spoke may change what the chat hears."""
        if heard.kind == ChatType.PRIVATE or heard.as_chat:
            return True
        if heard.user_id is None:
            return False
        known = self._known.get((heard.ref.chat_id, heard.user_id))
        if known and self._clock.monotonic() - known[0] < KEEP:
            return known[1]
        return await self._asked(bot, heard.ref.chat_id, heard.user_id)

    async def _asked(self, bot: Bot, chat_id: int, user_id: int) -> bool:
        try:
            may = await _is_administrator(bot, chat_id, user_id)
        except TelegramError as trouble:
            log.warning("administrator_not_known", chat=chat_id, reason=str(trouble))
            return False
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[chat_id, user_id] = (self._clock.monotonic(), may)
        return may


async def _is_administrator(bot: Bot, chat_id: int, user_id: int) -> bool:
    """Ask for the member; where Telegram does not tell, as to a bot without rights, ask for the list of administrators."""
    try:
        return (await bot.get_chat_member(chat_id, user_id)).status in _MAY
    except BadRequest:
        return any(member.user.id == user_id for member in await bot.get_chat_administrators(chat_id))
