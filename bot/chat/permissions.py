"""Who may change a chat, and what the bot may do there."""

from __future__ import annotations

import enum

import structlog
from telegram import Bot, ChatMember, ChatMemberAdministrator, ChatMemberRestricted
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, TelegramError

from bot.chat.dialogue import UpdateOrigin
from bot.clock import Clock
from bot.i18n.language import mark_for_translation as N_

ADMINISTRATOR_CACHE_SECONDS = 60.0
"""Seconds for which an answer of Telegram's is believed."""

MAX_CACHED_ANSWERS = 5000

_ADMINISTRATOR_STATUSES = frozenset({ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR})

log = structlog.get_logger()


class Permissions:
    """Asks Telegram who is an administrator, and remembers the answer for a minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[int, int], tuple[float, bool]] = {}

    async def may_change(self, bot: Bot, heard: UpdateOrigin) -> bool:
        """Tell whether whoever spoke may change what the chat hears."""
        if heard.kind == ChatType.PRIVATE or heard.as_chat:
            return True
        if heard.user_id is None:
            return False
        known = self._known.get((heard.ref.chat_id, heard.user_id))
        if known and self._clock.monotonic() - known[0] < ADMINISTRATOR_CACHE_SECONDS:
            return known[1]
        return await self._asked(bot, heard.ref.chat_id, heard.user_id)

    async def _asked(self, bot: Bot, chat_id: int, user_id: int) -> bool:
        try:
            may = await _is_administrator(bot, chat_id, user_id)
        except TelegramError as trouble:
            log.warning("administrator_not_known", chat=chat_id, reason=str(trouble))
            return False
        if len(self._known) >= MAX_CACHED_ANSWERS:
            self._known.clear()
        self._known[chat_id, user_id] = (self._clock.monotonic(), may)
        return may


async def _is_administrator(bot: Bot, chat_id: int, user_id: int) -> bool:
    """Ask for the member; where Telegram does not tell, as to a bot without rights, ask for the list of administrators."""
    try:
        return (await bot.get_chat_member(chat_id, user_id)).status in _ADMINISTRATOR_STATUSES
    except BadRequest:
        return any(member.user.id == user_id for member in await bot.get_chat_administrators(chat_id))


POST_RIGHT, SEND_RIGHT = N_("post messages"), N_("send messages")
"""The rights without which alerts cannot come, to be looked up where they are said."""


def is_present(member: ChatMember) -> bool:
    """Tell whether a member is in the chat."""
    if isinstance(member, ChatMemberRestricted):
        return member.is_member
    return member.status not in (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)


def missing_rights(member: ChatMember, kind: str) -> tuple[str, ...]:
    """The rights without which alerts cannot come, in words."""
    if kind == ChatType.CHANNEL:
        may = isinstance(member, ChatMemberAdministrator) and bool(member.can_post_messages)
        return () if may else (POST_RIGHT,)
    return (SEND_RIGHT,) if isinstance(member, ChatMemberRestricted) and not member.can_send_messages else ()


class BotAccess(enum.Enum):
    """Where the bot stands in a chat: out of it, in it without a word, or able to tell."""

    OUT = "out"
    HUSHED = "hushed"
    ABLE = "able"


def read_bot_access(member: ChatMember, kind: str) -> BotAccess:
    """Where the bot stands, by its own membership."""
    if not is_present(member):
        return BotAccess.OUT
    return BotAccess.HUSHED if missing_rights(member, kind) else BotAccess.ABLE


def may_pin(member: ChatMember, kind: str) -> bool:
    """Tell whether the bot may pin messages; in a channel that goes with the right to edit what others posted."""
    if not isinstance(member, ChatMemberAdministrator):
        return False
    return bool(member.can_edit_messages if kind == ChatType.CHANNEL else member.can_pin_messages)
