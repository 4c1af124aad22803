"""Why a message was sent, as values, for `/why` and the console."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import and_, or_, select

from bot.outbox import repository
from bot.outbox.delivery import Delivery, read_history
from bot.outbox.news import NewsItem, is_burst, parse_line_name
from bot.outbox.statements import row_to_delivery
from bot.storage.driver import Transaction
from bot.storage.schema import entries

_MAX_LINES = 12
"""Lines of a summary that are looked up."""


class MessageExplanation(msgspec.Struct, frozen=True):
    """What a chat has seen in a message and how that news stands, for this chat.

    `lines` are the news that a summary tells; `as_reply`: the message is a reply, and the entry that of the one it answers.
    """

    delivery: Delivery
    news: NewsItem
    lines: tuple[NewsItem, ...] = ()
    is_reply: bool = False


async def find_delivery(tx: Transaction, chat_id: int, message_id: int) -> Delivery | None:
    """What a chat has seen in a message, or in the one that this reply of the bot's answers; None where it is no alert."""
    this = or_(entries.c.message_id == message_id, entries.c.history.like(f"%#{message_id}%"))
    found = map(row_to_delivery, await tx.fetch(select(entries).where(and_(entries.c.chat_id == chat_id, this))))
    return next((delivery for delivery in found if _belongs_to_message(delivery, message_id)), None)


async def read_digest_lines(tx: Transaction, news: NewsItem, delivery: Delivery) -> tuple[NewsItem, ...]:
    """The news that a summary tells, in its order; none for news of one action."""
    if not news.line_ids:
        return ()
    keys = [parse_line_name(name, news.key) for name in _list_shown_lines(news, delivery)[:_MAX_LINES]]
    known = await repository.read_news(tx, keys)
    return tuple(known[key] for key in keys if key in known)


def _list_shown_lines(news: NewsItem, delivery: Delivery) -> Sequence[str]:
    """Of a summary, the names of the lines that its chat was told."""
    if is_burst(news.key):
        return delivery.rule.split("\n")
    return [action for action in news.line_ids if action in delivery.rule.split("\n")]


def _belongs_to_message(delivery: Delivery, message_id: int) -> bool:
    return delivery.message_id == message_id or any(seen.reply_id == message_id for seen in read_history(delivery))
