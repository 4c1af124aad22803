"""Thin handlers: from an update to a dialogue and back."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from telegram import Bot, Message, Update
from telegram.constants import ChatType
from telegram.ext import ContextTypes

from bot.chat import texts
from bot.chat.dialogue import ChatContext, DialogueResult, Screen, UpdateOrigin, read_origin
from bot.chat.features import channel, subscribe
from bot.chat.features.channel import ChannelHandlers
from bot.chat.features.mute_button import MuteButtonHandler
from bot.chat.features.why import not_an_alert_text, render_explanation, why_usage_text
from bot.chat.permissions import Permissions
from bot.chat.replies import acknowledge_press, edit_screen, send_screen, send_text
from bot.chat.routing import COMMAND_TABLE, Command, is_for_all_members, press_button, split_target
from bot.chat.services import ChatDependencies, ChatServices
from bot.chat.texts import subscription_name
from bot.i18n.language import translate as _
from bot.subscribers import Subscription

Context = ContextTypes.DEFAULT_TYPE

MAX_TYPED_LENGTH = 100
"""Letters of a command's words, or of a name, that are looked at."""

log = structlog.get_logger()


class Handlers:
    """Hears updates, asks the dialogues, stores and answers."""

    def __init__(self, deps: ChatDependencies) -> None:
        self._deps = deps
        self.desk = ChatServices(deps)
        self._permissions = Permissions(deps.clock)
        self.channels = ChannelHandlers(self.desk, self._permissions)
        self.bell = MuteButtonHandler(self.desk, self._permissions)

    async def command(self, update: Update, context: Context) -> None:
        """One of the commands in DIALOGUES."""
        place, message = read_origin(update), update.effective_message
        if place is None or message is None:
            return
        words = tuple(" ".join(context.args or ())[:MAX_TYPED_LENGTH].split())
        turn = await self._turn(context.bot, place, COMMAND_TABLE[_read_command_name(message)], words)
        await self.desk.store(place.ref, turn.changes, f"{place.ref.chat_id}:{place.message_id}")
        await send_screen(context.bot, place, turn.reply, self._deps.picture)

    async def _turn(self, bot: Bot, place: UpdateOrigin, command: Command, words: tuple[str, ...]) -> DialogueResult:
        if not command.for_all and not await self._permissions.may_change(bot, place):
            return DialogueResult(Screen(texts.administrators_only_text()))
        view = await self._view(place)
        if command.changes and view.chat.fixed:
            return DialogueResult(Screen(texts.configured_chat_text()))
        return command.act(view, words)

    async def pressed(self, update: Update, context: Context) -> None:
        """A button: act, answer the press, show the screen again in its place."""
        query, place = update.callback_query, read_origin(update)
        if query is None:
            return
        if place is None:
            await acknowledge_press(query, texts.outdated_button_text())
            return
        target, data = split_target(place, query.data or "")
        turn = await self._pressed(context.bot, target, data, across=target is not place)
        if isinstance(turn, str):
            await acknowledge_press(query, turn)
            return
        await self.desk.store(target.ref, turn.changes, query.id)
        await acknowledge_press(query, subscriptions_changed_note(turn.followed, turn.stopped))
        if turn.reply.picture:
            await send_screen(context.bot, place, turn.reply, self._deps.picture)
        else:
            await edit_screen(query, turn.reply)

    async def _pressed(self, bot: Bot, place: UpdateOrigin, data: str, *, across: bool) -> DialogueResult | str:
        """The turn of a button, or the sentence that says why there is none; `across`: it is for another chat."""
        if (across or not is_for_all_members(data)) and not await self._permissions.may_change(bot, place):
            return channel.not_channel_administrator_text() if across else texts.administrators_only_text()
        if across and await self._deps.chats.get(place.ref) is None:
            return texts.outdated_button_text()
        view = await self._view(place)
        turn = channel.press_channel_button(view, data) if across else press_button(view, data)
        if turn and turn.settles and view.chat.fixed:
            return texts.configured_chat_text()
        return turn or texts.outdated_button_text()

    async def heard(self, update: Update, context: Context) -> None:
        """A text without a command, in private: take it for a name."""
        place, message = read_origin(update), update.effective_message
        if place and message:
            view = await self._view(place)
            await send_text(context.bot, place, subscribe.offer_typed_name(view, (message.text or "")[:MAX_TYPED_LENGTH]).reply)

    async def unknown(self, update: Update, context: Context) -> None:
        """A command that is not ours; among many bots, only one that names this bot is answered."""
        place, message = read_origin(update), update.effective_message
        if place is None or message is None:
            return
        ours = f"@{context.bot.username}".casefold() in (message.text or "").split(maxsplit=1)[0].casefold()
        if place.kind == ChatType.PRIVATE or ours:
            await send_text(context.bot, place, Screen(unknown_command_text()))

    async def status(self, update: Update, context: Context) -> None:
        """`/status`, for the admins of the configuration only."""
        place = read_origin(update)
        if place is None or self._deps.status is None or place.user_id not in self._deps.admins:
            await self.unknown(update, context)
            return
        await send_text(context.bot, place, Screen(texts.escape_text(await self._deps.status())))

    async def why(self, update: Update, context: Context) -> None:
        """`/why`, in reply to an alert."""
        place, message = read_origin(update), update.effective_message
        if place is None or message is None:
            return
        asked = message.reply_to_message
        about = asked and not asked.forum_topic_created
        told = await self._deps.why(place.ref.chat_id, asked.message_id) if asked and about and self._deps.why else None
        view = await self._view(place)
        missing = Screen(not_an_alert_text() if about else why_usage_text())
        await send_text(context.bot, place, render_explanation(told, view) if told else missing)

    async def _view(self, place: UpdateOrigin) -> ChatContext:
        return await self.desk.view(place.ref, place.kind, place.title)


def _read_command_name(message: Message) -> str:
    return (message.text or "").split(maxsplit=1)[0].lstrip("/").split("@")[0].lower()


def unknown_command_text() -> str:
    return _("I do not know this command. /help lists what I can do.")


def subscriptions_changed_note(followed: Sequence[Subscription], stopped: Sequence[Subscription]) -> str:
    """What a press did, as plain text for the note that Telegram shows; empty when nothing was followed or stopped."""
    parts = [f"✅ {subscription_name(s)}" for s in followed[:1]] + [f"✖ {subscription_name(s)}" for s in stopped[:1]]
    return " ".join(parts)[:190]
