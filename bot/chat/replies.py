"""Sends, edits and acknowledges; what Telegram refuses with a 429 is sent when it allows."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from typing import NamedTuple

import structlog
from telegram import Bot, CallbackQuery, InputFile, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.chat.dialogue import Refusal, Screen, UpdateOrigin, to_inline_keyboard
from bot.errors import StorageError
from bot.i18n.language import translate as _
from bot.telegram.html import TELEGRAM_TAGS, remove_tags
from bot.telegram.responses import find_unknown_tag
from rules.football.match import Match

Request = Callable[[], Awaitable[object]]

DrawPicture = Callable[[Match], Awaitable[bytes]]

Redraw = Callable[[], Awaitable[Screen]]
"""Draws a screen again: one that had to wait for Telegram would show an old score."""

MAX_WAITING_REPLIES = 2000
"""Replies in memory that wait out a 429. Each is a few kilobytes, one with a picture some hundred."""

MAX_REPLY_RETRY_DELAY = 900.0
"""Seconds. Somebody who would have to wait longer for an answer has asked again by then."""

_RETRY_MARGIN = 0.5
"""Seconds added to what Telegram asks for, since waiting exactly that long does not promise success."""

_RETRY_INTERVAL = 0.05
"""Seconds between replies that have waited. Those of all chats would else leave at the same moment, and be refused again."""

os.environ.setdefault("PTB_TIMEDELTA", "1")  # python-telegram-bot's own switch: without it each RetryAfter warns

log = structlog.get_logger()


class ReplySender:
    """Sends what a dialogue answers. What Telegram refuses with a 429 is sent later, as `ReplyRetrier` allows."""

    def __init__(self, bot: Bot, draw_picture: DrawPicture | None = None) -> None:
        """`draw_picture` is None if this process cannot draw."""
        self._bot, self._draw_picture = bot, draw_picture
        self._retrier = ReplyRetrier()
        self._unknown_tags: set[str] = set()
        """Tags that this Bot API server does not know, until the process ends."""
        self.is_stopping = False

    async def send(self, origin: UpdateOrigin, screen: Screen, redraw: Redraw | None = None) -> None:
        """Send a screen to a chat, with its picture if it has one; in a group as a reply.

        With `redraw`, a screen that waits out a 429 is drawn again before it is sent.
        """
        latest = LatestScreen(screen, redraw)

        async def request() -> None:
            now = await latest.get()
            if now.picture is not None and self._draw_picture is not None:
                await self._send_picture(origin, now, await self._draw_picture(now.picture))
            else:
                await self._send_text(origin, Screen(_("Images are not available here.")) if now.picture is not None else now)

        await self._retrier.call(origin.ref.chat_id, request)

    async def _send_text(self, origin: UpdateOrigin, screen: Screen) -> None:
        async def request(html: str) -> None:
            await self._bot.send_message(
                origin.ref.chat_id,
                html,
                parse_mode=ParseMode.HTML,
                # Topic 0 is the chat itself, and Telegram refuses the number 0.
                message_thread_id=origin.ref.topic or None,
                reply_parameters=_make_reply_parameters(origin),
                reply_markup=to_inline_keyboard(screen.buttons),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )

        await self._send_html(screen.html, request)

    async def _send_html(self, html: str, request: Callable[[str], Awaitable[object]]) -> None:
        """Make a request with a text, without the tags for which the Bot API server turns out to be too old."""
        while True:
            unknown = frozenset(self._unknown_tags)
            try:
                await request(remove_tags(html, unknown) if unknown else html)
            except BadRequest as refusal:
                tag = find_unknown_tag(refusal)
                if tag not in TELEGRAM_TAGS - unknown:
                    raise
                log.warning("tag_not_supported", tag=tag)
                self._unknown_tags.add(tag)
            else:
                return

    async def _send_picture(self, origin: UpdateOrigin, screen: Screen, png: bytes) -> None:
        await self._bot.send_photo(
            origin.ref.chat_id,
            InputFile(png, "match.png"),
            caption=screen.html,
            has_spoiler=screen.is_spoiler or None,
            parse_mode=ParseMode.HTML,
            message_thread_id=origin.ref.topic or None,
            reply_parameters=_make_reply_parameters(origin),
            reply_markup=to_inline_keyboard(screen.buttons),
        )

    async def acknowledge(self, query: CallbackQuery, note: str) -> None:
        """Answer a press, so that Telegram stops its spinner; a note is shown for a moment. Never raises for a late answer."""

        async def answer() -> None:
            try:
                # python-telegram-bot sends an empty text as "[]", which would be shown.
                await (query.answer(note) if note else query.answer())
            except BadRequest as refusal:
                # Telegram takes an answer for some seconds only. What the button asked for is done all the same.
                log.debug("press_not_acknowledged", reason=str(refusal))

        try:
            # By the query and not by its chat: the new screen does not wait for an answer that is too late by then.
            await self._retrier.call(query.id, answer)
        except RetryAfter as refusal:
            log.debug("press_not_acknowledged", reason=str(refusal))

    async def edit(self, query: CallbackQuery, screen: Screen, redraw: Redraw | None = None) -> None:
        """Show a screen in place of the message whose button was pressed. `redraw` is as in `send`."""
        latest = LatestScreen(screen, redraw)

        async def request() -> None:
            now = await latest.get()
            try:
                await self._send_html(
                    now.html,
                    lambda html: query.edit_message_text(
                        html, parse_mode=ParseMode.HTML, reply_markup=to_inline_keyboard(now.buttons)
                    ),
                )
            except BadRequest as refusal:
                # A button pressed twice shows what is there already, which Telegram refuses.
                if "not modified" not in str(refusal):
                    raise

        await self._retrier.call(query.message.chat.id if query.message else query.id, request)

    def cancel_waiting(self) -> None:
        """Give up the replies that wait out a 429: the process stops."""
        self.is_stopping = True
        self._retrier.cancel_all()


def _make_reply_parameters(origin: UpdateOrigin) -> ReplyParameters | None:
    message_id = origin.reply_to_message_id
    # The message may be deleted before we answer; the answer is still wanted.
    return ReplyParameters(message_id, allow_sending_without_reply=True) if message_id else None


class LatestScreen:
    """A screen for a request that may be repeated: as it was drawn the first time, and drawn again for each repetition."""

    def __init__(self, screen: Screen, redraw: Redraw | None) -> None:
        self._screen, self._redraw, self._is_first = screen, redraw, True
        self._drawn_at = asyncio.get_running_loop().time()

    async def get(self) -> Screen:
        """Return the screen to send now. What cannot be drawn any more, such as a match that is gone, stays as it was."""
        # A reply that stood behind others of its chat has waited too, though this is its first attempt.
        has_waited = asyncio.get_running_loop().time() - self._drawn_at > _RETRY_MARGIN
        if self._redraw and (has_waited or not self._is_first):
            try:
                self._screen = await self._redraw()
            except (Refusal, StorageError) as error:
                log.info("screen_not_redrawn", reason=str(error))
        self._is_first = False
        return self._screen


class _WaitingReply(NamedTuple):
    """A request with the context of its update, which has its language: it may be drawn again."""

    request: Request
    context: Context

    async def make(self) -> None:
        await self.request()


class ReplyRetrier:
    """Repeats requests that Telegram refuses with a 429, after the time that it asks for.

    Whoever makes a request does not wait: the update is handled, and the next one of its chat has its turn.
    """

    def __init__(self, max_waiting: int = MAX_WAITING_REPLIES) -> None:
        self._max_waiting = max_waiting
        self._waiting: dict[int | str, deque[_WaitingReply]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next_at = 0.0

    @property
    def waiting_count(self) -> int:
        """How many requests wait."""
        return sum(map(len, self._waiting.values()))

    async def call(self, key: int | str, request: Request) -> None:
        """Make the request, or after those of the same key that wait already. Raise what it raises at the first attempt.

        RetryAfter is raised only if Telegram asks for more than `MAX_REPLY_RETRY_DELAY`, or if too many requests wait already.
        """
        if (queue := self._waiting.get(key)) is not None and self.waiting_count < self._max_waiting:
            queue.append(_WaitingReply(request, copy_context()))
            return
        try:
            await request()
        except RetryAfter as refusal:
            delay = read_retry_after(refusal)
            if delay > MAX_REPLY_RETRY_DELAY or self.waiting_count >= self._max_waiting:
                raise
            log.info("reply_retry_scheduled", seconds=delay)
            if (queue := self._waiting.get(key)) is not None:
                queue.append(_WaitingReply(request, copy_context()))  # another one was refused during our request
                return
            self._waiting[key] = deque([_WaitingReply(request, copy_context())])
            task = asyncio.create_task(self._send_waiting(key, delay))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def cancel_all(self) -> None:
        """Give up what waits."""
        if count := self.waiting_count:
            log.info("waiting_replies_dropped", count=count)
        for task in self._tasks:
            task.cancel()

    async def _send_waiting(self, key: int | str, delay: float) -> None:
        """Make the requests of one key, in order, each as soon as Telegram allows."""
        queue = self._waiting[key]
        try:
            await asyncio.sleep(delay + _RETRY_MARGIN)
            while queue:
                await self._wait_for_turn()
                try:
                    await asyncio.create_task(queue[0].make(), context=queue[0].context)
                except RetryAfter as refusal:
                    if (delay := read_retry_after(refusal)) <= MAX_REPLY_RETRY_DELAY:
                        await asyncio.sleep(delay + _RETRY_MARGIN)
                        continue
                    log.warning("reply_not_sent", chat=key, reason=str(refusal))
                except TelegramError as error:
                    log.warning("reply_not_sent", chat=key, reason=str(error))
                except Exception as error:  # such as a picture that cannot be drawn: later replies must not wait for ever
                    log.error("reply_not_sent", chat=key, reason=repr(error), exc_info=error)
                queue.popleft()
        finally:
            del self._waiting[key]

    async def _wait_for_turn(self) -> None:
        now = asyncio.get_running_loop().time()
        at = max(now, self._next_at)
        self._next_at = at + _RETRY_INTERVAL
        await asyncio.sleep(at - now)


def read_retry_after(refusal: RetryAfter) -> float:
    """Return how many seconds Telegram asks to wait."""
    after = refusal.retry_after
    return after.total_seconds() if isinstance(after, dt.timedelta) else after
