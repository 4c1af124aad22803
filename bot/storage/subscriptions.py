"""Who follows what, a page at a time, with overrides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Select, and_, exists, or_, select, true, union, update
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.schema import Column

from bot.storage.driver import Transaction
from bot.storage.schema import chats, subscriptions
from bot.subscribers import (
    Chat,
    ChatRef,
    Scope,
    Subscription,
    SubscriptionOverrides,
    combine_overrides,
    format_overrides,
    list_subscription_keys,
    parse_overrides,
)
from rules.football.action import Fixture


def is_after_chat(chat_id: Column[int], topic: Column[int], ref: ChatRef) -> ColumnElement[bool]:
    """Tell the rows that come after a chat, in the order of (chat, topic)."""
    return and_(chat_id >= ref.chat_id, or_(chat_id > ref.chat_id, topic > ref.topic))


def select_followers(fixture: Fixture, last: ChatRef | None, limit: int | None) -> CompoundSelect[int, int]:
    """Query (chat_id, topic) of the chats with a covering subscription, the next `limit` after `last`, in order.

    Each key is its own walk along the index: one walk over all keys would have to sort every follower before the first page.
    """
    walks = [_select_followers_by_key(scope, key, last, limit) for scope, key in sorted(list_subscription_keys(fixture))]
    found = union(*(select(walk.subquery()) for walk in walks))
    return found.order_by("chat_id", "topic").limit(limit)


def select_live_message_chats(fixture: Fixture, last: ChatRef | None, limit: int) -> Select[Any]:
    """Query the active chats that ask for extras and follow the fixture, the next `limit` after `last`, in order.

    They are few beside the followers of a match, so that the walk goes along those that ask.
    """
    keys = [
        and_(subscriptions.c.scope == scope.value, subscriptions.c.key == key)
        for scope, key in sorted(list_subscription_keys(fixture))
    ]
    theirs = and_(subscriptions.c.chat_id == chats.c.chat_id, subscriptions.c.topic == chats.c.topic)
    query = select(chats).where(chats.c.extras == true(), chats.c.active == true(), exists().where(theirs, or_(*keys)))
    if last is not None:
        query = query.where(is_after_chat(chats.c.chat_id, chats.c.topic, last))
    return query.order_by(chats.c.chat_id, chats.c.topic).limit(limit)


def _select_followers_by_key(scope: Scope, key: str, last: ChatRef | None, limit: int | None) -> Select[int, int]:
    table = subscriptions.c
    walk = select(table.chat_id, table.topic).where(table.scope == scope.value, table.key == key)
    if last is not None:
        walk = walk.where(is_after_chat(table.chat_id, table.topic, last))
    return walk.order_by(table.chat_id, table.topic).limit(limit)


async def save_overrides(tx: Transaction, ref: ChatRef, subscription: Subscription) -> None:
    """Keep the taste of a subscription; one that is gone stays gone."""
    table = subscriptions.c
    this = and_(table.chat_id == ref.chat_id, table.topic == ref.topic)
    this = and_(this, table.scope == subscription.scope.value, table.key == subscription.key)
    await tx.execute(update(subscriptions).where(this).values(taste=format_overrides(subscription.taste)))
    await update_has_overrides(tx, ref)


async def update_has_overrides(tx: Transaction, ref: ChatRef) -> None:
    """Keep with the chat whether some subscription has a taste: others cost nothing."""
    table = subscriptions.c
    some = exists().where(table.chat_id == ref.chat_id, table.topic == ref.topic, table.taste != "")
    this = and_(chats.c.chat_id == ref.chat_id, chats.c.topic == ref.topic)
    await tx.execute(update(chats).where(this).values(tasted=select(some).scalar_subquery()))


async def load_recipients(tx: Transaction, fixture: Fixture, found: Sequence[Chat]) -> list[Chat]:
    """These chats, each as it hears this match by the tastes of those of its subscriptions that cover it."""
    tasted = {chat.ref.chat_id for chat in found if chat.tasted}
    if not tasted:
        return list(found)
    table = subscriptions.c
    keys = [and_(table.scope == scope.value, table.key == key) for scope, key in sorted(list_subscription_keys(fixture))]
    query = select(table.chat_id, table.topic, table.taste).where(table.chat_id.in_(tasted), or_(*keys))
    tastes: defaultdict[ChatRef, list[SubscriptionOverrides]] = defaultdict(list)
    for row in await tx.fetch(query):
        tastes[ChatRef(row["chat_id"], row["topic"])].append(parse_overrides(row["taste"]))
    return [combine_overrides(chat, tastes[chat.ref]) if chat.tasted else chat for chat in found]
