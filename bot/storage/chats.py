"""Chats and settings; suspend, resume, migrate, delete a topic."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, delete, exists, false, select, true, tuple_, update

from bot.storage.database import Database, upsert
from bot.storage.driver import CHATS_CHANNEL, Transaction
from bot.storage.schema import chats, entries, from_timestamp, standings, subscriptions, to_timestamp
from bot.storage.subscriptions import save_overrides, select_followers, update_has_overrides
from bot.subscribers import Chat, ChatRef, Scope, Subscription, format_overrides, parse_overrides, parse_quiet_hours
from rules.engine.alert import LIVE_MESSAGE_KINDS
from rules.football.action import Fixture

_SET_COLUMNS = ("kinds_on", "kinds_off", "ring", "silent", "muted_matches")
"""Settings that are sets of kinds or of fixture ids, kept as words."""

_EMPTY_SET: frozenset[str] = frozenset()

_FLAG_COLUMNS = ("waits", "buttons", "spoilers", "bursts", "scorers", "tasted", "language_chosen", "fixed")


def _do_nothing() -> None:
    """Nobody listens."""


class ChatRepository:
    """The repository of chats. `changed` is called after every change of who follows what."""

    def __init__(self, db: Database, changed: Callable[[], None] = _do_nothing) -> None:
        self._db = db
        self.changed = changed

    async def get(self, ref: ChatRef) -> Chat | None:
        """A chat; None where it was never seen."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(chats).where(_is_chat(ref)))
        return row_to_chat(rows[0]) if rows else None

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
            await tx.execute(upsert(chats), chat_to_row(chat))
            await update_has_overrides(tx, chat.ref)

    async def all(self) -> tuple[Chat, ...]:
        """Every chat, suspended ones too."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(chats).order_by(chats.c.chat_id, chats.c.topic))
        return tuple(row_to_chat(row) for row in rows)

    async def subscribe(self, ref: ChatRef, subscription: Subscription) -> bool:
        """Follow; false where the chat does already."""
        async with self._changing() as tx:
            await tx.execute(upsert(chats, keep=True), chat_to_row(Chat(ref)))
            new = await tx.execute(upsert(subscriptions, keep=True), _subscription_to_row(ref, subscription)) > 0
            await update_has_overrides(tx, ref)
        return new

    async def unsubscribe(self, ref: ChatRef, subscription: Subscription) -> bool:
        """Follow no longer; false where the chat did not."""
        table = subscriptions.c
        this = and_(table.chat_id == ref.chat_id, table.topic == ref.topic)
        this = and_(this, table.scope == subscription.scope.value, table.key == subscription.key)
        async with self._changing() as tx:
            gone = await tx.execute(delete(subscriptions).where(this)) > 0
            await update_has_overrides(tx, ref)
        return gone

    async def subscriptions(self, ref: ChatRef) -> tuple[Subscription, ...]:
        """What a chat follows, by name."""
        table = subscriptions.c
        query = select(subscriptions).where(table.chat_id == ref.chat_id, table.topic == ref.topic)
        async with self._db.transaction() as tx:
            rows = await tx.fetch(query.order_by(table.name, table.scope, table.key))
        return tuple(Subscription(Scope(row["scope"]), row["key"], row["name"], parse_overrides(row["taste"])) for row in rows)

    async def tune(self, ref: ChatRef, subscription: Subscription) -> None:
        """Keep the taste of a subscription; one that is gone stays gone."""
        async with self._db.transaction() as tx:
            await save_overrides(tx, ref, subscription)

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
        found = select_followers(fixture, None, None)
        query = select(chats).where(tuple_(chats.c.chat_id, chats.c.topic).in_(found), chats.c.active == true())
        async with self._db.transaction() as tx:
            rows = await tx.fetch(query.order_by(chats.c.chat_id, chats.c.topic))
        return tuple(row_to_chat(row) for row in rows)

    async def extras_wanted(self) -> bool:
        """Tell whether some active chat asks for match cards or pictures."""
        query = select(chats.c.chat_id).where(chats.c.extras == true(), chats.c.active == true()).limit(1)
        async with self._db.transaction() as tx:
            return bool(await tx.fetch(query))

    async def speak(self, ref: ChatRef, language: str) -> None:
        """Keep the language that a chat is spoken to in, unless one was chosen for it."""
        unchosen = and_(_is_chat(ref), chats.c.language_chosen == false())
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
            await move_chat(tx, old_chat_id, new_chat_id)

    async def leave_topic(self, ref: ChatRef) -> None:
        """A topic was deleted: what it followed and was told goes to the forum's general one."""
        async with self._db.transaction() as tx:
            await move_topic_to_general(tx, ref)
            await update_has_overrides(tx, ChatRef(ref.chat_id))
        self.changed()

    async def forget_mutes(self, over: Collection[str], before: dt.datetime) -> int:
        """Let go of the mutes of matches that have had one of these statuses since before an instant; how many chats had one."""
        async with self._db.transaction() as tx:
            return await clear_finished_mutes(tx, over, before)

    async def set_fixed(self, wanted: Sequence[tuple[Chat, Sequence[Subscription]]]) -> None:
        """Store the configuration's chats with exactly these subscriptions; those fixed before and not now follow nothing."""
        async with self._changing() as tx:
            await tx.lock("chats of the configuration")
            for row in await tx.fetch(select(chats).where(chats.c.fixed == true())):
                await _release_configured_chat(tx, ChatRef(row["chat_id"], row["topic"]))
            for chat, followed in wanted:
                await _delete_subscriptions(tx, chat.ref)
                await tx.execute(upsert(chats), chat_to_row(msgspec.structs.replace(chat, fixed=True)))
                for subscription in followed:
                    await tx.execute(upsert(subscriptions, keep=True), _subscription_to_row(chat.ref, subscription))
                await update_has_overrides(tx, chat.ref)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[Transaction]:
        """A transaction after which somebody follows something else: every process hears of it."""
        async with self._db.transaction() as tx:
            yield tx
            await tx.notify(CHATS_CHANNEL)
        self.changed()

    async def _switch(self, chat_id: int, **values: object) -> None:
        async with self._changing() as tx:
            await tx.execute(update(chats).where(chats.c.chat_id == chat_id).values(**values))


async def _release_configured_chat(tx: Transaction, ref: ChatRef) -> None:
    await tx.execute(update(chats).where(_is_chat(ref)).values(fixed=false()))
    await _delete_subscriptions(tx, ref)


async def _delete_subscriptions(tx: Transaction, ref: ChatRef) -> None:
    table = subscriptions.c
    await tx.execute(delete(subscriptions).where(table.chat_id == ref.chat_id, table.topic == ref.topic))


def _is_chat(ref: ChatRef) -> ColumnElement[bool]:
    return and_(chats.c.chat_id == ref.chat_id, chats.c.topic == ref.topic)


def _subscription_to_row(ref: ChatRef, subscription: Subscription) -> dict[str, object]:
    row: dict[str, object] = {"chat_id": ref.chat_id, "topic": ref.topic, "scope": subscription.scope.value}
    return row | {"key": subscription.key, "name": subscription.name, "taste": format_overrides(subscription.taste)}


def chat_to_row(chat: Chat) -> dict[str, object]:
    """A chat as its row."""
    row = {
        name: value
        for name, value in msgspec.structs.asdict(chat).items()
        if name not in ("ref", "exactly", "ears", *_SET_COLUMNS)
    }
    return row | {
        "chat_id": chat.ref.chat_id,
        "topic": chat.ref.topic,
        **{name: " ".join(sorted(getattr(chat, name))) for name in _SET_COLUMNS},
        "muted_until": to_timestamp(chat.muted_until) if chat.muted_until else None,
        "quiet": str(chat.quiet) if chat.quiet else "",
        "suspended_why": "",
        "extras": any(chat.takes(kind) for kind in LIVE_MESSAGE_KINDS),
    }


def row_to_chat(row: Mapping[Any, Any]) -> Chat:
    """A row as its chat."""
    named: dict[str, Any] = {name: row[name] for name in _FLAG_COLUMNS}
    for name in _SET_COLUMNS:
        named[name] = _split_words(row[name]) if row[name] else _EMPTY_SET
    return Chat(
        ChatRef(row["chat_id"], row["topic"]),
        row["kind"],
        row["title"],
        active=row["active"],
        all_kinds=row["all_kinds"],
        language=row["language"],
        timezone=row["timezone"],
        delay=row["delay"],
        muted_until=from_timestamp(row["muted_until"]) if row["muted_until"] is not None else None,
        quiet=parse_quiet_hours(row["quiet"]) if row["quiet"] else None,
        burst_at=row["burst_at"],
        **named,
    )


_CHAT_COLUMNS = tuple(column.name for column in chats.columns)

_BOOLEAN_COLUMNS = ("active", "all_kinds", *_FLAG_COLUMNS)


def values_to_chat(values: Sequence[Any]) -> Chat:
    """The values of the table's columns, from the driver, as a chat."""
    row = dict(zip(_CHAT_COLUMNS, values, strict=True))
    for name in _BOOLEAN_COLUMNS:
        row[name] = row[name] == 1
    return row_to_chat(row)


@lru_cache(maxsize=256)
def _split_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


async def move_chat(tx: Transaction, old: int, new: int) -> None:
    """Move rows; where both ids have one, the old id's stays: it is the one that somebody chose. Harmless when repeated."""
    if not await tx.fetch(select(chats.c.chat_id).where(chats.c.chat_id == old).limit(1)):
        return
    for table in (chats, subscriptions, entries):
        other = table.alias()
        same = [other.c[key.name] == table.c[key.name] for key in table.primary_key if key.name != "chat_id"]
        await tx.execute(delete(table).where(table.c.chat_id == new, exists().where(other.c.chat_id == old, *same)))
    await tx.execute(update(chats).where(chats.c.chat_id == old).values(chat_id=new, kind="supergroup"))
    await tx.execute(update(subscriptions).where(subscriptions.c.chat_id == old).values(chat_id=new))
    # The messages of the old group have other ids in the new one: 0 says that they cannot be edited or answered.
    told = (entries.c.chat_id == old, entries.c.message_id.is_not(None))
    await tx.execute(update(entries).where(*told).values(message_id=0))
    await tx.execute(update(entries).where(entries.c.chat_id == old).values(chat_id=new))


async def move_topic_to_general(tx: Transaction, ref: ChatRef) -> None:
    """Move a topic's rows to the general one; where that has a row already, it stays. Its messages are gone with the topic."""
    for table in (chats, subscriptions, entries):
        here = and_(table.c.chat_id == ref.chat_id, table.c.topic == ref.topic)
        other = table.alias()
        same = [other.c[key.name] == table.c[key.name] for key in table.primary_key if key.name not in ("chat_id", "topic")]
        general = exists().where(other.c.chat_id == ref.chat_id, other.c.topic == 0, *same)
        await tx.execute(delete(table).where(here, general))
        if table is entries:
            await tx.execute(update(table).where(here, table.c.message_id.is_not(None)).values(message_id=0))
        await tx.execute(update(table).where(here).values(topic=0))


async def clear_finished_mutes(tx: Transaction, over: Collection[str], before: dt.datetime) -> int:
    """Let go of matches that have had a status of `over` since before an instant, and of those not known any more.

    An end that came just now is still being told to other chats, and stays muted here.
    """
    muting = await tx.fetch(select(chats.c.chat_id, chats.c.topic, chats.c.muted_matches).where(chats.c.muted_matches != ""))
    ids = {fixture_id for row in muting for fixture_id in row["muted_matches"].split()}
    known = await tx.fetch(select(standings).where(standings.c.fixture_id.in_(ids))) if ids else ()
    open_ = {r["fixture_id"] for r in known if r["status"].casefold() not in over or r["updated_at"] >= to_timestamp(before)}
    changed = [
        (row, words) for row in muting if (words := _keep_fixture_ids(row["muted_matches"], open_)) != row["muted_matches"]
    ]
    for row, words in changed:
        this = and_(chats.c.chat_id == row["chat_id"], chats.c.topic == row["topic"])
        await tx.execute(update(chats).where(this).values(muted_matches=words))
    return len(changed)


def _keep_fixture_ids(words: str, ids: Collection[str]) -> str:
    return " ".join(word for word in words.split() if word in ids)
