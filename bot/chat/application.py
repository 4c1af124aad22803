"""Registers every feature and handler in order; command menu; errors."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    Update,
)
from telegram.error import TelegramError
from telegram.ext import CallbackQueryHandler, CommandHandler, MessageHandler, filters

from bot.chat.dialogue import HandlerContext, Screen, read_origin
from bot.chat.features import (
    alerts,
    channel,
    fixtures,
    inline_cards,
    language,
    mute,
    mute_button,
    privacy,
    quiet_hours,
    sample,
    settings,
    start,
    subscribe,
    subscriptions,
    timezone,
    why,
)
from bot.chat.handlers import Handlers
from bot.chat.membership import MembershipHandlers
from bot.chat.middleware import Handler, RateLimitHandler, read_sender_language, use_chat_language, with_origin
from bot.chat.replies import ReplySender
from bot.chat.routing import Router
from bot.chat.services import ChatServices
from bot.chat.update_order import UpdateOrder
from bot.i18n.language import ENGLISH, use_language
from bot.i18n.language import translate as _
from rules.engine.text import LANGUAGES

FEATURES = (
    subscribe.FEATURE,
    subscriptions.FEATURE,
    alerts.FEATURE,
    fixtures.FEATURE,
    mute.FEATURE,
    settings.FEATURE,
    quiet_hours.FEATURE,
    timezone.FEATURE,
    language.FEATURE,
    channel.FEATURE,
    sample.FEATURE,
    why.FEATURE,
    privacy.FEATURE,
    start.FEATURE,
    mute_button.FEATURE,
    inline_cards.FEATURE,
)
"""Every feature. Their commands stand in this order in Telegram's menu and in /help."""

ROUTER = Router(FEATURES)

COMMAND_UPDATES = filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST
"""New messages only: a command that is edited into a message is not run."""

log = structlog.get_logger()


async def ignore_update(_update: Update, _ptb_context: HandlerContext) -> None:
    """Do nothing, so that no other handler takes the update."""


FORWARDED_COMMANDS = MessageHandler(COMMAND_UPDATES & filters.FORWARDED & filters.COMMAND, ignore_update)
"""Takes commands that somebody else wrote and that are only shown here: a joke, a question, an example."""


def build_handlers(services: ChatServices, order: UpdateOrder) -> list[Handler]:
    """Make the handlers for everything that people can send. The first that takes an update is the only one.

    `order` lets a chat's updates in one after the other.
    """
    handlers = Handlers(services, ROUTER)
    # Chooses the language itself, and only when it answers: of thousands of commands it answers one.
    rate_limit = RateLimitHandler(services.clock, services.replies, services.chats)
    membership = use_chat_language(MembershipHandlers(services).handlers(), services.chats)
    answering = use_chat_language(
        [
            # Before the commands and buttons of the router, whose last handlers take everything.
            *(handler for feature in FEATURES if feature.make_handlers for handler in feature.make_handlers(services, ROUTER)),
            *(
                CommandHandler(name, with_origin(handlers.on_command), COMMAND_UPDATES)
                for name, command in ROUTER.commands.items()
                if command.run
            ),
            # Not in the router, because the command does not exist for anybody but the admins: no menu, no /help.
            CommandHandler("status", with_origin(handlers.on_status), filters.UpdateType.MESSAGE),
            CallbackQueryHandler(handlers.on_button),
            MessageHandler(COMMAND_UPDATES & filters.COMMAND, with_origin(handlers.on_unknown_command)),
            # Private chats only: in a group people write to each other, and a bot without privacy mode gets all of it.
            MessageHandler(filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE & filters.TEXT, with_origin(handlers.on_text)),
        ],
        services.chats,
    )
    # Membership before the rate limit: a change that was dropped would leave a chat suspended, or under the id that it no longer
    # has. The rate limit before all that answer, so that a flood of commands costs neither Telegram nor the database anything.
    return [*order.wrap(membership), rate_limit, FORWARDED_COMMANDS, *order.wrap(answering)]


async def set_command_menu(bot: Bot) -> None:
    """Send Telegram the command menu in every language: all commands in private chats, those of groups to their
    administrators, and those that change nothing to their members."""
    private = [name for name, _description in ROUTER.menu]
    # Telegram shows the menu of the narrowest scope that fits a user, so each scope gets its whole list.
    group = [name for name in private if not ROUTER.commands[name].is_private_only]
    member = [name for name in group if ROUTER.commands[name].is_for_all_members]
    for code in LANGUAGES:
        # The menu without a language is for everybody whose language the bot does not speak.
        language_code = None if code == ENGLISH else code
        with use_language(code):
            await bot.set_my_commands(_make_menu(private), BotCommandScopeAllPrivateChats(), language_code)
            await bot.set_my_commands(_make_menu(group), BotCommandScopeAllChatAdministrators(), language_code)
            await bot.set_my_commands(_make_menu(member), BotCommandScopeAllGroupChats(), language_code)


async def set_description(bot: Bot, privacy_url: str) -> None:
    """Send Telegram what an empty chat with the bot shows, in every language: what it does, and the operator's privacy page.

    Only called with such a page: without one, a description that somebody wrote at @BotFather stays.
    """
    for code in LANGUAGES:
        language_code = None if code == ENGLISH else code
        with use_language(code):
            text = _("Goals, cards and results of football matches as they happen, about what you choose.\n\nPrivacy: {url}")
            description = text.format(url=privacy_url)
        # Telegram limits how often a description is set, and a process may start often.
        if (await bot.get_my_description(language_code)).description != description:
            await bot.set_my_description(description, language_code)


def _make_menu(names: Iterable[str]) -> list[BotCommand]:
    return [BotCommand(name, _(ROUTER.commands[name].description)) for name in names]


async def on_error(replies: ReplySender, update: object, ptb_context: HandlerContext) -> None:
    """Log what went wrong with an update. The chat gets one sentence without details."""
    error = ptb_context.error
    origin = read_origin(update) if isinstance(update, Update) else None
    chat_id = origin.ref.chat_id if origin else None
    if isinstance(error, TelegramError):
        # Telegram refused our answer, so it would refuse an apology too.
        log.warning("reply_not_sent", chat=chat_id, reason=str(error))
        return
    log.error("update_failed", chat=chat_id, reason=repr(error), exc_info=error)
    if origin is None:
        return
    try:
        with use_language(read_sender_language(update)):
            await replies.send(origin, Screen(_("Something went wrong on my side. Please try again in a moment.")))
    except TelegramError as refusal:
        log.warning("error_reply_not_sent", chat=chat_id, reason=str(refusal))
