"""Decides who may use the bot: the chats that `telegram.allowed_chats` names, and the admins."""

from __future__ import annotations

from collections.abc import Callable, Collection

import structlog
from telegram import Chat as TelegramChat
from telegram import Update
from telegram.constants import ChatType
from telegram.ext import BaseHandler

from bot.chat.allowed import chat_not_allowed_text, is_allowed
from bot.chat.middleware import answer_refused_update
from bot.chat.replies import ReplySender
from bot.chat.update_origin import HandlerContext
from bot.chat.user_limits import Throttle
from bot.clock import Clock
from bot.storage.chats import ChatRepository

log = structlog.get_logger()


class AllowedChatsHandler(BaseHandler[Update, HandlerContext, None]):
    """Takes the updates of chats that may not use the bot, so that no other handler gets them."""

    def __init__(
        self,
        allowed: Callable[[], Collection[str] | None],
        is_admin: Callable[[int | None], bool],
        clock: Clock,
        replies: ReplySender,
        chats: ChatRepository,
    ) -> None:
        """`allowed` returns ids and `@names`, and None if everybody may use the bot; a reload may change it."""
        super().__init__(self.on_refused)
        self._allowed, self._is_admin, self._replies, self._chats = allowed, is_admin, replies, chats
        self._refusals = Throttle(clock)

    def check_update(self, update: object) -> bool:
        """Return True if this update comes from somewhere that may not use the bot."""
        allowed = self._allowed()
        if allowed is None or not isinstance(update, Update):
            return False
        user, chat = update.effective_user, update.effective_chat
        # Admins may use the bot in any chat.
        if user and self._is_admin(user.id):
            return False
        # An inline query comes from no chat. A person who may write to the bot in private may ask for a card.
        if chat is None:
            return not (user and is_allowed(user.id, user.username, allowed))
        return not is_allowed(chat.id, chat.username, allowed)

    async def on_refused(self, update: Update, _ptb_context: HandlerContext) -> None:
        """Tell the chat that it may not use the bot: once an hour, and only if somebody asked for something."""
        chat = update.effective_chat
        # Asked in this order, so that what members of a group write to each other does not use up the one answer of the hour.
        if chat is None or not _asks_for_something(update, chat) or not self._refusals.allow(chat.id):
            return
        # Logged with the id, which is what an operator adds to `telegram.allowed_chats`.
        log.info("chat_not_allowed", chat=chat.id)
        await answer_refused_update(
            update,
            self._replies,
            self._chats,
            lambda: chat_not_allowed_text(chat.id),
        )


def _asks_for_something(update: Update, chat: TelegramChat) -> bool:
    """Return True for a press, a command, or any message to the bot in private. Groups also write to each other."""
    if update.callback_query:
        return True
    message = update.message or update.channel_post
    if message is None:
        return False
    return chat.type == ChatType.PRIVATE or (message.text or "").startswith("/")
