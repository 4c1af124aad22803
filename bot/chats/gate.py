"""What comes before every command and button: who floods the bot is warned once, and then not heard for a while."""

from __future__ import annotations

import structlog
from telegram import Message, Update
from telegram.constants import ChatType
from telegram.ext import BaseHandler, ContextTypes

from bot.chats import texts
from bot.chats.flood import Floods
from bot.chats.heard import heard
from bot.chats.reply import Reply
from bot.chats.speak import acknowledge, send
from bot.clock import Clock

Context = ContextTypes.DEFAULT_TYPE

log = structlog.get_logger()


class Gate(BaseHandler[Update, Context, None]):
    """Takes an update from who speaks too fast, so that no other handler gets it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(self.warn)
        self._clock, self._floods = clock, Floods()

    def check_update(self, update: object) -> bool:
        """Tell whether this is one too many; everything that asks for an answer counts."""
        speaker = speaker_of(update) if isinstance(update, Update) else None
        return speaker is not None and not self._floods.admit(speaker, self._clock.monotonic())

    async def warn(self, update: Update, context: Context) -> None:
        """Say so, once."""
        speaker, place, query = speaker_of(update), heard(update), update.callback_query
        if speaker is None or not self._floods.warn(speaker):
            return
        log.warning("flood_slowed", user=speaker)
        if query:
            await acknowledge(query, texts.slowly())
        elif place:
            await send(context.bot, place, Reply(texts.slowly()))


def speaker_of(update: Update) -> int | None:
    """Who asks for an answer, by id: a chat that speaks for itself counts as one; None where nothing is asked."""
    if update.callback_query or update.inline_query:
        return update.effective_user.id if update.effective_user else None
    message = update.message or update.channel_post
    if message is None or not _asks(message):
        return None
    who = message.sender_chat or message.from_user
    return who.id if who else None


def _asks(message: Message) -> bool:
    said = message.text or message.caption or ""
    return message.chat.type == ChatType.PRIVATE or said.startswith("/")
