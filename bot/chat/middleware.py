"""Before every handler: the chat's language, the per-user rate limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import ContextVar
from typing import Any, Protocol

import msgspec
import structlog
from telegram import Message, Update
from telegram.constants import ChatType
from telegram.ext import BaseHandler

from bot.chat.dialogue import HandlerContext, Screen, UpdateOrigin, read_chat_ref, read_origin
from bot.chat.replies import ReplySender
from bot.clock import Clock
from bot.i18n.language import find_language, use_language
from bot.i18n.language import translate as _
from bot.subscribers import Chat, ChatRef

Handler = BaseHandler[Update, HandlerContext, None]

OnMessage = Callable[[UpdateOrigin, Message, HandlerContext], Awaitable[None]]

_sender_language: ContextVar[str] = ContextVar("theirs", default="")


def with_origin(on_message: OnMessage) -> Callable[[Update, HandlerContext], Coroutine[Any, Any, None]]:
    """Make a python-telegram-bot callback that reads the origin of the update once; an update without any is dropped."""

    async def callback(update: Update, ptb_context: HandlerContext) -> None:
        origin, message = read_origin(update), update.effective_message
        if origin is not None and message is not None:
            await on_message(origin, message, ptb_context)

    return callback


class LanguageStore(Protocol):
    """Who knows the chats' languages."""

    async def get(self, ref: ChatRef) -> Chat | None: ...
    async def speak(self, ref: ChatRef, language: str) -> None: ...


def sender_language() -> str:
    """The language of the Telegram of who speaks now; empty where nobody does, as in a channel."""
    return _sender_language.get()


def read_sender_language(update: object) -> str:
    """The language of the Telegram of who sent an update, English where the bot does not speak it; empty where none is told."""
    user = update.effective_user if isinstance(update, Update) else None
    return find_language(user.language_code) if user and user.language_code else ""


async def find_private_language(user_id: int, chats: LanguageStore) -> str:
    """The language for a word in private to who speaks now, wherever that is."""
    chat = await chats.get(ChatRef(user_id))
    return chat.language if chat and (chat.language_chosen or not sender_language()) else sender_language()


def use_chat_language(handlers: Iterable[Handler], chats: LanguageStore) -> list[Handler]:
    """The handlers, each answering in the language of its update."""
    return [_wrap_handler(handler, chats) for handler in handlers]


def _wrap_handler(handler: Handler, chats: LanguageStore) -> Handler:
    answer = handler.callback

    async def answered(update: Update, context: HandlerContext) -> None:
        token = _sender_language.set(read_sender_language(update))
        try:
            with use_language(await _choose_language(update, chats)):
                await answer(update, context)
        finally:
            _sender_language.reset(token)

    handler.callback = answered
    return handler


async def _choose_language(update: Update, chats: LanguageStore) -> str:
    ref = _read_reply_chat(update)
    chat = await _find_chat(ref, chats) if ref else None
    if chat is None:
        return sender_language()
    if chat.kind != ChatType.PRIVATE or chat.language_chosen or not sender_language():
        return chat.language or sender_language()
    if chat.language != sender_language():
        await chats.speak(chat.ref, sender_language())
    return sender_language()


async def _find_chat(ref: ChatRef, chats: LanguageStore) -> Chat | None:
    """The chat; a topic that knows no language yet is spoken to as its forum."""
    chat = await chats.get(ref)
    if ref.topic and not (chat and chat.language):
        return await chats.get(ChatRef(ref.chat_id)) or chat
    return chat


def _read_reply_chat(update: Update) -> ChatRef | None:
    """Where the answer goes, or whose answer it is where a user asks from any chat."""
    message: Any = update.callback_query.message if update.callback_query else update.effective_message
    if isinstance(message, Message):
        return read_chat_ref(message)
    if update.inline_query:
        return ChatRef(update.inline_query.from_user.id)
    return ChatRef(update.effective_chat.id) if update.effective_chat else None


log = structlog.get_logger()


class RateLimitHandler(BaseHandler[Update, HandlerContext, None]):
    """Takes the updates of users who send too fast, so that no other handler gets them."""

    def __init__(self, clock: Clock, replies: ReplySender) -> None:
        super().__init__(self.on_refused)
        self._clock, self._replies, self._limit = clock, replies, UserRateLimit()

    def check_update(self, update: object) -> bool:
        """Return True if this update is one too many."""
        # python-telegram-bot asks each handler in turn and expects no side effect here. This one takes a token of the user's:
        # that is right as long as it is asked once for each update, so it stands in one group only.
        user_id = read_sender_id(update) if isinstance(update, Update) else None
        return user_id is not None and not self._limit.allow(user_id, self._clock.monotonic())

    async def on_refused(self, update: Update, _ptb_context: HandlerContext) -> None:
        """Tell the user to slow down, once."""
        user_id, origin, query = read_sender_id(update), read_origin(update), update.callback_query
        if user_id is None or not self._limit.should_warn(user_id):
            return
        log.warning("flood_slowed", user=user_id)
        if query:
            await self._replies.acknowledge(query, slow_down_text())
        elif origin:
            await self._replies.send(origin, Screen(slow_down_text()))


def read_sender_id(update: Update) -> int | None:
    """Who asks for an answer, by id: a chat that speaks for itself counts as one; None where nothing is asked."""
    if update.callback_query or update.inline_query:
        return update.effective_user.id if update.effective_user else None
    message = update.message or update.channel_post
    if message is None or not _expects_answer(message):
        return None
    who = message.sender_chat or message.from_user
    return who.id if who else None


def _expects_answer(message: Message) -> bool:
    said = message.text or message.caption or ""
    return message.chat.type == ChatType.PRIVATE or said.startswith("/")


BURST_SIZE = 20.0
"""So many commands and presses at once …"""

REFILL_PER_SECOND = 1.0
"""… and then so many a second."""

MAX_REMEMBERED_USERS = 10_000
"""Users remembered."""


class TokenBucket(msgspec.Struct, frozen=True):
    """What a user has left, as of an instant of the monotonic clock; `warned` since it last ran dry."""

    left: float = BURST_SIZE
    at: float = 0.0
    warned: bool = False


def refill(bucket: TokenBucket, now: float) -> TokenBucket:
    """The bucket as it has filled up meanwhile."""
    left = min(BURST_SIZE, bucket.left + (now - bucket.at) * REFILL_PER_SECOND)
    return TokenBucket(left, now, bucket.warned and left < BURST_SIZE / 2)


class UserRateLimit:
    """Knows who speaks too fast."""

    def __init__(self) -> None:
        self._buckets: dict[int, TokenBucket] = {}

    def allow(self, user_id: int, now: float) -> bool:
        """Take one token; false where none is left."""
        bucket = refill(self._buckets.pop(user_id, TokenBucket(at=now)), now)
        admitted = bucket.left >= 1
        self._buckets[user_id] = msgspec.structs.replace(bucket, left=bucket.left - 1) if admitted else bucket
        if len(self._buckets) > MAX_REMEMBERED_USERS:
            del self._buckets[next(iter(self._buckets))]
        return admitted

    def should_warn(self, user_id: int) -> bool:
        """Tell whether the user is to be warned now: once until there was peace."""
        bucket = self._buckets.get(user_id, TokenBucket())
        self._buckets[user_id] = msgspec.structs.replace(bucket, warned=True)
        return not bucket.warned


def slow_down_text() -> str:
    return _("That is faster than I can answer. I hear you again in a few seconds.")
