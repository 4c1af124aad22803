"""Limits how often a user may ask, and how often somebody is told the same thing."""

from __future__ import annotations

from collections.abc import Hashable

import msgspec
import structlog
from telegram import Update
from telegram.constants import ChatType
from telegram.ext import BaseHandler

from bot.chat.middleware import answer_refused_update
from bot.chat.replies import ReplySender
from bot.chat.update_origin import HandlerContext
from bot.clock import Clock
from bot.i18n.language import translate as _
from bot.storage.chats import ChatRepository

# Enough for a person who sets up a chat by buttons; a script that presses on runs dry.
BURST_SIZE = 20.0
"""Commands and presses that a user may send at once."""

REFILL_PER_SECOND = 1.0
"""Commands and presses a second that a user may send on and on."""

# A few megabytes. Without a limit, invented users could fill the memory.
MAX_REMEMBERED_USERS = 10_000

REFUSAL_INTERVAL = 3600.0
"""Seconds after which a person or a chat is refused in words again."""

log = structlog.get_logger()


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
        await answer_refused_update(update, self._replies, self._chats, lambda: _("Too fast! Try again in a few seconds."))


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


class Throttle:
    """Allows each key once an hour. Keys beyond the latest ten thousand are forgotten, and so allowed again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._allowed_at: dict[Hashable, float] = {}
        """In the order of the last time."""

    def allow(self, key: Hashable) -> bool:
        """Return True, and remember it, unless the key was allowed within REFUSAL_INTERVAL."""
        now = self._clock.monotonic()
        if now - self._allowed_at.get(key, float("-inf")) < REFUSAL_INTERVAL:
            return False
        # Taken out first, so that the key stands at the end of the order.
        self._allowed_at.pop(key, None)
        self._allowed_at[key] = now
        if len(self._allowed_at) > MAX_REMEMBERED_USERS:
            del self._allowed_at[next(iter(self._allowed_at))]
        return True
