"""The chats that stand in the configuration."""

from __future__ import annotations

from msgspec.structs import replace

from bot.config import Config
from bot.settings import FixedChat
from bot.store.model import Chat, ChatRef, Subscription
from rules.alert import KINDS


def fixed(chat: FixedChat, config: Config) -> tuple[Chat, tuple[Subscription, ...]]:
    """A chat of the configuration with what it follows: exactly the kinds it names, or all."""
    place = ChatRef(chat.chat, chat.topic)
    kind = "private" if chat.chat > 0 else "supergroup"
    stored = Chat(place, kind, language=chat.language, language_chosen=True, fixed=True)
    stored = replace(stored, spoilers=chat.spoilers, bursts=chat.bursts)
    if chat.kinds is None:
        return replace(stored, all_kinds=True), chat.subscribe
    on = frozenset(chat.kinds)
    off = frozenset({*KINDS, *config.rules.kinds()}) - on
    return replace(stored, kinds_on=on, kinds_off=off), chat.subscribe
