"""Chats with settings by name, whether they belong to the chat or to its filter."""

from __future__ import annotations

from typing import Any

from bot.subscribers import AlertFilter, Chat, ChatRef


def make_chat(ref: ChatRef, *args: Any, **settings: Any) -> Chat:
    wanted = {name: settings.pop(name) for name in AlertFilter.__struct_fields__ if name in settings}
    return Chat(ref, *args, **settings, filter=AlertFilter(**wanted))
