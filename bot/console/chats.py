"""Reads chats for the pages, and does what the pages offer: resume a chat, send it a test, forget it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Awaitable, Callable

import msgspec
from sqlalchemy import ColumnElement, and_, func, or_, select

from bot.clock import Clock
from bot.monitoring.conditions import format_utc
from bot.outbox.delivery import Delivery, DeliveryStatus, Reason, read_history
from bot.outbox.news import NewsItem
from bot.outbox.news_store import read_news
from bot.outbox.statements import row_to_delivery
from bot.replay.comparison import to_plain_line
from bot.storage.chat_rows import row_to_chat, row_to_readable_chat
from bot.storage.chats import ChatRepository
from bot.storage.damage import read_rows
from bot.storage.database import Database
from bot.storage.schema import chats, entries, from_timestamp, subscriptions, suspensions
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import Chat, ChatRef, Subscription

PAGE_SIZE = 100
"""Rows of a list: more are found by the search."""

_REASONS: dict[str, str] = {
    Reason.FIRST: "sent",
    Reason.REVISION: "sent, and corrected since",
    Reason.CHANGED: "sent, and sent again when it became other news",
    Reason.RETRACTION: "sent, and struck through since",
    Reason.RESTORATION: "sent, struck through, and restored",
    Reason.DUPLICATE: "sent",
    Reason.MUTED: "not sent: the chat, or this match in it, was muted",
    Reason.DELAYED: "sent after the chat's delay",
    Reason.EXPIRED: "not sent: it was too old by then",
    Reason.HELD_FOR_QUIET_HOURS: "held for the end of the quiet hours",
    Reason.HELD_FOR_BURST: "sent in one message with other alerts",
    Reason.UNCONFIRMED: "not sent yet: the chat wants it confirmed",
    Reason.POSTPONED: "not shown yet: the chat is muted or in its quiet hours",
    Reason.SCORER_UNKNOWN: "not sent yet: the chat wants to know the scorer",
    Reason.SUPERSEDED: "not sent: it was taken back or replaced before it was sent",
    Reason.NOT_WANTED: "not sent: the chat does not take this kind",
}


class ChatRow(msgspec.Struct, frozen=True):
    """A chat in the list."""

    chat: Chat
    follows: int
    suspension: str = ""
    """Why and since when nothing is sent to it, and when Telegram is asked again; empty for an active chat."""


class DeliveryRow(msgspec.Struct, frozen=True):
    """An alert as one chat got it, or did not."""

    at: dt.datetime
    """When it was sent; before that, when it is due."""
    fixture_id: str
    match: str
    rule: str
    what: str
    """What became of it, in words."""
    text: str
    took_ms: float | None = None
    """From the feed's frame to Telegram's answer, without intended waits; None where it is not known."""


class ChatDesk:
    """Reads and changes chats for the pages. Every method raises StorageError."""

    def __init__(
        self,
        clock: Clock,
        database: Database,
        repository: ChatRepository,
        subscriptions: SubscriptionRepository,
        send_sample: Callable[[ChatRef, str], Awaitable[None]],
    ) -> None:
        """`send_sample` sends a chat a test message that has this name."""
        self._clock, self._database = clock, database
        self._chats, self._subscriptions, self._send_sample = repository, subscriptions, send_sample
        self._sample_count = 0

    async def find_chats(self, words: str) -> tuple[ChatRow, ...]:
        """Return the chats whose title, id or subscriptions have these words."""
        # An outer join, because active chats have no row among the suspensions.
        query = select(chats, suspensions.c.next_at).outerjoin(suspensions, suspensions.c.chat_id == chats.c.chat_id)
        query = query.order_by(chats.c.title, chats.c.chat_id, chats.c.topic).limit(PAGE_SIZE)
        if words.strip():
            following = select(subscriptions.c.chat_id).where(subscriptions.c.name.icontains(words.strip(), autoescape=True))
            conditions: list[ColumnElement[bool]] = [
                chats.c.title.icontains(words.strip(), autoescape=True),
                chats.c.chat_id.in_(following),
            ]
            if (chat_id := read_chat_id(words)) is not None:
                conditions.append(chats.c.chat_id == chat_id)
            query = query.where(or_(*conditions))
        counts = select(subscriptions.c.chat_id, subscriptions.c.topic, func.count().label("n"))
        async with self._database.transaction() as tx:
            rows = await tx.fetch(query)
            ids = [row["chat_id"] for row in rows]
            # For the rows of this page alone: counting for all chats would read every subscription at each key.
            grouped = counts.where(subscriptions.c.chat_id.in_(ids)).group_by(subscriptions.c.chat_id, subscriptions.c.topic)
            follows = {(row["chat_id"], row["topic"]): row["n"] for row in await tx.fetch(grouped)}
            found_chats = read_rows(tx, chats, rows, row_to_chat, row_to_readable_chat)
        found = []
        # As many as rows: of one that is damaged there is a chat, too.
        for row, chat in zip(rows, found_chats, strict=True):
            suspension = "" if chat.is_active else describe_suspension(row["suspended_why"], row["suspended_at"], row["next_at"])
            found.append(ChatRow(chat, follows.get((row["chat_id"], row["topic"]), 0), suspension))
        return tuple(found)

    async def read_subscriptions(self, ref: ChatRef) -> tuple[Subscription, ...]:
        """Return what a chat follows."""
        return await self._subscriptions.get_all(ref)

    async def read_deliveries(self, ref: ChatRef, limit: int = 20) -> tuple[DeliveryRow, ...]:
        """Return what was sent to a chat lately, and what was not, the latest first."""
        here = and_(entries.c.chat_id == ref.chat_id, entries.c.topic == ref.topic)
        async with self._database.transaction() as tx:
            rows = await tx.fetch(select(entries).where(here).order_by(entries.c.due_at.desc()).limit(limit))
            deliveries = read_rows(tx, entries, rows, row_to_delivery)
            news = await read_news(tx, {delivery.key for delivery in deliveries})
        return tuple(_make_delivery_row(delivery, news.get(delivery.key)) for delivery in deliveries)

    async def resume(self, chat_id: int) -> None:
        """Let a suspended chat be written to again."""
        await self._chats.resume(chat_id)

    async def erase(self, ref: ChatRef) -> None:
        """Forget a chat with all that it follows."""
        await self._chats.erase(ref)

    async def send_test(self, ref: ChatRef) -> None:
        """Send a chat a sample alert, as `/test` does."""
        # Part of the alert's key: without it a second test within a second would be the first one again.
        self._sample_count += 1
        await self._send_sample(ref, f"console-{self._clock.now().timestamp():.0f}-{self._sample_count}")


def read_chat_id(words: str) -> int | None:
    """Return the id of a chat that somebody searches for; None if these words are no id."""
    # Up to 18 digits: more would not fit into the column.
    return int(words) if re.fullmatch(r"\s*-?\d{1,18}\s*", words) else None


def describe_delivery(delivery: Delivery) -> str:
    """Return in words what became of an alert in a chat."""
    # A reason without words here, such as one of a newer version, is shown as it is stored.
    words = _REASONS.get(delivery.reason, delivery.reason)
    # First: of a send without an answer nothing else is known for certain.
    if delivery.is_uncertain:
        return "sent, and Telegram's answer was lost"
    if delivery.status is DeliveryStatus.WAITING:
        # The reason is that of the last step that was taken, so it describes what stands in the chat now.
        return f"{words}; a correction is waiting to be sent" if delivery.is_sent else "waiting to be sent"
    return words


def describe_suspension(reason: str, since: float | None, asked_again: float | None) -> str:
    """Return why and since when nothing is sent to a chat. Times are in seconds since 1970; None where they are not known."""
    parts = [reason or "Telegram says that the chat is gone"]
    if since is not None:
        parts.append(f"since {format_utc(from_timestamp(since))}")
    if asked_again is not None:
        parts.append(f"Telegram is asked again at {format_utc(from_timestamp(asked_again))}")
    return ", ".join(parts)


def _make_delivery_row(delivery: Delivery, news: NewsItem | None) -> DeliveryRow:
    history = read_history(delivery)
    latency = history[0].latency if history else None
    match = news.alternatives[0].fixture.title if news else ""
    return DeliveryRow(
        from_timestamp(history[-1].at if history else delivery.due_at),
        delivery.key.fixture_id,
        match,
        # A digest keeps in the rule's place the names of its lines.
        "" if news and news.line_ids else delivery.rule,
        describe_delivery(delivery),
        to_plain_line(delivery.body),
        latency.total if latency else None,
    )
