"""Registers every feature and handler in order; command menu; errors."""

from __future__ import annotations

from collections.abc import Iterable

from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    Update,
)
from telegram.error import TelegramError
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, MessageHandler, filters

from bot.chat import texts
from bot.chat.dialogue import Screen, read_origin
from bot.chat.features.inline_cards import InlineCardsHandler
from bot.chat.handlers import Context, Handlers, log
from bot.chat.membership import MembershipHandlers
from bot.chat.middleware import RateLimitHandler, read_sender_language, use_chat_language
from bot.chat.replies import send_text
from bot.chat.routing import COMMAND_TABLE
from bot.chat.services import ChatDependencies
from bot.i18n.language import ENGLISH, use_language
from bot.i18n.language import translate as _
from rules.engine.text import LANGUAGES

Handler = BaseHandler[Update, Context, None]

GROUP_COMMANDS = tuple(name for name in texts.COMMANDS if name not in texts.PRIVATE_COMMANDS)
"""What an administrator may say in a group."""

MEMBER_COMMANDS = tuple(name for name in GROUP_COMMANDS if name not in COMMAND_TABLE or COMMAND_TABLE[name].for_all)
"""What every member of a group may say."""

COMMAND_UPDATES = filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST


def build_handlers(deps: ChatDependencies) -> list[Handler]:
    """Everything that people can say to the bot, in the order in which it is tried."""
    talk = Handlers(deps)
    handlers = [
        *MembershipHandlers(deps).handlers(),
        RateLimitHandler(deps.clock),
        InlineCardsHandler(talk.desk).handler(),
        *talk.channels.handlers(),
        *(CommandHandler(name, talk.command, COMMAND_UPDATES) for name in COMMAND_TABLE),
        CommandHandler("status", talk.status, filters.UpdateType.MESSAGE),
        CommandHandler("why", talk.why, COMMAND_UPDATES),
        talk.bell.handler(),
        CallbackQueryHandler(talk.pressed),
        MessageHandler(COMMAND_UPDATES & filters.COMMAND, talk.unknown),
        MessageHandler(filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE & filters.TEXT, talk.heard),
    ]
    return use_chat_language(handlers, deps.chats)


async def set_command_menu(bot: Bot) -> None:
    """Tell Telegram the commands in every language: all in private and for administrators, the reading ones for members of
    groups; in English for whoever speaks none of them."""
    for code in LANGUAGES:
        language = None if code == ENGLISH else code
        with use_language(code):
            await bot.set_my_commands(_make_command_menu(texts.COMMANDS), BotCommandScopeAllPrivateChats(), language)
            await bot.set_my_commands(_make_command_menu(GROUP_COMMANDS), BotCommandScopeAllChatAdministrators(), language)
            await bot.set_my_commands(_make_command_menu(MEMBER_COMMANDS), BotCommandScopeAllGroupChats(), language)


def _make_command_menu(names: Iterable[str]) -> list[BotCommand]:
    """What Telegram shows behind the menu button."""
    return [BotCommand(name, _(texts.COMMANDS[name])) for name in names]


async def on_error(update: object, context: Context) -> None:
    """Log what went wrong with an update; the chat gets one sentence and no detail."""
    error = context.error
    place = read_origin(update) if isinstance(update, Update) else None
    if isinstance(error, TelegramError):
        log.warning("answer_not_sent", chat=place.ref.chat_id if place else None, reason=str(error))
        return
    log.error("update_failed", chat=place.ref.chat_id if place else None, reason=repr(error), exc_info=error)
    if place is None:
        return
    try:
        with use_language(read_sender_language(update)):
            await send_text(context.bot, place, Screen(internal_error_text()))
    except TelegramError as trouble:
        log.warning("apology_not_sent", chat=place.ref.chat_id, reason=str(trouble))


def internal_error_text() -> str:
    return _("Something went wrong on my side. Please try again in a moment.")
