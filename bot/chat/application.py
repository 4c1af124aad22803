"""Registers the features and handlers in order, sets the command menus, and handles errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import structlog
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    Update,
)
from telegram.error import BadRequest, TelegramError
from telegram.ext import CallbackQueryHandler, CommandHandler, MessageHandler, filters

from bot.chat.access import AllowedChatsHandler
from bot.chat.dialogue import Screen
from bot.chat.features import (
    alerts,
    channel,
    display_options,
    fixtures,
    followed,
    inline_cards,
    language,
    match_cards,
    mention,
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
    topics,
    why,
)
from bot.chat.handlers import Handlers
from bot.chat.membership import MembershipHandlers
from bot.chat.middleware import Handler, read_sender_language, use_chat_language, with_origin
from bot.chat.replies import ReplySender
from bot.chat.routing import Router
from bot.chat.services import ChatServices
from bot.chat.update_order import UpdateOrder
from bot.chat.update_origin import HandlerContext, read_origin
from bot.chat.user_limits import RateLimitHandler
from bot.i18n.language import ENGLISH, use_language
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.telegram.server_features import ServerFeature, ServerFeatures
from rules.engine.text import LANGUAGES

FEATURES = (
    subscribe.FEATURE,
    subscriptions.FEATURE,
    followed.FEATURE,
    alerts.FEATURE,
    match_cards.FEATURE,
    settings.FEATURE,
    fixtures.FEATURE,
    mute.FEATURE,
    display_options.FEATURE,
    quiet_hours.FEATURE,
    timezone.FEATURE,
    language.FEATURE,
    channel.FEATURE,
    topics.FEATURE,
    sample.FEATURE,
    why.FEATURE,
    privacy.FEATURE,
    start.FEATURE,
    mute_button.FEATURE,
    mention.FEATURE,
    inline_cards.FEATURE,
)
"""Every feature. Their commands stand in this order in Telegram's menus."""

ROUTER = Router(FEATURES)

PRIVATE_MENU = ("subscribe", "subscriptions", "alerts", "today", "live", "mute", "settings", "help")
"""The commands that Telegram lists in private chats: what people use every week. /help has all of them."""

MEMBERS_MENU = ("today", "live", "timeline", "subscriptions", "help")
"""The commands that Telegram lists to the members of groups, who may change nothing."""

ADMIN_COMMANDS = {"status": N_("Bot status"), "rules": N_("Current rules")}
"""The commands of the admins of the configuration. They are not in the router: for others they do not exist."""

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
    # Before all others: a chat that may not use the bot is not even stored.
    access = AllowedChatsHandler(services.allowed_chats, services.is_admin, services.clock, services.replies, services.chats)
    return [access, *order.wrap(membership), rate_limit, FORWARDED_COMMANDS, *order.wrap(answering)]


async def set_command_menu(bot: Bot, features: ServerFeatures, admins: Sequence[int] = ()) -> None:
    """Send Telegram the command menus in every language.

    Private chats and members of groups get what they use most; administrators of groups get everything that they may use. The
    admins of the configuration also get their own commands, in their private chats.
    """
    every = [name for name, _description in ROUTER.menu]
    # Telegram shows the menu of the narrowest scope that fits a user, so each scope gets its whole list.
    group = [name for name in every if not ROUTER.commands[name].is_private_only]
    for code in LANGUAGES:
        # The menu without a language is for everybody whose language the bot does not speak.
        language_code = None if code == ENGLISH else code
        with use_language(code):
            await bot.set_my_commands(_make_menu(PRIVATE_MENU), BotCommandScopeAllPrivateChats(), language_code)
            await bot.set_my_commands(_make_menu(group), BotCommandScopeAllChatAdministrators(), language_code)
            await _set_members_menu(bot, features, language_code)
            own = [BotCommand(name, _(description)) for name, description in ADMIN_COMMANDS.items()]
            for admin in admins:
                try:
                    await bot.set_my_commands([*_make_menu(PRIVATE_MENU), *own], BotCommandScopeChat(admin), language_code)
                except BadRequest as refusal:
                    # "Chat not found": this admin has not written to the bot yet, and gets the menu at the next start.
                    log.info("admin_menu_not_set", admin=admin, reason=str(refusal))


async def _set_members_menu(bot: Bot, features: ServerFeatures, language_code: str | None) -> None:
    """Set the menu of the members of groups. Their commands are ephemeral if the server knows that: only the bot sees them."""
    menu, scope = _make_menu(MEMBERS_MENU), BotCommandScopeAllGroupChats()
    if features.has(ServerFeature.EPHEMERAL_COMMANDS):
        ephemeral = [BotCommand(one.command, one.description, api_kwargs={"is_ephemeral": True}) for one in menu]
        try:
            await bot.set_my_commands(ephemeral, scope, language_code)
            return
        except BadRequest as refusal:
            features.mark_missing(ServerFeature.EPHEMERAL_COMMANDS, str(refusal))
    await bot.set_my_commands(menu, scope, language_code)


def _make_menu(names: Iterable[str]) -> list[BotCommand]:
    return [BotCommand(name, _(ROUTER.commands[name].description)) for name in names]


async def set_bot_description(bot: Bot, privacy_url: str | None = None) -> None:
    """Send Telegram in every language what an empty chat shows above START, and what the bot's profile says.

    With the address of the operator's privacy page, the description names it. Without one, a description that somebody wrote at
    @BotFather stays.
    """
    english: tuple[str, str] | None = None
    for code in LANGUAGES:
        language_code = None if code == ENGLISH else code
        with use_language(code):
            text = _(
                "Live goals, cards and results for your teams, in this chat, in your group or channel. Corrected when a goal "
                "is ruled out. Quiet at night, and without spoilers if you like."
            )
            short = _("Live goals, cards and results for your football teams.")
            if privacy_url:
                text = f"{text}\n\n{_('Privacy: {url}').format(url=privacy_url)}"
        # English comes first: Telegram answers with it for a language that has no description of its own.
        english = english or (text, short)
        # Telegram limits how often a description is set, and a process may start often.
        found = (await bot.get_my_description(language_code)).description
        if found != text and (privacy_url or found in ("", english[0])):
            await bot.set_my_description(text, language_code)
        found = (await bot.get_my_short_description(language_code)).short_description
        if found != short and found in ("", english[1]):
            await bot.set_my_short_description(short, language_code)


async def on_error(replies: ReplySender, update: object, ptb_context: HandlerContext) -> None:
    """Log what went wrong with an update. The chat gets one sentence without details."""
    error = ptb_context.error
    origin = read_origin(update) if isinstance(update, Update) else None
    chat_id = origin.ref.chat_id if origin else None
    if isinstance(error, TelegramError):
        # Telegram refused our answer, so it would refuse an apology too.
        log.warning("reply_not_sent", chat=chat_id, reason=str(error))
        return
    if replies.is_stopping:
        # Cut off by the stop of this process, such as by its database that is closed: no fault, and no time for an apology.
        log.info("update_not_finished", chat=chat_id, reason=repr(error))
        return
    log.error("update_failed", chat=chat_id, reason=repr(error), exc_info=error)
    if origin is None:
        return
    try:
        with use_language(read_sender_language(update)):
            await replies.send(origin, Screen(_("Something went wrong. Please try again in a moment.")))
    except TelegramError as refusal:
        log.warning("error_reply_not_sent", chat=chat_id, reason=str(refusal))
