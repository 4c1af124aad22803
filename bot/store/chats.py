"""The chats, their settings and what they follow."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, delete, false, select, true, tuple_, update

from bot.store.audience import followers
from bot.store.channels import CHATS
from bot.store.engine import Database, Transaction, upsert
from bot.store.model import Chat, ChatRef, Scope, Subscription
from bot.store.move import leave_topic, move
from bot.store.mutes import forget_mutes
from bot.store.quiet import read_quiet
from bot.store.schema import chats, instant, seconds, subscriptions
from bot.store.taste import read_taste, taste_text
from bot.store.tastes import note, tune
from rules.action import Fixture
from rules.alert import EXTRAS

_SETS = ("kinds_on", "kinds_off", "ring", "silent", "muted_matches")
"""Settings that are sets of kinds or of fixture ids, kept as words."""
_NO_WORDS: frozenset[str] = frozenset()
_FLAGS = ("waits", "buttons", "spoilers", "bursts", "scorers", "tasted", "language_chosen", "fixed")


def _silence() -> None:
    """Nobody listens."""


class Chats:
    """The repository of chats. `changed` is called after every change of who follows what."""

    def __init__(self, db: Database, changed: Callable[[], None] = _silence) -> None:
        self._db = db
        self.changed = changed

    async def get(self, ref: ChatRef) -> Chat | None:
        """A chat; None where it was never seen."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(chats).where(_is(ref)))
        return chat_of(rows[0]) if rows else None

    async def ensure(self, ref: ChatRef, kind: str, title: str) -> Chat:
        """The chat, stored if it is new, with the kind and title that it has now."""
        known = await self.get(ref)
        if known and (known.kind, known.title) == (kind or known.kind, title or known.title):
            return known
        chat = msgspec.structs.replace(known or Chat(ref), kind=kind or "private", title=title or (known.title if known else ""))
        await self.save(chat)
        return chat

    async def save(self, chat: Chat) -> None:
        """Store a chat and its settings."""
        async with self._db.transaction() as tx:
            await tx.execute(upsert(chats), row_of(chat))
            await note(tx, chat.ref)

    async def all(self) -> tuple[Chat, ...]:
        """Every chat, suspended ones too."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(chats).order_by(chats.c.chat_id, chats.c.topic))
        return tuple(chat_of(row) for row in rows)

    async def subscribe(self, ref: ChatRef, subscription: Subscription) -> bool:
        """Follow; false where the chat does already."""
        async with self._changing() as tx:
            await tx.execute(upsert(chats, keep=True), row_of(Chat(ref)))
            new = await tx.execute(upsert(subscriptions, keep=True), _row(ref, subscription)) > 0
            await note(tx, ref)
        return new

    async def unsubscribe(self, ref: ChatRef, subscription: Subscription) -> bool:
        """Follow no longer; false where the chat did not."""
        table = subscriptions.c
        this = and_(table.chat_id == ref.chat_id, table.topic == ref.topic)
        this = and_(this, table.scope == subscription.scope.value, table.key == subscription.key)
        async with self._changing() as tx:
            gone = await tx.execute(delete(subscriptions).where(this)) > 0
            await note(tx, ref)
        return gone

    async def subscriptions(self, ref: ChatRef) -> tuple[Subscription, ...]:
        """What a chat follows, by name."""
        table = subscriptions.c
        query = select(subscriptions).where(table.chat_id == ref.chat_id, table.topic == ref.topic)
        async with self._db.transaction() as tx:
            rows = await tx.fetch(query.order_by(table.name, table.scope, table.key))
        return tuple(Subscription(Scope(row["scope"]), row["key"], row["name"], read_taste(row["taste"])) for row in rows)

    async def tune(self, ref: ChatRef, subscription: Subscription) -> None:
        """Keep the taste of a subscription; one that is gone stays gone."""
        async with self._db.transaction() as tx:
            await tune(tx, ref, subscription)

    async def every_subscription(self) -> tuple[Subscription, ...]:
        """What some active chat follows, each once."""
        table = subscriptions.c
        here = and_(chats.c.chat_id == table.chat_id, chats.c.topic == table.topic)
        query = select(table.scope, table.key).join(chats, here).where(chats.c.active == true()).distinct()
        async with self._db.transaction() as tx:
            rows = await tx.fetch(query)
        return tuple(Subscription(Scope(row["scope"]), row["key"]) for row in rows)

    async def audience(self, fixture: Fixture) -> tuple[Chat, ...]:
        """The active chats that follow the fixture."""
        found = followers(fixture, None, None)
        query = select(chats).where(tuple_(chats.c.chat_id, chats.c.topic).in_(found), chats.c.active == true())
        async with self._db.transaction() as tx:
            rows = await tx.fetch(query.order_by(chats.c.chat_id, chats.c.topic))
        return tuple(chat_of(row) for row in rows)

    async def extras_wanted(self) -> bool:
        """Tell whether some active chat asks for match cards or pictures."""
        query = select(chats.c.chat_id).where(chats.c.extras == true(), chats.c.active == true()).limit(1)
        async with self._db.transaction() as tx:
            return bool(await tx.fetch(query))

    async def speak(self, ref: ChatRef, language: str) -> None:
        """Keep the language that a chat is spoken to in, unless one was chosen for it."""
        unchosen = and_(_is(ref), chats.c.language_chosen == false())
        async with self._db.transaction() as tx:
            await tx.execute(update(chats).where(unchosen).values(language=language))

    async def suspend(self, chat_id: int, why: str) -> None:
        """Send nothing there until it is resumed; nothing is erased."""
        await self._switch(chat_id, active=False, suspended_why=why)

    async def resume(self, chat_id: int) -> None:
        """Send there again."""
        await self._switch(chat_id, active=True, suspended_why="")

    async def migrate(self, old_chat_id: int, new_chat_id: int) -> None:
        """A group got another id: settings, subscriptions and what it was told move; harmless when it has moved already."""
        async with self._changing() as tx:
            await move(tx, old_chat_id, new_chat_id)

    async def leave_topic(self, ref: ChatRef) -> None:
        """A topic was deleted: what it followed and was told goes to the forum's general one."""
        async with self._db.transaction() as tx:
            await leave_topic(tx, ref)
            await note(tx, ChatRef(ref.chat_id))
        self.changed()

    async def forget_mutes(self, over: Collection[str], before: dt.datetime) -> int:
        """Let go of the mutes of matches that have had one of these statuses since before an instant; how many chats had one."""
        async with self._db.transaction() as tx:
            return await forget_mutes(tx, over, before)

    async def set_fixed(self, wanted: Sequence[tuple[Chat, Sequence[Subscription]]]) -> None:
        """Store the configuration's chats with exactly these subscriptions; those fixed before and not now follow nothing."""
        async with self._changing() as tx:
            await tx.lock("chats of the configuration")
            for row in await tx.fetch(select(chats).where(chats.c.fixed == true())):
                await _unfix(tx, ChatRef(row["chat_id"], row["topic"]))
            for chat, followed in wanted:
                await _forget(tx, chat.ref)
                await tx.execute(upsert(chats), row_of(msgspec.structs.replace(chat, fixed=True)))
                for subscription in followed:
                    await tx.execute(upsert(subscriptions, keep=True), _row(chat.ref, subscription))
                await note(tx, chat.ref)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[Transaction]:
        """A transaction after which somebody follows something else: every process hears of it."""
        async with self._db.transaction() as tx:
            yield tx
            await tx.notify(CHATS)
        self.changed()

    async def _switch(self, chat_id: int, **values: object) -> None:
        async with self._changing() as tx:
            await tx.execute(update(chats).where(chats.c.chat_id == chat_id).values(**values))


async def _unfix(tx: Transaction, ref: ChatRef) -> None:
    await tx.execute(update(chats).where(_is(ref)).values(fixed=false()))
    await _forget(tx, ref)


async def _forget(tx: Transaction, ref: ChatRef) -> None:
    table = subscriptions.c
    await tx.execute(delete(subscriptions).where(table.chat_id == ref.chat_id, table.topic == ref.topic))


def _is(ref: ChatRef) -> ColumnElement[bool]:
    return and_(chats.c.chat_id == ref.chat_id, chats.c.topic == ref.topic)


def _row(ref: ChatRef, subscription: Subscription) -> dict[str, object]:
    row: dict[str, object] = {"chat_id": ref.chat_id, "topic": ref.topic, "scope": subscription.scope.value}
    return row | {"key": subscription.key, "name": subscription.name, "taste": taste_text(subscription.taste)}


def row_of(chat: Chat) -> dict[str, object]:
    """A chat as its row."""
    row = {name: value for name, value in msgspec.structs.asdict(chat).items() if name not in ("ref", "exactly", "ears", *_SETS)}
    return row | {
        "chat_id": chat.ref.chat_id,
        "topic": chat.ref.topic,
        **{name: " ".join(sorted(getattr(chat, name))) for name in _SETS},
        "muted_until": seconds(chat.muted_until) if chat.muted_until else None,
        "quiet": str(chat.quiet) if chat.quiet else "",
        "suspended_why": "",
        "extras": any(chat.takes(kind) for kind in EXTRAS),
    }


def chat_of(row: Mapping[Any, Any]) -> Chat:
    """A row as its chat."""
    named: dict[str, Any] = {name: row[name] for name in _FLAGS}
    for name in _SETS:
        named[name] = _words(row[name]) if row[name] else _NO_WORDS
    return Chat(
        ChatRef(row["chat_id"], row["topic"]),
        row["kind"],
        row["title"],
        active=row["active"],
        all_kinds=row["all_kinds"],
        language=row["language"],
        timezone=row["timezone"],
        delay=row["delay"],
        muted_until=instant(row["muted_until"]) if row["muted_until"] is not None else None,
        quiet=read_quiet(row["quiet"]) if row["quiet"] else None,
        burst_at=row["burst_at"],
        **named,
    )


_COLUMNS = tuple(column.name for column in chats.columns)
_TRUTHS = ("active", "all_kinds", *_FLAGS)


def chat_from(values: Sequence[Any]) -> Chat:
    """The values of the table's columns, from the driver, as a chat."""
    row = dict(zip(_COLUMNS, values, strict=True))
    for name in _TRUTHS:
        row[name] = row[name] == 1
    return chat_of(row)


@lru_cache(maxsize=256)
def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())
