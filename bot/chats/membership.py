"""What happens to the bot itself in a chat: added, let in again, blocked, kicked; and groups that move to another id."""

from __future__ import annotations

import structlog
from telegram import ChatMember, ChatMemberUpdated, Update
from telegram.constants import ChatMemberStatus, ChatType, ParseMode
from telegram.ext import BaseHandler, ChatMemberHandler, ContextTypes, MessageHandler, filters

from bot.chats import texts
from bot.chats.deps import Deps
from bot.store.model import ChatRef

Context = ContextTypes.DEFAULT_TYPE

log = structlog.get_logger()


class Membership:
    """Keeps the stored chats in step with where the bot is let in."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def handlers(self) -> list[BaseHandler[Update, Context, None]]:
        """One for the bot's own standing, one for groups that become supergroups."""
        return [
            ChatMemberHandler(self.standing, ChatMemberHandler.MY_CHAT_MEMBER),
            MessageHandler(filters.StatusUpdate.MIGRATE, self.migrated),
        ]

    async def standing(self, update: Update, context: Context) -> None:
        """The bot was let in or put out: resume and say hello, or suspend."""
        change = update.my_chat_member
        if change is None:
            return
        was, now = present(change.old_chat_member), present(change.new_chat_member)
        if now and not was:
            await self._let_in(change, context)
        elif was and not now:
            log.info("chat_suspended", chat=change.chat.id, status=change.new_chat_member.status)
            await self._deps.chats.suspend(change.chat.id, _why(change))

    async def _let_in(self, change: ChatMemberUpdated, context: Context) -> None:
        chat = change.chat
        log.info("chat_let_in", chat=chat.id, kind=chat.type)
        await self._deps.chats.ensure(ChatRef(chat.id), chat.type, chat.title or chat.full_name or "")
        await self._deps.chats.resume(chat.id)
        if chat.type != ChatType.CHANNEL:
            text = texts.WELCOME_BACK if chat.type == ChatType.PRIVATE else texts.WELCOME_GROUP
            await context.bot.send_message(chat.id, text, parse_mode=ParseMode.HTML)

    async def migrated(self, update: Update, _: Context) -> None:
        """A group became a supergroup: either of Telegram's two messages moves the stored chat."""
        message = update.effective_message
        if message is None:
            return
        if message.migrate_to_chat_id:
            await self._move(message.chat.id, message.migrate_to_chat_id)
        elif message.migrate_from_chat_id:
            await self._move(message.migrate_from_chat_id, message.chat.id)

    async def _move(self, old: int, new: int) -> None:
        log.info("chat_migrated", chat=old, to=new)
        await self._deps.chats.migrate(old, new)


def present(member: ChatMember) -> bool:
    """Tell whether a member is in the chat."""
    if member.status == ChatMemberStatus.RESTRICTED:
        return bool(getattr(member, "is_member", False))
    return member.status not in (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)


def _why(change: ChatMemberUpdated) -> str:
    if change.chat.type == ChatType.PRIVATE:
        return "blocked by the user"
    return "kicked" if change.new_chat_member.status == ChatMemberStatus.BANNED else "left"
