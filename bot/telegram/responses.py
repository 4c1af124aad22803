"""Every answer of the Bot API and what it means: one table; counts them."""

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

os.environ.setdefault("PTB_TIMEDELTA", "1")  # python-telegram-bot's own switch: without it each RetryAfter warns


class NotSent(api.NetworkError):
    """The request never reached Telegram."""


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
"""Words of a 400 answer, in lower case, and what they mean. Any other refusal is taken to be the text's fault."""


def classify_error(error: api.TelegramError) -> DeliveryError | None:
    """What the courier is told; None where all is well: the message is so already."""
    if isinstance(error, api.RetryAfter):
        return RetryAfter(_to_seconds(error.retry_after))
    if isinstance(error, api.ChatMigrated):
        return ChatMigrated(error.new_chat_id)
    if isinstance(error, api.Forbidden):
        return ChatGone(error.message)
    if isinstance(error, api.InvalidToken):
        return TokenRefused("Telegram does not know the bot's token")
    if isinstance(error, api.BadRequest):  # before NetworkError, whose kind it is
        return _classify_refusal(error.message)
    return TelegramUnreachable(error.message, maybe_sent=not isinstance(error, NotSent))


class ResponseParameters(msgspec.Struct):
    """What a refusal asks for: how long to wait, or where the group is now."""

    retry_after: float = 0.0
    migrate_to_chat_id: int = 0


class ResponseMessage(msgspec.Struct):
    """Of a message that was sent or edited, what is kept."""

    message_id: int = 0


class ApiResponse(msgspec.Struct):
    """The Bot API's answer to a request."""

    ok: bool = False
    result: ResponseMessage | bool | None = None
    description: str = ""
    parameters: ResponseParameters = msgspec.field(default_factory=ResponseParameters)


_RESPONSE_DECODER = msgspec.json.Decoder(ApiResponse)


def parse_response(status: int, body: bytes) -> int:
    """The id of the message that a request sent or edited, 0 where there is none; raise the library's error for a refusal."""
    try:
        answer = _RESPONSE_DECODER.decode(body)
    except msgspec.MsgspecError:
        answer = ApiResponse()
    if status == _HTTP_OK and answer.ok:
        return answer.result.message_id if isinstance(answer.result, ResponseMessage) else 0
    raise _make_library_error(status, answer)


def _make_library_error(status: int, answer: ApiResponse) -> api.TelegramError:
    """As python-telegram-bot reads a refusal."""
    said = answer.description or f"an answer of status {status} that cannot be read"
    if answer.parameters.migrate_to_chat_id:
        return api.ChatMigrated(answer.parameters.migrate_to_chat_id)
    if answer.parameters.retry_after:
        return api.RetryAfter(dt.timedelta(seconds=answer.parameters.retry_after))
    if status in (401, 404):
        return api.InvalidToken(said)
    return {400: api.BadRequest, 403: api.Forbidden}.get(status, api.NetworkError)(said)


def _classify_refusal(message: str) -> DeliveryError | None:
    said = message.lower()
    if NOT_MODIFIED in said:
        return None
    return next((made(message) for words, made in _REFUSAL_MEANINGS if words in said), TextRefused(message))


def _to_seconds(wait: int | float | dt.timedelta) -> float:
    return wait.total_seconds() if isinstance(wait, dt.timedelta) else float(wait)


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
"""By the error of an answer; None where all is well."""

OPERATIONS = ("send", "edit", "reply", "photo")

_COUNTERS = {(op, kind): BOT_API_REQUESTS.labels(op, answer) for op in OPERATIONS for kind, answer in RESULT_LABELS.items()}


def count_response(op: str, error: DeliveryError | None = None) -> None:
    """A request has its answer."""
    kind = type(error) if error else None
    counter = _COUNTERS.get((op, kind)) or BOT_API_REQUESTS.labels(op, RESULT_LABELS.get(kind, "other"))
    counter.inc()
