"""Sending as the sender sees it: the interface and the real one."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

import msgspec
import structlog
from telegram import InputFile, InputMediaPhoto, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, TelegramError
from telegram.ext import Defaults, ExtBot
from yarl import URL

from bot.clock import SystemClock
from bot.subscribers import ChatRef
from bot.telegram.http import ApiHealth, BotApiSession
from bot.telegram.rate_limits import ALREADY_COUNTED, ReplyAccounting, Unlimited
from bot.telegram.responses import classify_error, count_response, parse_response


class TextMessenger(Protocol):
    """Sends and edits messages of Telegram's HTML; each method raises the DeliveryErrors of bot.errors.

    `keyboard` is an inline keyboard as JSON; an edit without one takes away the message's own.
    """

    async def send(
        self, chat: ChatRef, html: str, *, silent: bool, reply_to: int | None = None, keyboard: bytes | None = None
    ) -> int:
        """Send a message, and return its id; where `reply_to` is gone, send it all the same."""
        ...

    async def edit(self, chat: ChatRef, message_id: int, html: str, *, keyboard: bytes | None = None) -> None:
        """Change a message's text; what is so already is done."""
        ...


class Messenger(TextMessenger, Protocol):
    """Does the rest too: pictures and pins, raising alike."""

    async def photo(
        self, chat: ChatRef, png: bytes, caption: str, *, silent: bool, reply_to: int | None = None, veiled: bool = False
    ) -> int:
        """Send a picture with HTML of at most 1,024 characters below it, and return its id; `veiled` until it is tapped."""
        ...

    async def repaint(self, chat: ChatRef, message_id: int, png: bytes, caption: str, *, veiled: bool = False) -> None:
        """Put another picture and its words in the place of a message's own; what is so already is done."""
        ...

    async def pin(self, chat: ChatRef, message_id: int, *, on: bool) -> None:
        """Pin a message silently, or unpin it; where the chat does not allow that, nothing is done."""
        ...


log = structlog.get_logger()

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

_MAX_FILE_IDS = 64

_METHOD_NAMES = ("sendMessage", "editMessageText", "pinChatMessage", "unpinChatMessage")

_DEFAULT_PARAMETERS = {"parse_mode": ParseMode.HTML.value, "link_preview_options": {"is_disabled": True}}


def build_bot(
    token: str,
    api_url: str,
    reply_accounting: ReplyAccounting | None = None,
    *,
    read_timeout: float = 10.0,
    health: ApiHealth | None = None,
) -> ExtBot[str]:
    """The bot, for sending and for the chat side; polling has a pool of connections of its own. Seconds to wait for an answer.

    `wire` hears how every request ends.
    """
    return ExtBot(
        token,
        base_url=f"{api_url.rstrip('/')}/bot",
        base_file_url=f"{api_url.rstrip('/')}/file/bot",
        request=BotApiSession(read_timeout=read_timeout, health=health),
        get_updates_request=BotApiSession(connections=4, health=health),
        rate_limiter=reply_accounting or ReplyAccounting(Unlimited(), SystemClock()),
        defaults=Defaults(link_preview_options=_NO_PREVIEW),
    )


class BotMessenger:
    """Sends and edits by a bot's connections, past its objects, which cost more than all else together."""

    def __init__(self, bot: ExtBot[str], *, allow_paid_broadcast: bool = False) -> None:
        """The bot's request object is an AiohttpRequest, as `build_bot` gives it."""
        self._bot, self._allow_paid_broadcast = bot, allow_paid_broadcast
        self._file_ids: dict[bytes, str] = {}
        """What Telegram calls the pictures that it has: the next chat's needs no upload."""
        self._send, self._edit, self._pin, self._unpin = (URL(f"{bot.base_url}/{name}", encoded=True) for name in _METHOD_NAMES)

    async def send(
        self, chat: ChatRef, html: str, *, silent: bool, reply_to: int | None = None, keyboard: bytes | None = None
    ) -> int:
        """Send a message, and return its id."""
        parameters = {"chat_id": chat.chat_id, "text": html} | _DEFAULT_PARAMETERS
        if silent:
            parameters["disable_notification"] = True
        if chat.topic:
            parameters["message_thread_id"] = chat.topic
        if reply_to:
            parameters["reply_parameters"] = {"message_id": reply_to, "allow_sending_without_reply": True}
        if keyboard:
            parameters["reply_markup"] = msgspec.Raw(keyboard)
        if self._allow_paid_broadcast:
            parameters["allow_paid_broadcast"] = True
        return await self._call_and_count("reply" if reply_to else "send", self._send, parameters)

    async def edit(self, chat: ChatRef, message_id: int, html: str, *, keyboard: bytes | None = None) -> None:
        """Change a message's text; what is so already is done."""
        parameters = {"chat_id": chat.chat_id, "message_id": message_id, "text": html} | _DEFAULT_PARAMETERS
        if keyboard:
            parameters["reply_markup"] = msgspec.Raw(keyboard)
        await self._call_and_count("edit", self._edit, parameters)

    async def photo(
        self, chat: ChatRef, png: bytes, caption: str, *, silent: bool, reply_to: int | None = None, veiled: bool = False
    ) -> int:
        """Send a picture with words below it, and return its id."""
        reply = ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None
        send = self._bot.send_photo(
            chat.chat_id,
            self._file_ids.get(png) or InputFile(png, "match.png"),
            caption=caption,
            parse_mode=ParseMode.HTML,
            disable_notification=silent,
            message_thread_id=chat.topic or None,
            reply_parameters=reply,
            has_spoiler=veiled or None,
            allow_paid_broadcast=self._allow_paid_broadcast or None,
            rate_limit_args=ALREADY_COUNTED,
        )
        return await self._call_with_picture("photo", png, send)

    async def repaint(self, chat: ChatRef, message_id: int, png: bytes, caption: str, *, veiled: bool = False) -> None:
        """Put another picture and its words in the place of a message's own; what is so already is done."""
        media = InputMediaPhoto(
            self._file_ids.get(png) or InputFile(png, "match.png", attach=True),
            caption=caption,
            parse_mode=ParseMode.HTML,
            has_spoiler=veiled or None,
        )
        edit = self._bot.edit_message_media(media, chat.chat_id, message_id, rate_limit_args=ALREADY_COUNTED)
        await self._call_with_picture("edit", png, edit)

    async def pin(self, chat: ChatRef, message_id: int, *, on: bool) -> None:
        """Pin a message silently, or unpin it; where the chat does not allow that, nothing is done."""
        parameters: dict[str, Any] = {"chat_id": chat.chat_id, "message_id": message_id}
        parameters |= {"disable_notification": True} if on else {}
        try:
            await self._call(self._pin if on else self._unpin, parameters)
        except BadRequest as refusal:
            log.debug("pin_refused", chat=chat.chat_id, on=on, reason=str(refusal))
        except TelegramError as error:
            raise classify_error(error) or error from None

    async def _call_with_picture(self, op: str, png: bytes, request: Awaitable[Message | bool]) -> int:
        """The id of a message with a picture; 0 where it is so already."""
        try:
            message = await request
        except TelegramError as error:
            known = classify_error(error)
            count_response(op, known)
            if known is None:
                return 0
            self._file_ids.pop(png, None)
            raise known from None
        count_response(op)
        if not isinstance(message, Message):
            return 0
        self._remember_file_id(png, message.photo[-1].file_id if message.photo else "")
        return message.message_id

    def _remember_file_id(self, png: bytes, file_id: str) -> None:
        """Remember the latest few."""
        if file_id:
            self._file_ids[png] = file_id
        for oldest in list(self._file_ids)[:-_MAX_FILE_IDS]:
            del self._file_ids[oldest]

    async def _call_and_count(self, op: str, url: URL, parameters: dict[str, Any]) -> int:
        """The message's id; 0 where Telegram refused what is so already. Foreign errors become ours here."""
        try:
            found = await self._call(url, parameters)
        except TelegramError as error:
            known = classify_error(error)
            count_response(op, known)
            if known is None:
                return 0
            raise known from None
        count_response(op)
        return found

    async def _call(self, url: URL, parameters: dict[str, Any]) -> int:
        request = self._bot.request
        assert isinstance(request, BotApiSession)  # noqa: S101  # as __init__ says
        return parse_response(*await request.call_method(url, parameters))
