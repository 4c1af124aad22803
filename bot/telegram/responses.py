"""Every answer of the Bot API and what it means, in one table; and the counters of answers."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Callable
from http import HTTPStatus

import msgspec
import telegram.error as api
from yarl import URL

from bot.errors import (
    ChatGone,
    ChatMigrated,
    DeliveryError,
    MessageGone,
    MessageLocked,
    MethodUnknown,
    NotTelegram,
    PaymentRefused,
    PictureForbidden,
    PictureRefused,
    RequestRefused,
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


NOT_MODIFIED = "message is not modified"

_NOT_MODIFIED_CODE = "message_not_modified"
"""The same in Telegram's own protocol."""

_REFUSAL_MEANINGS: tuple[tuple[str, Callable[[str], DeliveryError]], ...] = (
    ("message to edit not found", MessageGone),
    ("message can't be edited", MessageLocked),
    ("message_edit_time_expired", MessageLocked),
    ("message_id_invalid", MessageGone),
    # A card that was sent as a photo, while pictures could be drawn.
    ("there is no text in the message to edit", MessageGone),
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
    ("caption is too long", TextRefused),
    ("caption_too_long", TextRefused),
    ("message text is empty", TextRefused),
    ("text must be non-empty", TextRefused),
    ("can't parse rich message", TextRefused),
    ("entities_too_long", TextRefused),
    ("entity_bounds_invalid", TextRefused),
    ("chat not found", ChatGone),
    ("user not found", ChatGone),
    ("peer_id_invalid", ChatGone),
    ("group chat was deactivated", ChatGone),
    ("group chat was deleted", ChatGone),
    # Before "not enough rights": the chat takes text, only no pictures.
    ("wrong file identifier", PictureRefused),
    ("rights to send photos", PictureForbidden),
    ("chat_send_photos_forbidden", PictureForbidden),
    ("not enough rights", ChatGone),
    ("have no rights", ChatGone),
    ("need administrator rights", ChatGone),
    ("chat_write_forbidden", ChatGone),
    ("chat_send_plain_forbidden", ChatGone),
    ("chat_guest_send_forbidden", ChatGone),
    ("user_banned_in_channel", ChatGone),
    ("chat_restricted", ChatGone),
    ("chat_admin_required", ChatGone),
    ("user_is_blocked", ChatGone),
    ("input_user_deactivated", ChatGone),
    ("balance_too_low", PaymentRefused),
    ("balance is too low", PaymentRefused),
    ("not enough stars", PaymentRefused),
    ("not enough telegram stars", PaymentRefused),
    ("channel_private", ChatGone),
    ("channel_invalid", ChatGone),
    ("chat_id_invalid", ChatGone),
)
"""Words of a 400 answer, in lower case, and what they mean; the first that is found counts.

Any other refusal is not understood: it is tried again a few times, and then given up with Telegram's own words.
"""

_UNKNOWN_TAG = re.compile(r"unsupported start tag \"([\w-]+)\"")

_METHOD_NOT_FOUND = "method not found"

_METHODS_OF_EVERY_SERVER = frozenset(
    {
        "answerCallbackQuery", "answerInlineQuery", "deleteMessage", "deleteWebhook", "editMessageMedia",
        "editMessageReplyMarkup", "editMessageText", "getChat", "getChatAdministrators", "getChatMember", "getFile",
        "getMe", "getUpdates", "getWebhookInfo", "pinChatMessage", "sendChatAction", "sendDocument", "sendMessage",
        "sendPhoto", "setMyCommands", "setWebhook", "unpinChatMessage",
    }
)  # fmt: skip
"""Methods that are so old that no Bot API server lacks them: for these a bare 404 can only mean the token."""

_FLOOD_STATUSES = (420, HTTPStatus.TOO_MANY_REQUESTS)
"""Too many requests; 420 is what Telegram's own protocol calls it, and some servers hand on."""

_UNKNOWN_RETRY_AFTER = 5.0
"""Seconds to wait after a 429 that names no time."""

_RETRY_AFTER_WORDS = re.compile(r"(?:retry after |flood_wait_)(\d{1,9})", re.IGNORECASE)
"""Where the time stands in an answer without parameters."""

_SHORTEST_RETRY_AFTER, _LONGEST_RETRY_AFTER = 1.0, 86_400.0
"""The limits of a time to wait. At once would be refused again, and a chat is not given up for weeks because of one answer."""

RESULT_LABELS: dict[type[DeliveryError] | None, str] = {
    None: "ok",
    RetryAfter: "429",
    ChatGone: "gone",
    ChatMigrated: "migrated",
    TopicGone: "topic_gone",
    TopicClosed: "topic_closed",
    MessageGone: "message_gone",
    MessageLocked: "message_locked",
    TextRefused: "refused",
    PictureRefused: "picture_refused",
    PictureForbidden: "picture_forbidden",
    PaymentRefused: "payment_refused",
    RequestRefused: "not_understood",
    MethodUnknown: "method_unknown",
    TokenRefused: "token_refused",
    NotTelegram: "not_telegram",
    TelegramUnreachable: "unreachable",
}
"""The metric label of each error; None if all is well."""

OPERATIONS = ("send", "edit", "reply", "photo")
"""Metric labels; photo is a new message with a picture."""

# Looked up once: `labels` costs more than counting.
_COUNTERS = {(op, kind): BOT_API_REQUESTS.labels(op, answer) for op in OPERATIONS for kind, answer in RESULT_LABELS.items()}


_GATEWAY_TIMEOUT_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT, 524)
"""What a proxy answers that waited too long for Telegram: a slow answer in disguise. Cloudflare says 524."""


class NotSent(api.NetworkError):
    """The request certainly did not reach Telegram."""


class AnswerLost(api.NetworkError):
    """The request left, and the connection ended before the answer came."""


class ForeignAnswer(api.NetworkError):
    """The answer is not Telegram's. `maybe_sent` is True if the request may have reached Telegram all the same.

    `is_unanswered`: a proxy says that Telegram's answer did not come in time, or the answer is a success that lacks its result.
    """

    def __init__(self, reason: str, *, maybe_sent: bool, is_unanswered: bool) -> None:
        self.maybe_sent, self.is_unanswered = maybe_sent, is_unanswered
        super().__init__(reason)


class _Refusal(api.BadRequest):
    """A bad request with Telegram's description as it came."""

    def __init__(self, description: str) -> None:
        self.description = description
        super().__init__(description)


class _Envelope(msgspec.Struct):
    """What every answer of the Bot API has; whatever lacks it is not from Telegram."""

    ok: bool
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    description: str = ""


_ENVELOPE_DECODER = msgspec.json.Decoder(_Envelope)


def check_answer(url: str | URL, status: int, content_type: str, body: bytes) -> bool:
    """Return True if an answer refuses the bot's token. The last part of `url` is the method that was called.

    Raises ForeignAnswer, EndPointNotFound for an unknown method, and BadRequest for a request that is too large.

    Only JSON with `ok`, and with a result or a description, is Telegram speaking. A proxy's 403 says nothing about a chat, its
    401 and 404 nothing about the token.
    """
    try:
        answer = _ENVELOPE_DECODER.decode(body)
    except msgspec.MsgspecError:
        answer = None
    is_complete = answer and (answer.result is not msgspec.UNSET if answer.ok else answer.description != "")
    if answer is None or not is_complete or (answer.ok and status != HTTPStatus.OK):
        is_page = answer is None and (body.lstrip()[:1] == b"<" or ("html" in content_type.lower() and body[:1] != b"{"))
        # A page with a client error, or in place of a success, is of a proxy that kept the request to itself.
        # A success that was cut off has been carried out, most likely: it must not be repeated until the news is too old.
        is_unanswered = status in _GATEWAY_TIMEOUT_STATUSES or (not is_page and status < HTTPStatus.MULTIPLE_CHOICES)
        kind = content_type.partition(";")[0].lower() or "no content type"
        reason = f"an answer that is not Telegram's (status {status}, {kind})"
        # The picture is too large for the server, or for a proxy in front of it. Other messages are not affected.
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise _Refusal(reason)
        raise ForeignAnswer(
            reason, maybe_sent=status >= HTTPStatus.INTERNAL_SERVER_ERROR or is_unanswered, is_unanswered=is_unanswered
        )
    # For pictures, whose answers the library reads: it takes a refusal in a rare status for a server in trouble.
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        raise _Refusal(answer.description)
    if status != HTTPStatus.NOT_FOUND:
        return status == HTTPStatus.UNAUTHORIZED
    method = str(url).rpartition("/")[2].partition("?")[0]
    if method not in _METHODS_OF_EVERY_SERVER or _METHOD_NOT_FOUND in answer.description.lower():
        raise api.EndPointNotFound(f"this Bot API server does not have {method}")
    return True


def classify_error(error: api.TelegramError) -> DeliveryError | None:
    """Return the error that the sender knows. None if all is well: the message looks like that already."""
    if isinstance(error, api.RetryAfter):
        wait = error.retry_after
        seconds = wait.total_seconds() if isinstance(wait, dt.timedelta) else float(wait)
        return RetryAfter(min(max(seconds, _SHORTEST_RETRY_AFTER), _LONGEST_RETRY_AFTER))
    if isinstance(error, api.ChatMigrated):
        return ChatMigrated(error.new_chat_id)
    # 403: the bot was blocked, removed, or never started. Telegram says it for nothing else.
    if isinstance(error, api.Forbidden):
        return ChatGone(error.message)
    if isinstance(error, api.EndPointNotFound):
        return MethodUnknown(error.message)
    if isinstance(error, api.InvalidToken):
        return TokenRefused("Telegram does not know the bot's token")
    if isinstance(error, api.BadRequest):  # a subclass of NetworkError, but an answer
        words = error.message.lower()
        if NOT_MODIFIED in words or _NOT_MODIFIED_CODE in words:
            return None
        # By Telegram's words, since its error codes are the HTTP statuses, and all of these are 400.
        if tag := find_unknown_tag(error):
            return TextRefused(error.message, tag)
        meanings = (make_error(error.message) for known, make_error in _REFUSAL_MEANINGS if known in words)
        # In Telegram's own spelling, by which an operator can search for it: the library changes the case of its first word.
        return next(meanings, RequestRefused(getattr(error, "description", error.message)))
    if isinstance(error, ForeignAnswer):
        return NotTelegram(error.message, maybe_sent=error.maybe_sent, is_unanswered=error.is_unanswered)
    is_unanswered = isinstance(error, api.TimedOut | AnswerLost)
    return TelegramUnreachable(error.message, maybe_sent=not isinstance(error, NotSent), is_unanswered=is_unanswered)


def find_unknown_tag(error: api.TelegramError) -> str:
    """Return the tag that the server is too old for, if that is why it refuses a text; empty if it is not."""
    found = _UNKNOWN_TAG.search(error.message.lower())
    return found[1] if found else ""


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


def find_message_id(status: int, body: bytes) -> int | None:
    """Return the id of the message that was sent or edited, 0 for a success without one. None for any other answer."""
    if status != HTTPStatus.OK:
        return None
    try:
        answer = _RESPONSE_DECODER.decode(body)
    except msgspec.MsgspecError:
        return None
    if not answer.ok or answer.result is None:
        return None
    return answer.result.message_id if isinstance(answer.result, ResponseMessage) else 0


def parse_response(status: int, body: bytes) -> int:
    """Return the id of the message that was sent or edited, 0 if there is none. Raise the library's error for a refusal.

    The session has checked that the answer is Telegram's: see `check_answer`.
    """
    if (message_id := find_message_id(status, body)) is not None:
        return message_id
    try:
        answer = _RESPONSE_DECODER.decode(body)
    except msgspec.MsgspecError:
        answer = ApiResponse()
    # As python-telegram-bot reads a refusal, so that both ways of calling mean the same.
    if answer.parameters.migrate_to_chat_id:
        raise api.ChatMigrated(answer.parameters.migrate_to_chat_id)
    if answer.parameters.retry_after:
        raise api.RetryAfter(dt.timedelta(seconds=min(answer.parameters.retry_after, _LONGEST_RETRY_AFTER)))
    message = answer.description
    if answer.ok or not message:
        is_unanswered = status < HTTPStatus.MULTIPLE_CHOICES
        raise ForeignAnswer(f"an answer that is not Telegram's (status {status})", maybe_sent=True, is_unanswered=is_unanswered)
    if status in _FLOOD_STATUSES:
        named = _RETRY_AFTER_WORDS.search(message)
        seconds = min(float(named[1]), _LONGEST_RETRY_AFTER) if named else _UNKNOWN_RETRY_AFTER
        raise api.RetryAfter(dt.timedelta(seconds=seconds))
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):
        raise api.InvalidToken(message)
    if status == HTTPStatus.FORBIDDEN:
        raise api.Forbidden(message)
    # Any other 4xx too is an answer about this request: to repeat it as if the server were down would go on for ever.
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.REQUEST_TIMEOUT:
        raise _Refusal(message)
    raise api.NetworkError(message)


def count_response(op: str, error: DeliveryError | None = None) -> None:
    """Count the answer to a request."""
    kind = type(error) if error else None
    counter = _COUNTERS.get((op, kind)) or BOT_API_REQUESTS.labels(op, RESULT_LABELS.get(kind, "other"))
    counter.inc()
