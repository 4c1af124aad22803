"""A Messenger that behaves as Telegram does: it numbers messages, refuses edits of unknown ones, keeps limits where asked to."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field

from bot.errors import MessageGone, RetryAfter, TelegramUnreachable, TextRefused, TopicClosed
from bot.fake_telegram.html import EntitiesError, parse
from bot.fake_telegram.state import Limits, RefusedError
from bot.media.renderer import PictureAttachment
from bot.subscribers import ChatRef


@dataclass(slots=True)
class ShownMessage:
    """One message as the chat shows it, with all its versions."""

    id: int
    at: float
    versions: list[str]
    silent: bool = False
    reply_to: int | None = None
    topic: int = 0
    photo: bytes = b""
    is_spoiler: bool = False
    pinned: bool = False
    keyboard: bytes | None = None
    rich: str = ""
    """Its newest version as a rich message; empty: it is none."""

    @property
    def html(self) -> str:
        return self.versions[-1]

    @property
    def text(self) -> str:
        return parse(self.html).text


@dataclass(slots=True)
class FakeMessenger:
    """`errors[chat_id]` are raised one by one before anything else is done; `latency` is in seconds of the loop's clock."""

    limits: Limits | None = None
    latency: float = 0.0
    chats: dict[int, list[ShownMessage]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[int, deque[Exception]] = field(default_factory=lambda: defaultdict(deque))
    lost_answers: dict[int, deque[Exception]] = field(default_factory=lambda: defaultdict(deque))
    """Raised after the request was carried out."""
    answers_lost_until: float = 0.0
    """Until then, by the loop's clock, requests are carried out, and their answers are lost after a minute."""
    reply_answers_lost: bool = False
    """Replies are carried out, and never answered."""
    closed_topics: set[ChatRef] = field(default_factory=set)
    """Topics of forums in which nothing can be sent."""
    failure: Exception | None = None
    """Raised by every request while it is set."""
    payment_refusal: Exception | None = None
    """Raised by every message that is to be paid for while it is set."""
    payments_refused_at: list[float] = field(default_factory=list)
    requests: list[tuple[float, str, int]] = field(default_factory=list)
    refusals: int = 0
    paid_at: list[float] = field(default_factory=list)
    """When each message was sent that is paid for."""
    _last: int = 0

    def fail(self, chat_id: int, *errors: Exception) -> None:
        """Answer the next requests for this chat with errors."""
        self.errors[chat_id].extend(errors)

    async def send(
        self,
        chat: ChatRef,
        html: str,
        *,
        silent: bool,
        reply_to: int | None = None,
        keyboard: bytes | None = None,
        picture: PictureAttachment | None = None,
        is_paid: bool = False,
        rich: str = "",
    ) -> int:
        await self._ask("send", chat, html, is_paid=is_paid)
        if chat in self.closed_topics:
            raise TopicClosed("Bad Request: TOPIC_CLOSED")
        self._last += 1
        now = asyncio.get_running_loop().time()
        shown = ShownMessage(self._last, now, [html], silent, reply_to, chat.topic, keyboard=keyboard)
        self.paid_at += [now] if is_paid else []
        self.chats[chat.chat_id].append(shown)
        _show_content(shown, picture, rich)
        await self._answer(chat)
        if reply_to and self.reply_answers_lost:
            raise TelegramUnreachable("Timed out", maybe_sent=True, is_unanswered=True)
        return self._last

    async def edit(
        self,
        chat: ChatRef,
        message_id: int,
        html: str,
        *,
        keyboard: bytes | None = None,
        picture: PictureAttachment | None = None,
        rich: str = "",
    ) -> None:
        await self._ask("edit", chat, html)
        shown = next((m for m in self.chats[chat.chat_id] if m.id == message_id), None)
        if shown is None:
            raise MessageGone("Bad Request: message to edit not found")
        if bool(shown.photo) is not bool(picture):
            why = "there is no text in the message to edit" if shown.photo else "message can't be edited"
            raise MessageGone(f"Bad Request: {why}")
        shown.versions.append(html)
        shown.keyboard = keyboard
        _show_content(shown, picture, rich)
        await self._answer(chat)

    async def pin(self, chat: ChatRef, message_id: int, *, is_pinned: bool) -> None:
        await self._ask("pin" if is_pinned else "unpin", chat, "-")
        for shown in self.chats[chat.chat_id]:
            shown.pinned = is_pinned if shown.id == message_id else shown.pinned

    async def ping(self) -> None:
        self.requests.append((asyncio.get_running_loop().time(), "ping", 0))
        if self.failure or self.answers_lost_until > asyncio.get_running_loop().time():
            raise self.failure or TelegramUnreachable("Timed out", maybe_sent=True, is_unanswered=True)

    async def _ask(self, op: str, chat: ChatRef, html: str, *, is_paid: bool = False) -> None:
        now = asyncio.get_running_loop().time()
        self.requests.append((now, op, chat.chat_id))
        if self.limits:
            self._count(chat, now, is_paid=is_paid)
        if self.latency:
            await asyncio.sleep(self.latency)
        if self.failure:
            raise self.failure
        if is_paid and self.payment_refusal:
            self.payments_refused_at.append(now)
            raise self.payment_refusal
        if self.errors[chat.chat_id]:
            raise self.errors[chat.chat_id].popleft()
        try:
            parse(html)
        except EntitiesError as error:
            raise TextRefused(str(error)) from None

    async def _answer(self, chat: ChatRef) -> None:
        if self.answers_lost_until > asyncio.get_running_loop().time():
            await asyncio.sleep(60)
            raise TelegramUnreachable("Timed out", maybe_sent=True, is_unanswered=True)
        if self.lost_answers[chat.chat_id]:
            raise self.lost_answers[chat.chat_id].popleft()

    def _count(self, chat: ChatRef, now: float, *, is_paid: bool) -> None:
        assert self.limits
        try:
            self.limits.check(chat.chat_id, now, paid=is_paid)
        except RefusedError as refusal:
            self.refusals += 1
            raise RetryAfter(refusal.parameters["retry_after"]) from None


def _show_content(shown: ShownMessage, picture: PictureAttachment | None, rich: str) -> None:
    shown.rich = rich
    if picture:
        shown.photo, shown.is_spoiler = picture.png, picture.is_spoiler
