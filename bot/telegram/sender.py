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
        limits: RateLimitPolicy,
        clock: Clock,
        on_delivery: Callable[[DeliveredMessage], None] | None = None,
        chats: ChatRepository | None = None,
    ) -> None:
        """`chats` is where chats are suspended and moved: pass the one whose changes are listened to."""
        self._outbox, self._messenger, self._limits, self._clock = outbox, messenger, limits, clock
        self._on_delivery, self._chats = on_delivery, chats or ChatRepository(outbox.db)
        self._lanes = ChatQueues()
        self._easel = PictureRenderer()
        self._weather = CircuitBreaker()
        self._tasks: set[asyncio.Task[None]] = set()
        self._landings: list[CompletedAttempt] = []
        self._woken = asyncio.Event()
        self._stopping = False
        self._shut_at = float("-inf")
        """When the limits last let nothing leave."""
        self.passed_over: Counter[Reason] = Counter()
        """What was not sent, by reason."""
        self.on_text_refused: Callable[[str, str], None] = lambda rule, reason: None
        """Hears of a rule whose text Telegram takes in no form, and why."""
        outbox.on_put = self._woken.set

    async def run(self) -> None:
        """Send for ever; when cancelled or stopped, finish what is in flight."""
        try:
            while not self._stopping:
                self._woken.clear()
                await self._turn()
                if self._tasks:  # what lands in the next moment is committed together
                    await asyncio.sleep(MIN_SLEEP)
        finally:
            await self._finish()

    async def drain(self) -> None:
        """Send one by one until nothing is due that may be sent now, pictures too."""
        while (works := await self._next(1)) or await self._easel.idle():
            for work in works:
                await work
        await self._keep()

    async def stop(self) -> None:
        """Start nothing more, and wait a little for what is in flight; what is left waits in the outbox."""
        self._stopping = True
        self._woken.set()
        await self._finish()

    def backlog(self) -> int:
        """How many tickets wait in memory, those in flight included."""
        return len(self._lanes) + len(self._tasks) + len(self._landings)

    async def _turn(self) -> None:
        """Start what may be sent, and sleep. While the database fails nothing leaves; then it is looked through anew."""
        try:
            await self._sleep(await self._start_all())
        except StorageError as error:
            log.debug("sending_waits", reason=str(error))
            self._outbox.recover()
            await asyncio.sleep(DATABASE_RETRY_DELAY)

    async def _start_all(self) -> float | None:
        """Start all that may be sent now; seconds until there may be more, None: when woken."""
        await self._keep()
        while (free := MAX_IN_FLIGHT - len(self._tasks)) > 0 and not self._stopping:
            works = await self._next(min(free, BATCH_SIZE))
            if not works:
                return self._pause()
            for work in works:
                task = asyncio.create_task(work)
                self._tasks.add(task)
                task.add_done_callback(self._landed)
            await asyncio.sleep(0)
        return None

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._woken.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("delivery_failed", reason=repr(error), exc_info=error)

    def _pause(self) -> float | None:
        now = self._clock.monotonic()
        opens = self._opens_at(now)
        if self._has_room() or (opens <= now and self._lanes.ready):  # the limits may have opened since they were asked
            return MIN_SLEEP
        at = opens if opens > now else self._lanes.next_at()
        return None if at is None else max(MIN_SLEEP, at - now)

    async def _sleep(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    def _opens_at(self, now: float) -> float:
        return max(self._limits.overall_at(now), self._weather.clear_at)

    async def _next(self, most: int) -> list[Coroutine[None, None, None]]:
        """The next requests, ready to be made; none where nothing may be sent now."""
        while True:
            await self._keep()
            await self._fill()
            now = self._clock.monotonic()
            ready = self._lanes.ready_at(now)
            room = self._limits.room(now, min(ready, self._weather.room(now, len(self._tasks), most)))
            self._shut_at = now if ready and not room else self._shut_at
            tickets = [ticket for _ in range(room) if (ticket := self._lanes.pop(now, self._limits.chat_at))]
            if works := await self._begin(tickets, now):
                return works
            if not tickets and ((ready and not room) or not self._has_room()):
                return []

    async def _begin(self, tickets: Sequence[QueueItem], now: float) -> list[Coroutine[None, None, None]]:
        """The requests for tickets; those for which nothing is to be sent are settled."""
        works = []
        wall = self._clock.now().timestamp()
        for ticket, begun in zip(tickets, await self._decided(tickets, now), strict=True):
            job, step = (begun[0], self._painted(ticket, begun[1])) if begun else (None, None)
            if job and step and not isinstance(step, Skip):
                self._limits.take(ticket.ref.chat_id, now)
                shut = wall - now + max(self._shut_at, self._lanes.parked_until(ticket.ref.chat_id))
                marks = collect_timestamps(job, step.alert, wall, shut)
                works.append(self._deliver(ticket, step, Attempt(now, job.chat.delay, marks, job.entry)))
            elif step:
                self._landings.append(CompletedAttempt(ticket, step, step.entry))
            else:
                self._lanes.release(ticket.ref.chat_id, now)
        return works

    async def _decided(self, tickets: Sequence[QueueItem], now: float) -> Sequence[tuple[DeliveryContext, Plan] | None]:
        try:
            return await self._outbox.begin(tickets, lambda job: plan_delivery(job, self._clock.now()), make_uncertain_delivery)
        except BaseException:  # cut off by a stop, or the database fails: their turn is still to come
            for ticket in tickets:
                self._add(ticket, first=True)
                self._lanes.release(ticket.ref.chat_id, now)
            raise

    def _painted(self, ticket: QueueItem, step: Plan) -> Plan | None:
        """The step with its picture; None while that is being drawn: the ticket comes again once it is."""
        scene = step.scene if isinstance(step, Send | Edit) else None
        if scene is None:
            return step
        png = self._easel.png(scene, lambda: self._again(ticket))
        return None if png is None else msgspec.structs.replace(step, scene=msgspec.structs.replace(scene, png=png))

    def _again(self, ticket: QueueItem) -> None:
        self._add(ticket, first=True)
        self._woken.set()

    def _has_room(self) -> bool:
        return self._outbox.busy and len(self._lanes) < self._outbox.room

    async def _fill(self) -> None:
        """One page at a time, so that the first chats do not wait for the last."""
        if self._has_room():
            for ticket in await self._outbox.take():
                self._add(ticket)

    def _add(self, ticket: QueueItem, *, first: bool = False) -> None:
        now = self._clock.monotonic()
        wait = max(0.0, ticket.due_at - self._clock.now().timestamp())
        self._lanes.add(ticket, now + wait, now, first=first)

    async def _keep(self) -> None:
        """Commit together what landed since the last time, and let the chats' lanes go on, with what follows first."""
        landings, self._landings = self._landings, []
        try:
            following = await self._outbox.keep([DeliveryResult(landing.entry, landing.delay) for landing in landings])
        except BaseException:  # cut off by a stop, or the database fails: what landed is still to be kept
            self._landings = landings + self._landings
            raise
        for landing, more in zip(landings, following, strict=True):
            self._tell(landing)
            if more is not None:
                self._add(more, first=True)
            self._lanes.release(landing.ticket.ref.chat_id, self._clock.monotonic())

    def _tell(self, landing: CompletedAttempt) -> None:
        """The reason goes to the log and the metrics; what Telegram took, to whoever listens."""
        ticket, step, entry = landing.ticket, landing.step, landing.entry
        if isinstance(step, Pin):
            return
        DECISIONS.labels(step.reason.value).inc()
        if not isinstance(step, Skip):
            message_id = landing.message_id
            if self._on_delivery and message_id != UNREACHABLE_MESSAGE_ID:
                op = type(step).__name__.lower()
                taken = DeliveredMessage(
                    op, ticket.ref, step.alert, step.alert.state, step.html, message_id, step.reason, landing.way
                )
                self._on_delivery(taken)
        elif not entry.told:
            self.passed_over[step.reason] += 1
            log.info("not_sent", chat=ticket.ref.chat_id, action=ticket.key.action_id, reason=step.reason.value)

    async def _deliver(self, ticket: QueueItem, step: RequestPlan, begun: Attempt) -> None:
        left = self._clock.now().timestamp()
        try:
            message_id = await self._perform(ticket, step, begun.at)
        except TextRefused as error:
            log.error("text_refused", chat=ticket.ref.chat_id, rule=step.alert.rule, reason=str(error))
            self.on_text_refused(step.alert.rule, str(error))
            message_id = step.entry.message_id or UNREACHABLE_MESSAGE_ID
        except DeliveryError as error:
            await undo_uncertain(self._outbox, step, begun.before, error)
            await self._failed(ticket, error)
            return
        except Exception as error:
            log.error("delivery_failed", chat=ticket.ref.chat_id, rule=step.alert.rule, reason=repr(error), exc_info=error)
            await self._failed(ticket, TelegramUnreachable(repr(error), maybe_sent=True))
            return
        self._weather.fine()
        now = self._clock.now()
        way = measure_latency(begun.marks, left, now.timestamp())
        self._landings.append(
            CompletedAttempt(ticket, step, apply_response(step, message_id, now, way), message_id, begun.delay, way)
        )

    async def _perform(self, ticket: QueueItem, step: RequestPlan, began: float) -> int:
        left = self._clock.monotonic()
        try:
            return await execute(self._messenger, ticket.ref, step)
        finally:
            self._limits.landed(began, self._clock.monotonic(), left)

    async def _failed(self, ticket: QueueItem, error: DeliveryError) -> None:
        """What each answer means for the chat; its ticket stays the first of its lane."""
        chat_id, now = ticket.ref.chat_id, self._clock.monotonic()
        if isinstance(error, ChatMigrated | ChatGone | TopicGone):
            try:
                await self._left(ticket.ref, error)
            except StorageError as trouble:  # Telegram will say it again
                log.warning("chat_not_kept", chat=chat_id, reason=str(trouble))
                self._outbox.recover()
            return
        until = float("-inf")
        if isinstance(error, RetryAfter):
            self._limits.refused(chat_id, error.seconds, now)
            until = now + error.seconds
        elif isinstance(error, TelegramUnreachable | TokenRefused):
            self._weather.bad(chat_id, now, token=isinstance(error, TokenRefused))
            until = now + min(MAX_CHAT_RETRY_DELAY, 0.5 * 2 ** min(10, self._lanes.failures(chat_id)))
        log.warning("delivery_put_off", chat=chat_id, action=ticket.key.action_id, reason=str(error))
        self._add(ticket, first=True)
        self._lanes.release(chat_id, now, failed=True, parked_until=until)

    async def _left(self, ref: ChatRef, error: ChatMigrated | ChatGone | TopicGone) -> None:
        """The chat or its topic moved or is gone; what waits for it stays in the outbox, for its new place or its return."""
        chat_id = ref.chat_id
        self._lanes.forget(chat_id)
        if isinstance(error, TopicGone) and ref.topic and not isinstance(error, TopicClosed):
            log.info("topic_left", chat=chat_id, topic=ref.topic)
            await self._chats.leave_topic(ref)
            self._outbox.recover()
            return
        if isinstance(error, ChatMigrated):
            log.info("chat_moved", chat=chat_id, to=error.new_chat_id)
            await self._chats.migrate(chat_id, error.new_chat_id)
            self._outbox.recover()
        else:
            log.info("chat_suspended", chat=chat_id, reason=str(error))
            await self._chats.suspend(chat_id, str(error))

    async def _finish(self) -> None:
        self._easel.close()
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=FINISH_TIMEOUT)
        finally:
            for task in self._tasks:
                task.cancel()
            await self._keep_at_last()

    async def _keep_at_last(self) -> None:
        """A database that fails now does not hold up the stop: what it does not learn may be sent once more."""
        try:
            await self._keep()
        except StorageError as error:
            log.error("sent_and_not_kept", count=len(self._landings), reason=str(error))
