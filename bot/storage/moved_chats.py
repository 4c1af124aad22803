"""Moves what is stored of a group to the id that it has as a supergroup, and remembers both ids."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, false, select, true, update

from bot.storage.copies import Copy, append_copy
from bot.storage.database import upsert
from bot.storage.driver import Row, Transaction
from bot.storage.schema import alerts, chats, entries, moved_chats, subscriptions
from bot.subscribers import ChatRef
from rules.engine.alert import LIVE_MESSAGE_KINDS, State

CONFIGURED_CHATS_LOCK = "chats of the configuration"
"""Held while the chats of the configuration are stored, and while a chat moves: the file may name its old id."""

_EXPLAINED_AFTER_MOVE = 500
"""The latest messages of a group that are explained if their news changes after it moved: those of a week's matches."""

_WAITING = "waiting"
"""The status of a delivery of which something is to be sent."""


async def move_chat(tx: Transaction, old: int, new: int) -> list[ChatRef]:
    """Move settings, subscriptions and deliveries from a group's old id to its new one. Return what has moved: a forum's topics.

    Repeating it changes nothing. What came to the old id after the move, such as a row that an older version of the
    configuration made, is merged into what the new id has.
    """
    if old == new:
        return []
    await tx.lock(CONFIGURED_CHATS_LOCK)
    await _record_move(tx, old, new)
    rows = await tx.fetch(select(chats).where(chats.c.chat_id == old).order_by(chats.c.topic).with_for_update())
    if not rows:
        return []
    for row in rows:
        await _move_settings(tx, row, new)
    await tx.execute(update(subscriptions).where(subscriptions.c.chat_id == old).values(chat_id=new))
    # Before the deliveries, as in a fan-out, which locks its alert and then stores deliveries.
    await _restart_fanouts_between(tx, old, new)
    await _merge_deliveries(tx, old, new)
    await _record_copies(tx, old)
    # The messages of the old group have other ids in the new one: 0 says that they cannot be edited or answered.
    is_sent = (entries.c.chat_id == old, entries.c.message_id.is_not(None))
    await tx.execute(update(entries).where(*is_sent).values(message_id=0))
    await tx.execute(update(entries).where(entries.c.chat_id == old).values(chat_id=new))
    return [ChatRef(new, row["topic"]) for row in rows]


async def read_new_ids(tx: Transaction) -> dict[int, int]:
    """Return by the old id of each group that became a supergroup the id that it has now."""
    return {row["old_id"]: row["new_id"] for row in await tx.fetch(select(moved_chats))}


async def _record_move(tx: Transaction, old: int, new: int) -> None:
    # So that one look finds where a group is now, and no two ids lead to each other.
    await tx.execute(delete(moved_chats).where(moved_chats.c.old_id == new))
    await tx.execute(update(moved_chats).where(moved_chats.c.new_id == old).values(new_id=new))
    await tx.execute(upsert(moved_chats), {"old_id": old, "new_id": new})


async def _move_settings(tx: Transaction, moved: Row, new: int) -> None:
    """Move one row of `chats`, and leave of the subscriptions of both ids those that count."""
    topic = moved["topic"]
    old_row, new_row = (and_(chats.c.chat_id == chat_id, chats.c.topic == topic) for chat_id in (moved["chat_id"], new))
    there = next(iter(await tx.fetch(select(chats).where(new_row).with_for_update())), None)
    if there is not None and there["fixed"] and not moved["fixed"]:
        # The configuration names the new id already, and it alone decides what its chats follow.
        await tx.execute(delete(subscriptions).where(_is_of(moved["chat_id"], topic)))
        await tx.execute(delete(chats).where(old_row))
    else:
        # Elsewhere the settings of the old id stay: they are those that somebody chose.
        other = subscriptions.alias()
        same = (other.c.topic == topic, other.c.scope == subscriptions.c.scope, other.c.key == subscriptions.c.key)
        is_followed_twice = exists().where(other.c.chat_id == moved["chat_id"], *same)
        await tx.execute(delete(subscriptions).where(_is_of(new, topic), is_followed_twice))
        await tx.execute(delete(chats).where(new_row))
        await tx.execute(update(chats).where(old_row).values(chat_id=new, kind="supergroup"))
    if there is not None and (there["active"] or moved["active"]):
        # Telegram refuses the old id since the move, which says nothing about the chat itself.
        await tx.execute(update(chats).where(new_row).values(active=True, suspended_why="", suspended_at=None))


def _is_of(chat_id: int, topic: int) -> ColumnElement[bool]:
    return and_(subscriptions.c.chat_id == chat_id, subscriptions.c.topic == topic)


async def _merge_deliveries(tx: Transaction, old: int, new: int) -> None:
    """Leave one delivery of each news that both ids have a delivery of."""
    moved, there = await _read_common(tx, old, new), await _read_common(tx, new, old)
    for key in moved.keys() & there.keys():
        before, after = moved[key], there[key]
        # The message that the new id was sent can be edited. Without it every copy in the chat would stay as it is, and the
        # news would be sent as if the chat did not know it.
        kept, dropped = (after, before) if after["message_id"] is not None else (before, after)
        changes: dict[str, Any] = {}
        if dropped["status"] == _WAITING and kept["status"] != _WAITING:
            # A revision may have reached the other row alone. If there is nothing to send, its turn finds that out.
            changes = {"status": _WAITING, "due_at": dropped["due_at"], "next_rings": dropped["next_rings"]}
        if kept is after and (copies := _collect_copies(before, after["copies"])) != after["copies"]:
            changes["copies"] = copies
        if changes:
            await tx.execute(update(entries).where(_is_row(kept)).values(changes))
        await tx.execute(delete(entries).where(_is_row(dropped)))


async def _read_common(tx: Transaction, chat_id: int, other_id: int) -> dict[tuple[Any, ...], Row]:
    """Return the deliveries of a chat that another one has too, by their news and topic. Nobody else changes them meanwhile."""
    other = entries.alias()
    names = [key.name for key in entries.primary_key if key.name != "chat_id"]
    has_other = exists().where(other.c.chat_id == other_id, *(other.c[name] == entries.c[name] for name in names))
    rows = await tx.fetch(select(entries).where(entries.c.chat_id == chat_id, has_other).with_for_update())
    return {tuple(row[name] for name in names): row for row in rows}


def _is_row(row: Row) -> ColumnElement[bool]:
    return and_(*(key == row[key.name] for key in entries.primary_key))


def _collect_copies(dropped: Row, copies: str) -> str:
    """Return the stored copies of a delivery with what a dropped one has shown, or may have, in the same chat."""
    may_be_there = (dropped["message_id"] or 0) > 0 or dropped["unsure"]
    if not may_be_there or not dropped["body"] or dropped["kind"] in LIVE_MESSAGE_KINDS:
        return copies
    return append_copy(copies, _make_copy(dropped))


def _make_copy(row: Row) -> Copy:
    return Copy(row["body"], State(row["state"]), bool(row["restored"]))


async def _record_copies(tx: Transaction, chat_id: int) -> None:
    """Store the text of a group's latest messages, which can no longer be edited, so that later corrections mention it."""
    shows_news = (entries.c.message_id > 0, entries.c.body != "", entries.c.kind.not_in(LIVE_MESSAGE_KINDS))
    query = select(entries).where(entries.c.chat_id == chat_id, *shows_news)
    rows = await tx.fetch(query.order_by(entries.c.due_at.desc()).limit(_EXPLAINED_AFTER_MOVE))
    values = [
        {
            **{f"of_{key.name}": row[key.name] for key in entries.primary_key},
            "with_copy": append_copy(row["copies"], _make_copy(row)),
        }
        for row in rows
    ]
    if values:
        same = and_(*(key == bindparam(f"of_{key.name}", type_=key.type) for key in entries.primary_key))
        await tx.execute(update(entries).where(same).values(copies=bindparam("with_copy")), values)


async def _restart_fanouts_between(tx: Transaction, old: int, new: int) -> None:
    """Let every fan-out that is between the two ids begin again before the new one.

    It goes by the ids of the chats: it has passed the new id, and would not come to the old one any more.
    """
    # The chats in between have the news, so they get nothing twice.
    for walk in ("first", "told"):
        chat, topic, is_done = (alerts.c[f"{walk}_{name}"] for name in ("chat", "topic", "done"))
        is_between = (alerts.c.spreading == true(), is_done == false(), chat >= new, chat <= old)
        await tx.execute(update(alerts).where(*is_between).values({chat: new - 1, topic: 0}))
