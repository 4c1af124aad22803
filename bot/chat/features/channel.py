"""`/channel`: an administrator sets up a channel in private."""

from __future__ import annotations

import datetime as dt
import re

import structlog
from msgspec.structs import replace
from telegram import Bot, ChatFullInfo, Message, MessageOriginChannel
from telegram import Chat as TelegramChat
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import CommandHandler, MessageHandler, filters

from bot.chat import texts
from bot.chat.allowed import chat_not_allowed_text
from bot.chat.dialogue import Button, ChatContext, DialogueResult, Refusal, Screen, arrange_rows, make_button
from bot.chat.features.match_cards import ask_about_pins
from bot.chat.middleware import Handler, with_origin
from bot.chat.parsing.plain_words import parse_on_off
from bot.chat.permissions import is_present, missing_rights
from bot.chat.routing import Command, Feature, Router
from bot.chat.services import ChatServices
from bot.chat.texts import DONE_SIGN, done_label, escape_text
from bot.chat.update_origin import HandlerContext, UpdateOrigin
from bot.i18n.language import join_sentence_list
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import Chat, ChatRef

log = structlog.get_logger()

_CHANNEL_NAME_PATTERN = re.compile(r"(?:https?://)?(?:t\.me/|@)?([A-Za-z]\w{3,31})/?")

DONE_DATA, MENU_DATA = "end", "menu"
"""The data of the buttons that end the setup of a channel and that lead back to its menu, after the channel itself."""

UNTARGETED_DATA = frozenset({DONE_DATA, MENU_DATA})
"""The buttons whose screens already name the channel, so `target_channel` must not add it again."""

_MANAGED_FOR = dt.timedelta(hours=1)
"""How long messages in the private chat act on the channel after the last action for it, if nobody taps Done."""

_MAX_ANSWERED_ADMINISTRATORS = 5

_PRIVATE_COMMANDS = frozenset({"channel", "start", "help", "status", "rules"})
"""The commands that are for the private chat even while a channel is set up there."""

_CODE = re.compile(r"(<code>.*?</code>)", re.DOTALL)

_HINT = re.compile(r"(?<![\w/<.@:])/(?!channel\b)([a-z]{3,})\b")
"""A command in a text. Not the end of a tag, and not a part of an address."""

# The id of a channel as Telegram's apps and other bots show it: -100 and the number.
_CHANNEL_ID_PATTERN = re.compile(r"-100\d{5,14}")


class ChannelHandlers:
    """Lets an administrator of a channel set it up from the private chat with the bot.

    Commands in the channel itself would be posts to all its readers. Every button carries the channel, since the message that
    it is under stands in another chat; commands and names that are typed are for the channel too, until Done is tapped.
    """

    def __init__(self, services: ChatServices, router: Router) -> None:
        self._services, self._router = services, router

    def handlers(self) -> list[Handler]:
        """Return the handlers for the command and for a channel's post that is forwarded to the bot."""
        private = filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE
        return [
            CommandHandler("channel", with_origin(self.on_channel), filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST),
            MessageHandler(private & _ChannelPostFilter(), with_origin(self.on_forwarded_post)),
        ]

    async def on_channel(self, origin: UpdateOrigin, _message: Message, ptb_context: HandlerContext) -> None:
        """`/channel [@name [command args …] | off]`."""
        args, bot = tuple(ptb_context.args or ()), ptb_context.bot
        origin = await self._services.mark_member(bot, origin)
        if origin.type != ChatType.PRIVATE:
            html = _("Channels are managed in our private chat: send /channel there.")
        elif not args:
            # Opens Telegram's own dialogue for adding the bot, with the right to post ticked.
            link = f"https://t.me/{bot.username}?startchannel&admin=post_messages"
            html = _(
                "<b>Manage a channel</b>\n"
                '1. <a href="{link}">Add me to the channel</a> as an administrator with the right to post messages.\n'
                "2. Send <code>/channel @name</code> here, or forward a post of it to me."
            ).format(link=escape_text(link))
        elif parse_on_off(args[0]) is False:
            await self._services.chats.update(origin.ref, stop_managing)
            html = _("What you send here applies to this chat again.")
        elif chat := await _find_channel(bot, args[0]):
            await self._run(bot, origin, chat, args[1:])
            return
        else:
            html = _("I can't see a channel “{name}”. If it is private, add me first and forward a post of it to me.")
            html = html.format(name=escape_text(args[0][:64]))
        await self._services.replies.send(origin, Screen(html))

    async def on_forwarded_post(self, origin: UpdateOrigin, message: Message, ptb_context: HandlerContext) -> None:
        """Show the menu of the channel whose post was forwarded: a private channel has no name to type."""
        if isinstance(message.forward_origin, MessageOriginChannel):
            await self._run(ptb_context.bot, origin, message.forward_origin.chat, ())

    async def _run(self, bot: Bot, origin: UpdateOrigin, chat: TelegramChat | ChatFullInfo, args: tuple[str, ...]) -> None:
        # The sender stays: permission is asked for this user in that channel.
        target = replace(origin, ref=ChatRef(chat.id), type=chat.type, title=chat.title or "")
        try:
            check_allowed(self._services, target, chat.username)
            await self._check(bot, target)
        except Refusal as refusal:
            await self._services.replies.send(origin, Screen(refusal.text))
            return
        # Loading stores both chats if they are new: `update` changes only what is stored.
        await self._services.load_context(origin)
        context = await self._services.load_context(target)
        # For the hints on its screens, which name the channel.
        stored = await self._services.chats.update(target.ref, lambda channel: replace(channel, username=chat.username or ""))
        context = replace(context, chat=stored or context.chat)
        result = await self._run_for_channel(bot, context, args)
        try:
            await self._services.apply_changes(target.ref, result.changes, origin.request_id)
        except Refusal as refusal:
            result = DialogueResult(target_channel(Screen(refusal.text), context.chat))
        await manage_channel(self._services, origin.ref, target.ref)
        await self._services.replies.send(origin, result.screen)

    async def _run_for_channel(self, bot: Bot, context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
        """Run the command after the channel's name for the channel; without one, show the menu."""
        name = args[0].lstrip("/").lower() if args else ""
        run = self._router.find_command(name)
        if run is None:
            return DialogueResult(show_channel_menu(context.chat))
        # As in `Handlers`, which does not see these commands: here the name of the channel stands before them.
        if self._router.commands[name].changes_settings and context.chat.is_configured:
            return DialogueResult(target_channel(Screen(texts.configured_chat_text()), context.chat))
        result = await ask_about_pins(self._services, bot, context.chat, run(context, args[1:]))
        return replace(result, screen=target_channel(result.screen, context.chat))

    async def _check(self, bot: Bot, target: UpdateOrigin) -> None:
        """Raise Refusal if this user may not choose for the chat, or the bot cannot send alerts there."""
        # A group has members to read the answers; its commands belong there, where they can see who changes what.
        if target.type != ChatType.CHANNEL:
            raise Refusal(_("That's not a channel. For a group, send commands in the group."))
        absent = _("I am not in <b>{name}</b>. Add me as an administrator with the right to post messages, then try again.")
        try:
            me = await bot.get_chat_member(target.ref.chat_id, bot.id)
        except TelegramError as error:
            log.info("channel_not_accessible", chat=target.ref.chat_id, reason=str(error))
            # Telegram refuses to tell anything about chats that the bot is not in.
            raise Refusal(absent.format(name=escape_text(target.title))) from error
        if not is_present(me):
            raise Refusal(absent.format(name=escape_text(target.title)))
        if not await self._services.permissions.may_change(bot, target):
            raise Refusal(not_channel_administrator_text())
        if rights := missing_rights(me, target.type):
            html = _(
                "In <b>{name}</b> I lack the right to {rights}. Give it to me in the channel's administrators, then try again."
            )
            names = join_sentence_list([_(right) for right in rights])
            raise Refusal(html.format(name=escape_text(target.title), rights=escape_text(names)))


class _ChannelPostFilter(filters.MessageFilter):
    def filter(self, message: Message) -> bool:
        return isinstance(message.forward_origin, MessageOriginChannel)


async def _find_channel(bot: Bot, typed: str) -> ChatFullInfo | None:
    """Return the chat with this @name, link or id; None if Telegram does not show the bot any."""
    name = _CHANNEL_NAME_PATTERN.fullmatch(typed)
    if not name and not _CHANNEL_ID_PATTERN.fullmatch(typed):
        return None
    try:
        return await bot.get_chat(f"@{name[1]}" if name else int(typed))
    except TelegramError as error:
        log.info("channel_not_found", reason=str(error))
        return None


def check_allowed(services: ChatServices, target: UpdateOrigin, username: str | None) -> None:
    """Raise Refusal if the channel is none of `telegram.allowed_chats`: being allowed in one chat does not allow any channel."""
    if not services.is_chat_allowed(target.user_id, target.ref.chat_id, username):
        raise Refusal(escape_text(chat_not_allowed_text(target.ref.chat_id)))


async def find_target(services: ChatServices, origin: UpdateOrigin, command: str = "") -> UpdateOrigin:
    """Return the chat that a command or a name is for: the channel that is set up in this private chat, or the chat itself."""
    if origin.type != ChatType.PRIVATE or command in _PRIVATE_COMMANDS:
        return origin
    private = await services.chats.get(origin.ref)
    managed = private.find_managed_channel(services.clock.now()) if private else None
    # A channel whose data was erased meanwhile is not stored again by a word that was meant for it.
    channel = await services.chats.get(ChatRef(managed)) if managed else None
    # `telegram.allowed_chats` may have changed since the channel was chosen.
    if channel is None or not services.is_chat_allowed(origin.user_id, channel.ref.chat_id, channel.username):
        return origin
    return replace(origin, ref=channel.ref, type=ChatType.CHANNEL, title=channel.title)


async def answer_post(services: ChatServices, bot: Bot, origin: UpdateOrigin, screen: Screen) -> None:
    """Answer a command that was posted in a channel: in private to its administrators who use the bot. The post is removed.

    Where none of them has written to the bot yet, the answer comes in the channel, without sound or buttons, and for a minute.
    """
    channel = await services.chats.get(origin.ref) or Chat(origin.ref, origin.type, origin.title)
    answered = False
    for user_id in await _find_reachable_administrators(services, bot, origin):
        private = UpdateOrigin(ChatRef(user_id), ChatType.PRIVATE, "", user_id, 0)
        try:
            await services.replies.send(private, target_channel(screen, channel))
            answered = True
        except TelegramError as error:
            # Usual: somebody who has stopped the bot since.
            log.info("channel_answer_not_sent", chat=user_id, reason=str(error))
    if not answered:
        await services.replies.send(origin, replace(screen, buttons=()))
    try:
        await bot.delete_message(origin.ref.chat_id, origin.message_id)
    except TelegramError as error:
        # The bot needs the right to delete the posts of others.
        log.info("command_not_removed", chat=origin.ref.chat_id, reason=str(error))


async def _find_reachable_administrators(services: ChatServices, bot: Bot, origin: UpdateOrigin) -> list[int]:
    """Return the administrators of a channel who have a private chat with the bot, at most five."""
    try:
        members = await bot.get_chat_administrators(origin.ref.chat_id)
    except TelegramError as error:
        log.info("channel_administrators_not_known", chat=origin.ref.chat_id, reason=str(error))
        return []
    found = []
    for member in members:
        private = None if member.user.is_bot else await services.chats.get(ChatRef(member.user.id))
        if private is not None and private.is_active:
            found.append(member.user.id)
    return found[:_MAX_ANSWERED_ADMINISTRATORS]


async def manage_channel(services: ChatServices, private: ChatRef, channel: ChatRef) -> None:
    """Let messages in a private chat act on the channel until Done, or until an hour passes without an action for it."""
    until = services.clock.now() + _MANAGED_FOR
    await services.chats.update(private, lambda chat: replace(chat, managed_channel=channel.chat_id, managed_until=until))


def stop_managing(chat: Chat) -> Chat:
    """Return the private chat whose messages act on the chat itself again."""
    return replace(chat, managed_channel=None, managed_until=None)


def press_channel_button(context: ChatContext, data: str, router: Router) -> DialogueResult:
    """Do what a button does for the channel that it carries."""
    if data == DONE_DATA:
        return DialogueResult(show_channel_done(context.chat))
    if data == MENU_DATA:
        return DialogueResult(show_channel_menu(context.chat))
    # `y` stands for a command without arguments. Outside of channels no button has it.
    prefix, _, name = data.partition(":")
    run = router.find_command(name) if prefix == "y" else None
    return run(context, ()) if run else router.press_button(context, data)


def show_channel_menu(chat: Chat) -> Screen:
    """Show what can be chosen for a channel. `y:NAME` runs a command, the other buttons show a screen."""
    buttons = (
        Button(_("⚽ Follow a team"), "h:0"),
        Button(_("📋 What it follows"), "done"),
        Button(_("📣 Alerts"), "ks"),
        Button(_("🔔 Sounds"), "bs"),
        Button(_("🕑 Time zone"), "y:timezone"),
        Button(_("🌍 Language"), "y:language"),
        Button(_("🌙 Quiet hours"), "y:quiet"),
        Button(_("⏱ Delay"), "y:delay"),
        Button(_("🔇 Mute"), "y:mute"),
        Button(_("🧪 Test"), "y:test"),
    )
    html = _("Tap a button, or send a team's name or a command. Everything applies to this channel until you tap Done.")
    return _add_target(chat, Screen(html, (*arrange_rows(buttons, 2), (Button(done_label(), DONE_DATA),))))


def show_channel_done(chat: Chat) -> Screen:
    """Say that what is written is for the private chat again, with the way back to the channel."""
    html = _("✔ Done with <b>{name}</b>. What you send here applies to this chat again.").format(name=escape_text(chat.title))
    return Screen(html, ((make_button(f"📣 {chat.title}", f"@{chat.ref.chat_id};{MENU_DATA}"),),))


def target_channel(screen: Screen, chat: Chat) -> Screen:
    """Return a screen that says which channel it is for, whose buttons and hints act on it, with a button back to the menu."""
    if screen.picture:
        # A button under it could not put another screen in the place of a picture.
        return screen
    screen = replace(screen, html=_name_channel_in_hints(screen.html, chat))
    return _add_target(chat, replace(screen, buttons=(*screen.buttons, (Button(_("◀ Channel"), MENU_DATA),))))


def _name_channel_in_hints(html: str, chat: Chat) -> str:
    """Return a text whose commands name the channel: `/channel @name mute 45m`, to be copied by a tap.

    A bare command would do while the channel is being set up; the message stays, and is read again a week later.
    """
    name = f"@{chat.username}" if chat.username else str(chat.ref.chat_id)
    parts = []
    for part in _CODE.split(html):
        if part.startswith("<code>"):
            parts.append(_HINT.sub(rf"/channel {name} \1", part))
        else:
            parts.append(_HINT.sub(rf"<code>/channel {name} \1</code>", part))
    return "".join(parts)


def _add_target(chat: Chat, screen: Screen) -> Screen:
    heading = _("📣 Channel: <b>{name}</b>").format(name=escape_text(chat.title))
    # At most 64 bytes with the channel in front: 1 + 14 + 1, so a button's own data may have 48. See `split_target`.
    buttons = tuple(
        # Every screen's Done ends the setup: in the private chat itself it would lead to that chat's own list.
        tuple(
            Button(button.label, f"@{chat.ref.chat_id};{DONE_DATA if button.label.startswith(DONE_SIGN) else button.data}")
            for button in row
        )
        for row in screen.buttons
    )
    return replace(screen, html=f"{heading}\n\n{screen.html}", buttons=buttons)


def not_channel_administrator_text() -> str:
    return _("You're not an admin of that channel.")


FEATURE = Feature(
    commands={"channel": Command(None, N_("Manage a channel"), is_private_only=True)},
    make_handlers=lambda services, router: ChannelHandlers(services, router).handlers(),
)
