"""Handles each chat's updates one after the other, in Telegram's order, and each of them once, in whichever process it arrives.

What is being handled stands in the table `updates`, which all processes share. Start at `UpdateOrder.handle`.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextvars import ContextVar
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import ColumnElement, and_, delete, exists, literal, or_, select, update
from telegram import Update

from bot.chat.middleware import Handler, wrap_handlers
from bot.chat.update_origin import read_origin, split_target
from bot.cluster.leases import name_process_lease
from bot.errors import StorageConflict, StorageError, StorageUnusable
from bot.retry import retry_while_database_unavailable
from bot.storage.database import Database, upsert
from bot.storage.driver import UPDATES_CHANNEL, Transaction
from bot.storage.schema import leases, updates

MAX_HANDLED_AT_ONCE = 64
"""Updates of different chats that a process handles at once. Those that wait for their turn do not count."""

_MAX_HANDLING_TIME = 60.0
"""Seconds after which an update no longer holds up its chat: its handler hangs, or its process could not say that it is done."""

_LOOK_AGAIN_AFTER = 0.5
"""Seconds after which an update's turn is checked again. A notification ends the wait at once, but can be lost."""

_KEPT_FOR = 86_400.0
"""Seconds for which a handled update is remembered: Telegram brings one again for a day at most."""

WEBHOOK_SETTLE_TIME = 0.05
"""Seconds for which an update from the webhook waits for earlier ones: Telegram brings several at once, to several processes, and
one may overtake the one before it. Nobody notices so short a wait for an answer."""

log = structlog.get_logger()

_current_update: ContextVar[int | None] = ContextVar("current_update", default=None)
"""The id of the update that the current task handles."""


class _State(enum.StrEnum):
    """The states of a row; stored."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


class Registration(enum.Enum):
    """What is known of an update that arrives."""

    NEW = "it waits for its turn now"
    IN_PROGRESS = "it came before, and is being handled"
    HANDLED = "it came before, and was handled"


class UpdateRepository:
    """The updates as one process, the `holder`, handles them. All times are by the database's clock."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database, self._holder = database, holder

    async def register(self, update_id: int, chat_ids: Collection[int]) -> Registration:
        """Let an update wait for its turn, unless it came before. One whose process died before it stored anything is new."""
        chat_id, *others = chat_ids
        async with self._database.transaction() as tx:
            await _lock_chats(tx, chat_ids)
            now = await tx.now()
            row: dict[str, object] = {"chat_id": chat_id, "other_chat": others[0] if others else None, "holder": self._holder}
            row |= {"update_id": update_id, "state": _State.WAITING.value, "stored": False, "at": now}
            # Nearly always it is new: then one statement registers it, and there is nothing to read.
            if await tx.execute(upsert(updates, keep_existing=True), row):
                return Registration.NEW
            # One query, which locks the row: its process may just be finishing it.
            query = select(updates, self._is_in_progress(now).label("in_progress")).where(updates.c.update_id == update_id)
            (known,) = await tx.fetch(query.with_for_update(of=updates))
            if known["stored"] or known["state"] == _State.DONE:
                return Registration.HANDLED
            if known["in_progress"]:
                return Registration.IN_PROGRESS
            # Its process is gone, or hung for a minute: this one takes it over.
            await tx.execute(update(updates).where(updates.c.update_id == update_id).values(row))
        return Registration.NEW

    async def try_to_begin(self, update_id: int, chat_ids: Collection[int]) -> bool:
        """Begin to handle an update if its turn has come: no other of its chats is being handled, and no earlier one waits."""
        async with self._database.transaction() as tx:
            await _lock_chats(tx, chat_ids)
            now = await tx.now()
            table = updates.c
            is_before = or_(table.state == _State.RUNNING.value, table.update_id < update_id)
            of_chats = or_(table.chat_id.in_(chat_ids), table.other_chat.in_(chat_ids))
            query = select(table.update_id).where(of_chats, is_before, table.update_id != update_id, self._is_in_progress(now))
            if await tx.fetch(query.limit(1)):
                return False
            running = {"state": _State.RUNNING.value, "at": now}
            await tx.execute(update(updates).where(table.update_id == update_id).values(running))
        return True

    async def finish(self, update_id: int) -> None:
        """Note that an update was handled, which lets the next one of its chat begin."""
        async with self._database.transaction() as tx:
            await tx.execute(update(updates).where(updates.c.update_id == update_id).values(state=_State.DONE.value))
            await tx.notify(UPDATES_CHANNEL)

    async def withdraw(self, update_id: int) -> None:
        """Forget an update that failed, so that it is handled when it comes again; not if it has stored its changes."""
        async with self._database.transaction() as tx:
            await tx.execute(delete(updates).where(updates.c.update_id == update_id, ~updates.c.stored))
            await tx.execute(update(updates).where(updates.c.update_id == update_id).values(state=_State.DONE.value))
            await tx.notify(UPDATES_CHANNEL)

    async def delete_old(self) -> None:
        """Delete updates that Telegram does not bring again."""
        async with self._database.transaction() as tx:
            await tx.execute(delete(updates).where(updates.c.at < await tx.now() - _KEPT_FOR))

    def _is_in_progress(self, now: float) -> ColumnElement[bool]:
        """Return the WHERE clause for updates that a living process waits to handle, or handles."""
        table = updates.c
        lease_of_holder = literal(name_process_lease("")).concat(table.holder)
        is_alive = or_(table.holder == self._holder, exists().where(leases.c.name == lease_of_holder, leases.c.until > now))
        return and_(table.state != _State.DONE.value, table.at > now - _MAX_HANDLING_TIME, is_alive)


async def _lock_chats(tx: Transaction, chat_ids: Collection[int]) -> None:
    # Without the lock, two processes could both find that nothing is being handled. Sorted, so that there is no deadlock.
    for chat_id in sorted(chat_ids):
        await tx.lock(f"updates of {chat_id}")


async def mark_update_stored(tx: Transaction) -> None:
    """Note in the transaction of its changes that the current update is carried out: if it comes again, it is not handled."""
    if (update_id := _current_update.get()) is not None:
        await tx.execute(update(updates).where(updates.c.update_id == update_id).values(stored=True))


class UpdateOrder:
    """Gives each update its turn."""

    def __init__(self, repository: UpdateRepository, settle_time: float = 0.0, ready: asyncio.Event | None = None) -> None:
        """`settle_time` is how many seconds an update waits for earlier ones that may still be on their way. `ready` is set when
        the other processes know that this one is alive; None if there are none."""
        self._updates, self._settle_time, self._ready = repository, settle_time, ready
        self._changed = asyncio.Event()
        self._waiting: dict[int, Collection[int]] = {}
        """By update id the chats of those that wait in this process."""
        self._registering: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._slots = asyncio.Semaphore(MAX_HANDLED_AT_ONCE)
        self._closing: set[asyncio.Task[None]] = set()

    def wrap(self, handlers: Iterable[Handler]) -> list[Handler]:
        """Make each handler take its updates in order."""
        return wrap_handlers(handlers, self.handle)

    async def handle(self, update: Update, handle: Callable[[], Awaitable[None]]) -> None:
        """Call `handle` when the update's turn has come, or not at all if it was handled before. Raise what `handle` raises."""
        update_id, chat_ids = update.update_id, read_chats_to_order(update)
        # An inline query changes nothing, and each key typed makes one.
        if not chat_ids:
            async with self._slots:
                await handle()
            return
        try:
            if not await self._wait_for_turn(update_id, chat_ids):
                log.info("update_repeated", update=update_id, chat=chat_ids[0])
                return
        except StorageUnusable as error:
            # A full disk can still be read, and then people are answered.
            log.debug("update_not_ordered", update=update_id, reason=str(error))
            async with self._slots:
                await handle()
            return
        token = _current_update.set(update_id)
        try:
            async with self._slots:
                await handle()
        except StorageError:
            # What has stored nothing may come again: a webhook's call is answered with 503.
            await self._close(lambda: self._updates.withdraw(update_id))
            raise
        except Exception:
            # Any other error would come again with it.
            await self._close(lambda: self._updates.finish(update_id))
            raise
        else:
            await self._close(lambda: self._updates.finish(update_id))
        finally:
            # Cut off by a stop, it stays as it is: this process is about to be gone, and then the update may come again.
            _current_update.reset(token)

    def on_changed(self, _payload: str = "") -> None:
        """Look again whose turn it is: some update was handled, here or in another process."""
        # A new event for the next change: those that wait have the old one, and none of them misses it.
        self._changed.set()
        self._changed = asyncio.Event()

    async def _wait_for_turn(self, update_id: int, chat_ids: tuple[int, ...]) -> bool:
        """Return True when the update may be handled, False if it was handled before."""
        if self._ready is not None:
            await self._ready.wait()
        while (registration := await self._register(update_id, chat_ids)) is Registration.IN_PROGRESS:
            await self._wait_for_change(self._changed)
        if registration is Registration.HANDLED:
            return False
        self._waiting[update_id], chats = chat_ids, set(chat_ids)
        try:
            await asyncio.sleep(self._settle_time)
            while True:
                changed = self._changed
                # While an earlier one of the same chat waits in this process, the database need not be asked.
                if not any(other < update_id and not chats.isdisjoint(waiting) for other, waiting in self._waiting.items()):
                    try:
                        if await self._updates.try_to_begin(update_id, chat_ids):
                            return True
                    except StorageConflict:
                        continue
                await self._wait_for_change(changed)
        finally:
            del self._waiting[update_id]

    async def _register(self, update_id: int, chat_ids: tuple[int, ...]) -> Registration:
        # Registered in the order in which they came: the first must stand in the table when the second asks whether it may begin.
        lock = self._registering.setdefault(chat_ids[0], asyncio.Lock())
        async with lock:
            while True:
                try:
                    return await self._updates.register(update_id, chat_ids)
                except StorageConflict:
                    continue

    async def _wait_for_change(self, changed: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(_LOOK_AGAIN_AFTER):
                await changed.wait()
        except TimeoutError:
            pass

    async def _close(self, close: Callable[[], Awaitable[None]]) -> None:
        try:
            await close()
        except StorageError:
            # Not waited for, so that the webhook call that brought the update is answered. Until it succeeds, the chat's next
            # update waits.
            task = asyncio.create_task(retry_while_database_unavailable(close))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        self.on_changed()

    async def stop(self) -> None:
        """Cancel the attempts to note the end of an update that still wait for the database."""
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)


def read_chats_to_order(update: Update) -> tuple[int, ...]:
    """Return the chats that an update may change: none for an inline query, two for a group that becomes a supergroup."""
    query, message = update.callback_query, update.effective_message
    if query is not None and (origin := read_origin(update)) is not None:
        # A channel is set up in the private chats of its administrators, and two of them may be at work.
        return (split_target(origin, query.data or "")[0].ref.chat_id,)
    chat = update.effective_chat
    if chat is None:
        return ()
    other = message and (message.migrate_to_chat_id or message.migrate_from_chat_id)
    return (chat.id, other) if other else (chat.id,)
