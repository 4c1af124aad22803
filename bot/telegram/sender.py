"""The only sender of alerts: starts requests, reacts to each answer, stops in time."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import cache
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
from bot.media.renderer import PictureRenderer
from bot.metrics import DECISIONS
from bot.outbox.delivery import (
    UNREACHABLE_MESSAGE_ID,
    DeliveryContext,
    DeliveryResult,
    QueueItem,
    Reason,
    collect_timestamps,
)
from bot.outbox.latency import measure_latency
from bot.outbox.queue import DeliveryQueue
from bot.retry import Backoff, retry_while_database_unavailable
from bot.storage.chats import ChatRepository
from bot.subscribers import ChatRef
from bot.telegram.circuit_breaker import CircuitBreaker
from bot.telegram.execute import Attempt, execute, undo_uncertain
from bot.telegram.plan import (
    Edit,
    MessagePlan,
    Pin,
    Plan,
    Reply,
    Send,
    Skip,
    drop_picture,
    find_new_mute_offer,
    make_uncertain_delivery,
    plan_delivery,
)
from bot.telegram.queues import ChatQueues
from bot.telegram.rate_limits import LONGEST_WINDOW, RateLimitPolicy
from bot.telegram.suspensions import SuspensionBrake
from bot.telegram.unanswered import NextStep, UnansweredMessages
from bot.telegram.uncertain_edits import UncertainEdits
from rules.engine.alert import AlertKey

if TYPE_CHECKING:  # it imports python-telegram-bot, which a replay does without
    from bot.telegram.messenger import Messenger

log = structlog.get_logger()

MAX_IN_FLIGHT = 400
"""Requests at once. The pool has 500 connections, so that an answer to a command never waits behind a broadcast.

Telegram's own server refuses more than 1,000.
"""

FINISH_TIMEOUT = 3.0
"""Seconds for which a stop waits for requests in flight."""

MIN_SLEEP = 0.004
"""The shortest sleep, in seconds. A longer one commits message ids late; a shorter one runs the loop for single messages."""

DATABASE_RETRY_DELAY = 0.5
"""Seconds before a database that failed is asked again."""

MAX_CHAT_RETRY_DELAY = 60.0
"""The longest wait in seconds before a chat that cannot be reached is tried again."""

_CHAT_BACKOFF = Backoff(0.5, MAX_CHAT_RETRY_DELAY)

_FIRST_PING_DELAY, _LONGEST_PING_DELAY = 5.0, 30.0
"""Seconds between two questions whether Telegram answers again, while messages are parked."""

_PING_TIMEOUT = 10.0
"""Seconds within which it has to answer that question."""

_REFUSAL_RETRY_DELAYS = (1.0, 5.0)
"""Seconds before a message is tried again that Telegram refuses for a reason that is not understood. Then it is given up."""

_PICTURE_PAUSE = 3600.0
"""Seconds for which a chat that has refused a photo gets text. Its administrators may allow photos at any time."""

_REFUSALS_BEFORE_PLAIN_TEXT = 2
"""After so many such refusals it is tried as plain text: the reason may be new words for a text that Telegram cannot read."""


class Sender:
    """Sends what waits in the delivery queue, in order and within the limits. One per process.

    All work is done in one task, `run`, but for the requests themselves: each is a task of its own, and what came of it is
    committed by the next round of `run`.
    """

    def __init__(
        self,
        queue: DeliveryQueue,
        messenger: Messenger,
        rate_limiter: RateLimitPolicy,
        clock: Clock,
        on_delivered: Callable[[MessagePlan, DeliveryResult], None] | None = None,
        chats: ChatRepository | None = None,
    ) -> None:
        """`on_delivered` is called once Telegram took a message and that is committed.

        `chats` suspends and moves chats: pass the repository whose changes other parts listen to.
        """
        self._delivery_queue, self._messenger, self._rate_limiter, self._clock = queue, messenger, rate_limiter, clock
        self._on_delivered, self._chats = on_delivered, chats or ChatRepository(queue.database)
        # In memory only: what is lost with the process is found again in the outbox.
        self._chat_queues = ChatQueues()
        self._pictures = PictureRenderer()
        self._no_pictures_until: dict[int, float] = {}
        """By chat that has refused a photo, until when it is sent none, by the monotonic clock; the latest refusal last."""
        self._refused_pictures: set[tuple[AlertKey, ChatRef]] = set()
        """Messages whose picture was refused once and is being sent again."""
        self._old_chat_ids: set[int] = set()
        """Of groups that moved. A server that sends one back to where it came from would move it round and round."""
        self._breaker = CircuitBreaker()
        self._suspension_brake = SuspensionBrake()
        self._unanswered = UnansweredMessages()
        self._uncertain_edits = UncertainEdits()
        self._pinging: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._completed: list[tuple[Plan, DeliveryResult]] = []
        self._wake_up, self._available = asyncio.Event(), asyncio.Event()
        self._stopping = False
        self._blocked_at = float("-inf")
        """When the rate limiter last let nothing leave, by the monotonic clock."""
        self.skipped: Counter[Reason] = Counter()
        """How many alerts were not sent, by reason."""
        self.on_skipped: Callable[[AlertKey, Reason], None] | None = None
        """Called for each chat to which an alert is not sent."""
        self.on_text_refused: Callable[[str, str], None] | None = None
        """Called with a rule and a reason if Telegram takes its text in no form."""
        self._refusals: dict[tuple[AlertKey, ChatRef], int] = {}
        """How often Telegram refused a message for a reason that is not understood."""
        self.on_request_refused: Callable[[str], None] | None = None
        """Called with Telegram's words if a message is given up that it refuses for a reason that is not understood."""
        self.on_payment_refused: Callable[[str], None] | None = None
        """Called with Telegram's words if it refuses a payment. The message is sent without it."""
        self.on_mass_refusal: Callable[[str, int, int], None] | None = None
        """Called with Telegram's words, and how many chats were refused and tried, if it refuses too many at once."""
        queue.on_available = self._on_available

    async def run(self) -> None:
        """Send for ever. When cancelled or stopped, finish what is in flight."""
        try:
            self._uncertain_edits.on_start(self._clock.now().timestamp())
            await self._restore_limits()
            while not self._stopping:
                self._wake_up.clear()
                self._available.clear()
                await self._run_once()
                if self._tasks:
                    await self._collect_answers()
        finally:
            await self._shut_down()

    async def _collect_answers(self) -> None:
        """Wait a moment, so that answers that arrive in it are committed in one transaction. News ends it: it leaves at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(MIN_SLEEP):
                await self._available.wait()

    async def send_all_due(self) -> None:
        """Send one message after the other until nothing is due that may be sent now, pictures included."""
        while (requests := await self._start_next(1)) or await self._pictures.wait_until_idle():
            for request in requests:
                await request
        await self._commit_completed()

    async def stop(self) -> None:
        """Start nothing more, and wait a little for what is in flight. Everything else waits in the outbox."""
        self._stopping = True
        self.wake()
        await self._shut_down()

    def _on_available(self) -> None:
        self._available.set()
        self.wake()

    def wake(self) -> None:
        """Look for something to send: it was stored, or the limits allow it now."""
        self._wake_up.set()

    def count_pending(self) -> int:
        """Return how many messages wait in memory, those in flight included."""
        return len(self._chat_queues) + len(self._tasks) + len(self._completed) + len(self._unanswered)

    async def _restore_limits(self) -> None:
        """Count what was sent in the minute before this process started: after a kill, Telegram's limits are used up in part."""
        # Where several processes send, this is read for the chats that are taken over.
        if not self._delivery_queue.source.is_shared:
            self.count_earlier_sends(
                await retry_while_database_unavailable(lambda: self._delivery_queue.read_recent_sends(LONGEST_WINDOW))
            )

    def count_earlier_sends(self, sends: Sequence[tuple[int, float]]) -> None:
        """Count what other processes have sent for the limits of its chats: chats, and times in seconds since 1970."""
        offset = self._clock.monotonic() - self._clock.now().timestamp()
        self._rate_limiter.restore_sends([(chat_id, at + offset) for chat_id, at in sends])

    async def _run_once(self) -> None:
        """Start what may be sent now, and sleep until there may be more."""
        try:
            seconds = await self._start_all()
            try:
                async with asyncio.timeout(seconds):
                    await self._wake_up.wait()
            except TimeoutError:
                return
        except StorageError as error:
            # Nothing leaves while the database fails: what cannot be recorded would be sent again. The queue is read anew
            # afterwards, since the failed transaction may have had items of ours.
            log.debug("sending_paused", reason=str(error))
            self._delivery_queue.rescan()
            await asyncio.sleep(DATABASE_RETRY_DELAY)

    async def _start_all(self) -> float | None:
        """Start all requests that may be made now. Return the seconds until there may be more, None: when woken."""
        await self._commit_completed()
        while (free := MAX_IN_FLIGHT - len(self._tasks)) > 0 and not self._stopping:
            requests = await self._start_next(min(free, self._delivery_queue.batch_size))
            if not requests:
                return self._sleep_time()
            for request in requests:
                task = asyncio.create_task(request)
                self._tasks.add(task)
                task.add_done_callback(self._on_task_done)
            # Let these requests start before the next ones are planned.
            await asyncio.sleep(0)
        return None

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.wake()
        if not task.cancelled() and (error := task.exception()):
            log.error("delivery_failed", reason=repr(error), exc_info=error)

    def _sleep_time(self) -> float | None:
        now = self._clock.monotonic()
        next_send_at = max(self._rate_limiter.next_send_at(now), self._breaker.retry_at)
        # The limits may have opened since they were asked.
        if self._can_take_more() or (next_send_at <= now and self._chat_queues.has_ready):
            return MIN_SLEEP
        at = next_send_at if next_send_at > now else self._chat_queues.next_due_at()
        return None if at is None else max(MIN_SLEEP, at - now)

    async def _start_next(self, limit: int) -> list[Coroutine[None, None, None]]:
        """Return the next requests, at most `limit`, ready to be awaited. Empty if nothing may be sent now."""
        while True:
            await self._commit_completed()
            await self._take_page()
            now = self._clock.monotonic()
            ready = self._chat_queues.count_ready(now)
            allowed = min(ready, self._breaker.available(now, len(self._tasks), limit))
            room = self._rate_limiter.available(now, allowed)
            if ready and not room:
                self._blocked_at = now
            items = [item for _ in range(room) if (item := self._chat_queues.take_next(now, self._rate_limiter))]
            items = await self._merge_held(items, now)
            if requests := await self._make_requests(items, now):
                return requests
            # No request: either nothing was taken, or nothing is to be sent for what was taken. Then there may be more.
            # Without this the loop would end while everything taken so far was stale, and more is due.
            if not items and ((ready and not room) or not self._can_take_more()):
                return []

    async def _merge_held(self, items: Sequence[QueueItem], now: float) -> list[QueueItem]:
        """Merge silent news that a chat's limits kept back with what was taken: the chat gets one message about all of it."""
        ready: list[QueueItem] = []
        for index, item in enumerate(items):
            held = self._chat_queues.take_held_with(item, now)
            if not held:
                ready.append(item)
                continue
            try:
                burst = await self._delivery_queue.merge([item, *held])
            except BaseException:
                self._put_back([item, *held], now)
                self._put_back([*ready, *items[index + 1 :]], now)
                raise
            if burst:
                log.debug("alerts_merged", chat=item.chat.chat_id, count=len(burst.merged))
            ready.append(burst.item if burst else item)
            left = [one for one in held if not burst or one not in burst.merged]
            if burst and item not in burst.merged:
                left = [item, *left]
            for one in reversed(left):
                self._enqueue(one, at_front=True)
        return ready

    def _put_back(self, items: Sequence[QueueItem], now: float) -> None:
        """Return items that were taken to the front of their chats' queues, in order, and let the chats go on."""
        for item in reversed(items):
            self._enqueue(item, at_front=True)
        for item in items:
            self._chat_queues.finish(item.chat.chat_id, now)

    async def _make_requests(self, items: Sequence[QueueItem], now: float) -> list[Coroutine[None, None, None]]:
        """Plan these items. Return the requests; items for which nothing is to be sent are completed at once."""
        requests = []
        wall_clock = self._clock.now().timestamp()
        plans = await self._plan_all(items, now)
        # Not before: to read and plan them took a while, in which nothing has left yet.
        started_at = self._clock.monotonic()
        for item, begun in zip(items, plans, strict=True):
            if begun is None:
                self._chat_queues.finish(item.chat.chat_id, now)
                continue
            if self._unanswered.stays_parked(item, begun[1]):
                self._chat_queues.finish(item.chat.chat_id, now)
                continue
            context, plan = begun[0], self._attach_picture(item, begun[1])
            if plan is None:
                self._chat_queues.finish(item.chat.chat_id, now)
            elif isinstance(plan, Skip):
                # With the chat's delay: a later revision is due after it, and without it would be planned again and again.
                self._completed.append((plan, DeliveryResult(item, plan.delivery, delay=context.recipient.chat.delay)))
            else:
                # Counted when it is planned and not when its task runs, so that the next plan knows of it.
                # Telegram takes no payment for edits and pins. A message that was refused in unknown words is tried without
                # payment, which may be why.
                may_be_paid = isinstance(plan, Send | Reply) and _name_of(item) not in self._refusals
                is_paid = self._rate_limiter.record_send(item.chat.chat_id, started_at, is_tracked=True, may_be_paid=may_be_paid)
                blocked_at = max(self._blocked_at, self._chat_queues.blocked_until(item))
                timestamps = collect_timestamps(context, plan.alert, wall_clock, wall_clock - now + blocked_at)
                chat = context.recipient.chat
                attempt = Attempt(item, plan, started_at, chat.delay, chat.language, timestamps, context.delivery, is_paid)
                requests.append(self._send_one(attempt))
        return requests

    async def _plan_all(self, items: Sequence[QueueItem], now: float) -> Sequence[tuple[DeliveryContext, Plan] | None]:
        # One time for all of them, read when the first is planned.
        read_time = cache(self._clock.now)
        try:
            return await self._delivery_queue.begin(
                items,
                lambda context: self._plan(context, read_time()),
                make_uncertain_delivery,
                find_new_mute_offer,
            )
        except BaseException:
            # CancelledError too: a stop must not lose items that were taken from their chat's queue. They go back to its
            # front, so that the chat still gets its messages in order.
            self._put_back(items, now)
            raise

    def _plan(self, context: DeliveryContext, now: dt.datetime) -> Plan:
        """Plan one delivery. If its message may show an edit that is not stored, it is edited though nothing seems to change."""
        plan = plan_delivery(context, now, is_shown_uncertain=self._uncertain_edits.is_unanswered(context.delivery))
        if not isinstance(plan, Skip) or not self._uncertain_edits.is_suspect(context.delivery, now.timestamp()):
            return plan
        plan = plan_delivery(context, now, is_shown_uncertain=True)
        if not isinstance(plan, Skip):
            self._uncertain_edits.count_suspect()
        return plan

    def _attach_picture(self, item: QueueItem, plan: Plan) -> Plan | None:
        """Return the plan with its picture drawn, or as text where there is none.

        None while it is being drawn: the item is queued again once it is.
        """
        if not isinstance(plan, Send | Edit) or plan.picture is None:
            return plan
        # After refusals for a reason that is not understood, the picture may be it: too large, or of odd dimensions.
        is_refused = self._no_pictures_until.get(item.chat.chat_id, float("-inf")) > self._clock.monotonic()
        if is_refused or self._is_tried_as_plain_text(item):
            return drop_picture(plan)
        picture = plan.picture

        def requeue() -> None:
            self._enqueue(item, at_front=True)
            self.wake()

        png = self._pictures.get_or_start(picture, requeue)
        if png is None:
            return None
        return msgspec.structs.replace(plan, picture=msgspec.structs.replace(picture, png=png)) if png else drop_picture(plan)

    def _can_take_more(self) -> bool:
        queue = self._delivery_queue
        # As many urgent items again: they leave first, so that the memory is soon free of them.
        return queue.has_more if self._has_room() else queue.has_urgent and len(self._chat_queues) < 2 * queue.capacity

    def _has_room(self) -> bool:
        return len(self._chat_queues) < self._delivery_queue.capacity

    async def _take_page(self) -> None:
        """Take one page from the queue, so that the first chats of an alert do not wait until its last are known.

        When the memory is full of small news, a goal's chats are reached all the same: its messages go first.
        """
        if self._can_take_more():
            for item in await self._delivery_queue.take(urgent_only=not self._has_room()):
                self._enqueue(item)

    def _enqueue(self, item: QueueItem, *, at_front: bool = False) -> None:
        if self._unanswered.is_parked(item):
            return
        now = self._clock.monotonic()
        wait = max(0.0, item.due_at - self._clock.now().timestamp())
        self._chat_queues.add(item, now + wait, now, at_front=at_front)

    async def _commit_completed(self) -> None:
        """Commit all results since the last time in one transaction. Each chat's queue goes on, with what follows first."""
        completed, self._completed = self._completed, []
        try:
            following = await self._delivery_queue.complete([result for _, result in completed])
        except BaseException:
            # Cancelled by a stop, or the database fails: these results are still to be committed.
            self._completed = completed + self._completed
            raise
        for reason, count in Counter(plan.reason for plan, _ in completed if not isinstance(plan, Pin)).items():
            DECISIONS.labels(reason.value).inc(count)
        for (plan, result), next_item in zip(completed, following, strict=True):
            self._report(plan, result)
            if next_item is not None:
                self._enqueue(next_item, at_front=True)
            self._chat_queues.finish(result.item.chat.chat_id, self._clock.monotonic())

    def _report(self, plan: Plan, result: DeliveryResult) -> None:
        """Log why something was not sent, and hand on what Telegram took."""
        if isinstance(plan, Pin):
            return
        if not isinstance(plan, Skip):
            if self._on_delivered and result.message_id != UNREACHABLE_MESSAGE_ID:
                self._on_delivered(plan, result)
        elif not result.delivery.is_sent:
            self.skipped[plan.reason] += 1
            if self.on_skipped:
                self.on_skipped(result.item.key, plan.reason)

    async def _send_one(self, attempt: Attempt) -> None:
        """Make one request and note what came of it."""
        item, plan = attempt.item, attempt.plan
        sent_at = self._clock.now().timestamp()
        try:
            message_id, is_left = await self._execute(attempt), False
        except MessageLocked as error:
            log.info("message_locked", chat=item.chat.chat_id, action=item.key.action_id, reason=str(error))
            message_id, is_left = UNREACHABLE_MESSAGE_ID, True
        except PictureRefused as error:
            self._handle_picture_refused(item, error)
            return
        except TextRefused as error:
            # Refused as plain text too. Trying again would be refused again: a new message counts as done.
            log.error("text_refused", trace_id=item.key.trace_id, chat=item.chat.chat_id, rule=plan.alert.rule, reason=str(error))
            if self.on_text_refused:
                self.on_text_refused(plan.alert.rule, str(error))
            message_id, is_left = plan.delivery.message_id or UNREACHABLE_MESSAGE_ID, attempt.leaves_a_message
        except DeliveryError as error:
            if isinstance(error, TelegramUnreachable) and error.is_unanswered:
                await self._handle_unanswered(attempt, error)
                return
            if not isinstance(error, TelegramUnreachable | TokenRefused):
                self._breaker.on_success()
            if not (isinstance(error, RequestRefused) and self._gives_up(attempt, error)):
                await undo_uncertain(self._delivery_queue, attempt, error)
                await self._handle_failure(item, error)
                return
            message_id, is_left = plan.delivery.message_id or UNREACHABLE_MESSAGE_ID, attempt.leaves_a_message
        except Exception as error:
            log.error(
                "delivery_failed",
                trace_id=item.key.trace_id,
                chat=item.chat.chat_id,
                rule=plan.alert.rule,
                reason=repr(error),
                exc_info=error,
            )
            await self._handle_failure(item, TelegramUnreachable(repr(error), maybe_sent=True))
            return
        # Any answer that Telegram itself gave shows that it can be reached.
        self._breaker.on_success()
        self._suspension_brake.on_delivered(item.chat.chat_id, self._clock.monotonic())
        self._unanswered.forget(item)
        self._send_once_more(item.chat.chat_id)
        now = self._clock.now()
        latency = measure_latency(attempt.timestamps, sent_at, now.timestamp())
        self._completed.append((plan, attempt.leave_as_it_is() if is_left else attempt.complete(message_id, now, latency)))

    def _handle_picture_refused(self, item: QueueItem, error: PictureRefused) -> None:
        """Queue the message again: a file that Telegram has forgotten is uploaded anew, and a chat without photos gets text.

        A photo that can no longer be edited is followed by a text.
        """
        name, chat_id, now = _name_of(item), item.chat.chat_id, self._clock.monotonic()
        log.info("picture_refused", chat=chat_id, reason=str(error))
        # The second time it was uploaded, and would be refused for ever.
        if isinstance(error, PictureForbidden) or name in self._refused_pictures:
            self._refused_pictures.discard(name)
            self._no_pictures_until.pop(chat_id, None)
            self._no_pictures_until[chat_id] = now + _PICTURE_PAUSE
            while next(iter(self._no_pictures_until.values())) <= now:
                del self._no_pictures_until[next(iter(self._no_pictures_until))]
        else:
            self._refused_pictures.add(name)
        self._breaker.on_success()
        self._enqueue(item, at_front=True)
        self._chat_queues.finish(chat_id, now)

    async def _execute(self, attempt: Attempt) -> int:
        sent_at = self._clock.monotonic()
        try:
            is_plain = self._is_tried_as_plain_text(attempt.item)
            message_id = await execute(
                self._messenger, attempt.item.chat, attempt.plan, is_plain=is_plain, is_paid=attempt.is_paid
            )
            self._refusals.pop(_name_of(attempt.item), None)
            self._refused_pictures.discard(_name_of(attempt.item))
            self._uncertain_edits.discard(attempt.item)
            if attempt.is_paid:
                self._rate_limiter.record_payment(attempt.started_at, self._clock.monotonic(), is_accepted=True)
            return message_id
        except DeliveryError as error:
            if isinstance(attempt.plan, Edit) and isinstance(error, TelegramUnreachable) and error.maybe_sent:
                self._uncertain_edits.add(attempt.item)
            # Telegram charges for what it delivered. Where nobody knows, it counts as delivered.
            if attempt.is_paid and not (isinstance(error, TelegramUnreachable) and error.maybe_sent):
                self._rate_limiter.give_back_paid(attempt.started_at)
            if attempt.is_paid and isinstance(error, PaymentRefused):
                self._pause_payment(attempt, error)
            raise
        finally:
            # Also after an error: a message whose answer is lost has most likely arrived, and Telegram counts it.
            self._rate_limiter.record_answer(attempt.started_at, self._clock.monotonic(), sent_at)

    def _pause_payment(self, attempt: Attempt, error: PaymentRefused) -> None:
        """Pay for nothing for a while, and let the admins know why messages are late."""
        log.warning("payment_refused", chat=attempt.item.chat.chat_id, reason=str(error))
        self._rate_limiter.record_payment(attempt.started_at, self._clock.monotonic(), is_accepted=False)
        if self.on_payment_refused:
            self.on_payment_refused(str(error))

    def _is_tried_as_plain_text(self, item: QueueItem) -> bool:
        return self._refusals.get(_name_of(item), 0) >= _REFUSALS_BEFORE_PLAIN_TEXT

    def _gives_up(self, attempt: Attempt, error: RequestRefused) -> bool:
        """Count a refusal that is not understood, and return True if its message is given up."""
        if attempt.is_paid and isinstance(error, PaymentRefused):
            return False  # It says nothing about the message, which is sent again without payment.
        name = _name_of(attempt.item)
        self._refusals[name] = self._refusals.get(name, 0) + 1
        if self._refusals[name] <= len(_REFUSAL_RETRY_DELAYS):
            return False
        del self._refusals[name]
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

    async def _handle_failure(self, item: QueueItem, error: DeliveryError) -> None:
        """Do what an error means for the chat. The item stays the first of its queue."""
        chat_id, now = item.chat.chat_id, self._clock.monotonic()
        if isinstance(error, ChatMigrated | ChatGone | TopicGone):
            try:
                if isinstance(error, ChatGone) and self._hold_suspension(item, error):
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
            # Not counted if only its payment was refused: without payment it may leave at once.
            count = self._refusals.get(_name_of(item), 0)
            retry_at = now + _REFUSAL_RETRY_DELAYS[count - 1] if count else now
        elif isinstance(error, TokenRefused):
            self._breaker.on_failure(chat_id, now, is_token_refused=True)
            retry_at = self._breaker.retry_at
        elif isinstance(error, TelegramUnreachable):
            # Without a connection, or with somebody else's answer, it is not this chat that is in trouble: it is tried again
            # as soon as the way is free, however often it failed.
            concerns_all = isinstance(error, NotTelegram) or not error.maybe_sent
            self._breaker.on_failure(chat_id, now, concerns_all=concerns_all)
            backoff = _CHAT_BACKOFF.after(self._chat_queues.failures(chat_id))
            retry_at = self._breaker.retry_at if concerns_all else now + backoff
        log.warning(
            "delivery_retry_scheduled", trace_id=item.key.trace_id, chat=chat_id, action=item.key.action_id, reason=str(error)
        )
        self._enqueue(item, at_front=True)
        is_limited = isinstance(error, RetryAfter)
        self._chat_queues.finish(chat_id, now, failed=True, blocked_until=retry_at, is_limited=is_limited)

    async def _handle_unanswered(self, attempt: Attempt, error: TelegramUnreachable) -> None:
        """Handle a request that was not answered: send it again the first time, park the message the second time."""
        item, now = attempt.item, self._clock.monotonic()
        chat_id = item.chat.chat_id
        self._breaker.on_failure(chat_id, now, concerns_all=isinstance(error, NotTelegram))
        step = self._unanswered.count(attempt)
        log.warning(
            "answer_missing",
            trace_id=item.key.trace_id,
            chat=chat_id,
            action=item.key.action_id,
            reason=str(error),
            then=step.name.lower(),
        )
        if step is NextStep.COUNT_AS_SENT:
            self._completed.append((attempt.plan, attempt.count_as_sent()))
            return
        if step is NextStep.PARK and not self._chat_queues.has_item(item) and await self._park(attempt):
            self._unanswered.park(attempt)
            if self._pinging is None or self._pinging.done():
                self._pinging = asyncio.create_task(self._ping_while_parked())
        else:
            self._enqueue(item, at_front=True)
        # Pause after a parked message too: otherwise an outage would park everything that waits for the chat within seconds.
        backoff = _CHAT_BACKOFF.after(self._chat_queues.failures(chat_id))
        self._chat_queues.finish(chat_id, now, failed=True, blocked_until=now + backoff)

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
        while self._unanswered:
            await asyncio.sleep(backoff.next())
            try:
                async with asyncio.timeout(_PING_TIMEOUT):
                    await self._messenger.ping()
            except (DeliveryError, TimeoutError) as error:
                log.debug("telegram_does_not_answer", reason=str(error))
            else:
                self._send_once_more()

    def _send_once_more(self, chat_id: int | None = None) -> None:
        """Send what is parked for a chat, or for all chats, after Telegram has answered again."""
        # At the front: it is older than everything that waits.
        for item in reversed(self._unanswered.release(chat_id)):
            self._enqueue(item, at_front=True)
        self.wake()

    async def _handle_chat_gone(self, ref: ChatRef, error: ChatMigrated | ChatGone | TopicGone) -> None:
        """Move or suspend a chat. What waits for it stays in the outbox, for its new id or for its return."""
        chat_id = ref.chat_id
        # The ids in memory are those of the old place: a rescan reads the deliveries again with the new ones.
        self._chat_queues.discard(chat_id)
        self._unanswered.discard(chat_id)
        if isinstance(error, TopicGone) and ref.topic and not isinstance(error, TopicClosed):
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

    def _hold_suspension(self, item: QueueItem, error: ChatGone) -> bool:
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
        if self.on_mass_refusal and held.is_mass:
            self.on_mass_refusal(str(error), held.refused, held.tried)
        self._enqueue(item, at_front=True)
        self._chat_queues.finish(chat_id, now, failed=True, blocked_until=now + held.delay)
        return True

    async def _shut_down(self) -> None:
        self._pictures.close()
        if self._pinging:
            self._pinging.cancel()
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=FINISH_TIMEOUT)
        finally:
            for task in self._tasks:
                task.cancel()
            try:
                await self._commit_completed()
            except StorageError as error:
                # A database that fails now does not hold up the stop. Messages whose ids are not saved may be sent again.
                log.error("deliveries_not_saved", count=len(self._completed), reason=str(error))


def _name_of(item: QueueItem) -> tuple[AlertKey, ChatRef]:
    return item.key, item.chat
