"""One step -> one request, with the fall-backs that keep the news whole where its place is gone."""

from __future__ import annotations

from bot.errors import MessageGone, TextRefused, TopicClosed, TopicGone
from bot.outbox.entry import UNREACHABLE
from bot.store.model import ChatRef
from bot.telegram.html import plain
from bot.telegram.keyboard import BELL
from bot.telegram.messenger import Messenger, Speaker
from bot.telegram.scene import painted
from bot.telegram.step import Edit, Pinning, Reply, Request, Send


async def perform(messenger: Messenger, chat: ChatRef, step: Request) -> int:
    """Make the request; the id of the message it made or changed. Refused entities go as plain text, once."""
    if isinstance(step, Pinning):
        return await _pin(messenger, chat, step)
    speaker = painted(messenger, None if isinstance(step, Reply) else step.scene)
    try:
        return await _perform(speaker, chat, step, step.html)
    except TextRefused:
        return await _perform(speaker, chat, step, plain(step.html))


async def _pin(messenger: Messenger, chat: ChatRef, step: Pinning) -> int:
    message_id = step.entry.message_id or UNREACHABLE
    if message_id != UNREACHABLE:
        await messenger.pin(chat, message_id, on=step.on)
    return message_id


async def _perform(messenger: Speaker, chat: ChatRef, step: Send | Edit | Reply, html: str) -> int:
    keyboard = BELL if not isinstance(step, Reply) and step.bell else None
    if isinstance(step, Edit):
        return await _edit(messenger, chat, step.entry.message_id or UNREACHABLE, html, keyboard)
    answered = (step.entry.message_id or None) if isinstance(step, Reply) else None
    return await _send(messenger, chat, html, silent=step.silent, reply_to=answered, keyboard=keyboard)


async def _send(
    messenger: Speaker, chat: ChatRef, html: str, *, silent: bool, reply_to: int | None, keyboard: bytes | None
) -> int:
    try:
        return await messenger.send(chat, html, silent=silent, reply_to=reply_to, keyboard=keyboard)
    except TopicGone as gone:
        if chat.topic and not isinstance(gone, TopicClosed):
            raise
        return await messenger.send(ChatRef(chat.chat_id), html, silent=silent, keyboard=keyboard)
    except MessageGone:
        return await messenger.send(chat, html, silent=silent, keyboard=keyboard)


async def _edit(messenger: Speaker, chat: ChatRef, message_id: int, html: str, keyboard: bytes | None) -> int:
    """A message that is gone needs no edit; the reply that may follow is sent without it."""
    if message_id == UNREACHABLE:
        return UNREACHABLE
    try:
        await messenger.edit(chat, message_id, html, keyboard=keyboard)
    except (MessageGone, TopicGone):
        return UNREACHABLE
    return message_id
