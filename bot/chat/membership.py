"""The bot added, blocked, kicked; groups that migrate."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from msgspec.structs import replace
from telegram import Bot, ChatMemberUpdated, Update
from telegram.constants import ChatMemberStatus, ChatType, ParseMode
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import BaseHandler, ChatMemberHandler, MessageHandler, filters

from bot.chat.dialogue import HandlerContext, Screen, to_inline_keyboard
from bot.chat.features.channel import show_channel_menu
from bot.chat.middleware import find_private_language
from bot.chat.permissions import SEND_RIGHT, BotAccess, is_present, may_pin, missing_rights, read_bot_access
from bot.chat.services import ChatServices
from bot.chat.texts import escape_text
from bot.i18n.language import join_sentence_list, use_language
from bot.i18n.language import translate as _
from bot.subscribers import Chat, ChatRef


def welcome_back_text() -> str:
    return _("👋 I am back. What this chat follows is as it was: /subscriptions.")


def group_welcome_text() -> str:
    return _(
        "👋 Hello! An administrator chooses what this group hears about: /subscribe. Everybody can ask for /today and /help."
    )


log = structlog.get_logger()


class MembershipHandlers:
    """Keeps the stored chats in step with where the bot is let in."""

    def __init__(self, services: ChatServices) -> None:
        self._services = services

    def handlers(self) -> list[BaseHandler[Update, HandlerContext, None]]:
        """One for the bot's own standing, one for groups that become supergroups."""
        return [
            ChatMemberHandler(self.on_member_change, ChatMemberHandler.MY_CHAT_MEMBER),
            MessageHandler(filters.StatusUpdate.MIGRATE, self.on_migration),
        ]

    async def on_member_change(self, update: Update, ptb_context: HandlerContext) -> None:
        """The bot was let in, put out, or given or denied the right to speak: resume and say hello, or suspend."""
        change = update.my_chat_member
        if change is None:
            return
        chat_type = change.chat.type
        was, now = read_bot_access(change.old_chat_member, chat_type), read_bot_access(change.new_chat_member, chat_type)
        if now is BotAccess.CAN_SEND:
            await self._services.chats.resume(change.chat.id)
        if now is was:
            return
        log.info("bot_access_changed", chat=change.chat.id, type=chat_type, access=now.value)
        if now is BotAccess.CAN_SEND:
            await self._on_added(change, ptb_context)
        else:
            await self._on_removed(change, ptb_context, notify=now is BotAccess.MUTED)

    async def _on_removed(self, change: ChatMemberUpdated, ptb_context: HandlerContext, *, notify: bool) -> None:
        """Suspend; where the bot is in the chat still, who did it is told what is missing."""
        await self._services.chats.suspend(change.chat.id, _describe_removal(change))
        if notify:
            await self._notify_adder(change, ptb_context.bot, missing_rights(change.new_chat_member, change.chat.type))

    async def _on_added(self, change: ChatMemberUpdated, ptb_context: HandlerContext) -> None:
        chat = change.chat
        await self._services.chats.ensure(ChatRef(chat.id), chat.type, chat.title or chat.full_name or "")
        if chat.type == ChatType.CHANNEL:
            await self._notify_adder(change, ptb_context.bot, ())
            return
        try:
            await ptb_context.bot.send_message(chat.id, _render_greeting(change), parse_mode=ParseMode.HTML)
        except (BadRequest, Forbidden) as refusal:
            log.info("hello_not_sent", chat=chat.id, reason=str(refusal))
            if chat.type != ChatType.PRIVATE:
                await self._notify_adder(change, ptb_context.bot, (SEND_RIGHT,))

    async def _notify_adder(self, change: ChatMemberUpdated, bot: Bot, lacks: tuple[str, ...]) -> None:
        """Tell whoever added the bot, in private, what it lacks, or how to choose; who never spoke to the bot cannot be told."""
        chat = Chat(ChatRef(change.chat.id), change.chat.type, change.chat.title or "")
        with use_language(await find_private_language(change.from_user.id, self._services.chats)):
            screen = Screen(missing_rights_text(chat.title, lacks)) if lacks else show_channel_menu(chat)
            if not lacks and not may_pin(change.new_chat_member, chat.kind):
                screen = replace(screen, html=f"{screen.html}\n\n{cannot_pin_text()}")
        try:
            await bot.send_message(
                change.from_user.id, screen.html, parse_mode=ParseMode.HTML, reply_markup=to_inline_keyboard(screen.buttons)
            )
        except TelegramError as refusal:
            log.info("report_not_sent", chat=chat.ref.chat_id, reason=str(refusal))

    async def on_migration(self, update: Update, _ptb_context: HandlerContext) -> None:
        """A group became a supergroup: either of Telegram's two messages moves the stored chat."""
        message = update.effective_message
        if message is None:
            return
        if message.migrate_to_chat_id:
            await self._migrate(message.chat.id, message.migrate_to_chat_id)
        elif message.migrate_from_chat_id:
            await self._migrate(message.migrate_from_chat_id, message.chat.id)

    async def _migrate(self, old: int, new: int) -> None:
        log.info("chat_migrated", chat=old, to=new)
        await self._services.chats.migrate(old, new)


def _render_greeting(change: ChatMemberUpdated) -> str:
    if change.chat.type == ChatType.PRIVATE:
        return welcome_back_text()
    lacks = [] if may_pin(change.new_chat_member, change.chat.type) else [cannot_pin_text()]
    return "\n".join([group_welcome_text(), *lacks])


def _describe_removal(change: ChatMemberUpdated) -> str:
    if change.chat.type == ChatType.PRIVATE:
        return "blocked by the user"
    if is_present(change.new_chat_member):
        return "not allowed to post"
    return "kicked" if change.new_chat_member.status == ChatMemberStatus.BANNED else "left"


def cannot_pin_text() -> str:
    return _("I may not pin messages here; everything else works without it.")


def missing_rights_text(title: str, lacks: Sequence[str]) -> str:
    text = _("I am in <b>{name}</b>, but I lack the right to {rights} there.")
    return text.format(name=escape_text(title), rights=escape_text(join_sentence_list([_(right) for right in lacks])))
