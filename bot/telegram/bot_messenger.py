"""The real Messenger: python-telegram-bot's bot, without its own rate limiter."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from telegram import LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import TelegramError
from telegram.ext import Defaults, ExtBot

from bot.clock import SystemClock
from bot.store.model import ChatRef
from bot.telegram.answers import meaning
from bot.telegram.limits import Unlimited
from bot.telegram.manners import COUNTED, Manners
from bot.telegram.request import AiohttpRequest

T = TypeVar("T")

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


def build_bot(token: str, api_url: str, manners: Manners | None = None, *, read_timeout: float = 10.0) -> ExtBot[str]:
    """The bot, for sending and for the chat side; polling has a pool of connections of its own. Seconds to wait for an answer."""
    return ExtBot(
        token,
        base_url=f"{api_url.rstrip('/')}/bot",
        base_file_url=f"{api_url.rstrip('/')}/file/bot",
        request=AiohttpRequest(read_timeout=read_timeout),
        get_updates_request=AiohttpRequest(connections=4),
        rate_limiter=manners or Manners(Unlimited(), SystemClock()),
        defaults=Defaults(link_preview_options=_NO_PREVIEW),
    )


class BotMessenger:
    """Sends and edits over a bot that was initialised."""

    def __init__(self, bot: ExtBot[str], *, allow_paid_broadcast: bool = False) -> None:
        self._bot, self._paid = bot, allow_paid_broadcast or None

    async def send(self, chat: ChatRef, html: str, *, silent: bool, reply_to: int | None = None) -> int:
        """Send a message, and return its id."""
        reply = ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None
        message = await _translated(
            self._bot.send_message(
                chat.chat_id,
                html,
                parse_mode=ParseMode.HTML,
                disable_notification=silent,
                message_thread_id=chat.topic or None,
                reply_parameters=reply,
                link_preview_options=_NO_PREVIEW,
                allow_paid_broadcast=self._paid,
                rate_limit_args=COUNTED,
            )
        )
        return message.message_id if message else 0

    async def edit(self, chat: ChatRef, message_id: int, html: str) -> None:
        """Change a message's text; what is so already is done."""
        await _translated(
            self._bot.edit_message_text(
                html,
                chat.chat_id,
                message_id,
                parse_mode=ParseMode.HTML,
                link_preview_options=_NO_PREVIEW,
                rate_limit_args=COUNTED,
            )
        )


async def _translated(request: Awaitable[T]) -> T | None:
    """The result; None where Telegram refused what is so already. Foreign errors become ours here."""
    try:
        return await request
    except TelegramError as error:
        known = meaning(error)
        if known is None:
            return None
        raise known from None
