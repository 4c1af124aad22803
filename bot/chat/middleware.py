"""Prepares each update for its handler: the chat's language, the origin of the update, the per-user rate limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import ContextVar
from typing import Any

import msgspec
import structlog
from telegram import Message, Update
from telegram.constants import ChatType
from telegram.ext import BaseHandler

from bot.chat.dialogue import Screen
from bot.chat.replies import ReplySender
from bot.chat.update_origin import HandlerContext, UpdateOrigin, read_chat_ref, read_origin
from bot.clock import Clock
from bot.i18n.language import find_language, use_language
from bot.i18n.language import translate as _
from bot.storage.chats import ChatRepository
from bot.subscribers import ChatRef

Handler = BaseHandler[Update, HandlerContext, None]

OnMessage = Callable[[UpdateOrigin, Message, HandlerContext], Awaitable[None]]

# Enough for a person who sets up a chat by buttons; a script that presses on runs dry.
BURST_SIZE = 20.0
"""Commands and presses that a user may send at once."""

REFILL_PER_SECOND = 1.0
"""Commands and presses a second that a user may send on and on."""

# A few megabytes. Without a limit, invented users could fill the memory.
MAX_REMEMBERED_USERS = 10_000

log = structlog.get_logger()

_sender_language: ContextVar[str] = ContextVar("sender_language", default="")
"""Set while an update is handled. Each update is handled in a task of its own, so updates do not see each other's."""


def with_origin(on_message: OnMessage) -> Callable[[Update, HandlerContext], Coroutine[Any, Any, None]]:
    """Make a handler's callback that reads the origin of the update first. An update without a message is dropped."""

    async def callback(update: Update, ptb_context: HandlerContext) -> None:
        origin, message = read_origin(update), update.effective_message
        if origin is not None and message is not None:
            await on_message(origin, message, ptb_context)

    return callback


def use_chat_language(handlers: Iterable[Handler], chats: ChatRepository) -> list[Handler]:
    """Make each handler answer in the language of the chat that its update comes from."""
    return [_wrap_handler(handler, chats) for handler in handlers]


def _wrap_handler(handler: Handler, chats: ChatRepository) -> Handler:
    original = handler.callback

    async def callback(update: Update, ptb_context: HandlerContext) -> None:
        await run_in_chat_language(update, chats, lambda: original(update, ptb_context))

    handler.callback = callback
    return handler


async def run_in_chat_language(update: Update, chats: ChatRepository, answer: Callable[[], Awaitable[None]]) -> None:
    """Answer in the language of the chat that an update comes from."""
    token = _sender_language.set(read_sender_language(update))
    try:
        with use_language(await _choose_language(update, chats)):
            await answer()
    finally:
        _sender_language.reset(token)


async def _choose_language(update: Update, chats: ChatRepository) -> str:
    ref = _read_reply_chat(update)
    chat = await chats.get(ref) if ref else None
    if ref and ref.topic and not (chat and chat.language):
        # A topic without a language of its own has that of its forum.
        chat = await chats.get(ChatRef(ref.chat_id)) or chat
    if chat is None:
        return sender_language()
    if chat.type != ChatType.PRIVATE or chat.language_chosen or not sender_language():
        return chat.language or sender_language()
    # Alerts come without a sender, so a private chat's language is kept in step with that of its user's app.
    if chat.language != sender_language():
        await chats.set_language_if_unchosen(chat.ref, sender_language())
    return sender_language()


def _read_reply_chat(update: Update) -> ChatRef | None:
    """Return the chat that the answer goes to. An inline query comes from no chat: the user's private one counts."""
    message: Any = update.callback_query.message if update.callback_query else update.effective_message
    if isinstance(message, Message):
        return read_chat_ref(message)
    if update.inline_query:
        return ChatRef(update.inline_query.from_user.id)
    return ChatRef(update.effective_chat.id) if update.effective_chat else None


def sender_language() -> str:
    """Return the language of the Telegram app of the current update's sender; empty if there is none, as in a channel."""
    return _sender_language.get()


def read_sender_language(update: object) -> str:
    """Return the language of the sender's Telegram app, English if the bot does not speak it, empty if it is not known."""
    user = update.effective_user if isinstance(update, Update) else None
    return find_language(user.language_code) if user and user.language_code else ""


async def find_private_language(user_id: int, chats: ChatRepository) -> str:
    """Return the language for a private message to the current update's sender, whichever chat the update comes from."""
    chat = await chats.get(ChatRef(user_id))
    return chat.language if chat and (chat.language_chosen or not sender_language()) else sender_language()


class RateLimitHandler(BaseHandler[Update, HandlerContext, None]):
    """Takes the updates of users who send too fast, so that no other handler gets them."""

    def __init__(self, clock: Clock, replies: ReplySender, chats: ChatRepository) -> None:
        # The base class calls this for each update for which `check_update` is true.
        super().__init__(self.on_refused)
        self._clock, self._replies, self._limit, self._chats = clock, replies, UserRateLimit(), chats

    def check_update(self, update: object) -> bool:
        """Return True if this update is one too many."""
        # This has a side effect: it takes one of the user's tokens. python-telegram-bot calls it once for each update, as long
        # as the handler is added once.
        user_id = read_sender_id(update) if isinstance(update, Update) else None
        return user_id is not None and not self._limit.allow(user_id, self._clock.monotonic())

    async def on_refused(self, update: Update, _ptb_context: HandlerContext) -> None:
        """Ask the user to slow down, once; the updates after that are dropped without an answer."""
        user_id = read_sender_id(update)
        # Once: an answer to each would be as many requests to Telegram as the user makes.
        if user_id is None or not self._limit.should_warn(user_id):
            return
        log.warning("user_rate_limited", user=user_id)
        await run_in_chat_language(update, self._chats, lambda: self._warn(update))

    async def _warn(self, update: Update) -> None:
        origin, query = read_origin(update), update.callback_query
        text = _("Too fast! Try again in a few seconds.")
        if query:
            await self._replies.acknowledge(query, text)
        elif origin:
            await self._replies.send(origin, Screen(text))


def read_sender_id(update: Update) -> int | None:
    """Return the id of the user, or of the chat in whose name a message was sent; None if the update expects no answer."""
    if update.callback_query or update.inline_query:
        return update.effective_user.id if update.effective_user else None
    # Edits, changes of membership and reactions get no answer, so they cost nobody a token.
    message = update.message or update.channel_post
    if message is None:
        return None
    # A bot without privacy mode gets everything that a group's members write to each other. Only commands count there.
    text = message.text or message.caption or ""
    if message.chat.type != ChatType.PRIVATE and not text.startswith("/"):
        return None
    sender = message.sender_chat or message.from_user
    return sender.id if sender else None


class TokenBucket(msgspec.Struct, frozen=True):
    """What a user may still send, as of an instant of the monotonic clock."""

    tokens: float = BURST_SIZE
    filled_at: float = 0.0
    is_warned: bool = False
    """True after the user was asked to slow down, until the bucket is half full again."""


def refill(bucket: TokenBucket, now: float) -> TokenBucket:
    """Return the bucket as it has filled up until now."""
    tokens = min(BURST_SIZE, bucket.tokens + (now - bucket.filled_at) * REFILL_PER_SECOND)
    # Half full and not one token: else a user who sends exactly one a second would be warned again and again.
    return TokenBucket(tokens, now, bucket.is_warned and tokens < BURST_SIZE / 2)


class UserRateLimit:
    """A token bucket for each user: a burst of 20, then one a second."""

    def __init__(self) -> None:
        self._buckets: dict[int, TokenBucket] = {}
        """In the order in which the users were last seen."""

    def allow(self, user_id: int, now: float) -> bool:
        """Take one token. Return False if none is left."""
        # Taken out and put back at the end, so that the dictionary is in the order of the last use.
        bucket = refill(self._buckets.pop(user_id, TokenBucket(filled_at=now)), now)
        is_allowed = bucket.tokens >= 1
        self._buckets[user_id] = msgspec.structs.replace(bucket, tokens=bucket.tokens - 1) if is_allowed else bucket
        if len(self._buckets) > MAX_REMEMBERED_USERS:
            # The user who was silent for longest has most likely a full bucket, which is what a new user gets.
            del self._buckets[next(iter(self._buckets))]
        return is_allowed

    def should_warn(self, user_id: int) -> bool:
        """Return True the first time, and again only after the user had slowed down."""
        bucket = self._buckets.get(user_id, TokenBucket())
        self._buckets[user_id] = msgspec.structs.replace(bucket, is_warned=True)
        return not bucket.is_warned
