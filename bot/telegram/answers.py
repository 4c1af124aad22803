"""Every answer of the Bot API and its meaning for the courier: one table, read top to bottom."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable

import telegram.error as api

from bot.errors import (
    ChatGone,
    ChatMigrated,
    DeliveryError,
    MessageGone,
    RetryAfter,
    TelegramUnreachable,
    TextRefused,
    TokenRefused,
    TopicGone,
)

os.environ.setdefault("PTB_TIMEDELTA", "1")  # python-telegram-bot's own switch: without it each RetryAfter warns


class NotSent(api.NetworkError):
    """The request never reached Telegram."""


NOT_MODIFIED = "message is not modified"

_REFUSALS: tuple[tuple[str, Callable[[str], DeliveryError]], ...] = (
    ("message to edit not found", MessageGone),
    ("message can't be edited", MessageGone),
    ("message_id_invalid", MessageGone),
    ("message to be replied not found", MessageGone),
    ("message to reply not found", MessageGone),
    ("replied message not found", MessageGone),
    ("message thread not found", TopicGone),
    ("topic_closed", TopicGone),
    ("topic_deleted", TopicGone),
    ("topic_id_invalid", TopicGone),
    ("can't parse entities", TextRefused),
    ("message is too long", TextRefused),
    ("message_too_long", TextRefused),
    ("message text is empty", TextRefused),
    ("text must be non-empty", TextRefused),
    ("entities_too_long", TextRefused),
    ("chat not found", ChatGone),
    ("user not found", ChatGone),
    ("peer_id_invalid", ChatGone),
    ("group chat was deactivated", ChatGone),
    ("group chat was deleted", ChatGone),
    ("not enough rights", ChatGone),
    ("have no rights", ChatGone),
    ("need administrator rights", ChatGone),
    ("chat_write_forbidden", ChatGone),
    ("chat_restricted", ChatGone),
    ("chat_admin_required", ChatGone),
    ("user_is_blocked", ChatGone),
    ("input_user_deactivated", ChatGone),
    ("channel_private", ChatGone),
)
"""Words of a 400 answer, in lower case, and what they mean. Any other refusal is taken to be the text's fault."""


def meaning(error: api.TelegramError) -> DeliveryError | None:
    """What the courier is told; None where all is well: the message is so already."""
    if isinstance(error, api.RetryAfter):
        return RetryAfter(_seconds(error.retry_after))
    if isinstance(error, api.ChatMigrated):
        return ChatMigrated(error.new_chat_id)
    if isinstance(error, api.Forbidden):
        return ChatGone(error.message)
    if isinstance(error, api.InvalidToken):
        return TokenRefused("Telegram does not know the bot's token")
    if isinstance(error, api.BadRequest):  # before NetworkError, whose kind it is
        return _refusal(error.message)
    return TelegramUnreachable(error.message, maybe_sent=not isinstance(error, NotSent))


def _refusal(message: str) -> DeliveryError | None:
    said = message.lower()
    if NOT_MODIFIED in said:
        return None
    return next((made(message) for words, made in _REFUSALS if words in said), TextRefused(message))


def _seconds(wait: int | float | dt.timedelta) -> float:
    return wait.total_seconds() if isinstance(wait, dt.timedelta) else float(wait)
