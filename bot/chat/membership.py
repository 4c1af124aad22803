"""Follows what happens to the bot in chats: added, blocked, kicked, restricted; groups that migrate, topics that are opened."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from telegram import Bot, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import ChatMemberHandler, MessageHandler, filters

from bot.chat.dialogue import Button, Screen
from bot.chat.features.channel import manage_channel, show_channel_menu
from bot.chat.middleware import Handler, find_private_language, with_origin
from bot.chat.permissions import SEND_RIGHT, BotAccess, is_present, missing_rights, read_bot_access
from bot.chat.services import ChatServices
from bot.chat.texts import escape_text
from bot.chat.update_origin import HandlerContext, UpdateOrigin
from bot.i18n.language import join_sentence_list, use_language
from bot.i18n.language import translate as _
from bot.subscribers import Chat, ChatRef

log = structlog.get_logger()


_TOPIC_OPENED = filters.StatusUpdate.FORUM_TOPIC_REOPENED | filters.StatusUpdate.GENERAL_FORUM_TOPIC_UNHIDDEN
"""A hidden general topic is closed."""


class MembershipHandlers:
    """Keeps the stored chats in step with where the bot is a member and may send."""

    def __init__(self, services: ChatServices) -> None:
        self._services = services

    def handlers(self) -> list[Handler]:
        """Return the handlers for changes of the bot's membership, groups that become supergroups, and topics that are opened."""
        return [
            ChatMemberHandler(self.on_member_change, ChatMemberHandler.MY_CHAT_MEMBER),
            MessageHandler(filters.StatusUpdate.MIGRATE, with_origin(self.on_migration)),
            MessageHandler(_TOPIC_OPENED, with_origin(self.on_topic_opened)),
        ]

    async def on_member_change(self, update: Update, ptb_context: HandlerContext) -> None:
        """Resume the chat and greet it if the bot may send from now on; suspend it if the bot may no longer."""
        change = update.my_chat_member
        if change is None:
            return
        chat_type = change.chat.type
        # Promotions and demotions that leave the bot able to send come as the same update: only a change of access matters.
        before = read_bot_access(change.old_chat_member, chat_type)
        after = read_bot_access(change.new_chat_member, chat_type)
        if after is BotAccess.CAN_SEND:
            # Even if this update changes nothing: the chat may be suspended because a message was refused.
            await self._services.chats.resume(change.chat.id)
        if after is before:
            return
        log.info("bot_access_changed", chat=change.chat.id, type=chat_type, access=after.value)
        if after is BotAccess.CAN_SEND:
            await self._on_added(change, ptb_context.bot)
        else:
            await self._services.chats.suspend(change.chat.id, _describe_removal(change))
            # A person who removed the bot knows it. One who took a right from it may not know that alerts need it.
            if after is BotAccess.MUTED:
                await self._notify_adder(change, ptb_context.bot, missing_rights(change.new_chat_member, chat_type))

    async def _on_added(self, change: ChatMemberUpdated, bot: Bot) -> None:
        chat = change.chat
        await self._services.get_or_create(ChatRef(chat.id), chat.type, chat.title or chat.full_name or "")
        if chat.type == ChatType.CHANNEL:
            # A greeting in a channel would be a post to all its readers.
            await self._notify_adder(change, bot, ())
            return
        try:
            await self._services.replies.send(UpdateOrigin(ChatRef(chat.id), chat.type, "", None, 0), _make_greeting(chat.type))
        except (BadRequest, Forbidden) as refusal:
            # A group may forbid all its members to send, which the bot's own membership does not show.
            log.info("greeting_not_sent", chat=chat.id, reason=str(refusal))
            if chat.type != ChatType.PRIVATE:
                await self._notify_adder(change, bot, (SEND_RIGHT,))

    async def _notify_adder(self, change: ChatMemberUpdated, bot: Bot, rights: Sequence[str]) -> None:
        """Write to the person who changed the bot's membership which rights it lacks, or how to set it up if it lacks none."""
        # Not the stored chat: it is named in the message only, and may not be stored yet.
        chat = Chat(ChatRef(change.chat.id), change.chat.type, change.chat.title or "")
        with use_language(await find_private_language(change.from_user.id, self._services.chats)):
            if rights:
                text = _("I am in <b>{name}</b>, but I lack the right to {rights} there.")
                names = join_sentence_list([_(right) for right in rights])
                screen = Screen(text.format(name=escape_text(chat.title), rights=escape_text(names)))
            else:
                # The menu says that what is written is for the channel. It does not arrive if the person never wrote to the bot.
                await manage_channel(self._services, ChatRef(change.from_user.id), chat.ref)
                screen = show_channel_menu(chat)
        try:
            reader = UpdateOrigin(ChatRef(change.from_user.id), ChatType.PRIVATE, "", change.from_user.id, 0)
            await self._services.replies.send(reader, screen)
        except TelegramError as refusal:
            # Usual: Telegram lets a bot write only to users who have written to it.
            log.info("adder_not_notified", chat=chat.ref.chat_id, reason=str(refusal))

    async def on_migration(self, origin: UpdateOrigin, message: Message, _ptb_context: HandlerContext) -> None:
        """Move the stored chat of a group that became a supergroup."""
        # Telegram sends two messages, one in the old group and one in the new; either may be lost, so both are taken.
        if message.migrate_to_chat_id:
            await self._migrate(origin.ref.chat_id, message.migrate_to_chat_id)
        elif message.migrate_from_chat_id:
            await self._migrate(message.migrate_from_chat_id, origin.ref.chat_id)

    async def on_topic_opened(self, origin: UpdateOrigin, _message: Message, _ptb_context: HandlerContext) -> None:
        """Let the alerts leave that a closed topic kept back."""
        # The chat too: an earlier version suspended a forum with a closed topic.
        await self._services.chats.resume(origin.ref.chat_id)
        await self._services.chats.announce_opened_topic(origin.ref.chat_id)

    async def _migrate(self, old_chat_id: int, new_chat_id: int) -> None:
        # Both messages may arrive: the second finds nothing left to move.
        log.info("chat_migrated", chat=old_chat_id, to=new_chat_id)
        await self._services.chats.migrate(old_chat_id, new_chat_id)
        # The old id may have been suspended since the move. Telegram brings the bot this message because it is in the group.
        await self._services.chats.resume(new_chat_id)


def _make_greeting(chat_type: str) -> Screen:
    if chat_type == ChatType.PRIVATE:
        # A private chat changes the bot's membership only by unblocking it.
        return Screen(_("👋 I'm back, and this chat follows what it did before: /subscriptions."))
    html = _("👋 Hello! I post live goals, cards and results here.\nAdmins choose what comes; everyone can use /today.")
    return Screen(html, ((Button(_("⚽ Follow a team"), "h:0", "primary"),),))


def _describe_removal(change: ChatMemberUpdated) -> str:
    """Return the reason for which the chat is suspended, as it is stored."""
    if change.chat.type == ChatType.PRIVATE:
        return "blocked by the user"
    if is_present(change.new_chat_member):
        return "not allowed to post"
    return "kicked" if change.new_chat_member.status == ChatMemberStatus.BANNED else "left"
