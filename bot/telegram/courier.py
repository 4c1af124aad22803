"""The only sender: takes what waits from the outbox and brings it to Telegram, each chat in order and none for another's sake."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine

import msgspec
import structlog

from bot.clock import Clock
from bot.errors import ChatGone, ChatMigrated, DeliveryError, RetryAfter, TelegramUnreachable, TextRefused, TokenRefused
from bot.outbox.entry import Entry, Reason, Ticket
from bot.outbox.outbox import Outbox
from bot.store.chats import Chats
from bot.store.model import ChatRef
from bot.telegram.lanes import Lanes
from bot.telegram.limits import Pace
from bot.telegram.messenger import Messenger
from bot.telegram.perform import UNREACHABLE, perform
from bot.telegram.step import Edit, Reply, Send, Settle, Step, next_step
from bot.telegram.weather import Weather
from rules.alert import Alert, State

log = structlog.get_logger()

IN_FLIGHT = 400
"""Requests at once; Telegram's own server refuses more than 1,000."""
ROOM = 10_000
"""Fewer tickets in memory than this, and further chats are reached."""
STOP_WITHIN = 4.0
"""Seconds that a stop waits for requests in flight."""
BLINK = 0.002
"""The shortest sleep, in seconds."""
LATE = 60.0
"""The longest wait before a chat that cannot be reached is tried again, in seconds."""


class Delivery(msgspec.Struct, frozen=True):
    """Something that Telegram took. `op` is send, edit or reply; `message_id` is the new message's, or the edited one's."""

    op: str
    chat: ChatRef
    alert: Alert
    state: State
    html: str
    message_id: int
    reason: Reason


class Courier:
    """Sends what waits. One per process."""

    def __init__(
        self,
        outbox: Outbox,
        messenger: Messenger,
        limits: Pace,
        clock: Clock,
        on_delivery: Callable[[Delivery], None] | None = None,
        chats: Chats | None = None,
    ) -> None:
        """`chats` is where chats are suspended and moved: pass the one whose changes are listened to."""
        self._outbox, self._messenger, self._limits, self._clock = outbox, messenger, limits, clock
        self._on_delivery, self._chats = on_delivery, chats or Chats(outbox.db)
        self._lanes = Lanes()
        self._weather = Weather()
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._stopping = False
        self.passed_over: Counter[Reason] = Counter()
        """What was not sent, by reason."""
        outbox.on_put = self._woken.set

    async def run(self) -> None:
        """Send for ever; when cancelled or stopped, finish what is in flight."""
        try:
            while not self._stopping:
                self._woken.clear()
                await self._sleep(await self._start_all())
        finally:
            await self._finish()

    async def drain(self) -> None:
        """Send one by one until nothing is due that may be sent now."""
        while (work := await self._next()) is not None:
            await work

    async def stop(self) -> None:
        """Start nothing more, and wait a little for what is in flight; what is left waits in the outbox."""
        self._stopping = True
        self._woken.set()
        await self._finish()

    def backlog(self) -> int:
        """How many tickets wait in memory, those in flight included."""
        return len(self._lanes) + len(self._tasks)

    async def _start_all(self) -> float | None:
        """Start all that may be sent now; seconds until there may be more, None: when woken."""
        while len(self._tasks) < IN_FLIGHT and not self._stopping:
            work = await self._next()
            if work is None:
                return self._pause()
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
        if self._has_room():
            return BLINK
        now = self._clock.monotonic()
        opens = self._opens_at(now)
        at = opens if opens > now else self._lanes.next_at()
        return None if at is None else max(BLINK, at - now)

    async def _sleep(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    def _opens_at(self, now: float) -> float:
        return max(self._limits.overall_at(now), self._weather.clear_at)

    async def _next(self) -> Coroutine[None, None, None] | None:
        """The next request, ready to be made; None where nothing may be sent now."""
        while True:
            await self._fill()
            now = self._clock.monotonic()
            ticket = self._lanes.pop(now, self._limits.chat_at) if now >= self._opens_at(now) else None
            if ticket is not None:
                if (work := await self._begin(ticket, now)) is not None:
                    return work
            elif now < self._opens_at(now) or not self._has_room():
                return None

    async def _begin(self, ticket: Ticket, now: float) -> Coroutine[None, None, None] | None:
        """The request for a ticket; None where nothing is to be sent for it."""
        job = await self._outbox.job(ticket)
        step = next_step(job, self._clock.now()) if job else None
        if job and step and not isinstance(step, Settle):
            self._limits.take(ticket.ref.chat_id, now)
            return self._deliver(ticket, step, job.chat.delay)
        await self._pass_over(ticket, step)
        return None

    def _has_room(self) -> bool:
        return self._outbox.busy and len(self._lanes) < ROOM

    async def _fill(self) -> None:
        """One page at a time, so that the first chats do not wait for the last."""
        if self._has_room():
            for ticket in await self._outbox.take():
                self._add(ticket)

    def _add(self, ticket: Ticket, *, first: bool = False) -> None:
        now = self._clock.monotonic()
        wait = max(0.0, ticket.due_at - self._clock.now().timestamp())
        self._lanes.add(ticket, now + wait, now, first=first)

    async def _pass_over(self, ticket: Ticket, step: Step | None) -> None:
        more = None
        if isinstance(step, Settle):
            more = await self._outbox.keep(step.entry)
            if not step.entry.told:
                self.passed_over[step.reason] += 1
                log.info("not_sent", chat=ticket.ref.chat_id, action=ticket.key.action_id, reason=step.reason.value)
        self._done(ticket, more)

    def _done(self, ticket: Ticket, more: Ticket | None) -> None:
        """Let the chat's lane go on, with what follows first."""
        if more is not None:
            self._add(more, first=True)
        self._lanes.release(ticket.ref.chat_id, self._clock.monotonic())

    async def _deliver(self, ticket: Ticket, step: Send | Edit | Reply, delay: int) -> None:
        try:
            message_id = await perform(self._messenger, ticket.ref, step)
        except TextRefused as error:
            log.error("text_refused", chat=ticket.ref.chat_id, rule=step.alert.rule, reason=str(error))
            message_id = step.entry.message_id or UNREACHABLE
        except DeliveryError as error:
            await self._failed(ticket, error)
            return
        self._weather.fine()
        await self._sent(ticket, step, message_id, delay)

    async def _sent(self, ticket: Ticket, step: Send | Edit | Reply, message_id: int, delay: int) -> None:
        more = await self._outbox.keep(_with_id(step, message_id), delay)
        if self._on_delivery and message_id != UNREACHABLE:
            op = type(step).__name__.lower()
            self._on_delivery(Delivery(op, ticket.ref, step.alert, step.alert.state, step.html, message_id, step.reason))
        log.debug("delivered", chat=ticket.ref.chat_id, action=ticket.key.action_id, reason=step.reason.value)
        self._done(ticket, more)

    async def _failed(self, ticket: Ticket, error: DeliveryError) -> None:
        """What each answer means for the chat; its ticket stays the first of its lane."""
        chat_id, now = ticket.ref.chat_id, self._clock.monotonic()
        if isinstance(error, ChatMigrated | ChatGone):
            await self._left(chat_id, error)
            return
        until = float("-inf")
        if isinstance(error, RetryAfter):
            self._limits.refused(chat_id, error.seconds, now)
            until = now + error.seconds
        elif isinstance(error, TelegramUnreachable | TokenRefused):
            self._weather.bad(chat_id, now, token=isinstance(error, TokenRefused))
            until = now + min(LATE, 0.5 * 2 ** min(10, self._lanes.failures(chat_id)))
        log.warning("delivery_put_off", chat=chat_id, action=ticket.key.action_id, reason=str(error))
        self._add(ticket, first=True)
        self._lanes.release(chat_id, now, failed=True, parked_until=until)

    async def _left(self, chat_id: int, error: ChatMigrated | ChatGone) -> None:
        """The chat moved or is gone; what waits for it stays in the outbox, for its new id or its return."""
        self._lanes.forget(chat_id)
        if isinstance(error, ChatMigrated):
            log.info("chat_moved", chat=chat_id, to=error.new_chat_id)
            await self._chats.migrate(chat_id, error.new_chat_id)
            self._outbox.recover()
        else:
            log.info("chat_suspended", chat=chat_id, reason=str(error))
            await self._chats.suspend(chat_id, str(error))

    async def _finish(self) -> None:
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_WITHIN)
            for task in late:
                task.cancel()


def _with_id(step: Send | Edit | Reply, message_id: int) -> Entry:
    """A reply leaves the message's own id as it is."""
    return step.entry if isinstance(step, Reply) else msgspec.structs.replace(step.entry, message_id=message_id)
