"""Which chats `telegram.allowed_chats` names, and what is said of the others."""

from __future__ import annotations

from collections.abc import Collection

from bot.i18n.language import translate as _


def chat_not_allowed_text(chat_id: int) -> str:
    """Return what is said of a chat that may not use the bot: its id is what the operator needs."""
    return _("This bot is private. To use it, send its operator this chat's ID: {chat}").format(chat=chat_id)


def is_allowed(chat_id: int, username: str | None, allowed: Collection[str]) -> bool:
    """Return True if a chat is among those allowed, by its id or by its `@name`, whatever its case."""
    return str(chat_id) in allowed or (username is not None and f"@{username}".casefold() in allowed)
