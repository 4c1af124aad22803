"""Sending as the sender sees it: the interface, and the messenger that calls the Bot API."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable
from typing import Any, Protocol, TypeVar

import msgspec
import structlog
from telegram import InputFile, InputMediaPhoto, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, EndPointNotFound, TelegramError
from telegram.ext import Defaults, ExtBot
from yarl import URL

from bot.clock import SystemClock
from bot.errors import DeliveryError, MethodUnknown, RequestRefused, TelegramUnreachable, TextRefused
from bot.media.renderer import PictureAttachment
from bot.subscribers import ChatRef
from bot.telegram.html import TELEGRAM_TAGS, remove_tags
from bot.telegram.http import READ_TIMEOUT, ApiHealth, BotApiSession
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.reply_accounting import ALREADY_COUNTED, ReplyAccounting
from bot.telegram.responses import classify_error, count_response
from bot.telegram.server_features import ServerFeature, ServerFeatures

log = structlog.get_logger()

T = TypeVar("T")

_MAX_FILE_IDS = 64
"""Uploaded pictures that are remembered."""

_METHOD_NAMES = (
    "sendMessage", "editMessageText", "pinChatMessage", "unpinChatMessage", "getChat", "sendChatAction", "getMe",
    "sendRichMessage",
)  # fmt: skip

_NO_RICH_MESSAGES = ("method not found", "unsupported parameter", "message text is empty", "text must be non-empty")
"""What a server says, in lower case, that does not know rich messages, or that ignores the parameter and finds no text."""

_DEFAULT_PARAMETERS = {"parse_mode": ParseMode.HTML.value, "link_preview_options": {"is_disabled": True}}


class Messenger(Protocol):
    """Sends, edits and pins messages. Texts are Telegram's HTML; each method raises the DeliveryErrors of `bot.errors`.

    `keyboard` is an inline keyboard as JSON; an edit without one removes the message's own. With a `picture`, which is drawn
    already, the text is its caption and has at most 1,024 characters; a message keeps its picture or its lack of one. `rich` is
    the content as a rich message's HTML: it is sent in place of the text if the Bot API server has rich messages.
    """

    async def send(
        self,
        chat: ChatRef,
        html: str,
        *,
        silent: bool,
        reply_to: int | None = None,
        keyboard: bytes | None = None,
        picture: PictureAttachment | None = None,
        is_paid: bool = False,
        rich: str = "",
    ) -> int:
        """Send a message and return its id. If the message `reply_to` is gone, send it all the same.

        `is_paid`: pay Telegram for it, so that its limit of 30 messages a second does not hold.
        """
        ...

    async def edit(
        self,
        chat: ChatRef,
        message_id: int,
        html: str,
        *,
        keyboard: bytes | None = None,
        picture: PictureAttachment | None = None,
        rich: str = "",
    ) -> None:
        """Change a message. If it looks like that already, this is no error."""
        ...

    async def pin(self, chat: ChatRef, message_id: int, *, is_pinned: bool) -> None:
        """Pin a message silently, or unpin it. If the chat does not allow that, do nothing."""
        ...

    async def ping(self) -> None:
        """Ask Telegram for something that concerns no chat: raise if it does not answer."""
        ...


def build_bot(
    token: str,
    api_url: str,
    reply_accounting: ReplyAccounting | None = None,
    *,
    read_timeout: float = READ_TIMEOUT,
    health: ApiHealth | None = None,
    proxy: str | None = None,
) -> ExtBot[str]:
    """Build the bot for sending and for the chat side.

    `read_timeout` is in seconds. `health` learns how every request ends. `proxy` is the setting `telegram.proxy`.
    """
    return ExtBot(
        token,
        base_url=f"{api_url.rstrip('/')}/bot",
        base_file_url=f"{api_url.rstrip('/')}/file/bot",
        request=BotApiSession(read_timeout=read_timeout, health=health, proxy=proxy),
        # Polling holds a connection for its whole timeout, so it has a pool of its own.
        get_updates_request=BotApiSession(connections=4, health=health, proxy=proxy),
        rate_limiter=reply_accounting or ReplyAccounting(Unlimited(), SystemClock()),
        defaults=Defaults(link_preview_options=LinkPreviewOptions(is_disabled=True)),
    )


def replace_token(bot: ExtBot[str], token: str) -> None:
    """Use another token of the same bot from now on, wherever the bot asks Telegram."""
    for request in bot._request:
        assert isinstance(request, BotApiSession)  # noqa: S101  # as build_bot makes them
        request.replace_token(bot.token, token)


class BotMessenger:
    """The Messenger of a bot.

    Texts are sent by the bot's connections without python-telegram-bot's objects, which cost more than all the rest of a send.
    Pictures are few and go the library's way.
    """

    def __init__(self, bot: ExtBot[str]) -> None:
        """The bot's request object must be a BotApiSession, as `build_bot` makes it."""
        self._bot = bot
        assert isinstance(bot.request, BotApiSession)  # noqa: S101  # as said above
        self._session = bot.request
        self._file_ids: dict[bytes, str] = {}
        """Telegram's ids of pictures that were uploaded: the next chat's message names the id instead."""
        self._unknown_tags: set[str] = set()
        """Tags that this Bot API server does not know, though Telegram documents them."""
        self._features = ServerFeatures()
        (
            self._send, self._edit, self._pin, self._unpin, self._get_chat, self._chat_action, self._get_me, self._send_rich
        ) = (URL(f"{bot.base_url}/{name}", encoded=True) for name in _METHOD_NAMES)  # fmt: skip

    async def send(
        self,
        chat: ChatRef,
        html: str,
        *,
        silent: bool,
        reply_to: int | None = None,
        keyboard: bytes | None = None,
        picture: PictureAttachment | None = None,
        is_paid: bool = False,
        rich: str = "",
    ) -> int:
        """Send a message and return its id."""
        if picture:
            return await self._send_photo(chat, html, picture, silent=silent, reply_to=reply_to, is_paid=is_paid)
        parameters: dict[str, Any] = {"chat_id": chat.chat_id, "text": html} | _DEFAULT_PARAMETERS
        if silent:
            parameters["disable_notification"] = True
        if chat.topic:
            parameters["message_thread_id"] = chat.topic
        if reply_to:
            parameters["reply_parameters"] = {"message_id": reply_to, "allow_sending_without_reply": True}
        if keyboard:
            parameters["reply_markup"] = msgspec.Raw(keyboard)
        # Only what makes a message has this parameter: edits are free.
        if is_paid:
            parameters["allow_paid_broadcast"] = True
        if rich and (message_id := await self._try_rich("send", self._send_rich, parameters, rich)) is not None:
            return message_id
        return await self._send_text("reply" if reply_to else "send", self._send, parameters)

    async def edit(
        self,
        chat: ChatRef,
        message_id: int,
        html: str,
        *,
        keyboard: bytes | None = None,
        picture: PictureAttachment | None = None,
        rich: str = "",
    ) -> None:
        """Change a message."""
        if picture:
            await self._edit_photo(chat, message_id, html, picture)
            return
        parameters = {"chat_id": chat.chat_id, "message_id": message_id, "text": html} | _DEFAULT_PARAMETERS
        if keyboard:
            parameters["reply_markup"] = msgspec.Raw(keyboard)
        if rich and await self._try_rich("edit", self._edit, parameters, rich) is not None:
            return
        await self._send_text("edit", self._edit, parameters)

    async def _try_rich(self, operation: str, url: URL, parameters: dict[str, Any], rich: str) -> int | None:
        """Send or edit as a rich message. Return its id, or None if it is to be sent as text: the server cannot take it."""
        if not self._features.has(ServerFeature.RICH_MESSAGES):
            return None
        as_text = ("text", *_DEFAULT_PARAMETERS)
        parameters = {name: value for name, value in parameters.items() if name not in as_text}
        # Names of players are no links, whatever they look like.
        parameters["rich_message"] = {"html": rich, "skip_entity_detection": True}
        try:
            return await self._count_answer(operation, self._session.call_method(url, parameters)) or 0
        except DeliveryError as refusal:
            words = str(refusal).lower()
            if isinstance(refusal, MethodUnknown) or any(said in words for said in _NO_RICH_MESSAGES):
                self._features.mark_missing(ServerFeature.RICH_MESSAGES, str(refusal))
                return None
            if isinstance(refusal, TextRefused | RequestRefused):
                # Only this one, as far as is known: the next may be taken.
                log.warning("rich_message_refused", reason=str(refusal))
                return None
            raise

    async def pin(self, chat: ChatRef, message_id: int, *, is_pinned: bool) -> None:
        """Pin a message silently, or unpin it. If the chat does not allow that, do nothing."""
        parameters: dict[str, Any] = {"chat_id": chat.chat_id, "message_id": message_id}
        # A pinned card is no news: its message had its sound.
        parameters |= {"disable_notification": True} if is_pinned else {}
        try:
            await self._session.call_method(self._pin if is_pinned else self._unpin, parameters)
        except (BadRequest, EndPointNotFound) as refusal:
            log.debug("pin_refused", chat=chat.chat_id, on=is_pinned, reason=str(refusal))
        except TelegramError as error:
            raise classify_error(error) or error from None

    async def ping(self) -> None:
        """Ask Telegram for the bot itself."""
        await self._call_checked(self._get_me, {})

    async def check_chat(self, chat_id: int) -> None:
        """Raise ChatGone if the bot cannot write to a chat, without showing anything there."""
        await self._call_checked(self._get_chat, {"chat_id": chat_id})
        if chat_id > 0:
            # Telegram knows users who have blocked the bot. Whether it may write to them, only an action in their chat tells.
            with contextlib.suppress(RequestRefused):
                await self._call_checked(self._chat_action, {"chat_id": chat_id, "action": "typing"})

    async def _call_checked(self, url: URL, parameters: dict[str, Any]) -> None:
        try:
            await self._session.call_method(url, parameters)
        except TelegramError as error:
            raise classify_error(error) or error from None

    async def _send_photo(
        self, chat: ChatRef, caption: str, picture: PictureAttachment, *, silent: bool, reply_to: int | None, is_paid: bool
    ) -> int:
        request = self._bot.send_photo(
            chat.chat_id,
            self._file_ids.get(picture.png) or InputFile(picture.png, "match.png"),
            caption=caption,
            parse_mode=ParseMode.HTML,
            disable_notification=silent,
            message_thread_id=chat.topic or None,
            reply_parameters=ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None,
            has_spoiler=picture.is_spoiler or None,
            allow_paid_broadcast=is_paid or None,
            rate_limit_args=ALREADY_COUNTED,
        )
        return await self._call_with_picture("photo", picture.png, request)

    async def _edit_photo(self, chat: ChatRef, message_id: int, caption: str, picture: PictureAttachment) -> None:
        media = InputMediaPhoto(
            self._file_ids.get(picture.png) or InputFile(picture.png, "match.png", attach=True),
            caption=caption,
            parse_mode=ParseMode.HTML,
            has_spoiler=picture.is_spoiler or None,
        )
        request = self._bot.edit_message_media(media, chat.chat_id, message_id, rate_limit_args=ALREADY_COUNTED)
        await self._call_with_picture("edit", picture.png, request)

    async def _call_with_picture(self, operation: str, png: bytes, request: Awaitable[Message | bool]) -> int:
        """Return the id of a message with a picture, 0 if it looks like that already."""
        try:
            message = await self._count_answer(operation, request)
        except DeliveryError:
            # It may be the file id that Telegram refuses: upload the picture the next time.
            self._file_ids.pop(png, None)
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # The library cannot read the message that was made. Its picture is there, and must not be sent again and again.
            reason = f"an answer that cannot be read ({type(error).__name__})"
            raise TelegramUnreachable(reason, maybe_sent=True, is_unanswered=True) from error
        # None: the message looks like that already. Telegram answers True for an inline message, which the sender never edits.
        if not isinstance(message, Message):
            return 0
        if message.photo:
            # Of the largest size, which is the picture as it was sent.
            self._file_ids[png] = message.photo[-1].file_id
        for oldest in list(self._file_ids)[:-_MAX_FILE_IDS]:
            del self._file_ids[oldest]
        return message.message_id

    async def _send_text(self, operation: str, url: URL, parameters: dict[str, Any]) -> int:
        """Send or edit a text without the tags that the server does not know. Return its id, 0 if it looks like that already."""
        html = parameters["text"]
        while True:
            unknown_tags = frozenset(self._unknown_tags)
            parameters["text"] = remove_tags(html, unknown_tags) if unknown_tags else html
            try:
                return await self._count_answer(operation, self._session.call_method(url, parameters)) or 0
            except TextRefused as refusal:
                # Compared with what this request left out: others in flight may have learnt of the tag meanwhile.
                if refusal.tag not in TELEGRAM_TAGS - unknown_tags:
                    raise
                # The server is too old for this tag: it is left out of all messages from now on.
                if refusal.tag not in self._unknown_tags:
                    log.warning("tag_not_supported", tag=refusal.tag)
                    self._unknown_tags.add(refusal.tag)

    async def _count_answer(self, operation: str, request: Awaitable[T]) -> T | None:
        """Return what a request returns, None if the message looks like that already. Raise our own errors for the library's."""
        try:
            answer = await request
        except TelegramError as error:
            meaning = classify_error(error)
            count_response(operation, meaning)
            if meaning is None:
                return None
            raise meaning from None
        count_response(operation)
        return answer
