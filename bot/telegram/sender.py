"""The only sender of alerts: decides what leaves now, starts the requests, and commits what came of each.

How an item becomes a request is in `attempt_planner`, and what a request that failed means for its chat in `failures`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import structlog

from bot.clock import MAX_CLOCK_SKEW, Clock
from bot.errors import DeliveryError, StorageError, TelegramUnreachable
from bot.metrics import DECISIONS
from bot.outbox.delivery import UNREACHABLE_MESSAGE_ID, DeliveryResult, QueueItem, Reason
from bot.outbox.queue import DeliveryQueue
from bot.retry import retry_while_database_unavailable
from bot.storage.chats import ChatRepository
from bot.subscribers import ChatRef
from bot.telegram.attempt_planner import AttemptPlanner
from bot.telegram.execute import MAX_IN_FLIGHT, Attempt, execute
from bot.telegram.failures import FailureHandler
from bot.telegram.limits.rate_limits import LONGEST_WINDOW, RateLimitPolicy
from bot.telegram.plan import Edit, MessagePlan, Pin, Plan, Skip
from bot.telegram.queues import ChatQueues
from rules.engine.alert import AlertKey

if TYPE_CHECKING:  # it imports python-telegram-bot, which a replay does without
    from bot.telegram.messenger import Messenger

log = structlog.get_logger()

# An answer that does not come in this time leaves its delivery uncertain, and the message is sent again after the next start.
FINISH_TIMEOUT = 3.0
"""Seconds for which a stop waits for requests in flight."""

MIN_SLEEP = 0.004
"""The shortest sleep, in seconds. A longer one commits message ids late; a shorter one runs the loop for single messages."""

_LONGEST_SLEEP = 60.0
"""Seconds after which a sender that waits for something looks at the clocks."""

_FIRST_BATCH_SIZE = 8
"""Messages that are begun together while no request is in flight."""

DATABASE_RETRY_DELAY = 0.5
"""Seconds before a database that failed is asked again."""


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
        self._on_delivered = on_delivered
        # In memory only: what is lost with the process is found again in the outbox.
        self._chat_queues = ChatQueues()
        self.failures = FailureHandler(
            queue,
            self._chat_queues,
            messenger,
            rate_limiter,
            clock,
            chats or ChatRepository(queue.database),
            requeue=partial(self._enqueue, at_front=True),
            wake=self.wake,
        )
        self._planner = AttemptPlanner(
            queue,
            self._chat_queues,
            self.failures,
            rate_limiter,
            clock,
            requeue=partial(self._enqueue, at_front=True),
            wake=self.wake,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._completed: list[tuple[Plan, DeliveryResult]] = []
        self._wake_up, self._available = asyncio.Event(), asyncio.Event()
        self._stopping = False
        self._clock_offset: float | None = None
        """By how much the wall clock is ahead of the monotonic one; None before the first look."""
        self._limited_at = float("-inf")
        """When the rate limiter last let nothing leave, by the monotonic clock."""
        self.skipped: Counter[Reason] = Counter()
        """How many alerts were not sent, by reason."""
        self.on_skipped: Callable[[AlertKey, Reason], None] | None = None
        """Called for each chat to which an alert is not sent."""
        queue.on_available = self._on_available

    async def run(self) -> None:
        """Send for ever. When cancelled or stopped, finish what is in flight."""
        try:
            self._planner.uncertain_edits.on_start(self._clock.now().timestamp())
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
        while (requests := await self._start_next(1)) or await self._planner.pictures.wait_until_idle():
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
        return len(self._chat_queues) + len(self._tasks) + len(self._completed) + len(self.failures.unanswered)

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

    def suspect_edits(self, names: Collection[tuple[AlertKey, ChatRef]]) -> None:
        """Note messages that another sender may have been editing when it lost their chats to this one."""
        self._planner.uncertain_edits.on_taken_over(names, self._clock.now().timestamp())

    async def _run_once(self) -> None:
        """Start what may be sent now, and sleep until there may be more."""
        try:
            self._follow_clock()
            seconds = await self._start_all()
            try:
                async with asyncio.timeout(_LONGEST_SLEEP if seconds is None else min(seconds, _LONGEST_SLEEP)):
                    await self._wake_up.wait()
            except TimeoutError:
                return
        except StorageError as error:
            # Nothing leaves while the database fails: what cannot be recorded would be sent again. The queue is read anew
            # afterwards, since the failed transaction may have had items of ours.
            log.debug("sending_paused", reason=str(error))
            self._delivery_queue.rescan()
            await asyncio.sleep(DATABASE_RETRY_DELAY)

    def _follow_clock(self) -> None:
        """Move what waits for a time of day if the wall clock was set or the machine slept; all else waits for seconds."""
        now = self._clock.monotonic()
        offset = self._clock.now().timestamp() - now
        step = 0.0 if self._clock_offset is None else offset - self._clock_offset
        if self._clock_offset is None or abs(step) > MAX_CLOCK_SKEW:
            self._clock_offset = offset
            self._chat_queues.move_digests(step, now)

    async def _start_all(self) -> float | None:
        """Start all requests that may be made now. Return the seconds until there may be more, None: when woken."""
        await self._commit_completed()
        while (free := MAX_IN_FLIGHT - len(self._tasks)) > 0 and not self._stopping:
            # The first few leave before the next are read and planned.
            batch_size = self._delivery_queue.batch_size if self._tasks else _FIRST_BATCH_SIZE
            requests = await self._start_next(min(free, batch_size))
            if not requests:
                return self._sleep_time()
            for request in requests:
                task = asyncio.create_task(request)
                self._tasks.add(task)
                task.add_done_callback(self._on_task_done)
            # Let these requests start before the next ones are planned.
            await asyncio.sleep(0)
        # The limit of requests in flight is reached: the next answer wakes the sender.
        return None

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.wake()
        if not task.cancelled() and (error := task.exception()):
            log.error("delivery_failed", reason=repr(error), exc_info=error)

    def _sleep_time(self) -> float | None:
        """Return the seconds until something may leave; None if only new deliveries or an answer can change that."""
        now = self._clock.monotonic()
        next_send_at = max(self._rate_limiter.next_send_at(now), self.failures.breaker.retry_at)
        # The limits may have opened since they were asked.
        if self._can_take_more() or (next_send_at <= now and self._chat_queues.has_ready):
            return MIN_SLEEP
        at = next_send_at if next_send_at > now else self._chat_queues.next_due_at()
        return None if at is None else max(MIN_SLEEP, at - now)

    async def _start_next(self, limit: int) -> list[Coroutine[None, None, None]]:
        """Return the next requests, at most `limit`, ready to be awaited. Empty if nothing may be sent now."""
        while True:
            # Committed first, so that a chat whose message was answered may get its next one in this round.
            await self._commit_completed()
            await self._take_page()
            now = self._clock.monotonic()
            ready = self._chat_queues.count_ready(now)
            allowed = min(ready, self.failures.breaker.available(now, len(self._tasks), limit))
            room = self._rate_limiter.available(now, allowed)
            if ready and not room:
                self._limited_at = now
            items = [item for _ in range(room) if (item := self._chat_queues.take_next(now, self._rate_limiter))]
            items = await self._merge_held(items, now)
            planned = await self._planner.plan(items, now, self._limited_at)
            self._completed += planned.skipped
            if planned.attempts:
                return [self._send_one(attempt) for attempt in planned.attempts]
            # No request: nothing was taken, or nothing is to be sent for what was taken. In the second case more may be due
            # behind it, which nothing else would wake the sender for.
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
                # A stop, too, must not lose items that were taken.
                self._planner.put_back([item, *held], now)
                self._planner.put_back([*ready, *items[index + 1 :]], now)
                raise
            if burst:
                log.debug("alerts_merged", chat=item.chat.chat_id, count=len(burst.merged))
            ready.append(burst.item if burst else item)
            left = [one for one in held if not burst or one not in burst.merged]
            if burst and item not in burst.merged:
                left = [item, *left]
            # Each goes to the front, so the last one first.
            for one in reversed(left):
                self._enqueue(one, at_front=True)
        return ready

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
            self._enqueue_all(await self._delivery_queue.take(urgent_only=not self._has_room()))

    def _enqueue(self, item: QueueItem, *, at_front: bool = False) -> None:
        self._enqueue_all([item], at_front=at_front)

    def _enqueue_all(self, items: Sequence[QueueItem], *, at_front: bool = False) -> None:
        now, wall_clock = self._clock.monotonic(), self._clock.now().timestamp()
        for item in items:
            if not self.failures.unanswered.is_parked(item):
                self._chat_queues.add(item, now + max(0.0, item.due_at - wall_clock), now, at_front=at_front)

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
        now = self._clock.monotonic()
        for (plan, result), next_item in zip(completed, following, strict=True):
            self._report(plan, result)
            # Before the chat goes on: a reply follows its edit with nothing in between.
            if next_item is not None:
                self._enqueue(next_item, at_front=True)
            self._chat_queues.finish(result.item.chat.chat_id, now)

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
        """Make one request and note what came of it, to be committed by the next round of `run`."""
        item, sent_at = attempt.item, self._clock.now().timestamp()
        result: DeliveryResult | None = None
        try:
            message_id = await self._execute(attempt)
        except DeliveryError as error:
            result = await self.failures.handle(attempt, error, sent_at)
        except Exception as error:
            # A bug of ours. The message may have left. Without this the chat would stay blocked.
            log.error(
                "delivery_failed",
                trace_id=item.key.trace_id,
                chat=item.chat.chat_id,
                rule=attempt.plan.alert.rule,
                reason=repr(error),
                exc_info=error,
            )
            await self.failures.schedule_retry(item, TelegramUnreachable(repr(error), maybe_sent=True))
        else:
            self.failures.on_answered(item)
            result = attempt.complete(message_id, sent_at, self._clock.now())
        if result is not None:
            self._completed.append((attempt.plan, result))

    async def _execute(self, attempt: Attempt) -> int:
        """Make a request and note its answer. Return the id of the message, or raise a DeliveryError."""
        item, plan, left_at = attempt.item, attempt.plan, self._clock.monotonic()
        is_plain = self.failures.refused.should_send_as_plain_text(item)
        try:
            message_id = await execute(self._messenger, item.chat, plan, is_plain=is_plain, is_paid=attempt.is_paid)
        except TelegramUnreachable as error:
            if isinstance(plan, Edit) and error.maybe_sent:
                self._planner.uncertain_edits.add(item)
            raise
        finally:
            # Also after an error: a message whose answer is lost has most likely arrived, and Telegram counts it.
            answered_at = self._clock.monotonic()
            self._rate_limiter.record_answer(attempt.started_at, answered_at, left_at)
        self._rate_limiter.on_accepted(left_at, answered_at)
        self.failures.refused.forget(item)
        self._planner.uncertain_edits.discard(item)
        if attempt.is_paid:
            self._rate_limiter.record_payment(attempt.started_at, answered_at, is_accepted=True)
        return message_id

    async def _shut_down(self) -> None:
        self._planner.pictures.close()
        self.failures.close()
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
