"""What there is to say of one message of a chat: the answer to `/why`, as values."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import and_, or_, select

from bot.outbox import ledger
from bot.outbox.burst import is_burst, line_key
from bot.outbox.entry import Entry, News
from bot.outbox.rows import entry_of
from bot.outbox.seen import seen_of
from bot.store.engine import Transaction
from bot.store.schema import entries

_LINES = 12
"""Lines of a summary that are looked up."""


class Account(msgspec.Struct, frozen=True):
    """What a chat has seen in a message and how that news stands, for this chat.

    `lines` are the news that a summary tells; `as_reply`: the message is a reply, and the entry that of the one it answers.
    """

    entry: Entry
    news: News
    lines: tuple[News, ...] = ()
    as_reply: bool = False


async def told_by(tx: Transaction, chat_id: int, message_id: int) -> Entry | None:
    """What a chat has seen in a message, or in the one that this reply of the bot's answers; None where it is no alert."""
    this = or_(entries.c.message_id == message_id, entries.c.history.like(f"%#{message_id}%"))
    found = map(entry_of, await tx.fetch(select(entries).where(and_(entries.c.chat_id == chat_id, this))))
    return next((entry for entry in found if _is_by(entry, message_id)), None)


async def lines_of(tx: Transaction, news: News, entry: Entry) -> tuple[News, ...]:
    """The news that a summary tells, in its order; none for news of one action."""
    if not news.lines:
        return ()
    keys = [line_key(name, news.key) for name in _shown(news, entry)[:_LINES]]
    known = await ledger.read_news(tx, keys)
    return tuple(known[key] for key in keys if key in known)


def _shown(news: News, entry: Entry) -> Sequence[str]:
    """Of a summary, the names of the lines that its chat was told."""
    if is_burst(news.key):
        return entry.rule.split("\n")
    return [action for action in news.lines if action in entry.rule.split("\n")]


def _is_by(entry: Entry, message_id: int) -> bool:
    return entry.message_id == message_id or any(seen.reply == message_id for seen in seen_of(entry))
