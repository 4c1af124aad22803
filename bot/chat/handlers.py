"""Passes each update to its dialogue, and the result back to the chat. Thin: the features decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from msgspec.structs import replace
from telegram import Bot, CallbackQuery, Message, Update
from telegram.constants import ChatType

from bot.chat import texts
from bot.chat.dialogue import (
    AdministratorsOnly,
    Button,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Refusal,
    Screen,
    arrange_rows,
    make_button,
)
from bot.chat.features import channel, match_cards, subscribe
from bot.chat.parsing.understand import find_command_meant, find_nearest, read_plain_text
from bot.chat.reply_retrier import Redraw
from bot.chat.routing import COMMAND_PREFIX, Router
from bot.chat.services import ChatServices
from bot.chat.update_origin import HandlerContext, UpdateOrigin, read_origin, split_target
from bot.chat.user_limits import Throttle
from bot.i18n.language import translate as _
from bot.subscribers import Chat, ChatRef
from bot.telegram.html import split_lines

MAX_TYPED_LENGTH = 100
"""Characters of a command's arguments, or of a typed name, that are looked at."""

_MAX_COMMAND_DATA = 48
"""The most bytes of a button's own data: Telegram allows 64, and 16 are reserved for the id of a channel."""

log = structlog.get_logger()


class Handlers:
    """Takes commands, button presses and typed names to their dialogues, stores what those decide, and answers."""

    def __init__(self, services: ChatServices, router: Router) -> None:
        self._services, self._router = services, router
        self._refusals = Throttle(services.clock)
        self._runnable = frozenset(name for name, command in router.commands.items() if command.run)

    async def on_command(self, origin: UpdateOrigin, message: Message, ptb_context: HandlerContext) -> None:
        """Run a command that a feature has registered."""
        # `/subscribe@touchline_bot Arsenal` in groups.
        name = (message.text or "").split(maxsplit=1)[0].lstrip("/").split("@")[0].lower()
        # Cut before it is split: Telegram takes 4,096 characters, and every word is compared with thousands of names.
        args = tuple(" ".join(ptb_context.args or ())[:MAX_TYPED_LENGTH].split())
        origin = await self._services.mark_member(ptb_context.bot, origin)
        await self._answer_command(origin, ptb_context.bot, name, args)

    async def _answer_command(self, origin: UpdateOrigin, bot: Bot, name: str, args: tuple[str, ...]) -> None:
        target = await channel.find_target(self._services, origin, name)
        if name == "start" and origin.type == ChatType.PRIVATE:
            # /start begins anew: what is typed from now on is for this chat, and not for a channel that was set up here.
            await self._services.chats.update(origin.ref, channel.stop_managing)
        try:
            result = await self._run_command(bot, target, name, args, is_for_channel=target is not origin)
        except AdministratorsOnly as refusal:
            # Once an hour for each person, so that the group does not read it at every attempt.
            if not self._refusals.allow((origin.ref.chat_id, origin.user_id)):
                return
            result = DialogueResult(Screen(refusal.text))
        except Refusal as refusal:
            result = DialogueResult(Screen(refusal.text))
        await self._apply_and_send(bot, origin, target, result)

    async def _apply_and_send(self, bot: Bot, origin: UpdateOrigin, target: UpdateOrigin, result: DialogueResult) -> None:
        """Store changes of one chat and answer in another: what is written in private may be for a channel."""
        # Stored first, so that the answer is true. If Telegram refuses the answer, the change stands.
        try:
            await self._services.apply_changes(target.ref, result.changes, origin.request_id)
        except Refusal as refusal:
            result = DialogueResult(Screen(refusal.text))
        screen, redraw = result.screen, self._make_redraw(target, result.screen, is_for_channel=target is not origin)
        if origin.is_member:
            screen = self._router.keep_public_buttons(screen)
        if target is not origin:
            stored = await self._services.chats.get(target.ref) or Chat(target.ref, target.type, target.title)
            screen = channel.target_channel(screen, stored)
            await channel.manage_channel(self._services, origin.ref, target.ref)
        if origin.type == ChatType.CHANNEL:
            await channel.answer_post(self._services, bot, origin, screen)
            return
        await self._services.replies.send(origin, screen, redraw)

    def _make_redraw(
        self, target: UpdateOrigin, screen: Screen, *, is_for_channel: bool = False, hides_buttons: bool = True
    ) -> Redraw | None:
        """Return what draws a screen again with the scores of that moment; None for a screen that shows none."""
        if not screen.redraw_data:
            return None

        async def redraw() -> Screen:
            # As it is stored by then: the press that led here may have changed what the chat follows.
            context = await self._services.load_context(target)
            again = self._router.press_button(context, screen.redraw_data).screen
            if target.is_member and hides_buttons:
                return self._router.keep_public_buttons(again)
            return channel.target_channel(again, context.chat) if is_for_channel else again

        return redraw

    async def _load_context(self, origin: UpdateOrigin) -> ChatContext:
        """Load the chat as the sender may see it: /help lists to a member of a group what members may use."""
        context = await self._services.load_context(origin)
        return replace(context, commands=self._router.list_public_commands()) if origin.is_member else context

    async def _run_with_season(
        self, origin: UpdateOrigin, context: ChatContext, run: Callable[[ChatContext], DialogueResult]
    ) -> DialogueResult:
        """Run a dialogue, and run it again if it searches a name that only the feed's later fixtures may have."""
        result = run(context)
        # A dialogue is pure, so that it can be run twice: only the second result is stored and shown.
        if result.searches_season and await self._services.load_season():
            result = run(await self._services.load_context(origin))
        return result

    async def _run_command(
        self, bot: Bot, origin: UpdateOrigin, name: str, args: tuple[str, ...], *, is_for_channel: bool = False
    ) -> DialogueResult:
        run = self._router.find_command(name)
        if run is None:
            raise OutdatedButton
        command = self._router.commands[name]
        if is_for_channel and not await self._services.permissions.may_change(bot, origin):
            raise Refusal(channel.not_channel_administrator_text())
        # Before the context is loaded, which would store the chat of anybody who types a command.
        if not command.is_for_all_members and not await self._services.permissions.may_change(bot, origin):
            raise AdministratorsOnly
        context = await self._load_context(origin)
        if command.changes_settings and context.chat.is_configured:
            raise Refusal(texts.configured_chat_text())
        result = await self._run_with_season(origin, context, lambda known: run(known, args))
        if result.changes_settings and not command.changes_settings:
            # A deep link of /start follows something, and any member of a group can write one.
            if not await self._services.permissions.may_change(bot, origin):
                raise AdministratorsOnly
            if context.chat.is_configured:
                raise Refusal(texts.configured_chat_text())
        return await match_cards.ask_about_pins(self._services, bot, context.chat, result)

    async def on_button(self, update: Update, ptb_context: HandlerContext) -> None:
        """Do what a button does, and show its screen in place of the message."""
        query, origin = update.callback_query, read_origin(update)
        if query is None:
            return
        replies = self._services.replies
        try:
            if origin is None:
                raise OutdatedButton
            # A button that sets up a channel is pressed in the private chat of its administrator.
            origin = await self._services.mark_member(ptb_context.bot, origin)
            target, data = split_target(origin, query.data or "")
            result = await self._press(ptb_context.bot, target, data, is_for_channel=target is not origin)
            if target is not origin and data == channel.DONE_DATA:
                await self._services.chats.update(origin.ref, channel.stop_managing)
            elif target is not origin:
                await channel.manage_channel(self._services, origin.ref, target.ref)
            await self._services.apply_changes(target.ref, result.changes, query.id)
        except Refusal as refusal:
            await replies.acknowledge(query, refusal.text)
            return
        except OverflowError:  # a number that no date, and no database, can hold: the data is forged
            await replies.acknowledge(query, OutdatedButton().text)
            return
        await replies.acknowledge(query, result.note)
        # An administrator's screen keeps its buttons, also when a member turns its pages.
        hides_buttons = origin.is_member and self._has_public_buttons_only(query)
        screen = self._router.keep_public_buttons(result.screen) if hides_buttons else result.screen
        redraw = self._make_redraw(target, screen, is_for_channel=target is not origin, hides_buttons=hides_buttons)
        if screen.picture:
            # Telegram cannot turn a text message into a picture by an edit, so a picture is a message of its own.
            await replies.send(origin, screen, redraw)
        else:
            await replies.edit(query, screen, redraw)

    def _has_public_buttons_only(self, query: CallbackQuery) -> bool:
        keyboard = query.message.reply_markup if isinstance(query.message, Message) else None
        rows = keyboard.inline_keyboard if keyboard else ()
        return all(self._router.is_for_all_members(str(button.callback_data)) for row in rows for button in row)

    async def _press(self, bot: Bot, target: UpdateOrigin, data: str, *, is_for_channel: bool) -> DialogueResult:
        # The data may come from a message that somebody else was sent, or be forged: each press is checked again.
        needs_permission = is_for_channel or not self._router.is_for_all_members(data)
        if needs_permission and not await self._services.permissions.may_change(bot, target):
            raise Refusal(channel.not_channel_administrator_text()) if is_for_channel else AdministratorsOnly()
        if is_for_channel:
            stored = await self._services.chats.get(target.ref)
            if stored is None:
                # The data of a button can be forged, so a press never makes the bot store a chat.
                raise OutdatedButton
            channel.check_allowed(self._services, target, stored.username)
        context = await self._load_context(target)
        if is_for_channel:
            result = channel.press_channel_button(context, data, self._router)
        else:
            result = self._router.press_button(context, data)
        # After the action, which is pure: only its result says whether it would change anything.
        if result.changes_settings and context.chat.is_configured:
            raise Refusal(texts.configured_chat_text())
        result = await match_cards.ask_about_pins(self._services, bot, context.chat, result)
        if is_for_channel and data not in channel.UNTARGETED_DATA:
            return replace(result, screen=channel.target_channel(result.screen, context.chat))
        return result

    async def on_text(self, origin: UpdateOrigin, message: Message, ptb_context: HandlerContext) -> None:
        """Take a text without a slash in a private chat for a command in plain words, or for the name of something to follow."""
        text = (message.text or "")[:MAX_TYPED_LENGTH]
        target = await channel.find_target(self._services, origin)
        if target is not origin and not await self._services.permissions.may_change(ptb_context.bot, target):
            # Someone who is no administrator any more writes to the bot for himself.
            target = origin
        context = await self._services.load_context(target)
        meant = read_plain_text(text, self._runnable, context.kinds)
        # A club may be called like a command (IK Start): its exact name comes first.
        if meant and not subscribe.is_exact_name(context, text):
            await self._answer_command(origin, ptb_context.bot, *meant)
            return
        result = await self._run_with_season(target, context, lambda known: subscribe.follow_typed_name(known, text))
        if result.changes_settings and context.chat.is_configured:
            result = DialogueResult(Screen(texts.configured_chat_text()))
        await self._apply_and_send(ptb_context.bot, origin, target, result)

    async def on_unknown_command(self, origin: UpdateOrigin, message: Message, ptb_context: HandlerContext) -> None:
        """Answer a command that the bot does not have; in a group, where it may be another bot's, only if it names this bot."""
        word, *args = (message.text or "/")[: MAX_TYPED_LENGTH * 2].split()
        addressee = word.partition("@")[2]
        names_this_bot = addressee.casefold() == ptb_context.bot.username.casefold()
        if origin.type != ChatType.PRIVATE and not names_this_bot:
            return
        origin = await self._services.mark_member(ptb_context.bot, origin)
        name = word.lstrip("/").split("@")[0]
        if meant := find_command_meant(name, self._runnable):
            await self._answer_command(origin, ptb_context.bot, meant, tuple(" ".join(args)[:MAX_TYPED_LENGTH].split()))
            return
        screen = offer_nearest_commands(name, args, find_nearest(name, self._runnable))
        screen = self._router.keep_public_buttons(screen) if origin.is_member else screen
        await self._services.replies.send(origin, screen)

    async def on_status(self, origin: UpdateOrigin, message: Message, ptb_context: HandlerContext) -> None:
        """Answer `/status`, which exists only for the admins of the configuration; in private, wherever they ask."""
        if self._services.render_status is None or not self._services.is_admin(origin.user_id):
            await self.on_unknown_command(origin, message, ptb_context)
            return
        status = await self._services.render_status()
        if origin.type != ChatType.PRIVATE and origin.user_id is not None:
            # It names connections, incidents and paths, which are not for a group.
            origin = replace(origin, ref=ChatRef(origin.user_id), type=ChatType.PRIVATE, title="")
        # With more than thirty matches it has more lines than a message holds.
        for part in split_lines(status):
            await self._services.replies.send(origin, Screen(texts.escape_text(part)))


def offer_nearest_commands(name: str, args: Sequence[str], nearest: Sequence[str]) -> Screen:
    """Answer a command that does not exist with the nearest ones, as buttons that run them, or with the first steps."""
    typed = " ".join(args)
    buttons = []
    for command in nearest:
        data = f"{COMMAND_PREFIX}:{command} {typed}".strip()
        # Words that do not fit into a button are left out: the command then asks for them.
        fits = len(data.encode()) <= _MAX_COMMAND_DATA
        label = f"/{command} {typed}".strip() if fits else f"/{command}"
        buttons.append(make_button(label, data if fits else f"{COMMAND_PREFIX}:{command}"))
    last = (Button(_("❓ Help"), "hp:"), Button(_("📅 Today"), "td:"))
    html = unknown_command_text(name)
    return Screen(f"{html} {_('Did you mean:')}" if buttons else html, (*arrange_rows(buttons), last))


def unknown_command_text(name: str) -> str:
    return _("I don't know /{command}.").format(command=texts.escape_text(name[:32]))
