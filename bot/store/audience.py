"""Who follows a fixture, a page at a time: however many chats there are, a page costs the same."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CompoundSelect, Select, and_, exists, or_, select, true, union
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.schema import Column

from bot.store.model import ChatRef, Scope, keys_of
from bot.store.schema import chats, subscriptions
from rules.action import Fixture


def after(chat_id: Column[int], topic: Column[int], ref: ChatRef) -> ColumnElement[bool]:
    """Tell the rows that come after a chat, in the order of (chat, topic)."""
    return and_(chat_id >= ref.chat_id, or_(chat_id > ref.chat_id, topic > ref.topic))


def followers(fixture: Fixture, last: ChatRef | None, limit: int | None) -> CompoundSelect[int, int]:
    """Query (chat_id, topic) of the chats with a covering subscription, the next `limit` after `last`, in order.

    Each key is its own walk along the index: one walk over all keys would have to sort every follower before the first page.
    """
    walks = [_walk(scope, key, last, limit) for scope, key in sorted(keys_of(fixture))]
    found = union(*(select(walk.subquery()) for walk in walks))
    return found.order_by("chat_id", "topic").limit(limit)


def asking(fixture: Fixture, last: ChatRef | None, limit: int) -> Select[Any]:
    """Query the active chats that ask for extras and follow the fixture, the next `limit` after `last`, in order.

    They are few beside the followers of a match, so that the walk goes along those that ask.
    """
    keys = [and_(subscriptions.c.scope == scope.value, subscriptions.c.key == key) for scope, key in sorted(keys_of(fixture))]
    theirs = and_(subscriptions.c.chat_id == chats.c.chat_id, subscriptions.c.topic == chats.c.topic)
    query = select(chats).where(chats.c.extras == true(), chats.c.active == true(), exists().where(theirs, or_(*keys)))
    if last is not None:
        query = query.where(after(chats.c.chat_id, chats.c.topic, last))
    return query.order_by(chats.c.chat_id, chats.c.topic).limit(limit)


def _walk(scope: Scope, key: str, last: ChatRef | None, limit: int | None) -> Select[int, int]:
    table = subscriptions.c
    walk = select(table.chat_id, table.topic).where(table.scope == scope.value, table.key == key)
    if last is not None:
        walk = walk.where(after(table.chat_id, table.topic, last))
    return walk.order_by(table.chat_id, table.topic).limit(limit)
