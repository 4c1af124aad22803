"""The only sender: starts requests, reacts to each answer, stops in time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence

import msgspec
import structlog

from bot.clock import Clock
from bot.errors import (
    ChatGone,
    ChatMigrated,
    DeliveryError,
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
    measure_latency,
)
from bot.outbox.outbox import Outbox
from bot.storage.chats import ChatRepository
from bot.subscribers import ChatRef
from bot.telegram.execute import Attempt, CompletedAttempt, DeliveredMessage, apply_response, execute, undo_uncertain
from bot.telegram.messenger import Messenger
from bot.telegram.plan import Edit, Pin, Plan, RequestPlan, Send, Skip, make_uncertain_delivery, plan_delivery
from bot.telegram.queues import ChatQueues
from bot.telegram.rate_limits import CircuitBreaker, RateLimitPolicy

log = structlog.get_logger()

BATCH_SIZE = 32
"""Messages begun together, their entries read in one transaction: it takes less than the limits' margin for uneven arrival."""

MAX_IN_FLIGHT = 400
"""Requests at once; Telegram's own server refuses more than 1,000."""

FINISH_TIMEOUT = 3.0
"""Seconds that a stop waits for requests in flight."""

MIN_SLEEP = 0.004
"""The shortest sleep, in seconds: longer, and an id is committed late; shorter, and turns are made for single messages."""

DATABASE_RETRY_DELAY = 0.5
"""Seconds before a database that failed is asked again."""

MAX_CHAT_RETRY_DELAY = 60.0
"""The longest wait before a chat that cannot be reached is tried again, in seconds."""


class Sender:
    """Sends what waits. One per process."""

    def __init__(
        self,
        outbox: Outbox,
        messenger: Messenger,
        rate_limiter: RateLimitPolicy,
        clock: Clock,
        on_delivered: Callable[[DeliveredMessage], None] | None = None,
        chats: ChatRepository | None = None,
    ) -> None:
        """`chats` is where chats are suspended and moved: pass the one whose changes are listened to."""
        self._outbox, self._messenger, self._rate_limiter, self._clock = outbox, messenger, rate_limiter, clock
        self._on_delivered, self._chats = on_delivered, chats or ChatRepository(outbox.database)
        self._queues = ChatQueues()
        self._pictures = PictureRenderer()
        self._breaker = CircuitBreaker()
        self._tasks: set[asyncio.Task[None]] = set()
        self._completed: list[CompletedAttempt] = []
        self._wake_up = asyncio.Event()
        self._stopping = False
        self._blocked_at = float("-inf")
        """When the limits last let nothing leave."""
        self.skipped: Counter[Reason] = Counter()
        """What was not sent, by reason."""
        self.on_text_refused: Callable[[str, str], None] = lambda rule, reason: None
        """Hears of a rule whose text Telegram takes in no form, and why."""
        outbox.on_stored = self._wake_up.set

    async def run(self) -> None:
        """Send for ever; when cancelled or stopped, finish what is in flight."""
        try:
            while not self._stopping:
                self._wake_up.clear()
                await self._run_once()
                if self._tasks:  # what lands in the next moment is committed together
                    await asyncio.sleep(MIN_SLEEP)
        finally:
            await self._shut_down()

    async def send_all_due(self) -> None:
        """Send one by one until nothing is due that may be sent now, pictures too."""
        while (works := await self._start_next(1)) or await self._pictures.wait_until_idle():
            for work in works:
                await work
        await self._commit_completed()

    async def stop(self) -> None:
        """Start nothing more, and wait a little for what is in flight; what is left waits in the outbox."""
        self._stopping = True
        self._wake_up.set()
        await self._shut_down()

    def count_pending(self) -> int:
        """How many tickets wait in memory, those in flight included."""
        return len(self._queues) + len(self._tasks) + len(self._completed)

    async def _run_once(self) -> None:
        """Start what may be sent, and sleep. While the database fails nothing leaves; then it is looked through anew."""
        try:
            await self._sleep(await self._start_all())
        except StorageError as error:
            log.debug("sending_waits", reason=str(error))
            self._outbox.rescan()
            await asyncio.sleep(DATABASE_RETRY_DELAY)

    async def _start_all(self) -> float | None:
        """Start all that may be sent now; seconds until there may be more, None: when woken."""
        await self._commit_completed()
        while (free := MAX_IN_FLIGHT - len(self._tasks)) > 0 and not self._stopping:
            works = await self._start_next(min(free, BATCH_SIZE))
            if not works:
                return self._sleep_time()
            for work in works:
                task = asyncio.create_task(work)
                self._tasks.add(task)
                task.add_done_callback(self._on_task_done)
            await asyncio.sleep(0)
        return None

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake_up.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("delivery_failed", reason=repr(error), exc_info=error)

    def _sleep_time(self) -> float | None:
        now = self._clock.monotonic()
        opens = self._next_send_at(now)
        if self._can_take_more() or (opens <= now and self._queues.has_ready):  # the limits may have opened since they were asked
            return MIN_SLEEP
        at = opens if opens > now else self._queues.next_due_at()
        return None if at is None else max(MIN_SLEEP, at - now)

    async def _sleep(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake_up.wait()
        except TimeoutError:
            return

    def _next_send_at(self, now: float) -> float:
        return max(self._rate_limiter.next_send_at(now), self._breaker.retry_at)

    async def _start_next(self, limit: int) -> list[Coroutine[None, None, None]]:
        """The next requests, ready to be made; none where nothing may be sent now."""
        while True:
            await self._commit_completed()
            await self._take_page()
            now = self._clock.monotonic()
            ready = self._queues.count_ready(now)
            room = self._rate_limiter.available(now, min(ready, self._breaker.available(now, len(self._tasks), limit)))
            self._blocked_at = now if ready and not room else self._blocked_at
            items = [item for _ in range(room) if (item := self._queues.take_next(now, self._rate_limiter.next_chat_send_at))]
            if works := await self._make_requests(items, now):
                return works
            if not items and ((ready and not room) or not self._can_take_more()):
                return []

    async def _make_requests(self, items: Sequence[QueueItem], now: float) -> list[Coroutine[None, None, None]]:
        """The requests for tickets; those for which nothing is to be sent are settled."""
        works = []
        wall = self._clock.now().timestamp()
        for item, begun in zip(items, await self._plan_all(items, now), strict=True):
            context, plan = (begun[0], self._attach_picture(item, begun[1])) if begun else (None, None)
            if context and plan and not isinstance(plan, Skip):
                self._rate_limiter.record_send(item.chat.chat_id, now)
                shut = wall - now + max(self._blocked_at, self._queues.blocked_until(item.chat.chat_id))
                timestamps = collect_timestamps(context, plan.alert, wall, shut)
                works.append(self._send_one(item, plan, Attempt(now, context.recipient.delay, timestamps, context.delivery)))
            elif plan:
                self._completed.append(CompletedAttempt(item, plan, plan.delivery))
            else:
                self._queues.finish(item.chat.chat_id, now)
        return works

    async def _plan_all(self, items: Sequence[QueueItem], now: float) -> Sequence[tuple[DeliveryContext, Plan] | None]:
        try:
            return await self._outbox.begin(
                items, lambda context: plan_delivery(context, self._clock.now()), make_uncertain_delivery
            )
        except BaseException:  # cut off by a stop, or the database fails: their turn is still to come
            for item in items:
                self._enqueue(item, at_front=True)
                self._queues.finish(item.chat.chat_id, now)
            raise

    def _attach_picture(self, item: QueueItem, plan: Plan) -> Plan | None:
        """The step with its picture; None while that is being drawn: the ticket comes again once it is."""
        picture = plan.picture if isinstance(plan, Send | Edit) else None
        if picture is None:
            return plan
        png = self._pictures.get_or_start(picture, lambda: self._requeue(item))
        return None if png is None else msgspec.structs.replace(plan, picture=msgspec.structs.replace(picture, png=png))

    def _requeue(self, item: QueueItem) -> None:
        self._enqueue(item, at_front=True)
        self._wake_up.set()

    def _can_take_more(self) -> bool:
        return self._outbox.has_more and len(self._queues) < self._outbox.capacity

    async def _take_page(self) -> None:
        """One page at a time, so that the first chats do not wait for the last."""
        if self._can_take_more():
            for item in await self._outbox.take():
                self._enqueue(item)

    def _enqueue(self, item: QueueItem, *, at_front: bool = False) -> None:
        now = self._clock.monotonic()
        wait = max(0.0, item.due_at - self._clock.now().timestamp())
        self._queues.add(item, now + wait, now, at_front=at_front)

    async def _commit_completed(self) -> None:
        """Commit together what landed since the last time, and let the chats' lanes go on, with what follows first."""
        attempts, self._completed = self._completed, []
        try:
            following = await self._outbox.complete(
                [DeliveryResult(completed.delivery, completed.delay) for completed in attempts]
            )
        except BaseException:  # cut off by a stop, or the database fails: what landed is still to be kept
            self._completed = attempts + self._completed
            raise
        for completed, more in zip(attempts, following, strict=True):
            self._report(completed)
            if more is not None:
                self._enqueue(more, at_front=True)
            self._queues.finish(completed.item.chat.chat_id, self._clock.monotonic())

    def _report(self, completed: CompletedAttempt) -> None:
        """The reason goes to the log and the metrics; what Telegram took, to whoever listens."""
        item, plan, delivery = completed.item, completed.plan, completed.delivery
        if isinstance(plan, Pin):
            return
        DECISIONS.labels(plan.reason.value).inc()
        if not isinstance(plan, Skip):
            message_id = completed.message_id
            if self._on_delivered and message_id != UNREACHABLE_MESSAGE_ID:
                op = type(plan).__name__.lower()
                taken = DeliveredMessage(
                    op, item.chat, plan.alert, plan.alert.state, plan.html, message_id, plan.reason, completed.latency
                )
                self._on_delivered(taken)
        elif not delivery.is_sent:
            self.skipped[plan.reason] += 1
            log.info("not_sent", chat=item.chat.chat_id, action=item.key.action_id, reason=plan.reason.value)

    async def _send_one(self, item: QueueItem, plan: RequestPlan, attempt: Attempt) -> None:
        left = self._clock.now().timestamp()
        try:
            message_id = await self._execute(item, plan, attempt.started_at)
        except TextRefused as error:
            log.error("text_refused", chat=item.chat.chat_id, rule=plan.alert.rule, reason=str(error))
            self.on_text_refused(plan.alert.rule, str(error))
            message_id = plan.delivery.message_id or UNREACHABLE_MESSAGE_ID
        except DeliveryError as error:
            await undo_uncertain(self._outbox, plan, attempt.delivery_before, error)
            await self._handle_failure(item, error)
            return
        except Exception as error:
            log.error("delivery_failed", chat=item.chat.chat_id, rule=plan.alert.rule, reason=repr(error), exc_info=error)
            await self._handle_failure(item, TelegramUnreachable(repr(error), maybe_sent=True))
            return
        self._breaker.on_success()
        now = self._clock.now()
        latency = measure_latency(attempt.timestamps, left, now.timestamp())
        self._completed.append(
            CompletedAttempt(item, plan, apply_response(plan, message_id, now, latency), message_id, attempt.delay, latency)
        )

    async def _execute(self, item: QueueItem, plan: RequestPlan, taken_at: float) -> int:
        left = self._clock.monotonic()
        try:
            return await execute(self._messenger, item.chat, plan)
        finally:
            self._rate_limiter.record_answer(taken_at, self._clock.monotonic(), left)

    async def _handle_failure(self, item: QueueItem, error: DeliveryError) -> None:
        """What each answer means for the chat; its ticket stays the first of its lane."""
        chat_id, now = item.chat.chat_id, self._clock.monotonic()
        if isinstance(error, ChatMigrated | ChatGone | TopicGone):
            try:
                await self._handle_chat_gone(item.chat, error)
            except StorageError as trouble:  # Telegram will say it again
                log.warning("chat_not_kept", chat=chat_id, reason=str(trouble))
                self._outbox.rescan()
            return
        until = float("-inf")
        if isinstance(error, RetryAfter):
            self._rate_limiter.on_retry_after(chat_id, error.seconds, now)
            until = now + error.seconds
        elif isinstance(error, TelegramUnreachable | TokenRefused):
            self._breaker.on_failure(chat_id, now, is_token_refused=isinstance(error, TokenRefused))
            until = now + min(MAX_CHAT_RETRY_DELAY, 0.5 * 2 ** min(10, self._queues.failures(chat_id)))
        log.warning("delivery_put_off", chat=chat_id, action=item.key.action_id, reason=str(error))
        self._enqueue(item, at_front=True)
        self._queues.finish(chat_id, now, failed=True, blocked_until=until)

    async def _handle_chat_gone(self, ref: ChatRef, error: ChatMigrated | ChatGone | TopicGone) -> None:
        """The chat or its topic moved or is gone; what waits for it stays in the outbox, for its new place or its return."""
        chat_id = ref.chat_id
        self._queues.discard(chat_id)
        if isinstance(error, TopicGone) and ref.topic and not isinstance(error, TopicClosed):
            log.info("topic_left", chat=chat_id, topic=ref.topic)
            await self._chats.leave_topic(ref)
            self._outbox.rescan()
            return
        if isinstance(error, ChatMigrated):
            log.info("chat_moved", chat=chat_id, to=error.new_chat_id)
            await self._chats.migrate(chat_id, error.new_chat_id)
            self._outbox.rescan()
        else:
            log.info("chat_suspended", chat=chat_id, reason=str(error))
            await self._chats.suspend(chat_id, str(error))

    async def _shut_down(self) -> None:
        self._pictures.close()
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=FINISH_TIMEOUT)
        finally:
            for task in self._tasks:
                task.cancel()
            await self._commit_before_exit()

    async def _commit_before_exit(self) -> None:
        """A database that fails now does not hold up the stop: what it does not learn may be sent once more."""
        try:
            await self._commit_completed()
        except StorageError as error:
            log.error("sent_and_not_kept", count=len(self._completed), reason=str(error))
