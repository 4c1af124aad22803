"""`/channel`: an administrator sets up a channel in private."""

from __future__ import annotations

import re
from collections.abc import Sequence

import structlog
from msgspec.structs import replace
from telegram import Bot, ChatFullInfo, Message, MessageOriginChannel, Update
from telegram import Chat as TelegramChat
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import BaseHandler, CommandHandler, ContextTypes, MessageHandler, filters

from bot.chat import routing, texts
from bot.chat.dialogue import Button, ButtonRow, ChatContext, DialogueResult, Screen, UpdateOrigin, arrange_rows, read_origin
from bot.chat.permissions import Permissions, is_present, missing_rights
from bot.chat.replies import send_screen, send_text
from bot.chat.routing import COMMAND_TABLE
from bot.chat.services import ChatServices
from bot.chat.texts import escape_text
from bot.i18n.language import join_sentence_list
from bot.i18n.language import translate as _
from bot.subscribers import Chat, ChatRef

Context = ContextTypes.DEFAULT_TYPE

log = structlog.get_logger()

_CHANNEL_NAME_PATTERN = re.compile(r"(?:https?://)?(?:t\.me/|@)?([A-Za-z]\w{3,31})/?")

_CHANNEL_ID_PATTERN = re.compile(r"-100\d{5,14}")


class _ChannelPostFilter(filters.MessageFilter):
    def filter(self, message: Message) -> bool:
        return isinstance(message.forward_origin, MessageOriginChannel)


class ChannelHandlers:
    """Finds the channel that is meant, checks who asks and what the bot may do there, and shows its menu."""

    def __init__(self, desk: ChatServices, permissions: Permissions) -> None:
        self._desk, self._permissions = desk, permissions

    def handlers(self) -> list[BaseHandler[Update, Context, None]]:
        """One for the command, one for a channel's post that is forwarded in private."""
        private = filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE
        return [
            CommandHandler("channel", self.command, filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST),
            MessageHandler(private & _ChannelPostFilter(), self.forwarded),
        ]

    async def command(self, update: Update, context: Context) -> None:
        """`/channel [@name [command words …]]`."""
        place, said = read_origin(update), tuple(context.args or ())
        if place is None:
            return
        if place.kind != ChatType.PRIVATE:
            await send_text(context.bot, place, Screen(private_only_text()))
        elif not said:
            link = f"https://t.me/{context.bot.username}?startchannel&admin=post_messages"
            await send_text(context.bot, place, Screen(channel_usage_text(link)))
        elif chat := await _find_channel(context.bot, said[0]):
            await self._answer(context.bot, place, chat, said[1:])
        else:
            await send_text(context.bot, place, Screen(unknown_channel_text(said[0][:64])))

    async def forwarded(self, update: Update, context: Context) -> None:
        """A channel's post was forwarded: that channel is meant."""
        place, message = read_origin(update), update.effective_message
        if place and message and isinstance(message.forward_origin, MessageOriginChannel):
            await self._answer(context.bot, place, message.forward_origin.chat, ())

    async def _answer(self, bot: Bot, place: UpdateOrigin, chat: TelegramChat | ChatFullInfo, said: tuple[str, ...]) -> None:
        trouble = await self._trouble(bot, place, chat)
        if trouble:
            await send_text(bot, place, Screen(trouble))
            return
        view = await self._desk.view(ChatRef(chat.id), chat.type, chat.title or "")
        turn = _run_for_channel(view, said)
        await self._desk.store(view.chat.ref, turn.changes, f"{place.ref.chat_id}:{place.message_id}")
        await send_screen(bot, place, turn.reply, self._desk.deps.picture)

    async def _trouble(self, bot: Bot, place: UpdateOrigin, chat: TelegramChat | ChatFullInfo) -> str:
        """Why nothing can be chosen for it; empty where all is well."""
        title = chat.title or ""
        if chat.type != ChatType.CHANNEL:
            return not_a_channel_text()
        try:
            me = await bot.get_chat_member(chat.id, bot.id)
        except TelegramError as error:
            log.info("channel_not_seen", chat=chat.id, reason=str(error))
            return not_in_channel_text(title)
        if not is_present(me):
            return not_in_channel_text(title)
        there = replace(place, ref=ChatRef(chat.id), kind=chat.type)
        if not await self._permissions.may_change(bot, there):
            return not_channel_administrator_text()
        lacks = missing_rights(me, chat.type)
        return channel_rights_missing_text(title, lacks) if lacks else ""


def _run_for_channel(view: ChatContext, said: tuple[str, ...]) -> DialogueResult:
    """The menu, or what a command after the channel's name does for it."""
    command = COMMAND_TABLE.get(said[0].lstrip("/").lower()) if said else None
    if command is None:
        return DialogueResult(show_channel_menu(view.chat))
    if command.changes and view.chat.fixed:
        return DialogueResult(target_channel(Screen(texts.configured_chat_text()), view.chat))
    turn = command.act(view, said[1:])
    return replace(turn, reply=target_channel(turn.reply, view.chat))


async def _find_channel(bot: Bot, wanted: str) -> ChatFullInfo | None:
    """The chat with this @name, link or id; None where Telegram knows none."""
    name = _CHANNEL_NAME_PATTERN.fullmatch(wanted)
    if not name and not _CHANNEL_ID_PATTERN.fullmatch(wanted):
        return None
    try:
        return await bot.get_chat(f"@{name[1]}" if name else int(wanted))
    except TelegramError as error:
        log.info("channel_not_found", reason=str(error))
        return None


def follow_menu_label() -> str:
    return _("⚽ Follow …")


def subscriptions_menu_label() -> str:
    return _("📋 What it follows")


def kinds_menu_label() -> str:
    return _("📣 Kinds")


def sounds_menu_label() -> str:
    return _("🔔 What rings")


def timezone_menu_label() -> str:
    return _("🕑 Times")


def language_menu_label() -> str:
    return _("🌍 Language")


def quiet_hours_menu_label() -> str:
    return _("🌙 Quiet hours")


def delay_menu_label() -> str:
    return _("⏱ Delay")


def mute_menu_label() -> str:
    return _("🔇 Mute")


def sample_menu_label() -> str:
    return _("🧪 Sample")


CHANNEL_MENU = (
    (follow_menu_label, "h:0"),
    (subscriptions_menu_label, "done"),
    (kinds_menu_label, "ks"),
    (sounds_menu_label, "bs"),
    (timezone_menu_label, "y:timezone"),
    (language_menu_label, "y:language"),
    (quiet_hours_menu_label, "y:quiet"),
    (delay_menu_label, "y:delay"),
    (mute_menu_label, "y:mute"),
    (sample_menu_label, "y:test"),
)
"""What a button is called, and what it does."""


def show_channel_menu(chat: Chat) -> Screen:
    """What can be chosen for a channel."""
    return _add_target(
        chat, Screen(channel_menu_text(), arrange_rows([Button(label(), data) for label, data in CHANNEL_MENU], 2))
    )


def target_channel(reply: Screen, chat: Chat) -> Screen:
    """A reply that speaks for another chat: it says for which, its buttons too, and leads back to the menu.
    A picture stays as it is: no screen can take its place."""
    if reply.picture:
        return reply
    return _add_target(chat, replace(reply, rows=(*reply.rows, (Button(back_to_channel_label(), "menu"),))))


def press_channel_button(view: ChatContext, data: str) -> DialogueResult | None:
    """What a button for another chat does; None for one that is out of date or was never ours."""
    if data == "menu":
        return DialogueResult(show_channel_menu(view.chat))
    head, _, name = data.partition(":")
    command = COMMAND_TABLE.get(name) if head == "y" else None
    turn = command.act(view, ()) if command else routing.press_button(view, data)
    return replace(turn, reply=target_channel(turn.reply, view.chat)) if turn else None


def _add_target(chat: Chat, reply: Screen) -> Screen:
    html = f"{target_heading_text(chat.title)}\n\n{reply.html}"
    return replace(reply, html=html, rows=tuple(_target_row(chat, row) for row in reply.rows))


def _target_row(chat: Chat, row: ButtonRow) -> ButtonRow:
    return tuple(Button(button.label, f"@{chat.ref.chat_id};{button.data}") for button in row)


def back_to_channel_label() -> str:
    return _("◀ Channel")


def channel_menu_text() -> str:
    return _("What shall it hear? In words: <code>/channel @name subscribe Arsenal</code>, and so with every command.")


def private_only_text() -> str:
    return _("Send me /channel in our private chat; there an administrator of a channel chooses for it.")


def not_a_channel_text() -> str:
    return _("That is no channel. In a group, send the commands there.")


def not_channel_administrator_text() -> str:
    return _("Only administrators of that channel choose for it, and Telegram does not say that you are one.")


def channel_usage_text(link: str) -> str:
    text = _(
        "<b>Choosing for a channel</b>\n"
        '1. <a href="{link}">Add me to the channel</a> as an administrator with the right to post messages.\n'
        "2. Send <code>/channel @name</code> here, or forward a post of it to me."
    )
    return text.format(link=escape_text(link))


def unknown_channel_text(wanted: str) -> str:
    text = _("I do not see a channel “{name}”. If it is private, add me first and forward a post of it to me.")
    return text.format(name=escape_text(wanted))


def not_in_channel_text(title: str) -> str:
    text = _("I am not in <b>{name}</b>. Add me as an administrator with the right to post messages, then try again.")
    return text.format(name=escape_text(title))


def channel_rights_missing_text(title: str, rights: Sequence[str]) -> str:
    text = _("In <b>{name}</b> I lack the right to {rights}. Give it to me in the channel's administrators, then try again.")
    return text.format(name=escape_text(title), rights=escape_text(join_sentence_list([_(right) for right in rights])))


def target_heading_text(title: str) -> str:
    return _("📣 You are choosing for: <b>{name}</b>").format(name=escape_text(title))
