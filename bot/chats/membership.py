"""What happens to the bot itself in a chat: added, let in again, blocked, kicked; and groups that move to another id."""

from __future__ import annotations

import structlog
from msgspec.structs import replace
from telegram import Bot, ChatMemberUpdated, Update
from telegram.constants import ChatMemberStatus, ChatType, ParseMode
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import BaseHandler, ChatMemberHandler, ContextTypes, MessageHandler, filters

from bot.chats import place_words as words
from bot.chats import texts
from bot.chats.aim import menu
from bot.chats.deps import Deps
from bot.chats.keyboards import markup
from bot.chats.reply import Reply
from bot.chats.rights import SEND, Standing, lacking, may_pin, present, standing
from bot.chats.tongue import private_language
from bot.languages.speaking import speaking
from bot.store.model import Chat, ChatRef

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
        """The bot was let in, put out, or given or denied the right to speak: resume and say hello, or suspend."""
        change = update.my_chat_member
        if change is None:
            return
        kind = change.chat.type
        was, now = standing(change.old_chat_member, kind), standing(change.new_chat_member, kind)
        if now is Standing.ABLE:
            await self._deps.chats.resume(change.chat.id)
        if now is was:
            return
        log.info("standing_changed", chat=change.chat.id, kind=kind, standing=now.value)
        if now is Standing.ABLE:
            await self._let_in(change, context)
        else:
            await self._put_out(change, context, told=now is Standing.HUSHED)

    async def _put_out(self, change: ChatMemberUpdated, context: Context, *, told: bool) -> None:
        """Suspend; where the bot is in the chat still, who did it is told what is missing."""
        await self._deps.chats.suspend(change.chat.id, _why(change))
        if told:
            await self._report(change, context.bot, lacking(change.new_chat_member, change.chat.type))

    async def _let_in(self, change: ChatMemberUpdated, context: Context) -> None:
        chat = change.chat
        await self._deps.chats.ensure(ChatRef(chat.id), chat.type, chat.title or chat.full_name or "")
        if chat.type == ChatType.CHANNEL:
            await self._report(change, context.bot, ())
            return
        try:
            await context.bot.send_message(chat.id, _hello(change), parse_mode=ParseMode.HTML)
        except (BadRequest, Forbidden) as refusal:
            log.info("hello_not_sent", chat=chat.id, reason=str(refusal))
            if chat.type != ChatType.PRIVATE:
                await self._report(change, context.bot, (SEND,))

    async def _report(self, change: ChatMemberUpdated, bot: Bot, lacks: tuple[str, ...]) -> None:
        """Tell whoever added the bot, in private, what it lacks, or how to choose; who never spoke to the bot cannot be told."""
        chat = Chat(ChatRef(change.chat.id), change.chat.type, change.chat.title or "")
        with speaking(await private_language(change.from_user.id, self._deps.chats)):
            reply = Reply(words.may_not_post(chat.title, lacks)) if lacks else menu(chat)
            if not lacks and not may_pin(change.new_chat_member, chat.kind):
                reply = replace(reply, html=f"{reply.html}\n\n{words.lacks_pin()}")
        try:
            await bot.send_message(change.from_user.id, reply.html, parse_mode=ParseMode.HTML, reply_markup=markup(reply))
        except TelegramError as refusal:
            log.info("report_not_sent", chat=chat.ref.chat_id, reason=str(refusal))

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


def _hello(change: ChatMemberUpdated) -> str:
    if change.chat.type == ChatType.PRIVATE:
        return texts.welcome_back()
    lacks = [] if may_pin(change.new_chat_member, change.chat.type) else [words.lacks_pin()]
    return "\n".join([texts.welcome_group(), *lacks])


def _why(change: ChatMemberUpdated) -> str:
    if change.chat.type == ChatType.PRIVATE:
        return "blocked by the user"
    if present(change.new_chat_member):
        return "not allowed to post"
    return "kicked" if change.new_chat_member.status == ChatMemberStatus.BANNED else "left"
