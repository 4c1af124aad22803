"""A group becomes a supergroup, or a topic is deleted: everything that is known of it goes to its new place."""

from __future__ import annotations

from sqlalchemy import and_, delete, exists, select, update

from bot.store.engine import Transaction
from bot.store.model import ChatRef
from bot.store.schema import chats, entries, subscriptions


async def move(tx: Transaction, old: int, new: int) -> None:
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


async def leave_topic(tx: Transaction, ref: ChatRef) -> None:
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
