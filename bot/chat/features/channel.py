"""`/channel`: an administrator sets up a channel in private."""

from __future__ import annotations

import re
from collections.abc import Sequence

import structlog
from msgspec.structs import replace
from telegram import Bot, ChatFullInfo, Message, MessageOriginChannel
from telegram import Chat as TelegramChat
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import CommandHandler, MessageHandler, filters

from bot.chat import texts
from bot.chat.dialogue import (
    Button,
    ButtonRow,
    ChatContext,
    DialogueResult,
    HandlerContext,
    Refusal,
    Screen,
    UpdateOrigin,
    arrange_rows,
)
from bot.chat.middleware import Handler, with_origin
from bot.chat.permissions import is_present, missing_rights
from bot.chat.routing import Command, Feature, Router
from bot.chat.services import ChatServices
from bot.chat.texts import escape_text
from bot.i18n.language import join_sentence_list
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import Chat, ChatRef

log = structlog.get_logger()

_CHANNEL_NAME_PATTERN = re.compile(r"(?:https?://)?(?:t\.me/|@)?([A-Za-z]\w{3,31})/?")

_CHANNEL_ID_PATTERN = re.compile(r"-100\d{5,14}")


class _ChannelPostFilter(filters.MessageFilter):
    def filter(self, message: Message) -> bool:
        return isinstance(message.forward_origin, MessageOriginChannel)


class ChannelHandlers:
    """Finds the channel that is meant, checks who asks and what the bot may do there, and shows its menu."""

    def __init__(self, services: ChatServices, router: Router) -> None:
        self._services, self._router = services, router

    def handlers(self) -> list[Handler]:
        """One for the command, one for a channel's post that is forwarded in private."""
        private = filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE
        return [
            CommandHandler("channel", with_origin(self.on_channel), filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST),
            MessageHandler(private & _ChannelPostFilter(), with_origin(self.on_forwarded_post)),
        ]

    async def on_channel(self, origin: UpdateOrigin, _message: Message, ptb_context: HandlerContext) -> None:
        """`/channel [@name [command args …]]`."""
        args, bot = tuple(ptb_context.args or ()), ptb_context.bot
        if origin.type != ChatType.PRIVATE:
            await self._services.replies.send(origin, Screen(private_only_text()))
        elif not args:
            link = f"https://t.me/{bot.username}?startchannel&admin=post_messages"
            await self._services.replies.send(origin, Screen(channel_usage_text(link)))
        elif chat := await _find_channel(bot, args[0]):
            await self._run(bot, origin, chat, args[1:])
        else:
            await self._services.replies.send(origin, Screen(unknown_channel_text(args[0][:64])))

    async def on_forwarded_post(self, origin: UpdateOrigin, message: Message, ptb_context: HandlerContext) -> None:
        """A channel's post was forwarded: that channel is meant."""
        if isinstance(message.forward_origin, MessageOriginChannel):
            await self._run(ptb_context.bot, origin, message.forward_origin.chat, ())

    async def _run(self, bot: Bot, origin: UpdateOrigin, chat: TelegramChat | ChatFullInfo, args: tuple[str, ...]) -> None:
        target = replace(origin, ref=ChatRef(chat.id), type=chat.type, title=chat.title or "")
        try:
            await self._check(bot, target)
        except Refusal as refusal:
            await self._services.replies.send(origin, Screen(refusal.text))
            return
        context = await self._services.load_context(target)
        result = _run_for_channel(context, args, self._router)
        await self._services.apply_changes(target.ref, result.changes, f"{origin.ref.chat_id}:{origin.message_id}")
        await self._services.replies.send(origin, result.screen)

    async def _check(self, bot: Bot, target: UpdateOrigin) -> None:
        """Raise Refusal if nothing can be chosen for this chat by this user."""
        if target.type != ChatType.CHANNEL:
            raise Refusal(not_a_channel_text())
        try:
            me = await bot.get_chat_member(target.ref.chat_id, bot.id)
        except TelegramError as error:
            log.info("channel_not_accessible", chat=target.ref.chat_id, reason=str(error))
            raise Refusal(not_in_channel_text(target.title)) from error
        if not is_present(me):
            raise Refusal(not_in_channel_text(target.title))
        if not await self._services.permissions.may_change(bot, target):
            raise Refusal(not_channel_administrator_text())
        if rights := missing_rights(me, target.type):
            raise Refusal(channel_rights_missing_text(target.title, rights))


def _run_for_channel(context: ChatContext, args: tuple[str, ...], router: Router) -> DialogueResult:
    """The menu, or what a command after the channel's name does for it."""
    name = args[0].lstrip("/").lower() if args else ""
    run = router.find_command(name)
    if run is None:
        return DialogueResult(show_channel_menu(context.chat))
    if router.commands[name].changes_settings and context.chat.fixed:
        return DialogueResult(target_channel(Screen(texts.configured_chat_text()), context.chat))
    result = run(context, args[1:])
    return replace(result, screen=target_channel(result.screen, context.chat))


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


def target_channel(screen: Screen, chat: Chat) -> Screen:
    """A reply that speaks for another chat: it says for which, its buttons too, and leads back to the menu.
    A picture stays as it is: no screen can take its place."""
    if screen.picture:
        return screen
    return _add_target(chat, replace(screen, buttons=(*screen.buttons, (Button(back_to_channel_label(), "menu"),))))


def press_channel_button(context: ChatContext, data: str, router: Router) -> DialogueResult:
    """What a button for another chat does."""
    if data == "menu":
        return DialogueResult(show_channel_menu(context.chat))
    prefix, _, name = data.partition(":")
    run = router.find_command(name) if prefix == "y" else None
    result = run(context, ()) if run else router.press_button(context, data)
    return replace(result, screen=target_channel(result.screen, context.chat))


def _add_target(chat: Chat, screen: Screen) -> Screen:
    html = f"{target_heading_text(chat.title)}\n\n{screen.html}"
    return replace(screen, html=html, buttons=tuple(_target_row(chat, row) for row in screen.buttons))


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


FEATURE = Feature(
    commands={"channel": Command(None, N_("Choose for a channel of yours"), is_private_only=True)},
    make_handlers=lambda services, router: ChannelHandlers(services, router).handlers(),
)
