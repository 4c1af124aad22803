"""Chats and their settings: stored, suspended and resumed, moved when Telegram gives a group another id."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import msgspec
from msgspec.structs import replace
from sqlalchemy import ColumnElement, and_, delete, exists, false, func, select, true, update

from bot.i18n.language import find_language
from bot.storage.chat_rows import (
    chat_to_row,
    format_muted_matches,
    parse_muted_matches,
    row_to_chat,
    row_to_readable_chat,
)
from bot.storage.damage import read_rows
from bot.storage.database import Database, upsert
from bot.storage.driver import CHATS_CHANNEL, Row, Transaction
from bot.storage.moved_chats import move_chat
from bot.storage.schema import chats, entries, moved_chats, standings, subscriptions, to_timestamp
from bot.subscribers import CardForm, Chat, ChatRef, MatchMute

_FORGOTTEN_AT_ONCE = 500
"""Chats whose data one transaction deletes; the rest waits for the next hour."""

OnChange = Callable[[], None]

ChangeChat = Callable[[Chat], Chat]
"""Returns a chat with some settings changed. It may be given a newer chat than the one that its caller looked at."""


class ChatRepository:
    """Reads and writes chats and their settings.

    `on_change` is called in this process after every change of who gets what; other processes are notified.
    """

    def __init__(self, database: Database, on_change: OnChange | None = None) -> None:
        self._database = database
        self._on_change = on_change
        self.on_migrated: Callable[[int, int], None] | None = None
        """Called in this process with the old and the new id of a group that became a supergroup."""
        self.on_topic_opened: Callable[[int], None] | None = None
        """Called in this process with the id of a forum in which a closed topic was opened."""

    async def get(self, ref: ChatRef) -> Chat | None:
        """Return a chat; None if it is not known."""
        async with self._database.transaction() as tx:
            found = read_rows(tx, chats, await tx.fetch(select(chats).where(is_chat(ref))), row_to_chat, row_to_readable_chat)
        return found[0] if found else None

    async def get_or_create(self, ref: ChatRef, chat_type: str, title: str, card_form: CardForm = CardForm.TEXT) -> Chat:
        """Return the chat, stored if it is new, with the type and title that it has now. Empty ones leave what is known.

        `card_form` is that of a new chat.
        """

        def rename(chat: Chat) -> Chat:
            return msgspec.structs.replace(chat, type=chat_type or chat.type, title=title or chat.title)

        stored = await self.get(ref)
        if stored is not None and rename(stored) == stored:
            # Nearly always: then nothing is written and no row is locked.
            return stored
        chat = rename(Chat(ref, card_form=card_form))
        async with self._database.transaction() as tx:
            await tx.execute(upsert(chats, keep_existing=True), chat_to_row(chat))
            return await update_chat(tx, ref, rename) or chat

    async def update(self, ref: ChatRef, change: ChangeChat) -> Chat | None:
        """Change settings of a chat and return it as it is then; None if it is not known. See `update_chat`."""
        async with self._database.transaction() as tx:
            return await update_chat(tx, ref, change)

    async def save(self, chat: Chat) -> None:
        """Store a chat with all its settings, whatever is stored: for chats that nobody else is changing. Others: `update`."""
        async with self._database.transaction() as tx:
            await tx.execute(upsert(chats), chat_to_row(chat))
            # The caller's copy may be older than the last change of a subscription's overrides.
            await update_has_overrides(tx, chat.ref)

    async def get_all(self) -> tuple[Chat, ...]:
        """Return every chat, suspended ones too, in the order of their ids."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(select(chats).order_by(chats.c.chat_id, chats.c.topic))
            return tuple(read_rows(tx, chats, rows, row_to_chat, row_to_readable_chat))

    async def get_configured_by_name(self) -> dict[str, Chat]:
        """Return the chats of the configuration that have a public name, by `@name` in lower case."""
        query = select(chats).where(chats.c.fixed == true(), chats.c.username != "").order_by(chats.c.chat_id, chats.c.topic)
        async with self._database.transaction() as tx:
            found = read_rows(tx, chats, await tx.fetch(query), row_to_chat, row_to_readable_chat)
        return {f"@{chat.username}".casefold(): chat for chat in found}

    @asynccontextmanager
    async def changing(self, *, followers: bool) -> AsyncIterator[Transaction]:
        """Run a transaction for several changes of a chat. With `followers`, every process is notified as soon as it commits."""
        if followers:
            async with changing_followers(self._database, self._on_change) as tx:
                yield tx
        else:
            async with self._database.transaction() as tx:
                yield tx

    async def has_live_message_chats(self) -> bool:
        """Return True if some active chat wants match cards or pictures."""
        query = select(chats.c.chat_id).where(chats.c.extras == true(), chats.c.active == true()).limit(1)
        async with self._database.transaction() as tx:
            return bool(await tx.fetch(query))

    async def list_table_languages(self) -> frozenset[str]:
        """Return the languages of the active chats whose match cards are tables. Of an unknown language it is English."""
        is_table = and_(chats.c.card_form == CardForm.RICH.value, chats.c.spoilers == false())
        query = select(chats.c.language).where(chats.c.extras == true(), chats.c.active == true(), is_table).distinct()
        async with self._database.transaction() as tx:
            return frozenset(find_language(row["language"]) for row in await tx.fetch(query))

    async def set_language_if_unchosen(self, ref: ChatRef, language: str) -> None:
        """Set the language of a chat, unless somebody chose one for it meanwhile."""
        async with self._database.transaction() as tx:
            await tx.execute(update(chats).where(is_chat(ref), chats.c.language_chosen == false()).values(language=language))

    async def suspend(self, chat_id: int, reason: str) -> None:
        """Send nothing to a chat and its topics until `resume`. Nothing is deleted."""
        async with changing_followers(self._database, self._on_change) as tx:
            await tx.execute(update(chats).where(chats.c.chat_id == chat_id).values(active=False, suspended_why=reason))

    async def resume(self, chat_id: int) -> None:
        """Send to a suspended chat again."""
        async with changing_followers(self._database, self._on_change) as tx:
            await tx.execute(
                update(chats).where(chats.c.chat_id == chat_id).values(active=True, suspended_why="", suspended_at=None)
            )

    async def forget_suspended(self, keep: dt.timedelta, now: dt.datetime) -> int:
        """Delete what is stored of chats that have been suspended for `keep`; return how many there were.

        Called about every hour: the time of a chat counts from the first call that finds it suspended, never from before.
        """
        async with self._database.transaction() as tx:
            is_gone = chats.c.active == false()
            await tx.execute(update(chats).where(is_gone, chats.c.suspended_at.is_(None)).values(suspended_at=to_timestamp(now)))
            # A chat of the configuration stays: only the operator takes it out of the file.
            query = select(chats.c.chat_id, chats.c.topic).where(is_gone, chats.c.fixed == false())
            rows = await tx.fetch(query.where(chats.c.suspended_at <= to_timestamp(now - keep)).limit(_FORGOTTEN_AT_ONCE))
            for row in rows:
                await erase_chat(tx, ChatRef(row["chat_id"], row["topic"]))
        return len(rows)

    async def erase(self, ref: ChatRef) -> None:
        """Delete a chat or topic with its settings, subscriptions and deliveries. Its messages are not corrected after."""
        async with changing_followers(self._database, self._on_change) as tx:
            await erase_chat(tx, ref)

    async def migrate(self, old_chat_id: int, new_chat_id: int) -> None:
        """Move settings, subscriptions and deliveries of a group that became a supergroup. Repeating it changes nothing."""
        async with changing_followers(self._database, self._on_change) as tx:
            for ref in await move_chat(tx, old_chat_id, new_chat_id):
                await update_has_overrides(tx, ref)
            await tx.notify(CHATS_CHANNEL, f"{_MOVED} {old_chat_id} {new_chat_id}")
        if self.on_migrated and old_chat_id != new_chat_id:
            self.on_migrated(old_chat_id, new_chat_id)

    async def announce_opened_topic(self, chat_id: int) -> None:
        """Let the senders of all processes try a forum's closed topics at once: one of them was opened."""
        async with self._database.transaction() as tx:
            await tx.notify(CHATS_CHANNEL, f"{_OPENED} {chat_id}")
        if self.on_topic_opened:
            self.on_topic_opened(chat_id)

    async def merge_topic_into_general(self, ref: ChatRef) -> None:
        """Move subscriptions and deliveries of a deleted topic to the forum's general topic, unless that has its own."""
        async with self._database.transaction() as tx:
            for table in (chats, subscriptions, entries):
                in_topic = and_(table.c.chat_id == ref.chat_id, table.c.topic == ref.topic)
                other = table.alias()
                keys = [key.name for key in table.primary_key if key.name not in ("chat_id", "topic")]
                same = [other.c[name] == table.c[name] for name in keys]
                in_general = exists().where(other.c.chat_id == ref.chat_id, other.c.topic == 0, *same)
                await tx.execute(delete(table).where(in_topic, in_general))
                if table is entries:
                    # The messages are gone with the topic: 0 says that they cannot be edited or answered.
                    await tx.execute(update(table).where(in_topic, table.c.message_id.is_not(None)).values(message_id=0))
                await tx.execute(update(table).where(in_topic).values(topic=0))
            await update_has_overrides(tx, ChatRef(ref.chat_id))
        if self._on_change:
            self._on_change()

    async def clear_finished_mutes(self, over: Collection[str], before: dt.datetime) -> int:
        """Remove muted matches that have had a status of `over` since before an instant; return how many chats had one."""
        count = 0
        async with self._database.transaction() as tx:
            query = select(chats.c.chat_id, chats.c.topic, chats.c.muted_matches).where(chats.c.muted_matches != "")
            muting = read_rows(tx, chats, await tx.fetch(query), _read_mutes)
            muted_ids = {fixture_id for _, muted, _ in muting for fixture_id in muted}
            known = await tx.fetch(select(standings).where(standings.c.fixture_id.in_(muted_ids))) if muted_ids else ()
            # A match that ended just now stays muted: the alert of its end may still be on its way. One that the feed does not
            # list any more is let go.
            still_muted = {
                row["fixture_id"]
                for row in known
                if row["status"].casefold() not in over or row["updated_at"] >= to_timestamp(before)
            }
            for row, muted, for_a_while in muting:
                # A while that is over ends a mute of itself, and is only removed here.
                kept = format_muted_matches(muted & still_muted, [one for one in for_a_while if one.until >= before])
                if kept != row["muted_matches"]:
                    # Not if somebody has muted or unmuted a match of this chat since it was read: the next round looks again.
                    here = is_chat(ChatRef(row["chat_id"], row["topic"]))
                    unchanged = and_(here, chats.c.muted_matches == row["muted_matches"])
                    count += await tx.execute(update(chats).where(unchanged).values(muted_matches=kept))
        return count


class ChatCounts(msgspec.Struct, frozen=True):
    """How many chats are written to, how many of them follow something, and how many are suspended. A forum's topics count."""

    active: int
    following: int
    suspended: int


async def count_chats(tx: Transaction) -> ChatCounts:
    """Count the chats, for /status."""
    rows = await tx.fetch(select(chats.c.active, func.count().label("n")).group_by(chats.c.active))
    counts = {bool(row["active"]): int(row["n"]) for row in rows}
    of_chat = (subscriptions.c.chat_id == chats.c.chat_id, subscriptions.c.topic == chats.c.topic)
    query = select(func.count().label("n")).select_from(chats).where(chats.c.active == true(), exists().where(*of_chat))
    (following,) = await tx.fetch(query)
    return ChatCounts(counts.get(True, 0), int(following["n"]), counts.get(False, 0))


@asynccontextmanager
async def changing_followers(database: Database, on_change: OnChange | None) -> AsyncIterator[Transaction]:
    """Run a transaction that changes which chats are sent to, or what they follow, and notify every process of it."""
    async with database.transaction() as tx:
        yield tx
        await tx.notify(CHATS_CHANNEL)
    if on_change:
        on_change()


_MOVED, _OPENED = "moved", "opened"


class MovedChat(msgspec.Struct, frozen=True):
    """A group became a supergroup."""

    old_id: int
    new_id: int


class OpenedTopic(msgspec.Struct, frozen=True):
    """A closed topic of a forum was opened."""

    chat_id: int


def parse_chats_notification(payload: str) -> MovedChat | OpenedTopic | None:
    """Read a notification of `CHATS_CHANNEL`. None: who gets what has changed, and nothing more is said of it."""
    match payload.split(" "):
        case [word, old, new] if word == _MOVED:
            return MovedChat(int(old), int(new))
        case [word, chat_id] if word == _OPENED:
            return OpenedTopic(int(chat_id))
    return None


async def update_chat(tx: Transaction, ref: ChatRef, change: ChangeChat) -> Chat | None:
    """Apply a change to a chat as it is stored now, and return the result; None if the chat is not known.

    Settings that cannot be read stay as they are stored, unless the change is of one of them.
    """
    # The row is locked before it is read: of two administrators who press switches at the same moment, the second changes what
    # the first has made of the chat. A change that was computed from a chat read earlier would undo the first one.
    found = read_rows(
        tx, chats, await tx.fetch(select(chats).where(is_chat(ref)).with_for_update()), row_to_chat, row_to_readable_chat
    )
    if not found:
        return None
    before, after = found[0], change(found[0])
    old, new = chat_to_row(before), chat_to_row(after)
    # Only the columns that differ: the sender writes the digest window of the same row, and a newer version of Touchline may
    # have put something into a column that this one cannot express.
    changed = {name: value for name, value in new.items() if value != old[name]}
    if changed:
        await tx.execute(update(chats).where(is_chat(ref)).values(changed))
    return after


async def erase_chat(tx: Transaction, ref: ChatRef) -> None:
    """Delete a chat or topic with its settings, subscriptions and deliveries."""
    # Subscriptions before their chat, as wherever both are locked.
    for table in (subscriptions, entries, chats):
        await tx.execute(delete(table).where(table.c.chat_id == ref.chat_id, table.c.topic == ref.topic))
    # Of a forum with the last of its topics.
    is_gone = ~exists().where(chats.c.chat_id == moved_chats.c.new_id)
    await tx.execute(delete(moved_chats).where(moved_chats.c.new_id == ref.chat_id, is_gone))


async def learn_language(tx: Transaction, ref: ChatRef, language: str) -> None:
    """Set the language of a chat that has none yet, unless somebody chose one for it."""
    has_none = and_(is_chat(ref), chats.c.language == "", chats.c.language_chosen == false())
    await tx.execute(update(chats).where(has_none).values(language=language))


async def update_has_overrides(tx: Transaction, ref: ChatRef) -> None:
    """Store with the chat whether any of its subscriptions has overrides: if none has, alerts need no query for them."""
    table = subscriptions.c
    has_any = exists().where(table.chat_id == ref.chat_id, table.topic == ref.topic, table.taste != "")
    await tx.execute(update(chats).where(is_chat(ref)).values(tasted=select(has_any).scalar_subquery()))


def is_chat(ref: ChatRef) -> ColumnElement[bool]:
    """Return the WHERE clause for one row of `chats`."""
    return and_(chats.c.chat_id == ref.chat_id, chats.c.topic == ref.topic)


async def move_mutes(tx: Transaction, old_ids: Collection[str], new_id: str) -> None:
    """Let chats that have muted a match under one of these ids have it muted under its new id."""
    # Locked: somebody may mute or unmute another match of the chat meanwhile.
    muting = select(chats.c.chat_id, chats.c.topic, chats.c.muted_matches).where(chats.c.muted_matches != "").with_for_update()
    for row, muted, for_a_while in read_rows(tx, chats, await tx.fetch(muting), _read_mutes):
        moved = frozenset(new_id if fixture_id in old_ids else fixture_id for fixture_id in muted)
        moved_mutes = tuple(replace(one, fixture_id=new_id) if one.fixture_id in old_ids else one for one in for_a_while)
        if (moved, moved_mutes) == (muted, for_a_while):
            continue
        changed = update(chats).where(is_chat(ChatRef(row["chat_id"], row["topic"])))
        await tx.execute(changed.values(muted_matches=format_muted_matches(moved, moved_mutes)))


def _read_mutes(row: Row) -> tuple[Row, frozenset[str], tuple[MatchMute, ...]]:
    """Return a row of `chats` with the matches that are muted until they are over, and those that are for a while."""
    return row, *parse_muted_matches(row["muted_matches"])
