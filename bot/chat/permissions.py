"""Finds out who may change a chat, and what the bot may do there."""

from __future__ import annotations

import enum

import structlog
from telegram import Bot, ChatMember, ChatMemberAdministrator, ChatMemberRestricted
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, TelegramError

from bot.chat.update_origin import UpdateOrigin
from bot.clock import Clock
from bot.i18n.language import mark_for_translation as N_

ADMINISTRATOR_CACHE_SECONDS = 60.0
"""Seconds for which Telegram's answer is kept. Somebody who is no administrator any more may change the chat for that long."""

MAX_CACHED_ANSWERS = 5000

_ADMINISTRATOR_STATUSES = frozenset({ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR})

log = structlog.get_logger()


class Permissions:
    """Asks Telegram who is an administrator, and keeps the answer for a minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cache: dict[tuple[int, int], tuple[float, bool]] = {}
        """By chat and user, when Telegram answered and whether the user is an administrator."""

    async def may_change(self, bot: Bot, origin: UpdateOrigin) -> bool:
        """Return True if the sender may change the chat's settings. Never raises: if Telegram cannot be asked, nobody may."""
        if origin.type == ChatType.PRIVATE or origin.is_anonymous:
            # Only administrators can write in a chat's own name.
            return True
        if origin.user_id is None:
            return False
        cached = self._cache.get((origin.ref.chat_id, origin.user_id))
        if cached and self._clock.monotonic() - cached[0] < ADMINISTRATOR_CACHE_SECONDS:
            return cached[1]
        try:
            is_administrator = await _is_administrator(bot, origin.ref.chat_id, origin.user_id)
        except TelegramError as error:
            # Not cached: the next press asks again.
            log.warning("administrator_check_failed", chat=origin.ref.chat_id, reason=str(error))
            return False
        # All at once: the answers are a minute old at most, so asking again costs little.
        if len(self._cache) >= MAX_CACHED_ANSWERS:
            self._cache.clear()
        self._cache[origin.ref.chat_id, origin.user_id] = (self._clock.monotonic(), is_administrator)
        return is_administrator

    async def may_pin(self, bot: Bot, chat_id: int, chat_type: str) -> bool:
        """Return True if the bot may pin messages in the chat, or if Telegram cannot be asked about that."""
        if chat_type == ChatType.PRIVATE:
            return True
        try:
            return may_pin(await bot.get_chat_member(chat_id, bot.id), chat_type)
        except TelegramError as error:
            log.info("pin_right_not_known", chat=chat_id, reason=str(error))
            return True


async def _is_administrator(bot: Bot, chat_id: int, user_id: int) -> bool:
    try:
        return (await bot.get_chat_member(chat_id, user_id)).status in _ADMINISTRATOR_STATUSES
    except BadRequest:
        # Telegram may hide single members from a bot that is no administrator itself (CHAT_ADMIN_REQUIRED); the list of
        # administrators is open to every bot.
        return any(member.user.id == user_id for member in await bot.get_chat_administrators(chat_id))


POST_RIGHT, SEND_RIGHT = N_("post messages"), N_("send messages")
"""The rights without which alerts cannot be sent, untranslated: they are translated where they are shown."""


def is_present(member: ChatMember) -> bool:
    """Return True if the member is in the chat."""
    if isinstance(member, ChatMemberRestricted):
        return member.is_member
    return member.status not in (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)


def missing_rights(member: ChatMember, chat_type: str) -> tuple[str, ...]:
    """Return the untranslated names of the rights that the bot lacks to send alerts."""
    if chat_type == ChatType.CHANNEL:
        may = isinstance(member, ChatMemberAdministrator) and bool(member.can_post_messages)
        return () if may else (POST_RIGHT,)
    return (SEND_RIGHT,) if isinstance(member, ChatMemberRestricted) and not member.can_send_messages else ()


class BotAccess(enum.Enum):
    """What the bot can do in a chat: it is not there, it is there but may not send, or it can send."""

    ABSENT = "absent"
    MUTED = "muted"
    CAN_SEND = "can_send"


def read_bot_access(member: ChatMember, chat_type: str) -> BotAccess:
    """Return what the bot can do, by its own membership."""
    if not is_present(member):
        return BotAccess.ABSENT
    return BotAccess.MUTED if missing_rights(member, chat_type) else BotAccess.CAN_SEND


def may_pin(member: ChatMember, chat_type: str) -> bool:
    """Return True if the bot may pin messages. In a channel, Telegram ties that to the right to edit others' posts."""
    if not isinstance(member, ChatMemberAdministrator):
        return False
    return bool(member.can_edit_messages if chat_type == ChatType.CHANNEL else member.can_pin_messages)
