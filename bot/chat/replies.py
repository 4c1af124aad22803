"""Sends, edits and acknowledges; what Telegram refuses with a 429 is sent when it allows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import structlog
from telegram import Bot, CallbackQuery, InlineKeyboardMarkup, InputFile, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ChatType, ParseMode
from telegram.error import BadRequest, EndPointNotFound, TelegramError

from bot.chat.dialogue import ButtonRow, Screen, to_inline_keyboard
from bot.chat.reply_retrier import LatestScreen, Redraw, ReplyRetrier
from bot.chat.update_origin import UpdateOrigin, read_ephemeral_id
from bot.i18n.language import translate as _
from bot.i18n.shorten import shorten
from bot.telegram.html import CAPTION_LIMIT, TELEGRAM_TAGS, cut, remove_tags
from bot.telegram.responses import find_unknown_tag
from bot.telegram.server_features import ServerFeature, ServerFeatures
from rules.football.match import Match

T = TypeVar("T")

JSONDict = dict[str, Any]

DrawPicture = Callable[[Match], Awaitable[bytes]]

MAX_NOTE_LENGTH = 200
"""UTF-16 units of the note on a press that Telegram takes."""

CHANNEL_ANSWER_SECONDS = 60.0
"""Seconds for which the answer to a command stands in a channel, where all its readers see it."""

_REMOVAL_SECONDS = 1.0
"""Seconds that a stop waits for the removal of answers in channels. All of a stop has 3.5 s."""

_EPHEMERAL_RETRY_SECONDS = 3600.0
"""Seconds until an ephemeral message is tried again in a group that refused one: the bot's rights may have changed."""

_MAX_REMEMBERED_CHATS = 10_000

log = structlog.get_logger()


class ReplySender:
    """Sends what a dialogue answers. What Telegram refuses with a 429 is sent later, as `ReplyRetrier` allows."""

    def __init__(self, bot: Bot, draw_picture: DrawPicture | None = None) -> None:
        """`draw_picture` is None if this process cannot draw."""
        self._bot, self._draw_picture = bot, draw_picture
        self._retrier = ReplyRetrier()
        self._unknown_tags: set[str] = set()
        """Tags that this Bot API server does not know, until the process ends."""
        self.features = ServerFeatures()
        self._ephemeral_refused_until: dict[int, float] = {}
        """By group, until when no ephemeral message is tried, by the loop's clock."""
        self._removals: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    @property
    def is_stopping(self) -> bool:
        """True once the process stops."""
        return self._stopping.is_set()

    async def send(self, origin: UpdateOrigin, screen: Screen, redraw: Redraw | None = None) -> None:
        """Send a screen to a chat, with its picture if it has one; in a group as a reply or, if only the sender needs it, as an
        ephemeral message.

        An answer in a channel is removed after `CHANNEL_ANSWER_SECONDS`.

        With `redraw`, a screen that waits out a 429 is drawn again before it is sent.
        """
        latest = LatestScreen(screen, redraw)

        async def request() -> None:
            now = await latest.get()
            if now.picture is not None and self._draw_picture is not None:
                await self._send_picture(origin, now, await self._draw_picture(now.picture))
            else:
                await self._send_text(origin, Screen(_("Images are not available here.")) if now.picture is not None else now)

        await self._retrier.call(origin.ref.chat_id, request)

    async def _send_text(self, origin: UpdateOrigin, screen: Screen) -> None:
        async def request(html: str, extra: JSONDict) -> Message:
            return await self._bot.send_message(
                origin.ref.chat_id,
                html,
                parse_mode=ParseMode.HTML,
                disable_notification=_is_silent(origin) or None,
                # Topic 0 is the chat itself, and Telegram refuses the number 0.
                message_thread_id=origin.ref.topic or None,
                reply_parameters=None if extra else _make_reply_parameters(origin),
                reply_markup=self._make_keyboard(screen.buttons),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                api_kwargs=extra,
            )

        await self._send_to_readers(origin, cut(screen.html), request)

    async def _send_picture(self, origin: UpdateOrigin, screen: Screen, png: bytes) -> None:
        async def request(html: str, extra: JSONDict) -> Message:
            return await self._bot.send_photo(
                origin.ref.chat_id,
                InputFile(png, "match.png"),
                caption=html,
                has_spoiler=screen.is_spoiler or None,
                parse_mode=ParseMode.HTML,
                disable_notification=_is_silent(origin) or None,
                message_thread_id=origin.ref.topic or None,
                reply_parameters=None if extra else _make_reply_parameters(origin),
                reply_markup=self._make_keyboard(screen.buttons),
                api_kwargs=extra,
            )

        await self._send_to_readers(origin, cut(screen.html, CAPTION_LIMIT), request)

    async def _send_to_readers(
        self, origin: UpdateOrigin, html: str, request: Callable[[str, JSONDict], Awaitable[Message]]
    ) -> None:
        """Send an answer as an ephemeral message if only the sender needs it and Telegram allows that; else to the whole chat.

        `request` takes the HTML and the parameters that make a message ephemeral, which are empty for the whole chat.
        """

        async def send(extra: JSONDict) -> Message:
            return await self._send_html(html, lambda known: request(known, extra))

        refusal: TelegramError | None = None
        refused_until = self._ephemeral_refused_until.get(origin.ref.chat_id, 0.0)
        is_possible = self.features.has(ServerFeature.EPHEMERAL_MESSAGES) and refused_until <= asyncio.get_running_loop().time()
        if origin.is_for_sender_only and is_possible:
            try:
                message = await send(_make_ephemeral_parameters(origin))
            except (BadRequest, EndPointNotFound) as error:
                refusal = error
            else:
                if not read_ephemeral_id(message):
                    # An old server ignores what it does not know, and has sent the answer to the whole group.
                    self.features.mark_missing(ServerFeature.EPHEMERAL_MESSAGES, "the parameter is ignored")
                return
        message = await send({})
        if refusal is not None:
            # Only now: what the plain form is refused for as well says nothing about ephemeral messages.
            self._learn_from_refusal(origin.ref.chat_id, refusal)
        if origin.type == ChatType.CHANNEL:
            # A command in a channel is no post for its readers.
            self._remove_later(origin.ref.chat_id, message.message_id)

    def _learn_from_refusal(self, chat_id: int, refusal: TelegramError) -> None:
        """Remember that ephemeral messages are not known here, or not allowed in one group."""
        if "unsupported" in str(refusal).casefold() or isinstance(refusal, EndPointNotFound):
            self.features.mark_missing(ServerFeature.EPHEMERAL_MESSAGES, str(refusal))
            return
        # Usual: a bot that is no administrator may send ephemeral messages only in answer to a press or to an ephemeral command.
        log.info("ephemeral_message_refused", chat=chat_id, reason=str(refusal))
        if len(self._ephemeral_refused_until) >= _MAX_REMEMBERED_CHATS:
            self._ephemeral_refused_until.clear()
        self._ephemeral_refused_until[chat_id] = asyncio.get_running_loop().time() + _EPHEMERAL_RETRY_SECONDS

    def _make_keyboard(self, buttons: Sequence[ButtonRow]) -> InlineKeyboardMarkup | None:
        return to_inline_keyboard(buttons, with_styles=self.features.has(ServerFeature.BUTTON_STYLES))

    async def _send_html(self, html: str, request: Callable[[str], Awaitable[T]]) -> T:
        """Make a request with a text, without the tags and colours for which the Bot API server turns out to be too old.

        `request` makes its keyboard by `_make_keyboard`, so that a repetition is without what was refused.
        """
        while True:
            unknown = frozenset(self._unknown_tags)
            has_styles = self.features.has(ServerFeature.BUTTON_STYLES)
            try:
                return await request(remove_tags(html, unknown) if unknown else html)
            except BadRequest as refusal:
                tag = find_unknown_tag(refusal)
                if tag in TELEGRAM_TAGS - unknown:
                    log.warning("tag_not_supported", tag=tag)
                    self._unknown_tags.add(tag)
                elif has_styles and "style" in str(refusal):
                    self.features.mark_missing(ServerFeature.BUTTON_STYLES, str(refusal))
                else:
                    raise

    def _remove_later(self, chat_id: int, message_id: int) -> None:
        """Delete a message of our own after `CHANNEL_ANSWER_SECONDS` or when the process stops, without waiting for it."""

        async def remove() -> None:
            # A stop removes it early: nothing would after it.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), CHANNEL_ANSWER_SECONDS)
            try:
                await self._bot.delete_message(chat_id, message_id)
            except TelegramError as error:
                log.info("answer_not_removed", chat=chat_id, reason=str(error))

        task = asyncio.create_task(remove())
        self._removals.add(task)
        task.add_done_callback(self._removals.discard)

    async def acknowledge(self, query: CallbackQuery, note: str) -> None:
        """Answer a press, so that Telegram stops its spinner; a note is shown for a moment. No error is raised."""
        note = shorten(note, MAX_NOTE_LENGTH)

        async def answer() -> None:
            try:
                # python-telegram-bot sends an empty text as "[]", which would be shown.
                await (query.answer(note) if note else query.answer())
            except BadRequest as refusal:
                # Telegram takes an answer for some seconds only. What the button asked for is done all the same.
                log.debug("press_not_acknowledged", reason=str(refusal))

        try:
            # By the query and not by its chat: the new screen does not wait for an answer that is too late by then.
            await self._retrier.call(query.id, answer)
        except TelegramError as error:
            # The new screen is shown all the same: an old one would have its button pressed again, which undoes the change.
            log.debug("press_not_acknowledged", reason=str(error))

    async def edit(self, query: CallbackQuery, screen: Screen, redraw: Redraw | None = None) -> None:
        """Show a screen in place of the message whose button was pressed. `redraw` is as in `send`."""
        latest = LatestScreen(screen, redraw)

        async def request() -> None:
            now = await latest.get()
            try:
                await self._send_html(cut(now.html), lambda html: self._edit(query, html, now.buttons))
            except BadRequest as refusal:
                # A button pressed twice shows what is there already, which Telegram refuses.
                if "not modified" not in str(refusal):
                    raise

        await self._retrier.call(query.message.chat.id if query.message else query.id, request)

    async def _edit(self, query: CallbackQuery, html: str, buttons: Sequence[ButtonRow]) -> object:
        message, keyboard = query.message, self._make_keyboard(buttons)
        if not isinstance(message, Message) or not (ephemeral_id := read_ephemeral_id(message)):
            return await query.edit_message_text(html, parse_mode=ParseMode.HTML, reply_markup=keyboard)
        # An ephemeral message has a number of its own, and methods of its own.
        parameters: JSONDict = {
            "chat_id": message.chat.id,
            "receiver_user_id": query.from_user.id,
            "ephemeral_message_id": ephemeral_id,
            "text": html,
            "parse_mode": ParseMode.HTML.value,
            "link_preview_options": {"is_disabled": True},
        }
        if keyboard is not None:
            parameters["reply_markup"] = keyboard.to_dict()
        return await self._bot.do_api_request("editEphemeralMessageText", api_kwargs=parameters)

    def cancel_waiting(self) -> None:
        """Give up the replies that wait out a 429, and begin to remove the answers in channels: the process stops."""
        self._stopping.set()
        self._retrier.cancel_all()

    async def finish_removals(self) -> None:
        """Wait until the answers in channels are removed, which `cancel_waiting` has begun, for `_REMOVAL_SECONDS` at most."""
        if removals := set(self._removals):
            _done, late = await asyncio.wait(removals, timeout=_REMOVAL_SECONDS)
            if late:
                log.warning("answers_not_removed", count=len(late))
            for task in late:
                task.cancel()


def _make_reply_parameters(origin: UpdateOrigin) -> ReplyParameters | None:
    message_id = origin.reply_to_message_id
    # The message may be deleted before we answer; the answer is still wanted.
    return ReplyParameters(message_id, allow_sending_without_reply=True) if message_id else None


def _is_silent(origin: UpdateOrigin) -> bool:
    """Return True for an answer that others get to see, though it is for one person or for none of them."""
    return origin.is_member or origin.type == ChatType.CHANNEL


def _make_ephemeral_parameters(origin: UpdateOrigin) -> JSONDict:
    receiver: JSONDict = {"receiver_user_id": origin.user_id}
    if origin.query_id:
        receiver["callback_query_id"] = origin.query_id
    parameters: JSONDict = {"ephemeral_message_parameters": receiver}
    if origin.ephemeral_id and not origin.query_id:
        # A command that only the bot sees: the answer needs no right if it says what it answers.
        parameters["reply_parameters"] = {"ephemeral_message_id": origin.ephemeral_id}
    return parameters
