"""`/channel` and forwarded posts: an administrator chooses for a channel from the private chat with the bot."""

from __future__ import annotations

import re

import structlog
from msgspec.structs import replace
from telegram import Bot, ChatFullInfo, Message, MessageOriginChannel, Update
from telegram import Chat as TelegramChat
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import BaseHandler, CommandHandler, ContextTypes, MessageHandler, filters

from bot.chats import channel_words as words
from bot.chats import texts
from bot.chats.aim import aim, menu
from bot.chats.deps import Desk
from bot.chats.dialogue import DIALOGUES
from bot.chats.heard import Heard, heard
from bot.chats.permissions import Permissions
from bot.chats.reply import Reply, Turn, View
from bot.chats.rights import lacking, present
from bot.chats.speak import say, send
from bot.store.model import ChatRef

Context = ContextTypes.DEFAULT_TYPE

log = structlog.get_logger()

_NAME = re.compile(r"(?:https?://)?(?:t\.me/|@)?([A-Za-z]\w{3,31})/?")
_ID = re.compile(r"-100\d{5,14}")


class _FromChannel(filters.MessageFilter):
    def filter(self, message: Message) -> bool:
        return isinstance(message.forward_origin, MessageOriginChannel)


class Channels:
    """Finds the channel that is meant, checks who asks and what the bot may do there, and shows its menu."""

    def __init__(self, desk: Desk, permissions: Permissions) -> None:
        self._desk, self._permissions = desk, permissions

    def handlers(self) -> list[BaseHandler[Update, Context, None]]:
        """One for the command, one for a channel's post that is forwarded in private."""
        private = filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE
        return [
            CommandHandler("channel", self.command, filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST),
            MessageHandler(private & _FromChannel(), self.forwarded),
        ]

    async def command(self, update: Update, context: Context) -> None:
        """`/channel [@name [command words …]]`."""
        place, said = heard(update), tuple(context.args or ())
        if place is None:
            return
        if place.kind != ChatType.PRIVATE:
            await send(context.bot, place, Reply(words.private_only()))
        elif not said:
            link = f"https://t.me/{context.bot.username}?startchannel&admin=post_messages"
            await send(context.bot, place, Reply(words.how(link)))
        elif chat := await _found(context.bot, said[0]):
            await self._answer(context.bot, place, chat, said[1:])
        else:
            await send(context.bot, place, Reply(words.unknown(said[0][:64])))

    async def forwarded(self, update: Update, context: Context) -> None:
        """A channel's post was forwarded: that channel is meant."""
        place, message = heard(update), update.effective_message
        if place and message and isinstance(message.forward_origin, MessageOriginChannel):
            await self._answer(context.bot, place, message.forward_origin.chat, ())

    async def _answer(self, bot: Bot, place: Heard, chat: TelegramChat | ChatFullInfo, said: tuple[str, ...]) -> None:
        trouble = await self._trouble(bot, place, chat)
        if trouble:
            await send(bot, place, Reply(trouble))
            return
        view = await self._desk.view(ChatRef(chat.id), chat.type, chat.title or "")
        turn = _turn(view, said)
        await self._desk.store(view.chat.ref, turn.changes, f"{place.ref.chat_id}:{place.message_id}")
        await say(bot, place, turn.reply, self._desk.deps.picture)

    async def _trouble(self, bot: Bot, place: Heard, chat: TelegramChat | ChatFullInfo) -> str:
        """Why nothing can be chosen for it; empty where all is well."""
        title = chat.title or ""
        if chat.type != ChatType.CHANNEL:
            return words.not_a_channel()
        try:
            me = await bot.get_chat_member(chat.id, bot.id)
        except TelegramError as error:
            log.info("channel_not_seen", chat=chat.id, reason=str(error))
            return words.not_there(title)
        if not present(me):
            return words.not_there(title)
        there = replace(place, ref=ChatRef(chat.id), kind=chat.type)
        if not await self._permissions.may_change(bot, there):
            return words.not_yours()
        lacks = lacking(me, chat.type)
        return words.lacking(title, lacks) if lacks else ""


def _turn(view: View, said: tuple[str, ...]) -> Turn:
    """The menu, or what a command after the channel's name does for it."""
    command = DIALOGUES.get(said[0].lstrip("/").lower()) if said else None
    if command is None:
        return Turn(menu(view.chat))
    if command.changes and view.chat.fixed:
        return Turn(aim(Reply(texts.fixed()), view.chat))
    turn = command.act(view, said[1:])
    return replace(turn, reply=aim(turn.reply, view.chat))


async def _found(bot: Bot, wanted: str) -> ChatFullInfo | None:
    """The chat with this @name, link or id; None where Telegram knows none."""
    name = _NAME.fullmatch(wanted)
    if not name and not _ID.fullmatch(wanted):
        return None
    try:
        return await bot.get_chat(f"@{name[1]}" if name else int(wanted))
    except TelegramError as error:
        log.info("channel_not_found", reason=str(error))
        return None
