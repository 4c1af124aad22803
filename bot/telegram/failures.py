"""What a failed request means for its chat: the message is sent again, parked or given up, or the chat is moved or suspended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import structlog

from bot.clock import Clock
from bot.errors import (
    ChatGone,
    ChatMigrated,
    DeliveryError,
    MessageLocked,
    NotTelegram,
    PaymentRefused,
    PictureForbidden,
    PictureRefused,
    RequestRefused,
    RetryAfter,
    StorageError,
    TelegramUnreachable,
    TextRefused,
    TokenRefused,
    TopicClosed,
    TopicGone,
)
from bot.outbox.delivery import UNREACHABLE_MESSAGE_ID, DeliveryResult, QueueItem
from bot.outbox.queue import DeliveryQueue
from bot.retry import Backoff
from bot.storage.chats import ChatRepository
from bot.subscribers import ChatRef
from bot.telegram.execute import Attempt, undo_uncertain
from bot.telegram.limits.circuit_breaker import CircuitBreaker
from bot.telegram.limits.rate_limits import RateLimitPolicy
from bot.telegram.plan import make_uncertain_delivery
from bot.telegram.queues import ChatQueues
from bot.telegram.refused_messages import RefusedMessages
from bot.telegram.suspension_brake import SuspensionBrake
from bot.telegram.unanswered import NextStep, UnansweredMessages

if TYPE_CHECKING:  # it imports python-telegram-bot, which a replay does without
    from bot.telegram.messenger import Messenger

log = structlog.get_logger()

MAX_CHAT_RETRY_DELAY = 60.0
"""The longest wait in seconds before a chat that cannot be reached is tried again."""

_CHAT_BACKOFF = Backoff(0.5, MAX_CHAT_RETRY_DELAY)

_CLOSED_TOPIC_BACKOFF = Backoff(10.0, 900.0)
"""Long, because Telegram says when a topic is opened. This is for when it was not heard."""

_FIRST_PING_DELAY, _LONGEST_PING_DELAY = 5.0, 30.0
"""Seconds between two questions whether Telegram answers again, while messages are parked."""

_PING_TIMEOUT = 10.0
"""Seconds within which it has to answer that question."""


class FailureHandler:
    """Does what the failure of a request means, and notes what its success says about Telegram and the chat.

    A message that is sent again goes to the front of its chat's queue, so that the chat gets its messages in order.
    """

    def __init__(
        self,
        queue: DeliveryQueue,
        chat_queues: ChatQueues,
        messenger: Messenger,
        rate_limiter: RateLimitPolicy,
        clock: Clock,
        chats: ChatRepository,
        requeue: Callable[[QueueItem], None],
        wake: Callable[[], None],
    ) -> None:
        """`requeue` puts an item at the front of its chat's queue, and `wake` lets the sender look for something to send."""
        self._delivery_queue, self._chat_queues, self._messenger = queue, chat_queues, messenger
        self._rate_limiter, self._clock, self._chats = rate_limiter, clock, chats
        self._requeue, self._wake = requeue, wake
        self.breaker = CircuitBreaker()
        self.unanswered = UnansweredMessages()
        self.refused = RefusedMessages()
        self._suspension_brake = SuspensionBrake()
        self._closed_topics: dict[ChatRef, int] = {}
        """How often in a row each topic was refused because it is closed, and the general topic too."""
        self._old_chat_ids: set[int] = set()
        """The ids that groups had before they moved. A server that named one as a new id would move a group back and forth."""
        self._pinging: asyncio.Task[None] | None = None
        self.on_text_refused: Callable[[str, str], None] | None = None
        """Called with a rule and a reason if Telegram takes its text in no form."""
        self.on_request_refused: Callable[[str], None] | None = None
        """Called with Telegram's words if a message is given up that it refuses for a reason that is not understood."""
        self.on_payment_refused: Callable[[str], None] | None = None
        """Called with Telegram's words if it refuses a payment. The message is sent without it."""
        self.on_mass_refusal: Callable[[str, int, int], None] | None = None
        """Called with Telegram's words, and how many chats were refused and tried, if it refuses too many at once."""

    def close(self) -> None:
        """Ask Telegram no more. What is parked is found again in the outbox."""
        if self._pinging:
            self._pinging.cancel()

    def on_answered(self, item: QueueItem) -> None:
        """Note that Telegram answered the request for an item, and that nothing is left to do for its plan."""
        # Any answer that Telegram itself gave shows that it can be reached.
        self.breaker.on_success()
        self._closed_topics.pop(item.chat, None)
        self._suspension_brake.on_delivered(item.chat.chat_id, self._clock.monotonic())
        self.unanswered.forget(item)
        # Seldom: this runs for every message.
        if self.unanswered:
            self._requeue_parked(item.chat.chat_id)

    async def handle(self, attempt: Attempt, error: DeliveryError, sent_at: float) -> DeliveryResult | None:
        """Do what an error means. Return the result to commit if its plan is done with; None if it is to be sent again.

        `sent_at` is when the request left, in seconds since 1970.
        """
        item, plan = attempt.item, attempt.plan
        if attempt.is_paid:
            self._handle_paid(attempt, error)
        if isinstance(error, PictureRefused):
            self._handle_picture_refused(item, error)
            return None
        if isinstance(error, TelegramUnreachable) and error.is_unanswered:
            return await self._handle_unanswered(attempt, error)
        # The result if nothing more is tried. A new message has no id, so it counts as unreachable.
        message_id, is_left = plan.delivery.message_id or UNREACHABLE_MESSAGE_ID, attempt.leaves_a_message
        if isinstance(error, MessageLocked):
            log.info("message_locked", chat=item.chat.chat_id, action=item.key.action_id, reason=str(error))
            message_id, is_left = UNREACHABLE_MESSAGE_ID, True
        elif isinstance(error, TextRefused):
            # Refused as plain text too. Trying again would be refused again: a new message counts as done.
            log.error("text_refused", trace_id=item.key.trace_id, chat=item.chat.chat_id, rule=plan.alert.rule, reason=str(error))
            if self.on_text_refused:
                self.on_text_refused(plan.alert.rule, str(error))
        else:
            if not isinstance(error, TelegramUnreachable | TokenRefused):
                self.breaker.on_success()
            if not (isinstance(error, RequestRefused) and self._gives_up(attempt, error)):
                await undo_uncertain(self._delivery_queue, attempt, error)
                await self.schedule_retry(item, error)
                return None
        self.on_answered(item)
        return attempt.leave_as_it_is() if is_left else attempt.complete(message_id, sent_at, self._clock.now())

    async def schedule_retry(self, item: QueueItem, error: DeliveryError) -> None:
        """Let an item wait for as long as an error asks for. It stays the first of its queue, unless its chat is gone."""
        chat_id, now = item.chat.chat_id, self._clock.monotonic()
        if isinstance(error, TopicClosed):
            self._hold_closed_topic(item, error)
            return
        if isinstance(error, ChatMigrated | ChatGone | TopicGone):
            try:
                # The general topic cannot be deleted: such an answer is one more way to refuse the chat.
                is_refused = not (isinstance(error, ChatMigrated) or (isinstance(error, TopicGone) and item.chat.topic))
                if is_refused and self._postpone_suspension(item, error):
                    return
                await self._handle_chat_gone(item.chat, error)
            except StorageError as failure:
                # Telegram says it again at the next message.
                log.warning("chat_change_not_saved", chat=chat_id, reason=str(failure))
                self._delivery_queue.rescan()
            return
        retry_at = float("-inf")
        if isinstance(error, RetryAfter):
            self._rate_limiter.on_retry_after(chat_id, error.seconds, now)
            retry_at = now + error.seconds
        elif isinstance(error, RequestRefused):
            retry_at = now + self.refused.find_retry_delay(item)
        elif isinstance(error, TokenRefused):
            self.breaker.on_failure(chat_id, now, is_token_refused=True)
            retry_at = self.breaker.retry_at
        elif isinstance(error, TelegramUnreachable):
            # Without a connection, or with somebody else's answer, it is not this chat that is in trouble: it is tried again
            # as soon as the way is free, however often it failed.
            concerns_all = isinstance(error, NotTelegram) or not error.maybe_sent
            self.breaker.on_failure(chat_id, now, concerns_all=concerns_all)
            backoff = _CHAT_BACKOFF.after(self._chat_queues.failures(chat_id))
            retry_at = self.breaker.retry_at if concerns_all else now + backoff
        log.warning(
            "delivery_retry_scheduled", trace_id=item.key.trace_id, chat=chat_id, action=item.key.action_id, reason=str(error)
        )
        self._requeue(item)
        is_limited = isinstance(error, RetryAfter)
        self._chat_queues.finish(chat_id, now, failed=True, blocked_until=retry_at, is_limited=is_limited)

    def _handle_paid(self, attempt: Attempt, error: DeliveryError) -> None:
        """Count what a message that failed has cost, and pay for nothing for a while if its payment was refused."""
        # Telegram charges for what it delivered. If that is not known, it counts as delivered.
        if not (isinstance(error, TelegramUnreachable) and error.maybe_sent):
            self._rate_limiter.give_back_paid(attempt.started_at)
        if isinstance(error, PaymentRefused):
            log.warning("payment_refused", chat=attempt.item.chat.chat_id, reason=str(error))
            self._rate_limiter.record_payment(attempt.started_at, self._clock.monotonic(), is_accepted=False)
            # The admins have to know why messages are late.
            if self.on_payment_refused:
                self.on_payment_refused(str(error))

    def _handle_picture_refused(self, item: QueueItem, error: PictureRefused) -> None:
        """Queue the message again: a file that Telegram has forgotten is uploaded anew, and a chat without photos gets text.

        A photo that can no longer be edited is followed by a text.
        """
        chat_id, now = item.chat.chat_id, self._clock.monotonic()
        log.info("picture_refused", chat=chat_id, reason=str(error))
        self.refused.on_picture_refused(item, now, is_forbidden=isinstance(error, PictureForbidden))
        self.breaker.on_success()
        # Not counted as a failure and without a pause: the next request is a different one.
        self._requeue(item)
        self._chat_queues.finish(chat_id, now)

    def _gives_up(self, attempt: Attempt, error: RequestRefused) -> bool:
        """Count a refusal that is not understood, and return True if its message is given up."""
        if attempt.is_paid and isinstance(error, PaymentRefused):
            return False  # It says nothing about the message, which is sent again without payment.
        if self.refused.record_refusal(attempt.item):
            return False
        log.error(
            "message_given_up",
            trace_id=attempt.item.key.trace_id,
            chat=attempt.item.chat.chat_id,
            rule=attempt.plan.alert.rule,
            reason=str(error),
        )
        if self.on_request_refused:
            self.on_request_refused(str(error))
        return True

    async def _handle_unanswered(self, attempt: Attempt, error: TelegramUnreachable) -> DeliveryResult | None:
        """Handle a request that was not answered: send it again the first time, park the message the second time.

        Return the result to commit if it counts as sent, None otherwise.
        """
        item, now = attempt.item, self._clock.monotonic()
        chat_id = item.chat.chat_id
        self.breaker.on_failure(chat_id, now, concerns_all=isinstance(error, NotTelegram))
        step = self.unanswered.count(attempt)
        log.warning(
            "answer_missing",
            trace_id=item.key.trace_id,
            chat=chat_id,
            action=item.key.action_id,
            reason=str(error),
            then=step.name.lower(),
        )
        if step is NextStep.COUNT_AS_SENT:
            return attempt.count_as_sent()
        # If a newer revision waits, it is sent now, and this one is not parked.
        if step is NextStep.PARK and not self._chat_queues.has_newer(item) and await self._park(attempt):
            self.unanswered.park(attempt)
            if self._pinging is None or self._pinging.done():
                self._pinging = asyncio.create_task(self._ping_while_parked())
        else:
            self._requeue(item)
        # Pause after a parked message too: otherwise an outage would park everything that waits for the chat within seconds.
        backoff = _CHAT_BACKOFF.after(self._chat_queues.failures(chat_id))
        self._chat_queues.finish(chat_id, now, failed=True, blocked_until=now + backoff)
        return None

    async def _park(self, attempt: Attempt) -> bool:
        """Store that a message counts as sent for now. Return False if that failed or it was revised: it is sent at once."""
        uncertain = make_uncertain_delivery(attempt.plan)
        if uncertain is None:
            # Nothing to store: the outbox knows enough about edits and replies, and cards are not corrected.
            return True
        try:
            return await self._delivery_queue.park(msgspec.structs.replace(uncertain, message_id=UNREACHABLE_MESSAGE_ID))
        except StorageError as failure:
            log.debug("message_not_parked", chat=attempt.item.chat.chat_id, reason=str(failure))
            return False

    async def _ping_while_parked(self) -> None:
        """Ping Telegram until nothing is parked. When it answers, send what is parked."""
        backoff = Backoff(_FIRST_PING_DELAY, _LONGEST_PING_DELAY)
        while self.unanswered:
            await asyncio.sleep(backoff.next())
            try:
                async with asyncio.timeout(_PING_TIMEOUT):
                    await self._messenger.ping()
            except (DeliveryError, TimeoutError) as error:
                log.debug("telegram_does_not_answer", reason=str(error))
            else:
                self._requeue_parked()

    def _requeue_parked(self, chat_id: int | None = None) -> None:
        """Queue what is parked for a chat, or for all chats, to be sent once more: Telegram has answered again."""
        # At the front: it is older than everything that waits.
        for item in reversed(self.unanswered.release(chat_id)):
            self._requeue(item)
        self._wake()

    async def _handle_chat_gone(self, ref: ChatRef, error: ChatMigrated | ChatGone | TopicGone) -> None:
        """Move or suspend a chat. What waits for it stays in the outbox, for its new id or for its return."""
        chat_id = ref.chat_id
        # The ids in memory are those of the old place: a rescan reads the deliveries again with the new ones.
        self._chat_queues.discard(chat_id)
        self.unanswered.discard(chat_id)
        if isinstance(error, TopicGone) and ref.topic:
            log.info("topic_deleted", chat=chat_id, topic=ref.topic)
            await self._chats.merge_topic_into_general(ref)
            self._delivery_queue.rescan()
        elif isinstance(error, ChatMigrated) and error.new_chat_id not in (chat_id, *self._old_chat_ids):
            self._old_chat_ids.add(chat_id)
            log.info("chat_migrated", chat=chat_id, to=error.new_chat_id)
            await self._chats.migrate(chat_id, error.new_chat_id)
            self._delivery_queue.rescan()
        else:
            log.info("chat_suspended", chat=chat_id, reason=str(error))
            await self._chats.suspend(chat_id, str(error))

    def _hold_closed_topic(self, item: QueueItem, error: TopicClosed) -> None:
        """Hold what waits for a closed topic whose general topic is closed too. The other topics of the forum go on."""
        ref, now = item.chat, self._clock.monotonic()
        refusals = self._closed_topics.get(ref, 0)
        self._closed_topics[ref] = refusals + 1
        delay = _CLOSED_TOPIC_BACKOFF.after(refusals)
        log.info("topic_closed", chat=ref.chat_id, topic=ref.topic, reason=str(error), retry_in=delay)
        self._requeue(item)
        self._chat_queues.hold_topic(ref, now + delay)
        self._chat_queues.finish(ref.chat_id, now)

    def on_topic_opened(self, chat_id: int) -> None:
        """Send what closed topics of a forum kept back: one of them was opened, perhaps the general one, which takes it all."""
        for ref in [ref for ref in self._closed_topics if ref.chat_id == chat_id]:
            del self._closed_topics[ref]
        self._chat_queues.release_topics(chat_id, self._clock.monotonic())
        self._wake()

    def _postpone_suspension(self, item: QueueItem, error: DeliveryError) -> bool:
        """Return True if a refused chat is not suspended yet: it is its first refusal, or too many others are refused too.

        Nothing is sent to it until it is tried again, so that what waits stays in order.
        """
        chat_id, now = item.chat.chat_id, self._clock.monotonic()
        held = self._suspension_brake.hold(chat_id, now)
        if held is None:
            return False
        if not held.is_mass:
            log.info("chat_refused", chat=chat_id, reason=str(error), retry_in=held.delay)
        else:
            log.warning("suspension_held", chat=chat_id, reason=str(error), refused=held.refused, tried=held.tried)
            if self.on_mass_refusal:
                self.on_mass_refusal(str(error), held.refused, held.tried)
        self._requeue(item)
        self._chat_queues.finish(chat_id, now, failed=True, blocked_until=now + held.delay)
        return True
