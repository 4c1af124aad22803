"""The button under an alert: who has one, and what it says when it is pressed."""

from __future__ import annotations

from bot.store.model import Chat

LABEL = "🔕"
OPENS = "a"
"""Its data; the alert is known by its chat and its message."""


def has_bell(chat: Chat) -> bool:
    """Tell whether alerts have the button here: not in channels, and not where nothing can be changed."""
    return chat.buttons and not chat.fixed and chat.kind != "channel"
