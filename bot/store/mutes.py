"""Mutes of single matches end by themselves: a match that is over tells nothing more, and its mute is let go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import and_, select, update

from bot.store.engine import Transaction
from bot.store.schema import chats, seconds, standings


async def forget_mutes(tx: Transaction, over: Collection[str], before: dt.datetime) -> int:
    """Let go of matches that have had a status of `over` since before an instant, and of those not known any more.

    An end that came just now is still being told to other chats, and stays muted here.
    """
    muting = await tx.fetch(select(chats.c.chat_id, chats.c.topic, chats.c.muted_matches).where(chats.c.muted_matches != ""))
    ids = {fixture_id for row in muting for fixture_id in row["muted_matches"].split()}
    known = await tx.fetch(select(standings).where(standings.c.fixture_id.in_(ids))) if ids else ()
    open_ = {r["fixture_id"] for r in known if r["status"].casefold() not in over or r["updated_at"] >= seconds(before)}
    changed = [(row, words) for row in muting if (words := _kept(row["muted_matches"], open_)) != row["muted_matches"]]
    for row, words in changed:
        this = and_(chats.c.chat_id == row["chat_id"], chats.c.topic == row["topic"])
        await tx.execute(update(chats).where(this).values(muted_matches=words))
    return len(changed)


def _kept(words: str, ids: Collection[str]) -> str:
    return " ".join(word for word in words.split() if word in ids)
