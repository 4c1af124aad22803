"""Every answer of the Bot API and what it means, in one table; and the counters of answers."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable

import msgspec
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
    TopicClosed,
    TopicGone,
)
from bot.metrics import BOT_API_REQUESTS

# python-telegram-bot's own switch: without it each RetryAfter warns that it will be a timedelta.
os.environ.setdefault("PTB_TIMEDELTA", "1")


_HTTP_OK = 200

NOT_MODIFIED = "message is not modified"

_REFUSAL_MEANINGS: tuple[tuple[str, Callable[[str], DeliveryError]], ...] = (
    ("message to edit not found", MessageGone),
    ("message can't be edited", MessageGone),
    ("message_id_invalid", MessageGone),
    ("message to be replied not found", MessageGone),
    ("message to reply not found", MessageGone),
    ("replied message not found", MessageGone),
    ("message thread not found", TopicGone),
    ("topic_closed", TopicClosed),
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
    # Before "not enough rights": the chat takes text, only no pictures.
    ("rights to send photos", TextRefused),
    ("chat_send_photos_forbidden", TextRefused),
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
"""Words of a 400 answer, in lower case, and what they mean; the first that is found counts.

Any other refusal counts as the text's fault: it is tried once without formatting, and concerns this message alone.
"""

RESULT_LABELS: dict[type[DeliveryError] | None, str] = {
    None: "ok",
    RetryAfter: "429",
    ChatGone: "gone",
    ChatMigrated: "migrated",
    TopicGone: "topic_gone",
    TopicClosed: "topic_closed",
    MessageGone: "message_gone",
    TextRefused: "refused",
    TokenRefused: "token_refused",
    TelegramUnreachable: "unreachable",
}
"""The metric label of each error; None if all is well."""

OPERATIONS = ("send", "edit", "reply", "photo")
"""Metric labels; photo is a new message with a picture."""

# Looked up once: `labels` costs more than counting.
_COUNTERS = {(op, kind): BOT_API_REQUESTS.labels(op, answer) for op in OPERATIONS for kind, answer in RESULT_LABELS.items()}


class NotSent(api.NetworkError):
    """The request certainly did not reach Telegram."""


def classify_error(error: api.TelegramError) -> DeliveryError | None:
    """Return the error that the sender knows. None if all is well: the message looks like that already."""
    if isinstance(error, api.RetryAfter):
        wait = error.retry_after
        return RetryAfter(wait.total_seconds() if isinstance(wait, dt.timedelta) else float(wait))
    if isinstance(error, api.ChatMigrated):
        return ChatMigrated(error.new_chat_id)
    # 403: the bot was blocked, removed, or never started. Telegram says it for nothing else.
    if isinstance(error, api.Forbidden):
        return ChatGone(error.message)
    if isinstance(error, api.InvalidToken):
        return TokenRefused("Telegram does not know the bot's token")
    if isinstance(error, api.BadRequest):  # a subclass of NetworkError, but an answer
        words = error.message.lower()
        if NOT_MODIFIED in words:
            return None
        # By Telegram's words, since its error codes are the HTTP statuses, and all of these are 400.
        meanings = (make_error(error.message) for known, make_error in _REFUSAL_MEANINGS if known in words)
        return next(meanings, TextRefused(error.message))
    return TelegramUnreachable(error.message, maybe_sent=not isinstance(error, NotSent))


class ResponseParameters(msgspec.Struct):
    """What a refusal asks for: seconds to wait, or the new id of a group."""

    retry_after: float = 0.0
    migrate_to_chat_id: int = 0


class ResponseMessage(msgspec.Struct):
    """What is needed of a message that was sent or edited."""

    message_id: int = 0


class ApiResponse(msgspec.Struct):
    """The Bot API's answer to a request. Fields have the names of its JSON."""

    ok: bool = False
    result: ResponseMessage | bool | None = None
    description: str = ""
    parameters: ResponseParameters = msgspec.field(default_factory=ResponseParameters)


_RESPONSE_DECODER = msgspec.json.Decoder(ApiResponse)


def parse_response(status: int, body: bytes) -> int:
    """Return the id of the message that was sent or edited, 0 if there is none. Raise the library's error for a refusal."""
    try:
        answer = _RESPONSE_DECODER.decode(body)
    # A proxy between us and Telegram: its pages are no answers, whatever their status.
    except msgspec.MsgspecError:
        answer = ApiResponse()
    if status == _HTTP_OK and answer.ok:
        return answer.result.message_id if isinstance(answer.result, ResponseMessage) else 0
    # As python-telegram-bot reads a refusal, so that both ways of calling mean the same.
    message = answer.description or f"an answer of status {status} that cannot be read"
    if answer.parameters.migrate_to_chat_id:
        raise api.ChatMigrated(answer.parameters.migrate_to_chat_id)
    if answer.parameters.retry_after:
        raise api.RetryAfter(dt.timedelta(seconds=answer.parameters.retry_after))
    if status in (401, 404):
        raise api.InvalidToken(message)
    raise {400: api.BadRequest, 403: api.Forbidden}.get(status, api.NetworkError)(message)


def count_response(op: str, error: DeliveryError | None = None) -> None:
    """Count the answer to a request."""
    kind = type(error) if error else None
    counter = _COUNTERS.get((op, kind)) or BOT_API_REQUESTS.labels(op, RESULT_LABELS.get(kind, "other"))
    counter.inc()
