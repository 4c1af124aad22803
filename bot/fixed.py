"""The chats that stand in the configuration."""

from __future__ import annotations

from bot.config import Config
from bot.settings import FixedChat
from bot.store.model import Chat, ChatRef, Subscription
from rules.alert import KINDS


def fixed(chat: FixedChat, config: Config) -> tuple[Chat, tuple[Subscription, ...]]:
    """A chat of the configuration with what it follows: exactly the kinds it names, or all."""
    place = ChatRef(chat.chat, chat.topic)
    kind = "private" if chat.chat > 0 else "supergroup"
    if chat.kinds is None:
        return Chat(place, kind, all_kinds=True, fixed=True), chat.subscribe
    on = frozenset(chat.kinds)
    off = frozenset({*KINDS, *config.rules.kinds()}) - on
    return Chat(place, kind, kinds_on=on, kinds_off=off, fixed=True), chat.subscribe
