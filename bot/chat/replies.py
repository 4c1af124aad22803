"""Sends, edits and acknowledges, waiting out a 429."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Awaitable, Callable

import structlog
from telegram import Bot, CallbackQuery, InputFile, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, RetryAfter

from bot.chat.dialogue import Refusal, Screen, UpdateOrigin, to_inline_keyboard
from bot.errors import StorageError
from bot.i18n.language import translate as _
from rules.football.match import Match

DrawPicture = Callable[[Match], Awaitable[bytes]]

Redraw = Callable[[], Awaitable[Screen]]
"""Returns a screen as it is now: one that had to wait for Telegram would show a score of the past."""

MAX_WAITING_REPLIES = 32
"""Replies that may wait out a 429 at once: half of the 64 updates handled at once, so one full group holds up no other chat."""

MAX_ATTEMPTS = 3

MAX_REPLY_RETRY_DELAY = 60.0
"""Seconds. Somebody who would have to wait longer for an answer has asked again by then."""

_RETRY_MARGIN = 0.5
"""Seconds added to what Telegram asks for, since waiting exactly that long does not promise success."""

os.environ.setdefault("PTB_TIMEDELTA", "1")  # python-telegram-bot's own switch: without it each RetryAfter warns

log = structlog.get_logger()


class ReplySender:
    """Sends what a dialogue answers. Every request waits out a 429 of Telegram's as `ReplyRetrier` allows."""

    def __init__(self, bot: Bot, draw_picture: DrawPicture | None = None) -> None:
        """`draw_picture` is None if this process cannot draw."""
        self._bot, self._draw_picture = bot, draw_picture
        self._retrier = ReplyRetrier()

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
                await self._send_text(origin, Screen(_("I draw no pictures here.")) if now.picture is not None else now)

        await self._retrier.call(request)

    async def _send_text(self, origin: UpdateOrigin, screen: Screen) -> None:
        await self._bot.send_message(
            origin.ref.chat_id,
            screen.html,
            parse_mode=ParseMode.HTML,
            # Topic 0 is the chat itself, and Telegram refuses the number 0.
            message_thread_id=origin.ref.topic or None,
            reply_parameters=_make_reply_parameters(origin),
            reply_markup=to_inline_keyboard(screen.buttons),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )

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
        try:
            # python-telegram-bot sends an empty text as "[]", which would be shown.
            await (self._retrier.call(lambda: query.answer(note)) if note else query.answer())
        except (BadRequest, RetryAfter) as refusal:
            # Telegram takes an answer for some seconds only. What the button asked for is done all the same.
            log.debug("press_not_acknowledged", reason=str(refusal))

    async def edit(self, query: CallbackQuery, screen: Screen, redraw: Redraw | None = None) -> None:
        """Show a screen in place of the message whose button was pressed. `redraw` is as in `send`."""
        latest = LatestScreen(screen, redraw)

        async def request() -> None:
            now = await latest.get()
            await query.edit_message_text(now.html, parse_mode=ParseMode.HTML, reply_markup=to_inline_keyboard(now.buttons))

        try:
            await self._retrier.call(request)
        except BadRequest as refusal:
            # A button pressed twice shows what is there already, which Telegram refuses.
            if "not modified" not in str(refusal):
                raise

    def cancel_waiting(self) -> None:
        """Give up the replies that wait out a 429, so that stopping need not wait for them."""
        self._retrier.cancel_all()


def _make_reply_parameters(origin: UpdateOrigin) -> ReplyParameters | None:
    message_id = origin.reply_to_message_id
    # The message may be deleted before we answer; the answer is still wanted.
    return ReplyParameters(message_id, allow_sending_without_reply=True) if message_id else None


class LatestScreen:
    """A screen for a request that may be repeated: as it was drawn the first time, and drawn again for each repetition."""

    def __init__(self, screen: Screen, redraw: Redraw | None) -> None:
        self._screen, self._redraw, self._is_first = screen, redraw, True

    async def get(self) -> Screen:
        """Return the screen to send now. What cannot be drawn any more, such as a match that is gone, stays as it was."""
        if self._redraw and not self._is_first:
            try:
                self._screen = await self._redraw()
            except (Refusal, StorageError) as error:
                log.info("screen_not_redrawn", reason=str(error))
        self._is_first = False
        return self._screen


class ReplyRetrier:
    """Repeats requests that Telegram refuses with a 429, after the time that it asks for."""

    def __init__(self, max_waiting: int = MAX_WAITING_REPLIES) -> None:
        self._max_waiting = max_waiting
        self._waiting: set[asyncio.Event] = set()

    async def call(self, request: Callable[[], Awaitable[object]]) -> None:
        """Make the request, up to three times. Raise RetryAfter if Telegram asks for more than a minute, or if too many
        requests wait already."""
        for attempts_left in reversed(range(MAX_ATTEMPTS)):
            try:
                await request()
            except RetryAfter as refusal:
                delay = read_retry_after(refusal)
                # A long wait would keep one of the 64 slots for updates, and the person has given up by then.
                if not attempts_left or delay > MAX_REPLY_RETRY_DELAY or len(self._waiting) >= self._max_waiting:
                    raise
                log.info("reply_retry_scheduled", seconds=delay)
                if not await self._wait(delay + _RETRY_MARGIN):
                    raise
            else:
                return

    def cancel_all(self) -> None:
        """End every wait: those requests raise their RetryAfter."""
        for cancelled in self._waiting:
            cancelled.set()

    async def _wait(self, delay: float) -> bool:
        """Wait so many seconds. Return False if the wait was cancelled."""
        cancelled = asyncio.Event()
        self._waiting.add(cancelled)
        try:
            async with asyncio.timeout(delay):
                await cancelled.wait()
        except TimeoutError:
            return True
        finally:
            self._waiting.discard(cancelled)
        return False


def read_retry_after(refusal: RetryAfter) -> float:
    """Return how many seconds Telegram asks to wait."""
    after = refusal.retry_after
    return after.total_seconds() if isinstance(after, dt.timedelta) else after
