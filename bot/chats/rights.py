"""What the bot may do in a chat, read from its own membership. Pure."""

from __future__ import annotations

import enum

from telegram import ChatMember, ChatMemberAdministrator, ChatMemberRestricted
from telegram.constants import ChatMemberStatus, ChatType

from bot.languages.speaking import marked as N_

POST, SEND = N_("post messages"), N_("send messages")
"""The rights without which alerts cannot come, to be looked up where they are said."""


def present(member: ChatMember) -> bool:
    """Tell whether a member is in the chat."""
    if isinstance(member, ChatMemberRestricted):
        return member.is_member
    return member.status not in (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)


def lacking(member: ChatMember, kind: str) -> tuple[str, ...]:
    """The rights without which alerts cannot come, in words."""
    if kind == ChatType.CHANNEL:
        may = isinstance(member, ChatMemberAdministrator) and bool(member.can_post_messages)
        return () if may else (POST,)
    return (SEND,) if isinstance(member, ChatMemberRestricted) and not member.can_send_messages else ()


class Standing(enum.Enum):
    """Where the bot stands in a chat: out of it, in it without a word, or able to tell."""

    OUT = "out"
    HUSHED = "hushed"
    ABLE = "able"


def standing(member: ChatMember, kind: str) -> Standing:
    """Where the bot stands, by its own membership."""
    if not present(member):
        return Standing.OUT
    return Standing.HUSHED if lacking(member, kind) else Standing.ABLE


def may_pin(member: ChatMember, kind: str) -> bool:
    """Tell whether the bot may pin messages; in a channel that goes with the right to edit what others posted."""
    if not isinstance(member, ChatMemberAdministrator):
        return False
    return bool(member.can_edit_messages if kind == ChatType.CHANNEL else member.can_pin_messages)
