"""Commands and buttons over python-telegram-bot: thin handlers around the pure dialogues."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    Message,
    Update,
)
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, ContextTypes, MessageHandler, filters

from bot.chats import aim, channel_words, choosing, texts
from bot.chats.aim import aimed
from bot.chats.bell import Bell
from bot.chats.channels import Channels
from bot.chats.deps import Deps, Desk
from bot.chats.dialogue import DIALOGUES, Command, for_all, press
from bot.chats.gate import Gate
from bot.chats.heard import Heard, heard
from bot.chats.inline import Inline
from bot.chats.membership import Membership
from bot.chats.permissions import Permissions
from bot.chats.reply import Reply, Turn, View
from bot.chats.speak import acknowledge, redraw, say, send
from bot.chats.tongue import of_user, spoken_to
from bot.chats.why import why
from bot.languages.speaking import ENGLISH, LANGUAGES, speaking
from bot.languages.speaking import translated as _

Context = ContextTypes.DEFAULT_TYPE
Handler = BaseHandler[Update, Context, None]

__all__ = ["Deps", "build_handlers", "handle_error", "register"]

IN_CHATS = tuple(name for name in texts.COMMANDS if name not in texts.PRIVATE)
"""What an administrator may say in a group."""
FOR_ALL = tuple(name for name in IN_CHATS if name not in DIALOGUES or DIALOGUES[name].for_all)
"""What every member of a group may say."""

LONGEST = 100
"""Letters of a command's words, or of a name, that are looked at."""
SAID = filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST

log = structlog.get_logger()


def build_handlers(deps: Deps) -> list[Handler]:
    """Everything that people can say to the bot, in the order in which it is tried."""
    talk = Talk(deps)
    handlers = [
        *Membership(deps).handlers(),
        Gate(deps.clock),
        Inline(talk.desk).handler(),
        *talk.channels.handlers(),
        *(CommandHandler(name, talk.command, SAID) for name in DIALOGUES),
        CommandHandler("status", talk.status, filters.UpdateType.MESSAGE),
        CommandHandler("why", talk.why, SAID),
        talk.bell.handler(),
        CallbackQueryHandler(talk.pressed),
        MessageHandler(SAID & filters.COMMAND, talk.unknown),
        MessageHandler(filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE & filters.TEXT, talk.heard),
    ]
    return spoken_to(handlers, deps.chats)


async def register(bot: Bot) -> None:
    """Tell Telegram the commands in every language: all in private and for administrators, the reading ones for members of
    groups; in English for whoever speaks none of them."""
    for code in LANGUAGES:
        language = None if code == ENGLISH else code
        with speaking(code):
            await bot.set_my_commands(_menu(texts.COMMANDS), BotCommandScopeAllPrivateChats(), language)
            await bot.set_my_commands(_menu(IN_CHATS), BotCommandScopeAllChatAdministrators(), language)
            await bot.set_my_commands(_menu(FOR_ALL), BotCommandScopeAllGroupChats(), language)


def _menu(names: Iterable[str]) -> list[BotCommand]:
    """What Telegram shows behind the menu button."""
    return [BotCommand(name, _(texts.COMMANDS[name])) for name in names]


async def handle_error(update: object, context: Context) -> None:
    """Log what went wrong with an update; the chat gets one sentence and no detail."""
    error = context.error
    place = heard(update) if isinstance(update, Update) else None
    if isinstance(error, TelegramError):
        log.warning("answer_not_sent", chat=place.ref.chat_id if place else None, reason=str(error))
        return
    log.error("update_failed", chat=place.ref.chat_id if place else None, reason=repr(error), exc_info=error)
    if place is None:
        return
    try:
        with speaking(of_user(update)):
            await send(context.bot, place, Reply(texts.trouble()))
    except TelegramError as trouble:
        log.warning("apology_not_sent", chat=place.ref.chat_id, reason=str(trouble))


class Talk:
    """Hears updates, asks the dialogues, stores and answers."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self.desk = Desk(deps)
        self._permissions = Permissions(deps.clock)
        self.channels = Channels(self.desk, self._permissions)
        self.bell = Bell(self.desk, self._permissions)

    async def command(self, update: Update, context: Context) -> None:
        """One of the commands in DIALOGUES."""
        place, message = heard(update), update.effective_message
        if place is None or message is None:
            return
        words = tuple(" ".join(context.args or ())[:LONGEST].split())
        turn = await self._turn(context.bot, place, DIALOGUES[_name(message)], words)
        await self.desk.store(place.ref, turn.changes, f"{place.ref.chat_id}:{place.message_id}")
        await say(context.bot, place, turn.reply, self._deps.picture)

    async def _turn(self, bot: Bot, place: Heard, command: Command, words: tuple[str, ...]) -> Turn:
        if not command.for_all and not await self._permissions.may_change(bot, place):
            return Turn(Reply(texts.only_administrators()))
        view = await self._view(place)
        if command.changes and view.chat.fixed:
            return Turn(Reply(texts.fixed()))
        return command.act(view, words)

    async def pressed(self, update: Update, context: Context) -> None:
        """A button: act, answer the press, show the screen again in its place."""
        query, place = update.callback_query, heard(update)
        if query is None:
            return
        if place is None:
            await acknowledge(query, texts.stale())
            return
        target, data = aimed(place, query.data or "")
        turn = await self._pressed(context.bot, target, data, across=target is not place)
        if isinstance(turn, str):
            await acknowledge(query, turn)
            return
        await self.desk.store(target.ref, turn.changes, query.id)
        await acknowledge(query, texts.done(turn.followed, turn.stopped))
        if turn.reply.picture:
            await say(context.bot, place, turn.reply, self._deps.picture)
        else:
            await redraw(query, turn.reply)

    async def _pressed(self, bot: Bot, place: Heard, data: str, *, across: bool) -> Turn | str:
        """The turn of a button, or the sentence that says why there is none; `across`: it is for another chat."""
        if (across or not for_all(data)) and not await self._permissions.may_change(bot, place):
            return channel_words.not_yours() if across else texts.only_administrators()
        if across and await self._deps.chats.get(place.ref) is None:
            return texts.stale()
        view = await self._view(place)
        turn = aim.press(view, data) if across else press(view, data)
        if turn and turn.settles and view.chat.fixed:
            return texts.fixed()
        return turn or texts.stale()

    async def heard(self, update: Update, context: Context) -> None:
        """A text without a command, in private: take it for a name."""
        place, message = heard(update), update.effective_message
        if place and message:
            view = await self._view(place)
            await send(context.bot, place, choosing.heard(view, (message.text or "")[:LONGEST]).reply)

    async def unknown(self, update: Update, context: Context) -> None:
        """A command that is not ours; among many bots, only one that names this bot is answered."""
        place, message = heard(update), update.effective_message
        if place is None or message is None:
            return
        ours = f"@{context.bot.username}".casefold() in (message.text or "").split(maxsplit=1)[0].casefold()
        if place.kind == ChatType.PRIVATE or ours:
            await send(context.bot, place, Reply(texts.unknown_command()))

    async def status(self, update: Update, context: Context) -> None:
        """`/status`, for the admins of the configuration only."""
        place = heard(update)
        if place is None or self._deps.status is None or place.user_id not in self._deps.admins:
            await self.unknown(update, context)
            return
        await send(context.bot, place, Reply(texts.escape(await self._deps.status())))

    async def why(self, update: Update, context: Context) -> None:
        """`/why`, in reply to an alert."""
        place, message = heard(update), update.effective_message
        if place is None or message is None:
            return
        asked = message.reply_to_message
        about = asked and not asked.forum_topic_created
        told = await self._deps.why(place.ref.chat_id, asked.message_id) if asked and about and self._deps.why else None
        view = await self._view(place)
        missing = Reply(texts.why_unknown() if about else texts.why_what())
        await send(context.bot, place, why(told, view) if told else missing)

    async def _view(self, place: Heard) -> View:
        return await self.desk.view(place.ref, place.kind, place.title)


def _name(message: Message) -> str:
    return (message.text or "").split(maxsplit=1)[0].lstrip("/").split("@")[0].lower()
