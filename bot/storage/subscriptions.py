"""Who follows what: subscriptions of chats, their overrides, and the followers of a fixture a page at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    false,
    or_,
    select,
    true,
    union,
    update,
)
from sqlalchemy.sql.schema import Column

from bot.storage.chat_rows import (
    chat_to_row,
    row_to_chat,
    row_to_readable_chat,
    values_to_chat,
    values_to_readable_chat,
)
from bot.storage.chats import OnChange, changing_followers, is_chat, move_mutes, update_chat, update_has_overrides
from bot.storage.damage import UNREADABLE, note_damage, read_rows
from bot.storage.database import Database, upsert
from bot.storage.driver import PreparedStatement, Row, Transaction
from bot.storage.moved_chats import CONFIGURED_CHATS_LOCK, read_new_ids
from bot.storage.schema import chats, subscriptions
from bot.subscribers import (
    Chat,
    ChatRef,
    Recipient,
    Scope,
    Subscription,
    SubscriptionOverrides,
    format_overrides,
    list_subscription_keys,
    parse_overrides,
)
from rules.football.action import Fixture

ChangeOverrides = Callable[[SubscriptionOverrides], SubscriptionOverrides]
"""Returns overrides with something changed. It may be given newer ones than those that its caller looked at."""

_LAST_CHAT, _LAST_TOPIC = bindparam("last_chat", type_=BigInteger), bindparam("last_topic", type_=BigInteger)

_PAGE_SIZE = bindparam("page_size", type_=Integer)

_BEFORE_ALL_CHATS = ChatRef(-(2**63))
"""A chat that is less than every other: its id is the least that the column can hold."""


class SubscriptionRepository:
    """Reads and writes what chats follow.

    `on_change` is called in this process after every change of who follows what; other processes are notified.
    """

    def __init__(self, database: Database, on_change: OnChange | None = None) -> None:
        self._database = database
        self._on_change = on_change

    async def add(self, ref: ChatRef, subscription: Subscription) -> bool:
        """Follow something; return False if the chat follows it already. A chat that is not known yet is stored."""
        async with changing_followers(self._database, self._on_change) as tx:
            return await add_subscription(tx, ref, subscription)

    async def remove(self, ref: ChatRef, subscription: Subscription) -> bool:
        """Follow something no longer; return False if the chat did not follow it."""
        async with changing_followers(self._database, self._on_change) as tx:
            return await remove_subscription(tx, ref, subscription)

    async def get_all(self, ref: ChatRef) -> tuple[Subscription, ...]:
        """Return what a chat follows, by name."""
        async with self._database.transaction() as tx:
            return await read_subscriptions(tx, ref)

    async def get_active(self) -> tuple[Subscription, ...]:
        """Return what some active chat follows, each once, without names and overrides."""
        table = subscriptions.c
        followed = and_(chats.c.chat_id == table.chat_id, chats.c.topic == table.topic)
        query = select(table.scope, table.key).join(chats, followed).where(chats.c.active == true()).distinct()
        async with self._database.transaction() as tx:
            rows = await tx.fetch(query)
            return tuple(read_rows(tx, subscriptions, rows, lambda row: Subscription(Scope(row["scope"]), row["key"])))

    async def get_chats_that_chose(self, fixture: Fixture) -> tuple[ChatRef, ...]:
        """Return the active chats that follow a match itself or one of its teams, in order; not those who follow more."""
        keys = [(scope.value, key) for scope, key in list_subscription_keys(fixture) if scope in (Scope.MATCH, Scope.TEAM)]
        table = subscriptions.c
        followed = and_(chats.c.chat_id == table.chat_id, chats.c.topic == table.topic)
        query = (
            select(table.chat_id, table.topic)
            .join(chats, followed)
            .where(or_(*(and_(table.scope == scope, table.key == key) for scope, key in keys)), chats.c.active == true())
            .distinct()
            .order_by(table.chat_id, table.topic)
        )
        async with self._database.transaction() as tx:
            return tuple(ChatRef(row["chat_id"], row["topic"]) for row in await tx.fetch(query))

    async def find_topic(self, chat_id: int, wanted: Sequence[Subscription]) -> ChatRef | None:
        """Return the first active topic of a forum, the general one apart, that follows one of these; None if there is none."""
        table = subscriptions.c
        followed = and_(chats.c.chat_id == table.chat_id, chats.c.topic == table.topic)
        query = (
            select(table.topic)
            .join(chats, followed)
            .where(
                table.chat_id == chat_id,
                table.topic != 0,
                or_(*(and_(table.scope == one.scope.value, table.key == one.key) for one in wanted)),
                chats.c.active == true(),
            )
            .order_by(table.topic)
            .limit(1)
        )
        async with self._database.transaction() as tx:
            rows = await tx.fetch(query)
        return ChatRef(chat_id, rows[0]["topic"]) if rows else None

    async def move(self, scope: Scope, old_keys: Collection[str], new: Subscription) -> int:
        """Let chats that follow something under an old key follow it under a new one, with the same overrides.

        Return how many subscriptions were moved. A chat that follows the new one already keeps that one. A chat that has muted a
        match has muted it under its new id.
        """
        table = subscriptions.c
        moved = 0
        async with changing_followers(self._database, self._on_change) as tx:
            query = select(subscriptions).where(table.scope == scope, table.key.in_(list(old_keys))).with_for_update()
            for row in await tx.fetch(query):
                ref = ChatRef(row["chat_id"], row["topic"])
                values = {"chat_id": ref.chat_id, "topic": ref.topic, "scope": new.scope.value, "key": new.key, "name": new.name}
                await tx.execute(upsert(subscriptions, keep_existing=True), values | {"taste": row["taste"]})
                await tx.execute(delete(subscriptions).where(_is_subscription(ref, Subscription(scope, row["key"]))))
                moved += 1
            if scope is Scope.MATCH:
                await move_mutes(tx, old_keys, new.key)
        return moved

    async def store_configured_chats(self, wanted: Sequence[tuple[Chat, Sequence[Subscription]]]) -> dict[int, int]:
        """Store the chats of config.yaml with exactly these subscriptions. Those that left the file follow nothing any more.

        A group that has become a supergroup is stored under its new id. Return the new ids of all such groups by the old ones.
        """
        async with changing_followers(self._database, self._on_change) as tx:
            # Every process does this at its start: one after the other, so that they do not delete what another just added.
            await tx.lock(CONFIGURED_CHATS_LOCK)
            for row in await tx.fetch(select(chats).where(chats.c.fixed == true())):
                ref = ChatRef(row["chat_id"], row["topic"])
                await tx.execute(update(chats).where(is_chat(ref)).values(fixed=false()))
                await tx.execute(delete(subscriptions).where(_is_of_chat(ref)))
            new_ids = await read_new_ids(tx)
            named = {chat.ref for chat, _ in wanted}
            for chat, followed in wanted:
                ref = ChatRef(new_ids.get(chat.ref.chat_id, chat.ref.chat_id), chat.ref.topic)
                if ref != chat.ref and ref in named:
                    # The file names the chat by both ids: what it says of the new one counts.
                    continue
                await tx.execute(delete(subscriptions).where(_is_of_chat(ref)))
                await tx.execute(upsert(chats), chat_to_row(replace(chat, ref=ref, is_configured=True)))
                for subscription in followed:
                    await tx.execute(upsert(subscriptions, keep_existing=True), _subscription_to_row(ref, subscription))
                await update_has_overrides(tx, ref)
        return new_ids


async def add_subscription(tx: Transaction, ref: ChatRef, subscription: Subscription) -> bool:
    """Follow something; return False if the chat follows it already. A chat that is not known yet is stored."""
    # A subscription without its chat would reach nobody: the fan-out reads chats with their settings.
    await tx.execute(upsert(chats, keep_existing=True), chat_to_row(Chat(ref)))
    is_new = await tx.execute(upsert(subscriptions, keep_existing=True), _subscription_to_row(ref, subscription)) > 0
    await update_has_overrides(tx, ref)
    return is_new


async def remove_subscription(tx: Transaction, ref: ChatRef, subscription: Subscription) -> bool:
    """Follow something no longer; return False if the chat did not follow it."""
    is_removed = await tx.execute(delete(subscriptions).where(_is_subscription(ref, subscription))) > 0
    await update_has_overrides(tx, ref)
    return is_removed


async def read_subscriptions(tx: Transaction, ref: ChatRef) -> tuple[Subscription, ...]:
    """Return what a chat follows, by name."""
    table = subscriptions.c
    rows = await tx.fetch(select(subscriptions).where(_is_of_chat(ref)).order_by(table.name, table.scope, table.key))
    return tuple(read_rows(tx, subscriptions, rows, _row_to_subscription))


def _row_to_subscription(row: Row) -> Subscription:
    return Subscription(Scope(row["scope"]), row["key"], row["name"], parse_overrides(row["taste"]))


async def unfollow_all(tx: Transaction, ref: ChatRef) -> None:
    """Follow nothing any more. What was followed is kept with the chat, so that it can be restored, also after a restart."""
    followed = await read_subscriptions(tx, ref)
    for subscription in followed:
        await remove_subscription(tx, ref, subscription)
    if followed:  # a second /stop does not make the first one's Undo forget what it restores
        await update_chat(tx, ref, lambda chat: replace(chat, unfollowed=followed))


async def restore_unfollowed(tx: Transaction, ref: ChatRef) -> None:
    """Follow again what `unfollow_all` removed last, with its overrides. What was followed anew meanwhile stays as it is."""
    rows = await tx.fetch(select(chats).where(is_chat(ref)))
    for chat in read_rows(tx, chats, rows, row_to_chat, row_to_readable_chat):
        for subscription in chat.unfollowed:
            await add_subscription(tx, ref, subscription)
    await update_chat(tx, ref, lambda chat: replace(chat, unfollowed=()))


async def update_subscription_overrides(
    tx: Transaction, ref: ChatRef, subscription: Subscription, change: ChangeOverrides
) -> None:
    """Change the overrides of a subscription as they are stored now. One that was removed meanwhile stays removed."""
    is_subscription = _is_subscription(ref, subscription)
    # Locked before it is read, as in `update_chat`. The subscription's row before its chat's: `remove_subscription` locks them in
    # this order too, and two transactions that took them in opposite orders would wait for each other.
    rows = await tx.fetch(select(subscriptions.c.taste).where(is_subscription).with_for_update())
    if rows:
        overrides = format_overrides(change(parse_overrides(rows[0]["taste"])))
        await tx.execute(update(subscriptions).where(is_subscription).values(taste=overrides))
        await update_has_overrides(tx, ref)


# These queries run for every alert, and SQLAlchemy takes longer to build one than SQLite to run it. So each is built once for
# every number of keys by which a fixture is followed.


async def read_followers_page(
    tx: Transaction, fixture: Fixture, last: ChatRef | None, limit: int
) -> list[tuple[ChatRef, Chat | None]]:
    """Return the chats that follow a fixture: the next `limit` after `last`, in order, suspended ones too.

    None stands beside one whose settings are not there.
    """
    keys = sorted(list_subscription_keys(fixture))
    values = [value for scope, key in keys for value in (scope.value, key)]
    rows = await tx.fetch_prepared(_prepare_followers_page_query(len(keys)), [*values, *page_values(last, limit).values()])
    page: list[tuple[ChatRef, Chat | None]] = []
    for chat_id, topic, *values in rows:
        chat = None
        try:
            chat = values_to_chat(values) if values[0] is not None else None
        except UNREADABLE as error:
            note_damage(tx, chats, {"chat_id": chat_id, "topic": topic}, error)
            chat = values_to_readable_chat(values)
        page.append((ChatRef(chat_id, topic), chat))
    return page


async def read_live_message_chats(tx: Transaction, fixture: Fixture, last: ChatRef | None, limit: int) -> list[Chat]:
    """Return the active chats that follow a fixture and want match cards or pictures: the next `limit` after `last`, in order."""
    keys = sorted(list_subscription_keys(fixture))
    rows = await tx.fetch(_build_live_message_chats_query(len(keys)), _key_values(keys) | page_values(last, limit))
    return read_rows(tx, chats, rows, row_to_chat, row_to_readable_chat)


@cache
def _prepare_followers_page_query(keys: int) -> PreparedStatement:
    # Each key is its own walk along the index. One walk over all keys would have to sort every follower before the first page.
    chat_id, topic = subscriptions.c.chat_id, subscriptions.c.topic
    walks = [select_page(select(chat_id, topic).where(_is_by_key(number)), chat_id, topic) for number in range(keys)]
    page = union(*(select(walk.subquery()) for walk in walks)).order_by("chat_id", "topic").limit(_PAGE_SIZE).subquery()
    with_settings = page.outerjoin(chats, and_(chats.c.chat_id == page.c.chat_id, chats.c.topic == page.c.topic))
    query = select(page.c.chat_id, page.c.topic, *chats.columns).select_from(with_settings)
    names = [name for number in range(keys) for name in (f"scope_{number}", f"key_{number}")]
    return PreparedStatement(query.order_by(page.c.chat_id, page.c.topic), [*names, *page_values(None, 0)])


@cache
def _build_live_message_chats_query(keys: int) -> Select[*tuple[Any, ...]]:
    # These chats are few beside the followers of a match. So the walk goes along the index of those that want cards.
    is_followed = and_(subscriptions.c.chat_id == chats.c.chat_id, subscriptions.c.topic == chats.c.topic, _is_by_any_key(keys))
    query = select(chats).where(chats.c.extras == true(), chats.c.active == true(), exists().where(is_followed))
    return select_page(query, chats.c.chat_id, chats.c.topic)


def select_page(query: Select[*tuple[Any, ...]], chat_id: Column[int], topic: Column[int]) -> Select[*tuple[Any, ...]]:
    """Leave of a query what `page_values` says: the rows after a chat, in the order of (chat, topic)."""
    # The first condition gives the index its range, which an OR does not. The second leaves out the topics up to the last one.
    is_after = and_(chat_id >= _LAST_CHAT, or_(chat_id > _LAST_CHAT, topic > _LAST_TOPIC))
    return query.where(is_after).order_by(chat_id, topic).limit(_PAGE_SIZE)


def page_values(last: ChatRef | None, limit: int) -> dict[str, int]:
    """Return the values for `select_page`: `limit` rows after the chat `last`; None for the first ones."""
    after = last or _BEFORE_ALL_CHATS
    return {"last_chat": after.chat_id, "last_topic": after.topic, "page_size": limit}


async def load_recipients(tx: Transaction, fixture: Fixture, found: Collection[Chat]) -> list[Recipient]:
    """Return these chats with the overrides of those of their subscriptions that cover the fixture, in the same order."""
    # Nearly always empty: `has_overrides` exists to save this query.
    with_overrides = {chat.ref.chat_id for chat in found if chat.has_overrides}
    if not with_overrides:
        return [Recipient(chat) for chat in found]
    keys, table = sorted(list_subscription_keys(fixture)), subscriptions.c
    query = select(table.chat_id, table.topic, table.taste).where(table.chat_id.in_(with_overrides), _is_by_any_key(len(keys)))
    overrides: defaultdict[ChatRef, list[SubscriptionOverrides]] = defaultdict(list)
    for row in await tx.fetch(query, _key_values(keys)):
        overrides[ChatRef(row["chat_id"], row["topic"])].append(parse_overrides(row["taste"]))
    return [Recipient.of(chat, overrides[chat.ref]) if chat.has_overrides else Recipient(chat) for chat in found]


def _is_by_key(number: int) -> ColumnElement[bool]:
    return and_(subscriptions.c.scope == bindparam(f"scope_{number}"), subscriptions.c.key == bindparam(f"key_{number}"))


def _is_by_any_key(count: int) -> ColumnElement[bool]:
    return or_(*map(_is_by_key, range(count)))


def _key_values(keys: Sequence[tuple[Scope, str]]) -> dict[str, Any]:
    """Return the values for `_is_by_key` and `_is_by_any_key`: the keys under which a fixture is followed."""
    scopes = {f"scope_{number}": scope.value for number, (scope, _) in enumerate(keys)}
    return scopes | {f"key_{number}": key for number, (_, key) in enumerate(keys)}


def _is_of_chat(ref: ChatRef) -> ColumnElement[bool]:
    return and_(subscriptions.c.chat_id == ref.chat_id, subscriptions.c.topic == ref.topic)


def _is_subscription(ref: ChatRef, subscription: Subscription) -> ColumnElement[bool]:
    table = subscriptions.c
    return and_(_is_of_chat(ref), table.scope == subscription.scope.value, table.key == subscription.key)


def _subscription_to_row(ref: ChatRef, subscription: Subscription) -> dict[str, object]:
    return {
        "chat_id": ref.chat_id,
        "topic": ref.topic,
        "scope": subscription.scope.value,
        "key": subscription.key,
        "name": subscription.name,
        "taste": format_overrides(subscription.overrides),
    }
