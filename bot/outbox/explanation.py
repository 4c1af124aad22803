"""Why a message was sent, as values: for `/why`, and to know which alert a button is under."""

from __future__ import annotations

import msgspec
from sqlalchemy import and_, or_, select

from bot.outbox import news_store, repository
from bot.outbox.delivery import Delivery, read_history
from bot.outbox.news import NewsItem, is_burst, parse_line_name
from bot.outbox.queue import DeliveryQueue
from bot.outbox.statements import row_to_delivery
from bot.storage.damage import read_rows
from bot.storage.driver import Transaction
from bot.storage.schema import entries

_MAX_LINES = 12
"""Lines of a digest that are looked up: `/why` answers with one message."""


class MessageExplanation(msgspec.Struct, frozen=True):
    """What a chat has seen in a message, and how that news stands for this chat.

    `lines` are the news items of a digest. `is_reply`: the message is a reply, and the delivery is that of the message that it
    answers.
    """

    delivery: Delivery
    news: NewsItem
    lines: tuple[NewsItem, ...] = ()
    is_reply: bool = False


async def explain_message(queue: DeliveryQueue, chat_id: int, message_id: int) -> MessageExplanation | None:
    """Return what a message of a chat was about. None if it is no alert, or was deleted as too old."""
    async with queue.database.transaction() as tx:
        delivery = await _find_delivery(tx, chat_id, message_id)
        if delivery is None:
            return None
        # With the chat's delay: the answer must not reveal what the chat has not been shown yet.
        chat = await repository.read_chat(tx, delivery.chat)
        news = await queue.view_news(tx, delivery.key, chat.delay if chat else 0)
        if news is None:
            return None
        lines = await _read_digest_lines(tx, news, delivery)
        return MessageExplanation(delivery, news, lines, is_reply=delivery.message_id != message_id)


async def _find_delivery(tx: Transaction, chat_id: int, message_id: int) -> Delivery | None:
    """Return the delivery that a message belongs to: its own, or the one that this reply of the bot answers."""
    # The ids of replies stand in the history alone. LIKE finds #12 in #123 too, so each row is read and compared.
    matches = or_(entries.c.message_id == message_id, entries.c.history.like(f"%#{message_id}%"))
    rows = await tx.fetch(select(entries).where(and_(entries.c.chat_id == chat_id, matches)))
    for delivery in read_rows(tx, entries, rows, row_to_delivery):
        if delivery.message_id == message_id or any(line.reply_id == message_id for line in read_history(delivery)):
            return delivery
    return None


async def _read_digest_lines(tx: Transaction, news: NewsItem, delivery: Delivery) -> tuple[NewsItem, ...]:
    """Return the news of the lines that the chat has seen in a digest, in their order. Empty for news of one action."""
    if not news.line_ids:
        return ()
    # Only lines that this chat was sent: the digest of a match has the same news for all chats.
    names = delivery.rule.split("\n")
    shown = names if is_burst(news.key) else [action_id for action_id in news.line_ids if action_id in names]
    keys = [parse_line_name(name, news.key) for name in shown[:_MAX_LINES]]
    found = await news_store.read_news(tx, keys)
    return tuple(found[key] for key in keys if key in found)
