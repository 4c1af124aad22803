"""The tastes of subscriptions in the store: set, and brought to the chats of a match."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import and_, exists, or_, select, update

from bot.store.engine import Transaction
from bot.store.model import Chat, ChatRef, Subscription, keys_of
from bot.store.schema import chats, subscriptions
from bot.store.taste import Taste, hearing, read_taste, taste_text
from rules.action import Fixture


async def tune(tx: Transaction, ref: ChatRef, subscription: Subscription) -> None:
    """Keep the taste of a subscription; one that is gone stays gone."""
    table = subscriptions.c
    this = and_(table.chat_id == ref.chat_id, table.topic == ref.topic)
    this = and_(this, table.scope == subscription.scope.value, table.key == subscription.key)
    await tx.execute(update(subscriptions).where(this).values(taste=taste_text(subscription.taste)))
    await note(tx, ref)


async def note(tx: Transaction, ref: ChatRef) -> None:
    """Keep with the chat whether some subscription has a taste: others cost nothing."""
    table = subscriptions.c
    some = exists().where(table.chat_id == ref.chat_id, table.topic == ref.topic, table.taste != "")
    this = and_(chats.c.chat_id == ref.chat_id, chats.c.topic == ref.topic)
    await tx.execute(update(chats).where(this).values(tasted=select(some).scalar_subquery()))


async def heard(tx: Transaction, fixture: Fixture, found: Sequence[Chat]) -> list[Chat]:
    """These chats, each as it hears this match by the tastes of those of its subscriptions that cover it."""
    tasted = {chat.ref.chat_id for chat in found if chat.tasted}
    if not tasted:
        return list(found)
    table = subscriptions.c
    keys = [and_(table.scope == scope.value, table.key == key) for scope, key in sorted(keys_of(fixture))]
    query = select(table.chat_id, table.topic, table.taste).where(table.chat_id.in_(tasted), or_(*keys))
    tastes: defaultdict[ChatRef, list[Taste]] = defaultdict(list)
    for row in await tx.fetch(query):
        tastes[ChatRef(row["chat_id"], row["topic"])].append(read_taste(row["taste"]))
    return [hearing(chat, tastes[chat.ref]) if chat.tasted else chat for chat in found]
